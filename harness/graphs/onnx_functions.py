"""Inlines a model's own functions, and bodies of operators that the standard defines as functions.

A model's functions are inlined unless they would unfold to absurdly many operators.
"""

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


def made_by_body(
    node: onnx.NodeProto,
    types: Mapping[str, onnx.TypeProto],
    values: Mapping[str, onnx.TensorProto],
    opsets: Mapping[str, int],
) -> dict[str, onnx.TypeProto]:
    """Types of the outputs of an operator that the standard defines by a body of others; none where they are unknown.

    Args:
        node: operator.
        types: types of its inputs by name.
        values: values of those that are small constants.
        opsets: version by operator domain.
    """
    read = [onnx.ValueInfoProto(name=name, type=kind) for name, kind in types.items() if kind.WhichOneof("value")]
    graph = onnx.GraphProto(name="one", node=[node], input=read)
    graph.output.extend(onnx.ValueInfoProto(name=name) for name in node.output if name)
    for name, value in values.items():
        graph.initializer.add().CopyFrom(value)
        graph.initializer[-1].name = name
    imports = [onnx.helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    model = onnx.helper.make_model(graph, opset_imports=imports)
    try:
        unfolded = inliner.inline_selected_functions(model, [(node.domain, node.op_type)], inline_schema_functions=True)
        inferred = onnx.shape_inference.infer_shapes(unfolded, data_prop=True)
    except (RuntimeError, ValueError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError):
        return {}
    return {info.name: info.type for info in inferred.graph.output if info.type.WhichOneof("value")}


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
