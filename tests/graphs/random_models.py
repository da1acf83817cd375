"""Random small ONNX models, and their FLOPs counted from the file alone: shapes by onnx, weights by their extents."""

import math
from collections import Counter

import numpy as np
import onnx
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper, shape_inference

OPSET = 17
PAIRED = ("Add", "Concat")


class ModelMaker:
    """Adds ONNX operators to images that are at hand; `images` tells their extents."""

    def __init__(self):
        self.nodes, self.weights = [], []
        self.images = {"image": (1, 4, 12, 10)}

    def weight(self, *shape):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ones(shape, np.float32), name))
        return name

    def add(self, op, inputs, shape, **attributes):
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=f"{op}_{len(self.nodes)}", **attributes))
        self.images[name] = shape
        return name

    def conv(self, x, cout, kernel, stride, groups, has_bias):
        n, cin, h, w = self.images[x]
        inputs = [x, self.weight(cout, cin // groups, *kernel), *([self.weight(cout)] if has_bias else [])]
        made = (n, cout, (h - 1) // stride + 1, (w - 1) // stride + 1)
        pads = [kernel[0] // 2, kernel[1] // 2] * 2
        return self.add("Conv", inputs, made, kernel_shape=kernel, strides=[stride] * 2, pads=pads, group=groups)

    def pool(self, x, op):
        n, c, h, w = self.images[x]
        return self.add(op, [x], (n, c, h // 2, w // 2), kernel_shape=[2, 2], strides=[2, 2])

    def bn(self, x):
        return self.add("BatchNormalization", [x, *(self.weight(self.images[x][1]) for _ in range(4))], self.images[x])

    def model(self, outputs):
        shown = [helper.make_tensor_value_info(name, TensorProto.FLOAT, self.images[name]) for name in outputs]
        given = [helper.make_tensor_value_info("image", TensorProto.FLOAT, self.images["image"])]
        graph = helper.make_graph(self.nodes, "random", given, shown, self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])


@st.composite
def models(draw, max_nodes=14):
    """Valid models of convolutions, poolings, additions, concatenations, activations and a dense layer."""
    maker = ModelMaker()
    for _ in range(draw(st.integers(1, max_nodes))):
        images = list(maker.images)
        x = draw(st.sampled_from(images[-3:]))
        n, c, h, w = maker.images[x]
        alike = [y for y in images if maker.images[y] == (n, c, h, w)]
        op = draw(st.sampled_from(["Conv", "Depthwise", "Relu", "BatchNormalization", "Pool", *PAIRED]))
        if op == "Conv":
            kernel = [draw(st.sampled_from([1, 3, 5])), draw(st.sampled_from([1, 3]))]
            groups = draw(st.sampled_from([g for g in (1, 2) if c % g == 0]))
            cout = groups * draw(st.integers(1, 4))
            maker.conv(x, cout, kernel, draw(st.integers(1, 2)), groups, draw(st.booleans()))
        elif op == "Depthwise":
            maker.conv(x, c, [3, 3], draw(st.integers(1, 2)), c, draw(st.booleans()))
        elif op == "Relu":
            maker.add("Relu", [x], maker.images[x])
        elif op == "BatchNormalization":
            maker.bn(x)
        elif op == "Pool" and min(h, w) >= 2:
            maker.pool(x, draw(st.sampled_from(["MaxPool", "AveragePool"])))
        elif op == "Add":
            maker.add("Add", [x, draw(st.sampled_from(alike))], (n, c, h, w))
        elif op == "Concat" and c <= 32:
            maker.add("Concat", [x, draw(st.sampled_from(alike))], (n, 2 * c, h, w), axis=1)
    read = {name for node in maker.nodes for name in node.input}
    outputs = [name for name in maker.images if name not in read and name != "image"]
    if draw(st.booleans()) and outputs:
        n, c, h, w = maker.images[outputs[0]]
        flat = maker.add("Flatten", outputs[:1], (n, c * h * w))
        outputs[0] = maker.add("Gemm", [flat, maker.weight(c * h * w, 7), maker.weight(7)], (n, 7))
    return maker.model(outputs or [maker.add("Relu", ["image"], maker.images["image"])])


def independent_flops(model):
    """FLOPs under the rules of tflite-cpu, from what onnx says of the file, without a graph or a kernel type."""
    inferred = shape_inference.infer_shapes(model, strict_mode=True).graph
    values = (*inferred.input, *inferred.value_info, *inferred.output)
    shapes = {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in values}
    shapes |= {weight.name: list(weight.dims) for weight in inferred.initializer}
    n_readers = Counter(name for node in inferred.node for name in node.input)
    n_readers.update(value.name for value in inferred.output)
    makers = {name: node for node in inferred.node for name in node.output}

    def host(tensor):
        """Operator that an activation, or a normalisation, behind a tensor is folded into."""
        node = makers.get(tensor)
        if node is None or n_readers[tensor] != 1:
            return None
        if node.op_type == "BatchNormalization":
            return "Conv" if host(node.input[0]) == "Conv" else None
        return node.op_type if node.op_type in ("Conv", "MaxPool", "AveragePool", "Gemm") else None

    total = 0
    for node in inferred.node:
        made = math.prod(shapes[node.output[0]])
        if node.op_type in ("Conv", "Gemm"):
            weight = shapes[node.input[1]]
            total += 2 * made * (math.prod(weight[1:]) if node.op_type == "Conv" else weight[0])
        elif node.op_type in ("MaxPool", "AveragePool"):
            total += 4 * made
        elif node.op_type == "Relu":
            total += 0 if host(node.input[0]) else made
        elif node.op_type == "BatchNormalization":
            total += 0 if host(node.input[0]) == "Conv" else 2 * made
        elif node.op_type == "Add":
            total += made
    return total


def parse(data):
    """Model of bytes, as a file is read."""
    return onnx.load_model_from_string(data)
