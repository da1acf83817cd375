"""Builds a convolutional network layer by layer as an ONNX model without weights; it knows no network.

Weights are declared as inputs of the graph, with their extents and no values.
"""

from typing import Any, Final, Literal, NamedTuple

import onnx

from harness.graphs.families.writer import OperatorWriter, declared

Activation = Literal["relu", "relu6", "hswish", "hsigmoid"]
_PLAIN: Final = {"relu": "Relu", "hswish": "HardSwish"}
"""Activations that one operator without settings is."""


class Feature(NamedTuple):
    """A tensor while a network is built: its name, height, width and channels."""

    name: str
    h: int
    w: int
    c: int


class NetworkBuilder:
    """One network while it is built.

    A window pads to "same", so that an extent divided by the stride is rounded up, unless a layer states its zeros.
    """

    def __init__(self, name: str, h: int, w: int, c: int) -> None:
        """Begin with an image or spectrogram.

        Args:
            name: name of the network.
            h: height of the input.
            w: width of the input.
            c: channels of the input.
        """
        self.name = name
        self.input = Feature("input", h, w, c)
        self._writer = OperatorWriter()
        self._weights: list[onnx.ValueInfoProto] = []

    def conv(
        self,
        x: Feature,
        cout: int,
        window: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        *,
        groups: int = 1,
        act: Activation | None = "relu",
        bn: bool = True,
        bias: bool = False,
        pad: int | None = None,
    ) -> Feature:
        """Convolution, then batch normalisation and activation, where wanted.

        Args:
            x: input.
            cout: output channels.
            window: height and width of the window, or one number for both.
            stride: vertical and horizontal stride, or one number for both.
            groups: groups of channels.
            act: activation, or None.
            bn: whether batch normalisation follows.
            bias: whether the convolution has a bias of its own.
            pad: zeros at each of the four edges; None pads to "same".
        """
        (kh, kw), (sh, sw) = _pair(window), _pair(stride)
        operands = [x.name, self._weight((cout, x.c // groups, kh, kw)), *([self._weight((cout,))] if bias else [])]
        y = Feature("", _extent(x.h, kh, sh, pad), _extent(x.w, kw, sw, pad), cout)
        settings = {"kernel_shape": [kh, kw], "strides": [sh, sw], "group": groups, **_padding(pad)}
        return self._finished(self._node("Conv", operands, y, **settings), act=act, bn=bn)

    def depthwise(
        self,
        x: Feature,
        window: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        *,
        act: Activation | None = "relu",
    ) -> Feature:
        """Convolution of every channel separately, with batch normalisation."""
        return self.conv(x, x.c, window, stride, groups=x.c, act=act)

    def squeeze_excite(self, x: Feature, squeezed: int) -> Feature:
        """Every channel times a factor from 0 to 1 that two layers make of the means of all channels.

        Args:
            x: input.
            squeezed: channels between the two layers.
        """
        inner = self.conv(self.means(x), squeezed, 1, bn=False, bias=True)
        factors = self.conv(inner, x.c, 1, act="hsigmoid", bn=False, bias=True)
        return self._node("Mul", [x.name, factors.name], x)

    def fc(self, x: Feature, cout: int, *, act: Activation | None = None, bn: bool = False) -> Feature:
        """Fully connected layer over all elements of the input."""
        if (x.h, x.w) != (1, 1):
            x = self.flat(x)
        weight, bias = self._weight((cout, x.c)), self._weight((cout,))
        y = self._node("Gemm", [x.name, weight, bias], Feature("", 1, 1, cout), transB=1)
        return self._finished(y, act=act, bn=bn)

    def flat(self, x: Feature) -> Feature:
        """All elements as a vector."""
        return self._node("Flatten", [x.name], Feature("", 1, 1, x.h * x.w * x.c), axis=1)

    def bn_relu(self, x: Feature) -> Feature:
        """Batch normalisation and ReLU ahead of a convolution."""
        return self._finished(x, act="relu", bn=True)

    def pool(
        self, kind: str, x: Feature, window: int, stride: int, *, pad: int | None = None, is_ceil: bool = False
    ) -> Feature:
        """Pooling.

        Args:
            kind: `Max` or `Average`.
            x: input.
            window: height and width of the window.
            stride: vertical and horizontal stride.
            pad: elements beside each of the four edges; None pads to "same".
            is_ceil: whether a last window may reach beyond the edge; "same" windows always do.
        """
        h, w = (_extent(extent, window, stride, pad, is_ceil=is_ceil) for extent in (x.h, x.w))
        settings = {"kernel_shape": [window] * 2, "strides": [stride] * 2, **_padding(pad)}
        if pad is not None:
            settings["ceil_mode"] = int(is_ceil)
        return self._node(f"{kind}Pool", [x.name], Feature("", h, w, x.c), **settings)

    def means(self, x: Feature) -> Feature:
        """Mean of every channel, as a plane of one element."""
        return self._node("GlobalAveragePool", [x.name], Feature("", 1, 1, x.c))

    def global_pool(self, x: Feature) -> Feature:
        """Mean of every channel, as a vector."""
        return self.flat(self.means(x))

    def add(self, x: Feature, y: Feature, *, act: Activation | None = None) -> Feature:
        """Sum of two tensors of the same extents."""
        return self._finished(self._node("Add", [x.name, y.name], x), act=act, bn=False)

    def concat(self, *parts: Feature) -> Feature:
        """Channels of several tensors after each other."""
        y = parts[0]._replace(c=sum(part.c for part in parts))
        return self._node("Concat", [part.name for part in parts], y, axis=1)

    def split(self, x: Feature) -> tuple[Feature, Feature]:
        """Two halves of the channels."""
        left, right = self._writer.split([x.name], 2, axis=1)
        half = x._replace(c=x.c // 2)
        return half._replace(name=left), half._replace(name=right)

    def shuffle(self, x: Feature, groups: int = 2) -> Feature:
        """Channels of several groups, interleaved."""
        parts = self._writer.integers(1, groups, x.c // groups, x.h, x.w)
        inner = self._node("Reshape", [x.name, parts], x)
        inner = self._node("Transpose", [inner.name], x, perm=[0, 2, 1, 3, 4])
        return self._node("Reshape", [inner.name, self._writer.integers(1, x.c, x.h, x.w)], x)

    def softmax(self, x: Feature) -> Feature:
        """Probabilities of classes."""
        return self._node("Softmax", [x.name], x, axis=-1)

    def model(self, y: Feature) -> onnx.ModelProto:
        """The finished model.

        Args:
            y: output of the network, a vector.
        """
        inputs = [_of_feature(self.input), *self._weights]
        return self._writer.model(self.name, inputs, [_of_feature(y)])

    def _finished(self, x: Feature, *, act: Activation | None, bn: bool) -> Feature:
        if bn:
            x = self._node("BatchNormalization", [x.name, *(self._weight((x.c,)) for _ in range(4))], x)
        if act is None:
            return x
        if act == "relu6":
            return self._node("Clip", [x.name, self._writer.number(0.0), self._writer.number(6.0)], x)
        if act == "hsigmoid":
            return self._node("HardSigmoid", [x.name], x, alpha=1 / 6, beta=0.5)
        return self._node(_PLAIN[act], [x.name], x)

    def _node(self, op: str, inputs: list[str], y: Feature, **attributes: Any) -> Feature:
        """Append an operator; its one output has the extents of `y` and a name of its own."""
        return y._replace(name=self._writer.node(op, inputs, **attributes))

    def _weight(self, extents: tuple[int, ...]) -> str:
        name = f"weight_{len(self._weights)}"
        self._weights.append(declared(name, extents))
        return name


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def _extent(extent: int, window: int, stride: int, pad: int | None, *, is_ceil: bool = False) -> int:
    """Extent of the output of a window, such as 55 of 224 elements with window 11, stride 4 and 2 zeros."""
    if pad is None:
        return -(-extent // stride)
    room = extent + 2 * pad - window
    return (-(-room // stride) if is_ceil else room // stride) + 1


def _padding(pad: int | None) -> dict[str, Any]:
    return {"auto_pad": "SAME_UPPER"} if pad is None else {"pads": [pad] * 4}


def _of_feature(x: Feature) -> onnx.ValueInfoProto:
    return declared(x.name, (1, x.c, x.h, x.w) if x.h * x.w > 1 else (1, x.c))
