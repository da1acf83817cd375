"""Kernel configurations as minimal ONNX models in fp32; it does not know what a runtime runs as one kernel."""

from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

import numpy as np
import onnx
from onnx import TensorProto, helper

from harness.graphs.families.writer import OperatorWriter, declared
from harness.planning.operands import KernelExtents, Operands, halves, squeezed_channels, unwritable
from harness.schema.kernel_types import Kernel, require_each

_OPSET: Final = 18
_IR_VERSION: Final = 8
"""Versions that ONNX Runtime reads since 1.14, unless an operator is younger."""
_YOUNGER: Final[Mapping[str, int]] = {"gelu": 20, "rms-norm": 23, "attention": 23}
"""Version of the operators that a function or kernel type needs."""
_IR_OF_OPSET: Final[Mapping[int, int]] = {_OPSET: _IR_VERSION, 20: 9, 23: 11}

_ONE_OPERAND: Final[Mapping[str, str]] = {
    "abs": "Abs", "elu": "Elu", "erf": "Erf", "exp": "Exp", "gelu": "Gelu", "leaky-relu": "LeakyRelu", "log": "Log",
    "neg": "Neg", "sigmoid": "Sigmoid", "sqrt": "Sqrt", "tanh": "Tanh",
}  # fmt: skip
_TWO_OPERANDS: Final[Mapping[str, str]] = {
    "add": "Add", "div": "Div", "max": "Max", "min": "Min", "mul": "Mul", "pow": "Pow", "sub": "Sub",
}  # fmt: skip


class _Model:
    """One model while it is written: images are batch, channels, height, width."""

    def __init__(self, operands: Operands) -> None:
        self.writer = OperatorWriter()
        self._operands = operands
        self._inputs: list[onnx.ValueInfoProto] = []

    def input(self, *extents: int, kind: int = TensorProto.FLOAT) -> str:
        name = f"input_{len(self._inputs)}"
        self._inputs.append(declared(name, extents, kind))
        return name

    def weight(self, *extents: int, of: int = 1) -> str:
        """Weights of an operator that sums over `of` products."""
        return self.writer.array(self._operands.weights(extents, of))

    def variance(self, n: int) -> str:
        return self.writer.array(np.abs(self._operands.weights((n,), 1)) + np.float32(1))

    def op(self, name: str, *inputs: str, **attributes: Any) -> str:
        return self.writer.node(name, list(inputs), **attributes)

    def finished(self, title: str, outputs: list[str], opset: int) -> bytes:
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        model = self.writer.model(title, self._inputs, ends, opset, _IR_OF_OPSET[opset])
        # Readers and runtimes want the extents of outputs stated, which follow from the operators.
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        return bytes(inferred.SerializeToString(deterministic=True))


def _plane(e: KernelExtents) -> tuple[int, int, int, int]:
    return 1, e["cin"], e["input_h"], e["input_w"]


