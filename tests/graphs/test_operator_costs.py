"""FLOPs and parameters of operators with a rule of their own, each beside the count by hand."""

import struct

import numpy as np
import pytest
import tflite
from onnx import TensorProto

from harness.graphs.faults import ModelFileError
from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.graphs.tflite_reader import graph_of_tflite
from tests.graphs.models import TfliteMaker, info, node, number, numbers, onnx_model, weight

ORT, TFLITE = read_runtime("onnxruntime-cpu"), read_runtime("tflite-cpu")
MICROSOFT = "com.microsoft"


def listed(op, inputs, shapes, made, weights=(), outputs="y", opset=23, **attributes):
    """Kernels of a network of one operator."""
    model = onnx_model(
        [node(op, inputs, outputs, **attributes)],
        [info(name, shape) for name, shape in shapes.items()],
        [info("y", made)],
        weights,
        opset=opset,
        domains=(MICROSOFT,),
    )
    return kernel_list(graph_of_onnx(model, "one.onnx"), ORT)


def recurrent(op, gates, *, steps=10, n=1, read=32, hidden=64, direction="forward", layout=0, state=False):
    directions = 2 if direction == "bidirectional" else 1
    shape = (n, steps, read) if layout else (steps, n, read)
    made = (n, steps, directions, hidden) if layout else (steps, directions, n, hidden)
    weights = [
        weight("w", (directions, gates * hidden, read)),
        weight("r", (directions, gates * hidden, hidden)),
        weight("b", (directions, 2 * gates * hidden)),
        *([weight("h", (directions, n, hidden))] if state else []),
    ]
    settings = {"hidden_size": hidden, "direction": direction} | ({"layout": 1} if layout else {})
    return listed(op, "x w r b - h" if state else "x w r b", {"x": shape}, made, weights, opset=22, **settings)


