"""Bytes and parameters by what is stored, each beside the count by hand."""

import numpy as np
import pytest
import tflite
from onnx import TensorProto, helper

from harness.graphs.data_types import in_dtype
from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.graphs.operators import OPERATORS, PICKING
from harness.graphs.tflite_reader import graph_of_tflite
from tests.graphs.models import TfliteMaker, info, node, number, numbers, onnx_model, weight

ORT, TFLITE = read_runtime("onnxruntime-cpu"), read_runtime("tflite-cpu")
INT4, UINT4, INT8, UINT8 = TensorProto.INT4, TensorProto.UINT4, TensorProto.INT8, TensorProto.UINT8
STORED = {
    TensorProto.INT2: ("int2", 2), INT4: ("int4", 4), UINT4: ("uint4", 4), INT8: ("int8", 8), UINT8: ("uint8", 8),
    TensorProto.FLOAT8E4M3FN: ("fp8e4m3fn", 8), TensorProto.FLOAT8E5M2: ("fp8e5m2", 8),
}  # fmt: skip


def packed(name, shape, kind):
    """A weight of elements that may share bytes, as raw data."""
    n_bytes = -(-int(np.prod(shape)) * STORED[kind][1] // 8)
    return helper.make_tensor(name, kind, shape, bytes(n_bytes), raw=True)


def graph_of(nodes, inputs, weights, made=None, opset=25):
    outputs = [info(nodes[-1].output[0], made)]
    model = onnx_model(nodes, inputs, outputs, weights, opset=opset, domains=("com.microsoft",))
    return graph_of_onnx(model, "net.onnx")


def kernels_of(*args, **options):
    return kernel_list(graph_of(*args, **options), ORT).kernels


def tokens(kind, shape, scale, zero=None, **attributes):
    """16 tokens of 128 by a dequantised matrix of 128 by 256."""
    nodes = [
        node("DequantizeLinear", "q s z" if zero else "q s", "w", **attributes),
        node("MatMul", "x w", "y"),
    ]
    weights = [packed("q", shape, kind), scale, *([zero] if zero else [])]
    (found,) = kernels_of(nodes, [info("x", (1, 16, 128))], weights)
    return found


@pytest.mark.parametrize("kind", STORED)
def test_a_dequantised_weight_moves_its_packed_bytes(kind):
    found = tokens(kind, (128, 256), number("s", 0.1))
    stored, bits = STORED[kind]
    assert (found.dtype, found.weight_dtype, found.params) == ("fp32", stored, 128 * 256)
    assert found.bytes_moved == 4 * 16 * (128 + 256) + 128 * 256 * bits // 8


def test_a_vector_by_an_int4_matrix():
    nodes = [node("DequantizeLinear", "q s", "w"), node("MatMul", "x w", "y")]
    (found,) = kernels_of(nodes, [info("x", (1, 64))], [packed("q", (64, 256), INT4), number("s", 0.1)])
    assert (found.kernel, found.params, found.bytes_moved) == ("fc", 16384, 64 * 4 + 256 * 4 + 8192)


def test_scales_and_zero_points_of_blocks_move_with_the_weight():
    zero = packed("z", (4, 256), UINT4)
    found = tokens(UINT4, (128, 256), weight("s", (4, 256)), zero, axis=0, block_size=32)
    assert found.params == 128 * 256
    assert found.bytes_moved == 4 * 16 * (128 + 256) + 128 * 128 + 4 * 256 * 4 + 4 * 256 // 2


def test_views_of_a_quantised_weight_keep_its_bytes():
    nodes = [
        node("DequantizeLinear", "q s", "w", axis=0),
        node("Transpose", "w", "t", perm=[1, 0]),
        node("MatMul", "x t", "y"),
    ]
    (found,) = kernels_of(nodes, [info("x", (1, 16, 128))], [packed("q", (256, 128), INT8), weight("s", (256,))])
    assert found.bytes_moved == 4 * 16 * (128 + 256) + 256 * 128 + 256 * 4


@pytest.mark.parametrize(("bits", "stored"), [(2, "uint2"), (4, "uint4"), (8, "uint8")])
def test_a_packed_matrix_moves_its_blocks_with_their_scales_and_zero_points(bits, stored):
    blob = 32 * bits // 8
    nodes = [
        helper.make_node(
            "MatMulNBits", ["x", "q", "s", "z"], ["y"], domain="com.microsoft", K=128, N=256, bits=bits, block_size=32
        )
    ]
    weights = [packed("q", (256, 4, blob), UINT8), weight("s", (256 * 4,)), packed("z", (256 * bits // 2,), UINT8)]
    (found,) = kernels_of(nodes, [info("x", (1, 16, 128))], weights, (1, 16, 256))
    assert (found.dtype, found.weight_dtype, found.params) == ("fp32", stored, 128 * 256)
    assert found.bytes_moved == 4 * 16 * (128 + 256) + 256 * 4 * blob + 1024 * 4 + 128 * bits


def test_a_lookup_moves_the_rows_that_it_reads():
    (found,) = kernels_of(
        [node("Gather", "t i", "y")], [info("i", (1, 16), TensorProto.INT64)], [weight("t", (1000, 64))]
    )
    assert (found.weight_dtype, found.params, found.flops) == ("fp32", 64000, 0)
    assert found.bytes_moved == 16 * 8 + 2 * 16 * 64 * 4


def test_a_lookup_of_more_rows_than_there_are_reads_the_table_once():
    (found,) = kernels_of([node("Gather", "t i", "y")], [info("i", (1, 90), TensorProto.INT32)], [weight("t", (10, 8))])
    assert found.bytes_moved == 90 * 4 + 10 * 8 * 4 + 90 * 8 * 4


@pytest.mark.parametrize(("kind", "columns"), [(UINT8, 32), (UINT4, 64)])
def test_a_lookup_in_blocks_moves_its_rows_with_their_scales(kind, columns):
    lookup = helper.make_node(
        "GatherBlockQuantized", ["t", "i", "s", "z"], ["y"], domain="com.microsoft", bits=4, block_size=32,
        quantize_axis=1,
    )  # fmt: skip
    zero = packed("z", (1000, 1 if kind == UINT8 else 2), kind)
    weights = [packed("t", (1000, columns), kind), weight("s", (1000, 2)), zero]
    graph = graph_of([lookup], [info("i", (1, 16), TensorProto.INT64)], weights)
    assert graph.tensors["y"].shape == (1, 16, 64)
    (found,) = kernel_list(graph, ORT).kernels
    assert (found.operator, found.dtype, found.weight_dtype) == ("embedding", "fp32", "uint4")
    assert (found.rows, found.entries, found.cout) == (16, 1000, 64)
    assert (found.params, found.flops) == (64000, 0)
    assert found.bytes_moved == 16 * 8 + 16 * (64 // 2 + 2 * 4 + 1) + 16 * 64 * 4


MOVED = {
    "Slice": ("x a b", (numbers("a", 0, 0, 0), numbers("b", 1, 2, 8)), {}, 4 * 2 * (2 * 8)),
    "Transpose": ("x", (), {"perm": [0, 2, 1]}, 4 * 2 * 128),
    "Concat": ("x x", (), {"axis": 1}, 4 * (128 + 256)),
    "Pad": ("x p", (numbers("p", 0, 0, 0, 0, 0, 8),), {}, 4 * (128 + 256)),
    "Tile": ("x r", (numbers("r", 1, 1, 3),), {}, 4 * (128 + 384)),
    "Expand": ("x e", (numbers("e", 3, 16, 8),), {}, 4 * (128 + 384)),
    "Cast": ("x", (), {"to": TensorProto.INT8}, 128 * (4 + 1)),
    "GatherND": ("x g", (weight("g", (5, 2), np.int64),), {}, 4 * 2 * 40),
    "GatherElements": ("x g", (weight("g", (1, 16, 2), np.int64),), {"axis": 2}, 4 * 2 * 32),
    "Where": ("m x x", (), {}, 128 * (1 + 4 + 4)),
}


@pytest.mark.parametrize("op", MOVED)
def test_what_only_moves_data_moves_what_it_reads_and_makes(op):
    read, weights, attributes, n_bytes = MOVED[op]
    inputs = [info("x", (1, 16, 8)), *([info("m", (1, 16, 8), TensorProto.BOOL)] if op == "Where" else [])]
    (found,) = kernels_of([node(op, read, "y", **attributes)], inputs, weights, opset=18)
    assert (found.flops, found.params, found.bytes_moved) == (0, 0, n_bytes)


def test_halves_of_a_split_are_both_written():
    nodes = [node("Split", "x", "a b", axis=1, num_outputs=2), node("Concat", "b a", "y", axis=1)]
    split, joined = kernels_of(nodes, [info("x", (1, 16, 8))], (), opset=18)
    assert (split.bytes_moved, joined.bytes_moved) == (4 * 256, 4 * 256)


def test_an_activation_counts_at_the_type_that_it_has_on_either_side():
    nodes = [node("QuantizeLinear", "x s z", "y")]
    (found,) = kernels_of(nodes, [info("x", (1, 100))], [number("s", 0.1), number("z", 0, np.int8)])
    assert (found.dtype, found.bytes_moved) == ("fp32", 100 * (4 + 1))


def test_a_bias_of_a_quantised_convolution_has_32_bits_and_scales_are_one_for_each_channel():
    nodes = [
        node("DequantizeLinear", "xq s z", "x"), node("DequantizeLinear", "wq ws", "w", axis=0),
        node("DequantizeLinear", "bq ws", "b", axis=0), node("Conv", "x w b", "c", kernel_shape=[3, 3]),
        node("QuantizeLinear", "c s z", "yq"),
    ]  # fmt: skip
    weights = [
        number("s", 0.5), number("z", 0, np.int8), weight("wq", (5, 4, 3, 3), np.int8), weight("bq", (5,), np.int32),
        weight("ws", (5,)),
    ]  # fmt: skip
    (found,) = kernels_of(nodes, [info("xq", (1, 4, 8, 6), INT8)], weights)
    assert (found.dtype, found.weight_dtype, found.params) == ("int8", "int8", 180 + 5)
    assert found.bytes_moved == 4 * 8 * 6 + 5 * 6 * 4 + 180 + 5 * 4 + 5 * 4


def test_fp64_weights_are_parameters_of_eight_bytes():
    (found,) = kernels_of([node("Gather", "t i", "y")], [info("i", (4,), TensorProto.INT64)],
                          [weight("t", (10, 8), np.float64)])  # fmt: skip
    assert (found.weight_dtype, found.params, found.bytes_moved) == ("fp64", 80, 4 * 8 + 2 * 4 * 8 * 8)


def tflite_fc(kind, data, n_scales=0, rows=1):
    maker = TfliteMaker()
    x, y = maker.tensor((rows, 64)), maker.tensor((rows, 256))
    w = maker.tensor((256, 64), data, kind, scales=n_scales)
    maker.op("FULLY_CONNECTED", [x, w, maker.weight(256)], [y], "FullyConnectedOptions")
    return graph_of_tflite(maker.write([x], [y]), "net.tflite")


@pytest.mark.parametrize(
    ("kind", "data", "n_scales", "stored", "n_bytes"),
    [
        (tflite.TensorType.INT4, np.zeros(8192, np.uint8), 1, "int4", 8192),
        (tflite.TensorType.INT4, np.zeros(8192, np.uint8), 256, "int4", 8192 + 256 * 4),
        (tflite.TensorType.INT8, np.zeros(16384, np.int8), 1, "int8", 16384),
        (tflite.TensorType.INT8, np.zeros(16384, np.int8), 256, "int8", 16384 + 256 * 4),
        (tflite.TensorType.UINT8, np.zeros(16384, np.uint8), 1, "uint8", 16384),
        (tflite.TensorType.FLOAT16, np.zeros(16384, np.float16), 0, "fp16", 32768),
        (tflite.TensorType.FLOAT32, np.zeros(16384, np.float32), 0, "fp32", 65536),
    ],
)
def test_a_hybrid_layer_of_tflite_moves_its_weights_as_they_are_stored(kind, data, n_scales, stored, n_bytes):
    (found,) = kernel_list(tflite_fc(kind, data, n_scales), TFLITE).kernels
    assert (found.kernel, found.dtype, found.weight_dtype, found.params) == ("fc", "fp32", stored, 16384 + 256)
    assert found.bytes_moved == 4 * 64 + 4 * 256 + 4 * 256 + n_bytes


def test_an_embedding_of_tflite_moves_the_rows_that_it_reads():
    maker = TfliteMaker()
    ids, y = maker.tensor((16,), kind=tflite.TensorType.INT32), maker.tensor((16, 64))
    maker.op("EMBEDDING_LOOKUP", [ids, maker.tensor((1000, 64), np.zeros(64000, np.int8), tflite.TensorType.INT8)], [y])
    (found,) = kernel_list(graph_of_tflite(maker.write([ids], [y]), "net.tflite"), TFLITE).kernels
    assert (found.params, found.weight_dtype) == (64000, "int8")
    assert found.bytes_moved == 16 * 4 + 16 * 64 + 16 * 64 * 4


@pytest.mark.parametrize(
    ("dtype", "activations", "bias", "weights"),
    [("fp16", 2, 2, 16384), ("int8", 1, 4, 16384), ("int4", 0.5, 4, 8192), ("fp32", 4, 4, 16384)],
)
def test_another_data_type_leaves_narrow_weights_as_they_are_stored(dtype, activations, bias, weights):
    graph = tflite_fc(tflite.TensorType.INT8, np.zeros(16384, np.int8))
    (found,) = kernel_list(in_dtype(graph, dtype), TFLITE).kernels
    assert (found.dtype, found.weight_dtype) == (dtype, "int4" if dtype == "int4" else "int8")
    assert found.bytes_moved == (64 + 256) * activations + 256 * bias + weights


def test_another_data_type_has_all_weights_of_a_float_network():
    graph = tflite_fc(tflite.TensorType.FLOAT32, np.zeros(16384, np.float32))
    (found,) = kernel_list(in_dtype(graph, "int8"), TFLITE).kernels
    assert (found.dtype, found.weight_dtype, found.bytes_moved) == ("int8", "int8", 64 + 256 + 4 * 256 + 16384)


def test_operators_that_pick_are_declared():
    assert set(PICKING) <= set(OPERATORS)
