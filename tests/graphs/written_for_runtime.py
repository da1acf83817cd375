"""Networks that are each written in several ways which ONNX Runtime runs as the same kernels, or as other ones."""

import numpy as np
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from tests.graphs.models import info, node, number, numbers, onnx_model, weight
from tests.graphs.written_twice import MICROSOFT, image, planes

FLOAT = TensorProto.FLOAT
ALONG = {"axes": [-1]}
SMALL, ONE, TWO, HALF = number("small", 1e-5), number("one", 1), number("two", 2), number("half", 0.5)
ROOT, ROOT_OF_HALF = number("root", np.sqrt(2)), number("root-of-half", np.sqrt(0.5))
NUMBERS = [SMALL, ONE, TWO, HALF, ROOT, ROOT_OF_HALF, number("zero", 0), number("six", 6), number("three", 3)]


def tokens():
    """Extents of some tokens, with a first one of 1."""
    return st.tuples(st.just(1), st.integers(2, 9), st.integers(2, 40))


def modelled(ways, inputs, weights=(), opset=17):
    """Models of operators; those of ONNX Runtime need its domain."""
    return {
        way: onnx_model(nodes, inputs, weights=[*NUMBERS, *weights], opset=opset, domains=[MICROSOFT])
        for way, nodes in ways.items()
    }


def _gain_and_shift(shape):
    """A gain and another shift, because the runtime makes one weight of two that are the same."""
    return [weight("g", shape[-1:]), numpy_helper.from_array(np.full(shape[-1:], 2, np.float32), "s")]


CENTRED = [node("ReduceMean", "x", "m", **ALONG), node("Sub", "x m", "c")]
SPREAD = [node("ReduceMean", "q", "v", **ALONG), node("Add", "v small", "e"), node("Sqrt", "e", "r")]
SCALED = [node("Mul", "n g", "k"), node("Add", "k s", "y")]


@st.composite
def layer_norms(draw):
    shape = draw(tokens())
    square, quotient = node("Pow", "c two", "q"), node("Div", "c r", "n")
    twice = [node("Sub", "x m", "b"), node("Pow", "b two", "q")]
    cast = [node("Cast", "c", "b", to=FLOAT), node("Pow", "b two", "q")]
    ways = {
        "LayerNormalization": [node("LayerNormalization", "x g s", "y", axis=-1)],
        "nine operators": [*CENTRED, square, *SPREAD, quotient, *SCALED],
        "ten, with the difference twice": [*CENTRED, *twice, *SPREAD, quotient, *SCALED],
        "ten, with a cast": [*CENTRED, *cast, *SPREAD, quotient, *SCALED],
        "gain and shift first": [
            *CENTRED, square, *SPREAD, quotient, node("Mul", "g n", "k"), node("Add", "s k", "y"),
        ],
    }  # fmt: skip
    return modelled(ways, [info("x", shape)], _gain_and_shift(shape))


@st.composite
def rms_norms(draw):
    shape = draw(tokens())
    begun, gained = [node("Pow", "x two", "q"), *SPREAD], node("Mul", "n g", "y")
    inverse = [node("Div", "one r", "i"), node("Mul", "x i", "n")]
    ways = {
        "operator of the runtime": [node("SimplifiedLayerNormalization", "x g", "y", axis=-1)],
        "six operators": [*begun, node("Div", "x r", "n"), gained],
        "seven, with a reciprocal": [*begun, *inverse, gained],
        "gain first": [*begun, *inverse, node("Mul", "g n", "y")],
        "cast to what it is": [
            node("Cast", "x", "z", to=FLOAT), node("Pow", "z two", "q"), *SPREAD, node("Div", "z r", "n"), gained,
        ],
    }  # fmt: skip
    models = modelled(ways, [info("x", shape)], _gain_and_shift(shape))
    standard = [node("RMSNormalization", "x g", "y", axis=-1)]
    return models | modelled({"RMSNormalization": standard}, [info("x", shape)], _gain_and_shift(shape), opset=23)


@st.composite
def gelus(draw):
    shape = draw(tokens())
    bell = [node("Div", "x root", "a"), node("Erf", "a", "e"), node("Add", "e one", "o")]
    ways = {
        "operator of the runtime": [node("Gelu", "x", "y", domain=MICROSOFT)],
        "halved in the end": [*bell, node("Mul", "x o", "p"), node("Mul", "p half", "y")],
        "halved in the end, numbers first": [*bell, node("Mul", "o x", "p"), node("Mul", "half p", "y")],
        "halved before": [*bell, node("Mul", "x half", "h"), node("Mul", "h o", "y")],
    }
    standard = {"Gelu": [node("Gelu", "x", "y")]}
    return modelled(ways, [info("x", shape)]) | modelled(standard, [info("x", shape)], opset=20)


