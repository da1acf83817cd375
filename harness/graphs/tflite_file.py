"""Parses a TFLite file into tensors and operators as it states them; it does not interpret them.

A file may be broken in any way: one that claims more content than it has bytes raises an exception.
"""

import math
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import tflite  # type: ignore[import-untyped]
from numpy.typing import NDArray

from harness.budget import MOST_MODEL_NUMBERS, MOST_MODEL_OPERATORS
from harness.graphs.input_extents import MOST_EXTENT

_MOST_VALUE_BYTES: Final = 8192
_INTEGERS: Final[Mapping[int, str]] = {tflite.TensorType.INT32: "<i4", tflite.TensorType.INT64: "<i8"}
_WIDTHS: Final[Mapping[int, int]] = {0: 4, 1: 2, 2: 4, 3: 1, 4: 8, 7: 2, 9: 1}
"""Bytes of one element, by the number of a data type whose elements are not packed."""
_ACTIVATION: Final = "FusedActivationFunction"
_CONV: Final = ("Padding", "StrideH", "StrideW", "DilationHFactor", "DilationWFactor", _ACTIVATION)
_POOL: Final = ("Padding", "StrideH", "StrideW", "FilterHeight", "FilterWidth", _ACTIVATION)
_STRIDED: Final = ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask")
_OPTIONS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "ADD": ("AddOptions", (_ACTIVATION,)),
    "AVERAGE_POOL_2D": ("Pool2DOptions", _POOL),
    "BATCH_MATMUL": ("BatchMatMulOptions", ("AdjX", "AdjY")),
    "CONCATENATION": ("ConcatenationOptions", ("Axis", _ACTIVATION)),
    "CONV_2D": ("Conv2DOptions", _CONV),
    "CONV_3D": ("Conv3DOptions", (*_CONV, "StrideD", "DilationDFactor")),
    "CONV_3D_TRANSPOSE": ("Conv3DOptions", (*_CONV, "StrideD", "DilationDFactor")),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", _CONV),
    "DEPTH_TO_SPACE": ("DepthToSpaceOptions", ("BlockSize",)),
    "DIV": ("DivOptions", (_ACTIVATION,)),
    "FULLY_CONNECTED": ("FullyConnectedOptions", ("KeepNumDims", _ACTIVATION)),
    "GATHER": ("GatherOptions", ("Axis", "BatchDims")),
    "L2_NORMALIZATION": ("L2NormOptions", (_ACTIVATION,)),
    "L2_POOL_2D": ("Pool2DOptions", _POOL),
    "MAX_POOL_2D": ("Pool2DOptions", _POOL),
    "MEAN": ("ReducerOptions", ("KeepDims",)),
    "MUL": ("MulOptions", (_ACTIVATION,)),
    "PACK": ("PackOptions", ("Axis",)),
    "REDUCE_MAX": ("ReducerOptions", ("KeepDims",)),
    "SPACE_TO_DEPTH": ("SpaceToDepthOptions", ("BlockSize",)),
    "STRIDED_SLICE": ("StridedSliceOptions", _STRIDED),
    "SUB": ("SubOptions", (_ACTIVATION,)),
    "SUM": ("ReducerOptions", ("KeepDims",)),
    "TRANSPOSE_CONV": ("TransposeConvOptions", ("Padding", "StrideH", "StrideW", _ACTIVATION)),
}
"""Options that the reader uses, by operator: their table and its fields."""
_FAULTS: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
    struct.error,
)


class BrokenFileError(ValueError):
    """Bytes that are not a TFLite model."""


@dataclass(frozen=True, slots=True)
class FileTensor:
    """A tensor as the file states it.

    Attributes:
        name: name, made unique.
        shape: extents; those of the signature where the file leaves them open.
        signature: extents with -1 where they are open; the shape where the file has none.
        kind: number of its data type.
        has_data: whether the file has its values.
        is_variable: whether it is state that the operators keep.
        values: values of a small constant of whole numbers.
        n_scales: scales that it is quantised with; 0 where it is not.
    """

    name: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    kind: int
    has_data: bool
    is_variable: bool
    values: NDArray[Any] | None
    n_scales: int = 0


class FileOperator(NamedTuple):
    """An operator as the file states it.

    Attributes:
        op: name of the operator, or the code of a custom one.
        is_custom: whether it is not one of TFLite's own.
        inputs: places of its inputs among the tensors, -1 where one is absent.
        outputs: places of its outputs.
        options: options that the reader uses; empty where the file has none.
    """

    op: str
    is_custom: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, int]


