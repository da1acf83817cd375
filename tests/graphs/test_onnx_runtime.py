"""The fusion rules of ONNX Runtime give the kernels that its optimiser leaves, operator by operator."""

from collections import Counter

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

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


def pool(read, made="y"):
    return node("MaxPool", read, made, kernel_shape=[3, 3], **SAME)


def cut(read, made, begin, end, axis="axis"):
    return node("Slice", f"{read} {begin} {end} {axis}", made)


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
SIXTH = {"alpha": 1 / 6, "beta": 0.5}
PLACES = [numbers("zero", 0), numbers("some", 4), numbers("half", 8), numbers("end", 99), numbers("axis", 1),
          numbers("two", 2)]  # fmt: skip
"""Places along an axis of 16."""
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
    "convolution with a hard swish": ([conv("x", "a"), node("HardSwish", "a", "c"), pool("c")], IMAGE, [KERNEL]),
    "convolution with a hard swish of two operators": (
        [conv("x", "a"), node("HardSigmoid", "a", "c", **SIXTH), node("Mul", "a c", "e"), pool("e")], IMAGE, [KERNEL]
    ),
    "convolution with a hard swish of another slope": (
        [conv("x", "a"), node("HardSigmoid", "a", "c"), node("Mul", "a c", "e"), pool("e")], IMAGE, [KERNEL]
    ),
    "convolution of small groups with a hard swish": (
        [conv("x", "a", group=4), node("HardSwish", "a", "c"), pool("c")], IMAGE, [weight("w", (16, 4, 3, 3))]
    ),
    "sum with a pooling and a hard swish": (
        [pool("x", "p"), conv("p", "a"), node("Add", "a p", "c"), node("HardSwish", "c", "e"), pool("e")],
        IMAGE,
        [KERNEL],
    ),
    "hard swish of an input": ([node("HardSwish", "x", "c"), pool("c")], IMAGE, []),
    "sum of convolutions of small groups": (
        [conv("x", "a"), conv("a", "c", "u", group=4), node("Add", "c a", "y")], IMAGE,
        [KERNEL, weight("u", (16, 4, 3, 3))],
    ),
    "sum of convolutions of a channel each": (
        [conv("x", "a"), conv("a", "c", "u", group=16), node("Add", "c a", "y")], IMAGE,
        [KERNEL, weight("u", (16, 1, 3, 3))],
    ),
    "sum with a clip of a pooling": (
        [pool("x", "p"), node("Clip", "p zero six", "c"), conv("c", "a"), node("Add", "a c", "y")],
        IMAGE,
        [KERNEL, ZERO, SIX],
    ),
    "sum with a clip of a convolution": (
        [conv("x", "p"), node("Clip", "p zero six", "c"), conv("c", "a", "u"), node("Add", "a c", "y")],
        IMAGE,
        [KERNEL, OTHER, ZERO, SIX],
    ),
    "normalisation of a pooling, with a relu": (
        [pool("x", "p"), node("BatchNormalization", "p g g g g", "a"), node("Relu", "a", "y")], IMAGE,
        [weight("g", (16,))],
    ),
    "normalisation of a pooling, with a sum and a relu": (
        [pool("x", "p"), node("BatchNormalization", "p g g g g", "a"), node("Add", "a p", "c"), node("Relu", "c", "y")],
        IMAGE,
        [weight("g", (16,))],
    ),
    "product of a pooling with one number a channel, and a sigmoid": (
        [pool("x", "p"), node("Mul", "p g", "a"), node("Sigmoid", "a", "y")], IMAGE, [full("g", (16, 1, 1), 2)]
    ),
    "product of a pooling with one number, and a sigmoid": (
        [pool("x", "p"), node("Mul", "p g", "a"), node("Sigmoid", "a", "y")], IMAGE, [number("g", 2)]
    ),
    "sum of a pooling and one number a channel, and a relu": (
        [pool("x", "p"), node("Add", "p g", "a"), node("Relu", "a", "y")], IMAGE, [weight("g", (16, 1, 1))]
    ),
    "slices that take all": (
        [node("Relu", "x", "a"), cut("a", "c", "zero", "half"), cut("a", "e", "half", "end"), node("Sub", "c e", "y")],
        IMAGE,
        PLACES,
    ),
    "slices that leave some": (
        [node("Relu", "x", "a"), cut("a", "c", "zero", "half"), cut("a", "e", "some", "half"), node("Exp", "c", "y"),
         node("Exp", "e", "z")],
        IMAGE,
        PLACES,
    ),
    "slices that take some twice": (
        [node("Relu", "x", "a"), cut("a", "c", "zero", "half"), cut("a", "e", "some", "end"), node("Exp", "c", "y"),
         node("Exp", "e", "z")],
        IMAGE,
        PLACES,
    ),
    "slices along two axes": (
        [node("Relu", "x", "a"), cut("a", "c", "zero", "half"), cut("a", "e", "half", "end", "two"),
         node("Exp", "c", "y"), node("Exp", "e", "z")],
        IMAGE,
        PLACES,
    ),
    "rows that are all": (
        [node("Relu", "x", "a"), node("Gather", "a first", "c", axis=1), node("Gather", "a last", "e", axis=1),
         node("Sub", "c e", "y")],
        (1, 2, 6, 5),
        [number("first", 0, np.int64), number("last", -1, np.int64)],
    ),
    "rows and another reader": (
        [node("Relu", "x", "a"), node("Gather", "a first", "c", axis=1), node("Gather", "a last", "e", axis=1),
         node("Sub", "c e", "d"), node("Exp", "a", "y"), node("Exp", "d", "z")],
        (1, 2, 6, 5),
        [number("first", 0, np.int64), number("last", -1, np.int64)],
    ),
    "the same computed twice": (
        [node("Exp", "x", "a"), node("Exp", "x", "c"), node("Softmax", "a", "e", axis=1),
         node("Softmax", "c", "f", axis=1), node("Sub", "e f", "y")],
        IMAGE,
        [],
    ),
    "nearly the same computed twice": (
        [node("Softmax", "x", "e", axis=1), node("Softmax", "x", "f", axis=2), node("Sub", "e f", "y")], IMAGE, []
    ),
    "products with equal numbers": (
        [node("Mul", "x g", "a"), node("Mul", "x h", "c"), node("Sub", "a c", "y")], IMAGE,
        [number("g", 3), number("h", 3)],
    ),
    "products with different numbers": (
        [node("Mul", "x g", "a"), node("Mul", "x h", "c"), node("Sub", "a c", "y")], IMAGE,
        [number("g", 3), number("h", 4)],
    ),
    "operators that change nothing": (
        [
            node("Relu", "x", "a"), node("Cast", "a", "b", to=1), node("Mul", "one b", "c"), node("Sub", "c zero", "d"),
            node("Expand", "d shape", "e"), node("Slice", "e begin last", "f"), node("Div", "one f", "y"),
        ],
        IMAGE,
        [ONE, ZERO, numbers("shape", 1, 16, 1, 1), numbers("begin", 0, 0), numbers("last", *[2**63 - 1] * 2)],
    ),
    "slice to a stated end": (
        [node("Relu", "x", "a"), node("Slice", "a begin last", "c"), node("Exp", "c", "y")],
        IMAGE,
        [numbers("begin", 0), numbers("last", 1)],
    ),
    "gate with a factor": (
        [node("Mul", "x half", "a"), node("Sigmoid", "a", "c"), node("Mul", "x c", "y")], TOKENS, [HALF]
    ),
    "gate with a factor for each feature": (
        [node("Mul", "x g", "a"), node("Sigmoid", "a", "c"), node("Mul", "x c", "y")], TOKENS, [full("g", (32,), 2)]
    ),
    "product with a row": (
        [node("MatMul", "x w", "a"), node("Add", "a r", "y")], TOKENS, [MATRIX, weight("r", (1, 32))]
    ),
    "product of rows with a row": (
        [node("MatMul", "x w", "a"), node("Add", "a r", "y")], ROWS, [MATRIX, weight("r", (1, 32))]
    ),
    "product of rows with a number": (
        [node("MatMul", "x w", "a"), node("Add", "a one", "y")], ROWS, [MATRIX, ONE]
    ),
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
    taken = [info(name, None) for name in sorted({"y", "z"} & {name for each in nodes for name in each.output})]
    return onnx_model(nodes, inputs, taken, weights, opset=17)


