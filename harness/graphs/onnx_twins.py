"""Quantised and fused operators of ONNX Runtime that are standard operators on some of their operands."""

from collections.abc import Mapping
from typing import Final

import onnx

TWINS: Final[Mapping[str, tuple[str, tuple[int, ...]]]] = {
    "FusedConv": ("Conv", (0, 1, 2)),
    "FusedGemm": ("Gemm", (0, 1, 2)),
    "QGemm": ("Gemm", (0, 3)),
    "QLinearAdd": ("Add", (0, 3)),
    "QLinearAveragePool": ("AveragePool", (0,)),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", (0,)),
    "QLinearLeakyRelu": ("LeakyRelu", (0,)),
    "QLinearMul": ("Mul", (0, 3)),
    "QLinearSigmoid": ("Sigmoid", (0,)),
    "QLinearSoftmax": ("Softmax", (0,)),
}
"""Operators of ONNX Runtime that are standard ones: which, and the places of the operands."""


def twin_of(node: onnx.NodeProto) -> onnx.NodeProto:
    """A quantised operator of ONNX Runtime as the standard operator on the same operands."""
    op, places = TWINS[node.op_type]
    twin = onnx.NodeProto(op_type=op, name=node.name, output=node.output)
    twin.input.extend(node.input[place] for place in places if place < len(node.input))
    schema = onnx.defs.get_schema(op)
    twin.attribute.extend(attribute for attribute in node.attribute if attribute.name in schema.attributes)
    return twin
