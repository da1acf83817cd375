import numpy as np
import pytest
import tflite

from harness.graphs.faults import ModelFileError
from harness.graphs.tflite_reader import graph_of_tflite
from tests.graphs.models import TfliteMaker, small_tflite

WINDOW = {"StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1, "Padding": 0}


def read(data, **inputs):
    return graph_of_tflite(data, "small.tflite", inputs)


def issue_of(data, **inputs):
    with pytest.raises(ModelFileError) as error:
        read(data, **inputs)
    assert len(error.value.issues) == 1
    return error.value.issues[0]


def ops(graph):
    return [node.op for node in graph.nodes]


def one(op, shape, made, *operands, table=None, custom=None, **options):
    """Nodes and tensors of a model of one operator; operands follow the input `t0`, the output is the last tensor."""
    maker = TfliteMaker()
    x = maker.tensor(shape)
    places = [x, *(operand(maker) for operand in operands)]
    y = maker.tensor(made)
    maker.op(op, places, [y], table, custom, **options)
    return read(maker.write([x], [y]))


def weights(*shape):
    return lambda maker: maker.weight(*shape)


def integers(*values):
    return lambda maker: maker.numbers(*values)


def test_operators_get_canonical_names_and_arithmetic_on_shapes_is_folded():
    graph = read(small_tflite())
    assert ops(graph) == ["conv", "relu6", "conv", "global-avgpool", "reshape", "fc"]
    assert graph.folded == {"shape": 1, "slice": 1, "pack": 1}
    assert graph.layout == "channels-last"
    # The file says 1 x 1 for what is reshaped, because its converter did not know better.
    assert graph.tensors["t12"].shape == (1, 5)


def test_an_activation_within_an_operator_is_a_node_of_its_own():
    conv, relu6, *_ = read(small_tflite()).nodes
    assert conv.outputs == relu6.inputs == ("t1:before-activation",)
    assert relu6.outputs == ("t1",)


def test_a_depthwise_convolution_has_a_group_for_each_channel():
    graph = one(
        "DEPTHWISE_CONV_2D",
        (1, 8, 6, 4),
        (1, 8, 6, 8),
        weights(1, 3, 3, 8),
        table="DepthwiseConv2DOptions",
        **WINDOW,
        DepthMultiplier=2,
    )
    assert graph.nodes[0].window.groups == 4
    assert graph.extents("t2").c == 8


def test_a_convolution_with_fewer_channels_in_its_weights_is_grouped():
    graph = one(
        "CONV_2D", (1, 8, 6, 4), (1, 8, 6, 6), weights(6, 3, 1, 2), table="Conv2DOptions", **WINDOW | {"StrideH": 2}
    )
    assert graph.nodes[0].window == ((3, 1), (2, 1), (1, 1), 2, 2)


def test_a_transposed_convolution_reads_its_input_first():
    maker = TfliteMaker()
    size, w, x, y = (
        maker.numbers(1, 8, 6, 5),
        maker.weight(5, 3, 3, 4),
        *map(maker.tensor, ((1, 4, 3, 4), (1, 8, 6, 5))),
    )
    maker.op("TRANSPOSE_CONV", [size, w, x], [y], "TransposeConvOptions", StrideH=2, StrideW=2)
    node = read(maker.write([x], [y])).nodes[0]
    assert (node.op, node.inputs) == ("conv-transpose", ("t2", "t1"))
    assert node.window == ((3, 3), (2, 2), (1, 1), 1, 2)


def test_an_open_batch_is_one_unless_it_is_given():
    assert read(small_tflite()).tensors["t13"].shape == (1, 3)
    graph = read(small_tflite(), t0=(4, 8, 6, 4))
    assert graph.tensors["t1"].shape == (4, 8, 6, 5)
    assert graph.tensors["t13"].shape == (4, 3)
    assert (graph.batch, ops(graph)[-1]) == (1, "matmul")
    batched = graph_of_tflite(small_tflite(), "small.tflite", {"t0": (4, 8, 6, 4)}, 4)
    assert (batched.batch, ops(batched)[-1]) == (4, "fc")


def test_an_open_height_is_found_through_the_network():
    graph = read(small_tflite(height=-1), t0=(1, 13, 6, 4))
    assert [graph.tensors[name].shape for name in ("t1", "t2", "t3")] == [(1, 13, 6, 5), (1, 7, 3, 5), (1, 5)]


def test_an_open_extent_is_an_issue_with_the_option_that_closes_it():
    issue = issue_of(small_tflite(height=-1))
    assert issue.rule == "model-shape"
    assert "--input 't0=1xNx6x4'" in issue.fix


@pytest.mark.parametrize(
    ("made", "keeps", "axes", "op"),
    [
        ((1, 4), False, (1, 2), "global-avgpool"),
        ((1, 1, 1, 4), True, (-3, -2), "global-avgpool"),
        ((1, 8, 6), False, (3,), "reduce-mean"),
    ],
)
def test_a_mean_over_height_and_width_is_global(made, keeps, axes, op):
    assert ops(one("MEAN", (1, 8, 6, 4), made, integers(*axes), table="ReducerOptions", KeepDims=keeps)) == [op]


@pytest.mark.parametrize(("height", "op"), [(8, "global-avgpool"), (4, "avgpool")])
def test_an_average_over_the_whole_plane_is_global(height, op):
    options = {"StrideH": 4, "StrideW": 6, "FilterHeight": height, "FilterWidth": 6, "Padding": 1}
    made = (1, 1 if height == 8 else 2, 1, 4)
    assert ops(one("AVERAGE_POOL_2D", (1, 8, 6, 4), made, table="Pool2DOptions", **options)) == [op]


@pytest.mark.parametrize(("rows", "op"), [(1, "fc"), (7, "matmul")])
def test_a_fully_connected_layer_on_several_rows_is_a_matrix_multiplication(rows, op):
    graph = one("FULLY_CONNECTED", (1, rows, 6), (rows, 3), weights(3, 6), table="FullyConnectedOptions")
    assert ops(graph) == [op]


def test_custom_operators_keep_their_code():
    assert ops(one("CUSTOM", (1, 4), (1, 4), custom="AcmeOp")) == ["AcmeOp"]
    assert ops(one("CUSTOM", (1, 4), (1, 4), custom="add")) == ["custom.add"]
    assert ops(one("UNIQUE", (1, 4), (1, 4))) == ["UNIQUE"]


def test_weights_in_half_precision_are_folded_to_where_they_are_used():
    maker = TfliteMaker()
    x, y = maker.tensor((1, 6)), maker.tensor((1, 3))
    half = maker.tensor((3, 6), np.ones((3, 6), np.float16), tflite.TensorType.FLOAT16)
    full = maker.tensor((3, 6))
    maker.op("DEQUANTIZE", [half], [full])
    maker.op("FULLY_CONNECTED", [x, full], [y], "FullyConnectedOptions")
    graph = read(maker.write([x], [y]))
    assert ops(graph) == ["fc"]
    assert graph.folded == {"dequantize": 1}
    assert graph.tensors["t3"].dtype == "fp16"


def test_quantised_tensors_are_int8_and_quantisation_at_the_ends_remains():
    maker = TfliteMaker()
    x, y = maker.tensor((1, 6)), maker.tensor((1, 6))
    a, b = (maker.tensor((1, 6), kind=kind) for kind in (tflite.TensorType.INT8, tflite.TensorType.UINT8))
    maker.op("QUANTIZE", [x], [a])
    maker.op("TANH", [a], [b])
    maker.op("DEQUANTIZE", [b], [y])
    graph = read(maker.write([x], [y]))
    assert ops(graph) == ["quantize", "tanh", "dequantize"]
    assert graph.tensors["t2"].dtype == graph.tensors["t3"].dtype == "int8"


def test_weights_need_no_values():
    graph = one("FULLY_CONNECTED", (1, 6), (1, 3), lambda maker: maker.tensor((3, 6)), table="FullyConnectedOptions")
    assert graph.tensors["t1"].is_constant


def test_weights_without_extents_are_an_issue():
    maker = TfliteMaker()
    x, w, y = maker.tensor((1, 6)), maker.tensor(()), maker.tensor((1, 3))
    maker.op("FULLY_CONNECTED", [x, w], [y], "FullyConnectedOptions")
    assert issue_of(maker.write([x], [y])).rule == "model-weights"


def test_a_tensor_without_origin_a_cycle_and_an_empty_graph_are_issues():
    maker = TfliteMaker()
    x, nobody, y = (maker.tensor((1, 6)) for _ in range(3))
    maker.op("RELU", [nobody], [y])
    assert "made by no operator" in issue_of(maker.write([x], [y])).found
    maker = TfliteMaker()
    x, a, b = (maker.tensor((1, 6)) for _ in range(3))
    maker.op("ADD", [x, b], [a])
    maker.op("RELU", [a], [b])
    assert "cycle" in issue_of(maker.write([x], [b])).found
    maker = TfliteMaker()
    x = maker.tensor((1, 6))
    assert issue_of(maker.write([x], [x])).rule == "model-graph"


def test_an_operator_that_names_no_tensor_is_an_issue():
    maker = TfliteMaker()
    x = maker.tensor((1, 6))
    maker.op("RELU", [x], [99])
    assert issue_of(maker.write([x], [x])).rule == "model-format"


def test_values_that_do_not_fill_their_extents_are_an_issue():
    maker = TfliteMaker()
    x, w, y = maker.tensor((1, 6)), maker.tensor((3, 6), np.ones(4, np.float32)), maker.tensor((1, 3))
    maker.op("FULLY_CONNECTED", [x, w], [y], "FullyConnectedOptions")
    assert "do not fill" in issue_of(maker.write([x], [y])).found


def test_names_are_told_apart():
    maker = TfliteMaker()
    x, a, y = (maker.tensor((1, 6), name="same") for _ in range(3))
    maker.op("RELU", [x], [a])
    maker.op("ABS", [a], [y])
    assert [node.inputs for node in read(maker.write([x], [y])).nodes] == [("same",), ("same:1",)]
