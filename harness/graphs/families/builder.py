"""Writes a network operator by operator as an ONNX model without weights; it knows no network.

Weights are declared as inputs of the graph, with their extents and no values.
"""

from typing import Any, Final, NamedTuple

import onnx
from onnx import TensorProto, helper

OPSET: Final = 21
IR_VERSION: Final = 10


class Feature(NamedTuple):
    """A tensor while a network is built: its name, height, width and channels."""

    name: str
    h: int
    w: int
    c: int


class NetworkBuilder:
    """One network while it is built; every window pads to "same", so an extent divided by the stride is rounded up."""

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
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.ValueInfoProto] = []
        self._shapes: list[onnx.TensorProto] = []

    def conv(
        self,
        x: Feature,
        cout: int,
        window: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        *,
        groups: int = 1,
        act: str | None = "relu",
        bn: bool = True,
    ) -> Feature:
        """Convolution, then batch normalisation and activation, where wanted.

        Args:
            x: input.
            cout: output channels.
            window: height and width of the window, or one number for both.
            stride: vertical and horizontal stride, or one number for both.
            groups: groups of channels.
            act: `relu`, `relu6` or None.
            bn: whether batch normalisation follows.
        """
        (kh, kw), (sh, sw) = _pair(window), _pair(stride)
        weight = self._weight((cout, x.c // groups, kh, kw))
        y = Feature("", -(-x.h // sh), -(-x.w // sw), cout)
        y = self._node(
            "Conv", [x.name, weight], y, kernel_shape=[kh, kw], strides=[sh, sw], group=groups, auto_pad="SAME_UPPER"
        )
        return self._finished(y, act=act, bn=bn)

    def depthwise(
        self,
        x: Feature,
        window: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        *,
        act: str | None = "relu",
    ) -> Feature:
        """Convolution of every channel separately, with batch normalisation."""
        return self.conv(x, x.c, window, stride, groups=x.c, act=act)

    def fc(self, x: Feature, cout: int, *, act: str | None = None, bn: bool = False) -> Feature:
        """Fully connected layer over all elements of the input."""
        if (x.h, x.w) != (1, 1):
            x = self._node("Flatten", [x.name], Feature("", 1, 1, x.h * x.w * x.c), axis=1)
        weight, bias = self._weight((cout, x.c)), self._weight((cout,))
        y = self._node("Gemm", [x.name, weight, bias], Feature("", 1, 1, cout), transB=1)
        return self._finished(y, act=act, bn=bn)

    def bn_relu(self, x: Feature) -> Feature:
        """Batch normalisation and ReLU ahead of a convolution."""
        return self._finished(x, act="relu", bn=True)

    def relu(self, x: Feature) -> Feature:
        """ReLU."""
        return self._finished(x, act="relu", bn=False)

    def pool(self, kind: str, x: Feature, window: int, stride: int) -> Feature:
        """Pooling.

        Args:
            kind: `Max` or `Average`.
            x: input.
            window: height and width of the window.
            stride: vertical and horizontal stride.
        """
        y = Feature("", -(-x.h // stride), -(-x.w // stride), x.c)
        pair = {"kernel_shape": [window] * 2, "strides": [stride] * 2}
        return self._node(f"{kind}Pool", [x.name], y, auto_pad="SAME_UPPER", **pair)

    def global_pool(self, x: Feature) -> Feature:
        """Mean of every channel, as a vector."""
        y = self._node("GlobalAveragePool", [x.name], Feature("", 1, 1, x.c))
        return self._node("Flatten", [y.name], y, axis=1)

    def add(self, x: Feature, y: Feature, *, act: str | None = None) -> Feature:
        """Sum of two tensors of the same extents."""
        return self._finished(self._node("Add", [x.name, y.name], x), act=act, bn=False)

    def concat(self, *parts: Feature) -> Feature:
        """Channels of several tensors after each other."""
        y = parts[0]._replace(c=sum(part.c for part in parts))
        return self._node("Concat", [part.name for part in parts], y, axis=1)

    def split(self, x: Feature) -> tuple[Feature, Feature]:
        """Two halves of the channels."""
        half = x._replace(c=x.c // 2)
        left, right = (half._replace(name=f"{x.name}_{side}") for side in ("left", "right"))
        self._nodes.append(helper.make_node("Split", [x.name], [left.name, right.name], axis=1, num_outputs=2))
        return left, right

    def shuffle(self, x: Feature, groups: int = 2) -> Feature:
        """Channels of several groups, interleaved."""
        inner = self._node("Reshape", [x.name, self._shape((1, groups, x.c // groups, x.h, x.w))], x)
        inner = self._node("Transpose", [inner.name], x, perm=[0, 2, 1, 3, 4])
        return self._node("Reshape", [inner.name, self._shape((1, x.c, x.h, x.w))], x)

    def softmax(self, x: Feature) -> Feature:
        """Probabilities of classes."""
        return self._node("Softmax", [x.name], x, axis=-1)

    def model(self, y: Feature) -> onnx.ModelProto:
        """The finished model.

        Args:
            y: output of the network.
        """
        inputs = [_of_feature(self.input), *self._weights]
        outputs = [_of_feature(y)]
        graph = helper.make_graph(self._nodes, self.name, inputs, outputs, self._shapes)
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="deepen")

    def _finished(self, x: Feature, *, act: str | None, bn: bool) -> Feature:
        if bn:
            x = self._node("BatchNormalization", [x.name, *(self._weight((x.c,)) for _ in range(4))], x)
        if act == "relu6":
            return self._node("Clip", [x.name, self._scalar(0.0), self._scalar(6.0)], x)
        return x if act is None else self._node("Relu", [x.name], x)

    def _node(self, op: str, inputs: list[str], y: Feature, **attributes: Any) -> Feature:
        """Append an operator; its one output has the extents of `y` and a name of its own."""
        y = y._replace(name=f"{op.lower()}_{len(self._nodes)}")
        self._nodes.append(helper.make_node(op, inputs, [y.name], name=y.name, **attributes))
        return y

    def _weight(self, extents: tuple[int, ...]) -> str:
        name = f"weight_{len(self._weights)}"
        self._weights.append(_declared(name, extents))
        return name

    def _shape(self, extents: tuple[int, ...]) -> str:
        name = f"shape_{len(self._shapes)}"
        self._shapes.append(helper.make_tensor(name, TensorProto.INT64, [len(extents)], extents))
        return name

    def _scalar(self, value: float) -> str:
        name = f"limit_{value:g}"
        if all(known.name != name for known in self._shapes):
            self._shapes.append(helper.make_tensor(name, TensorProto.FLOAT, [], [value]))
        return name


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def _of_feature(x: Feature) -> onnx.ValueInfoProto:
    return _declared(x.name, (1, x.c, x.h, x.w) if x.h * x.w > 1 else (1, x.c))


def _declared(name: str, extents: tuple[int, ...]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, extents)
