"""Model files of networks that a plan is for, to be measured as a whole as well."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import onnx

from harness.graphs.fusion_rules import Runtime, read_runtime
from harness.graphs.graph import Graph
from harness.graphs.kernels import KernelList, kernel_list
from harness.graphs.model_kernels import default_runtime
from harness.graphs.reading import parse_input_option, read_model
from harness.planning.kernel_files import model_inputs, planned_file
from harness.schema.plans import FileFormat, PlannedFile

_FORMAT_OF_LAYOUT: Final[dict[str, FileFormat]] = {"channels-first": "onnx", "channels-last": "tflite"}


class NetworkFile(NamedTuple):
    """A model file of a network, with its weights.

    Attributes:
        path: where it lies.
        graph: the network.
        runtime: fusion rules that list its kernels.
    """

    path: Path
    graph: Graph
    runtime: Runtime

    def planned(self, identifier: str) -> tuple[PlannedFile, bytes]:
        """The file as a plan states it, and its contents.

        Args:
            identifier: name of the network in the plan.
        """
        form, content = _FORMAT_OF_LAYOUT[self.graph.layout], self.path.read_bytes()
        path = f"networks/{identifier}.{form}"
        return planned_file(path, form, content, self.runtime.name, model_inputs(self.graph)), content


class ReadNetwork(NamedTuple):
    """A network that was read from a model file.

    Attributes:
        model: name of the file, without its ending.
        kernels: its kernels.
        file: how it is run as a whole; None where the file has no weights.
    """

    model: str
    kernels: KernelList
    file: NetworkFile | None


def read_networks(paths: Iterable[Path], runtime: str | None, inputs: Iterable[str]) -> Iterator[ReadNetwork]:
    """Kernels of model files, and whether each can be run.

    Args:
        paths: ONNX or TFLite files.
        runtime: name of the fusion rules; those of each file's format by default.
        inputs: extents of network inputs that all files leave open, each as `name=1x3x224x224`.

    Raises:
        UsageError: there is no such runtime or input.
        ModelFileError: a file is no model, is broken, or leaves extents open.
    """
    extents = dict(parse_input_option(text) for text in inputs)
    rules = None if runtime is None else read_runtime(runtime)
    for path in paths:
        graph = read_model(path, extents)
        chosen = rules or default_runtime(graph)
        file = NetworkFile(path, graph, chosen) if _has_weights(path, graph) else None
        yield ReadNetwork(path.stem, kernel_list(graph, chosen), file)


def _has_weights(path: Path, graph: Graph) -> bool:
    """Whether a file holds the values of all its weights; TFLite files always do."""
    if _FORMAT_OF_LAYOUT[graph.layout] == "tflite":
        return True
    found = onnx.load(path, load_external_data=False).graph
    stored = {tensor.name for tensor in found.initializer}
    is_beside = any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in found.initializer)
    return not is_beside and all(info.name in stored or info.name in graph.inputs for info in found.input)
