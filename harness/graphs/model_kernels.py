"""The kernel list of a model file: read, fused by the rules of one runtime, and written as JSON, CSV or a network."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from harness.errors import UsageError
from harness.graphs.data_types import in_dtype
from harness.graphs.faults import ModelFileError
from harness.graphs.fusion_rules import Runtime, read_runtime
from harness.graphs.graph import Graph
from harness.graphs.kernels import KernelList, as_network, kernel_list
from harness.graphs.reading import parse_input_option, parse_set_option, read_model
from harness.issues import quoted
from harness.schema.networks import Network
from harness.schema.outputs import Coverage, KernelsOutput, Missing, Total, UnknownExtents
from harness.schema.vocabulary import CONFIGURATION_FIELDS, Dtype

CSV_COLUMNS: Final = (
    "kernel",
    "dtype",
    *CONFIGURATION_FIELDS,
    "operator",
    "weight_dtype",
    "flops",
    "params",
    "bytes_moved",
    "count",
)
"""Columns of a kernel table that a model file gives, then those that kernels.csv does not have."""

_MOST_OTHERS: Final = 8
"""Other networks of a file that a note lists with their FLOPs."""


@dataclass(frozen=True, slots=True)
class ModelKernels:
    """Kernels that a runtime executes for a model file.

    Attributes:
        file: the model file.
        runtime: fusion rules.
        kernels: the kernels in order of execution, with what has no kernel type.
        batch: inferences that run together, by which the extents are divided.
        leading: first extent above 1 of each input, by name, where it was not taken for the batch.
        notes: what the counts rest on that the file does not settle, as sentences.
    """

    file: Path
    runtime: Runtime
    kernels: KernelList
    batch: int = 1
    leading: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def model(self) -> str:
        """Name of the model: that of its file."""
        return self.file.stem

    def as_json(self) -> dict[str, Any]:
        """The list as `deepen kernels --format json` gives it."""
        return self._output().as_json()

    def _output(self) -> KernelsOutput:
        found = self.kernels
        total = Total(
            n_kernels=len(found.kernels),
            flops=None if found.unknown else found.flops,
            flops_at_least=found.flops,
            params=found.params,
            bytes_moved=found.bytes_moved if found.open_end is None else None,
            bytes_at_least=found.bytes_moved,
        )
        return KernelsOutput(
            model=self.model,
            runtime=self.runtime.name,
            batch=self.batch,
            kernels=list(found.kernels),
            total=total,
            coverage=Coverage(kernels=found.coverage_kernels, flops=found.coverage_flops, bytes=found.coverage_bytes),
            unknown=list(found.unknown),
            extents_unknown_from=None if found.open_end is None else UnknownExtents(**found.open_end._asdict()),
            unsupported=[Missing(**item._asdict()) for item in found.unsupported],
            free=dict(found.free),
            notes=list(self.notes),
        )

    def as_csv(self) -> str:
        """The list as a table of kernels, one row each; a field that does not apply is empty."""
        text = io.StringIO()
        writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kernel.model_dump() for kernel in self.kernels.kernels)
        return text.getvalue()

    def as_network(self) -> Network:
        """The list as `graphs/<model>.json` of a submission holds it.

        Raises:
            UsageError: the file's name cannot be the name of a model.
        """
        try:
            return as_network(self.model, self.runtime, self.kernels)
        except ValidationError as error:
            raise UsageError(
                f"{quoted(self.model)} cannot name a model; name the file as models.csv does, with letters, digits, "
                "space and any of . _ + - (at most 100)"
            ) from error


def kernels_of_file(
    file: Path,
    runtime: str | None = None,
    inputs: Iterable[str] = (),
    batch: int | None = None,
    dtype: Dtype | None = None,
    *,
    values: Iterable[str] = (),
    signature: str | None = None,
) -> ModelKernels:
    """Kernels that a runtime executes for a model file.

    Args:
        file: ONNX or TFLite file.
        runtime: name of the fusion rules; those of the file's format by default.
        inputs: extents of network inputs that the file leaves open, each as `name=1x3x224x224`.
        batch: first extent of the inputs that is the batch; None where the file names it, or has none.
        dtype: data type that the network runs in; that of the file by default.
        values: values of network inputs of one element, each as `name=value`.
        signature: which of the networks of a TFLite file; the one that a runtime takes where none is named by default.

    Raises:
        UsageError: there is no such runtime, input, batch or signature, or extents or a value cannot be read.
        ModelFileError: the file is no model, is broken, or leaves extents open.
    """
    rules = None if runtime is None else read_runtime(runtime)
    extents = dict(parse_input_option(text) for text in inputs)
    settled = dict(parse_set_option(text) for text in values)
    graph = read_model(file, extents, batch, values=settled, signature=signature)
    graph = graph if dtype is None else in_dtype(graph, dtype)
    rules = rules or default_runtime(graph)
    shapes = {name: graph.tensors[name].shape or () for name in graph.inputs}
    leading = {name: shape[0] for name, shape in shapes.items() if len(shape) > 1 and shape[0] not in (1, graph.batch)}
    notes = (*graph.notes, *_on_batch(graph), *_on_others(file, graph, rules))
    return ModelKernels(file, rules, kernel_list(graph, rules), graph.batch, leading, notes)


def _on_batch(graph: Graph) -> Iterator[str]:
    """Sentence about the first tensor whose batch seems to stand second, so that it is not divided out."""
    shapes = {tensor: graph.tensors[tensor].shape or () for node in graph.nodes for tensor in node.outputs}
    found = ((tensor, shape) for tensor, shape in shapes.items() if len(shape) > 2 and shape[0] % graph.batch)
    for tensor, shape in found:
        if shape[1] == graph.batch:
            yield (
                f"{tensor} is {'x'.join(map(str, shape))}, where the batch of {graph.batch} seems to stand second: it "
                "is counted for all of them, as are others like it; give the inputs a first extent of 1 for one"
            )
            return


def _on_others(file: Path, graph: Graph, rules: Runtime) -> Iterator[str]:
    """Sentence about the other networks of a file, with their FLOPs where these are known as the file stands."""
    if not graph.others:
        return
    totals = []
    for name in graph.others[:_MOST_OTHERS]:
        try:
            found = kernel_list(read_model(file, signature=name), rules)
        except ModelFileError:
            totals.append(f"{quoted(name)} (not listed without more options)")
            continue
        least = "at least " if found.unknown else ""
        totals.append(f"{quoted(name)} ({least}{found.flops:,} FLOPs, {found.params:,} params)")
    rest = f" and {len(graph.others) - _MOST_OTHERS} more" if len(graph.others) > _MOST_OTHERS else ""
    own = f"the signature {quoted(graph.signature)} is" if graph.signature else "its first network is"
    yield f"the file has several networks, and {own} listed; others, by --signature: {', '.join(totals)}{rest}"


def default_runtime(graph: Graph) -> Runtime:
    """Rules of the runtime that a model file is made for; only TFLite files have their channels last."""
    return read_runtime("tflite-cpu" if graph.layout == "channels-last" else "onnxruntime-cpu")
