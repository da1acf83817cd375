"""Small networks with weights as ONNX files: stacks of convolutions that end in a classifier."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MEASURED = {"wide": (32, (16, 24, 48)), "deep": (24, (8, 16, 16, 32, 32)), "narrow": (48, (8, 8, 16))}
"""Networks that kernels are planned for: extent of the image, and channels of each convolution."""
UNSEEN = {"first": (32, (12, 24, 32)), "second": (40, (16, 16, 32, 32)), "third": (28, (8, 24, 40))}
"""Networks that are predicted, and measured afterwards."""
N_CLASSES = 10


def convolutions(extent, channels, seed=0):
    """Network of 3 x 3 convolutions with ReLU, of which every second one has stride 2; pooling, and a classifier.

    Args:
        extent: height and width of the image, of 3 channels.
        channels: output channels of each convolution.
        seed: seed of the weights.
    """
    draw, nodes, weights = np.random.default_rng(seed), [], []
    width, last = 3, "image"

    def weight(name, *shape):
        values = draw.normal(0, 0.1, shape).astype(np.float32)
        weights.append(numpy_helper.from_array(values, name))
        return name

    for number, made in enumerate(channels):
        stride = 1 + number % 2
        operands = [last, weight(f"w{number}", made, width, 3, 3), weight(f"b{number}", made)]
        nodes.append(
            helper.make_node("Conv", operands, [f"c{number}"], strides=[stride] * 2, pads=[1] * 4, kernel_shape=[3, 3])
        )
        nodes.append(helper.make_node("Relu", [f"c{number}"], [f"r{number}"]))
        width, last = made, f"r{number}"
    nodes.append(helper.make_node("GlobalAveragePool", [last], ["pooled"]))
    nodes.append(helper.make_node("Flatten", ["pooled"], ["flat"]))
    operands = ["flat", weight("wf", width, N_CLASSES), weight("bf", N_CLASSES)]
    nodes.append(helper.make_node("Gemm", operands, ["logits"]))
    shapes = {"image": [1, 3, extent, extent], "logits": [1, N_CLASSES]}
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    graph = helper.make_graph(nodes, "network", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def write(folder, networks):
    """Write networks as `NAME.onnx`; their paths by name."""
    paths = {}
    for name, (extent, channels) in networks.items():
        paths[name] = folder / f"{name}.onnx"
        onnx.save(convolutions(extent, channels), paths[name])
    return paths
