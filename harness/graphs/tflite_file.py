"""Parses a TFLite file into tensors and operators as it states them; it does not interpret them.

A file may be broken in any way: one that claims more content than it has bytes raises an exception.
"""

import math
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import tflite  # type: ignore[import-untyped]
from numpy.typing import NDArray

from harness.budget import MOST_MODEL_NUMBERS, MOST_MODEL_OPERATORS
from harness.graphs.input_extents import MOST_EXTENT

_MOST_VALUE_BYTES: Final = 8192
_WHOLE: Final[Mapping[int, str]] = {
    tflite.TensorType.BOOL: "|b1",
    tflite.TensorType.INT32: "<i4",
    tflite.TensorType.INT64: "<i8",
}
"""Data types of constants whose values are kept, as NumPy has them."""
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
    "CALL_ONCE": ("CallOnceOptions", ("InitSubgraphIndex",)),
    "FULLY_CONNECTED": ("FullyConnectedOptions", ("KeepNumDims", _ACTIVATION)),
    "GATHER": ("GatherOptions", ("Axis", "BatchDims")),
    "IF": ("IfOptions", ("ThenSubgraphIndex", "ElseSubgraphIndex")),
    "L2_NORMALIZATION": ("L2NormOptions", (_ACTIVATION,)),
    "L2_POOL_2D": ("Pool2DOptions", _POOL),
    "MAX_POOL_2D": ("Pool2DOptions", _POOL),
    "MEAN": ("ReducerOptions", ("KeepDims",)),
    "MUL": ("MulOptions", (_ACTIVATION,)),
    "PACK": ("PackOptions", ("Axis",)),
    **dict.fromkeys(
        ("REDUCE_ALL", "REDUCE_ANY", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "SUM"),
        ("ReducerOptions", ("KeepDims",)),
    ),
    "SPACE_TO_DEPTH": ("SpaceToDepthOptions", ("BlockSize",)),
    "SPLIT": ("SplitOptions", ("NumSplits",)),
    "STRIDED_SLICE": ("StridedSliceOptions", _STRIDED),
    "SUB": ("SubOptions", (_ACTIVATION,)),
    "TRANSPOSE_CONV": ("TransposeConvOptions", ("Padding", "StrideH", "StrideW", _ACTIVATION)),
    "UNPACK": ("UnpackOptions", ("Axis",)),
    "WHILE": ("WhileOptions", ("CondSubgraphIndex", "BodySubgraphIndex")),
}
"""Options that the reader uses, by operator: their table and its fields."""
_POOL_NUMBERS: Final = ("Padding", "StrideW", "StrideH", "FilterWidth", "FilterHeight")
_CUSTOM_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "Convolution2DTransposeBias": _POOL_NUMBERS[:3],
    "MaxPoolingWithArgmax2D": _POOL_NUMBERS,
    "MaxUnpooling2D": _POOL_NUMBERS,
}
"""Options of custom operators, whole numbers of 32 bits one after the other.

Source:
    MediaPipe, mediapipe/util/tflite/operations/; TensorFlow Lite, core/c/builtin_op_data.h: TfLiteTransposeConvParams
    and TfLitePoolParams.
"""
_FAULTS: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
    struct.error,
)


