"""Kernel lists of model files that packages ship, against what their runtimes do with the same files.

`DEEPEN_MODELS` names the folder that wheels are kept in, `DEEPEN_UPSTREAM` one with further models. A file is wrong
where the FLOPs of its products are neither within 1 % of those by the runtime's own tensors nor said to be unknown.
Kernels are compared with what ONNX Runtime runs after its optimisation, and operators with LiteRT's list, which does
not say which activations are built in; blocks that kernel datasets measure as one are listed operator by operator.
Operators that work on constants or extents alone are left out on either side: a kernel list has none, and runtimes
compute them once where they know the extents. `KNOWN` states why the kernels of some files differ.
"""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from rich.console import Console
from rich.table import Table

from harness.errors import DeepenError
from harness.graphs.fusion_rules import Runtime
from harness.graphs.graph import Graph
from harness.graphs.kernels import KernelList, kernel_list
from harness.graphs.model_kernels import default_runtime
from harness.graphs.operator_flops import node_flops, work_of
from harness.graphs.operators import VIEWS, canonical_names
from harness.graphs.reading import parse_input_option, read_model
from harness.graphs.sizes import Sizes
from tests.bench.runtime_products import ran_by_litert, ran_by_onnx_runtime
from tests.bench.shipped_models import litert_folder, shipped_models
from tests.graphs.onnx_runtime import BLOCKS, kernel_name, run_names

WITHIN = 0.01
PRODUCTS = {"product", "recurrent", "attention", "projected-attention", "einsum"}
ACTIVATIONS = {"relu", "clip"}
"""Activations that TFLite may have built into an operator."""
ALIASES = {"global-avgpool": "avgpool", "reduce-mean": "avgpool", "sub": "add", "div": "mul"}
"""Names that differ between a file and a kernel list: of a mean over the plane, and of arithmetic with a constant."""
EXTENTS = {
    "*silero_vad_v6*": "input=1x576",
    "*silero_vad_16k_sequence*": "input=1x576",
    "*silero_vad*": "input=1x576 state=2x1x128",
    "ddddocr/common*": "input1=1x1x64x160",
    "nudenet/*": "images=1x3x320x320",
    "*det*.onnx": "x=1x3x640x640",
    "*rec*.onnx": "x=1x3x48x320",
    "*cls*.onnx": "x=1x3x48x192",
    "piper-tts/tashkeel*": "char_inputs=1x64 diac_inputs=1x64",
    "piper-tts/*": "input_1=1x64",
}
"""Extents of inputs by name of the file, the first that fits; they are used where a file has such inputs open."""
VALUES = {"sr": 16_000, "input_lengths": 64}
"""Values of inputs that decide what runs; all others are zero."""
_OPTIMIZER = "ONNX Runtime, onnxruntime/core/optimizer"
_MOVED = (
    "transpositions are moved along the network, which leaves a normalisation along another axis than the last in "
    f"parts ({_OPTIMIZER}/transpose_optimization)"
)
_REORDERED = f"a transposition is part of a change of layout ({_OPTIMIZER}/nchwc_transformer.cc)"
KNOWN = {
    "added/tiny_kws_q.onnx": f"quantised convolutions have channels last ({_OPTIMIZER}/nhwc_transformer.cc)",
    "added/tiny_*.onnx": _REORDERED,
    "ddddocr/common_det.onnx": "slices and a concatenation are one change of blocks into channels, and a gather "
    "(ONNX Runtime, SliceConcatToSpaceToDepthFusion)",
    "ddddocr/common_old.onnx": f"a product quantises its operand ({_OPTIMIZER}/dynamic_quantize_matmul_fusion.cc)",
    "onnx/light_inception_*": "equal weights in place of the real ones make convolutions equal, which then run once "
    f"({_OPTIMIZER}/common_subexpression_elimination.cc)",
    "*/tiny/rec/rec.onnx": _REORDERED,
    "*rec*.onnx": _MOVED,
    "piper-tts/tashkeel/*": _MOVED,
    "piper-tts/hebrew/*": "operators of which only the extents are read are left out where the runtime knows these "
    f"({_OPTIMIZER}/constant_folding.cc)",
}
"""Why kernels of a file differ, by the name of the file, the first that fits."""
CANONICAL = canonical_names(lambda operator: operator.tflite)


