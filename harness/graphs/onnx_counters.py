"""How often a loop runs whose condition compares a counter with a constant, as converters write `while i < n`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray

from harness.graphs.counters import first_failing
from harness.graphs.onnx_evaluation import Evaluator
from harness.graphs.onnx_tensors import Tensors

_STEPS: Final = frozenset({"Add", "Cast", "Identity", "Squeeze", "Sub", "Unsqueeze", "Reshape"})
"""Operators by which a counter becomes the next one."""
_COMPARISONS: Final = frozenset({"And", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"})
"""Operators that a condition has besides these; once such a condition of counters fails, it fails from then on."""


class Counter(NamedTuple):
    """A tensor that a loop carries.

    Attributes:
        first: its value before the first run; None where that is unknown.
        after: tensor of the body that is its value in the next run.
    """

    first: NDArray[Any] | None
    after: str


def runs_of(
    goes_on: str, number: str, nodes: Sequence[onnx.NodeProto], counters: Mapping[str, Counter], known: Tensors
) -> int | None:
    """Runs of a loop whose condition holds before the first one; None where they are unknown.

    Args:
        goes_on: tensor of the body that says whether another run follows.
        number: tensor of the body that is the number of the run, from 0.
        nodes: operators of the body.
        counters: what the loop carries, by the tensor of the body that has its value.
        known: values of constants.
    """
    makers = {name: node for node in nodes for name in node.output}
    condition = _Formula.of(goes_on, makers, known, _STEPS | _COMPARISONS)
    if condition is None:
        return None
    lines = {}
    for name in condition.reads:
        is_number = name == number
        line = _Line(np.array(0, np.int64), 1) if is_number else _line(name, counters.get(name), makers, known)
        if line is None:
            return None
        lines[name] = line

    def holds(run: int) -> bool | None:
        value = condition.value({name: _on_line(line, run) for name, line in lines.items()})
        return None if value is None or value.size != 1 else bool(value.reshape(()))

    number_of_last = first_failing(holds)
    return None if number_of_last is None else number_of_last + 1


class _Line(NamedTuple):
    """A whole number to which every run adds the same."""

    first: NDArray[Any]
    step: int


def _on_line(line: _Line, run: int) -> NDArray[Any]:
    limits = np.iinfo(line.first.dtype)
    value = min(max(int(line.first.reshape(())) + line.step * run, int(limits.min)), int(limits.max))
    return np.full_like(line.first, value)


class _Formula:
    """Operators that compute a tensor of a body from what the loop carries."""

    def __init__(self, nodes: Sequence[onnx.NodeProto], reads: Sequence[str], made: str, known: Tensors) -> None:
        self.reads = tuple(reads)
        self._made = made
        self._constants = {
            name: value for node in nodes for name in node.input if (value := known.value(name)) is not None
        }
        self._evaluator = Evaluator(nodes, (*self.reads, *self._constants), [made], known.opsets)

    @classmethod
    def of(
        cls, made: str, makers: Mapping[str, onnx.NodeProto], known: Tensors, admitted: frozenset[str]
    ) -> "_Formula | None":
        """Formula of a tensor; None where other operators than those admitted compute it."""
        nodes: dict[str, onnx.NodeProto] = {}
        reads: dict[str, None] = {}
        waiting = [made]
        while waiting:
            name = waiting.pop()
            if name in nodes or name in reads or known.value(name) is not None:
                continue
            node = makers.get(name)
            if node is None:
                reads[name] = None
            elif node.domain or node.op_type not in admitted:
                return None
            else:
                nodes[name] = node
                waiting += [each for each in node.input if each]
        order = [node for node in makers.values() if any(name in nodes for name in node.output)]
        return cls(order, list(reads), made, known) if order else None

    def value(self, values: Mapping[str, NDArray[Any]]) -> NDArray[Any] | None:
        """Value of the tensor; None where the operators do not fit what they read."""
        made = self._evaluator.values({**self._constants, **values}).get(self._made)
        return None if made is None else np.asarray(made)


def _line(name: str, counter: Counter | None, makers: Mapping[str, onnx.NodeProto], known: Tensors) -> _Line | None:
    """First value and step of a counter to which every run adds the same; None where it is none."""
    if counter is None or counter.first is None or counter.first.size != 1 or counter.first.dtype.kind not in "iu":
        return None
    if counter.after == name:
        return _Line(counter.first, 0)
    formula = _Formula.of(counter.after, makers, known, _STEPS)
    if formula is None or formula.reads != (name,):
        return None
    values = [counter.first]
    for _ in range(2):
        following = formula.value({name: values[-1]})
        if following is None or following.shape != counter.first.shape or following.dtype != counter.first.dtype:
            return None
        values.append(following)
    first, second, third = (int(value.reshape(())) for value in values)
    return _Line(counter.first, second - first) if third - second == second - first else None
