"""The peer of `cargo xtask bench --device`: InsightFace's package on an accelerator, and a search by ONNX Runtime.

    device.py FOLDER --device cpu|cuda|tensorrt --threads N --detector scrfd.onnx --embedder arcface.onnx

Requests come on standard input, a line of JSON each, and every answer is a line of JSON; `src/bin/device` is the other
side. The search is one multiplication and a TopK over a matrix that lies on the device.
"""

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
from insightface.model_zoo.arcface_onnx import ArcFaceONNX
from insightface.model_zoo.scrfd import SCRFD

DIMENSION = 512
SEARCH_K = 5
SIDE = 112
PROVIDERS = {
    "cpu": ["CPUExecutionProvider"],
    "cuda": ["CUDAExecutionProvider"],
    "tensorrt": ["TensorrtExecutionProvider", "CUDAExecutionProvider"],
}


def session(model, device):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    made = onnxruntime.InferenceSession(model, options, providers=PROVIDERS[device])
    if made.get_providers()[0] != PROVIDERS[device][0]:
        sys.exit(f"{device} is not there: {made.get_providers()}")
    return made


class Search:
    """The most similar of many people, on the device in parts of a million rows."""

    PART = 1_000_000

    def __init__(self, folder, rows, device):
        drawn = np.fromfile(folder / "crowd.f32", np.float32).reshape(-1, DIMENSION)
        count = len(drawn)
        self.where = "cpu" if device == "cpu" else "cuda"
        self.probe = drawn[123] + 0.3 * drawn[77]
        self.probe = (self.probe / np.linalg.norm(self.probe)).reshape(DIMENSION, 1)
        self.parts = []
        for start in range(0, rows, self.PART):
            part = np.empty((min(self.PART, rows - start), DIMENSION), np.float32)
            for at in range(0, len(part), count):
                i = np.arange(start + at, start + min(at + count, len(part)))
                block = drawn[i % count] + 0.5 * drawn[(7 * i + i // count) % count]
                part[i - start] = block / np.linalg.norm(block, axis=1, keepdims=True)
            self.parts.append((start, onnxruntime.OrtValue.ortvalue_from_numpy(part, self.where, 0)))
        self.session = session(self.graph(), device)

    @staticmethod
    def graph():
        helper, kinds = onnx.helper, onnx.TensorProto
        nodes = [
            helper.make_node("MatMul", ["people", "probe"], ["scores"]),
            helper.make_node("TopK", ["scores", "k"], ["best", "index"], axis=0),
        ]
        inputs = [
            helper.make_tensor_value_info("people", kinds.FLOAT, ["rows", DIMENSION]),
            helper.make_tensor_value_info("probe", kinds.FLOAT, [DIMENSION, 1]),
        ]
        outputs = [
            helper.make_tensor_value_info("best", kinds.FLOAT, [SEARCH_K, 1]),
            helper.make_tensor_value_info("index", kinds.INT64, [SEARCH_K, 1]),
        ]
        k = helper.make_tensor("k", kinds.INT64, [1], [SEARCH_K])
        graph = helper.make_graph(nodes, "search", inputs, outputs, [k])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        return model.SerializeToString()

    def __call__(self):
        found = []
        for start, people in self.parts:
            binding = self.session.io_binding()
            binding.bind_ortvalue_input("people", people)
            binding.bind_cpu_input("probe", self.probe)
            binding.bind_output("best")
            binding.bind_output("index")
            self.session.run_with_iobinding(binding)
            best, index = binding.copy_outputs_to_cpu()
            found.extend(zip(best[:, 0].tolist(), (index[:, 0] + start).tolist()))
        return [person for _, person in sorted(found, key=lambda hit: -hit[0])[:SEARCH_K]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", choices=PROVIDERS, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--detector", required=True)
    parser.add_argument("--embedder", required=True)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.device != "cpu":
        # The wheels of CUDA and cuDNN, which are no system libraries.
        onnxruntime.preload_dlls()
    detector = SCRFD(arguments.detector, session(arguments.detector, arguments.device))
    detector.prepare(0, input_size=(640, 640), det_thresh=0.5)
    embedder = ArcFaceONNX(arguments.embedder, session(arguments.embedder, arguments.device))
    picture = cv2.imread(str(arguments.folder / "one.jpg"))
    boxes, _ = detector.detect(picture)
    print(json.dumps({"faces": boxes[:, :4].tolist()}), flush=True)
    pool = ThreadPoolExecutor(arguments.threads)
    crop = cv2.resize(picture, (SIDE, SIDE))
    searches = {}
    for line in sys.stdin:
        request = json.loads(line)
        task, count, answer = request["task"], request["count"], {}
        if task == "search" and count not in searches:
            searches = {count: Search(arguments.folder, count, arguments.device)}
        started = time.perf_counter()
        if task == "detect":
            list(pool.map(lambda _: detector.detect(picture), range(count)))
        elif task == "embed":
            embedder.get_feat([crop] * count)
        elif task == "search":
            answer["people"] = searches[count]()
        answer["ms"] = (time.perf_counter() - started) * 1e3
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
