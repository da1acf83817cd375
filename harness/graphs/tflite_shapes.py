"""Extents of the outputs of TFLite operators where the file leaves them open, and arithmetic on shapes.

A file states the extents of every tensor; those that depend on an open extent of an input are computed here.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]
Values = NDArray[Any]

MOST_VALUES: Final = 1024
"""Elements of the largest constant whose values are kept."""
_VALID: Final = 1
"""Number of the padding that adds nothing; any other one is "same"."""
_ALIKE: Final = frozenset(
    {"ABS", "CAST", "DEQUANTIZE", "ELU", "EXP", "GELU", "HARD_SWISH", "L2_NORMALIZATION", "LEAKY_RELU", "LOGISTIC"}
    | {"LOCAL_RESPONSE_NORMALIZATION", "LOG_SOFTMAX", "NEG", "PRELU", "QUANTIZE", "RELU", "RELU6", "RELU_0_TO_1"}
    | {"RELU_N1_TO_1", "RSQRT", "SOFTMAX", "SQRT", "SQUARE", "TANH"}
)
_VIEWS: Final = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS"})
_UNKNOWN: Final = (IndexError, KeyError, TypeError, ValueError, ZeroDivisionError)
"""What a rule raises where an operand, or a part of one, is unknown or does not fit."""


class Operands(NamedTuple):
    """Inputs and options of an operator.

    Attributes:
        shapes: extents of each input, None where absent or unknown.
        values: values of each input, None except for small constants.
        options: options of the operator.
    """

    shapes: Sequence[Shape | None]
    values: Sequence[Values | None]
    options: Mapping[str, int]

    def shape(self, place: int) -> Shape:
        """Extents of an input; ValueError where they are unknown."""
        found = self.shapes[place]
        if found is None:
            raise ValueError("extents are not known")
        return found

    def numbers(self, place: int) -> list[int]:
        """Values of an input, in one row; ValueError where they are unknown."""
        found = self.values[place]
        if found is None:
            raise ValueError("values are not known")
        return [int(value) for value in found.reshape(-1)]


def made_shape(op: str, operands: Operands, signature: Shape) -> Shape | None:
    """Extents of the first output of an operator; None where they are unknown.

    An operator without a rule is assumed to keep the first extent of its input, the batch, where the file leaves
    no other extent open.

    Args:
        op: operator of the file.
        operands: what it reads.
        signature: extents of the output, -1 where they are open.
    """
    if -1 not in signature:
        return signature
    try:
        if op in _RULES:
            return _RULES[op](operands)
        if op in _VIEWS:
            return _filled(signature, math.prod(operands.shape(0)))
    except _UNKNOWN:
        pass
    leading = next((shape[0] for shape in operands.shapes if shape), None)
    return None if leading is None or -1 in signature[1:] else (leading, *signature[1:])


def made_values(op: str, operands: Operands) -> Values | None:
    """Values of the output of arithmetic on shapes; None where they are unknown, or are many."""
    if op not in _ARITHMETIC:
        return None
    try:
        values = np.asarray(_ARITHMETIC[op](operands))
    except _UNKNOWN:
        return None
    return values if values.size <= MOST_VALUES else None


def _filled(target: Sequence[int], n_elements: int) -> Shape:
    """Extents with the one that is -1 found from the number of elements."""
    known = math.prod(extent for extent in target if extent != -1)
    if list(target).count(-1) > 1 or (known != n_elements and -1 not in target):
        raise ValueError("extents do not fit the elements")
    return tuple(n_elements // known if extent == -1 else extent for extent in target)


def _reshaped(operands: Operands) -> Shape:
    return _filled(operands.numbers(1), math.prod(operands.shape(0)))


def _joined(operands: Operands) -> Shape:
    return np.broadcast_shapes(*(operands.shape(place) for place in range(len(operands.shapes))))


def _slid(operands: Operands, kernel: Sequence[int], channels: int) -> Shape:
    """Extents after a window of some height and width."""
    batch, *plane, _ = operands.shape(0)
    options = operands.options
    made = []
    for extent, taps, axis in zip(plane, kernel, ("H", "W"), strict=True):
        reach = (taps - 1) * options.get(f"Dilation{axis}Factor", 1) + 1
        usable = extent - reach + 1 if options["Padding"] == _VALID else extent
        made.append(-(-usable // options[f"Stride{axis}"]))
    return (batch, *made, channels)


def _convolved(operands: Operands) -> Shape:
    channels, height, width, _ = operands.shape(1)
    return _slid(operands, (height, width), channels)


def _convolved_by_channel(operands: Operands) -> Shape:
    _, height, width, channels = operands.shape(1)
    return _slid(operands, (height, width), channels)


def _pooled(operands: Operands) -> Shape:
    kernel = (operands.options["FilterHeight"], operands.options["FilterWidth"])
    return _slid(operands, kernel, operands.shape(0)[-1])


def _connected(operands: Operands) -> Shape:
    read, (rows, columns) = operands.shape(0), operands.shape(1)
    if operands.options.get("KeepNumDims"):
        return (*read[:-1], rows)
    return (math.prod(read) // columns, rows)


def _concatenated(operands: Operands) -> Shape:
    shapes = [operands.shape(place) for place in range(len(operands.shapes))]
    axis = operands.options["Axis"] % len(shapes[0])
    return (*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :])


def _reduced(operands: Operands) -> Shape:
    read = operands.shape(0)
    axes = {axis % len(read) for axis in operands.numbers(1)}
    if operands.options.get("KeepDims"):
        return tuple(1 if axis in axes else extent for axis, extent in enumerate(read))
    return tuple(extent for axis, extent in enumerate(read) if axis not in axes)


def _padded(operands: Operands) -> Shape:
    added = operands.numbers(1)
    return tuple(extent + sum(added[2 * axis : 2 * axis + 2]) for axis, extent in enumerate(operands.shape(0)))


def _resized(operands: Operands) -> Shape:
    batch, _, _, channels = operands.shape(0)
    height, width = operands.numbers(1)
    return (batch, height, width, channels)


_RULES: Final[Mapping[str, Callable[[Operands], Shape]]] = {
    **dict.fromkeys(_ALIKE, lambda operands: operands.shape(0)),
    **dict.fromkeys(("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "POW"), _joined),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"), _pooled),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX"), _reduced),
    **dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD"), _padded),
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), _resized),
    "CONCATENATION": _concatenated,
    "CONV_2D": _convolved,
    "DEPTHWISE_CONV_2D": _convolved_by_channel,
    "FULLY_CONNECTED": _connected,
    "RESHAPE": _reshaped,
    "TRANSPOSE": lambda operands: tuple(operands.shape(0)[axis] for axis in operands.numbers(1)),
    "TRANSPOSE_CONV": lambda operands: tuple(operands.numbers(0)),
}


def _known(operands: Operands) -> list[Values]:
    values = [value for value in operands.values if value is not None]
    if len(values) < len(operands.values):
        raise ValueError("values are not known")
    return values


def _gathered(operands: Operands) -> Values:
    values, places = _known(operands)
    return np.asarray(np.take(values, places, axis=operands.options.get("Axis", 0)))


def _strided(operands: Operands) -> Values:
    """A part of a vector; a mask at its first axis leaves out the begin or the end, or takes a single element."""
    options = operands.options
    values, begin, end, stride = _known(operands)
    if values.ndim != 1 or options["EllipsisMask"] or options["NewAxisMask"]:
        raise ValueError("no part of a vector")
    first, last = (int(numbers.reshape(-1)[0]) for numbers in (begin, end))
    if options["ShrinkAxisMask"]:
        return np.asarray(values[first])
    chosen = slice(None if options["BeginMask"] else first, None if options["EndMask"] else last, int(stride[0]))
    return np.asarray(values[chosen])


_ARITHMETIC: Final[Mapping[str, Callable[[Operands], Values]]] = {
    "ADD": lambda operands: np.asarray(np.add(*_known(operands))),
    "CAST": lambda operands: _known(operands)[0],
    "CONCATENATION": lambda operands: np.concatenate(_known(operands), axis=operands.options["Axis"]),
    "EXPAND_DIMS": lambda operands: np.expand_dims(_known(operands)[0], int(_known(operands)[1].reshape(-1)[0])),
    "GATHER": _gathered,
    "MUL": lambda operands: np.asarray(np.multiply(*_known(operands))),
    "PACK": lambda operands: np.stack(_known(operands), axis=operands.options["Axis"]),
    "RESHAPE": lambda operands: _known(operands)[0].reshape(operands.numbers(1)),
    "SHAPE": lambda operands: np.array(operands.shape(0), np.int64),
    "SQUEEZE": lambda operands: np.squeeze(_known(operands)[0]),
    "STRIDED_SLICE": _strided,
    "SUB": lambda operands: np.asarray(np.subtract(*_known(operands))),
}
"""Operators that converters use for arithmetic on shapes."""
