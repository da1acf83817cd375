"""What ONNX Runtime makes of a model, and a kernel list in the same terms: operators that run, by canonical name."""

from collections import Counter
from pathlib import Path

import onnx
import onnxruntime

from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.graphs.operators import OPERATORS, VIEWS, canonical_names

CANONICAL = canonical_names(lambda operator: operator.onnx_runtime) | canonical_names(lambda operator: operator.onnx)
_REORDERING = ("ReorderInput", "ReorderOutput")
"""Changes between layouts in memory, which are of no network."""
BLOCKS = {"se", "hswish", "channelshuffle"}
"""Blocks that kernel datasets measure as one, and that the runtime runs operator by operator."""


def optimised(model: onnx.ModelProto, folder: Path) -> Counter[str]:
    """Operators that ONNX Runtime runs for a model at its default level, views left out."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    nodes = onnx.load(folder / "optimised.onnx").graph.node
    running = [CANONICAL.get(node.op_type, node.op_type) for node in nodes if node.op_type not in _REORDERING]
    return Counter(kernel_name(name) for name in running if name not in VIEWS)


def listed(model: onnx.ModelProto) -> Counter[str]:
    """Kernels of the kernel list of a model under the rules of ONNX Runtime, by the operator that each begins with."""
    kernels = kernel_list(graph_of_onnx(model, "made.onnx"), read_runtime("onnxruntime-cpu")).kernels
    return Counter(kernel_name(kernel.operator) for kernel in kernels)


def kernel_name(operator: str) -> str:
    """Canonical name of the operator that a kernel begins with, however its operands or its window are called."""
    first = operator.partition("+")[0]
    if first in OPERATORS or first in BLOCKS:
        return {"fc": "matmul", "relu6": "clip", "embedding": "gather"}.get(first, first)
    for name in ("conv", "matmul"):
        if first.removeprefix("dw").startswith(name):
            return name
    base = first.partition("-")[0]
    return {"scale": "mul", "bias": "add"}.get(base, base)
