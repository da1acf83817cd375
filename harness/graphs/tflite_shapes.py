"""Extents of the outputs of TFLite operators where the file leaves them open.

A file states the extents of every tensor; those that depend on an open extent of an input are computed here.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]
Values = NDArray[Any]

_VALID: Final = 1
"""Number of the padding that adds nothing; any other one is "same"."""
_ALIKE: Final = frozenset(
    {"ABS", "CAST", "CEIL", "COS", "CUMSUM", "DEQUANTIZE", "ELU", "EXP", "FLOOR", "GELU", "HARD_SWISH", "LEAKY_RELU"}
    | {"L2_NORMALIZATION", "LOCAL_RESPONSE_NORMALIZATION", "LOG", "LOGICAL_NOT", "LOGISTIC", "LOG_SOFTMAX", "NEG"}
    | {"PRELU", "QUANTIZE", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "REVERSE_SEQUENCE", "REVERSE_V2", "ROUND"}
    | {"RSQRT", "SIGN", "SIN", "SOFTMAX", "SQRT", "SQUARE", "TANH", "ZEROS_LIKE"}
)
_JOINING: Final = frozenset(
    {
        "ADD",
        "ADD_N",
        "ATAN2",
        "DIV",
        "EQUAL",
        "FLOOR_DIV",
        "FLOOR_MOD",
        "GREATER",
        "GREATER_EQUAL",
        "LESS",
        "LESS_EQUAL",
    }
    | {"LOGICAL_AND", "LOGICAL_OR", "MAXIMUM", "MINIMUM", "MUL", "NOT_EQUAL", "POW", "SELECT_V2", "SQUARED_DIFFERENCE"}
    | {"SUB"}
)
_REDUCING: Final = frozenset({"MEAN", "REDUCE_ALL", "REDUCE_ANY", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "SUM"})
_EVERY_OUTPUT: Final = frozenset({"SPLIT", "SPLIT_V", "TOPK_V2", "UNPACK"})
"""Operators of which the rule is about every output; that of others is about the first."""
UNKNOWN: Final = (IndexError, KeyError, TypeError, ValueError, ZeroDivisionError)
"""What a rule raises where an operand, or a part of one, is unknown or does not fit."""


class Operands(NamedTuple):
    """Inputs and options of an operator.

    Attributes:
        shapes: extents of each input, None where absent or unknown.
        values: values of each input, None except for small constants.
        options: options of the operator.
        axes: axes that a squeeze leaves out; all of extent 1 where it states none.
    """

    shapes: Sequence[Shape | None]
    values: Sequence[Values | None]
    options: Mapping[str, int]
    axes: tuple[int, ...] = ()

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


def made_shape(op: str, operands: Operands, signature: Shape, place: int = 0) -> Shape | None:
    """Extents of an output of an operator; None where they are unknown.

    An operator without a rule is assumed to keep the first extent of its input, the batch, where the file leaves
    no other extent open.

    Args:
        op: operator of the file.
        operands: what it reads.
        signature: extents of the output, -1 where they are open.
        place: place of the output.
    """
    if -1 not in signature:
        return signature
    has_rule = place == 0 or op in _EVERY_OUTPUT
    for rule in (_RULES.get(op), _VIEWS.get(op)) if has_rule else ():
        try:
            if rule is not None:
                return rule(operands, place, signature)
        except UNKNOWN:
            continue
    leading = next((shape[0] for shape in operands.shapes if shape), None)
    return None if leading is None or -1 in signature[1:] else (leading, *signature[1:])


def _filled(target: Sequence[int], n_elements: int) -> Shape:
    """Extents with the one that is -1 found from the number of elements."""
    known = math.prod(extent for extent in target if extent != -1)
    if list(target).count(-1) > 1 or (known != n_elements and -1 not in target):
        raise ValueError("extents do not fit the elements")
    return tuple(n_elements // known if extent == -1 else extent for extent in target)


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


def _matrices_multiplied(operands: Operands) -> Shape:
    left, right = list(operands.shape(0)), list(operands.shape(1))
    for shape, name in ((left, "AdjX"), (right, "AdjY")):
        if operands.options.get(name):
            shape[-2:] = shape[-1], shape[-2]
    return (*np.broadcast_shapes(tuple(left[:-2]), tuple(right[:-2])), left[-2], right[-1])


def _gathered(operands: Operands) -> Shape:
    read, places = operands.shape(0), operands.shape(1)
    axis = operands.options.get("Axis", 0) % len(read)
    n_batch = operands.options.get("BatchDims", 0) % (len(places) + 1)
    return (*read[:axis], *places[n_batch:], *read[axis + 1 :])


def _gathered_by_position(operands: Operands) -> Shape:
    read, places = operands.shape(0), operands.shape(1)
    return (*places[:-1], *read[places[-1] :])


def _sliced(operands: Operands) -> Shape:
    triples = zip(operands.shape(0), operands.numbers(1), operands.numbers(2), strict=True)
    return tuple(extent - begin if size == -1 else size for extent, begin, size in triples)


def strided_index(operands: Operands) -> tuple[Any, ...]:
    """What a strided slice takes, as an index of an array; ValueError where it is unknown."""
    begins, ends, strides = (operands.numbers(place) for place in (1, 2, 3))
    masks = {
        name: operands.options.get(f"{name}Mask", 0) for name in ("Begin", "End", "Ellipsis", "NewAxis", "ShrinkAxis")
    }
    index: list[Any] = []
    for axis, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
        is_in = {name: bool(mask >> axis & 1) for name, mask in masks.items()}
        if is_in["Ellipsis"]:
            index.append(Ellipsis)
        elif is_in["NewAxis"]:
            index.append(None)
        elif is_in["ShrinkAxis"]:
            index.append(begin)
        else:
            index.append(slice(None if is_in["Begin"] else begin, None if is_in["End"] else end, stride))
    return tuple(index)


def _strided(operands: Operands) -> Shape:
    view: Values = np.broadcast_to(np.int8(0), operands.shape(0))
    made: Shape = view[strided_index(operands)].shape
    return made


def _with_axis(operands: Operands) -> Shape:
    read, (axis,) = operands.shape(0), operands.numbers(1)
    place = axis % (len(read) + 1)
    return (*read[:place], 1, *read[place:])


def _squeezed(operands: Operands) -> Shape:
    read = operands.shape(0)
    axes = {axis % len(read) for axis in operands.axes}
    return tuple(extent for axis, extent in enumerate(read) if axis not in axes and (axes or extent != 1))


def _transformed(operands: Operands) -> Shape:
    height, width = operands.numbers(1)
    return (*operands.shape(0)[:-2], height, width // 2 + 1)


def _stacked(operands: Operands) -> Shape:
    shape = operands.shape(0)
    axis = operands.options["Axis"] % (len(shape) + 1)
    return (*shape[:axis], len(operands.shapes), *shape[axis:])


def _unstacked(operands: Operands) -> Shape:
    shape = operands.shape(0)
    axis = operands.options["Axis"] % len(shape)
    return (*shape[:axis], *shape[axis + 1 :])


def _split_evenly(operands: Operands) -> Shape:
    (axis,), shape = operands.numbers(0), operands.shape(1)
    axis %= len(shape)
    return (*shape[:axis], shape[axis] // operands.options["NumSplits"], *shape[axis + 1 :])


def _split_by_sizes(operands: Operands, place: int, _signature: Shape) -> Shape:
    shape, sizes, (axis,) = operands.shape(0), operands.numbers(1), operands.numbers(2)
    axis %= len(shape)
    size = sizes[place] if sizes[place] != -1 else shape[axis] - sum(each for each in sizes if each != -1)
    return (*shape[:axis], size, *shape[axis + 1 :])


def _topmost(operands: Operands) -> Shape:
    return (*operands.shape(0)[:-1], operands.numbers(1)[0])


def _arg(operands: Operands) -> Shape:
    shape, (axis,) = operands.shape(0), operands.numbers(1)
    axis %= len(shape)
    return (*shape[:axis], *shape[axis + 1 :])


def _tiled(operands: Operands) -> Shape:
    return tuple(extent * times for extent, times in zip(operands.shape(0), operands.numbers(1), strict=True))


def _blocks_to_depth(operands: Operands) -> Shape:
    (batch, height, width, channels), block = operands.shape(0), operands.options["BlockSize"]
    return (batch, height // block, width // block, channels * block * block)


def _depth_to_blocks(operands: Operands) -> Shape:
    (batch, height, width, channels), block = operands.shape(0), operands.options["BlockSize"]
    return (batch, height * block, width * block, channels // (block * block))


def _looked_up(operands: Operands) -> Shape:
    return (*operands.shape(0), *operands.shape(1)[1:])


_Rule = Callable[[Operands, int, Shape], Shape]


def _of(rule: Callable[[Operands], Shape]) -> _Rule:
    """A rule that is the same for every output, and needs not what the file states."""
    return lambda operands, _place, _signature: rule(operands)


_VIEWS: Final[Mapping[str, _Rule]] = dict.fromkeys(
    ("EXPAND_DIMS", "RESHAPE", "SQUEEZE"),
    lambda operands, _place, signature: _filled(signature, math.prod(operands.shape(0))),
)
"""Views of which the file states all extents but one, whatever else is unknown."""
_BY_OPERANDS: Final[Mapping[str, Callable[[Operands], Shape]]] = {
    **dict.fromkeys(_ALIKE, lambda operands: operands.shape(0)),
    **dict.fromkeys(_JOINING, _joined),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"), _pooled),
    **dict.fromkeys(_REDUCING, _reduced),
    **dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD"), _padded),
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), _resized),
    "ARG_MAX": _arg,
    "ARG_MIN": _arg,
    "BATCH_MATMUL": _matrices_multiplied,
    "BROADCAST_TO": lambda operands: tuple(operands.numbers(1)),
    "CONCATENATION": _concatenated,
    "CONV_2D": _convolved,
    "DEPTHWISE_CONV_2D": _convolved_by_channel,
    "DEPTH_TO_SPACE": _depth_to_blocks,
    "EMBEDDING_LOOKUP": _looked_up,
    "EXPAND_DIMS": _with_axis,
    "FILL": lambda operands: tuple(operands.numbers(0)),
    "FULLY_CONNECTED": _connected,
    "GATHER": _gathered,
    "GATHER_ND": _gathered_by_position,
    "PACK": _stacked,
    "RESHAPE": lambda operands: _filled(operands.numbers(1), math.prod(operands.shape(0))),
    "RFFT2D": _transformed,
    "SLICE": _sliced,
    "SPACE_TO_DEPTH": _blocks_to_depth,
    "SPLIT": _split_evenly,
    "SQUEEZE": _squeezed,
    "STRIDED_SLICE": _strided,
    "TILE": _tiled,
    "TOPK_V2": _topmost,
    "TRANSPOSE": lambda operands: tuple(operands.shape(0)[axis] for axis in operands.numbers(1)),
    "TRANSPOSE_CONV": lambda operands: tuple(operands.numbers(0)),
    "UNPACK": _unstacked,
}
_RULES: Final[Mapping[str, _Rule]] = {
    **{op: _of(rule) for op, rule in _BY_OPERANDS.items()},
    "SPLIT_V": _split_by_sizes,
}
