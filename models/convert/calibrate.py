#!/usr/bin/env python3
"""Measures the calibration of the default pack's embedder, alone or beside an ArcFace-class model of your own.

    .venv/bin/python models/convert/calibrate.py PICTURES... [--reference ARCFACE.onnx [--reference-channels bgr]]

PICTURES are folders of faces whose file names (or the folders they lie in) tell people apart: `ann_01.jpg` or
`ann/01.jpg`. Every pair of pictures is compared. Call it once for each group of people: the cosine of similarity .70 is
that at which every group keeps its false match rate (see `models/README.md`). With a reference, two cosines that the
same share of pairs of two people reaches mean the same false match rate. The figures in `manifest.toml` come from this.
Faces are found, turned upright and cut out with the default pack itself.
"""

import argparse
import re
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

PACK = Path(__file__).resolve().parent.parent / "default"

# The five points of ArcFace's 112x112 template: eyes, nose, corners of the mouth, left to right in the picture.
ARCFACE_112 = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float64
)
# Where the mesh has those points; an eye is the middle of its two corners.
MESH_POINTS = ((33, 133), (362, 263), (1,), (61,), (291,))
MARGIN = 0.25
FALSE_MATCH_RATES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4, 5e-5)


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def tensor(image, mean, std, channels="rgb"):
    pixels = np.asarray(image, np.float32)
    pixels = pixels[..., ::-1] if channels == "bgr" else pixels
    return np.ascontiguousarray(((pixels - mean) / np.float32(std)).transpose(2, 0, 1)[None], dtype=np.float32)


def similarity_transform(source, target):
    """The 2x3 matrix of the rotation, scale and shift that best takes one set of points to another (Umeyama)."""
    from_mean, to_mean = source.mean(0), target.mean(0)
    a, b = source - from_mean, target - to_mean
    # In the complex plane a similarity is one multiplication.
    a, b = a[:, 0] + 1j * a[:, 1], b[:, 0] + 1j * b[:, 1]
    factor = (np.conj(a) * b).sum() / (np.abs(a) ** 2).sum()
    linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.hstack([linear, (to_mean - linear @ from_mean)[:, None]])


def warp(image, matrix, size):
    """The picture under `matrix`; PIL wants the way back."""
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
    return image.transform((size, size), Image.Transform.AFFINE, inverse[:2].reshape(-1), Image.Resampling.BILINEAR)


class Faces:
    """The default pack's detector and mesh: a picture's most certain face as five points."""

    def __init__(self):
        self.detector = session(PACK / "blazeface.onnx")
        self.mesh = session(PACK / "face-mesh.onnx")

    def points(self, image):
        side = int(max(image.size) * (1 + 2 * MARGIN))
        padded = Image.new("RGB", (side, side))
        padded.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
        scale = side / 256
        names = ["scores_16", "boxes_16", "scores_32", "boxes_32"]
        outputs = self.detector.run(names, {"image": tensor(padded.resize((256, 256)), 127.5, 127.5)})
        best = None
        for stride, anchors, scores, boxes in ((16, 2, *outputs[:2]), (32, 6, *outputs[2:])):
            row = int(scores[0, :, 0].argmax())
            if best is None or scores[0, row, 0] > best[0]:
                y, x = divmod(row // anchors, 256 // stride)
                center = (np.array([x, y]) + 0.5) * stride
                values = boxes[0, row]
                best = (scores[0, row, 0], values[:2] + center, max(values[2:4]), values[4:8].reshape(2, 2))
        score, center, size, (eye, other_eye) = best
        if score < 0:
            return None
        # A square of 1.5 times the box, turned so that the eyes are level.
        direction = (other_eye - eye) / np.linalg.norm(other_eye - eye)
        across = np.array([-direction[1], direction[0]])
        middle, half = center * scale, 0.75 * size * scale
        corners = np.array([middle - half * direction - half * across, middle + half * direction - half * across,
                            middle - half * direction + half * across])  # fmt: skip
        matrix = similarity_transform(corners, np.array([[0, 0], [192, 0], [0, 192]], np.float64))
        crop = warp(padded, matrix, 192)
        mesh = self.mesh.run(["points"], {"image": tensor(crop, 0, 255)})[0].reshape(468, 3)[:, :2]
        back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
        five = np.array([mesh[list(indices)].mean(0) for indices in MESH_POINTS])
        five = five @ back[:2, :2].T + back[:2, 2]
        return padded, five


def person(path, root):
    folder = path.parent
    return folder.name if folder != root else re.sub(r"[_-]?\d+$", "", path.stem)


def embedded(faces, session, roots, mean, std, channels):
    """Whose face is in each picture, their embeddings of unit length, and how many pictures show no face."""
    names, embeddings, left_out = [], [], 0
    for root in roots:
        for path in sorted(p for p in root.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png")):
            found = faces.points(Image.open(path).convert("RGB"))
            if found is None:
                left_out += 1
                continue
            image, five = found
            crop = warp(image, similarity_transform(five, ARCFACE_112), 112)
            names.append(person(path, root))
            embedding = session.run(None, {session.get_inputs()[0].name: tensor(crop, mean, std, channels)})[0][0]
            embeddings.append(embedding / np.linalg.norm(embedding))
    return np.array(names), np.array(embeddings), left_out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--reference", type=Path, help="an ArcFace-class model, 112x112, (x-127.5)/127.5")
    parser.add_argument("--reference-channels", choices=("rgb", "bgr"), default="rgb")
    parser.add_argument("--at", nargs="*", type=float, default=[0.44, 0.46, 0.5],
                        help="cosines to say the rates of as well")
    arguments = parser.parse_args()
    faces = Faces()
    models = {"here": (session(PACK / "sface.onnx"), 0, 1, "rgb")}
    if arguments.reference:
        models["reference"] = (session(arguments.reference), 127.5, 127.5, arguments.reference_channels)
    cosines = {}
    for name, (model, *preparation) in models.items():
        names, embeddings, left_out = embedded(faces, model, arguments.pictures, *preparation)
        upper = np.triu_indices(len(names), 1)
        same = (names[:, None] == names[None])[upper]
        cosines[name] = (embeddings @ embeddings.T)[upper]
    print(f"{len(names)} faces of {len(set(names))} people, {left_out} pictures without a face;"
          f" {same.sum()} pairs of one person, {(~same).sum()} of two")  # fmt: skip
    for name, found in cosines.items():
        print(f"{name}: false match rate | cosine | true match rate")
        for rate in FALSE_MATCH_RATES:
            cut = np.quantile(found[~same], 1 - rate)
            print(f"{rate:8.0e} | {cut:.4f} | {(found[same] >= cut).mean():.3f}")
        for cosine in arguments.at:
            false, true = found[~same] >= cosine, found[same] >= cosine
            print(f"at cosine {cosine}: false matches {false.sum()} of {len(false)} ({false.mean():.1e}),"
                  f" genuine pairs refused {(~true).sum()} of {len(true)} ({1 - true.mean():.3f})")  # fmt: skip


if __name__ == "__main__":
    main()