def _window(e: KernelExtents) -> dict[str, list[int]]:
    """Window with zeros around the input, so that an extent divided by the stride is rounded up."""
    window, stride = [e["kernel_h"], e["kernel_w"]], [e["stride_h"], e["stride_w"]]
    dilation = [e["dilation_h"], e["dilation_w"]]
    lacking = [
        max((-(-extent // step) - 1) * step + (size - 1) * gap + 1 - extent, 0)
        for extent, size, step, gap in zip((e["input_h"], e["input_w"]), window, stride, dilation, strict=True)
    ]
    pads = [n // 2 for n in lacking] + [n - n // 2 for n in lacking]
    dilated = {"dilations": dilation} if dilation != [1, 1] else {}
    return {"kernel_shape": window, "strides": stride, "pads": pads, **dilated}


def _conv(m: _Model, e: KernelExtents) -> list[str]:
    kh, kw, inner, cout = e["kernel_h"], e["kernel_w"], e["cin"] // e["groups"], e["cout"]
    weights = (m.weight(cout, inner, kh, kw, of=kh * kw * inner), m.weight(cout))
    return [m.op("Relu", m.op("Conv", m.input(*_plane(e)), *weights, group=e["groups"], **_window(e)))]


def _channel_conv(m: _Model, e: KernelExtents) -> list[str]:
    kh, kw, cin, cout = e["kernel_h"], e["kernel_w"], e["cin"], e.get("cout") or e["cin"]
    weights = (m.weight(cout, 1, kh, kw, of=kh * kw), m.weight(cout))
    return [m.op("Relu", m.op("Conv", m.input(*_plane(e)), *weights, group=cin, **_window(e)))]


def _transposed_conv(m: _Model, e: KernelExtents) -> list[str]:
    kh, kw, inner, cout = e["kernel_h"], e["kernel_w"], e["cin"] // e["groups"], e["cout"]
    made = [e["input_h"] * e["stride_h"], e["input_w"] * e["stride_w"]]
    weights = (m.weight(e["cin"], cout // e["groups"], kh, kw, of=kh * kw * inner), m.weight(cout))
    settings = {"kernel_shape": [kh, kw], "strides": [e["stride_h"], e["stride_w"]], "output_shape": made}
    return [m.op("ConvTranspose", m.input(*_plane(e)), *weights, group=e["groups"], **settings)]


def _dense(m: _Model, e: KernelExtents) -> list[str]:
    weights = (m.weight(e["cout"], e["cin"], of=e["cin"]), m.weight(e["cout"]))
    return [m.op("Gemm", m.input(1, e["cin"]), *weights, transB=1)]


def _pool(operator: str) -> Callable[[_Model, KernelExtents], list[str]]:
    return lambda m, e: [m.op(operator, m.input(*_plane(e)), **_window(e))]


def _of_plane(operator: str) -> Callable[[_Model, KernelExtents], list[str]]:
    return lambda m, e: [m.op(operator, m.input(*_plane(e)))]


def _sum(m: _Model, e: KernelExtents) -> list[str]:
    return [m.op("Add", m.input(*_plane(e)), m.input(*_plane(e)))]


def _sum_relu(m: _Model, e: KernelExtents) -> list[str]:
    return [m.op("Relu", *_sum(m, e))]


def _norm_of_batch(m: _Model, e: KernelExtents) -> list[str]:
    scale, shift, mean = (m.weight(e["cin"]) for _ in range(3))
    return [m.op("BatchNormalization", m.input(*_plane(e)), scale, shift, mean, m.variance(e["cin"]))]


def _norm_of_batch_relu(m: _Model, e: KernelExtents) -> list[str]:
    return [m.op("Relu", *_norm_of_batch(m, e))]


def _squeeze_excite(m: _Model, e: KernelExtents) -> list[str]:
    x, channels, inner = m.input(*_plane(e)), e["cin"], squeezed_channels(e)
    y = m.op("GlobalAveragePool", x)
    y = m.op("Relu", m.op("Conv", y, m.weight(inner, channels, 1, 1, of=channels), m.weight(inner)))
    y = m.op("Sigmoid", m.op("Conv", y, m.weight(channels, inner, 1, 1, of=inner), m.weight(channels)))
    return [m.op("Mul", x, y)]


def _concat(m: _Model, e: KernelExtents) -> list[str]:
    parts = [e[name] for name in ("cin", "cin2", "cin3", "cin4") if name in e]
    return [m.op("Concat", *(m.input(1, part, e["input_h"], e["input_w"]) for part in parts), axis=1)]


def _split(m: _Model, e: KernelExtents) -> list[str]:
    halves(e)
    return m.writer.split([m.input(*_plane(e))], 2, axis=1)


def _shuffle(m: _Model, e: KernelExtents) -> list[str]:
    h, w, integers = e["input_h"], e["input_w"], m.writer.integers
    y = m.op("Reshape", m.input(*_plane(e)), integers(1, 2, halves(e), h, w))
    return [m.op("Reshape", m.op("Transpose", y, perm=[0, 2, 1, 3, 4]), integers(*_plane(e)))]


def _product(m: _Model, e: KernelExtents) -> list[str]:
    rows, cin, cout = e["rows"], e["cin"], e["cout"]
    if "batch" in e:
        return [m.op("MatMul", m.input(1, e["batch"], rows, cin), m.input(1, e["batch"], cin, cout))]
    return [m.op("MatMul", m.input(1, rows, cin), m.weight(cin, cout, of=cin))]


def _attention(m: _Model, e: KernelExtents) -> list[str]:
    queries = m.input(1, e["heads"], e["q_len"], e["head_size"])
    kept = (1, e["kv_heads"], e["kv_len"], e["head_size"])
    return [m.op("Attention", queries, m.input(*kept), m.input(*kept))]


def _norm(m: _Model, e: KernelExtents) -> list[str]:
    rows, cin = e["rows"], e["cin"]
    if e.function == "group-norm":
        raise unwritable("ONNX Runtime runs a group normalisation as several operators")
    if e.function == "instance-norm":
        return [m.op("InstanceNormalization", m.input(1, cin, rows, 1), m.weight(cin), m.weight(cin))]
    x = m.input(1, rows, cin)
    x = m.op("Add", x, m.input(1, rows, cin)) if "cin2" in e else x
    if e.function == "rms-norm":
        return [m.op("RMSNormalization", x, m.weight(cin))]
    return [m.op("LayerNormalization", x, m.weight(cin), m.weight(cin))]


def _softmax(m: _Model, e: KernelExtents) -> list[str]:
    return [m.op("Softmax", m.input(1, e["rows"], e["cin"]), axis=-1)]


def _elementwise(m: _Model, e: KernelExtents) -> list[str]:
    rows, function, number = (1, e["rows"], e["cin"]), e.function, m.writer.number
    x = m.input(*rows)
    if function in _TWO_OPERANDS:
        return [m.op(_TWO_OPERANDS[function], x, m.input(*(rows if "cin2" in e else (1,))))]
    if function == "clip":
        return [m.op("Clip", x, number(-1.0), number(1.0))]
    if function == "hsigmoid":
        return [m.op("HardSigmoid", x, alpha=1 / 6, beta=0.5)]
    if function == "prelu":
        return [m.op("PRelu", x, m.weight(e["cin"]))]
    if function == "swish":
        return [m.op("Mul", x, m.op("Sigmoid", x))]
    return [m.op(_ONE_OPERAND[function], x)]


def _embedding(m: _Model, e: KernelExtents) -> list[str]:
    return [m.op("Gather", m.weight(e["entries"], e["cout"]), m.input(1, e["rows"], kind=TensorProto.INT64))]


def _recurrent(operator: str, gates: int) -> Callable[[_Model, KernelExtents], list[str]]:
    def write(m: _Model, e: KernelExtents) -> list[str]:
        steps, cin, cout, directions = (e[name] for name in ("rows", "cin", "cout", "directions"))
        matrices = (m.weight(directions, gates * cout, extent, of=extent) for extent in (cin, cout))
        biases = m.weight(directions, 2 * gates * cout)
        way = "bidirectional" if directions > 1 else "forward"
        return [m.op(operator, m.input(steps, 1, cin), *matrices, biases, hidden_size=cout, direction=way)]

    return write


def _resize(m: _Model, e: KernelExtents) -> list[str]:
    sizes = m.writer.integers(1, e["cin"], e["output_h"], e["output_w"])
    return [m.op("Resize", m.input(*_plane(e)), "", "", sizes, mode="linear")]


ONNX_KERNELS: Final[Mapping[Kernel, Callable[[_Model, KernelExtents], list[str]]]] = {
    "conv-bn-relu": _conv,
    "dwconv-bn-relu": _channel_conv,
    "conv-transpose": _transposed_conv,
    "fc": _dense,
    "maxpool": _pool("MaxPool"),
    "avgpool": _pool("AveragePool"),
    "global-avgpool": _of_plane("GlobalAveragePool"),
    "add": _sum,
    "addrelu": _sum_relu,
    "bn": _norm_of_batch,
    "bnrelu": _norm_of_batch_relu,
    "se": _squeeze_excite,
    "relu": _of_plane("Relu"),
    "hswish": _of_plane("HardSwish"),
    "concat": _concat,
    "split": _split,
    "channelshuffle": _shuffle,
    "matmul": _product,
    "attention": _attention,
    "norm": _norm,
    "softmax": _softmax,
    "elementwise": _elementwise,
    "embedding": _embedding,
    "lstm": _recurrent("LSTM", 4),
    "gru": _recurrent("GRU", 3),
    "resize": _resize,
}
"""How each kernel type is written."""
require_each(get_args(Kernel), ONNX_KERNELS, "ONNX file")


def onnx_kernel(kernel: Kernel, extents: KernelExtents, operands: Operands) -> bytes:
    """A kernel as the contents of an ONNX file.

    Args:
        kernel: its type.
        extents: its extents.
        operands: what its weights are taken from.

    Raises:
        UnwritableKernelError: no file holds the configuration.
    """
    if extents["directions"] > 2:
        raise unwritable("no recurrent operator has more than two directions")
    model = _Model(operands)
    outputs = ONNX_KERNELS[kernel](model, extents)
    return model.finished(kernel, outputs, max(_OPSET, _YOUNGER.get(extents.function or kernel, _OPSET)))
