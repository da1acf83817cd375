"""The fusion rules of ONNX Runtime give the kernels that its optimiser leaves, operator by operator."""

import numpy as np
import pytest
from onnx import numpy_helper

from tests.graphs.models import info, node, number, numbers, onnx_model, weight

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from tests.graphs.onnx_runtime import listed, optimised, zeros_for  # noqa: E402 - it imports the runtime

IMAGE = (1, 16, 16, 16)
TOKENS = (1, 12, 32)
ROWS = (12, 32)
HEADS = (1, 4, 12, 8)
SAME = {"pads": [1, 1, 1, 1]}


def conv(read, made, weights="w", **attributes):
    return node("Conv", f"{read} {weights}", made, **SAME, **attributes)


def full(name, shape, value):
    return numpy_helper.from_array(np.full(shape, value, np.float32), name)


KERNEL = weight("w", (16, 16, 3, 3))
OTHER = full("u", (16, 16, 3, 3), 2)
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
        [conv("x", "a"), node("Mul", "a g", "y")], IMAGE, [KERNEL, number("g", 2)]
    ),
    "convolution with a product with a list of one number": (
        [conv("x", "a"), node("Mul", "a g", "y")], IMAGE, [KERNEL, numbers("g", 2, kind=np.float32)]
    ),
    "convolution with a sum with one number a channel": (
        [conv("x", "a"), node("Add", "a g", "y")], IMAGE, [KERNEL, weight("g", (16, 1, 1))]
    ),
    "convolution with a sum with a bare number": (
        [conv("x", "a"), node("Add", "a g", "y")], IMAGE, [KERNEL, weight("g", ())]
    ),
    "convolution with a sum with a list of one number": (
        [conv("x", "a"), node("Add", "a g", "y")], IMAGE, [KERNEL, numbers("g", 2, kind=np.float32)]
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
    "GELU of five operators": (GELU, TOKENS, [number("two", np.sqrt(2)), ONE, HALF]),
    "mean over channels": ([node("ReduceMean", "x", "a", **MEAN), node("Sub", "x a", "y")], TOKENS, []),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_kernels_are_those_that_the_optimiser_leaves(name):
    nodes, shape, weights = NETWORKS[name]
    inputs = [info(tensor, shape) for tensor in ("x", "x2") if any(tensor in each.input for each in nodes)]
    model = onnx_model(nodes, inputs, weights=weights, opset=17)
    assert listed(model) == optimised(model, zeros_for(model))


@pytest.mark.parametrize("op", ["Sub", "Div"])
@pytest.mark.parametrize("shape", [(16, 1, 1), ()], ids=["one number a channel", "a bare number"])
def test_a_difference_or_quotient_is_not_folded_into_a_convolution(op, shape):
    nodes = [conv("x", "a"), node(op, "a g", "y")]
    model = onnx_model(nodes, [info("x", IMAGE)], weights=[KERNEL, full("g", shape, 2)], opset=17)
    # A kernel list calls them bias and scale, as it calls a sum and a product.
    assert listed(model).total() == optimised(model, zeros_for(model)).total() == 2
