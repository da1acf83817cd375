"""Reads ONNX models, with or without the values of their weights, into graphs."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import onnx
from onnx import TypeProto, helper, numpy_helper

from harness.graphs.dynamic_quantisation import join_dynamic_quantisation
from harness.graphs.faults import ModelFileError, model_issue
from harness.graphs.graph import Graph
from harness.graphs.input_extents import MOST_EXTENT, DeclaredInput, InputExtents, parsed_value, resolve
from harness.graphs.onnx_control_flow import CONTROL_FLOW
from harness.graphs.onnx_functions import inlined
from harness.graphs.onnx_scopes import bodies_of, in_running_order, operators_of, stored_in
from harness.graphs.onnx_tensors import Tensors
from harness.graphs.onnx_walk import Walk, bound_type, dims_of
from harness.graphs.quantisation import fold_quantisation
from harness.issues import Issue, unknown

_WEIGHT_PLACES: Final[Mapping[str, tuple[int, ...]]] = {
    "BatchNormalization": (1, 2, 3, 4),
    "Conv": (1, 2),
    "ConvInteger": (1, 3),
    "ConvTranspose": (1, 2),
    "DequantizeLinear": (1, 2),
    "GRU": (1, 2, 3),
    "Gemm": (1, 2),
    "InstanceNormalization": (1, 2),
    "LSTM": (1, 2, 3),
    "LayerNormalization": (1, 2),
    "PRelu": (1,),
    "QLinearConv": (1, 2, 3, 4, 5, 6, 7, 8),
    "QuantizeLinear": (1, 2),
    "RNN": (1, 2, 3),
}
"""Operands that are weights where a file declares them without values."""
_PASSING: Final = frozenset({"Cast", "DequantizeLinear", "Identity", "QuantizeLinear", "Transpose"})
"""Operators through which a weight stays a weight."""
_OPEN_OPSETS: Final = "opset_import with the standard domain and its version"


def graph_of_onnx(
    model: onnx.ModelProto,
    shown: str,
    inputs: Mapping[str, tuple[int, ...]] | None = None,
    batch: int | None = None,
    *,
    values: Mapping[str, str] | None = None,
) -> Graph:
    """Graph of an ONNX model.

    Weights need no values: a graph input or a declared tensor that operators only read where weights belong (second
    operand of a convolution, statistics of a batch normalisation) is a weight. An open first extent of an input is 1
    unless `inputs` says otherwise. Files with external data are read without it. An average pooling over
    the whole plane becomes `global-avgpool`, because exporters write means over height and width so. Bodies of If,
    Loop and Scan stand in place of these: the branch that runs, or the one with the most FLOPs where the file does not
    settle which, and the body of a loop as often as it runs. A loop whose runs are unknown remains as an operator.

    Args:
        model: model; it is not changed.
        shown: file as messages show it; name of the graph.
        inputs: extents of network inputs by name, for what the model leaves open.
        batch: first extent of the inputs that is the batch; None where the model names it, or has none.
        values: values of network inputs of one element by name, as text; such an input is a constant.

    Raises:
        UsageError: extents or a value are given for an input that the model does not have, a value is none of its
            type, or no input has that batch.
        ModelFileError: the model is broken, or leaves extents open.
    """
    graph = _Reader(_checked(model, shown), shown, inputs or {}, batch, values or {}).graph()
    return join_dynamic_quantisation(fold_quantisation(graph))


def _checked(model: onnx.ModelProto, shown: str) -> onnx.ModelProto:
    """The model with its functions inlined, if it is a model at all."""
    issues = list(_format_faults(model, shown))
    if issues:
        raise ModelFileError(issues)
    return inlined(model, shown) if model.functions else model


def _format_faults(model: onnx.ModelProto, shown: str) -> Iterator[Issue]:
    if not model.HasField("graph"):
        yield model_issue(
            "model-format",
            shown,
            found="a file without a graph",
            expected="an ONNX model with a graph",
            fix="Export the model again.",
        )
        return
    if bytes in map(type, _texts(model.graph)):
        yield model_issue(
            "model-format",
            shown,
            found="a name that is not UTF-8 text",
            expected="an ONNX model",
            fix="Export or download the file again.",
        )
        return
    if not model.graph.node:
        yield model_issue(
            "model-graph",
            shown,
            found="a graph without operators",
            expected="at least one operator",
            fix="Export the network with its operators.",
        )
    names = Counter([tensor.name for tensor in model.graph.initializer])
    names += Counter([tensor.values.name for tensor in model.graph.sparse_initializer])
    for repeated in (names, Counter(info.name for info in model.graph.input)):
        for name in sorted(name for name, n in repeated.items() if n > 1):
            yield model_issue(
                "model-graph",
                shown,
                tensor=name,
                found=f"declared {repeated[name]} times",
                expected="one origin of every tensor",
                fix="Rename the others in the export.",
            )
    yield from _opset_faults(model, shown)


def _opset_faults(model: onnx.ModelProto, shown: str) -> Iterator[Issue]:
    versions = _opsets(model)
    if "" not in versions and any(node.domain in ("", "ai.onnx") for node in model.graph.node):
        yield model_issue(
            "model-format",
            shown,
            found="an empty opset list" if not model.opset_import else "an opset list without the standard domain",
            expected=_OPEN_OPSETS,
            fix="Set opset_import to the version the model was exported for, as onnx.helper.make_opsetid('', 9) does, "
            "or export the model again with a current exporter.",
        )
    for domain, version in versions.items():
        if not 1 <= version <= MOST_EXTENT:
            yield model_issue(
                "model-format",
                shown,
                found=f"version {version} of the operator domain {domain or 'ai.onnx'}",
                expected="a version of at least 1",
                fix="Set opset_import to the version the model was exported for.",
            )


def _texts(graph: onnx.GraphProto) -> Iterator[str]:
    """Names of a graph and of the bodies in it; protobuf gives bytes for those that are not UTF-8 text."""
    for tensor in graph.initializer:
        yield tensor.name
    for sparse in graph.sparse_initializer:
        yield sparse.values.name
    for info in (*graph.input, *graph.output, *graph.value_info):
        yield info.name
        yield from [dim.dim_param for dim in info.type.tensor_type.shape.dim]
    for node in graph.node:
        yield from (node.op_type, node.domain, node.name, *node.input, *node.output)
        for attribute in node.attribute:
            yield attribute.name
            for body in bodies_of(attribute):
                yield from _texts(body)


def _opsets(model: onnx.ModelProto) -> dict[str, int]:
    """Version by operator domain; the standard domain has the empty name."""
    named = ((opset.domain, opset.version) for opset in model.opset_import if isinstance(opset.domain, str))
    return {"" if domain == "ai.onnx" else domain: version for domain, version in named}


class _Reader:
    """Conversion of one model into a graph."""

    def __init__(
        self,
        model: onnx.ModelProto,
        shown: str,
        given: Mapping[str, tuple[int, ...]],
        batch: int | None,
        values: Mapping[str, str],
    ) -> None:
        self._proto = model.graph
        self._opsets = _opsets(model)
        self._shown = shown
        self._given = given
        self._batch = batch
        self._values = values
        self._operators = operators_of(model.graph.node)
        self._read = {name for operator in self._operators for name in operator.reads}
        self._stored = set(stored_in(self._proto))
        self._weights = self._find_weights()
        self._inputs = [
            info for info in self._proto.input if info.name not in self._stored and info.name not in self._weights
        ]

    def graph(self) -> Graph:
        """The graph, with its pairs of quantisation and dequantisation."""
        outputs = tuple(info.name for info in self._proto.output)
        given = self._stored | self._weights | {info.name for info in self._inputs}
        order = in_running_order(self._operators, given, outputs, self._shown)
        resolved = self._resolved()
        known = self._begun(resolved)
        walk = Walk(known, resolved.batch, resolved.bound, self._shown, CONTROL_FLOW)
        listing = walk.walk(order)
        inputs = tuple(info.name for info in self._inputs if info.name not in self._values)
        nodes = (*listing.nodes, *listing.idle)
        used = dict.fromkeys((*inputs, *(name for node in nodes for name in (*node.inputs, *node.outputs)), *outputs))
        return Graph(
            self._shown,
            "channels-first",
            tuple(listing.nodes),
            {name: walk.tensor(name) for name in used},
            inputs,
            outputs,
            dict(listing.folded),
            resolved.batch,
            tuple(listing.idle),
            frozenset(listing.held),
            tuple(walk.notes(inputs)),
        )

    def _find_weights(self) -> set[str]:
        """Tensors without values that are only read where weights belong."""
        makers = {name for operator in self._operators for name in operator.makes}
        as_weight: set[str] = set()
        otherwise: set[str] = {info.name for info in self._proto.output}
        for operator in reversed(self._operators):
            node = operator.node
            places = _WEIGHT_PLACES.get(node.op_type, ())
            stays = node.op_type in _PASSING and all(
                name in as_weight and name not in otherwise for name in operator.makes
            )
            for place, name in enumerate(node.input):
                (as_weight if place in places or (place == 0 and stays) else otherwise).add(name)
            otherwise.update(operator.captured)
        return as_weight - otherwise - makers - self._stored - {""}

    def _resolved(self) -> InputExtents:
        """Extents of the inputs that operators read."""
        declared = [DeclaredInput(info.name, dims_of(info.type)) for info in self._inputs if self._is_asked(info)]
        return resolve(declared, self._given, self._shown, self._batch)

    def _begun(self, resolved: InputExtents) -> Tensors:
        """Tensors that are known before the first operator runs."""
        between = (*self._proto.value_info, *self._proto.output)
        known = Tensors(
            self._opsets, {info.name: bound_type(info.type, resolved.bound) for info in between}, self._shown
        )
        for info in self._inputs:
            shape = resolved.shapes.get(info.name)
            elements = info.type.tensor_type.elem_type
            known.add(info.name, info.type if shape is None else helper.make_tensor_type_proto(elements, shape))
        self._add_constants(known)
        for name, value in self._values.items():
            known.add_constant(name, self._set_value(name, value, known))
        return known

    def _is_asked(self, info: onnx.ValueInfoProto) -> bool:
        """Whether the extents of an input are needed: an operator reads it, and it is a tensor."""
        return info.name in self._read and info.type.WhichOneof("value") in ("tensor_type", None)

    def _add_constants(self, known: Tensors) -> None:
        known.add_constants_of(self._proto)
        stated = {info.name: info.type for info in (*self._proto.value_info, *self._proto.input)}
        issues = []
        for name in sorted(self._weights):
            known.add(name, stated.get(name, TypeProto()), is_constant=True)
            if known.shape(name) is None:
                issues.append(self._open_weight(name))
        if issues:
            raise ModelFileError(issues)

    def _open_weight(self, name: str) -> Issue:
        return model_issue(
            "model-weights",
            self._shown,
            tensor=name,
            found="a weight without values whose extents are not declared",
            expected="a number for every extent",
            fix="Export the model with its weights, or declare their extents as inputs of the graph.",
        )

    def _set_value(self, name: str, value: str, known: Tensors) -> onnx.TensorProto:
        """An input that is given a value, as the constant that it then is.

        Raises:
            UsageError: there is no such input, it has more than one element, or the value is none of its type.
        """
        if name not in {info.name for info in self._inputs}:
            raise unknown("input of the model", name, (info.name for info in self._inputs))
        elements = known.kind(name).tensor_type.elem_type
        try:
            dtype = helper.tensor_dtype_to_np_dtype(elements)
        except KeyError:
            dtype = np.dtype(object)
        return numpy_helper.from_array(parsed_value(name, value, known.shape(name), dtype), name)