@dataclass
class Outcome:
    """What came of one file.

    Attributes:
        status: whole, partly or refused.
        reason: why it is not listed whole, why the runtime did not run it, or by how much it is wrong.
        given: extents that were given.
        flops: FLOPs of the products that the harness knows.
        expected: the same by the runtime's tensors; None where it gave none.
        is_right: whether they agree or are unknown.
        ours: kernels by the harness.
        theirs: kernels by the runtime.
        seconds: time of reading and listing.
    """

    status: str
    reason: str = ""
    given: str = ""
    flops: int = 0
    expected: int | None = None
    is_right: bool = True
    ours: Counter[str] = field(default_factory=Counter)
    theirs: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def n_equal(self) -> int:
        """Kernels that both have."""
        return (self.ours & self.theirs).total()

    @property
    def n_any(self) -> int:
        """Kernels that either has; none where the runtime did not run the file."""
        return (self.ours | self.theirs).total() if self.theirs else 0


def outcome_of(name: str, path: Path) -> Outcome:
    """Read one file, list it, and run it."""
    options = next((options for pattern, options in EXTENTS.items() if fnmatch(name, pattern)), "")
    start = time.perf_counter()
    try:
        graph, given = _read(path, options)
        found = kernel_list(graph, default_runtime(graph))
    except DeepenError as error:
        reason = str(error).splitlines()[0].partition(": ")[2] or str(error)
        return Outcome("refused", reason, options, seconds=time.perf_counter() - start)
    outcome = Outcome(*_status(found), given=given, seconds=time.perf_counter() - start)
    outcome.flops = flops_of_products(graph)
    try:
        _compare(outcome, path, graph)
    except Exception as error:  # noqa: BLE001 - whatever a runtime raises is its reason
        reason = " ".join(str(error).split())[:120]
        outcome.reason = f"{outcome.reason} runtime: {reason}".strip()
    return outcome


def _read(path: Path, options: str) -> tuple[Graph, str]:
    """Graph of a file, with extents where it leaves some open."""
    try:
        return read_model(path), ""
    except DeepenError:
        if not options:
            raise
    return read_model(path, dict(parse_input_option(option) for option in options.split())), options


def _status(found: KernelList) -> tuple[str, str]:
    unknown = f"unknown FLOPs of {', '.join(found.unknown)}" if found.unknown else ""
    if found.open_end is not None:
        return "partly", f"open from {found.open_end.operator}, {unknown}"
    return ("partly", unknown) if unknown else ("whole", "")


def flops_of_products(graph: Graph) -> int:
    """FLOPs of convolutions, matrix products, recurrent cells and attention, as far as they are known."""
    sizes = Sizes(graph)
    flops = 0
    for node in graph.nodes:
        tensors = (*sizes.activations(node), *node.outputs[:1])
        if work_of(node, sizes) in PRODUCTS and all(map(sizes.is_known, tensors)):
            flops += node.count * (node_flops(node, sizes) or 0)
    return flops


def without_blocks(runtime: Runtime) -> Runtime:
    """Rules of a runtime without those that no runtime has."""
    return runtime.model_copy(update={"rules": tuple(rule for rule in runtime.rules if rule.block not in BLOCKS)})