@st.composite
def swishes(draw):
    shape, factor = draw(tokens()), draw(st.sampled_from([1.0, 1.702, 3.0]))
    gate = [node("Sigmoid", "a", "s"), node("Mul", "x s", "y")]
    ways = {
        "QuickGelu": [node("QuickGelu", "x", "y", domain=MICROSOFT, alpha=factor)],
        "three operators": [node("Mul", "x factor", "a"), *gate],
        "three operators, the factor first": [node("Mul", "factor x", "a"), *gate],
    }
    if factor == 1:
        ways["two operators"] = [node("Sigmoid", "x", "s"), node("Mul", "s x", "y")]
    return modelled(ways, [info("x", shape)], [number("factor", factor)])


@st.composite
def normalised_sums(draw):
    shape = draw(tokens())
    ways = {
        "SkipLayerNormalization": [node("SkipLayerNormalization", "x z g s", "y", domain=MICROSOFT)],
        "Add and LayerNormalization": [node("Add", "x z", "a"), node("LayerNormalization", "a g s", "y", axis=-1)],
    }
    return modelled(ways, [info("x", shape), info("z", shape)], _gain_and_shift(shape))


@st.composite
def zero_padding(draw):
    """Padding with zeros before a window, as an operator or in that of the window."""
    plane, (top, left, bottom, right) = draw(planes()), (draw(st.integers(0, 2)) for _ in range(4))
    stated = {"pads": [top, left, bottom, right]}
    if draw(st.booleans()):
        op, inputs, settings = "Conv", "w", {}
    else:
        op, inputs, settings = "AveragePool", "", {"kernel_shape": [3, 3], "count_include_pad": 1}
    pads = [numbers("pads", 0, 0, top, left, 0, 0, bottom, right), weight("w", (4, plane[0], 3, 3))]
    windowed = node(op, f"a {inputs}", "y", **settings)
    ways = {
        "pads of the window": [node(op, f"x {inputs}", "y", **settings, **stated)],
        "Pad": [node("Pad", "x pads", "a"), windowed],
        "Pad with a stated zero": [node("Pad", "x pads zero", "a"), windowed],
    }
    if not any(stated["pads"]):
        del ways["Pad"], ways["Pad with a stated zero"]  # The runtime runs a pad of nothing.
    return modelled(ways, [image(plane)], pads)


@st.composite
def repeated_clamps(draw):
    plane, has_convolution = draw(planes()), draw(st.booleans())
    begun, read = ([node("Conv", "x w", "c")], "c") if has_convolution else ([], "x")
    ways = {
        "Clip": [*begun, node("Clip", f"{read} zero six", "y")],
        "Relu and Clip": [*begun, node("Relu", read, "a"), node("Clip", "a zero six", "y")],
    }
    return modelled(ways, [image(plane)], [weight("w", (4, plane[0], 3, 3))])


@st.composite
def scaled_products(draw):
    """Scores of attention: queries by keys, divided by a number somewhere."""
    heads, n, size = (draw(st.integers(2, 6)) for _ in range(3))
    shape = (1, heads, n, size)
    turned = node("Transpose", "z", "t", perm=[0, 1, 3, 2])
    fused = {"domain": MICROSOFT, "alpha": 0.5}
    ways = {
        "FusedMatMul": [node("FusedMatMul", "x z", "y", transB=1, **fused)],
        "FusedMatMul and Transpose": [turned, node("FusedMatMul", "x t", "y", **fused)],
        "divided in the end": [turned, node("MatMul", "x t", "a"), node("Div", "a two", "y")],
        "queries divided before": [turned, node("Div", "x two", "a"), node("MatMul", "a t", "y")],
        "keys multiplied before": [turned, node("Mul", "t half", "a"), node("MatMul", "x a", "y")],
    }
    return modelled(ways, [info("x", shape), info("z", shape)])


