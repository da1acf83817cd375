"""Extents that the onnx package infers otherwise than runtimes compute them, put right.

Source:
    ONNX operators: ConvTranspose ("output_shape[i] = input_shape[i] * strides[i]" where auto_pad is SAME_UPPER or
    SAME_LOWER), STFT (onesided is 1 by default).
"""

from collections.abc import Callable, Mapping

import onnx
from onnx import TypeProto, helper

Shape = tuple[int, ...]


def as_inferred(node: onnx.NodeProto) -> onnx.NodeProto:
    """The operator as shape inference has to see it: with the defaults that it does not know."""
    if node.op_type != "STFT" or any(attribute.name == "onesided" for attribute in node.attribute):
        return node
    explicit = onnx.NodeProto()
    explicit.CopyFrom(node)
    explicit.attribute.append(helper.make_attribute("onesided", 1))
    return explicit


def corrected(
    node: onnx.NodeProto, found: Mapping[str, TypeProto], shape: Callable[[str], Shape | None]
) -> Mapping[str, TypeProto]:
    """Types of the outputs of an operator, with the extents that it makes.

    Args:
        node: operator.
        found: types that shape inference found.
        shape: extents of a tensor that it reads; None where they are unknown.
    """
    if node.op_type != "ConvTranspose":
        return found
    attributes = {attribute.name: attribute for attribute in node.attribute}
    pads = attributes["auto_pad"].s if "auto_pad" in attributes else b""
    if pads not in (b"SAME_UPPER", b"SAME_LOWER") or "output_shape" in attributes:
        return found
    read, weights = (shape(name) for name in node.input[:2])
    if read is None or weights is None or len(read) < 3:
        return found
    group = attributes["group"].i if "group" in attributes else 1
    strides = tuple(attributes["strides"].ints) if "strides" in attributes else (1,) * (len(read) - 2)
    plane = (extent * stride for extent, stride in zip(read[2:], strides, strict=True))
    elements = found[node.output[0]].tensor_type.elem_type
    made = (read[0], weights[1] * group, *plane)
    return {**found, node.output[0]: helper.make_tensor_type_proto(elements, made)}
