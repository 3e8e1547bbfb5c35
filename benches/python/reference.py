"""The reference that `cargo xtask bench` compares with: onnxruntime, NumPy and OpenCV, as a careful user would write
it.

    reference.py FOLDER DEFAULT_PACK [--detector scrfd.onnx --embedder arcface.onnx]

Sessions are loaded once, buffers are NumPy's, pixels are OpenCV's, boxes are decoded without a loop over anchors.
Requests come on standard input, a line of JSON each, and every answer is a line of JSON; `src/bin/compare` is the other
side.
"""

import argparse
import base64
import json
import math
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

BATCH = 8
DIMENSION = 512
SEARCH_K = 5
ARCFACE_112 = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


class Model:
    """A session on one thread that knows how long its runs took."""

    time = 0.0

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0]
        self.outputs = [output.name for output in self.session.get_outputs()]

    def run(self, tensor):
        started = time.perf_counter()
        outputs = self.session.run(None, {self.input.name: tensor})
        Model.time += time.perf_counter() - started
        return outputs

    def named(self, tensor):
        return dict(zip(self.outputs, self.run(tensor)))


def blob(pictures, scale, mean):
    """BGR pictures as one RGB tensor, (pixel - mean) * scale."""
    return cv2.dnn.blobFromImages(pictures, scale, mean=(mean,) * 3, swapRB=True)


def similarity(points, template):
    """The least-squares turn, scale and move from points to template (Umeyama), as the 2 x 3 matrix of warpAffine."""
    f, t = points - points.mean(0), template - template.mean(0)
    norm = (f * f).sum()
    re = (f * t).sum() / norm
    im = (f[:, 0] * t[:, 1] - f[:, 1] * t[:, 0]).sum() / norm
    turn = np.array([[re, -im], [im, re]])
    return np.column_stack([turn, template.mean(0) - turn @ points.mean(0)])


def suppress(boxes, scores, max_iou):
    """The indices that stay, best first."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = np.argsort(-scores)
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        low = np.maximum(boxes[order, :2], boxes[best, :2])
        high = np.minimum(boxes[order, 2:], boxes[best, 2:])
        common = np.prod(np.maximum(high - low, 0), axis=1)
        order = order[common <= max_iou * (areas[order] + areas[best] - common)]
    return kept


class Detector:
    """Small first, larger when nothing or only little faces turn up."""

    def __init__(self, model):
        self.model = model
        height, width = model.input.shape[2:]
        self.fixed = width if isinstance(width, int) else None

    def place(self, picture, size):
        """The picture in the detector's input, the scale, and where it begins."""
        height, width = picture.shape[:2]
        room = 1 + 2 * self.margin
        scale = size / (max(width, height) * room)
        inner = (round(width * scale), round(height * scale))
        if self.fixed:
            outer = (size, size)
        else:
            outer = tuple(math.ceil((side * scale * room - 0.01) / 32) * 32 for side in (width, height))
        left, top = ((outer[0] - inner[0]) // 2, (outer[1] - inner[1]) // 2) if self.margin else (0, 0)
        canvas = np.zeros((outer[1], outer[0], 3), np.uint8)
        # Shrinking far with plain interpolation skips pixels, and small faces with them.
        how = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
        canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(picture, inner, interpolation=how)
        return canvas, scale, np.array([left, top], np.float32)

    def detect(self, picture):
        """Boxes, and five points or the two eyes of each."""
        side = max(picture.shape[:2])
        boxes, scores, points = (np.empty(shape, np.float32) for shape in ((0, 4), (0,), (0, self.points, 2)))
        previous = 0
        for size in [self.fixed] if self.fixed else self.sizes:
            if previous and previous >= side * (1 + 2 * self.margin):
                break
            previous = size
            canvas, scale, offset = self.place(picture, size)
            b, s, p = self.decode(blob([canvas], 1 / self.deviation, 127.5), canvas.shape[1], canvas.shape[0])
            boxes = np.concatenate([boxes, (b - np.tile(offset, 2)) / scale])
            points = np.concatenate([points, (p - offset) / scale])
            scores = np.concatenate([scores, s])
            kept = suppress(boxes, scores, self.max_iou)
            boxes, scores, points = boxes[kept], scores[kept], points[kept]
            sides = boxes[:, 2:] - boxes[:, :2]
            if len(boxes) and (sides.min(axis=1) * scale >= self.little).all():
                break
        order = np.argsort(-np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))
        return boxes[order], points[order]


