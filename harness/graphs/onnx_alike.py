"""When two operators of an ONNX network make tensors of the same types and extents.

Networks repeat their blocks, and shape inference takes longer than anything else that is done with an operator.
"""

from collections.abc import Callable, Container
from typing import Final

import onnx

BY_EXTENTS: Final = frozenset(
    {"Add", "BatchNormalization", "Clip", "Conv", "ConvTranspose", "DequantizeLinear", "Div", "Gemm", "LeakyRelu"}
    | {"InstanceNormalization", "LayerNormalization", "MatMul", "Mul", "PRelu", "Pow", "QLinearConv", "QLinearMatMul"}
    | {"QuantizeLinear", "Sub"}
)
"""Operators whose outputs have types and extents that follow from those of their operands, whatever the values."""

Signature = tuple[int, tuple[int, ...]]
"""Type of the elements and extents of a tensor."""
ABSENT: Final[Signature] = (-1, ())
"""Signature of the empty name, which stands for an absent operand."""
Alike = tuple[str, tuple[bytes, ...], tuple[Signature | None, ...], tuple[bool, ...]]
"""Name, attributes, operands and outputs of an operator; two of which these are equal make the same."""


def alike(node: onnx.NodeProto, signature: Callable[[str], Signature | None], valued: Container[str]) -> Alike | None:
    """What the types and extents that an operator makes follow from; None where it is more than this, or unknown.

    Args:
        node: operator that reads nothing but its operands.
        signature: signature of a tensor; None where its extents are unknown.
        valued: tensors whose values are known.
    """
    op, names = node.op_type, tuple(node.input)
    operands = tuple(map(signature, names))
    if node.domain or None in operands or (op not in BY_EXTENTS and any(name in valued for name in names)):
        return None
    attributes = tuple([attribute.SerializeToString() for attribute in node.attribute])
    return op, attributes, operands, tuple(map(bool, node.output))
