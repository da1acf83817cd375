"""Extents that the onnx package infers otherwise than runtimes compute them."""

import numpy as np
import pytest

from harness.graphs.onnx_reader import graph_of_onnx
from tests.graphs.models import info, node, number, onnx_model, weight


def made(nodes, shape, weights, opset=17):
    graph = graph_of_onnx(onnx_model(nodes, [info("x", shape)], weights=weights, opset=opset), "small.onnx")
    return graph.tensors["y"].shape


@pytest.mark.parametrize("padding", ["SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("settings", [{"output_padding": [1, 1]}, {}, {"kernel_shape": [3, 3]}])
def test_a_transposed_convolution_that_pads_to_same_makes_its_input_times_its_stride(padding, settings):
    transposed = node("ConvTranspose", "x w", "y", auto_pad=padding, strides=[2, 3], group=2, **settings)
    assert made([transposed], (1, 4, 5, 6), [weight("w", (4, 3, 3, 3))]) == (1, 6, 10, 18)


def test_other_transposed_convolutions_are_inferred_as_they_are():
    transposed = node("ConvTranspose", "x w", "y", strides=[2, 2], output_padding=[1, 1])
    assert made([transposed], (1, 2, 3, 3), [weight("w", (2, 1, 3, 3))]) == (1, 1, 8, 8)


@pytest.mark.parametrize(("settings", "n"), [({}, 9), ({"onesided": 1}, 9), ({"onesided": 0}, 16)])
def test_a_short_fourier_transform_is_of_one_side_unless_it_says_otherwise(settings, n):
    transform = node("STFT", "x step window", "y", **settings)
    weights = [number("step", 8, np.int64), weight("window", (16,))]
    assert made([transform], (1, 128, 1), weights) == (1, 15, n, 2)