class Blazeface(Detector):
    margin, sizes, little, max_iou, points, deviation = 0.25, (256, 512, 1024), 24, 0.3, 2, 127.5

    def decode(self, tensor, width, height):
        outputs = self.model.named(tensor)
        found = []
        for stride, anchors in ((16, 2), (32, 6)):
            logits = outputs[f"scores_{stride}"].ravel()
            good = np.flatnonzero(logits >= 0)
            values = outputs[f"boxes_{stride}"].reshape(-1, 16)[good]
            cell = good // anchors
            columns = width // stride
            center = (np.stack([cell % columns, cell // columns], 1) + 0.5) * stride
            middle, half = center + values[:, :2], values[:, 2:4] / 2
            eyes = center[:, None] + values[:, 4:8].reshape(-1, 2, 2)
            found.append((np.hstack([middle - half, middle + half]), 1 / (1 + np.exp(-logits[good])), eyes))
        return (np.concatenate(part) for part in zip(*found))


class Scrfd(Detector):
    margin, sizes, little, max_iou, points, deviation = 0, (320, 640, 1280), 40, 0.4, 5, 128.0

    def decode(self, tensor, width, height):
        outputs = self.model.run(tensor)
        found = []
        for level, stride in enumerate((8, 16, 32)):
            scores = outputs[level].ravel()
            good = np.flatnonzero(scores >= 0.5)
            cell = good // 2
            columns = -(-width // stride)
            corner = np.stack([cell % columns, cell // columns], 1) * stride
            edges = outputs[3 + level].reshape(-1, 4)[good] * stride
            offsets = outputs[6 + level].reshape(-1, 5, 2)[good] * stride
            boxes = np.hstack([corner - edges[:, :2], corner + edges[:, 2:]])
            found.append((boxes, scores[good], corner[:, None] + offsets))
        return (np.concatenate(part) for part in zip(*found))


class Pipeline:
    def __init__(self, pack, detector, embedder):
        self.mesh = None
        if detector:
            model = Model(detector)
            if len(model.outputs) != 9:
                sys.exit(f"{detector}: the reference reads SCRFD with points (nine outputs)")
            self.detector = Scrfd(model)
        else:
            self.detector = Blazeface(Model(pack / "blazeface.onnx"))
            self.mesh = Model(pack / "face-mesh.onnx")
        self.embedder = Model(embedder or pack / "sface.onnx")
        self.template, self.size = ARCFACE_112, 112
        self.scale, self.mean = (1 / 127.5, 127.5) if embedder else (1.0, 0.0)
        self.one_at_a_time = isinstance(self.embedder.input.shape[0], int)

    def locate(self, picture, boxes, eyes):
        """The five points of each face, through the mesh; none where it sees no face."""
        crops, maps = [], []
        for box, (left, right) in zip(boxes, eyes):
            (dx, dy), side = right - left, max(box[2] - box[0], box[3] - box[1])
            scale, angle = side * 1.5 / 192, math.atan2(dy, dx)
            sin, cos = scale * math.sin(angle), scale * math.cos(angle)
            x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            maps.append(np.array([[cos, -sin, x - cos * 96 + sin * 96], [sin, cos, y - sin * 96 - cos * 96]]))
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            crops.append(cv2.warpAffine(picture, maps[-1], (192, 192), flags=flags))
        found = []
        for at in range(0, len(crops), BATCH):
            outputs = self.mesh.named(blob(crops[at : at + BATCH], 1 / 255, 0))
            for points, presence, back in zip(outputs["points"], outputs["presence"].ravel(), maps[at:]):
                if presence < 0.5:
                    found.append(None)
                    continue
                mesh = points.reshape(468, 3)[:, :2] @ back[:, :2].T + back[:, 2]
                eye = [(mesh[33] + mesh[133]) / 2, (mesh[362] + mesh[263]) / 2]
                found.append(np.array([*eye, mesh[1], mesh[61], mesh[291]]))
        return found

    def judge(self, picture, points):
        """Yaw and roll, sharpness and brightness."""
        mouth = (points[3] + points[4]) / 2
        a, b, _ = np.linalg.solve(
            np.vstack([np.column_stack([points[0], points[1], mouth]), np.ones(3)]), [*points[2], 1]
        )
        yaw = math.degrees(math.atan(0.84 * (b - a) - 0.01))
        roll = math.degrees(math.atan2(*(points[1] - points[0])[::-1]))
        crop = cv2.warpAffine(picture, similarity(points, ARCFACE_112), (112, 112))
        gray = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
        return yaw, roll, cv2.Laplacian(gray, cv2.CV_32F).var(), gray.mean()

    def embed(self, picture, faces):
        """The unit vectors of the faces with these points."""
        vectors = []
        step = 1 if self.one_at_a_time else BATCH
        for at in range(0, len(faces), step):
            crops = [
                cv2.warpAffine(picture, similarity(points, self.template), (self.size, self.size))
                for points in faces[at : at + step]
            ]
            raw = self.embedder.run(blob(crops, self.scale, self.mean))[0]
            vectors.extend(raw / np.linalg.norm(raw, axis=1, keepdims=True))
        return vectors

    def analyze(self, picture):
        boxes, points = self.detector.detect(picture)
        if self.mesh:
            points = self.locate(picture, boxes, points)
            boxes = [box for box, five in zip(boxes, points) if five is not None]
            points = [five for five in points if five is not None]
        judged = [self.judge(picture, five) for five in points]
        return list(zip(boxes, points, judged, self.embed(picture, points)))


def timed(repeat, call):
    result = call()
    ms = []
    for _ in range(repeat):
        started = time.perf_counter()
        result = call()
        ms.append((time.perf_counter() - started) * 1e3)
    return ms, result


def describe(faces):
    return [{"box": box.tolist(), "embedding": vector.tolist()} for box, _, _, vector in faces]


def crowd_of(folder, rows):
    """The gallery of `Crowd` in src/lib.rs, and its probe."""
    drawn = np.fromfile(folder / "crowd.f32", np.float32).reshape(-1, DIMENSION)
    count = len(drawn)
    gallery = np.empty((rows, DIMENSION), np.float32)
    for at in range(0, rows, count):
        i = np.arange(at, min(at + count, rows))
        block = drawn[i % count] + 0.5 * drawn[(7 * i + i // count) % count]
        gallery[i] = block / np.linalg.norm(block, axis=1, keepdims=True)
    probe = drawn[123] + 0.3 * drawn[77]
    return gallery, probe / np.linalg.norm(probe)


def search(gallery, probe):
    scores = gallery @ probe
    best = np.argpartition(scores, -SEARCH_K)[-SEARCH_K:]
    best = best[np.argsort(-scores[best])]
    return [[int(i), float(scores[i])] for i in best]


def peak_kib():
    """As Linux counts it; ru_maxrss would begin with what the parent held."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM:"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--detector", type=Path)
    parser.add_argument("--embedder", type=Path)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    pipeline = Pipeline(arguments.pack, arguments.detector, arguments.embedder)
    one = cv2.imread(str(arguments.folder / "one.jpg"))
    print(json.dumps({"faces": describe(pipeline.analyze(one))}), flush=True)
    people = (0, None, None)
    for line in sys.stdin:
        request = json.loads(line)
        task, repeat = request["task"], request.get("repeat")
        answer = {}
        if task in ("one", "six"):
            picture = one if task == "one" else cv2.imread(str(arguments.folder / "six.jpg"))
            model_ms = []

            def call():
                before = Model.time
                faces = pipeline.analyze(picture)
                model_ms.append((Model.time - before) * 1e3)
                return faces

            answer["ms"], faces = timed(repeat, call)
            answer["model_ms"] = model_ms[1:]
            answer["faces"] = describe(faces)
        elif task == "base64":
            text = base64.b64encode((arguments.folder / "one.jpg").read_bytes())

            def call():
                picture = cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_COLOR)
                return pipeline.detector.detect(picture)[0]

            answer["ms"], boxes = timed(repeat, call)
            answer["faces"] = [{"box": box.tolist(), "embedding": None} for box in boxes]
        elif task == "batch":
            box, points, _, _ = pipeline.analyze(one)[0]
            views = [points + [i, 0] for i in range(BATCH)]
            answer["ms"], vectors = timed(repeat, lambda: pipeline.embed(one, views))
            answer["faces"] = [{"box": box.tolist(), "embedding": vectors[0].tolist()}]
        elif task == "search":
            if people[0] != request["rows"]:
                people = (0, None, None)
                people = (request["rows"], *crowd_of(arguments.folder, request["rows"]))
            answer["ms"], answer["matches"] = timed(repeat, lambda: search(people[1], people[2]))
        elif task == "peak":
            answer["peak_kib"] = peak_kib()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
