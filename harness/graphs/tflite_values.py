"""Values of the small constants of TFLite operators: arithmetic on extents, and conditions of branches and loops."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from harness.graphs.tflite_shapes import UNKNOWN, Operands, Values, strided_index

_MOST_VALUES: Final = 1024
"""Elements of the largest constant whose values are kept."""


def made_values(op: str, operands: Operands) -> list[Values]:
    """Values of the outputs of an operator on whole numbers; none where they are unknown, or are many.

    Args:
        op: operator of the file.
        operands: what it reads.
    """
    if op not in _ARITHMETIC:
        return []
    try:
        made = _ARITHMETIC[op](operands)
    except (*UNKNOWN, OverflowError, MemoryError):
        return []
    values = [np.asarray(value) for value in made] if isinstance(made, list) else [np.asarray(made)]
    return values if all(value.size <= _MOST_VALUES for value in values) else []


def _known(operands: Operands) -> list[Values]:
    values = [value for value in operands.values if value is not None]
    if len(values) < len(operands.values):
        raise ValueError("values are not known")
    return values


def _of(function: Callable[..., Any]) -> Callable[[Operands], Any]:
    """A function of all operands."""
    return lambda operands: function(*_known(operands))


def _gathered(operands: Operands) -> Any:
    values, places = _known(operands)
    if operands.options.get("BatchDims"):
        raise ValueError("rows of their own")
    return np.take(values, places, axis=operands.options.get("Axis", 0))


def _ranged(start: Values, end: Values, step: Values) -> Values:
    first, last, each = (int(number.reshape(())) for number in (start, end, step))
    if len(range(first, last, each)) > _MOST_VALUES:
        raise ValueError("many")
    return np.arange(first, last, each, dtype=start.dtype)


def _filled(extents: Values, value: Values) -> Values:
    if np.prod(extents) > _MOST_VALUES:
        raise ValueError("many")
    return np.full(tuple(extents.tolist()), value)


def _sliced(values: Values, begins: Values, sizes: Values) -> Values:
    pairs = zip(begins.tolist(), sizes.tolist(), strict=True)
    return np.asarray(values[tuple(slice(begin, None if size == -1 else begin + size) for begin, size in pairs)])


def _split_by_sizes(values: Values, sizes: Values, axis: Values) -> list[Values]:
    axis_ = int(axis.reshape(()))
    rest = values.shape[axis_] - int(sizes[sizes != -1].sum())
    ends = np.cumsum(np.where(sizes == -1, rest, sizes))[:-1]
    return np.split(values, ends.tolist(), axis_)


def _reduced(function: Callable[..., Any]) -> Callable[[Operands], Any]:
    def reduced(operands: Operands) -> Any:
        values, axes = _known(operands)
        keeps = bool(operands.options.get("KeepDims"))
        return function(values, axis=tuple(axes.reshape(-1).tolist()), keepdims=keeps)

    return reduced


def _one(values: Sequence[Values]) -> Values:
    (value,) = values
    return value


_ARITHMETIC: Final[Mapping[str, Callable[[Operands], Any]]] = {
    "ABS": _of(np.abs),
    "ADD": _of(np.add),
    "CAST": lambda operands: _one(_known(operands)),
    "CONCATENATION": lambda operands: np.concatenate(_known(operands), axis=operands.options["Axis"]),
    "EQUAL": _of(np.equal),
    "EXPAND_DIMS": _of(lambda values, axis: np.expand_dims(values, int(axis.reshape(-1)[0]))),
    "FILL": _of(_filled),
    "FLOOR_DIV": _of(np.floor_divide),
    "FLOOR_MOD": _of(np.mod),
    "GATHER": _gathered,
    "GREATER": _of(np.greater),
    "GREATER_EQUAL": _of(np.greater_equal),
    "LESS": _of(np.less),
    "LESS_EQUAL": _of(np.less_equal),
    "LOGICAL_AND": _of(np.logical_and),
    "LOGICAL_NOT": _of(np.logical_not),
    "LOGICAL_OR": _of(np.logical_or),
    "MAXIMUM": _of(np.maximum),
    "MINIMUM": _of(np.minimum),
    "MUL": _of(np.multiply),
    "NEG": _of(np.negative),
    "NOT_EQUAL": _of(np.not_equal),
    "PACK": lambda operands: np.stack(_known(operands), axis=operands.options["Axis"]),
    "RANGE": _of(_ranged),
    "REDUCE_MAX": _reduced(np.max),
    "REDUCE_MIN": _reduced(np.min),
    "REDUCE_PROD": _reduced(np.prod),
    "RESHAPE": lambda operands: _known(operands)[0].reshape(operands.numbers(1)),
    "SELECT_V2": _of(np.where),
    "SHAPE": lambda operands: np.array(operands.shape(0), np.int64),
    "SLICE": _of(_sliced),
    "SPLIT_V": _of(_split_by_sizes),
    "SQUEEZE": lambda operands: np.squeeze(_one(_known(operands)), operands.axes or None),
    "STRIDED_SLICE": lambda operands: _known(operands)[0][strided_index(operands)],
    "SUB": _of(np.subtract),
    "SUM": _reduced(np.sum),
    "TRANSPOSE": _of(lambda values, axes: np.transpose(values, axes.tolist())),
    "UNPACK": lambda operands: [
        np.take(values, place, operands.options["Axis"])
        for values in _known(operands)
        for place in range(values.shape[operands.options["Axis"]])
    ],
}
"""Operators that converters use for arithmetic on extents."""