@st.composite
def scaled_weights(draw):
    """A convolution, and one whose output is multiplied by one number for each channel, or by one for all."""
    plane = draw(planes())
    ways = {
        "weights": [node("Conv", "x w", "y")],
        "a product with one number for each channel": [node("Conv", "x w", "a"), node("Mul", "a v", "y")],
        "a product with a number": [node("Conv", "x w", "a"), node("Mul", "a half", "y")],
    }
    return modelled(ways, [image(plane)], [weight("w", (4, plane[0], 3, 3)), weight("v", (4, 1, 1))])


@st.composite
def columns(draw):
    """A product of rows, and one of columns that were rows."""
    rows, cin, cout = (draw(st.integers(2, 9)) for _ in range(3))
    ways = {
        "rows": [node("Gemm", "x w b", "y")],
        "columns": [node("Transpose", "x", "t", perm=[1, 0]), node("Gemm", "t w b", "y", transA=1)],
    }
    return modelled(ways, [info("x", (rows, cin))], [weight("w", (cin, cout)), weight("b", (cout,))])


@st.composite
def group_norms(draw):
    """A normalisation of groups of channels, of the version that was deprecated and of the one after it."""
    groups, of_group = draw(st.integers(2, 4)), draw(st.integers(2, 3))
    read = [image((groups * of_group, draw(st.integers(2, 9)), draw(st.integers(2, 9))))]
    nodes = [node("GroupNormalization", "x g s", "y", num_groups=groups)]
    return {
        opset: onnx_model(nodes, read, weights=[weight("g", (n,)), weight("s", (n,))], opset=opset)
        for opset, n in ((18, groups), (21, groups * of_group))
    }


@st.composite
def fused_layers(draw):
    """What the optimiser of ONNX Runtime writes, beside what it writes it for."""
    activation = draw(st.sampled_from(["Relu", "Sigmoid", "Tanh", "LeakyRelu"]))
    plane, (rows, cin, cout) = draw(planes()), (draw(st.integers(2, 9)) for _ in range(3))
    settings = {"activation_params": [0.1]} if activation == "LeakyRelu" else {}
    last = {"alpha": 0.1} if settings else {}
    if draw(st.booleans()):
        fused = node("FusedConv", "x w b", "y", domain=MICROSOFT, activation=activation, **settings)
        begun, read, weights = node("Conv", "x w b", "a"), image(plane), [weight("w", (4, plane[0], 3, 3))]
        bias = weight("b", (4,))
    else:
        slope = {f"activation_{name}": value for name, value in last.items()}
        fused = node("FusedGemm", "x w b", "y", domain=MICROSOFT, activation=activation, **slope)
        begun, read, weights = node("Gemm", "x w b", "a"), info("x", (rows, cin)), [weight("w", (cin, cout))]
        bias = weight("b", (cout,))
    return modelled(
        {"one operator": [fused], "two operators": [begun, node(activation, "a", "y", **last)]},
        [read],
        [*weights, bias],
    )


@st.composite
def attentions(draw):
    """Operators of attention on the same heads, with or without keys kept from before."""
    kv_heads, group, n, size = draw(st.sampled_from([1, 2])), draw(st.integers(1, 3)), draw(st.integers(2, 7)), 8
    heads, n_past = kv_heads * group, draw(st.sampled_from([0, 5]))
    inputs = [info("q", (1, n, heads * size)), *(info(name, (1, n, kv_heads * size)) for name in ("k", "v"))]
    past = [info(name, (1, kv_heads, n_past, size)) for name in ("pk", "pv")] if n_past else []
    places, made = (" pk pv", "y rk rv") if n_past else ("", "y")
    counts = {"kv_num_heads": kv_heads}
    standard = node("Attention", f"q k v{' -' if places else ''}{places}", made, q_num_heads=heads, **counts)
    lengths = [number("last", n + n_past - 1, np.int32), number("all", n + n_past, np.int32)]
    lengths[0].dims.append(1)
    of_groups = {"num_heads": heads, "domain": MICROSOFT, **counts}
    ways = {
        "GroupQueryAttention": [node("GroupQueryAttention", f"q k v{places or ' - -'} last all", made, **of_groups)]
    }
    if group == 1 and not n_past:
        ways["MultiHeadAttention"] = [node("MultiHeadAttention", "q k v", "y", num_heads=heads, domain=MICROSOFT)]
    models = modelled(ways, [*inputs, *past], lengths)
    return models | modelled({"Attention": [standard]}, [*inputs, *past], opset=23)


