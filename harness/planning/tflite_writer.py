"""Writes operators one after another as a TFLite model; it knows no kernel and no network."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
import tflite  # type: ignore[import-untyped]

_VERSION: Final = 3
_IDENTIFIER: Final = b"TFL3"
_ALIGNMENT: Final = 16
"""Bytes that the schema aligns the contents of a buffer to; runtimes read weights in place."""
_TYPES: Final = {"float32": tflite.TensorType.FLOAT32, "int32": tflite.TensorType.INT32}
_MOST_OLD_CODE: Final = 127
"""Operators up to this number are also stated in the field that readers before 2.4 know."""

Array = npt.NDArray[Any]


class _Tensor(NamedTuple):
    extents: tuple[int, ...]
    dtype: str
    values: Array | None
    is_state: bool


class _Operator(NamedTuple):
    name: str
    inputs: Sequence[int]
    outputs: Sequence[int]
    options: tuple[str, dict[str, Any]] | None


class TfliteWriter:
    """Tensors and operators of one model with one subgraph; a tensor is known by its place."""

    def __init__(self) -> None:
        """Begin without operators."""
        self._tensors: list[_Tensor] = []
        self._operators: list[_Operator] = []

    def tensor(self, extents: Sequence[int], dtype: str = "float32", *, is_state: bool = False) -> int:
        """Add an activation; a state keeps its values from one inference to the next."""
        self._tensors.append(_Tensor(tuple(extents), dtype, None, is_state))
        return len(self._tensors) - 1

    def constant(self, values: Array) -> int:
        """Add a constant of 32-bit floats or integers."""
        self._tensors.append(_Tensor(values.shape, values.dtype.name, values, is_state=False))
        return len(self._tensors) - 1

    def operator(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], table: str | None = None, **options: Any
    ) -> None:
        """Append an operator.

        Args:
            name: its name in the schema, such as `CONV_2D`.
            inputs: places of its inputs, -1 for an absent one.
            outputs: places of its outputs.
            table: table of the schema with its options; None where it has none.
            options: fields of that table.
        """
        self._operators.append(_Operator(name, inputs, outputs, None if table is None else (table, options)))

    def model(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The finished file, the same bytes for the same content.

        Args:
            inputs: places of the inputs of the network.
            outputs: places of its outputs.
        """
        builder = flatbuffers.Builder(1024)
        names = sorted({operator.name for operator in self._operators})
        buffers = [_buffer(builder, None), *(_buffer(builder, tensor.values) for tensor in self._tensors)]
        tensors = [self._tensor(builder, place) for place in range(len(self._tensors))]
        operators = [_operator(builder, operator, names.index(operator.name)) for operator in self._operators]
        parts = {
            "Tensors": _tables(builder, tensors),
            "Inputs": _integers(builder, inputs),
            "Outputs": _integers(builder, outputs),
            "Operators": _tables(builder, operators),
        }
        subgraph = _table(builder, "SubGraph", parts)
        parts = {
            "OperatorCodes": _tables(builder, [_code(builder, name) for name in names]),
            "Subgraphs": _tables(builder, [subgraph]),
            "Buffers": _tables(builder, buffers),
        }
        builder.Finish(_table(builder, "Model", {"Version": _VERSION, **parts}), file_identifier=_IDENTIFIER)
        return bytes(builder.Output())

    def _tensor(self, builder: Any, place: int) -> int:
        tensor = self._tensors[place]
        fields = {
            "Name": builder.CreateString(f"tensor_{place}"),
            "Shape": _integers(builder, tensor.extents),
            "Type": _TYPES[tensor.dtype],
            "Buffer": 0 if tensor.values is None else place + 1,
            "IsVariable": tensor.is_state,
        }
        return _table(builder, "Tensor", fields)


def _table(builder: Any, name: str, fields: dict[str, Any]) -> int:
    """Write a table of the schema; what its fields refer to is written before."""
    getattr(tflite, f"{name}Start")(builder)
    for field, value in fields.items():
        getattr(tflite, f"{name}Add{field}")(builder, value)
    return int(getattr(tflite, f"{name}End")(builder))


def _operator(builder: Any, operator: _Operator, code: int) -> int:
    fields = {
        "OpcodeIndex": code,
        "Inputs": _integers(builder, operator.inputs),
        "Outputs": _integers(builder, operator.outputs),
    }
    if operator.options is not None:
        table, options = operator.options
        written = {
            name: _integers(builder, value) if isinstance(value, list) else value for name, value in options.items()
        }
        fields |= {
            "BuiltinOptionsType": getattr(tflite.BuiltinOptions, table),
            "BuiltinOptions": _table(builder, table, written),
        }
    return _table(builder, "Operator", fields)


def _code(builder: Any, name: str) -> int:
    number = getattr(tflite.BuiltinOperator, name)
    fields = {"DeprecatedBuiltinCode": min(number, _MOST_OLD_CODE), "BuiltinCode": number, "Version": 1}
    return _table(builder, "OperatorCode", fields)


def _buffer(builder: Any, values: Array | None) -> int:
    return _table(builder, "Buffer", {} if values is None else {"Data": _aligned(builder, values)})


def _aligned(builder: Any, values: Array) -> int:
    """Vector of the bytes of an array, at a place that the runtime can read them from."""
    content = np.ascontiguousarray(values).tobytes()
    builder.StartVector(1, len(content), _ALIGNMENT)
    builder.head -= len(content)
    builder.Bytes[builder.head : builder.head + len(content)] = content
    return int(builder.EndVector())


def _integers(builder: Any, values: Iterable[int]) -> int:
    return int(builder.CreateNumpyVector(np.array(list(values), np.int32)))


def _tables(builder: Any, places: Sequence[int]) -> int:
    builder.StartVector(4, len(places), 4)
    for place in reversed(places):
        builder.PrependUOffsetTRelative(place)
    return int(builder.EndVector())
