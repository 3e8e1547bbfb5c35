"""dlib's face recognition ResNet, from the weights that face-api carries.

The package holds weights only; the network is written in its program. It is rebuilt here from the description that
dlib's author published with the weights: a ResNet with 29 convolutions, blocks `*_down` halving the size.
"""

import json
from pathlib import Path

import numpy as np

from onnx_graph import OnnxGraph
from weights import read_weights

INPUT_SIZE = 150
EMBEDDING_SIZE = 128

# dlib subtracts the mean colour of its training set and divides by 256. (face-api 1.7 divides by 255; the weights
# were trained with 256, and the difference is a change of contrast of 0.4%.)
MEAN_RGB = (122.782, 117.001, 104.298)
DIVISOR = 256.0

# Block names in order, with their channels; `down` halves the size.
BLOCKS = (
    ("conv32_1", 32), ("conv32_2", 32), ("conv32_3", 32),
    ("conv64_down", 64), ("conv64_1", 64), ("conv64_2", 64), ("conv64_3", 64),
    ("conv128_down", 128), ("conv128_1", 128), ("conv128_2", 128),
    ("conv256_down", 256), ("conv256_1", 256), ("conv256_2", 256),
    ("conv256_down_out", 256),
)  # fmt: skip


class _Network:
    def __init__(self, weights):
        self.weights = weights
        self.graph = OnnxGraph("dlib-resnet")

    def convolution(self, x, name, stride, pad, relu):
        """Convolution, then a scale and a shift for each channel, which are folded into it."""
        filters = self.weights[f"{name}/conv/filters"].transpose(3, 2, 0, 1)
        scale = self.weights[f"{name}/scale/weights"]
        shift = self.weights[f"{name}/scale/biases"]
        bias = self.weights[f"{name}/conv/bias"] * scale + shift
        x = self.graph.conv(x, filters * scale[:, None, None, None], bias, stride, [pad] * 4)
        return self.graph.node("Relu", [x]) if relu else x

    def block(self, x, name, size, channels, out_channels):
        """One residual block; returns its output and the height and width of that."""
        if "down" not in name:
            y = self.convolution(x, f"{name}/conv1", 1, 1, relu=True)
            y = self.convolution(y, f"{name}/conv2", 1, 1, relu=False)
            return self.graph.node("Relu", [self.graph.node("Add", [y, x])]), size
        y = self.convolution(x, f"{name}/conv1", 2, 0, relu=True)
        y = self.convolution(y, f"{name}/conv2", 1, 1, relu=False)
        shortcut = self.graph.node("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2])
        size_of_y, size_of_shortcut = (size - 3) // 2 + 1, size // 2
        # dlib adds tensors of different shapes by filling the smaller with zeros at its end.
        shortcut = self.zeros_after(shortcut, channels=out_channels - channels)
        y = self.zeros_after(y, rows=size_of_shortcut - size_of_y)
        return self.graph.node("Relu", [self.graph.node("Add", [shortcut, y])]), size_of_shortcut

    def zeros_after(self, x, channels=0, rows=0):
        if not channels and not rows:
            return x
        pads = np.array([0, 0, 0, 0, 0, channels, rows, rows], np.int64)
        return self.graph.node("Pad", [x, self.graph.constant(pads, "pads")])


def convert(model_folder, path, metadata):
    """Reads `face_recognition_model` from the package's folder and writes the ONNX file."""
    model_folder = Path(model_folder)
    groups = json.loads((model_folder / "face_recognition_model-weights_manifest.json").read_text())
    net = _Network(read_weights(groups, model_folder))
    graph = net.graph

    mean = graph.constant(np.array(MEAN_RGB, np.float32).reshape(1, 3, 1, 1), "mean")
    x = graph.node("Sub", ["image", mean])
    x = graph.node("Div", [x, graph.constant(np.array(DIVISOR, np.float32), "divisor")])
    x = net.convolution(x, "conv32_down", 2, 0, relu=True)
    size = (INPUT_SIZE - 7) // 2 + 1
    x = graph.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2])
    size = (size - 3) // 2 + 1
    channels = 32
    for name, out_channels in BLOCKS:
        x, size = net.block(x, name, size, channels, out_channels)
        channels = out_channels
    x = graph.node("ReduceMean", [x], axes=[2, 3], keepdims=0)
    graph.node("MatMul", [x, graph.constant(net.weights["fc"], "weight")], output="embedding")
    graph.save(
        path,
        [("image", ["N", 3, INPUT_SIZE, INPUT_SIZE])],
        [("embedding", ["N", EMBEDDING_SIZE])],
        metadata,
    )
