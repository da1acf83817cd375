"""The fusion rules of ONNX Runtime give the kernels that its optimiser leaves, operator by operator."""

from collections import Counter

import numpy as np
import pytest
from onnx import numpy_helper

from tests.graphs.models import info, node, number, numbers, onnx_model, weight

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from tests.graphs.onnx_runtime import listed, optimised  # noqa: E402 - it imports the runtime

IMAGE = (1, 16, 16, 16)
TOKENS = (1, 12, 32)
ROWS = (12, 32)
HEADS = (1, 4, 12, 8)
SAME = {"pads": [1, 1, 1, 1]}


def conv(read, made, weights="w", **attributes):
    return node("Conv", f"{read} {weights}", made, **SAME, **attributes)


KERNEL = weight("w", (16, 16, 3, 3))
OTHER = numpy_helper.from_array(np.full((16, 16, 3, 3), 2, np.float32), "u")
"""Other weights, because the runtime makes one convolution of two that are the same."""
OF_CHANNELS = weight("d", (16, 1, 3, 3))
MATRIX, BIAS = weight("w", (32, 32)), weight("b", (32,))
GAIN, SHIFT = weight("g", (32,)), weight("s", (32,))
TWO, SMALL, EIGHT = number("two", 2), number("eps", 1e-5), number("eight", 8)
HALF, ONE = number("half", 0.5), number("one", 1)
ZERO, SIX = number("zero", 0), number("six", 6)
PADS = numbers("pads", 0, 0, 1, 1, 0, 0, 1, 1)
MEAN = {"axes": [-1]}
NORM = [
    node("ReduceMean", "x", "m", **MEAN), node("Sub", "x m", "c"), node("Pow", "c two", "q"),
    node("ReduceMean", "q", "v", **MEAN), node("Add", "v eps", "e"), node("Sqrt", "e", "r"), node("Div", "c r", "n"),
    node("Mul", "n g", "k"), node("Add", "k s", "y"),
]  # fmt: skip
OF_INTEGERS, SCALE, EVEN = weight("wq", (32, 32), np.int8), number("scale", 0.02), number("even", 0, np.int8)
INTEGERS = [
    node("DynamicQuantizeLinear", "x", "xq xs xz"), node("MatMulInteger", "xq wq xz even", "a"),
    node("Cast", "a", "f", to=1),
]  # fmt: skip
RMS = [node("Pow", "x two", "q"), *NORM[3:6]]
GELU = [
    node("Div", "x two", "a"), node("Erf", "a", "e"), node("Add", "e one", "o"), node("Mul", "x o", "p"),
    node("Mul", "p half", "y"),
]  # fmt: skip

