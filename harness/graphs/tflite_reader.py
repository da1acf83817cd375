"""Reads TFLite models, with or without the values of their weights, into graphs."""

from collections.abc import Mapping
from typing import Final

from harness.errors import UsageError
from harness.graphs.faults import ModelFileError, model_issue
from harness.graphs.graph import Graph
from harness.graphs.input_extents import DeclaredInput, InputExtents, parsed_value, resolve
from harness.graphs.listing import sentences
from harness.graphs.tflite_control_flow import CONTROL_FLOW
from harness.graphs.tflite_file import (
    BrokenFileError,
    FileModel,
    FileSignature,
    FileTensor,
    numpy_dtype,
    parse_model,
)
from harness.graphs.tflite_shapes import Values
from harness.graphs.tflite_walk import Walk
from harness.issues import quoted, unknown

_DEFAULT: Final = "serving_default"
"""Signature that runtimes take where none is named."""


def graph_of_tflite(
    data: bytes,
    shown: str,
    inputs: Mapping[str, tuple[int, ...]] | None = None,
    batch: int | None = None,
    *,
    values: Mapping[str, str] | None = None,
    signature: str | None = None,
) -> Graph:
    """Graph of a network of a TFLite model.

    Weights need no values. An input has the extents that the file states, also where it says that they may be changed,
    unless it states 1 for such an extent, which converters write for what they do not know: a first one is then 1
    unless `inputs` says otherwise, and any other is open. An activation that an operator has in itself becomes a node
    of its own. An average pooling over the whole plane becomes `global-avgpool`, because exporters write means over
    height and width so. Bodies of control flow and of composite operators stand in place of these; `graph_of_onnx`
    says how.

    Args:
        data: contents of the file.
        shown: file as messages show it; name of the graph.
        inputs: extents of network inputs by name, for what the file leaves open.
        batch: first extent of the inputs that is the batch; a file of this format names none.
        values: values of network inputs of one element by name, as text; such an input is a constant.
        signature: which of the networks of the file; by default `serving_default`, or the first where there is none.

    Raises:
        UsageError: extents or a value are given for an input that the model does not have, a value is none of its
            type, no input has that batch, or the file has no such signature.
        ModelFileError: the bytes are not a whole TFLite model, or it leaves extents open.
    """
    try:
        model = parse_model(data)
    except BrokenFileError as error:
        issue = model_issue(
            "model-format",
            shown,
            found=f"a broken TFLite file: {error}",
            expected="a whole TFLite model",
            fix="Export or download the file again.",
        )
        raise ModelFileError([issue]) from error
    return _Reader(model, shown, signature).graph(inputs or {}, batch, values or {})


class _Reader:
    """Conversion of one network of a file into a graph."""

    def __init__(self, model: FileModel, shown: str, signature: str | None) -> None:
        self._shown = shown
        self._model = model
        self._signature = _chosen(model, shown, signature)
        self._graph = model.graphs[self._signature.graph]
        self._inputs = tuple(self._graph.tensors[place].name for place in self._graph.inputs)
        if not self._graph.operators:
            fix, found = "Export the network with its operators.", "a graph without operators"
            issue = model_issue("model-graph", shown, found=found, expected="at least one operator", fix=fix)
            raise ModelFileError([issue])

    def graph(self, given: Mapping[str, tuple[int, ...]], batch: int | None, values: Mapping[str, str]) -> Graph:
        """The graph.

        Args:
            given: extents of inputs by name.
            batch: first extent of the inputs that is the batch.
            values: values of inputs by name.
        """
        walk = Walk(self._model, self._shown, CONTROL_FLOW)
        walk.enter(self._graph)
        resolved = self._resolved(given, batch)
        walk.batch = resolved.batch
        for name, shape in resolved.shapes.items():
            walk.set_shape(name, shape)
        for name, text in values.items():
            walk.set_values(name, self._set_value(name, text, walk))
        listing = walk.walk(self._graph)
        inputs = tuple(name for name in self._inputs if name not in values)
        outputs = tuple(self._graph.tensors[place].name for place in self._graph.outputs)
        nodes = (*listing.nodes, *listing.idle)
        used = dict.fromkeys((*inputs, *outputs, *(name for node in nodes for name in (*node.inputs, *node.outputs))))
        tensors = {name: walk.tensor(name) for name in used}
        notes = sentences(walk.questions, lambda tensor: walk.settable(tensor, inputs))
        return Graph(
            self._shown,
            "channels-last",
            tuple(listing.nodes),
            tensors,
            inputs,
            outputs,
            dict(listing.folded),
            walk.batch,
            tuple(listing.idle),
            frozenset(listing.held),
            tuple(notes),
            self._signature.name,
            tuple(each.name for each in self._model.signatures if each.graph != self._signature.graph),
        )

    def _resolved(self, given: Mapping[str, tuple[int, ...]], batch: int | None) -> InputExtents:
        """Extents of the inputs that operators read; an input may go by the name that the signature gives it."""
        tensors = self._graph.tensors
        names = {name: tensors[place].name for name, place in self._signature.inputs.items()}
        own = {name if name in self._inputs else names.get(name, name): shape for name, shape in given.items()}
        read = {index for operator in self._graph.operators for index in operator.inputs}
        asked = [tensors[index] for index in self._graph.inputs if index in read]
        declared = [DeclaredInput(tensor.name, _dims(tensor, is_given=tensor.name in own)) for tensor in asked]
        return resolve(declared, own, self._shown, batch)

    def _set_value(self, name: str, text: str, walk: Walk) -> Values:
        if name not in self._inputs:
            raise unknown("input of the model", name, self._inputs)
        return parsed_value(name, text, walk.shape(name), numpy_dtype(walk.kind(name)))


def _chosen(model: FileModel, shown: str, name: str | None) -> FileSignature:
    """The network of a file that is read: the one that is named, or the default one, or the first subgraph.

    Raises:
        UsageError: the file has no such signature.
    """
    found = {signature.name: signature for signature in model.signatures}
    if name is not None:
        if not found:
            raise UsageError(f"--signature '{quoted(name)}': {quoted(shown)} has no signatures")
        if name not in found:
            raise unknown("signature of the model", name, found)
        return found[name]
    first = next((signature for signature in model.signatures if signature.graph == 0), FileSignature("", 0, {}))
    return found.get(_DEFAULT, first)


def _dims(tensor: FileTensor, *, is_given: bool) -> tuple[int | None, ...]:
    """Extents as a file declares them for an input; None where they are open.

    Those that a caller may change are open where they are given, and otherwise only where the file states 1 for them,
    which converters write for what they do not know.
    """
    pairs = zip(tensor.signature, tensor.shape, strict=True)
    return tuple(stated if stated >= 1 else held if held > 1 and not is_given else None for stated, held in pairs)
