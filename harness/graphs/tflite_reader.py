"""Reads TFLite models, with or without the values of their weights, into graphs."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from harness.graphs.faults import ModelFileError, model_issue
from harness.graphs.graph import Graph, Node, Tensor
from harness.graphs.input_extents import DeclaredInput, absurd, resolve
from harness.graphs.ordering import Step, running_order
from harness.graphs.tflite_file import BrokenFileError, FileModel, FileOperator, FileTensor, parse_model
from harness.graphs.tflite_operators import OperatorCall, as_nodes, before_activation, canonical_name
from harness.graphs.tflite_shapes import Operands, Shape, Values, made_shape, made_values
from harness.issues import Issue
from harness.schema.cost import dtype_of_stored
from harness.schema.vocabulary import StoredDtype

IDENTIFIER: Final = b"TFL3"
"""Bytes 4 to 8 of every TFLite file."""

_STORED: Final[Mapping[int, StoredDtype]] = {
    0: "fp32",
    1: "fp16",
    2: "int32",
    3: "uint8",
    4: "int64",
    6: "bool",
    7: "int16",
    9: "int8",
    10: "fp64",
    12: "uint64",
    15: "uint32",
    16: "uint16",
    17: "int4",
    18: "bf16",
}
"""Data types of elements by their number; text, complex numbers and resources are none that a weight is stored in."""
_SCALE_BYTES: Final = 4
_KEPT: Final = frozenset({"CALL", "CALL_ONCE", "IF", "RANDOM_STANDARD_NORMAL", "RANDOM_UNIFORM", "WHILE"})
"""Operators that are executed even where all that they read is constant."""
_STORED_ALIKE: Final = frozenset({"DEQUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE"})
"""Operators that do not change the elements of a constant."""
_MAY_BEGIN_WITH_WEIGHT: Final = frozenset(
    {"ADD", "CONCATENATION", "DEQUANTIZE", "DIV", "GATHER", "MAXIMUM", "MINIMUM", "MUL", "POW", "SPLIT", "SUB"}
    | {"TRANSPOSE_CONV"}
)
"""Operators whose first input may be a weight without values; an operator makes that of any other one."""
_FILTER_PLACES: Final[Mapping[str, int]] = {
    "CONV_2D": 1,
    "CONV_3D": 1,
    "DEPTHWISE_CONV_2D": 1,
    "FULLY_CONNECTED": 1,
    "TRANSPOSE_CONV": 1,
}


def graph_of_tflite(
    data: bytes, shown: str, inputs: Mapping[str, tuple[int, ...]] | None = None, batch: int | None = None
) -> Graph:
    """Graph of a TFLite model: of its first subgraph, the others being bodies of control flow.

    Weights need no values. An open first extent of an input is 1 unless `inputs` says otherwise. An activation that an
    operator has in itself becomes a node of its own. An average pooling over the whole plane becomes `global-avgpool`,
    because exporters write means over height and width so.

    Args:
        data: contents of the file.
        shown: file as messages show it; name of the graph.
        inputs: extents of network inputs by name, for what the file leaves open.
        batch: first extent of the inputs that is the batch; a file of this format names none.

    Raises:
        UsageError: extents are given for an input that the model does not have, or a batch that no input has.
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
    return _Reader(model, shown, inputs or {}, batch).graph()


