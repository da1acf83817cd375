"""Operators of ONNX that make what they read, and those that compute again what an earlier one has computed.

Every runtime removes the former; some have the latter once.

Source:
    ONNX Runtime, graph optimisations at the basic level: elimination of casts, expansions, slices, and of sums,
    differences, products and quotients that change nothing (noop_elimination.cc, slice_elimination.cc); elimination
    of common subexpressions (common_subexpression_elimination.cc, constant_sharing.cc).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import onnx

from harness.graphs.onnx_tensors import Tensors

_LAST: Final = np.iinfo(np.int64).max
"""End of a slice that goes to the end, whatever the extent."""
_NEUTRAL: Final[Mapping[str, tuple[int, bool]]] = {
    "Add": (0, True), "Div": (1, False), "Mul": (1, True), "Sub": (0, False),
}  # fmt: skip
"""Number that changes nothing, and whether it may be the first operand."""


_QUANTISING: Final = frozenset({"DequantizeLinear", "QuantizeLinear"})
"""Operators that runtimes have once for each operator that they belong to."""
_RANDOM: Final = frozenset({"Bernoulli", "Dropout", "Multinomial", "RandomNormalLike", "RandomUniformLike"})


class Repeats:
    """Operators of one graph by what they compute."""

    def __init__(self) -> None:
        """Begin without any."""
        self._operators: dict[tuple[Any, ...], list[onnx.NodeProto]] = {}
        self._same: dict[str, str] = {}

    def alias(self, name: str, of: str) -> None:
        """Note that a tensor is another one under a second name."""
        self._same[name] = self._same.get(of, of)

    def first_of(self, node: onnx.NodeProto, known: Tensors) -> onnx.NodeProto | None:
        """The earlier operator that computes the same; None where this one is the first, which is then known.

        Args:
            node: operator without bodies.
            known: tensors that it reads.
        """
        if node.op_type in _RANDOM | _QUANTISING or not any(node.input):
            return None
        key = (node.domain, node.op_type, *map(bool, node.output), *(self._operand(name, known) for name in node.input))
        others = self._operators.setdefault(key, [])
        found = next((other for other in others if _attributes(other) == _attributes(node)), None)
        if found is None:
            others.append(node)
            return None
        for name, first in zip(node.output, found.output, strict=True):
            self.alias(name, first)
        return found

    def _operand(self, name: str, known: Tensors) -> Any:
        """A tensor by its first name, or a constant of one number by this number."""
        value = known.number(name)
        if value is None:
            return self._same.get(name, name)
        return value.dtype.str, value.shape, value.tobytes()


def _attributes(node: onnx.NodeProto) -> list[bytes]:
    return sorted(attribute.SerializeToString(deterministic=True) for attribute in node.attribute)


def does_nothing(node: onnx.NodeProto, known: Tensors) -> bool:
    """Whether an operator of the file makes what it reads.

    Args:
        node: operator.
        known: tensors, those that it makes among them.
    """
    rule = None if node.domain else _RULES.get(node.op_type)
    if rule is None or len(node.output) != 1 or not node.input or node.input[0] in known.constants:
        return rule is not None and node.op_type in _NEUTRAL and _is_neutral(node, known)
    return rule(node, known)


def _is_cast_to_its_own(node: onnx.NodeProto, known: Tensors) -> bool:
    stated = next((attribute.i for attribute in node.attribute if attribute.name == "to"), 0)
    return stated != 0 and stated == known.kind(node.input[0]).tensor_type.elem_type


def _keeps_extents(node: onnx.NodeProto, known: Tensors) -> bool:
    read = known.shape(node.input[0])
    return read is not None and read == known.shape(node.output[0])


def _is_whole(node: onnx.NodeProto, known: Tensors) -> bool:
    """Whether a slice goes from the beginning to the end along each axis; one to a stated end is performed."""
    if len(node.input) < 3:
        return False
    begins, ends = (known.value(name) for name in node.input[1:3])
    steps = known.value(node.input[4]) if len(node.input) > 4 and node.input[4] else np.ones(1)
    if begins is None or ends is None or steps is None:
        return False
    return bool((begins == 0).all() and (ends == _LAST).all() and (steps == 1).all())


def _is_neutral(node: onnx.NodeProto, known: Tensors) -> bool:
    """Whether arithmetic is with one number that changes nothing."""
    neutral, may_be_first = _NEUTRAL[node.op_type]
    constants = [place for place, name in enumerate(node.input) if name in known.constants]
    if len(node.input) != 2 or len(constants) != 1 or (constants[0] == 0 and not may_be_first):
        return False
    value, read = known.number(node.input[constants[0]]), known.shape(node.input[1 - constants[0]])
    is_number = value is not None and bool(value.reshape(()) == neutral)
    return is_number and read is not None and read == known.shape(node.output[0])


_RULES: Final[Mapping[str, Callable[[onnx.NodeProto, Tensors], bool]]] = {
    "Cast": _is_cast_to_its_own,
    "Expand": _keeps_extents,
    "Slice": _is_whole,
    **dict.fromkeys(_NEUTRAL, _is_neutral),
}