@st.composite
def dynamic_products(draw):
    """Products in integers of what is quantised as it comes, with scales of the columns or one, and a bias or none."""
    rows, cin, cout = (draw(st.integers(2, 9)) for _ in range(3))
    has_bias, is_by_column = draw(st.booleans()), draw(st.booleans())
    scale = weight("s", (cout,)) if is_by_column else number("s", 0.02)
    weights = [weight("wq", (cin, cout), np.int8), scale, number("z", 0, np.int8), weight("b", (cout,))]
    begun, bias = node("DynamicQuantizeLinear", "x", "xq xs xz"), " b" * has_bias
    ways = {
        "operators": [begun, *_dequantised("y", has_bias)],
        "DynamicQuantizeMatMul": [node("DynamicQuantizeMatMul", f"x wq s z{bias}", "y", domain=MICROSOFT)],
    }
    shape = draw(st.sampled_from([(rows, cin), (1, rows, cin)]))
    return modelled(ways, [info("x", shape)], weights)


@st.composite
def several_dynamic_products(draw):
    """Two products of what is quantised once, as queries and keys are."""
    rows, cin, cout = (draw(st.integers(2, 9)) for _ in range(3))
    has_bias = draw(st.booleans())
    weights = [weight("wq", (cin, cout), np.int8), number("z", 0, np.int8), weight("b", (cout,))]
    weights += [number("s", 0.02), number("r", 0.03), numpy_helper.from_array(np.full((cin, cout), 2, np.int8), "vq")]
    begun, total = node("DynamicQuantizeLinear", "x", "xq xs xz"), node("Add", "p q", "y")
    whole = [
        node("MatMulIntegerToFloat", f"xq {matrix} xs {scale} xz z{' b' * has_bias}", made, domain=MICROSOFT)
        for matrix, scale, made in (("wq", "s", "p"), ("vq", "r", "q"))
    ]
    parts = [*_dequantised("p", has_bias), *_dequantised("q", has_bias, "vq", "r")]
    return modelled(
        {"operators": [begun, *parts, total], "MatMulIntegerToFloat": [begun, *whole, total]},
        [info("x", (rows, cin))],
        weights,
    )


def _dequantised(made, has_bias, matrix="wq", scale="s"):
    """A product in integers of `xq`, as floats."""
    names = {name: f"{name}-{made}" for name in ("a", "f", "k", "m")}
    scaled = names["m"] if has_bias else made
    return [
        node("MatMulInteger", f"xq {matrix} xz z", names["a"]), node("Cast", names["a"], names["f"], to=FLOAT),
        node("Mul", f"xs {scale}", names["k"]), node("Mul", f"{names['f']} {names['k']}", scaled),
        *([node("Add", f"{names['m']} b", made)] if has_bias else []),
    ]  # fmt: skip


