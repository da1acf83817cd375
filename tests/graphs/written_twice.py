"""Networks that are each written in several ways, with drawn extents: strategies of models by the way of writing."""

import numpy as np
import onnx
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from tests.graphs.models import info, node, number, numbers, onnx_model, weight

Ways = dict[str, onnx.ModelProto]
MICROSOFT = "com.microsoft"
TRUTH = TensorProto.BOOL
ZERO, SIX, THREE = number("zero", 0), number("six", 6), number("three", 3)
SIXTH, HALF, ONE, TWO = number("sixth", 1 / 6), number("half", 0.5), number("one", 1), number("two", 2)
ROOT, ROOT_OF_HALF = number("root", np.sqrt(2)), number("root-of-half", np.sqrt(0.5))
SMALL = number("small", 1e-5)
CLAMPS = {"": [], "relu": [node("Relu", "c", "y")], "relu6": [node("Clip", "c zero six", "y")]}
"""What a layer that makes `c` ends with, its output being `y` then."""


def after(nodes, clamp):
    """A layer whose last operator makes `c`, with an activation after it or none."""
    return [*nodes, *(CLAMPS[clamp] or [node("Identity", "c", "y")])]


def planes(least=3):
    """Channels, height and width."""
    return st.tuples(st.integers(1, 9), st.integers(least, 11), st.integers(least, 11))


def image(plane, name="x"):
    return info(name, (1, *plane))


def float16(name, *shape):
    return numpy_helper.from_array(np.ones(shape, np.float16), name)


@st.composite
def fully_connected_layers(draw):
    rows, cin, cout = (draw(st.integers(1, most)) for most in (6, 40, 40))
    clamp = draw(st.sampled_from(sorted(CLAMPS)))
    matrix, turned, bias = weight("w", (cin, cout)), weight("t", (cout, cin)), weight("b", (cout,))
    ways = {
        "Gemm": ([node("Gemm", "x w b", "c")], [matrix, bias]),
        "Gemm by columns": ([node("Gemm", "x t b", "c", transB=1)], [turned, bias]),
        "MatMul and Add": ([node("MatMul", "x w", "a"), node("Add", "a b", "c")], [matrix, bias]),
        "MatMul, and Add of the bias first": ([node("MatMul", "x w", "a"), node("Add", "b a", "c")], [matrix, bias]),
        "MatMul by transposed weights": (
            [node("Transpose", "t", "w", perm=[1, 0]), node("MatMul", "x w", "a"), node("Add", "a b", "c")],
            [turned, bias],
        ),
        "Gemm of a transposed input": (
            [node("Reshape", "x turned", "r"), node("Gemm", "r w b", "c", transA=1)],
            [matrix, bias, numbers("turned", cin, rows)],
        ),
    }
    if rows > 1:
        del ways["Gemm of a transposed input"]  # Columns are no rows under another shape.
    return {
        way: onnx_model(after(nodes, clamp), [info("x", (rows, cin))], weights=[*weights, ZERO, SIX])
        for way, (nodes, weights) in ways.items()
    }


@st.composite
def layers_of_tokens(draw):
    tokens, cin, cout = (draw(st.integers(2, 12)) for _ in range(3))
    weights = [weight("w", (cin, cout)), weight("b", (cout,))]
    ways = {
        "MatMul and Add": [node("MatMul", "x w", "a"), node("Add", "a b", "y")],
        "Gemm of rows": [
            node("Reshape", "x flat", "r"), node("Gemm", "r w b", "a"), node("Reshape", "a whole", "y"),
        ],
        "Squeeze and Gemm": [
            node("Squeeze", "x axis", "r"), node("Gemm", "r w b", "a"), node("Unsqueeze", "a axis", "y"),
        ],
    }  # fmt: skip
    shapes = [numbers("flat", -1, cin), numbers("whole", 1, tokens, cout), numbers("axis", 0)]
    return {
        way: onnx_model(nodes, [info("x", (1, tokens, cin))], weights=[*weights, *shapes])
        for way, nodes in ways.items()
    }


