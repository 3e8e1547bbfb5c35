#!/usr/bin/env python3
"""Compares the default pack with the recorded outputs of the original networks, and prints the errors as a table.

    .venv/bin/pip install -r models/convert/requirements.txt -r models/convert/requirements-check.txt
    .venv/bin/python models/convert/check.py

Fails when an error is above its tolerance, so that it can stand in a pipeline.
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

HERE = Path(__file__).resolve().parent
PACK = HERE.parent / "default"
RECORDED = HERE / "recorded"

# Largest error allowed, as a share of the largest value of the output (or of 1, for outputs that stay below it). The
# two MediaPipe networks hold weights that are float16 already, so only the order of additions differs.
TOLERANCE = {"blazeface": 1e-5, "face-mesh": 1e-5}
# An embedding is a direction. SFace multiplies in 8 bits here: the cosine to the embedding of the original weights was
# .9990 on average over 1,618 faces and .9972 at least, and .9949 on pseudo-random pixels.
COSINE = {"sface": 0.994}

# What each network makes of pixels from 0 to 255.
PREPARE = {
    "blazeface": lambda pixels: pixels / np.float32(127.5) - np.float32(1),
    "face-mesh": lambda pixels: pixels / np.float32(255),
    "sface": lambda pixels: pixels,
}


def noise(height, width, seed):
    """The same pseudo-random pixels as `record.mjs`: a 32-bit linear congruential generator's upper byte."""
    pixels = np.empty(height * width * 3, np.uint8)
    state = seed
    for i in range(pixels.size):
        state = (state * 1664525 + 1013904223) % 2**32
        pixels[i] = state >> 24
    return pixels.reshape(height, width, 3)


def input_pixels(description):
    height, width = description["height"], description["width"]
    if description["source"] == "noise":
        return noise(height, width, description["seed"])
    image = np.asarray(Image.open(RECORDED / description["source"]).convert("RGB"))
    top, left = description["top"], description["left"]
    return image[top : top + height, left : left + width]


def main():
    index = json.loads((RECORDED / "index.json").read_text())
    recorded = np.fromfile(RECORDED / "outputs.bin", "<f4")
    failures = 0
    print("| model | input | output | largest value | max abs error | max error / largest | cosine |")
    print("|---|---|---|---|---|---|---|")
    for entry in index["recordings"]:
        model = entry["model"]
        pixels = input_pixels(entry["input"]).astype(np.float32)
        image = PREPARE[model](pixels).transpose(2, 0, 1)[None]
        session = onnxruntime.InferenceSession(PACK / f"{model}.onnx", providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        results = dict(zip(names, session.run(names, {"image": np.ascontiguousarray(image)})))
        for name, place in entry["outputs"].items():
            expected = recorded[place["offset"] :][: int(np.prod(place["shape"]))].reshape(place["shape"])
            found = results[name]
            if found.shape != expected.shape:
                raise SystemExit(f"{model} {name}: shape {found.shape}, the original gave {expected.shape}")
            largest = np.abs(expected).max()
            error = np.abs(found - expected).max()
            cosine = float((found * expected).sum() / np.linalg.norm(found) / np.linalg.norm(expected))
            label = f"{entry['input']['source']} {entry['input']['width']}x{entry['input']['height']}"
            print(
                f"| {model} | {label} | {name} | {largest:.4g} | {error:.2g} | {error / largest:.1e} "
                f"| {cosine:.7f} |"
            )
            failures += cosine < COSINE[model] if model in COSINE else error > TOLERANCE[model] * max(largest, 1)
    if failures:
        raise SystemExit(f"{failures} outputs differ from the original by more than the tolerance")


if __name__ == "__main__":
    main()
