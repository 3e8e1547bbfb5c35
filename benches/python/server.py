"""The peer of `cargo xtask bench --server`: a FastAPI service on InsightFace's package, as its users write it.

    server.py PORT PEOPLE.json --detector scrfd.onnx --embedder arcface.onnx [--size 640]

It answers `POST /api/v1/face/recognize` as ours does. The endpoint is a plain function, which FastAPI runs on its
threads; ONNX Runtime releases the interpreter while it works and has one thread a call, so that calls share the
processors.
"""

import argparse
import base64
import json

import cv2
import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from insight import InsightFace


class Picture(BaseModel):
    image_data: str


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("people")
    parser.add_argument("--detector", required=True)
    parser.add_argument("--embedder", required=True)
    parser.add_argument("--size", type=int, default=640)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    insight = InsightFace(arguments.detector, arguments.embedder, arguments.size)
    with open(arguments.people) as file:
        people = json.load(file)
    names = [person["name"] for person in people]
    gallery = np.array([person["embedding"] for person in people], np.float32)
    app = FastAPI()

    @app.get("/health")
    def health():
        return {"status": "healthy"}

    @app.post("/api/v1/face/recognize")
    def recognize(picture: Picture):
        bytes_ = np.frombuffer(base64.b64decode(picture.image_data), np.uint8)
        image = cv2.imdecode(bytes_, cv2.IMREAD_COLOR)
        matches = []
        for face in insight.analyze(image):
            cosines = gallery @ face.normed_embedding
            best = int(cosines.argmax())
            similarity = float(cosines[best] + 1) / 2
            if similarity >= 0.7:
                bbox = [round(float(value)) for value in face.bbox]
                matches.append({"student_name": names[best], "confidence": similarity, "bbox": bbox})
        return {"success": True, "data": {"matches": matches}}

    uvicorn.run(app, host="127.0.0.1", port=arguments.port, log_level="warning")


main()
