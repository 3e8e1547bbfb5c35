"""Translates a TensorFlow.js graph model (a feed-forward convolutional network) into ONNX.

TensorFlow.js keeps images as batch x height x width x channels; the ONNX side is batch x channels x height x width
throughout, and only the heads are transposed back, so that their rows come out in the order of the original.
"""

import base64
import json
from pathlib import Path

import numpy as np

from weights import read_weights


class TfjsModel:
    """The nodes and the weights of a `model.json`."""

    def __init__(self, path):
        path = Path(path)
        description = json.loads(path.read_text())
        self.nodes = {node["name"]: node for node in description["modelTopology"]["node"]}
        self.weights = read_weights(description["weightsManifest"], path.parent)


def _attribute(node, name, default=None):
    """The value of one attribute as plain Python: a list of integers or of strings, a string or a flag."""
    value = node.get("attr", {}).get(name)
    if value is None:
        return default
    if "s" in value:
        return base64.b64decode(value["s"]).decode()
    if "list" in value:
        if "i" in value["list"]:
            return [int(number) for number in value["list"]["i"]]
        return [base64.b64decode(text).decode() for text in value["list"].get("s", [])]
    raise ValueError(f"{node['name']}: attribute {name} has a type that these models never use: {value}")


class Translator:
    """Translates what the wanted outputs need, and nothing else.

    `multiple` is what the height and width of the input are promised to be a multiple of. It is followed through the
    network, because the padding TensorFlow calls SAME is a constant only where the size divides by the stride.
    """

    def __init__(self, model, graph, input_name, multiple):
        self._model = model
        self._graph = graph
        self._input_name = input_name
        self._multiple_of_input = multiple
        # Original node name -> (ONNX tensor, what its height and width are a multiple of).
        self._done = {}

    def output(self, original_name, name):
        """Translates up to the original's output and gives it the new name."""
        node = self._model.nodes[original_name]
        while node["op"] == "Identity":
            node = self._model.nodes[_plain(node["input"][0])]
        if node["op"] != "Reshape":
            raise ValueError(f"{original_name}: a head ends in a Reshape, not in {node['op']}")
        self._head(node, name)

    def _head(self, node, name):
        """Rows in the original's order, their number left open: -1 takes whatever the input size gives."""
        source, shape = (_plain(text) for text in node["input"])
        shape = [int(size) for size in self._model.weights[shape]]
        columns = shape[-1]
        shape = {2: [-1, columns], 3: [1, -1, columns]}[len(shape)]
        x, _ = self._tensor(source)
        x = self._graph.node("Transpose", [x], perm=[0, 2, 3, 1])
        self._graph.node("Reshape", [x, self._graph.constant(np.array(shape, np.int64), "shape")], output=name)

    def _tensor(self, name):
        if name not in self._done:
            # Depth first without recursion: these graphs are deeper than Python likes to call.
            waiting = [name]
            while waiting:
                current = waiting[-1]
                missing = [i for i in self._inputs(current) if i not in self._done]
                if missing:
                    waiting.extend(missing)
                else:
                    waiting.pop()
                    if current not in self._done:
                        self._done[current] = self._translate(self._model.nodes[current])
        return self._done[name]

    def _inputs(self, name):
        """The inputs that are computed, in other words not weights."""
        inputs = (_plain(text) for text in self._model.nodes[name].get("input", []))
        return [text for text in inputs if text not in self._model.weights]

    def _translate(self, node):
        operator = node["op"]
        if operator == "Placeholder":
            return self._input_name, self._multiple_of_input
        inputs = [_plain(text) for text in node["input"]]
        x, multiple = self._done[inputs[0]]
        if operator in ("_FusedConv2D", "DepthwiseConv2dNative"):
            return self._convolution(node, x, multiple, inputs)
        if operator == "MaxPool":
            size, stride = self._square(node, "ksize"), self._square(node, "strides")
            pads, multiple = self._pads(node, size, stride, multiple)
            return (
                self._graph.node("MaxPool", [x], kernel_shape=[size] * 2, strides=[stride] * 2, pads=pads),
                multiple,
            )
        if operator == "Pad":
            # batch, height, width, channels -> batch, channels, height, width; all the befores, then all the afters.
            pads = self._model.weights[inputs[1]].astype(np.int64)[[0, 3, 1, 2]].T.reshape(-1)
            if pads[[2, 3, 6, 7]].any():
                raise ValueError(f"{node['name']}: pads the image; these models pad channels only")
            return self._graph.node("Pad", [x, self._graph.constant(pads, "pads")]), multiple
        if operator == "AddV2":
            return self._graph.node("Add", [x, self._done[inputs[1]][0]]), multiple
        if operator == "Prelu":
            return self._prelu(x, self._model.weights[inputs[1]]), multiple
        if operator in ("Relu", "Sigmoid"):
            return self._graph.node(operator, [x]), multiple
        raise ValueError(f"{node['name']}: no translation for {operator}")

    def _convolution(self, node, x, multiple, inputs):
        weights = self._model.weights[inputs[1]]
        height, width, in_channels, last = weights.shape
        if _attribute(node, "dilations", [1] * 4) != [1] * 4 or height != width:
            raise ValueError(f"{node['name']}: these models have square kernels without dilation")
        if node["op"] == "DepthwiseConv2dNative":
            # height, width, channel, multiplier: one small kernel for each channel.
            groups = in_channels
            weights = weights.transpose(2, 3, 0, 1).reshape(in_channels * last, 1, height, width)
        else:
            groups = 1
            weights = weights.transpose(3, 2, 0, 1)
        stride = self._square(node, "strides")
        pads, multiple = self._pads(node, height, stride, multiple)
        fused = _attribute(node, "fused_ops", [])
        extras = dict(zip((step for step in fused if step in ("BiasAdd", "Prelu")), inputs[2:]))
        bias = self._model.weights[extras["BiasAdd"]] if "BiasAdd" in extras else None
        x = self._graph.conv(x, weights, bias, stride, pads, groups)
        for step in fused:
            if step == "Relu":
                x = self._graph.node("Relu", [x])
            elif step == "Prelu":
                x = self._prelu(x, self._model.weights[extras["Prelu"]])
            elif step != "BiasAdd":
                raise ValueError(f"{node['name']}: no translation for the fused {step}")
        return x, multiple

    def _prelu(self, x, slopes):
        if slopes.size != slopes.shape[-1]:
            raise ValueError("a PReLU has one slope for each channel")
        return self._graph.prelu(x, slopes.reshape(-1).astype(np.float32))

    @staticmethod
    def _square(node, name):
        _, height, width, _ = _attribute(node, name)
        if height != width:
            raise ValueError(f"{node['name']}: {name} differs between height and width")
        return height

    @staticmethod
    def _pads(node, kernel, stride, multiple):
        """The pads, and what the result's size is a multiple of.

        SAME pads so that the result has size / stride rows. When size divides by the stride that is kernel - stride
        in all (nothing when the kernel is smaller), the odd one after; else it would depend on the size.
        """
        if multiple % stride:
            raise ValueError(f"{node['name']}: a size that is a multiple of {multiple} need not divide by {stride}")
        if _attribute(node, "padding") == "SAME":
            total = max(kernel - stride, 0)
            before = total // 2
            return [before, before, total - before, total - before], multiple // stride
        if kernel != stride and kernel != 1:
            raise ValueError(f"{node['name']}: a VALID window of {kernel} with stride {stride} loses the edge")
        return [0, 0, 0, 0], multiple // stride


def _plain(reference):
    """`name:0` and `name` are the same tensor."""
    return reference.split(":")[0]
