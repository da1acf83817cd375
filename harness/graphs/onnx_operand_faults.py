"""Operands of an ONNX operator that contradict each other or its attributes, which shape inference does not check."""

from collections.abc import Callable, Mapping
from typing import Final

import onnx

Shape = tuple[int, ...]
ShapeOf = Callable[[str], Shape | None]

_GATES: Final[Mapping[str, int]] = {"GRU": 3, "LSTM": 4, "RNN": 1}


def contradiction_of(node: onnx.NodeProto, shape_of: ShapeOf) -> str:
    """What contradicts what; empty where nothing does, or where extents are unknown.

    Args:
        node: operator of the file.
        shape_of: extents of a tensor; None where they are unknown.
    """
    rule = _RULES.get((node.domain, node.op_type))
    return "" if rule is None else rule(node, [shape_of(name) if name else None for name in node.input])


def counted_fault(node: onnx.NodeProto) -> str:
    """What is wrong with a stated number of outputs; shape inference would reserve memory for all of them."""
    stated = [attribute.i for attribute in node.attribute if attribute.name == "num_outputs"]
    return "" if all(n == len(node.output) for n in stated) else "the number of outputs is not the stated one"


def _attributes(node: onnx.NodeProto) -> dict[str, onnx.AttributeProto]:
    # Of two of one name, the first counts.
    return {attribute.name: attribute for attribute in reversed(node.attribute)}


def _shown(shape: Shape) -> str:
    return "x".join(map(str, shape))


def _of_convolution(node: onnx.NodeProto, shapes: list[Shape | None]) -> str:
    if len(shapes) < 2:
        return ""
    read, weights = shapes[0], shapes[1]
    attributes = _attributes(node)
    window = tuple(attributes["kernel_shape"].ints) if "kernel_shape" in attributes else ()
    if weights is not None and window and len(weights) == len(window) + 2 and weights[2:] != window:
        return f"kernel_shape {_shown(window)}, and weights of {_shown(weights[2:])}"
    if read is None or weights is None or len(read) < 3 or len(weights) != len(read):
        return ""
    groups = attributes["group"].i if "group" in attributes else 1
    taken = weights[0] if node.op_type == "ConvTranspose" else weights[1] * groups
    return "" if read[1] == taken else f"{read[1]} channels, and weights for {taken}"


def _of_recurrence(node: onnx.NodeProto, shapes: list[Shape | None]) -> str:
    """The input against its matrix, and the state against both."""
    if len(shapes) < 3:
        return ""
    read, weights, recurrent = shapes[:3]
    attributes, gates = _attributes(node), _GATES[node.op_type]
    if recurrent is not None and len(recurrent) == 3:
        state = attributes["hidden_size"].i if "hidden_size" in attributes else recurrent[2]
        if recurrent[1:] != (gates * state, state):
            return f"a state of {state}, and recurrent weights of {_shown(recurrent)}"
        if weights is not None and len(weights) == 3 and weights[1] != gates * state:
            return f"a state of {state}, and weights of {_shown(weights)}"
    if read is None or weights is None or len(read) != 3 or len(weights) != 3 or read[2] == weights[2]:
        return ""
    return f"{read[2]} inputs of a step, and weights for {weights[2]}"


def _of_contraction(node: onnx.NodeProto, shapes: list[Shape | None]) -> str:
    """One label has one extent; one of 1 is repeated."""
    attributes = _attributes(node)
    equation = attributes["equation"].s.decode(errors="replace") if "equation" in attributes else ""
    operands = equation.replace(" ", "").partition("->")[0].split(",")
    extents: dict[str, int] = {}
    for labels, shape in zip(operands, shapes, strict=False):
        if shape is None or "." in labels or len(labels) != len(shape):
            continue
        for label, extent in zip(labels, shape, strict=True):
            if extent != 1 and extents.setdefault(label, extent) != extent:
                return f"{label} of {equation} is {extents[label]} and {extent}"
    return ""


def _of_packed_product(node: onnx.NodeProto, shapes: list[Shape | None]) -> str:
    attributes, read = _attributes(node), shapes[0] if shapes else None
    if not read or "K" not in attributes or read[-1] == attributes["K"].i:
        return ""
    return f"K of {attributes['K'].i}, and rows of {read[-1]} elements"


_RULES: Final[Mapping[tuple[str, str], Callable[[onnx.NodeProto, list[Shape | None]], str]]] = {
    ("", "Conv"): _of_convolution,
    ("", "ConvInteger"): _of_convolution,
    ("", "ConvTranspose"): _of_convolution,
    ("", "Einsum"): _of_contraction,
    ("", "GRU"): _of_recurrence,
    ("", "LSTM"): _of_recurrence,
    ("", "RNN"): _of_recurrence,
    ("com.microsoft", "MatMulBnb4"): _of_packed_product,
    ("com.microsoft", "MatMulFpQ4"): _of_packed_product,
    ("com.microsoft", "MatMulNBits"): _of_packed_product,
}
