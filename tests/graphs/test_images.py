"""Tensors of three extents: images of height 1 around a convolution, tokens everywhere else."""

import numpy as np
import pytest
import tflite

from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.graphs.tflite_reader import graph_of_tflite
from tests.graphs.models import TfliteMaker, info, node, numbers, onnx_model, weight

ORT, TFLITE = read_runtime("onnxruntime-cpu"), read_runtime("tflite-cpu")
TOKENS = [info("x", (1, 197, 384)), info("z", (1, 197, 384))]


def kernels_of(*nodes, inputs=TOKENS, weights=()):
    read = {name for one in nodes for name in one.input}
    asked = [each for each in inputs if each.name in read]
    graph = graph_of_onnx(onnx_model(nodes, asked, weights=weights, opset=17), "net.onnx")
    return kernel_list(graph, ORT).kernels


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_a_mean_of_tokens_is_no_pooling(axis):
    (found,) = kernels_of(node("ReduceMean", "x", "y", axes=[axis]))
    assert (found.operator, found.kernel, found.flops) == ("reduce-mean", None, 197 * 384)


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Conv", "x w", "c", kernel_shape=[3])],
        [node("Conv", "x w", "a", kernel_shape=[3]), node("Relu", "a", "c")],
        [node("Conv", "x w", "a", kernel_shape=[3]), node("Add", "a a", "b"), node("Split", "b", "c d", axis=1)],
    ],
)
def test_a_mean_over_the_width_of_a_convolution_is_a_pooling(nodes):
    inputs = [info("x", (1, 8, 100))]
    *_, found = kernels_of(
        *nodes, node("ReduceMean", "c", "y", axes=[2]), inputs=inputs, weights=[weight("w", (6, 8, 3))]
    )
    assert (found.kernel, found.input_h, found.input_w) == ("global-avgpool", 1, 98)
    assert found.cin == (3 if nodes[-1].op_type == "Split" else 6)


def test_a_mean_of_a_flattened_plane_is_a_pooling_and_tokens_that_are_made_of_it_are_none():
    nodes = [
        node("Conv", "x w", "c", kernel_shape=[2, 2], strides=[2, 2]),
        node("Reshape", "c s", "f"),
        node("ReduceMean", "f", "m", axes=[2]),
        node("Transpose", "f", "t", perm=[0, 2, 1]),
        node("ReduceMean", "t", "n", axes=[2]),
        node("Concat", "m m", "o", axis=1),
        node("Concat", "n n", "p", axis=1),
    ]
    weights = [weight("w", (6, 4, 2, 2)), numbers("s", 1, 6, -1)]
    graph = graph_of_onnx(
        onnx_model(nodes, [info("x", (1, 4, 8, 6))], [info("o", None), info("p", None)], weights, opset=17), "net.onnx"
    )
    found = [each.kernel or each.operator for each in kernel_list(graph, ORT).kernels]
    assert found.count("global-avgpool") == 1
    assert found.count("reduce-mean") == 1


@pytest.mark.parametrize(
    ("nodes", "kernel", "extents"),
    [
        ([node("Add", "x z", "y")], "add", (1, 197, 384, None)),
        ([node("Relu", "x", "y")], "relu", (1, 197, 384, None)),
        ([node("Concat", "x z", "y", axis=2)], "concat", (1, 197, 384, 384)),
        ([node("Concat", "x z", "y", axis=1)], None, (None, None, None, None)),
        ([node("Split", "x", "y q", axis=2), node("Add", "y q", "r")], "split", (1, 197, 384, None)),
    ],
)
def test_tokens_have_their_features_last(nodes, kernel, extents):
    found = kernels_of(*nodes)[0]
    assert (found.kernel, (found.input_h, found.input_w, found.cin, found.cin2)) == (kernel, extents)


def test_images_of_one_dimension_have_their_channels_first():
    nodes = [node("Relu", "x", "a"), node("Conv", "a w", "c", kernel_shape=[1]), node("Concat", "c c", "y", axis=1)]
    inputs = [info("x", (1, 8, 100))]
    clamp, layer, joined = kernels_of(*nodes, inputs=inputs, weights=[weight("w", (6, 8, 1))])
    assert (clamp.kernel, clamp.cin, clamp.input_w) == ("relu", 8, 100)
    assert (layer.kernel, layer.cin, layer.cout) == ("conv-bn-relu", 8, 6)
    assert joined.operator == "concat"


def test_a_factor_for_each_feature_of_tokens_is_no_batch_normalisation():
    (found,) = kernels_of(node("Mul", "x g", "y"), weights=[weight("g", (384,))])
    assert (found.operator, found.kernel, found.function) == ("scale", "elementwise", "mul")
    assert (found.rows, found.cin) == (197, 384)


@pytest.mark.parametrize("has_convolution", [False, True])
def test_a_mean_over_the_middle_extent_of_tflite_pools_only_behind_a_convolution(has_convolution):
    maker = TfliteMaker()
    x = maker.tensor((1, 1, 100, 8) if has_convolution else (1, 100, 8))
    read = x
    if has_convolution:
        made, read = maker.tensor((1, 1, 100, 8)), maker.tensor((1, 100, 8))
        window = {"StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1, "Padding": 0}
        maker.op("CONV_2D", [x, maker.weight(8, 1, 3, 8), maker.weight(8)], [made], "Conv2DOptions", **window)
        maker.op("SQUEEZE", [made], [read])
    y = maker.tensor((1, 8))
    maker.op(
        "MEAN", [read, maker.tensor((1,), np.array([1], np.int32), tflite.TensorType.INT32)], [y], "ReducerOptions"
    )
    *_, found = kernel_list(graph_of_tflite(maker.write([x], [y]), "net.tflite"), TFLITE).kernels
    assert found.kernel == ("global-avgpool" if has_convolution else None)


def test_tokens_of_tflite_that_come_from_patches_are_no_image():
    maker = TfliteMaker()
    x, made, read, mixed = (maker.tensor(shape) for shape in [(1, 1, 100, 8), (1, 1, 100, 8), (1, 100, 8), (1, 100, 8)])
    window = {"StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1, "Padding": 0}
    maker.op("CONV_2D", [x, maker.weight(8, 1, 3, 8), maker.weight(8)], [made], "Conv2DOptions", **window)
    maker.op("SQUEEZE", [made], [read])
    layer, y = maker.tensor((1, 100, 8)), maker.tensor((1, 8))
    maker.op(
        "FULLY_CONNECTED",
        [read, maker.weight(8, 8), maker.weight(8)],
        [layer],
        "FullyConnectedOptions",
        KeepNumDims=True,
    )
    maker.op("ADD", [read, layer], [mixed], "AddOptions")
    maker.op(
        "MEAN", [mixed, maker.tensor((1,), np.array([1], np.int32), tflite.TensorType.INT32)], [y], "ReducerOptions"
    )
    *_, found = kernel_list(graph_of_tflite(maker.write([x], [y]), "net.tflite"), TFLITE).kernels
    assert (found.operator, found.kernel) == ("reduce-mean", None)
