"""What analyzing every picture of a clip in full costs a careful Python user: CPU seconds a camera-minute,
for comparison with `cargo run --release -p faceattend-core --example live_figures -- clip CLIP` in the same run.

    live.py CLIP DEFAULT_PACK [--detector scrfd.onnx --embedder arcface.onnx [--insightface]] [--rate PICTURES_A_SECOND]

With `--insightface`, InsightFace's own package analyses them, detecting at 640 as it does by default; its Python is
that of `benches/python/server-requirements.txt`.
"""

import argparse
import time
from pathlib import Path

import cv2

from reference import Pipeline


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("clip")
    parser.add_argument("pack", type=Path)
    parser.add_argument("--detector", type=Path)
    parser.add_argument("--embedder", type=Path)
    parser.add_argument("--insightface", action="store_true")
    parser.add_argument("--rate", type=float, help="analyze so many pictures a second rather than all")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.insightface:
        # Another environment than the reference's.
        from insight import InsightFace

        pipeline = InsightFace(args.detector, args.embedder)
    else:
        pipeline = Pipeline(args.pack, args.detector, args.embedder)
    clip = cv2.VideoCapture(args.clip)
    fps = clip.get(cv2.CAP_PROP_FPS)
    pictures, faces, at, due, busy = 0, 0, 0, 0.0, 0.0
    while True:
        there, picture = clip.read()
        if not there:
            break
        if at / fps + 1e-9 >= due:
            due = at / fps + (1 / args.rate if args.rate else 0)
            before = time.process_time()
            faces += len(pipeline.analyze(picture))
            busy += time.process_time() - before
            pictures += 1
        at += 1
    print(f"{pictures} pictures, {faces} faces embedded, {busy / (at / fps) * 60:.2f} CPU s a camera-minute, "
          f"{busy / max(pictures, 1) * 1000:.2f} ms a picture")


main()
