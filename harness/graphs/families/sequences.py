"""Builds a network of sequences operator by operator as an ONNX model without stored weights; it knows no network.

Every weight is a `ConstantOfShape`, because a matrix multiplication takes weights and activations at the same place.
"""

from typing import Any, NamedTuple

import onnx
from onnx import TensorProto

from harness.graphs.families.writer import OperatorWriter, declared


class Value(NamedTuple):
    """A tensor while a network is built: its name and its extents, the batch of 1 among them."""

    name: str
    extents: tuple[int, ...]


class SequenceBuilder:
    """One network while it is built."""

    def __init__(self, name: str) -> None:
        """Begin without inputs.

        Args:
            name: name of the network.
        """
        self.name = name
        self._writer = OperatorWriter()
        self._inputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, *extents: int, kind: int = TensorProto.FLOAT) -> Value:
        """Input of the network."""
        self._inputs.append(declared(name, extents, kind))
        return Value(name, extents)

    def weight(self, *extents: int) -> Value:
        """Weight, a tensor of zeros."""
        return Value(self._writer.node("ConstantOfShape", [self._writer.integers(*extents)]), extents)

    def number(self, value: float) -> Value:
        """Constant number."""
        return Value(self._writer.number(value), ())

    def op(self, op: str, *operands: Value, extents: tuple[int, ...] | None = None, **attributes: Any) -> Value:
        """Operator whose output has the extents of its first operand, or others where they are stated."""
        name = self._writer.node(op, [operand.name for operand in operands], **attributes)
        return Value(name, operands[0].extents if extents is None else extents)

    def matmul(self, x: Value, y: Value) -> Value:
        """Product of matrices: rows of the first, columns of the second."""
        return self.op("MatMul", x, y, extents=(*x.extents[:-1], y.extents[-1]))

    def linear(self, x: Value, cout: int, *, bias: bool = True) -> Value:
        """Fully connected layer over the last extent."""
        y = self.matmul(x, self.weight(x.extents[-1], cout))
        return self.op("Add", y, self.weight(cout)) if bias else y

    def layer_norm(self, x: Value) -> Value:
        """Layer normalisation over the last extent."""
        width = x.extents[-1]
        return self.op("LayerNormalization", x, self.weight(width), self.weight(width), axis=-1)

    def rms_norm(self, x: Value, epsilon: float) -> Value:
        """Division by the root mean square over the last extent, times a weight, in the operators of exporters."""
        extents = (*x.extents[:-1], 1)
        squares = self.op("Pow", x, self.number(2.0))
        axes = Value(self._writer.integers(-1), (1,))
        mean = self.op("ReduceMean", squares, axes, extents=extents, keepdims=1)
        root = self.op("Sqrt", self.op("Add", mean, self.number(epsilon)))
        return self.op("Mul", self.op("Div", x, root), self.weight(x.extents[-1]))

    def reshape(self, x: Value, *extents: int) -> Value:
        """The same elements in other extents."""
        return self.op("Reshape", x, Value(self._writer.integers(*extents), (len(extents),)), extents=extents)

    def transpose(self, x: Value, *order: int) -> Value:
        """Extents in another order."""
        return self.op("Transpose", x, extents=tuple(x.extents[place] for place in order), perm=list(order))

    def concat(self, axis: int, *parts: Value) -> Value:
        """Tensors after each other along an axis."""
        extents = list(parts[0].extents)
        extents[axis] = sum(part.extents[axis] for part in parts)
        return self.op("Concat", *parts, extents=tuple(extents), axis=axis)

    def split(self, x: Value, n_parts: int) -> list[Value]:
        """Equal parts of the last extent."""
        extents = (*x.extents[:-1], x.extents[-1] // n_parts)
        return [Value(name, extents) for name in self._writer.split([x.name], n_parts, axis=-1)]

    def gather(self, x: Value, place: int) -> Value:
        """One element of the second extent, which the output does not have."""
        places = Value(self._writer.integer(place), ())
        return self.op("Gather", x, places, extents=(x.extents[0], *x.extents[2:]), axis=1)

    def embedding(self, table: Value, tokens: Value) -> Value:
        """Rows of a table by their numbers."""
        return self.op("Gather", table, tokens, extents=(*tokens.extents, *table.extents[1:]), axis=0)

    def model(self, *outputs: Value) -> onnx.ModelProto:
        """The finished model."""
        return self._writer.model(self.name, self._inputs, [declared(*output) for output in outputs])