@st.composite
def weights_in_blocks(draw):
    """Weights of four bits with a scale for each 16 rows of a column, dequantised before a product or within it."""
    n_blocks, cout, has_zeros = 2 * draw(st.integers(1, 3)), draw(st.integers(2, 9)), draw(st.booleans())
    cin, size = 16 * n_blocks, 16
    zeros = " z" if has_zeros else ""
    scales, packed = weight("s", (n_blocks, cout)), weight("wq", (cout, n_blocks, size // 2), np.uint8)
    turned, zeros_packed = weight("s", (cout * n_blocks,)), weight("z", (cout * n_blocks // 2,), np.uint8)
    stored = [helper.make_tensor("wq", TensorProto.INT4, (cin, cout), [1] * (cin * cout)), scales]
    stored.append(helper.make_tensor("z", TensorProto.INT4, (n_blocks, cout), [0] * (n_blocks * cout)))
    read = [info("x", (draw(st.integers(1, 5)), cin))]
    apart = [node("DequantizeLinear", f"wq s{zeros}", "w", axis=0, block_size=size), node("MatMul", "x w", "y")]
    within = node("MatMulNBits", f"x wq s{zeros}", "y", K=cin, N=cout, bits=4, block_size=size, domain=MICROSOFT)
    return modelled({"DequantizeLinear": apart}, read, stored, opset=21) | modelled(
        {"MatMulNBits": [within]}, read, [packed, turned, zeros_packed]
    )


@st.composite
def recurrences(draw):
    """An LSTM in floats, and one whose matrices are stored turned and in integers, with their scales."""
    steps, cin, state, directions = (draw(st.integers(1, most)) for most in (9, 20, 20, 2))
    gates = 4 * state
    is_by_column, begins = draw(st.booleans()), draw(st.booleans())
    scales = (directions, gates) if is_by_column else (directions,)
    settings = {"hidden_size": state, "direction": "bidirectional" if directions == 2 else "forward"}
    states = " - h h" if begins else " - - -"
    weights = [
        weight("w", (directions, gates, cin)), weight("r", (directions, gates, state)),
        weight("wq", (directions, cin, gates), np.int8), weight("rq", (directions, state, gates), np.int8),
        weight("b", (directions, 2 * gates)), weight("h", (directions, 1, state)),
        weight("s", scales), weight("z", scales, np.int8),
    ]  # fmt: skip
    ways = {
        "LSTM": [node("LSTM", f"x w r b{states}", "y", **settings)],
        "DynamicQuantizeLSTM": [
            node("DynamicQuantizeLSTM", f"x wq rq b{states} - s z s z", "y", domain=MICROSOFT, **settings)
        ],
    }
    return modelled(ways, [info("x", (steps, 1, cin))], weights)


@st.composite
def written_attentions(draw):
    """Attention of three operators, with a mask or without one, and of one."""
    heads, n, n_keys, size = (draw(st.integers(2, 9)) for _ in range(4))
    shapes = {"q": n, "k": n_keys, "v": n_keys}
    inputs = [info(name, (1, heads, length, size)) for name, length in shapes.items()]
    mask = draw(st.booleans())
    scores = [node("Transpose", "k", "t", perm=[0, 1, 3, 2]), node("MatMul", "q t", "a"), node("Mul", "a half", "b")]
    masked = [node("Add", "b mask", "c")] if mask else [node("Identity", "b", "c")]
    made = [node("Softmax", "c", "p", axis=-1), node("MatMul", "p v", "y")]
    weights = [weight("mask", (n, n_keys))]
    models = modelled({"operators": [*scores, *masked, *made]}, inputs, weights)
    one = node("Attention", "q k v mask" if mask else "q k v", "y", scale=0.5)
    return models | modelled({"Attention": [one]}, inputs, weights, opset=23)


@st.composite
def scales_and_shifts(draw):
    """A batch normalisation before any convolution, as an operator and as a product and a sum."""
    plane = draw(planes().filter(lambda plane: plane[0] > 1))
    n = plane[0]  # One number alone is no parameter.
    weights = [weight("s", (n,)), weight("u", (1, n, 1, 1)), weight("v", (n, 1, 1))]
    ways = {
        "BatchNormalization": [node("BatchNormalization", "x s s s s", "y")],
        "Mul and Add": [node("Mul", "x u", "a"), node("Add", "a v", "y")],
    }
    return modelled(ways, [image(plane)], weights)


@st.composite
def groups_of_channels(draw):
    """A convolution in groups, and one of each group between a split and a concatenation."""
    groups, of_group = draw(st.integers(2, 4)), draw(st.integers(1, 3))
    height, width = draw(st.integers(3, 9)), draw(st.integers(3, 9))
    n = groups * of_group
    numbered = range(groups)
    parts = [node("Conv", f"x{each} w{each}", f"y{each}") for each in numbered]
    split = node("Split", "x", " ".join(f"x{each}" for each in numbered), axis=1)
    ways = {
        "groups": [node("Conv", "x w", "y", group=groups)],
        "a convolution of each": [
            split,
            *parts,
            node("Concat", " ".join(f"y{each}" for each in numbered), "y", axis=1),
        ],
    }
    weights = [weight(f"w{each}", (of_group, of_group, 3, 3)) for each in numbered]
    return modelled(ways, [image((n, height, width))], [weight("w", (n, of_group, 3, 3)), *weights], opset=13)


ALIKE = {
    "layer normalisation": layer_norms(),
    "normalisation by the root mean square": rms_norms(),
    "gelu": gelus(),
    "swish": swishes(),
    "normalised sum": normalised_sums(),
    "zero padding": zero_padding(),
    "repeated clamp": repeated_clamps(),
    "scaled product": scaled_products(),
    "weights that are multiplied": scaled_weights(),
    "columns": columns(),
    "fused layer": fused_layers(),
    "attention": attentions(),
    "product of what is quantised as it comes": dynamic_products(),
    "products of what is quantised once": several_dynamic_products(),
}
"""What ONNX Runtime runs as the same kernels, however it is written."""
