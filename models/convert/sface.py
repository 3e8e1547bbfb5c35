"""SFace, the default pack's embedder, from the OpenCV Zoo's file with 8-bit weights.

The published file keeps its weights as 8-bit codes with a scale and a zero point for every block of 64, in a form that
ONNX Runtime refuses. Here the same network is written in a form that runs, and runs fast on one thread:

- A batch normalization is folded into the convolution before it.
- A PReLU is written as a ReLU and a multiple of its own input (`split_prelu`): ONNX Runtime's PReLU takes longer than
  the convolutions, and cannot work in the blocked layout that those run in.
- The 1x1 convolutions, nine tenths of the arithmetic, multiply in 8 bits: weights quantised once here, a scale for each
  output channel; activations quantised at run time by their own range, so that no calibration pictures decide it.
- The last layer keeps the original codes, scales and zero points (`MatMulNBits`).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from onnx_graph import RUNTIME_DOMAIN, OnnxGraph

INPUT_SIZE = 112
EMBEDDING_SIZE = 128
# The last layer's codes come in blocks of 64, each with a scale and a zero point.
BLOCK = 64

# Where a 1x1 convolution is quantised: from this width on. The two before it work on few channels of large pictures,
# where quantising and changing the layout cost what the multiplication saves.
QUANTISED_FROM_CHANNELS = 128

# What two neighboring codes of one sign may add up to. Processors with AVX2 and without VNNI multiply an unsigned
# activation and a signed weight, and add two such products in 16 bits: 255 * 128 = 32,640 still fits. Under this limit
# every processor computes the same integers, and so the same embedding.
LARGEST_PAIR = 128
LARGEST_CODE = 127


@dataclass(frozen=True)
class Layer:
    """A convolution with its batch normalization, and the slopes of the PReLU behind it; float64."""

    weights: np.ndarray
    bias: np.ndarray
    slopes: np.ndarray
    stride: int
    groups: int

    @property
    def quantised(self):
        return self.weights.shape[2:] == (1, 1) and self.weights.shape[0] >= QUANTISED_FROM_CHANNELS \
            and self.weights.shape[1] >= QUANTISED_FROM_CHANNELS  # fmt: skip


class Original:
    """The published network: its weights by name, widened, and its layers in order."""

    def __init__(self, path):
        graph = onnx.load(path).graph
        self.stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self.weights = {}
        # Codes, scales and zero points of what is stored in blocks.
        self.codes = {}
        self.layers = []
        for node in graph.node:
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            if node.op_type == "DequantizeLinear":
                codes, scales, zeros = (self.stored[name] for name in node.input)
                self.codes[node.output[0]] = codes, scales, zeros
                self.weights[node.output[0]] = widened(codes, scales, zeros, **attributes)
            elif node.op_type == "Reshape":
                shape = self.stored[node.input[1]]
                self.weights[node.output[0]] = self.weights[node.input[0]].reshape(shape)
            elif node.op_type == "Conv":
                name = node.output[0].removesuffix("_conv2d")
                scale, shift = self.normalization(f"{name}_batchnorm", epsilon=1e-3)
                weights = self.weights[node.input[1]].astype(np.float64) * scale[:, None, None, None]
                slopes = self.stored[f"{name}_relu_gamma"].reshape(-1).astype(np.float64)
                self.layers.append(Layer(weights, shift, slopes, attributes["strides"][0], attributes["group"]))

    def normalization(self, name, epsilon):
        """A batch normalization as a scale and a shift for each channel."""
        gamma, beta, mean, variance = (
            self.stored[f"{name}_{part}"].astype(np.float64) for part in ("gamma", "beta", "moving_mean", "moving_var")
        )
        scale = gamma / np.sqrt(variance + epsilon)
        return scale, beta - mean * scale


def widened(codes, scales, zeros, axis, block_size):
    """The values that blocks of codes stand for: (code - zero point) * scale."""
    whole = tuple(slice(0, size) for size in codes.shape)
    scales, zeros = (np.repeat(values, block_size, axis=axis)[whole] for values in (scales, zeros))
    return (codes.astype(np.float32) - zeros.astype(np.float32)) * scales


def split_prelu(layer):
    """A layer whose output y' gives its PReLU as sign * (relu(y') + linear * y'): the layer, `linear` and `sign`.

    PReLU with slope a is a * y + (1 - a) * relu(y). With y' = |1 - a| * y, which the layer's weights take in, that is
    sign(1 - a) * relu(y') + a / |1 - a| * y'. The sign is left to whatever comes next.
    """
    share = 1 - layer.slopes
    size, sign = np.abs(share), np.sign(share)
    if not size.all():
        raise ValueError("a slope of exactly 1 is no PReLU")
    weights = layer.weights * size[:, None, None, None]
    scaled = Layer(weights, layer.bias * size, layer.slopes, layer.stride, layer.groups)
    return scaled, layer.slopes / share, sign


def quantised_rows(weights):
    """Signed 8-bit codes of a matrix, and the scale of each row, such that no two neighbors overflow (LARGEST_PAIR)."""
    largest = np.abs(weights).max(1) / LARGEST_CODE
    largest_pair = np.abs(weights[:, 0::2] + weights[:, 1::2]).max(1) / (LARGEST_PAIR - 1)
    scales = np.maximum(largest, largest_pair)
    codes = np.round(weights / scales[:, None])
    pairs = codes[:, 0::2] + codes[:, 1::2]
    if np.abs(codes).max() > LARGEST_CODE or np.abs(pairs).max() > LARGEST_PAIR:
        raise ValueError("a code or a pair of neighboring codes is too large")
    return codes.astype(np.int8), scales.astype(np.float32)


def quantised_layer(graph, x, layer, linear):
    """A 1x1 convolution and its PReLU, as a product of 8-bit matrices with the channels last."""
    codes, scales = quantised_rows(layer.weights[:, :, 0, 0])
    x = graph.node("Transpose", [x], perm=[0, 2, 3, 1])
    inputs = [
        x,
        graph.constant(codes.T, "weight"),
        graph.constant(scales, "scale", half=False),
        graph.constant(np.zeros(len(scales), np.int8), "zero_point"),
        graph.constant(layer.bias.astype(np.float32), "bias", half=False),
    ]
    y = graph.node("DynamicQuantizeMatMul", inputs, domain=RUNTIME_DOMAIN)
    relu = graph.node("Relu", [y])
    rest = graph.node("Mul", [y, graph.constant(linear.astype(np.float32), "linear", half=False)])
    x = graph.node("Add", [relu, rest])
    return graph.node("Transpose", [x], perm=[0, 3, 1, 2])


def last_layer(graph, x, original, scale_before, output):
    """The normalization of the features, the fully connected layer in its own codes, and the last normalization."""
    scale, shift = original.normalization("bn1", epsilon=2e-5)
    as_channels = [(scale * scale_before).astype(np.float32), shift.astype(np.float32)]
    scale, shift = (graph.constant(values.reshape(-1, 1, 1), "features", half=False) for values in as_channels)
    x = graph.node("Add", [graph.node("Mul", [x, scale]), shift])
    x = graph.node("Flatten", [x])
    codes, scales, zeros = original.codes["pre_fc1_weight_dequantized"]
    after, shift = original.normalization("fc1", epsilon=2e-5)
    bias = original.weights["pre_fc1_bias_dequantized"].astype(np.float64) * after + shift
    blocks = codes.shape[1] // BLOCK
    # MatMulNBits has unsigned codes: both codes and zero points move up by 128.
    codes = (codes.astype(np.int16) + 128).astype(np.uint8).reshape(EMBEDDING_SIZE, blocks, BLOCK)
    zeros = (zeros.astype(np.int16) + 128).astype(np.uint8)
    inputs = [
        x,
        graph.constant(codes, "weight"),
        graph.constant((scales * after[:, None]).astype(np.float32).reshape(-1), "scale", half=False),
        graph.constant(zeros.reshape(-1), "zero_point"),
        "",
        graph.constant(bias.astype(np.float32), "bias"),
    ]
    graph.node(
        "MatMulNBits",
        inputs,
        output=output,
        domain=RUNTIME_DOMAIN,
        K=codes.shape[1] * BLOCK,
        N=EMBEDDING_SIZE,
        bits=8,
        block_size=BLOCK,
        # Multiply in 8 bits as well, activations quantised a block at a time.
        accuracy_level=4,
    )


def convert(source, path, metadata):
    """Reads the published file and writes the pack's: RGB pixels from 0 to 255 in, 128 values out, one face a run.

    One face a run, because a layer's activations are quantised by their largest value: in a batch, one face's embedding
    would depend on who else is in it.
    """
    original = Original(Path(source))
    graph = OnnxGraph("sface")
    # The original's input is (pixel - 127.5) / 128. The mean cannot be folded into a padded convolution, the scale can.
    mean, divisor = original.stored["scalar_op1"], original.stored["scalar_op2"]
    x = graph.node("Sub", ["image", graph.constant(mean, "mean")])
    scale = np.full(3, divisor[0], np.float64)
    for layer in original.layers:
        # A depthwise convolution has a kernel for each input channel, any other one a column.
        shape = (-1, 1, 1, 1) if layer.groups > 1 else (1, -1, 1, 1)
        weights = layer.weights * scale.reshape(shape)
        layer, linear, scale = split_prelu(Layer(weights, layer.bias, layer.slopes, layer.stride, layer.groups))
        if layer.quantised:
            x = quantised_layer(graph, x, layer, linear)
            continue
        pad = layer.weights.shape[2] // 2
        y = graph.conv(x, layer.weights, layer.bias, layer.stride, [pad] * 4, layer.groups)
        x = graph.relu_and_multiple(y, linear)
    last_layer(graph, x, original, scale, "embedding")
    graph.save(
        path,
        [("image", [1, 3, INPUT_SIZE, INPUT_SIZE])],
        [("embedding", [1, EMBEDDING_SIZE])],
        metadata,
    )
