"""Kernel lists of built networks, and their costs counted without them, as the tests of this folder ask for them."""

import math
from functools import cache
from typing import NamedTuple

import onnx

from harness.graphs.families.variants import Variant
from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.schema.networks import configuration_of


class Costs(NamedTuple):
    """Multiply-accumulates of convolutions and matrix products, and trained parameters."""

    macs: int
    params: int


def list_of(model, runtime="tflite-cpu"):
    return kernel_list(graph_of_onnx(model, model.graph.name), read_runtime(runtime))


@cache
def variant_list(family, name):
    """Kernel list of a variant; the same one for every test that asks."""
    return list_of(Variant.named(family, name).build())


@cache
def variant_costs(family, name):
    """Costs of a variant; the same ones for every test that asks."""
    return costs_of(Variant.named(family, name).build())


def kernels_of(model):
    return [configuration_of(kernel) for kernel in list_of(model).kernels]


def costs_of(model):
    """Costs from the operators and extents of the file alone, as ONNX infers them; the reader takes no part in it."""
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    tensors = (*graph.input, *graph.value_info, *graph.output)
    extents = {info.name: [dim.dim_value for dim in info.type.tensor_type.shape.dim] for info in tensors}
    elements = {name: math.prod(shape) for name, shape in extents.items()}
    weights = {name for name in elements if name.startswith(("weight_", "constantofshape_"))}
    macs, statistics = 0, 0
    for node in graph.node:
        match node.op_type:
            case "Conv":
                macs += elements[node.output[0]] * elements[node.input[1]] // extents[node.input[1]][0]
            case "Gemm" | "MatMul":
                macs += elements[node.output[0]] * extents[node.input[0]][-1]
            case "BatchNormalization":
                statistics += sum(elements[name] for name in node.input[3:])
    return Costs(macs, sum(elements[name] for name in weights) - statistics)
