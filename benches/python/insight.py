"""InsightFace's own package, as its users call it: all faces of a picture, and the embedding of each."""

import onnxruntime
from insightface.app.common import Face
from insightface.model_zoo.arcface_onnx import ArcFaceONNX
from insightface.model_zoo.scrfd import SCRFD


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class InsightFace:
    """One thread a call, so that calls share the processors; it may be called from several threads."""

    def __init__(self, detector, embedder, size=640):
        self.detector = SCRFD(str(detector), session(detector))
        self.detector.prepare(-1, input_size=(size, size), det_thresh=0.5)
        self.embedder = ArcFaceONNX(str(embedder), session(embedder))

    def analyze(self, picture):
        boxes, points = self.detector.detect(picture)
        faces = [Face(bbox=box[:4], kps=five, det_score=box[4]) for box, five in zip(boxes, points)]
        for face in faces:
            self.embedder.get(picture, face)
        return faces