@pytest.mark.parametrize(("op", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("layout", [0, 1])
@pytest.mark.parametrize("n", [1, 3])
def test_every_step_of_a_recurrent_cell_multiplies_by_all_its_matrices(op, gates, direction, layout, n):
    found = recurrent(op, gates, direction=direction, layout=layout, n=n)
    directions = 2 if direction == "bidirectional" else 1
    assert found.flops == 2 * 10 * n * directions * gates * 64 * (32 + 64)
    assert found.params == directions * gates * 64 * (32 + 64 + 2)


def test_the_state_that_a_recurrent_cell_begins_with_is_no_parameter():
    assert recurrent("LSTM", 4, state=True).params == recurrent("LSTM", 4).params


ATTENTION = {
    "four extents": ("Attention", "q k v", {"q": (1, 8, 16, 64), "k": (1, 8, 48, 64), "v": (1, 8, 48, 64)}, {}, ""),
    "three extents": (
        "Attention", "q k v", {"q": (1, 16, 512), "k": (1, 48, 512), "v": (1, 48, 512)},
        {"q_num_heads": 8, "kv_num_heads": 8}, "",
    ),
    "shared keys": (
        "Attention", "q k v", {"q": (1, 16, 512), "k": (1, 48, 128), "v": (1, 48, 128)},
        {"q_num_heads": 8, "kv_num_heads": 2}, "",
    ),
    "kept keys": (
        "Attention", "q k v - p s",
        {"q": (1, 8, 16, 64), "k": (1, 8, 16, 64), "v": (1, 8, 16, 64), "p": (1, 8, 32, 64), "s": (1, 8, 32, 64)},
        {}, "",
    ),
    "multi-head": (
        "MultiHeadAttention", "q k v", {"q": (1, 16, 512), "k": (1, 48, 512), "v": (1, 48, 512)}, {"num_heads": 8},
        MICROSOFT,
    ),
    "multi-head over a past": (
        "MultiHeadAttention", "q k v - - - p s",
        {"q": (1, 16, 512), "k": (1, 16, 512), "v": (1, 16, 512), "p": (1, 8, 32, 64), "s": (1, 8, 32, 64)},
        {"num_heads": 8}, MICROSOFT,
    ),
    "grouped queries": (
        "GroupQueryAttention", "q k v p s l t",
        {"q": (1, 16, 512), "k": (1, 16, 128), "v": (1, 16, 128), "p": (1, 2, 32, 64), "s": (1, 2, 32, 64), "l": (1, 1),
         "t": ()}, {"num_heads": 8, "kv_num_heads": 2}, MICROSOFT,
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", ATTENTION)
def test_each_query_meets_each_key_and_value_however_attention_is_written(way):
    op, inputs, shapes, attributes, domain = ATTENTION[way]
    made = (1, 8, 16, 64) if len(shapes["q"]) == 4 else (1, 16, 512)
    found = listed(op, inputs, shapes, made, **attributes, domain=domain)
    assert (found.flops, found.params, found.unknown) == (2 * 2 * 8 * 16 * 48 * 64, 0, ())


def test_attention_with_its_projection_counts_both():
    weights = [weight("w", (256, 3 * 512)), weight("b", (3 * 512,))]
    found = listed("Attention", "x w b", {"x": (1, 16, 256)}, (1, 16, 512), weights, num_heads=8, domain=MICROSOFT)
    assert found.flops == 2 * 16 * 256 * 3 * 512 + 2 * 2 * 16 * 16 * 512
    assert found.params == 3 * 512 * 257


@pytest.mark.parametrize(
    ("equation", "shape", "made", "flops"),
    [
        ("bid,do->bio", (1, 128, 64), (1, 128, 256), 2 * 128 * 64 * 256),
        ("bid, do -> bo", (1, 128, 64), (1, 256), 2 * 128 * 64 * 256),
    ],
)
def test_a_contraction_costs_two_for_each_combination_of_its_labels(equation, shape, made, flops):
    found = listed("Einsum", "x w", {"x": shape}, made, [weight("w", (64, 256))], equation=equation)
    assert (found.flops, found.params) == (flops, 64 * 256)


@pytest.mark.parametrize(
    ("equation", "shapes", "made", "batch"),
    [
        ("hqd,hkd->hqk", ((4, 6, 8), (4, 5, 8)), (4, 6, 5), 4),
        ("qhd,khd->hqk", ((6, 4, 8), (5, 4, 8)), (4, 6, 5), 4),
        ("qd,kd->qk", ((6, 8), (5, 8)), (6, 5), 1),
    ],
)
def test_a_contraction_that_is_a_product_of_matrices_has_its_type(equation, shapes, made, batch):
    found = listed("Einsum", "x z", dict(zip("xz", shapes, strict=True)), made, equation=equation).kernels[0]
    assert (found.kernel, found.rows, found.cin, found.cout, found.batch) == ("matmul", 6, 8, 5, batch)
    assert found.flops == 2 * batch * 6 * 8 * 5


@pytest.mark.parametrize(
    ("equation", "made"), [("ij,ij->ij", (6, 8)), ("ij,kj->i", (6,)), ("ij,kl->ijkl", (6, 8, 6, 8))]
)
def test_any_other_contraction_has_none(equation, made):
    assert listed("Einsum", "x z", {"x": (6, 8), "z": (6, 8)}, made, equation=equation).kernels[0].kernel is None


def test_a_contraction_that_only_reorders_costs_nothing_and_one_of_three_is_unknown():
    assert listed("Einsum", "x", {"x": (2, 3)}, (3, 2), equation="ij->ji").flops == 0
    operands = {"x": (2, 3), "z": (3, 4), "v": (4, 5)}
    assert listed("Einsum", "x z v", operands, (2, 5), equation="ij,jk,kl->il").unknown == ("einsum",)


def test_a_fourier_transform_costs_what_a_radix_two_one_does():
    axis = number("axis", 1, "int64")
    assert listed("DFT", "x - axis", {"x": (1, 1024, 1)}, (1, 1024, 2), [axis], opset=20).flops == 5 * 1024 * 10
    step, window = number("step", 160, "int64"), weight("window", (512,))
    found = listed("STFT", "x step window", {"x": (1, 16000, 1)}, (1, 97, 257, 2), [step, window], opset=17)
    assert (found.flops, found.params) == (97 * 5 * 512 * 9, 0)


def test_a_deformable_convolution_counts_as_a_convolution():
    weights = [weight("w", (16, 8, 3, 3))]
    shapes = {"x": (1, 8, 16, 16), "o": (1, 18, 16, 16)}
    found = listed(
        "DeformConv", "x w o", shapes, (1, 16, 16, 16), weights, opset=19, kernel_shape=[3, 3], pads=[1, 1, 1, 1]
    )
    assert (found.flops, found.params) == (2 * 16 * 16 * 16 * 8 * 9, 16 * 8 * 9)


@pytest.mark.parametrize(
    ("op", "inputs", "weights", "attributes"),
    [
        ("MatMulNBits", "x w s", [("w", (256, 4, 16), "uint8"), ("s", (1024,), "float32")],
         {"K": 128, "N": 256, "bits": 4, "block_size": 32}),
        ("FusedMatMul", "x w", [("w", (128, 256), "float32")], {"alpha": 0.5}),
        ("DynamicQuantizeMatMul", "x w s", [("w", (128, 256), "int8"), ("s", (1,), "float32")], {}),
    ],
)  # fmt: skip
def test_a_product_with_packed_or_quantised_weights_counts_all_of_them(op, inputs, weights, attributes):
    constants = [weight(*each) for each in weights]
    found = listed(op, inputs, {"x": (1, 16, 128)}, (1, 16, 256), constants, **attributes, domain=MICROSOFT)
    assert (found.flops, found.params) == (2 * 16 * 128 * 256, 128 * 256)


@pytest.mark.parametrize("op", ["Transpose", "Cast", "Expand", "Gather", "Pad", "Slice"])
def test_moving_data_costs_no_flops_and_has_bytes(op):
    operands = {
        "Expand": ("x s", [numbers("s", 3, 4, 6)], (3, 4, 6)),
        "Gather": ("x i", [numbers("i", 0, 2)], (2, 6)),
        "Pad": ("x p", [numbers("p", 0, 0, 1, 0)], (5, 6)),
        "Slice": ("x a b", [numbers("a", 0), numbers("b", 2)], (2, 6)),
        "Transpose": ("x", [], (6, 4)),
        "Cast": ("x", [], (4, 6)),
    }
    inputs, weights, made = operands[op]
    attributes = {"to": TensorProto.FLOAT16} if op == "Cast" else {}
    (kernel,) = listed(op, inputs, {"x": (4, 6)}, made, weights, **attributes).kernels
    assert kernel.flops == 0
    assert kernel.bytes_moved > 0


def test_a_view_of_a_weight_is_the_weight():
    table = weight("table", (1000, 64))
    nodes = [
        node("Gather", "table i", "x"),
        node("Transpose", "table", "t", perm=[1, 0]),
        node("MatMul", "x t", "y"),
    ]
    model = onnx_model(nodes, [info("i", (1, 16), TensorProto.INT64)], [info("y", (1, 16, 1000))], [table])
    found = kernel_list(graph_of_onnx(model, "tied.onnx"), ORT)
    assert (found.flops, found.params) == (2 * 16 * 64 * 1000, 64000)


def recurrent_tflite(op, shape, made, *operands):
    """Kernels of a TFLite network of one recurrent operator; an operand of None is absent."""
    maker = TfliteMaker()
    x, y = maker.tensor(shape), maker.tensor(made)
    places = [x, *(-1 if operand is None else maker.weight(*operand) for operand in operands)]
    maker.op(op, places, [y])
    return kernel_list(graph_of_tflite(maker.write([x], [y]), "one.tflite"), TFLITE)


def test_recurrent_operators_of_tflite_count_their_matrices():
    lstm = [*[(64, 32)] * 4, *[(64, 64)] * 4, None, None, None, *[(64,)] * 4]
    found = recurrent_tflite("UNIDIRECTIONAL_SEQUENCE_LSTM", (1, 10, 32), (1, 10, 64), *lstm)
    assert (found.flops, found.params) == (2 * 10 * 4 * 64 * (32 + 64), 4 * 64 * (32 + 64 + 1))
    found = recurrent_tflite("SVDF", (1, 20), (1, 16), (16, 20), (16, 8), (16,))
    assert (found.flops, found.params) == (2 * 16 * (20 + 8), 16 * (20 + 8 + 1))


WITHOUT_EXTENTS = {
    "FusedConv": ("x w", (1, 3, 32, 32), [("w", (8, 3, 3, 3), "float32")], {"pads": [1, 1, 1, 1]}, 2 * 8192 * 27),
    "FusedMatMul": ("x w", (1, 16, 128), [("w", (256, 128), "float32")], {"transB": 1}, 2 * 16 * 128 * 256),
    "MatMulNBits": ("x w s", (1, 16, 128), [("w", (256, 4, 16), "uint8"), ("s", (1024,), "float32")],
                    {"K": 128, "N": 256, "bits": 4, "block_size": 32}, 2 * 16 * 128 * 256),
    "Attention": ("x w b", (1, 16, 256), [("w", (256, 768), "float32"), ("b", (768,), "float32")], {"num_heads": 4},
                  2 * 16 * 256 * 768 + 2 * 2 * 16 * 16 * 256),
    "MultiHeadAttention": ("x x x", (1, 16, 256), [], {"num_heads": 4}, 2 * 2 * 16 * 16 * 256),
    "DynamicQuantizeLSTM": ("x w r b", (10, 1, 32),
                            [("w", (1, 32, 256), "int8"), ("r", (1, 64, 256), "int8"), ("b", (1, 512), "float32")],
                            {"hidden_size": 64}, 2 * 10 * 256 * 96),
}  # fmt: skip


@pytest.mark.parametrize("op", WITHOUT_EXTENTS)
def test_operators_of_onnx_runtime_need_no_extents_between_them(op):
    inputs, shape, weights, attributes, flops = WITHOUT_EXTENTS[op]
    nodes = [
        node(op, inputs, "a", **attributes, domain=MICROSOFT),
        node("QuickGelu", "a", "y", domain=MICROSOFT),
    ]
    constants = [weight(*each) for each in weights]
    model = onnx_model(nodes, [info("x", shape)], weights=constants, domains=(MICROSOFT,))
    found = kernel_list(graph_of_onnx(model, "written.onnx"), ORT)
    assert (found.unknown, found.kernels[0].flops) == ((), flops)


def test_operands_of_an_operator_of_onnx_runtime_that_do_not_fit_are_told():
    nodes = [node("FusedMatMul", "x w", "y", domain=MICROSOFT)]
    model = onnx_model(nodes, [info("x", (4, 6))], weights=[weight("w", (5, 3))], domains=(MICROSOFT,))
    with pytest.raises(ModelFileError, match="6 columns, and 5 rows"):
        graph_of_onnx(model, "written.onnx")


@pytest.mark.parametrize("op", ["TopK", "ArgMax"])
def test_the_choice_of_the_greatest_compares_every_element_once(op):
    if op == "TopK":
        found = listed(op, "x k", {"x": (4, 100)}, (4, 5), [numbers("k", 5)], outputs="y i", axis=1)
    else:
        found = listed(op, "x", {"x": (4, 100)}, (4, 1), axis=1)
    assert (found.flops, found.params) == (4 * 100, 0)


def test_the_choice_of_the_greatest_of_tflite_is_that_of_onnx():
    maker = TfliteMaker()
    x, y, places = maker.tensor((4, 100)), maker.tensor((4, 5)), maker.tensor((4, 5), kind=tflite.TensorType.INT32)
    maker.op("TOPK_V2", [x, maker.tensor((), np.array(5, np.int32), tflite.TensorType.INT32)], [y, places])
    found = kernel_list(graph_of_tflite(maker.write([x], [y, places]), "one.tflite"), TFLITE)
    assert [(kernel.operator, kernel.flops) for kernel in found.kernels] == [("top-k", 400)]


def test_a_pooling_that_makes_places_as_well_has_each_window_once():
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    counts = {outputs: listed("MaxPool", "x", {"x": (1, 4, 8, 6)}, (1, 4, 4, 3), outputs=outputs, **pool).flops
              for outputs in ("y", "y i")}  # fmt: skip
    assert counts == {"y": 4 * 4 * 3 * 4, "y i": 4 * 4 * 3 * 4}


def custom(op, shapes, made, *weights, options=()):
    """The kernel of a TFLite network of one custom operator."""
    maker = TfliteMaker()
    read = [maker.tensor(shape) for shape in shapes]
    outputs = [maker.tensor(shape) for shape in made]
    content = struct.pack(f"<{len(options)}i", *options)
    maker.op(
        "CUSTOM", [*read, *(maker.weight(*shape) for shape in weights)], outputs, custom=op, custom_options=content
    )
    (kernel,) = kernel_list(graph_of_tflite(maker.write(read, outputs), "one.tflite"), TFLITE).kernels
    return kernel


SAME, HALVED = 1, (1, 2, 2, 2, 2, 0)


def test_custom_operators_of_mediapipe_cost_what_their_code_does():
    kernel = custom(
        "Convolution2DTransposeBias", [(1, 8, 6, 16)], [(1, 16, 12, 3)], (3, 2, 2, 16), (3,), options=(SAME, 2, 2)
    )
    assert (kernel.kernel, kernel.flops, kernel.params) == ("conv-transpose", 2 * 8 * 6 * 16 * 3 * 4, 3 * 4 * 16 + 3)
    assert (kernel.stride_h, kernel.kernel_w, kernel.cout) == (2, 2, 3)
    kernel = custom("MaxPoolingWithArgmax2D", [(1, 8, 6, 4)], [(1, 4, 3, 4)] * 2, options=HALVED)
    assert (kernel.kernel, kernel.flops) == ("maxpool", 4 * 3 * 4 * 4)
    kernel = custom("MaxUnpooling2D", [(1, 4, 3, 4), (1, 4, 3, 4)], [(1, 8, 6, 4)], options=HALVED)
    assert (kernel.operator, kernel.flops) == ("max-unpool", 0)
    kernel = custom("TransformTensorBilinear", [(1, 48, 48, 32), (1, 4, 4)], [(1, 16, 16, 32)])
    assert (kernel.operator, kernel.flops) == ("grid-sample", 16 * 16 * 32)
    kernel = custom("TransformLandmarks", [(1, 80, 2), (1, 4, 4)], [(1, 80, 2)])
    assert (kernel.operator, kernel.flops) == ("transform-points", 80 * 2 * 8)


@pytest.mark.parametrize(
    ("op", "shapes", "made"),
    [
        ("Landmarks2TransformMatrix", [(1, 468, 3)], [(1, 4, 4)]),
        ("TransformLandmarks", [(1, 1, 1, 160), (1, 4, 4)], [(1, 1, 1, 160)]),
        ("Convolution2DTransposeBias", [(1, 8, 6, 16)], [(1, 16, 12, 3)]),
    ],
)
def test_a_custom_operator_whose_extents_do_not_state_its_cost_is_unknown(op, shapes, made):
    assert custom(op, shapes, made).flops is None


@pytest.mark.parametrize(
    ("op", "shape", "places", "settings"),
    [
        ("Conv", (5, 4, 3, 3), 48, {"pads": [1, 1, 1, 1]}),
        ("Conv", (5, 2, 3, 3), 48, {"pads": [1, 1, 1, 1], "group": 1}),
        ("ConvTranspose", (4, 5, 3, 3), 48, {"strides": [2, 2]}),
        ("DeformConv", (5, 4, 3, 3), 48, {"pads": [1, 1, 1, 1]}),
    ],
)
def test_weights_that_the_network_computes_count_as_those_of_the_file_beside_a_bias_of_the_file(
    op, shape, places, settings
):
    image = (1, shape[1] if op == "Conv" else 4, 8, 6)
    offsets = "o " if op == "DeformConv" else ""
    model = onnx_model(
        [node("Neg", "v", "w"), node(op, f"x w {offsets}b", "y", **settings)],
        [info("x", image), info("v", shape), *([info("o", (1, 18, 8, 6))] if offsets else [])],
        weights=[weight("b", (5,))],
        opset=22,
    )
    found = kernel_list(graph_of_onnx(model, "two.onnx"), ORT)
    assert found.flops == np.prod(shape) + 2 * places * np.prod(shape)
    assert found.params == 5


def test_a_constant_that_a_convolution_goes_over_is_not_its_weights():
    model = onnx_model(
        [node("Neg", "v", "w"), node("Conv", "c w b", "y", pads=[1, 1, 1, 1])],
        [info("v", (5, 4, 3, 3))],
        weights=[weight("c", (1, 4, 8, 6)), weight("b", (5,))],
    )
    found = kernel_list(graph_of_onnx(model, "two.onnx"), ORT)
    assert found.flops == 180 + 2 * 48 * 180
    assert found.params == 4 * 8 * 6 + 5


@pytest.mark.parametrize(
    ("first", "second", "made", "expected"),
    [((8, 5, 8), (8,), 40, 8), ((8,), (8, 8, 3), 24, 8), ((3, 4, 3), (3,), 12, 3), ((7,), (7,), 1, 7)],
)
def test_a_product_by_a_vector_sums_along_all_of_it(first, second, made, expected):
    model = onnx_model([node("MatMul", "x v", "y")], [info("x", first), info("v", second)])
    assert kernel_list(graph_of_onnx(model, "one.onnx"), ORT).flops == 2 * made * expected


def test_what_goes_into_a_recurrent_cell_may_be_a_constant():
    model = onnx_model(
        [node("LSTM", "c w r - - h", "y", hidden_size=3)],
        [info("h", (1, 2, 3))],
        weights=[weight("c", (7, 2, 5)), weight("w", (1, 12, 5)), weight("r", (1, 12, 3))],
    )
    assert kernel_list(graph_of_onnx(model, "one.onnx"), ORT).flops == 2 * 7 * 2 * (12 * 5 + 12 * 3)


@pytest.mark.parametrize(
    ("equation", "first", "second"),
    [
        ("bij,bjk->bik", (4, 5), (5, 6)),
        ("bhqd,bhkd->bhqk", (2, 5, 6), (2, 7, 6)),
        ("bqhd,bkhd->bhqk", (5, 2, 6), (7, 2, 6)),
    ],
)
def test_a_contraction_costs_the_same_for_one_inference_of_several(equation, first, second):
    model = onnx_model(
        [node("Einsum", "x v", "y", equation=equation)], [info("x", ("N", *first)), info("v", ("N", *second))]
    )
    one, eight = (
        kernel_list(graph_of_onnx(model, "one.onnx", {"x": (n, *first), "v": (n, *second)}), ORT) for n in (1, 8)
    )
    assert one.kernels == eight.kernels
    assert one.kernels[0].kernel == "matmul"


@pytest.mark.parametrize(("matrices", "kernel"), [((5, 4, 6), None), ((1, 4, 6), "matmul"), ((4, 6), "matmul")])
def test_rows_by_several_matrices_of_weights_are_no_rows_by_one(matrices, kernel):
    model = onnx_model([node("MatMul", "x w", "y")], [info("x", (5, 2, 4))], weights=[weight("w", matrices)])
    found = kernel_list(graph_of_onnx(model, "one.onnx"), ORT)
    assert [(entry.kernel, entry.flops, entry.params) for entry in found.kernels] == [
        (kernel, 2 * 60 * 4, np.prod(matrices))
    ]
