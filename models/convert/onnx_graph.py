"""A small ONNX graph builder whose output is the same bytes every time.

Names are counted, not random; nothing of the machine or the date goes into the file; and the protobuf is serialized in
deterministic mode. Large weights are stored as float16 and widened by a `Cast` that ONNX Runtime folds away when it
loads the model: half the file, the same float32 arithmetic.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
IR_VERSION = 8
# ONNX Runtime's own operators: products of 8-bit matrices.
RUNTIME_DOMAIN = "com.microsoft"
PRODUCER = "faceattend-convert"

# Below this many elements (biases, slopes, shapes) halving the storage saves nothing worth an error.
HALF_PRECISION_FROM = 256
# The largest finite float16.
HALF_PRECISION_MAX = 65504.0


class OnnxGraph:
    """Collects nodes and weights in order, then writes one model."""

    def __init__(self, name):
        self.name = name
        self._nodes = []
        self._weights = []
        self._casts = []
        self._count = 0
        self._domains = {""}

    def _next_name(self, stem):
        self._count += 1
        return f"{stem}_{self._count}"

    def constant(self, values, stem="const", half=True):
        """Stores an array and returns the name of the tensor; large float arrays are stored as float16 if `half`."""
        values = np.ascontiguousarray(values)
        name = self._next_name(stem)
        if half and values.dtype == np.float32 and values.size >= HALF_PRECISION_FROM:
            largest = float(np.abs(values).max())
            if largest > HALF_PRECISION_MAX:
                raise ValueError(f"{name}: {largest} does not fit in float16")
            stored = f"{name}_f16"
            self._weights.append(numpy_helper.from_array(values.astype(np.float16), stored))
            self._casts.append(
                helper.make_node("Cast", [stored], [name], name=f"widen_{name}", to=TensorProto.FLOAT)
            )
        else:
            self._weights.append(numpy_helper.from_array(values, name))
        return name

    def node(self, operator, inputs, output=None, domain="", **attributes):
        """Appends a node with one output and returns the name of that output."""
        name = self._next_name(operator.lower())
        output = output or name
        self._domains.add(domain)
        self._nodes.append(
            helper.make_node(operator, inputs, [output], name=name, domain=domain or None, **attributes)
        )
        return output

    def conv(self, x, weights, bias=None, stride=1, pads=(0, 0, 0, 0), groups=1):
        """A convolution; `weights` as output x input/groups x height x width, `pads` as top, left, bottom, right."""
        inputs = [x, self.constant(weights.astype(np.float32), "weight")]
        if bias is not None:
            inputs.append(self.constant(bias.astype(np.float32), "bias"))
        return self.node(
            "Conv",
            inputs,
            kernel_shape=list(weights.shape[2:]),
            strides=[stride, stride],
            pads=list(pads),
            group=groups,
        )

    def multiple(self, x, factors):
        """Each channel times its factor: a depthwise 1x1 convolution, which runs in the layout of the others."""
        return self.conv(x, np.asarray(factors).reshape(-1, 1, 1, 1), groups=len(factors))

    def relu_and_multiple(self, x, factors):
        """relu(x) + factors * x."""
        return self.node("Add", [self.multiple(x, factors), self.node("Relu", [x])])

    def prelu(self, x, slopes):
        """A PReLU with a slope for each channel, as slope * x + (1 - slope) * relu(x).

        ONNX Runtime's own PReLU is slower than the convolutions around it, and makes it leave their blocked layout.
        """
        relu = self.multiple(self.node("Relu", [x]), 1 - slopes)
        return self.node("Add", [self.multiple(x, slopes), relu])

    def save(self, path, inputs, outputs, metadata):
        """Checks the model and writes it.

        `inputs` and `outputs` are (name, shape) pairs, a string in a shape being a dynamic dimension; `metadata` is
        what travels inside the file: where the weights come from and under which licence.
        """

        def tensors(pairs):
            return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in pairs]

        graph = helper.make_graph(
            self._casts + self._nodes, self.name, tensors(inputs), tensors(outputs), self._weights
        )
        model = helper.make_model(
            graph,
            opset_imports=[
                helper.make_opsetid(domain, OPSET if domain == "" else 1) for domain in sorted(self._domains)
            ],
            producer_name=PRODUCER,
            ir_version=IR_VERSION,
        )
        helper.set_model_props(model, dict(sorted(metadata.items())))
        onnx.checker.check_model(model, full_check=True)
        Path(path).write_bytes(model.SerializeToString(deterministic=True))