class FileModel(NamedTuple):
    """The first subgraph of a file; others are bodies of its operators."""

    tensors: tuple[FileTensor, ...]
    operators: tuple[FileOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def parse_model(data: bytes) -> FileModel:
    """Contents of a TFLite file.

    Raises:
        BrokenFileError: the bytes are not a whole TFLite model.
    """
    try:
        return _File(data).model()
    except _FAULTS as error:
        raise BrokenFileError(str(error) or type(error).__name__) from error


class _File:
    """A file that is being parsed, with the amount of content that it may still claim."""

    def __init__(self, data: bytes) -> None:
        # Parts of a whole file do not overlap, except a few that are shared; a broken file points anywhere.
        self._budget = min(2 * len(data) + 1024, MOST_MODEL_NUMBERS)
        self._model = tflite.Model.GetRootAs(data, 0)

    def model(self) -> FileModel:
        if self._model.SubgraphsLength() < 1:
            raise BrokenFileError("no subgraph")
        graph = self._model.Subgraphs(0)
        names = [self._code(code) for code in self._each(self._model.OperatorCodesLength, self._model.OperatorCodes)]
        tensors = tuple(self._tensors(self._each(graph.TensorsLength, graph.Tensors)))
        operators = []
        for operator in self._each(graph.OperatorsLength, graph.Operators):
            inputs = self._numbers(operator.InputsLength, operator.InputsAsNumpy)
            outputs = self._numbers(operator.OutputsLength, operator.OutputsAsNumpy)
            op, is_custom = names[operator.OpcodeIndex()]
            options = {} if is_custom else _options(op, operator)
            operators.append(FileOperator(op, is_custom, inputs, outputs, options))
        inputs = self._numbers(graph.InputsLength, graph.InputsAsNumpy)
        outputs = self._numbers(graph.OutputsLength, graph.OutputsAsNumpy)
        places = {*inputs, *outputs, *(place for item in operators for place in (*item.inputs, *item.outputs))}
        if not places <= set(range(-1, len(tensors))) or -1 in outputs or -1 in inputs:
            raise BrokenFileError("an operator refers to a tensor that does not exist")
        return FileModel(tensors, tuple(operators), inputs, outputs)

    def _spend(self, n: int) -> int:
        self._budget -= n
        if self._budget < 0:
            raise BrokenFileError("more content than the file has bytes")
        return n

    def _each(self, length: Callable[[], int], item: Callable[[int], Any]) -> Iterator[Any]:
        n_parts = self._spend(length())
        if n_parts > MOST_MODEL_OPERATORS:
            raise BrokenFileError(f"a list of {n_parts} parts; expected at most {MOST_MODEL_OPERATORS}")
        for place in range(n_parts):
            yield item(place)

    def _numbers(self, length: Callable[[], int], numbers: Callable[[], Any]) -> tuple[int, ...]:
        return tuple(numbers().tolist()) if self._spend(length()) else ()

    def _text(self, raw: bytes | None) -> str:
        self._spend(len(raw or b""))
        return (raw or b"").decode(errors="replace")

    def _code(self, code: Any) -> tuple[str, bool]:
        """Name of an operator, and whether it is a custom one."""
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        if number == tflite.BuiltinOperator.CUSTOM:
            return self._text(code.CustomCode()) or "CUSTOM", True
        return _NAMES.get(number, f"BUILTIN_{number}"), False

    def _tensors(self, tensors: Iterator[Any]) -> Iterator[FileTensor]:
        seen: Counter[str] = Counter()
        for place, tensor in enumerate(tensors):
            name = self._text(tensor.Name()) or f"tensor_{place}"
            seen[name] += 1
            yield self._tensor(tensor, name if seen[name] == 1 else f"{name}:{place}")

    def _tensor(self, tensor: Any, name: str) -> FileTensor:
        shape = self._numbers(tensor.ShapeLength, tensor.ShapeAsNumpy)
        signature = self._numbers(tensor.ShapeSignatureLength, tensor.ShapeSignatureAsNumpy) or shape
        if len(signature) != len(shape) or any(not -1 <= extent <= MOST_EXTENT for extent in (*shape, *signature)):
            raise BrokenFileError("extents that contradict each other")
        buffer = self._model.Buffers(tensor.Buffer()) if tensor.Buffer() < self._model.BuffersLength() else None
        n_bytes = buffer.DataLength() if buffer is not None else 0
        width = _WIDTHS.get(tensor.Type())
        if n_bytes and width and tensor.Sparsity() is None and n_bytes != width * math.prod(shape):
            raise BrokenFileError("values that do not fill the extents of their tensor")
        has_data = n_bytes > 0 or (buffer is not None and buffer.Offset() > 1)
        values = None
        if tensor.Type() in _INTEGERS and 0 < n_bytes <= _MOST_VALUE_BYTES and buffer is not None:
            self._spend(n_bytes // 4)
            values = np.frombuffer(buffer.DataAsNumpy().tobytes(), _INTEGERS[tensor.Type()]).reshape(shape)
        quantised = tensor.Quantization()
        n_scales = 0 if quantised is None else self._spend(quantised.ScaleLength())
        return FileTensor(name, shape, signature, tensor.Type(), has_data, tensor.IsVariable(), values, n_scales)


_NAMES: Final = {number: name for name, number in vars(tflite.BuiltinOperator).items() if not name.startswith("_")}


def _options(op: str, operator: Any) -> dict[str, int]:
    table, fields = _OPTIONS.get(op, ("", ()))
    found = operator.BuiltinOptions()
    if not fields or found is None or operator.BuiltinOptionsType() != getattr(tflite.BuiltinOptions, table):
        return {}
    options = getattr(tflite, table)()
    options.Init(found.Bytes, found.Pos)
    return {field: int(getattr(options, field)()) for field in fields}