def numpy_dtype(kind: int) -> np.dtype[Any]:
    """Data type of the elements of a tensor, by its number; that of objects where it is none of numbers."""
    return np.dtype(_WHOLE.get(kind, {0: "<f4", 1: "<f2", 10: "<f8"}.get(kind, "O")))


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
        values: values of a small constant of whole numbers or truths.
        buffer: number of the buffer that has its values; tensors of one buffer have the same.
        n_scales: scales that it is quantised with; 0 where it is not.
    """

    name: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    kind: int
    has_data: bool
    is_variable: bool
    values: NDArray[Any] | None
    buffer: int = 0
    n_scales: int = 0


class FileOperator(NamedTuple):
    """An operator as the file states it.

    Attributes:
        op: name of the operator, or the code of a custom one.
        is_custom: whether it is not one of TFLite's own.
        inputs: places of its inputs among the tensors, -1 where one is absent.
        outputs: places of its outputs.
        options: options that the reader uses; empty where the file has none.
        composite: name of what a composite operator is; empty for all others.
        axes: axes that a squeeze leaves out, as the file states them.
    """

    op: str
    is_custom: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, int]
    composite: str = ""
    axes: tuple[int, ...] = ()


class FileGraph(NamedTuple):
    """One subgraph: a network, or a body of an operator.

    Attributes:
        tensors: its tensors.
        operators: its operators.
        inputs: places of what it is given among the tensors.
        outputs: places of what is taken from it.
        prefix: what the names of its operators begin with.
    """

    tensors: tuple[FileTensor, ...]
    operators: tuple[FileOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    prefix: str = ""


class FileSignature(NamedTuple):
    """A network of the file under a name.

    Attributes:
        name: its name.
        graph: place of its subgraph.
        inputs: place of the tensor of each input, by the name that the signature gives it.
    """

    name: str
    graph: int
    inputs: Mapping[str, int]


class FileModel(NamedTuple):
    """Contents of a file."""

    graphs: tuple[FileGraph, ...]
    signatures: tuple[FileSignature, ...]


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
        codes = [self._code(code) for code in self._each(self._model.OperatorCodesLength, self._model.OperatorCodes)]
        graphs = tuple(
            self._graph(graph, codes) for graph in self._each(self._model.SubgraphsLength, self._model.Subgraphs)
        )
        definitions = self._each(self._model.SignatureDefsLength, self._model.SignatureDefs)
        signatures = tuple(self._signature(definition, graphs) for definition in definitions)
        return FileModel(graphs, signatures)

    def _signature(self, definition: Any, graphs: Sequence[FileGraph]) -> FileSignature:
        place = definition.SubgraphIndex()
        if place >= len(graphs):
            raise BrokenFileError("a signature refers to a subgraph that does not exist")
        inputs = self._each(definition.InputsLength, definition.Inputs)
        named = {self._text(each.Name()): each.TensorIndex() for each in inputs}
        if not set(named.values()) <= set(range(len(graphs[place].tensors))):
            raise BrokenFileError("a signature refers to a tensor that does not exist")
        return FileSignature(self._text(definition.SignatureKey()), place, named)

    def _graph(self, graph: Any, names: Sequence[tuple[str, bool]]) -> FileGraph:
        tensors = tuple(self._tensors(self._each(graph.TensorsLength, graph.Tensors)))
        operators = []
        for operator in self._each(graph.OperatorsLength, graph.Operators):
            inputs = self._numbers(operator.InputsLength, operator.InputsAsNumpy)
            outputs = self._numbers(operator.OutputsLength, operator.OutputsAsNumpy)
            op, is_custom = names[operator.OpcodeIndex()]
            options = _custom_options(op, operator) if is_custom else _options(op, operator)
            composite = ""
            if op == "STABLEHLO_COMPOSITE" and not is_custom:
                composite, options = self._composite(operator)
            axes = self._axes(operator) if op == "SQUEEZE" and not is_custom else ()
            operators.append(FileOperator(op, is_custom, inputs, outputs, options, composite, axes))
        inputs = self._numbers(graph.InputsLength, graph.InputsAsNumpy)
        outputs = self._numbers(graph.OutputsLength, graph.OutputsAsNumpy)
        places = {*inputs, *outputs, *(place for item in operators for place in (*item.inputs, *item.outputs))}
        if not places <= set(range(-1, len(tensors))) or -1 in outputs or -1 in inputs:
            raise BrokenFileError("an operator refers to a tensor that does not exist")
        return FileGraph(tensors, tuple(operators), inputs, outputs)

    def _composite(self, operator: Any) -> tuple[str, dict[str, int]]:
        """Name of a composite operator, and the place of the subgraph that it stands for."""
        found = operator.BuiltinOptions2()
        if found is None or operator.BuiltinOptions2Type() != tflite.BuiltinOptions2.StableHLOCompositeOptions:
            return "", {}
        options = tflite.StableHLOCompositeOptions()
        options.Init(found.Bytes, found.Pos)
        return self._text(options.Name()), {"DecompositionSubgraphIndex": options.DecompositionSubgraphIndex()}

    def _axes(self, operator: Any) -> tuple[int, ...]:
        found = operator.BuiltinOptions()
        if found is None or operator.BuiltinOptionsType() != tflite.BuiltinOptions.SqueezeOptions:
            return ()
        options = tflite.SqueezeOptions()
        options.Init(found.Bytes, found.Pos)
        return self._numbers(options.SqueezeDimsLength, options.SqueezeDimsAsNumpy)

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
        if tensor.Type() in _WHOLE and 0 < n_bytes <= _MOST_VALUE_BYTES and buffer is not None:
            self._spend(n_bytes // 4)
            values = np.frombuffer(buffer.DataAsNumpy().tobytes(), _WHOLE[tensor.Type()]).reshape(shape)
        elif tensor.Type() in _WHOLE and math.prod(shape) == 0:
            values = np.empty(shape, _WHOLE[tensor.Type()])
        number = tensor.Buffer() if has_data else 0
        quantised = tensor.Quantization()
        n_scales = 0 if quantised is None else self._spend(quantised.ScaleLength())
        return FileTensor(
            name, shape, signature, tensor.Type(), has_data, tensor.IsVariable(), values, number, n_scales
        )


_NAMES: Final = {number: name for name, number in vars(tflite.BuiltinOperator).items() if not name.startswith("_")}


def _custom_options(op: str, operator: Any) -> dict[str, int]:
    fields = _CUSTOM_OPTIONS.get(op, ())
    if not fields or operator.CustomOptionsLength() < 4 * len(fields):
        return {}
    numbers = operator.CustomOptionsAsNumpy()[: 4 * len(fields)].tobytes()
    return dict(zip(fields, struct.unpack(f"<{len(fields)}i", numbers), strict=True))


def _options(op: str, operator: Any) -> dict[str, int]:
    table, fields = _OPTIONS.get(op, ("", ()))
    found = operator.BuiltinOptions()
    if not fields or found is None or operator.BuiltinOptionsType() != getattr(tflite.BuiltinOptions, table):
        return {}
    options = getattr(tflite, table)()
    options.Init(found.Bytes, found.Pos)
    return {field: int(getattr(options, field)()) for field in fields}
