"""Reads ONNX models, with or without the values of their weights, into graphs."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import onnx
from onnx import TypeProto, helper

from harness.graphs.faults import ModelFileError, model_issue
from harness.graphs.graph import Graph, Tensor
from harness.graphs.input_extents import MOST_EXTENT, DeclaredInput, dimension_name, resolve
from harness.graphs.onnx_functions import inlined
from harness.graphs.onnx_operators import as_node, canonical_name, file_name
from harness.graphs.onnx_tensors import Tensors, shape_of
from harness.graphs.ordering import Step, running_order
from harness.graphs.quantisation import fold_quantisation
from harness.issues import Issue
from harness.schema.cost import dtype_of_stored

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
_KEPT: Final = frozenset(
    {"Bernoulli", "If", "Loop", "Multinomial", "RandomNormalLike", "RandomUniformLike", "Scan", "SequenceMap"}
)
"""Operators that are executed even where all that they read is constant."""
_OPEN_OPSETS: Final = "opset_import with the standard domain and its version"


class _Operator(NamedTuple):
    """One operator of the file: itself, its name in messages, and what its bodies read from outside."""

    node: onnx.NodeProto
    name: str
    captured: tuple[str, ...]

    @property
    def reads(self) -> tuple[str, ...]:
        return (*(name for name in self.node.input if name), *self.captured)

    @property
    def makes(self) -> tuple[str, ...]:
        return tuple(name for name in self.node.output if name)


def graph_of_onnx(
    model: onnx.ModelProto, shown: str, inputs: Mapping[str, tuple[int, ...]] | None = None, batch: int | None = None
) -> Graph:
    """Graph of an ONNX model.

    Weights need no values: a graph input or a declared tensor that operators only read where weights belong (second
    operand of a convolution, statistics of a batch normalisation) is a weight. An open first extent of an input is 1
    unless `inputs` says otherwise. Files with external data are read without it. An average pooling over
    the whole plane becomes `global-avgpool`, because exporters write means over height and width so.

    Args:
        model: model; it is not changed.
        shown: file as messages show it; name of the graph.
        inputs: extents of network inputs by name, for what the model leaves open.
        batch: first extent of the inputs that is the batch; None where the model names it, or has none.

    Raises:
        UsageError: extents are given for an input that the model does not have, or a batch that no input has.
        ModelFileError: the model is broken, or leaves extents open.
    """
    return fold_quantisation(_Reader(_checked(model, shown), shown, inputs or {}, batch).graph())


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
    if any(isinstance(text, bytes) for text in _texts(model.graph)):
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
        yield from (dim.dim_param for dim in info.type.tensor_type.shape.dim)
    for node in graph.node:
        yield from (node.op_type, node.domain, node.name, *node.input, *node.output)
        for attribute in node.attribute:
            yield attribute.name
            for body in _bodies(attribute):
                yield from _texts(body)


def _bodies(attribute: onnx.AttributeProto) -> tuple[onnx.GraphProto, ...]:
    return (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs)


def _opsets(model: onnx.ModelProto) -> dict[str, int]:
    """Version by operator domain; the standard domain has the empty name."""
    named = ((opset.domain, opset.version) for opset in model.opset_import if isinstance(opset.domain, str))
    return {"" if domain == "ai.onnx" else domain: version for domain, version in named}


class _Reader:
    """Conversion of one model into a graph."""

    def __init__(
        self, model: onnx.ModelProto, shown: str, given: Mapping[str, tuple[int, ...]], batch: int | None
    ) -> None:
        self._proto = model.graph
        self._opsets = _opsets(model)
        self._shown = shown
        self._given = given
        self._batch = batch
        self._operators = [_operator(node, place) for place, node in enumerate(model.graph.node)]
        self._read = {name for operator in self._operators for name in operator.reads}
        self._stored = {tensor.name for tensor in self._proto.initializer}
        self._stored |= {tensor.values.name for tensor in self._proto.sparse_initializer}
        self._weights = self._find_weights()
        self._inputs = [
            info for info in self._proto.input if info.name not in self._stored and info.name not in self._weights
        ]

    def graph(self) -> Graph:
        """The graph, with its pairs of quantisation and dequantisation."""
        outputs = tuple(info.name for info in self._proto.output)
        order = self._order(outputs)
        self._known, batch = self._begun()
        nodes, folded = [], Counter[str]()
        for operator in order:
            node = operator.node
            self._known.learn(node, operator.captured)
            if self._is_folded(operator):
                self._known.fold(node)
                folded[canonical_name(node) or file_name(node)] += 1
            else:
                nodes.append(as_node(node, operator.name, operator.captured, self._known, batch))
        inputs = tuple(info.name for info in self._inputs)
        used = dict.fromkeys((*inputs, *(name for node in nodes for name in (*node.inputs, *node.outputs)), *outputs))
        tensors = {
            name: Tensor(
                name,
                self._known.shape(name),
                dtype_of_stored(self._known.stored(name)),
                name in self._known.constants,
                self._known.stored_as(name),
                self._known.stored(name),
                self._known.n_bytes_beside(name),
            )
            for name in used
        }
        return Graph(self._shown, "channels-first", tuple(nodes), tensors, inputs, outputs, dict(folded), batch)

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

    def _order(self, outputs: tuple[str, ...]) -> list[_Operator]:
        steps = [Step(operator.name, operator.reads, operator.makes) for operator in self._operators]
        given = self._stored | self._weights | {info.name for info in self._inputs}
        return [self._operators[place] for place in running_order(steps, given, outputs, self._shown)]

    def _begun(self) -> tuple[Tensors, int]:
        """Tensors that are known before the first operator runs, and the batch."""
        declared = [DeclaredInput(info.name, _dims(info.type)) for info in self._inputs if self._is_asked(info)]
        resolved = resolve(declared, self._given, self._shown, self._batch)
        between = {
            info.name: _bound(info.type, resolved.bound) for info in (*self._proto.value_info, *self._proto.output)
        }
        known = Tensors(self._opsets, between, self._shown)
        for info in self._inputs:
            shape = resolved.shapes.get(info.name)
            kind = info.type if shape is None else _tensor_type(info.type.tensor_type.elem_type, shape)
            known.add(info.name, kind)
        self._add_constants(known)
        return known, resolved.batch

    def _is_asked(self, info: onnx.ValueInfoProto) -> bool:
        """Whether the extents of an input are needed: an operator reads it, and it is a tensor."""
        return info.name in self._read and info.type.WhichOneof("value") in ("tensor_type", None)

    def _add_constants(self, known: Tensors) -> None:
        for tensor in self._proto.initializer:
            known.add_constant(tensor.name, tensor)
        for sparse in self._proto.sparse_initializer:
            known.add(sparse.values.name, _tensor_type(sparse.values.data_type, tuple(sparse.dims)), is_constant=True)
        stated = {info.name: info.type for info in (*self._proto.value_info, *self._proto.input)}
        issues = []
        for name in sorted(self._weights):
            kind = stated.get(name, TypeProto())
            known.add(name, kind, is_constant=True)
            if shape_of(kind) is None:
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

    def _is_folded(self, operator: _Operator) -> bool:
        """Whether an operator works on constants or extents alone, so that no runtime executes it."""
        node = operator.node
        if operator.captured or (node.domain and canonical_name(node) is None):
            return False
        if node.op_type in ("Constant", "Shape", "Size"):
            return not node.domain
        reads = operator.reads
        return bool(reads) and node.op_type not in _KEPT and all(name in self._known.constants for name in reads)


def _operator(node: onnx.NodeProto, place: int) -> _Operator:
    if node.domain == "ai.onnx":
        standard = onnx.NodeProto()
        standard.CopyFrom(node)
        standard.domain = ""
        node = standard
    return _Operator(node, node.name or f"{node.op_type}_{place}", tuple(dict.fromkeys(_captured(node))))


def _captured(node: onnx.NodeProto) -> Iterator[str]:
    """Tensors that the bodies of an operator read from around it."""
    for attribute in node.attribute:
        for body in _bodies(attribute):
            own = {info.name for info in body.input} | {tensor.name for tensor in body.initializer} | {""}
            own |= {name for inner in body.node for name in inner.output}
            for inner in body.node:
                yield from (name for name in (*inner.input, *_captured(inner)) if name not in own)
            yield from (info.name for info in body.output if info.name not in own)


def _dims(kind: TypeProto) -> tuple[int | str | None, ...] | None:
    """Extents as an input declares them; extents below 1 are open, as some exporters write them."""
    if not kind.tensor_type.HasField("shape"):
        return None
    return tuple(
        dim.dim_value if dim.dim_value >= 1 else dimension_name(dim.dim_param) for dim in kind.tensor_type.shape.dim
    )


def _bound(kind: TypeProto, bound: Mapping[str, int]) -> TypeProto:
    """A declared type with the named dimensions that are known filled in."""
    dims = _dims(kind)
    if dims is None:
        return kind
    filled = [bound.get(dim, dim) if isinstance(dim, str) else dim for dim in dims]
    return helper.make_tensor_type_proto(kind.tensor_type.elem_type, filled)


def _tensor_type(elements: int, shape: tuple[int, ...]) -> TypeProto:
    return helper.make_tensor_type_proto(elements, shape)
