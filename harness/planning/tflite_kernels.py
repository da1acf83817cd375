"""Kernel configurations as minimal TFLite models in fp32; it does not know what a runtime runs as one kernel."""

from collections.abc import Callable, Mapping
from typing import Final, get_args

import numpy as np

from harness.planning.operands import KernelExtents, Operands, halves, squeezed_channels, unwritable
from harness.planning.tflite_writer import TfliteWriter
from harness.schema.kernel_types import Kernel, require_each

_RELU: Final = 1
_TANH: Final = 4
_SAME: Final = 0
_CHANNELS: Final = 3
"""Place of the channels in the extents of an image."""

_ONE_OPERAND: Final[Mapping[str, tuple[str, str | None]]] = {
    "abs": ("ABS", "AbsOptions"), "clip": ("RELU_N1_TO_1", None), "elu": ("ELU", None), "exp": ("EXP", "ExpOptions"),
    "gelu": ("GELU", "GeluOptions"), "leaky-relu": ("LEAKY_RELU", "LeakyReluOptions"), "log": ("LOG", None),
    "neg": ("NEG", "NegOptions"), "sigmoid": ("LOGISTIC", None), "sqrt": ("SQRT", None), "tanh": ("TANH", None),
}  # fmt: skip
"""Operator and table of options of each function of one operand."""
_SETTINGS: Final[Mapping[str, dict[str, float]]] = {"leaky-relu": {"Alpha": 0.01}}
_TWO_OPERANDS: Final[Mapping[str, tuple[str, str]]] = {
    "add": ("ADD", "AddOptions"), "div": ("DIV", "DivOptions"), "max": ("MAXIMUM", "MaximumMinimumOptions"),
    "min": ("MINIMUM", "MaximumMinimumOptions"), "mul": ("MUL", "MulOptions"), "pow": ("POW", "PowOptions"),
    "sub": ("SUB", "SubOptions"),
}  # fmt: skip


class _Model:
    """One model while it is written: images are batch, height, width, channels."""

    def __init__(self, operands: Operands) -> None:
        self._writer = TfliteWriter()
        self._operands = operands
        self._inputs: list[int] = []

    def input(self, *extents: int) -> int:
        self._inputs.append(self._writer.tensor(extents))
        return self._inputs[-1]

    def indices(self, *extents: int) -> int:
        self._inputs.append(self._writer.tensor(extents, "int32"))
        return self._inputs[-1]

    def made(self, *extents: int) -> int:
        return self._writer.tensor(extents)

    def state(self, *extents: int) -> int:
        return self._writer.tensor(extents, is_state=True)

    def weight(self, *extents: int, of: int = 1) -> int:
        """Weights of an operator that sums over `of` products."""
        return self._writer.constant(self._operands.weights(extents, of))

    def integers(self, *values: int) -> int:
        return self._writer.constant(np.array(values, np.int32))

    def integer(self, value: int) -> int:
        return self._writer.constant(np.array(value, np.int32))

    def op(self, name: str, read: list[int], y: int, table: str | None = None, **options: object) -> int:
        """Append an operator that makes the tensor `y`, and give it."""
        self._writer.operator(name, read, [y], table, **options)
        return y

    def split(self, x: int, axis: int, parts: list[int]) -> list[int]:
        read = [self.integer(axis), x]
        self._writer.operator("SPLIT", read, parts, "SplitOptions", NumSplits=len(parts))
        return parts

    def finished(self, outputs: list[int]) -> bytes:
        return self._writer.model(self._inputs, outputs)


def _plane(e: KernelExtents) -> tuple[int, int, int, int]:
    return 1, e["input_h"], e["input_w"], e["cin"]


def _strides(e: KernelExtents) -> dict[str, int]:
    return {"Padding": _SAME, "StrideH": e["stride_h"], "StrideW": e["stride_w"]}