NETWORKS = {
    "convolution with a relu": ([conv("x", "a"), node("Relu", "a", "y")], IMAGE, [KERNEL]),
    "convolution with a relu6": ([conv("x", "a"), node("Clip", "a zero six", "y")], IMAGE, [KERNEL, ZERO, SIX]),
    "convolution with a hard sigmoid": ([conv("x", "a"), node("HardSigmoid", "a", "y")], IMAGE, [KERNEL]),
    "convolution with an elu": ([conv("x", "a"), node("Elu", "a", "y")], IMAGE, [KERNEL]),
    "convolution with a softplus": ([conv("x", "a"), node("Softplus", "a", "y")], IMAGE, [KERNEL]),
    "convolution with a swish": (
        [conv("x", "a"), node("Sigmoid", "a", "s"), node("Mul", "a s", "y")], IMAGE, [KERNEL]
    ),
    "convolution with a scale and a shift": (
        [conv("x", "a"), node("Mul", "a g", "c"), node("Add", "c s", "y")],
        IMAGE,
        [KERNEL, weight("g", (16, 1, 1)), weight("s", (16, 1, 1))],
    ),
    "convolution with a product with one number a channel": (
        [conv("x", "a"), node("Mul", "a g", "y")], IMAGE, [KERNEL, weight("g", (16, 1, 1))]
    ),
    "convolution with a product with a bare number": (
        [conv("x", "a"), node("Mul", "a g", "y")], IMAGE, [KERNEL, weight("g", ())]
    ),
    "convolution with a product with a list of one number": (
        [conv("x", "a"), node("Mul", "a g", "y")], IMAGE, [KERNEL, weight("g", (1,))]
    ),
    "convolution with a sum with one number a channel": (
        [conv("x", "a"), node("Add", "a g", "y")], IMAGE, [KERNEL, weight("g", (16, 1, 1))]
    ),
    "convolution with a sum with a bare number": (
        [conv("x", "a"), node("Add", "a g", "y")], IMAGE, [KERNEL, weight("g", ())]
    ),
    "convolution with a sum with a list of one number": (
        [conv("x", "a"), node("Add", "a g", "y")], IMAGE, [KERNEL, weight("g", (1,))]
    ),
    "sum of two convolutions": (
        [conv("x", "a"), conv("x", "c", "u"), node("Add", "a c", "d"), node("Relu", "d", "y")], IMAGE, [KERNEL, OTHER]
    ),
    "sum with a product": ([conv("x", "a"), node("Mul", "x x", "c"), node("Add", "a c", "y")], IMAGE, [KERNEL]),
    "sum with a pooling": (
        [node("MaxPool", "x", "p", kernel_shape=[3, 3], **SAME), conv("p", "a"), node("Add", "a p", "y")],
        IMAGE,
        [KERNEL],
    ),
    "sum with a sum of an input": (
        [conv("x", "a"), node("Add", "a x", "c"), conv("c", "e"), node("Add", "e c", "y")], IMAGE, [KERNEL]
    ),
    "sum with a concat": (
        [
            conv("x", "a"), conv("x", "c", "u"), node("Concat", "a c", "e", axis=1), conv("e", "f", "v"),
            node("Add", "f e", "y"),
        ],
        IMAGE,
        [KERNEL, OTHER, weight("v", (32, 32, 3, 3))],
    ),
    "depthwise convolution in a residual block": (
        [conv("x", "a"), node("Relu", "a", "r"), conv("r", "e", "d", group=16), node("Add", "e r", "y")],
        IMAGE,
        [KERNEL, OF_CHANNELS],
    ),
    "depthwise convolution and an input": (
        [conv("x", "e", "d", group=16), node("Add", "e x", "y")], IMAGE, [OF_CHANNELS]
    ),
    "padding before a convolution": ([node("Pad", "x pads", "a"), node("Conv", "a w", "y")], IMAGE, [KERNEL, PADS]),
    "padding before a maximum": (
        [node("Pad", "x pads", "a"), node("MaxPool", "a", "y", kernel_shape=[3, 3])], IMAGE, [PADS]
    ),
    "padding before a mean": (
        [node("Pad", "x pads", "a"), node("AveragePool", "a", "y", kernel_shape=[3, 3])], IMAGE, [PADS]
    ),
    "padding with ones": ([node("Pad", "x pads one", "a"), node("Conv", "a w", "y")], IMAGE, [KERNEL, PADS, ONE]),
    "normalisation between activations": (
        [node("Relu", "x", "p"), node("BatchNormalization", "p g g g g", "a"), node("Relu", "a", "y")],
        IMAGE,
        [weight("g", (16,))],
    ),
    "product with a bias": ([node("MatMul", "x w", "a"), node("Add", "a b", "y")], TOKENS, [MATRIX, BIAS]),
    "product with a bias and a relu": (
        [node("MatMul", "x w", "a"), node("Add", "a b", "c"), node("Relu", "c", "y")], TOKENS, [MATRIX, BIAS]
    ),
    "product of rows with a bias and a relu": (
        [node("MatMul", "x w", "a"), node("Add", "a b", "c"), node("Relu", "c", "y")], ROWS, [MATRIX, BIAS]
    ),
    "product with a relu": ([node("MatMul", "x w", "a"), node("Relu", "a", "y")], TOKENS, [MATRIX]),
    "product with a batch normalisation": (
        [node("MatMul", "x w", "a"), node("BatchNormalization", "a g g g g", "y")], ROWS, [MATRIX, GAIN]
    ),
    "product by a quotient": ([node("MatMul", "x w", "a"), node("Div", "a eight", "y")], TOKENS, [MATRIX, EIGHT]),
    "product of what is scaled": ([node("Mul", "x half", "a"), node("MatMul", "a w", "y")], TOKENS, [MATRIX, HALF]),
    "product of what is transposed": (
        [node("Transpose", "x", "a", perm=[0, 1, 3, 2]), node("MatMul", "x a", "y")], HEADS, []
    ),
    "product of what is transposed otherwise": (
        [node("Transpose", "x", "a", perm=[0, 2, 3, 1]), node("MatMul", "a w", "y")], HEADS, [weight("w", (4, 5))]
    ),
    "scores with a mask": (
        [
            node("Transpose", "x", "a", perm=[0, 1, 3, 2]), node("MatMul", "x a", "c"), node("Div", "c eight", "e"),
            node("Add", "e m", "f"), node("Softmax", "f", "y", axis=-1),
        ],
        HEADS,
        [EIGHT, weight("m", (12, 12))],
    ),
    "layer normalisation of nine operators": (NORM, TOKENS, [TWO, SMALL, GAIN, SHIFT]),
    "layer normalisation of a sum": (
        [node("Add", "x x2", "a"), node("LayerNormalization", "a g s", "y", axis=-1)], TOKENS, [GAIN, SHIFT]
    ),
    "layer normalisation of a sum that is read again": (
        [
            node("Add", "x x2", "a"), node("LayerNormalization", "a g s", "c", axis=-1), node("MatMul", "c w", "e"),
            node("Add", "e a", "y"),
        ],
        TOKENS,
        [GAIN, SHIFT, MATRIX],
    ),
    "normalisation by the root mean square": (
        [
            node("Pow", "x two", "q"), node("ReduceMean", "q", "v", **MEAN), node("Add", "v eps", "e"),
            node("Sqrt", "e", "r"), node("Div", "x r", "n"), node("Mul", "n g", "y"),
        ],
        TOKENS,
        [TWO, SMALL, GAIN],
    ),
    "normalisation without a gain": ([*NORM[:6], node("Div", "c r", "y")], TOKENS, [TWO, SMALL]),
    "normalisation without a shift": ([*NORM[:7], node("Mul", "n g", "y")], TOKENS, [TWO, SMALL, GAIN]),
    "normalisation without a vector for its gain": (
        [*NORM[:7], node("Mul", "n half", "k"), NORM[8]], TOKENS, [TWO, SMALL, HALF, SHIFT]
    ),
    "normalisation whose square is a product": (
        [*NORM[:2], node("Mul", "c c", "q"), *NORM[3:]], TOKENS, [SMALL, GAIN, SHIFT]
    ),
    "normalisation along another axis": (
        [
            node("ReduceMean", "x", "m", axes=[1]), *NORM[1:3], node("ReduceMean", "q", "v", axes=[1]), *NORM[4:],
        ],
        TOKENS,
        [TWO, SMALL, GAIN, SHIFT],
    ),
    "root mean square without a gain": ([*RMS, node("Div", "x r", "y")], TOKENS, [TWO, SMALL]),
    "root mean square of a cube": (
        [node("Pow", "x three", "q"), *RMS[1:], node("Div", "x r", "n"), node("Mul", "n g", "y")],
        TOKENS,
        [number("three", 3), SMALL, GAIN],
    ),
    "root mean square by a reciprocal": (
        [*RMS, node("Reciprocal", "r", "i"), node("Mul", "x i", "n"), node("Mul", "n g", "y")],
        TOKENS,
        [TWO, SMALL, GAIN],
    ),
    "GELU of a multiple": (
        [node("Mul", "x two", "a"), *GELU[1:]], TOKENS, [number("two", np.sqrt(0.5)), ONE, HALF]
    ),
    "GELU by a hyperbolic tangent": (
        [
            node("Pow", "x three", "q"), node("Mul", "q small", "a"), node("Add", "x a", "b"),
            node("Mul", "b root", "c"), node("Tanh", "c", "t"), node("Add", "t one", "o"), node("Mul", "x o", "p"),
            node("Mul", "p half", "y"),
        ],
        TOKENS,
        [number("three", 3), number("small", 0.044715), number("root", np.sqrt(2 / np.pi)), ONE, HALF],
    ),
    "softmax of three operators": (
        [node("Exp", "x", "e"), node("ReduceSum", "e last", "s"), node("Div", "e s", "y")],
        TOKENS,
        [numbers("last", -1)],
    ),
    "hard sigmoid of three operators": (
        [node("Add", "x three", "a"), node("Clip", "a zero six", "b"), node("Mul", "b sixth", "y")],
        IMAGE,
        [number("three", 3), ZERO, SIX, number("sixth", 1 / 6)],
    ),
    "batch normalisation of two operators": (
        [node("Mul", "x g", "a"), node("Add", "a s", "y")], IMAGE, [weight("g", (16, 1, 1)), weight("s", (16, 1, 1))]
    ),
    "convolution with a sum whose constant comes first": (
        [conv("x", "a"), node("Add", "g a", "y")], IMAGE, [KERNEL, weight("g", (16, 1, 1))]
    ),
    "convolution with a relu and a clip": (
        [conv("x", "a"), node("Relu", "a", "c"), node("Clip", "c zero six", "y")], IMAGE, [KERNEL, ZERO, SIX]
    ),
    "GELU of five operators": (GELU, TOKENS, [number("two", np.sqrt(2)), ONE, HALF]),
    "product by dequantised weights with a bias and a relu": (
        [
            node("DequantizeLinear", "wq scale", "w"), node("MatMul", "x w", "a"), node("Add", "a b", "c"),
            node("Relu", "c", "y"),
        ],
        ROWS,
        [OF_INTEGERS, SCALE, BIAS],
    ),
    "layer by dequantised weights with a relu": (
        [node("DequantizeLinear", "wq scale", "w"), node("Gemm", "x w b", "a"), node("Relu", "a", "y")],
        (1, 32),
        [OF_INTEGERS, SCALE, BIAS],
    ),
    "integer product with a bias and a relu": (
        [
            *INTEGERS, node("Mul", "xs scale", "k"), node("Mul", "f k", "m"), node("Add", "m b", "c"),
            node("Relu", "c", "y"),
        ],
        ROWS,
        [OF_INTEGERS, SCALE, EVEN, BIAS],
    ),
    "integer product, the scale of the weights first": (
        [*INTEGERS, node("Mul", "scale xs", "k"), node("Mul", "f k", "y")], ROWS, [OF_INTEGERS, SCALE, EVEN]
    ),
    "integer product without a scale of the weights": (
        [*INTEGERS, node("Mul", "f xs", "y")], ROWS, [OF_INTEGERS, EVEN]
    ),
    "integer product with a sum": (
        [*INTEGERS, node("Mul", "xs scale", "k"), node("Mul", "f k", "m"), node("Add", "m x2", "y")],
        ROWS,
        [OF_INTEGERS, SCALE, EVEN],
    ),
    "integer products that share their scale": (
        [
            *INTEGERS, node("Mul", "xs scale", "k"), node("Mul", "f k", "m"),
            node("MatMulInteger", "xq vq xz even", "b"),
            node("Cast", "b", "g", to=1), node("Mul", "g k", "n"), node("Add", "m n", "y"),
        ],
        ROWS,
        [OF_INTEGERS, numpy_helper.from_array(np.full((32, 32), 2, np.int8), "vq"), SCALE, EVEN],
    ),
    "sequence of tensors": (
        [
            node("Relu", "x", "a"), node("SequenceConstruct", "x a", "s"), node("SequenceInsert", "s x", "t"),
            node("ConcatFromSequence", "t", "y", axis=1),
        ],
        IMAGE,
        [],
    ),
    "mean over channels": ([node("ReduceMean", "x", "a", **MEAN), node("Sub", "x a", "y")], TOKENS, []),
}  # fmt: skip
QUOTIENTS = {
    "GELU halved within": (
        [*GELU[:3], node("Mul", "o half", "p"), node("Mul", "x p", "y")], TOKENS, [number("two", np.sqrt(2)), ONE, HALF]
    ),
    "GELU of another number": (GELU, TOKENS, [number("two", 2), ONE, HALF]),
    "swish of a quotient": (
        [node("Div", "x two", "a"), node("Sigmoid", "a", "s"), node("Mul", "x s", "y")], TOKENS, [TWO]
    ),
}  # fmt: skip