@st.composite
def normalised_convolutions(draw):
    """Convolutions, grouped ones and depthwise ones, with what converters fold into them."""
    cin, height, width = draw(planes())
    groups = draw(st.sampled_from([1, cin]))
    cout = groups * draw(st.integers(1, 3))
    stride, clamp = draw(st.integers(1, 2)), draw(st.sampled_from(sorted(CLAMPS)))
    weights = [weight("w", (cout, cin // groups, 3, 3)), weight("b", (cout,)), weight("s", (cout,))]
    weights += [weight("v", (cout, 1, 1)), weight("u", (1, cout, 1, 1)), ZERO, SIX]
    settings = {"pads": [1, 1, 1, 1], "strides": [stride, stride], "group": groups}
    with_bias, without = node("Conv", "x w b", "a", **settings), node("Conv", "x w", "a", **settings)
    ways = {
        "bias": [node("Conv", "x w b", "c", **settings)],
        "batch normalisation": [without, node("BatchNormalization", "a s s s s", "c")],
        "bias and batch normalisation": [with_bias, node("BatchNormalization", "a s s s s", "c")],
        "addition": [without, node("Add", "a v", "c")],
        "product and addition": [without, node("Mul", "a v", "d"), node("Add", "d u", "c")],
        "bias, product and addition": [with_bias, node("Mul", "a u", "d"), node("Add", "d v", "c")],
    }
    return {
        way: onnx_model(after(nodes, clamp), [image((cin, height, width))], weights=weights)
        for way, nodes in ways.items()
    }


@st.composite
def padded_convolutions(draw):
    """Padding to "same", which depends on which side the odd row goes to, and none."""
    cin, height, width = draw(planes())
    kernel, stride = draw(st.sampled_from([1, 2, 3])), draw(st.integers(1, 3))
    weights = [weight("w", (4, cin, kernel, kernel))]
    settings = {"strides": [stride, stride]}
    lacking = [max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in (height, width)]
    halves = [(n // 2, n - n // 2) for n in lacking]
    upper = [half[end] for end in (0, 1) for half in halves]
    lower = [half[end] for end in (1, 0) for half in halves]
    ways = {
        "SAME_UPPER": node("Conv", "x w", "y", auto_pad="SAME_UPPER", **settings),
        "SAME_LOWER": node("Conv", "x w", "y", auto_pad="SAME_LOWER", **settings),
        "pads at the end": node("Conv", "x w", "y", pads=upper, **settings),
        "pads at the beginning": node("Conv", "x w", "y", pads=lower, **settings),
        "stated window": node("Conv", "x w", "y", pads=upper, kernel_shape=[kernel, kernel], **settings),
    }
    return {way: onnx_model([each], [image((cin, height, width))], weights=weights) for way, each in ways.items()}


@st.composite
def clamps(draw):
    plane = draw(planes())
    limits = [ZERO, SIX]
    constants = [node("Constant", "", name, value_float=value) for name, value in (("zero", 0.0), ("six", 6.0))]
    below = node("Clip", "x", "y", min=0.0, max=6.0)
    return {
        "limits as weights": onnx_model([node("Clip", "x zero six", "y")], [image(plane)], weights=limits),
        "limits as operators": onnx_model([*constants, node("Clip", "x zero six", "y")], [image(plane)]),
        "limits as attributes": onnx_model([below], [image(plane)], opset=6),
        "limits that are computed": onnx_model(
            [node("Mul", "three two", "six"), node("Sub", "two two", "zero"), node("Clip", "x zero six", "y")],
            [image(plane)],
            weights=[THREE, TWO],
        ),
    }


@st.composite
def activations_without_upper_limit(draw):
    plane = draw(planes())
    largest = number("largest", np.finfo(np.float32).max)
    return {
        "Relu": onnx_model([node("Relu", "x", "y")], [image(plane)]),
        "Clip without upper limit": onnx_model([node("Clip", "x zero", "y")], [image(plane)], weights=[ZERO]),
        "Clip with the largest number": onnx_model(
            [node("Clip", "x zero largest", "y")], [image(plane)], weights=[ZERO, largest]
        ),
    }


@st.composite
def hard_swishes(draw):
    plane = draw(planes())
    cut = [node("Add", "x three", "a"), node("Clip", "a zero six", "b")]
    gate = node("HardSigmoid", "x", "s", alpha=1 / 6, beta=0.5)
    ways = {
        "HardSwish": [node("HardSwish", "x", "y")],
        "HardSigmoid and Mul": [gate, node("Mul", "x s", "y")],
        "Mul and HardSigmoid": [gate, node("Mul", "s x", "y")],
        "divided in the end": [*cut, node("Mul", "x b", "c"), node("Div", "c six", "y")],
        "divided before the product": [*cut, node("Div", "b six", "c"), node("Mul", "x c", "y")],
        "times a sixth": [*cut, node("Mul", "b sixth", "c"), node("Mul", "c x", "y")],
    }
    numbers_ = [THREE, ZERO, SIX, SIXTH]
    return {way: onnx_model(nodes, [image(plane)], weights=numbers_, opset=14) for way, nodes in ways.items()}


@st.composite
def means_of_planes(draw):
    plane = draw(planes())
    ways = {
        "GlobalAveragePool": [node("GlobalAveragePool", "x", "y")],
        "ReduceMean": [node("ReduceMean", "x", "y", axes=[2, 3])],
        "ReduceMean from the end": [node("ReduceMean", "x", "y", axes=[-1, -2])],
        "AveragePool": [node("AveragePool", "x", "y", kernel_shape=plane[1:])],
    }
    models = {way: onnx_model(nodes, [image(plane)], opset=13) for way, nodes in ways.items()}
    later = [node("ReduceMean", "x axes", "y")]
    return models | {"ReduceMean of opset 18": onnx_model(later, [image(plane)], weights=[numbers("axes", 2, 3)])}


@st.composite
def convolutions_of_sequences(draw):
    cin, length, kernel = draw(st.integers(1, 8)), draw(st.integers(5, 20)), draw(st.integers(1, 5))
    groups = draw(st.sampled_from([1, cin]))
    row = [node("Unsqueeze", "x axis", "u"), node("Conv", "u p", "c", group=groups), node("Squeeze", "c axis", "y")]
    weights = [weight("w", (cin, cin // groups, kernel)), weight("p", (cin, cin // groups, 1, kernel))]
    ways = {"one dimension": [node("Conv", "x w", "y", group=groups)], "a plane of height 1": row}
    return {
        way: onnx_model(nodes, [info("x", (1, cin, length))], weights=[*weights, numbers("axis", 2)])
        for way, nodes in ways.items()
    }


BLOCK = [node("Conv", "x w b", "a", pads=[1, 1, 1, 1]), node("Relu", "a", "c"), node("Add", "c x", "y")]
"""A residual block of as many channels as it reads."""


def block_weights(n):
    return weight("w", (n, n, 3, 3)), weight("b", (n,))


@st.composite
def weights_in_several_places(draw):
    plane = draw(planes())
    constants = block_weights(plane[0])
    made = [node("Constant", "", each.name, value=each) for each in constants]
    copies = [node("Identity", "w0", "w"), node("Identity", "b0", "b")]
    stored = [numpy_helper.from_array(numpy_helper.to_array(each), f"{each.name}0") for each in constants]
    shown = [info(each.name, tuple(each.dims)) for each in constants]
    return {
        "initialisers": onnx_model(BLOCK, [image(plane)], weights=constants),
        "operators": onnx_model([*made, *BLOCK], [image(plane)]),
        "copies of initialisers": onnx_model([*copies, *BLOCK], [image(plane)], weights=stored),
        "inputs with a default": onnx_model(BLOCK, [image(plane), *shown], weights=constants),
    }


@st.composite
def functions(draw):
    plane, turns = draw(planes()), draw(st.integers(1, 3))
    weights = block_weights(plane[0])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("acme", 1)]
    block = helper.make_function("acme", "Block", ["x", "w", "b"], ["y"], BLOCK, opsets)
    calls = [node("Block", f"{_turn(each)} w b", _turn(each + 1), domain="acme") for each in range(turns)]
    network = helper.make_function("acme", "Net", ["x", "w", "b"], [_turn(turns)], calls, opsets)
    whole = [node("Net", "x w b", _turn(turns), domain="acme")]
    inputs = [image(plane)]
    return {
        "expanded": onnx_model(repeated(BLOCK, turns), inputs, weights=weights),
        "a function": onnx_model(calls, inputs, weights=weights, functions=[block], domains=["acme"]),
        "a function of functions": onnx_model(
            whole, inputs, weights=weights, functions=[block, network], domains=["acme"]
        ),
    }


def _turn(number_of_turn):
    return f"x{number_of_turn}" if number_of_turn else "x"


def repeated(nodes, turns):
    """Operators that make `y` of `x`, one turn after the other."""
    found = []
    for turn in range(turns):
        ends = {"x": _turn(turn), "y": _turn(turn + 1)}
        for each in nodes:
            names = {name: ends.get(name, name if name in ("w", "b") else f"{name}{turn}") for name in each.input}
            made = [ends.get(name, f"{name}{turn}") for name in each.output]
            copy = onnx.NodeProto(op_type=each.op_type, output=made, attribute=each.attribute)
            copy.input.extend(names[name] for name in each.input)
            found.append(copy)
    return found


@st.composite
def branches(draw):
    """Branches of which a constant, or the extents of the input, decide; the other one costs more."""
    plane, is_then = draw(planes()), draw(st.booleans())
    weights = block_weights(plane[0])
    other = [node("Conv", "x w", "c", pads=[1, 1, 1, 1]), node("Conv", "c w", "z", pads=[1, 1, 1, 1])]
    body = helper.make_graph(BLOCK, "taken", [], [info("y", (1, *plane))])
    idle = helper.make_graph(other, "idle", [], [info("z", (1, *plane))])
    then, otherwise = (body, idle) if is_then else (idle, body)
    chosen = node("If", "condition", "out", then_branch=then, else_branch=otherwise)
    shape = [node("Shape", "x", "s"), node("Gather", "s place", "n"), node("Equal", "n width", "condition")]
    width = number("width", plane[2] if is_then else plane[2] + 1, np.int64)
    condition = number("condition", is_then, np.bool_)
    return {
        "the branch": onnx_model(BLOCK, [image(plane)], weights=weights),
        "a constant condition": onnx_model([chosen], [image(plane)], weights=[*weights, condition]),
        "a condition on extents": onnx_model(
            [*shape, chosen], [image(plane)], weights=[*weights, number("place", 3, np.int64), width]
        ),
    }


@st.composite
def loops(draw, is_counted=False):
    """A body that runs a constant number of times, which a limit states, or a counter of its own."""
    plane, turns = draw(planes()), draw(st.integers(1, 4))
    weights, shape = block_weights(plane[0]), (1, *plane)
    carried = [info("number", (), TensorProto.INT64), info("goes", (), TRUTH), info("x0", shape)]
    inner = [
        onnx.NodeProto(
            op_type=each.op_type,
            input=["x0" if name == "x" else name for name in each.input],
            output=each.output,
            attribute=each.attribute,
        )
        for each in BLOCK
    ]
    body = helper.make_graph(
        [*inner, *_goes_on(is_counted)], "body", carried, [info("on", (), TRUTH), info("y", shape)]
    )
    constants = [number("limit", turns, np.int64), number("step", 1, np.int64), number("first", True, np.bool_)]
    turning = node("Loop", "- first x" if is_counted else "limit first x", "out", body=body)
    return {
        "repeated": onnx_model(repeated(BLOCK, turns), [image(plane)], weights=weights),
        "a loop": onnx_model([turning], [image(plane)], weights=[*weights, *constants]),
    }


def _goes_on(is_counted):
    """Operators that say whether another turn of a loop follows."""
    counting = [node("Add", "number step", "next"), node("Less", "next limit", "on")]
    return counting if is_counted else [node("Identity", "goes", "on")]


@st.composite
def quantised_layers(draw):
    """Convolutions and products in integers, between floats."""
    cin, height, width = draw(planes())
    scales = [number("s", 0.02), number("z", 0, np.int8), number("bs", 0.0004)]
    integers = [weight("wq", (4, cin, 3, 3), np.int8), weight("bq", (4,), np.int32)]
    begun = node("QuantizeLinear", "x s z", "xq")
    pairs = [
        begun, node("DequantizeLinear", "xq s z", "xd"), node("DequantizeLinear", "wq s z", "wd"),
        node("DequantizeLinear", "bq bs", "bd"), node("Conv", "xd wd bd", "a"),
        node("QuantizeLinear", "a s z", "yq"), node("DequantizeLinear", "yq s z", "y"),
    ]  # fmt: skip
    whole = [begun, node("QLinearConv", "xq s z wq s z s z bq", "yq"), node("DequantizeLinear", "yq s z", "y")]
    return {
        way: onnx_model(nodes, [image((cin, height, width))], weights=[*integers, *scales])
        for way, nodes in {"pairs around the operator": pairs, "QLinearConv": whole}.items()
    }


@st.composite
def quantised_products(draw):
    rows, cin, cout = (draw(st.integers(2, 12)) for _ in range(3))
    constants = [weight("wq", (cin, cout), np.int8), number("s", 0.02), number("z", 0, np.int8)]
    begun = node("QuantizeLinear", "x s z", "xq")
    pairs = [
        begun, node("DequantizeLinear", "xq s z", "xd"), node("DequantizeLinear", "wq s z", "wd"),
        node("MatMul", "xd wd", "a"), node("QuantizeLinear", "a s z", "yq"), node("DequantizeLinear", "yq s z", "y"),
    ]  # fmt: skip
    whole = [begun, node("QLinearMatMul", "xq s z wq s z s z", "yq"), node("DequantizeLinear", "yq s z", "y")]
    return {
        way: onnx_model(nodes, [info("x", (rows, cin))], weights=constants)
        for way, nodes in {"pairs around the operator": pairs, "QLinearMatMul": whole}.items()
    }


@st.composite
def half_stored_weights(draw):
    plane = draw(planes())
    n = plane[0]
    casts = [node("Cast", "wh", "w", to=TensorProto.FLOAT), node("Cast", "bh", "b", to=TensorProto.FLOAT)]
    return {
        "weights in fp32": onnx_model(BLOCK, [image(plane)], weights=block_weights(n)),
        "weights in fp16": onnx_model(
            [*casts, *BLOCK], [image(plane)], weights=[float16("wh", n, n, 3, 3), float16("bh", n)]
        ),
    }


SAME = {
    "fully connected layer": fully_connected_layers(),
    "layer of tokens": layers_of_tokens(),
    "convolution with what is folded into it": normalised_convolutions(),
    "padding to same": padded_convolutions(),
    "clamp": clamps(),
    "relu": activations_without_upper_limit(),
    "hard swish": hard_swishes(),
    "mean of a plane": means_of_planes(),
    "convolution of a sequence": convolutions_of_sequences(),
    "weights": weights_in_several_places(),
    "function": functions(),
    "branch": branches(),
    "loop": loops(),
    "quantised convolution": quantised_layers(),
    "quantised product": quantised_products(),
    "weights of half the bits": half_stored_weights(),
}
"""What is the same kernels under every runtime, however it is written."""
