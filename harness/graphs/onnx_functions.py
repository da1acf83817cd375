"""Inlines a model's own functions, unless they would unfold to absurdly many operators."""

from collections.abc import Mapping

import onnx
from onnx import inliner

from harness.budget import MOST_MODEL_OPERATORS
from harness.graphs.faults import ModelFileError, model_issue
from harness.issues import Issue, quoted


def inlined(model: onnx.ModelProto, shown: str) -> onnx.ModelProto:
    """The model with the bodies of its functions in place of their calls.

    Raises:
        ModelFileError: functions that call each other in a circle, or that unfold to more than 100,000 operators.
    """
    functions = {(function.domain, function.name): function for function in model.functions}
    sizes: dict[tuple[str, str], int] = {}
    for key in functions:
        _measure(key, functions, sizes, shown)
    n_operators = sum(sizes.get((node.domain, node.op_type), 1) for node in model.graph.node)
    if n_operators > MOST_MODEL_OPERATORS:
        raise ModelFileError(
            [_fault(shown, f"functions that unfold to {n_operators} operators", f"{MOST_MODEL_OPERATORS} at most")]
        )
    try:
        return inliner.inline_local_functions(model)
    except (RuntimeError, ValueError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        found = f"functions that cannot be unfolded: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
        raise ModelFileError([_fault(shown, found, "functions as the ONNX standard has them")]) from error


def _measure(
    first: tuple[str, str],
    functions: Mapping[tuple[str, str], onnx.FunctionProto],
    sizes: dict[tuple[str, str], int],
    shown: str,
) -> None:
    """Count the operators that a function unfolds to, functions that it calls first, without recursion."""
    stack, open_calls = [first], set[tuple[str, str]]()
    while stack:
        key = stack[-1]
        if key in sizes:
            stack.pop()
            continue
        calls = [(node.domain, node.op_type) for node in functions[key].node]
        missing = [call for call in calls if call in functions and call not in sizes]
        if not missing:
            sizes[key] = sum(sizes.get(call, 1) for call in calls)
            open_calls.discard(key)
            stack.pop()
            continue
        open_calls.add(key)
        if open_calls.intersection(missing):
            raise ModelFileError([_fault(shown, f"the function {quoted(key[1])} calls itself", "no recursion")])
        stack += missing


def _fault(shown: str, found: str, expected: str) -> Issue:
    return model_issue("model-graph", shown, found=found, expected=expected, fix="Export the model again.")