def written(nodes, shape, weights):
    inputs = [info(tensor, shape) for tensor in ("x", "x2") if any(tensor in each.input for each in nodes)]
    return onnx_model(nodes, inputs, weights=weights, opset=17)


@pytest.mark.parametrize("name", NETWORKS)
def test_kernels_are_those_that_the_optimiser_leaves(name, tmp_path):
    model = written(*NETWORKS[name])
    assert listed(model) == optimised(model, tmp_path)


@pytest.mark.parametrize("name", QUOTIENTS)
def test_a_quotient_by_another_number_is_no_activation(name, tmp_path):
    model = written(*QUOTIENTS[name])
    # A kernel list calls a quotient by a number a scale.
    running = optimised(model, tmp_path).elements()
    found = Counter("mul" if operator == "div" else operator for operator in running)
    assert listed(model) == found
    assert found.total() == len(model.graph.node)


@pytest.mark.parametrize("op", ["Sub", "Div"])
@pytest.mark.parametrize("shape", [(16, 1, 1), ()], ids=["one number a channel", "a bare number"])
def test_a_difference_or_quotient_is_not_folded_into_a_convolution(op, shape, tmp_path):
    nodes = [conv("x", "a"), node(op, "a g", "y")]
    model = onnx_model(nodes, [info("x", IMAGE)], weights=[KERNEL, weight("g", shape)], opset=17)
    # A kernel list calls them bias and scale, as it calls a sum and a product.
    assert listed(model).total() == optimised(model, tmp_path).total() == 2
