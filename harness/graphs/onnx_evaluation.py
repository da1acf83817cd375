"""Evaluates operators of ONNX on small constants: arithmetic on extents, conditions of branches and loops."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

EVALUATED: Final = frozenset(
    {"Add", "And", "Cast", "Ceil", "Concat", "Constant", "ConstantOfShape", "DequantizeLinear", "Div", "Equal"}
    | {"Expand", "Flatten", "Floor", "Gather", "Greater", "Identity", "Less", "Max", "Min", "Mod", "Mul", "Neg", "Not"}
    | {"Or", "Range", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSum", "Reshape", "Slice", "Squeeze", "Sub"}
    | {"Abs", "GreaterOrEqual", "LessOrEqual", "Sign", "Tile", "Transpose", "Unsqueeze", "Where", "Xor"}
)
"""Operators that exporters use for arithmetic on extents and for conditions."""
_FAULTS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What evaluating an operator on operands that do not fit it raises."""


class Evaluator:
    """Operators that compute some tensors from others."""

    def __init__(
        self, nodes: Sequence[onnx.NodeProto], reads: Sequence[str], makes: Sequence[str], opsets: Mapping[str, int]
    ) -> None:
        """Begin with the operators.

        Args:
            nodes: operators in an order in which they can run.
            reads: tensors that they are given.
            makes: tensors that are taken from them.
            opsets: version by operator domain.
        """
        from onnx.reference import ReferenceEvaluator

        def named(name: str) -> onnx.ValueInfoProto:
            return onnx.ValueInfoProto(name=name)

        self._makes = tuple(makes)
        graph = onnx.GraphProto(name="one", node=nodes, input=map(named, reads), output=map(named, makes))
        try:
            self._evaluator: ReferenceEvaluator | None = ReferenceEvaluator(graph, opsets=dict(opsets))
        except _FAULTS:
            self._evaluator = None

    def values(self, given: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """Values of the tensors that are taken; none where the operators do not fit what they are given."""
        if self._evaluator is None:
            return {}
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                made = self._evaluator.run(None, dict(given))
        except _FAULTS:
            return {}  # Extents are known all the same, and most constants need nothing else.
        return dict(zip(self._makes, made, strict=True))


def evaluated(node: onnx.NodeProto, values: Mapping[str, NDArray[Any]], opsets: Mapping[str, int]) -> dict[str, Any]:
    """Values of the outputs of an operator; none where it does not fit what it reads.

    Args:
        node: operator.
        values: values of its inputs, among others.
        opsets: version by operator domain.
    """
    reads = {name: values[name] for name in node.input if name}
    outputs = [name for name in node.output if name]
    return Evaluator([node], tuple(reads), outputs, opsets).values(reads)
