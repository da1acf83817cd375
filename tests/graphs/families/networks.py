"""Kernel lists of built networks, as the tests of this folder ask for them."""

from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.schema.networks import configuration_of


def list_of(model, runtime="tflite-cpu"):
    return kernel_list(graph_of_onnx(model, model.graph.name), read_runtime(runtime))


def kernels_of(model):
    return [configuration_of(kernel) for kernel in list_of(model).kernels]
