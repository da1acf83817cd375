"""What ONNX Runtime makes of a model, and a kernel list in the same terms: operators that run, by canonical name."""

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper

from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.graphs.operators import OPERATORS, VIEWS, canonical_names
from harness.schema.networks import ListedKernel

CANONICAL = canonical_names(lambda operator: operator.onnx_runtime) | canonical_names(lambda operator: operator.onnx)
_NOT_LISTED = {"ReorderInput", "ReorderOutput", "If", "Loop", "Scan"}
"""Changes between layouts in memory, which are of no network, and operators whose bodies run in their place."""
_OF_CHANNELS = {"_bn_nchwc": "bn", "_mul_nchwc": "mul"}
"""What ends the names of convolutions that stand for an operator on blocks of channels, and that operator."""
BLOCKS = {"se", "hswish", "channelshuffle"}
"""Blocks that kernel datasets measure as one, and that the runtime runs operator by operator."""
HARD_SWISH = ("hsigmoid", "mul")
"""Operators as which the runtime runs a hard swish that no convolution takes up."""
Feed = Mapping[str, np.ndarray]


def profiled(model: onnx.ModelProto, level: onnxruntime.GraphOptimizationLevel, feed: Feed) -> list[dict[str, Any]]:
    """Operators that ONNX Runtime runs for a model, with what its profile states of each run.

    Those that work on constants or extents alone are left out.

    Args:
        model: model.
        level: level of its graph optimisation.
        feed: what each input is given.

    Raises:
        Exception: whatever ONNX Runtime raises on a model that it does not run.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.graph_optimization_level = level
        options.optimized_model_filepath = str(Path(folder) / "optimised.onnx")
        # A weight that is packed beforehand is not among the operands that the profile states.
        options.add_session_config_entry("session.disable_prepacking", "1")
        # The default on ARM64; other processors may be given unsigned tensors for signed ones, and floats between them.
        options.add_session_config_entry("session.qdqisint8allowed", "1")
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        session.run([], dict(feed))
        events = json.loads(Path(session.end_profiling()).read_text())
        on_extents = set(_on_extents(onnx.load(options.optimized_model_filepath).graph, set()))
    found = [
        event["args"] | {"name": event["name"].removesuffix("_kernel_time")} for event in events if "args" in event
    ]
    return [event for event in found if "input_type_shape" in event and event["name"] not in on_extents]


def _on_extents(graph: onnx.GraphProto, outside: set[str]) -> Iterator[str]:
    """Names of the operators of a graph and its bodies that work on constants or extents alone.

    Args:
        graph: graph or body, its operators in their order.
        outside: constants and extents of what is around a body.
    """
    known = outside | {tensor.name for tensor in graph.initializer} | {""}
    for node in graph.node:
        bodies = [attribute.g for attribute in node.attribute if attribute.HasField("g")]
        for body in bodies:
            yield from _on_extents(body, known)
        if node.op_type in ("Shape", "Size") or (node.input and not bodies and known.issuperset(node.input)):
            known.update(node.output)
            yield node.name


def zeros_for(model: onnx.ModelProto) -> Feed:
    """Zeros for the inputs of a model that states all extents."""
    weights = {tensor.name for tensor in model.graph.initializer}
    declared = {info.name: info.type.tensor_type for info in model.graph.input if info.name not in weights}
    return {name: filled(kind, [dim.dim_value for dim in kind.shape.dim]) for name, kind in declared.items()}


def filled(declared: onnx.TypeProto.Tensor, shape: Sequence[int], value: int = 0) -> np.ndarray:
    """An input of some extents, all of whose elements are one number."""
    return np.full(shape, value, helper.tensor_dtype_to_np_dtype(declared.elem_type))


def optimised(model: onnx.ModelProto, feed: Feed) -> Counter[str]:
    """Operators that ONNX Runtime runs for a model at its default level, views left out; each counts once.

    Args:
        model: model.
        feed: what each input is given.

    Raises:
        Exception: whatever ONNX Runtime raises on a model that it does not run.
    """
    ran = profiled(model, onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL, feed)
    # A body that runs often has the same operators in each turn.
    operators = {(event["name"], event["node_index"], event["op_name"]) for event in ran}
    names = (_running_name(name, op) for name, _, op in operators if op not in _NOT_LISTED)
    return Counter(kernel_name(name) for name in names if name not in VIEWS)


def _running_name(node: str, op: str) -> str:
    stands_for = next((name for end, name in _OF_CHANNELS.items() if end in node), None)
    return stands_for or CANONICAL.get(op, op)


def listed(model: onnx.ModelProto) -> Counter[str]:
    """Kernels of the kernel list of a model under the rules of ONNX Runtime, as the runtime runs them."""
    return run_names(kernel_list(graph_of_onnx(model, "made.onnx"), read_runtime("onnxruntime-cpu")).kernels)


def run_names(kernels: Iterable[ListedKernel]) -> Counter[str]:
    """Operators that kernels begin with; of a hard swish, those that the runtime runs for it."""
    names = (HARD_SWISH if kernel.operator == "hswish" else (kernel.operator,) for kernel in kernels)
    return Counter(kernel_name(name) for each in names for name in each)


def kernel_name(operator: str) -> str:
    """Canonical name of the operator that a kernel begins with, however its operands or its window are called."""
    first = operator.partition("+")[0]
    if first in OPERATORS or first in BLOCKS:
        return {"fc": "matmul", "relu6": "clip", "embedding": "gather", "resize-nearest": "resize"}.get(first, first)
    for name in ("conv", "matmul"):
        if first.removeprefix("dw").startswith(name):
            return name
    base = first.partition("-")[0]
    return {"scale": "mul", "bias": "add"}.get(base, base)