def _places(e: KernelExtents) -> tuple[int, int]:
    """Height and width of what a window makes."""
    return -(-e["input_h"] // e["stride_h"]), -(-e["input_w"] // e["stride_w"])


def _conv(m: _Model, e: KernelExtents) -> list[int]:
    kh, kw, inner, cout = e["kernel_h"], e["kernel_w"], e["cin"] // e["groups"], e["cout"]
    read = [m.input(*_plane(e)), m.weight(cout, kh, kw, inner, of=kh * kw * inner), m.weight(cout)]
    dilation = {"DilationHFactor": e["dilation_h"], "DilationWFactor": e["dilation_w"]}
    y = m.made(1, *_places(e), cout)
    return [m.op("CONV_2D", read, y, "Conv2DOptions", FusedActivationFunction=_RELU, **_strides(e), **dilation)]


def _channel_conv(m: _Model, e: KernelExtents) -> list[int]:
    kh, kw, cout = e["kernel_h"], e["kernel_w"], e.get("cout") or e["cin"]
    if cout % e["cin"]:
        raise unwritable("its output channels are no multiple of its input channels")
    read = [m.input(*_plane(e)), m.weight(1, kh, kw, cout, of=kh * kw), m.weight(cout)]
    dilation = {"DilationHFactor": e["dilation_h"], "DilationWFactor": e["dilation_w"]}
    more = {"DepthMultiplier": cout // e["cin"], "FusedActivationFunction": _RELU}
    y = m.made(1, *_places(e), cout)
    return [m.op("DEPTHWISE_CONV_2D", read, y, "DepthwiseConv2DOptions", **_strides(e), **dilation, **more)]


def _transposed_conv(m: _Model, e: KernelExtents) -> list[int]:
    if e["groups"] > 1:
        raise unwritable("TFLite has no transposed convolution with groups")
    kh, kw, cout = e["kernel_h"], e["kernel_w"], e["cout"]
    made = (1, e["input_h"] * e["stride_h"], e["input_w"] * e["stride_w"], cout)
    read = [m.integers(*made), m.weight(cout, kh, kw, e["cin"], of=kh * kw * e["cin"]), m.input(*_plane(e))]
    return [m.op("TRANSPOSE_CONV", [*read, m.weight(cout)], m.made(*made), "TransposeConvOptions", **_strides(e))]


def _dense(m: _Model, e: KernelExtents) -> list[int]:
    read = [m.input(1, e["cin"]), m.weight(e["cout"], e["cin"], of=e["cin"]), m.weight(e["cout"])]
    return [m.op("FULLY_CONNECTED", read, m.made(1, e["cout"]), "FullyConnectedOptions")]


def _pool(operator: str) -> Callable[[_Model, KernelExtents], list[int]]:
    def write(m: _Model, e: KernelExtents) -> list[int]:
        window = {"FilterHeight": e["kernel_h"], "FilterWidth": e["kernel_w"]}
        y = m.made(1, *_places(e), e["cin"])
        return [m.op(operator, [m.input(*_plane(e))], y, "Pool2DOptions", **_strides(e), **window)]

    return write


def _mean(m: _Model, x: int, e: KernelExtents) -> int:
    return m.op("MEAN", [x, m.integers(1, 2)], m.made(1, 1, 1, e["cin"]), "ReducerOptions", KeepDims=True)


def _global_pool(m: _Model, e: KernelExtents) -> list[int]:
    return [_mean(m, m.input(*_plane(e)), e)]


def _sum(activation: int) -> Callable[[_Model, KernelExtents], list[int]]:
    def write(m: _Model, e: KernelExtents) -> list[int]:
        read, y = [m.input(*_plane(e)), m.input(*_plane(e))], m.made(*_plane(e))
        return [m.op("ADD", read, y, "AddOptions", FusedActivationFunction=activation)]

    return write


def _scale_shift(activation: int) -> Callable[[_Model, KernelExtents], list[int]]:
    """Batch normalisation, which TFLite has as a product and a sum."""

    def write(m: _Model, e: KernelExtents) -> list[int]:
        x, channels = m.input(*_plane(e)), e["cin"]
        scaled = m.op("MUL", [x, m.weight(channels)], m.made(*_plane(e)), "MulOptions")
        y = m.made(*_plane(e))
        return [m.op("ADD", [scaled, m.weight(channels)], y, "AddOptions", FusedActivationFunction=activation)]

    return write


def _of_plane(operator: str, table: str | None = None) -> Callable[[_Model, KernelExtents], list[int]]:
    return lambda m, e: [m.op(operator, [m.input(*_plane(e))], m.made(*_plane(e)), table)]


def _squeeze_excite(m: _Model, e: KernelExtents) -> list[int]:
    x, channels, inner = m.input(*_plane(e)), e["cin"], squeezed_channels(e)
    options = {"Padding": _SAME, "StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1}
    y = _mean(m, x, e)
    for cin, cout, activation in ((channels, inner, _RELU), (inner, channels, 0)):
        read = [y, m.weight(cout, 1, 1, cin, of=cin), m.weight(cout)]
        made = m.made(1, 1, 1, cout)
        y = m.op("CONV_2D", read, made, "Conv2DOptions", FusedActivationFunction=activation, **options)
    factors = m.op("LOGISTIC", [y], m.made(1, 1, 1, channels))
    return [m.op("MUL", [x, factors], m.made(*_plane(e)), "MulOptions")]


def _concat(m: _Model, e: KernelExtents) -> list[int]:
    parts = [e[name] for name in ("cin", "cin2", "cin3", "cin4") if name in e]
    plane = _plane(e)[:_CHANNELS]
    read = [m.input(*plane, channels) for channels in parts]
    return [m.op("CONCATENATION", read, m.made(*plane, sum(parts)), "ConcatenationOptions", Axis=_CHANNELS)]


def _split(m: _Model, e: KernelExtents) -> list[int]:
    half = (*_plane(e)[:_CHANNELS], halves(e))
    return m.split(m.input(*_plane(e)), _CHANNELS, [m.made(*half), m.made(*half)])


def _shuffle(m: _Model, e: KernelExtents) -> list[int]:
    plane, half = _plane(e), halves(e)
    split, turned = (*plane[:_CHANNELS], 2, half), (*plane[:_CHANNELS], half, 2)
    y = m.op("RESHAPE", [m.input(*plane), m.integers(*split)], m.made(*split), "ReshapeOptions", NewShape=list(split))
    y = m.op("TRANSPOSE", [y, m.integers(0, 1, 2, 4, 3)], m.made(*turned), "TransposeOptions")
    return [m.op("RESHAPE", [y, m.integers(*plane)], m.made(*plane), "ReshapeOptions", NewShape=list(plane))]


def _product(m: _Model, e: KernelExtents) -> list[int]:
    rows, cin, cout = e["rows"], e["cin"], e["cout"]
    if "batch" in e:
        batch = e["batch"]
        read, y = [m.input(1, batch, rows, cin), m.input(1, batch, cin, cout)], m.made(1, batch, rows, cout)
        return [m.op("BATCH_MATMUL", read, y, "BatchMatMulOptions")]
    read, y = [m.input(1, rows, cin), m.weight(cout, cin, of=cin)], m.made(1, rows, cout)
    return [m.op("FULLY_CONNECTED", [*read, -1], y, "FullyConnectedOptions", KeepNumDims=True)]


def _softmax(m: _Model, e: KernelExtents) -> list[int]:
    rows = (1, e["rows"], e["cin"])
    return [m.op("SOFTMAX", [m.input(*rows)], m.made(*rows), "SoftmaxOptions", Beta=1.0)]


def _elementwise(m: _Model, e: KernelExtents) -> list[int]:
    rows, function = (1, e["rows"], e["cin"]), e.function
    x, y = m.input(*rows), m.made(*rows)
    if function in _TWO_OPERANDS:
        operator, table = _TWO_OPERANDS[function]
        return [m.op(operator, [x, m.input(*(rows if "cin2" in e else (1,)))], y, table)]
    if function == "prelu":
        return [m.op("PRELU", [x, m.weight(1, e["cin"])], y)]
    if function not in _ONE_OPERAND:
        raise unwritable(f"TFLite has no operator of {function}")
    operator, maybe = _ONE_OPERAND[function]
    return [m.op(operator, [x], y, maybe, **_SETTINGS.get(function, {}))]


def _embedding(m: _Model, e: KernelExtents) -> list[int]:
    read = [m.weight(e["entries"], e["cout"]), m.indices(1, e["rows"])]
    return [m.op("GATHER", read, m.made(1, e["rows"], e["cout"]), "GatherOptions", Axis=0)]


def _lstm(m: _Model, e: KernelExtents) -> list[int]:
    if e["directions"] > 1:
        raise unwritable("an LSTM of two directions is not written for TFLite")
    steps, cin, cout = e["rows"], e["cin"], e["cout"]
    matrices = [m.weight(cout, extent, of=extent) for extent in (cin, cout) for _ in range(4)]
    biases, absent = [m.weight(cout) for _ in range(4)], [-1]
    read = [m.input(1, steps, cin), *matrices, *absent * 3, *biases, *absent * 2, m.state(1, cout), m.state(1, cout)]
    y, table = m.made(1, steps, cout), "UnidirectionalSequenceLSTMOptions"
    return [m.op("UNIDIRECTIONAL_SEQUENCE_LSTM", read, y, table, FusedActivationFunction=_TANH, TimeMajor=False)]


def _resize(m: _Model, e: KernelExtents) -> list[int]:
    plane, made = _plane(e), (e["output_h"], e["output_w"])
    y = m.made(1, *made, e["cin"])
    return [m.op("RESIZE_BILINEAR", [m.input(*plane), m.integers(*made)], y, "ResizeBilinearOptions")]


TFLITE_KERNELS: Final[Mapping[Kernel, Callable[[_Model, KernelExtents], list[int]]]] = {
    "conv-bn-relu": _conv,
    "dwconv-bn-relu": _channel_conv,
    "conv-transpose": _transposed_conv,
    "fc": _dense,
    "maxpool": _pool("MAX_POOL_2D"),
    "avgpool": _pool("AVERAGE_POOL_2D"),
    "global-avgpool": _global_pool,
    "add": _sum(0),
    "addrelu": _sum(_RELU),
    "bn": _scale_shift(0),
    "bnrelu": _scale_shift(_RELU),
    "se": _squeeze_excite,
    "relu": _of_plane("RELU"),
    "hswish": _of_plane("HARD_SWISH", "HardSwishOptions"),
    "concat": _concat,
    "split": _split,
    "channelshuffle": _shuffle,
    "matmul": _product,
    "softmax": _softmax,
    "elementwise": _elementwise,
    "embedding": _embedding,
    "lstm": _lstm,
    "resize": _resize,
}
"""How each kernel type is written that TFLite has as an operator."""
_ABSENT: Final = ("attention", "gru", "norm")
"""Kernel types that it has not."""
require_each(sorted(set(get_args(Kernel)) - set(_ABSENT)), TFLITE_KERNELS, "TFLite file")


def tflite_kernel(kernel: Kernel, extents: KernelExtents, operands: Operands) -> bytes:
    """A kernel as the contents of a TFLite file.

    Args:
        kernel: its type.
        extents: its extents.
        operands: what its weights are taken from.

    Raises:
        UnwritableKernelError: TFLite has no such operator.
    """
    if kernel in _ABSENT:
        raise unwritable(f"TFLite has no operator of the type {kernel}")
    model = _Model(operands)
    return model.finished(TFLITE_KERNELS[kernel](model, extents))
