"""Operators of ONNX as operators of a graph: canonical name, operands and window."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from harness.graphs.graph import Node, Window
from harness.graphs.onnx_dtypes import bytes_of
from harness.graphs.onnx_settings import matrices_of, settings_of, states_of
from harness.graphs.onnx_tensors import Tensors
from harness.graphs.operators import FIRST_ONLY, OPERATORS, VARIADIC, VIEWS, WINDOWED, canonical_names

_CANONICAL: Final = canonical_names(lambda operator: operator.onnx)
_OF_ONNX_RUNTIME: Final = canonical_names(lambda operator: operator.onnx_runtime)
"""Operators of the domain com.microsoft."""
_OPERANDS: Final[Mapping[str, tuple[int, ...]]] = {
    "ConvInteger": (0, 1),
    "DequantizeLinear": (0,),
    "DynamicQuantizeLSTM": (0, 1, 2, 3, 5, 6, 7),
    "DynamicQuantizeLinear": (0,),
    "DynamicQuantizeMatMul": (0, 1, 4),
    "GatherBlockQuantized": (0, 1),
    "MatMulBnb4": (0, 1),
    "MatMulInteger": (0, 1),
    "MatMulIntegerToFloat": (0, 1, 6),
    "MatMulNBits": (0, 1, 5),
    "QAttention": (0, 1, 2),
    "QGemm": (0, 3, 6),
    "QLinearAdd": (0, 3),
    "QLinearAveragePool": (0,),
    "QLinearConv": (0, 3, 8),
    "QLinearGlobalAveragePool": (0,),
    "QLinearLeakyRelu": (0,),
    "QLinearMatMul": (0, 3),
    "QLinearMul": (0, 3),
    "QLinearSigmoid": (0,),
    "QLinearSoftmax": (0,),
    "QuantizeLinear": (0,),
}
"""Places of the operands among the inputs, where scales and zero points stand between them."""
_BESIDE: Final[Mapping[str, tuple[int, ...]]] = {
    "ConvInteger": (3,),
    "DynamicQuantizeLSTM": (8, 9, 10, 11),
    "DynamicQuantizeMatMul": (2, 3),
    "GatherBlockQuantized": (2, 3),
    "MatMulBnb4": (2,),
    "MatMulInteger": (3,),
    "MatMulIntegerToFloat": (3, 5),
    "MatMulNBits": (2, 3, 4),
    "QAttention": (4, 7),
    "QGemm": (4, 5),
    "QLinearConv": (4, 5),
    "QLinearMatMul": (4, 5),
}
"""Places of the scales and zero points of weights among the inputs."""
_UNBOUNDED: Final = float(np.finfo(np.float32).max)


def canonical_name(node: onnx.NodeProto) -> str | None:
    """Canonical name of an operator by its name alone; None where it has none."""
    if not node.domain:
        return _CANONICAL.get(node.op_type)
    return _OF_ONNX_RUNTIME.get(node.op_type) if node.domain == "com.microsoft" else None


def file_name(node: onnx.NodeProto) -> str:
    """Name of an operator in the file, with its domain unless it is a standard operator.

    One that bears a canonical name has `custom.` before it, because what it does is unknown.
    """
    if node.domain:
        return f"{node.domain}.{node.op_type}"
    return f"custom.{node.op_type}" if node.op_type in OPERATORS else node.op_type


def as_node(node: onnx.NodeProto, name: str, captured: tuple[str, ...], known: Tensors, batch: int) -> Node:
    """An operator as the graph has it.

    Args:
        node: operator of the file.
        name: its name in the graph.
        captured: tensors of the network that its bodies read.
        known: tensors, those that it makes among them.
        batch: batch of the network.
    """
    states = states_of(node) & known.constants
    operands = _operands(node)
    inputs = (*(operands if not states else (name for name in operands if name not in states)), *captured)
    outputs = tuple(filter(None, node.output))
    canonical = canonical_name(node)
    op = canonical or file_name(node)
    window = _window(node, op, inputs, known)
    if op == "clip":
        op = _clip_name(node, known)
    elif op == "resize" and _is_of_nearest(node):
        op = "resize-nearest"
    elif _is_alone(op, inputs, outputs):
        op = "identity"
    elif _covers_all(op, window, inputs, outputs, known) or _reduces_plane(op, node, inputs, known, least_rank=4):
        op = "global-avgpool"
    elif op == "matmul" and _is_one_row(node, inputs, known, batch):
        op = "fc"
    if op in FIRST_ONLY:
        inputs = inputs[:1]
    if op in VIEWS:
        outputs = outputs[:1]
    matrices, settings = ((), {}) if canonical is None else (matrices_of(node), settings_of(node, known))
    if _reduces_plane(op, node, inputs, known, least_rank=3):
        settings = {**settings, "is_over_width": 1}
    scales = _at(node, _BESIDE.get(node.op_type, ()))
    beside = sum([bytes_of(known.shape(name), known.stored(name)) for name in scales])
    return Node(name, op, inputs, outputs, window if op in WINDOWED else None, matrices, settings, beside)


def _is_of_nearest(node: onnx.NodeProto) -> bool:
    """Whether a change of the plane copies the nearest element, as it does where the file states no mode."""
    mode = _attribute(node, "mode")
    return mode is None or mode.s == b"nearest"


def _is_alone(op: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> bool:
    """Whether an operator that joins or splits has one tensor on either side."""
    return (op in VARIADIC and len(inputs) == 1) or (op == "split" and len(outputs) == 1)


def _operands(node: onnx.NodeProto) -> tuple[str, ...]:
    """Inputs, without scales, zero points and absent ones."""
    if node.domain == "com.microsoft" and node.op_type == "QLinearConcat":
        return tuple(name for name in node.input[2::3] if name)
    places = _OPERANDS.get(node.op_type)
    return tuple(filter(None, node.input)) if places is None else _at(node, places)


def _at(node: onnx.NodeProto, places: Iterable[int]) -> tuple[str, ...]:
    """Inputs at some places, without absent ones."""
    return tuple([node.input[place] for place in places if place < len(node.input) and node.input[place]])


def _attribute(node: onnx.NodeProto, name: str) -> onnx.AttributeProto | None:
    return next((attribute for attribute in node.attribute if attribute.name == name), None)


def _integers(node: onnx.NodeProto, name: str) -> tuple[int, ...]:
    found = _attribute(node, name)
    return () if found is None else tuple(found.ints)


def _window(node: onnx.NodeProto, op: str, inputs: tuple[str, ...], known: Tensors) -> Window | None:
    """Window of a convolution or pooling; all spatial dimensions but the last are multiplied into its height."""
    if op not in WINDOWED:
        return None
    # Of two of one name, the first counts.
    attributes = {attribute.name: attribute for attribute in reversed(node.attribute)}
    kernel, strides, dilations = (
        tuple(attributes[name].ints) if name in attributes else () for name in ("kernel_shape", "strides", "dilations")
    )
    if not kernel and len(inputs) > 1:
        kernel = (known.shape(inputs[1]) or ())[2:]
    if not kernel:
        return None
    rank = len(kernel)
    strides, dilations = strides or (1,) * rank, dilations or (1,) * rank
    if len(strides) != rank or len(dilations) != rank:
        return None
    return Window(
        (math.prod(kernel[:-1]), kernel[-1]),
        (math.prod(strides[:-1]), strides[-1]),
        (max(dilations[:-1], default=1), dilations[-1]),
        attributes["group"].i if "group" in attributes else 1,
        rank,
    )


def _clip_name(node: onnx.NodeProto, known: Tensors) -> str:
    lower, upper = (_limit(node, place, name, known) for place, name in ((1, "min"), (2, "max")))
    if lower is None and upper is None:
        return "identity"
    if lower == 0 and upper == 6:
        return "relu6"
    return "relu" if lower == 0 and upper is None else "clip"


def _limit(node: onnx.NodeProto, place: int, name: str, known: Tensors) -> float | None:
    """Limit of a Clip; None where it has none, NaN where it is unknown."""
    attribute = _attribute(node, name)
    if place < len(node.input) and node.input[place]:
        value = known.value(node.input[place])
        limit = math.nan if value is None or value.size != 1 else float(value.reshape(()))
    elif attribute is not None:
        limit = attribute.f
    else:
        return None
    return None if abs(limit) >= _UNBOUNDED else limit


def _is_one_row(node: onnx.NodeProto, inputs: tuple[str, ...], known: Tensors, batch: int) -> bool:
    """Whether a matrix multiplication has a constant matrix and, for each inference, one row."""
    if len(inputs) < 2 or inputs[0] in known.constants or inputs[1] not in known.constants:
        return False
    rows, matrix = known.shape(inputs[0]), known.shape(inputs[1])
    if not rows or matrix is None or len(matrix) != 2:
        return False
    transposed = _attribute(node, "transA")
    leading = rows[-1:] if transposed is not None and transposed.i else rows[:-1]
    return math.prod(leading) in (1, batch) and math.prod(leading[1:]) == 1


def _covers_all(
    op: str, window: Window | None, inputs: tuple[str, ...], outputs: tuple[str, ...], known: Tensors
) -> bool:
    """Whether an average is that of the whole plane: exporters write means over height and width this way."""
    if op != "avgpool" or window is None:
        return False
    read, made = (known.shape(names[0]) if names else None for names in (inputs, outputs))
    if read is None or made is None or len(read) != window.rank + 2:
        return False
    plane = (math.prod(read[2:-1]), read[-1])
    return window.kernel == plane and math.prod(made[2:]) == 1


def _reduces_plane(op: str, node: onnx.NodeProto, inputs: tuple[str, ...], known: Tensors, *, least_rank: int) -> bool:
    """Whether a mean is over all dimensions but batch and channels; with three, channels may be tokens."""
    read = known.shape(inputs[0]) if inputs and op == "reduce-mean" else None
    if read is None or len(read) < least_rank:
        return False
    stated: NDArray[Any] | None = known.value(inputs[1]) if len(inputs) > 1 else None
    axes = _integers(node, "axes") if stated is None else tuple(stated.reshape(-1).tolist())
    return {axis + len(read) if axis < 0 else axis for axis in axes} == set(range(2, len(read)))