def _compare(outcome: Outcome, path: Path, graph: Graph) -> None:
    """Run a file in its runtime, and add to the outcome what it did."""
    kernels = kernel_list(graph, without_blocks(default_runtime(graph))).kernels
    if path.suffix == ".tflite":
        ran = ran_by_litert(path, litert_folder())
        parts = (part for kernel in kernels for part in kernel.operator.split("+"))
        outcome.ours = _plain(kernel_name(part) for part in parts)
        outcome.theirs = _plain(
            kernel_name(CANONICAL.get(op, op)) for op in ran.operators.elements() if CANONICAL.get(op, op) not in VIEWS
        )
    else:
        shapes = {tensor: shape for tensor in graph.inputs if (shape := graph.tensors[tensor].shape) is not None}
        ran = ran_by_onnx_runtime(path, shapes, VALUES)
        outcome.ours = _renamed(run_names(kernels).elements())
        outcome.theirs = _renamed(ran.operators.elements())
    outcome.expected = ran.flops
    if ran.flops is None:
        outcome.reason = f"{outcome.reason} the runtime ran a product that is not counted".strip()
        return
    limit = WITHIN * ran.flops
    too_many, too_few = outcome.flops - ran.flops > limit, ran.flops - outcome.flops > limit
    outcome.is_right = not too_many and (outcome.status == "partly" or not too_few)


def _renamed(names: Iterable[str]) -> Counter[str]:
    return Counter(ALIASES.get(name, name) for name in names)


def _plain(names: Iterable[str]) -> Counter[str]:
    return Counter({name: n for name, n in _renamed(names).items() if name not in ACTIVATIONS})


def _differences(outcome: Outcome) -> str:
    """Kernels that only one side has: more in the kernel list with a plus, fewer with a minus."""
    if not outcome.theirs:
        return ""
    more = [f"+{n} {name}" for name, n in (outcome.ours - outcome.theirs).items()]
    return ", ".join([*more, *(f"-{n} {name}" for name, n in (outcome.theirs - outcome.ours).items())])


def print_outcomes(console: Console, outcomes: dict[str, Outcome]) -> None:
    """A table of files, then why some are not listed whole and which kernels differ."""
    table = Table(title="model files of packages")
    for heading in ("file", "listed", "MFLOPs", "by runtime", "right", "equal", "of", "s"):
        table.add_column(heading, justify="left" if heading in ("file", "listed", "right") else "right")
    for name, item in outcomes.items():
        expected = "" if item.expected is None else f"{item.expected / 1e6:,.2f}"
        right = ("unknown" if item.status == "refused" or item.expected is None else "yes") if item.is_right else "NO"
        counts = (str(item.n_equal), str(item.n_any)) if item.theirs else ("", "")
        table.add_row(name, item.status, f"{item.flops / 1e6:,.2f}", expected, right, *counts, f"{item.seconds:.2f}")
    console.print(table)
    for name, item in outcomes.items():
        differences = _differences(item)
        why = next((why for pattern, why in KNOWN.items() if fnmatch(name, pattern)), "") if differences else ""
        notes = [("given", item.given), ("reason", item.reason), ("kernels", differences), ("known", why)]
        text = "; ".join(f"{kind}: {note}" for kind, note in notes if note)
        if text:
            console.print(f"{name}: {text}", markup=False, highlight=False)


def main(console: Console) -> None:
    """Compare all files and print; a wrong one ends with exit code 1."""
    outcomes = {name: outcome_of(name, path) for name, path in shipped_models().items()}
    print_outcomes(console, outcomes)
    every = list(outcomes.values())
    n_right, n_whole = sum(item.is_right for item in every), sum(item.status == "whole" for item in every)
    n_equal, n_any = sum(item.n_equal for item in every), sum(item.n_any for item in every)
    n_compared = sum(item.expected is not None for item in every)
    console.print(
        f"{len(every)} files: {n_right / len(every):.1%} right or unknown ({n_compared} compared with a runtime), "
        f"{n_whole / len(every):.1%} listed whole, {n_equal / max(n_any, 1):.1%} of {n_any} kernels equal"
    )
    if n_right < len(every):
        raise SystemExit(1)
