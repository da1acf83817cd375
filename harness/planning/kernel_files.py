"""Files of a kernel configuration, each read back: a runtime runs it as that kernel, or it is not written."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, cast

import onnx

from harness.graphs.fusion_rules import read_runtime
from harness.graphs.graph import Graph
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.graphs.tflite_reader import graph_of_tflite
from harness.planning.onnx_kernels import onnx_kernel
from harness.planning.operands import KernelExtents, Operands, UnwritableKernelError
from harness.planning.tflite_kernels import tflite_kernel
from harness.schema.kernel_types import Kernel
from harness.schema.networks import Configuration, configuration_of
from harness.schema.plans import FORMATS, FileFormat, ModelInput, PlannedFile
from harness.schema.vocabulary import StoredDtype

_RANGES: Final[Mapping[StoredDtype, tuple[float, float]]] = {
    "fp64": (0.1, 1.0), "fp32": (0.1, 1.0), "fp16": (0.1, 1.0), "bf16": (0.1, 1.0), "int8": (0.0, 127.0),
    "uint8": (0.0, 127.0),
}  # fmt: skip
"""Ends of the values of inputs that are no indices: every function of real numbers is finite between them."""


class Form(NamedTuple):
    """A file format, and the runtime that its files are for.

    Attributes:
        runtime: fusion rules under which a file is one kernel.
        write: contents of a file from a kernel type, its extents and what its weights are taken from.
        read: network of the contents of a file.
    """

    runtime: str
    write: Callable[[Kernel, KernelExtents, Operands], bytes]
    read: Callable[[bytes], Graph]


FORMS: Final[Mapping[FileFormat, Form]] = {
    "onnx": Form(
        "onnxruntime-cpu",
        onnx_kernel,
        lambda content: graph_of_onnx(onnx.ModelProto.FromString(content), "kernel.onnx"),
    ),
    "tflite": Form("tflite-cpu", tflite_kernel, lambda content: graph_of_tflite(content, "kernel.tflite")),
}
"""Formats that a kernel is written in."""


@dataclass(frozen=True, slots=True)
class KernelFiles:
    """Files of one kernel.

    Attributes:
        contents: contents by format.
        inputs: inputs by format.
        refused: why it is not written in a format, by that.
    """

    contents: Mapping[FileFormat, bytes]
    inputs: Mapping[FileFormat, list[ModelInput]]
    refused: Mapping[FileFormat, str]

    def planned(self, identifier: str) -> dict[FileFormat, PlannedFile]:
        """The files as a plan states them, by format.

        Args:
            identifier: name of the kernel in the plan.
        """
        return {
            form: planned_file(f"kernels/{identifier}.{form}", form, content, FORMS[form].runtime, self.inputs[form])
            for form, content in self.contents.items()
        }


def planned_file(
    path: str, form: FileFormat, content: bytes, fusion_rules: str, inputs: list[ModelInput]
) -> PlannedFile:
    """A model file as a plan states it.

    Args:
        path: path in the folder of the plan.
        form: its format.
        content: its contents.
        fusion_rules: fusion rules that list its kernels.
        inputs: its inputs.
    """
    digest = hashlib.sha256(content).hexdigest()
    return PlannedFile(
        format=form,
        path=path,
        sha256=digest,
        n_bytes=len(content),
        opset=_opset(content) if form == "onnx" else None,
        fusion_rules=fusion_rules,
        inputs=inputs,
    )


def _opset(content: bytes) -> int | None:
    """Version of the standard operators that an ONNX file needs; None where it has none of these."""
    imports = onnx.ModelProto.FromString(content).opset_import
    return max((each.version for each in imports if each.domain in ("", "ai.onnx")), default=None)


def kernel_files(
    configuration: Configuration, seed: int | None, formats: Collection[FileFormat] = FORMATS
) -> KernelFiles:
    """A kernel in every format that holds it.

    Args:
        configuration: its type and extents.
        seed: seed of the weights; None for weights of 0, where only the formats are to be known.
        formats: formats to write.
    """
    contents: dict[FileFormat, bytes] = {}
    inputs: dict[FileFormat, list[ModelInput]] = {}
    refused: dict[FileFormat, str] = {}
    for name, form in FORMS.items():
        if name not in formats:
            continue
        try:
            contents[name], inputs[name] = _written(configuration, form, seed)
        except UnwritableKernelError as reason:
            refused[name] = str(reason)
    return KernelFiles(contents, inputs, refused)


def _written(configuration: Configuration, form: Form, seed: int | None) -> tuple[bytes, list[ModelInput]]:
    """Contents of a file, and its inputs.

    Raises:
        UnwritableKernelError: the format does not hold the kernel, or its runtime runs something else for it.
    """
    text = "/".join(f"{name}={value}" for name, value in sorted(configuration.items()))
    content = form.write(cast("Kernel", configuration["kernel"]), KernelExtents(configuration), Operands(seed, text))
    graph, rules = form.read(content), read_runtime(form.runtime)
    found = kernel_list(graph, rules).kernels
    if [configuration_of(kernel) for kernel in found] != [configuration]:
        raise UnwritableKernelError(f"{rules.title} runs it as {' and '.join(kernel.operator for kernel in found)}")
    entries = configuration.get("entries")
    return content, model_inputs(graph, 1 if entries is None else int(entries))


def model_inputs(graph: Graph, n_entries: int = 1) -> list[ModelInput]:
    """What a network has to be given, with values that all its functions are finite at.

    Args:
        graph: network.
        n_entries: rows of the table that whole numbers are indices of.
    """
    found = []
    for name in graph.inputs:
        tensor = graph.tensors[name]
        stored = tensor.stored or "fp32"
        low, high = _RANGES.get(stored, (0.0, float(n_entries - 1)))
        found.append(ModelInput(name=name, extents=list(tensor.shape or ()), dtype=stored, low=low, high=high))
    return found