@pytest.mark.parametrize("name", NETWORKS)
def test_kernels_are_those_that_the_optimiser_leaves(name):
    model = written(*NETWORKS[name])
    assert listed(model) == optimised(model, zeros_for(model))


@pytest.mark.parametrize("name", QUOTIENTS)
def test_a_quotient_by_another_number_is_no_activation(name):
    model = written(*QUOTIENTS[name])
    # A kernel list calls a quotient by a number a scale.
    running = optimised(model, zeros_for(model)).elements()
    found = Counter("mul" if operator == "div" else operator for operator in running)
    assert listed(model) == found
    assert found.total() == len(model.graph.node)


@pytest.mark.parametrize("op", ["Sub", "Div"])
@pytest.mark.parametrize("shape", [(16, 1, 1), ()], ids=["one number a channel", "a bare number"])
def test_a_difference_or_quotient_is_not_folded_into_a_convolution(op, shape):
    nodes = [conv("x", "a"), node(op, "a g", "y")]
    model = onnx_model(nodes, [info("x", IMAGE)], weights=[KERNEL, full("g", shape, 2)], opset=17)
    # A kernel list calls them bias and scale, as it calls a sum and a product.
    assert listed(model).total() == optimised(model, zeros_for(model)).total() == 2


def test_rows_that_a_branch_reads_of_what_is_around_it_are_no_split():
    rows = [node("Gather", "a first", "c"), node("Gather", "a last", "e"), node("Sub", "c e", "y")]
    body = helper.make_graph(rows, "body", [], [info("y", (6, 5))])
    other = helper.make_graph([node("Exp", "b", "z")], "other", [], [info("z", (6, 5))])
    branch = node("If", "p", "r", then_branch=body, else_branch=other)
    model = onnx_model(
        [node("Exp", "x", "a"), node("ReduceMean", "x", "b", axes=[0], keepdims=0), branch],
        [info("x", (2, 6, 5)), info("p", (), TensorProto.BOOL)],
        [info("r", (6, 5))],
        [number("first", 0, np.int64), number("last", 1, np.int64)],
        opset=17,
    )
    feed = {**zeros_for(model), "p": np.array(True)}
    assert listed(model) == optimised(model, feed)