class _Reader:
    """Conversion of one model into a graph."""

    def __init__(self, model: FileModel, shown: str, given: Mapping[str, tuple[int, ...]], batch: int | None) -> None:
        self._model = model
        self._shown = shown
        made = {place for operator in model.operators for place in operator.outputs}
        self._tensors = {tensor.name: tensor for tensor in model.tensors}
        self._inputs = tuple(model.tensors[place].name for place in model.inputs)
        self._constants = {
            tensor.name
            for place, tensor in enumerate(model.tensors)
            if place not in made and tensor.name not in self._inputs
        }
        issues = list(self._faults())
        if issues:
            raise ModelFileError(issues)
        self._shapes, self._batch = self._begun(given, batch)
        self._values: dict[str, Values] = {
            tensor.name: tensor.values
            for tensor in model.tensors
            if tensor.values is not None and tensor.name in self._constants
        }
        self._stored: dict[str, FileTensor] = {}

    def graph(self) -> Graph:
        """The graph."""
        nodes: list[Node] = []
        folded = Counter[str]()
        for call in self._calls():
            if self._is_folded(call):
                self._fold(call)
                folded[canonical_name(call)] += 1
            else:
                nodes.extend(as_nodes(call, self._batch))
        outputs = tuple(self._model.tensors[place].name for place in self._model.outputs)
        tensors = {name: self._tensor(name) for name in (*self._inputs, *outputs)}
        for node in nodes:
            tensors |= {name: self._tensor(name) for name in (*node.inputs, *node.outputs) if name in self._tensors}
            for name in node.outputs[:1]:
                if name not in self._tensors:
                    tensors[name] = self._between(name)
        return Graph(
            self._shown, "channels-last", tuple(nodes), tensors, self._inputs, outputs, dict(folded), self._batch
        )

    def _tensor(self, name: str) -> Tensor:
        """A tensor as it is stored; that of one scale for each channel has these beside it, unless it is a bias."""
        held = self._held(name)
        stored = _STORED.get(held.kind)
        is_constant = name in self._constants
        is_scaled = is_constant and held.n_scales > 1 and stored != "int32"
        beside = _SCALE_BYTES * held.n_scales if is_scaled else 0
        return Tensor(name, self._shapes.get(name), dtype_of_stored(stored), is_constant, held.name, stored, beside)

    def _held(self, name: str) -> FileTensor:
        """Tensor of the file whose elements a tensor has."""
        return self._stored.get(name, self._tensors[name])

    def _faults(self) -> Iterator[Issue]:
        """Operators that are missing, and operands without extents or without origin."""
        if not self._model.operators:
            fix = "Export the network with its operators."
            found = "a graph without operators"
            yield model_issue("model-graph", self._shown, found=found, expected="at least one operator", fix=fix)
        for operator in self._model.operators:
            for place, index in enumerate(operator.inputs):
                tensor = self._model.tensors[index] if index >= 0 else None
                if tensor is None or tensor.name not in self._constants or tensor.has_data or tensor.is_variable:
                    continue
                if place == 0 and operator.op not in _MAY_BEGIN_WITH_WEIGHT and not operator.is_custom:
                    yield self._without_origin(tensor, operator)
                elif place == _FILTER_PLACES.get(operator.op) and (not tensor.shape or -1 in tensor.signature):
                    yield self._open_weight(tensor)

    def _without_origin(self, tensor: FileTensor, operator: FileOperator) -> Issue:
        return model_issue(
            "model-graph",
            self._shown,
            tensor=tensor.name,
            found=f"read by {operator.op}, made by no operator",
            expected="an operator, an input or a constant",
            fix="Export the whole network, or declare the tensor as an input.",
        )

    def _open_weight(self, tensor: FileTensor) -> Issue:
        return model_issue(
            "model-weights",
            self._shown,
            tensor=tensor.name,
            found="a weight without values whose extents are not declared",
            expected="a number for every extent",
            fix="Export the model with its weights, or with their extents.",
        )

    def _begun(self, given: Mapping[str, tuple[int, ...]], batch: int | None) -> tuple[dict[str, Shape], int]:
        """Extents of inputs and constants, and the batch."""
        read = {index for operator in self._model.operators for index in operator.inputs}
        asked = [self._model.tensors[index] for index in self._model.inputs if index in read]
        declared = [
            DeclaredInput(tensor.name, tuple(None if extent < 1 else extent for extent in tensor.signature))
            for tensor in asked
        ]
        resolved = resolve(declared, given, self._shown, batch)
        constants = {name: self._tensors[name].shape for name in sorted(self._constants)}
        issues = [issue for name, shape in constants.items() for issue in absurd(name, shape, self._shown)]
        if issues:
            raise ModelFileError(issues)
        return {**resolved.shapes, **constants}, resolved.batch

    def _calls(self) -> Iterator[OperatorCall]:
        """Operators in an order in which they can run, the extents of what they read and make being known."""
        tensors = self._model.tensors
        steps = [
            Step(
                f"{operator.op}_{place}",
                tuple(tensors[index].name for index in operator.inputs if index >= 0),
                tuple(tensors[index].name for index in operator.outputs if index >= 0),
            )
            for place, operator in enumerate(self._model.operators)
        ]
        given = {*self._inputs, *self._constants}
        taken = [tensors[place].name for place in self._model.outputs]
        for place in running_order(steps, given, taken, self._shown):
            operator = self._model.operators[place]
            # State that an operator keeps is no parameter of it.
            is_read = [index >= 0 and not tensors[index].is_variable for index in operator.inputs]
            names = tuple(
                tensors[index].name if is_ else None for index, is_ in zip(operator.inputs, is_read, strict=True)
            )
            operands = Operands(
                tuple(None if name is None else self._shapes.get(name) for name in names),
                tuple(None if name is None else self._values.get(name) for name in names),
                operator.options,
            )
            self._learn(operator.op, operands, steps[place].makes)
            constants = frozenset(self._constants.intersection(steps[place].reads))
            made = self._shapes.get(steps[place].makes[0]) if steps[place].makes else None
            yield OperatorCall(
                operator.op, operator.is_custom, steps[place].name, names, steps[place].makes, operands, made, constants
            )

    def _learn(self, op: str, operands: Operands, outputs: tuple[str, ...]) -> None:
        for place, name in enumerate(outputs):
            rule = op if place == 0 else ""  # Rules are about the first output.
            shape = made_shape(rule, operands, self._tensors[name].signature)
            if shape is None:
                continue
            issues = list(absurd(name, shape, self._shown))
            if issues:
                raise ModelFileError(issues)
            self._shapes[name] = shape

    def _is_folded(self, call: OperatorCall) -> bool:
        """Whether an operator works on constants or extents alone, so that no runtime executes it."""
        reads = [name for name in call.inputs if name is not None]
        is_constant = bool(reads) and all(name in call.constants for name in reads)
        is_own = not call.is_custom and call.op not in _KEPT
        return is_own and (is_constant or call.op == "SHAPE")

    def _fold(self, call: OperatorCall) -> None:
        self._constants.update(call.outputs)
        first = call.inputs[0] if call.inputs else None
        if call.op in _STORED_ALIKE and first is not None and call.outputs:
            self._stored[call.outputs[0]] = self._held(first)
        values = made_values(call.op, call.operands)
        if values is not None and call.outputs:
            self._values[call.outputs[0]] = values
            self._shapes[call.outputs[0]] = values.shape

    def _between(self, name: str) -> Tensor:
        """Tensor between an operator and the activation that it has in itself, which is like the output."""
        output = self._tensor(name.removesuffix(before_activation("")))
        return Tensor(name, output.shape, output.dtype, stored=output.stored)
