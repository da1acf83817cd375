"""Lists the operators of a TFLite subgraph in the order in which they run, with what is known of their tensors."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from harness.budget import MOST_MODEL_OPERATORS
from harness.graphs.faults import ModelFileError, model_issue
from harness.graphs.graph import Node, Tensor
from harness.graphs.input_extents import absurd
from harness.graphs.listing import Listing, OpenQuestion
from harness.graphs.ordering import Step, running_order
from harness.graphs.tflite_file import FileGraph, FileModel, FileOperator, FileTensor
from harness.graphs.tflite_operators import OperatorCall, as_nodes, before_activation, canonical_name
from harness.graphs.tflite_shapes import Operands, Shape, Values, made_shape
from harness.graphs.tflite_values import made_values
from harness.issues import Issue
from harness.schema.cost import dtype_of_stored
from harness.schema.vocabulary import StoredDtype

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
_KEPT: Final = frozenset({"RANDOM_STANDARD_NORMAL", "RANDOM_UNIFORM"})
"""Operators that are executed even where all that they read is constant."""
_ONCE: Final = frozenset({"CALL_ONCE"})
"""Operators that run before the first inference."""
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


class Walk:
    """The way through one network.

    Attributes:
        batch: batch of the network.
        shown: file as messages show it.
        constants: names of the tensors that are constants.
        questions: what the file does not settle.
    """

    def __init__(
        self, model: FileModel, shown: str, rules: Mapping[str, Callable[["Walk", FileOperator, OperatorCall], Listing]]
    ) -> None:
        """Begin with nothing.

        Args:
            model: contents of the file.
            shown: file as messages show it.
            rules: how operators with bodies are listed, by their name in the file.
        """
        self.batch = 1
        self.shown = shown
        self.constants: set[str] = set()
        self.questions: list[OpenQuestion] = []
        self._model, self._rules = model, rules
        self._tensors: dict[str, FileTensor] = {}
        self._shapes: dict[str, Shape] = {}
        self._values: dict[str, Values] = {}
        self._stored: dict[str, str] = {}
        self._holders: dict[int, str] = {}
        self._sources: dict[str, tuple[str, ...]] = {}
        self._prefixes: set[str] = set()
        self._n_walked = 0

    def enter(self, graph: FileGraph) -> None:
        """Make the tensors of a subgraph known, its constants with extents and values.

        Raises:
            ModelFileError: it has no operators, an operand without extents or origin, or an absurd constant.
        """
        made = {place for operator in graph.operators for place in operator.outputs}
        given = {graph.tensors[place].name for place in graph.inputs}
        new = [tensor for tensor in graph.tensors if tensor.name not in self._tensors]
        self._tensors |= {tensor.name: tensor for tensor in new}
        names = {tensor.name for tensor in new}
        own = {
            tensor.name
            for place, tensor in enumerate(graph.tensors)
            if place not in made and tensor.name not in given and tensor.name in names
        }
        self.constants |= own
        issues = list(self._faults(graph))
        issues += [issue for name in sorted(own) for issue in absurd(name, self._tensors[name].shape, self.shown)]
        if issues:
            raise ModelFileError(issues)
        for name in own:
            tensor = self._tensors[name]
            self._shapes[name] = tensor.shape
            if tensor.values is not None:
                self._values[name] = tensor.values

    def graph_at(self, place: int, taken_by: str) -> FileGraph:
        """A subgraph of the file.

        Args:
            place: its place.
            taken_by: operator that it is the body of, for messages.

        Raises:
            ModelFileError: the file has none there.
        """
        if not 0 <= place < len(self._model.graphs):
            raise self.misfit(taken_by, f"a body at place {place} of {len(self._model.graphs)}")
        return self._model.graphs[place]

    def walk(self, graph: FileGraph) -> Listing:
        """Operators of a subgraph that was entered and whose inputs are known.

        Raises:
            ModelFileError: there is no order, a tensor is absurd, or bodies unfold to absurdly many operators.
        """
        self._n_walked += len(graph.operators)
        if self._n_walked > MOST_MODEL_OPERATORS:
            raise self.misfit("the network", f"bodies that unfold to more than {MOST_MODEL_OPERATORS} operators")
        listing = Listing()
        for operator, call in self._calls(graph):
            rule = None if operator.is_custom else self._rules.get(operator.op)
            if operator.op in _ONCE and not operator.is_custom:
                listing.folded[canonical_name(call)] += 1
            elif rule is not None:
                listing.add(rule(self, operator, call))
            elif self._is_folded(call):
                self._fold(call)
                listing.folded[canonical_name(call)] += 1
            else:
                listing.nodes.extend(as_nodes(call, self.batch))
        return listing

    def _calls(self, graph: FileGraph) -> Iterator[tuple[FileOperator, OperatorCall]]:
        """Operators in an order in which they can run, the extents of what they read and make being known."""
        tensors = graph.tensors
        steps = [
            Step(
                f"{graph.prefix}{operator.op}_{place}",
                tuple(tensors[index].name for index in operator.inputs if index >= 0),
                tuple(tensors[index].name for index in operator.outputs if index >= 0),
            )
            for place, operator in enumerate(graph.operators)
        ]
        taken = [tensors[place].name for place in graph.outputs]
        given = {tensor.name for tensor in tensors if tensor.name in self.constants}
        given |= {tensors[place].name for place in graph.inputs}
        for place in running_order(steps, given, taken, self.shown):
            operator, step = graph.operators[place], steps[place]
            self._sources |= dict.fromkeys(step.makes, step.reads)
            yield operator, self._call(operator, step, tensors)

    def _call(self, operator: FileOperator, step: Step, tensors: Sequence[FileTensor]) -> OperatorCall:
        # State that an operator keeps is no parameter of it.
        is_read = [index >= 0 and not tensors[index].is_variable for index in operator.inputs]
        names = tuple(tensors[index].name if is_ else None for index, is_ in zip(operator.inputs, is_read, strict=True))
        operands = Operands(
            tuple(None if name is None else self._shapes.get(name) for name in names),
            tuple(None if name is None else self._values.get(name) for name in names),
            operator.options,
            operator.axes,
        )
        if operator.op not in self._rules or operator.is_custom:
            self._learn(operator.op, operands, step.makes)
        constants = frozenset(self.constants.intersection(step.reads))
        made = self._shapes.get(step.makes[0]) if step.makes else None
        return OperatorCall(
            operator.op, operator.is_custom, step.name, names, step.makes, operands, made, constants, operator.composite
        )

    def _learn(self, op: str, operands: Operands, outputs: tuple[str, ...]) -> None:
        for place, name in enumerate(outputs):
            self.set_shape(name, made_shape(op, operands, self._tensors[name].signature, place))

    def set_shape(self, name: str, shape: Shape | None) -> None:
        """Make the extents of a tensor known, unless they are unknown.

        Raises:
            ModelFileError: they are absurd.
        """
        if shape is None:
            return
        issues = list(absurd(name, shape, self.shown))
        if issues:
            raise ModelFileError(issues)
        self._shapes[name] = shape

    def set_values(self, name: str, values: Values) -> None:
        """Make a tensor a constant with values."""
        self.constants.add(name)
        self._values[name] = values
        self._shapes[name] = values.shape

    def _is_folded(self, call: OperatorCall) -> bool:
        """Whether an operator works on constants or extents alone, so that no runtime executes it."""
        reads = [name for name in call.inputs if name is not None]
        is_constant = bool(reads) and all(name in call.constants for name in reads)
        is_own = not call.is_custom and call.op not in _KEPT
        return is_own and (is_constant or call.op == "SHAPE")

    def _fold(self, call: OperatorCall) -> None:
        self.constants.update(call.outputs)
        first = call.inputs[0] if call.inputs else None
        if call.op in _STORED_ALIKE and first is not None and call.outputs:
            self._stored[call.outputs[0]] = first
        for name, values in zip(call.outputs, made_values(call.op, call.operands), strict=False):
            self.set_values(name, values)

    def shape(self, name: str) -> Shape | None:
        """Extents of a tensor; None where they are unknown."""
        return self._shapes.get(name)

    def values(self, name: str) -> Values | None:
        """Values of a small constant of whole numbers; None where they are unknown."""
        return self._values.get(name)

    def kind(self, name: str) -> int:
        """Number of the data type of a tensor."""
        return self._tensors[name].kind

    def tensor(self, name: str) -> Tensor:
        """A tensor as it is stored; one that several share has the name of the first of them.

        That of one scale for each channel has these beside it, unless it is a bias.
        """
        if name not in self._tensors:
            output = self.tensor(name.removesuffix(before_activation("")))
            return Tensor(name, output.shape, output.dtype, stored=output.stored)
        held = self._tensors[self._held(name)]
        stored = _STORED.get(held.kind)
        is_constant = name in self.constants
        is_scaled = is_constant and held.n_scales > 1 and stored != "int32"
        beside = _SCALE_BYTES * held.n_scales if is_scaled else 0
        holder = self._holders.setdefault(held.buffer, held.name) if held.buffer else held.name
        return Tensor(name, self._shapes.get(name), dtype_of_stored(stored), is_constant, holder, stored, beside)

    def _held(self, name: str) -> str:
        """Tensor of the file whose elements a tensor has."""
        while name in self._stored:
            name = self._stored[name]
        return name

    def flops(self, listing: Listing) -> int | None:
        """FLOPs of what is listed; None where some are unknown."""
        return listing.flops("channels-last", self.tensor, self.batch)

    def prefix_for(self, operator: str, body: str) -> str:
        """What the names of a body begin with: no other body's names begin with it."""
        prefix = f"{operator}/{body}/"
        while prefix in self._prefixes:
            prefix = f"{prefix.rstrip('/')}'/"
        self._prefixes.add(prefix)
        return prefix

    def opened(self, graph: FileGraph, prefix: str, inputs: Sequence[str | None]) -> FileGraph:
        """A body as a copy whose tensors have names of their own, entered.

        Args:
            graph: the body.
            prefix: what the names begin with.
            inputs: names of what it is given where these are tensors of the network; None for a name of its own.
        """
        names = {place: name for place, name in zip(graph.inputs, inputs, strict=False) if name}
        tensors = tuple(
            replace(tensor, name=names.get(place, f"{prefix}{tensor.name}"))
            for place, tensor in enumerate(graph.tensors)
        )
        copy = graph._replace(tensors=tensors, prefix=prefix)
        self.enter(copy)
        return copy

    def connect(self, listing: Listing, made: Sequence[str], outputs: Sequence[str]) -> None:
        """Let what a body makes be the outputs of the operator that it is the body of.

        Args:
            listing: operators of the body, which are given the names of the outputs.
            made: tensors of the body, or of what is around it.
            outputs: outputs of the operator.
        """
        names: dict[str, str] = {}
        for name, output in zip(made, outputs, strict=True):
            names.setdefault(name, output)
            self.set_shape(output, self._shapes.get(name))
            self._sources[output] = (name, *self._sources.get(output, ()))
            if name in self._values:
                self.set_values(output, self._values[name])
            if name in self.constants:
                self.constants.add(output)
                self._stored[output] = name
        found = listing.rename_made(names)
        for name, output in zip(made, outputs, strict=True):
            if output not in self.constants and not (name in found and names[name] == output):
                source = names[name] if name in found else name
                listing.nodes.append(Node(f"{output}:from-body", "identity", (source,), (output,)))

    def learn_alike(self, call: OperatorCall) -> None:
        """Make the outputs of an operator known: as the file states them, or with the extents of its first input."""
        for name in call.outputs:
            signature = self._tensors[name].signature
            self.set_shape(name, call.operands.shapes[0] if -1 in signature else signature)

    def leave_open(self, question: OpenQuestion) -> None:
        """Note what the file does not settle."""
        self.questions.append(question)

    def settable(self, tensor: str, inputs: Sequence[str]) -> list[str]:
        """Inputs of one element that a tensor depends on; none where it depends on others as well."""
        waiting, seen = [tensor], {tensor}
        while waiting:
            new = set(self._sources.get(waiting.pop(), ())) - seen
            seen |= new
            waiting += new
        found = [name for name in inputs if name in seen]
        return found if all(math.prod(self._shapes.get(name, (0,))) == 1 for name in found) else []

    def misfit(self, operator: str, found: str) -> ModelFileError:
        """Exception of an operator whose bodies do not fit it."""
        issue = model_issue(
            "model-graph",
            self.shown,
            tensor=operator,
            found=found,
            expected="bodies as the operator defines them",
            fix="Export the network again.",
        )
        return ModelFileError([issue])

    def _faults(self, graph: FileGraph) -> Iterator[Issue]:
        """Operators that are missing, and operands without extents or without origin."""
        for operator in graph.operators:
            for place, index in enumerate(operator.inputs):
                tensor = graph.tensors[index] if index >= 0 else None
                if tensor is None or tensor.name not in self.constants or tensor.has_data or tensor.is_variable:
                    continue
                if index in graph.inputs:
                    continue
                if place == 0 and operator.op not in _MAY_BEGIN_WITH_WEIGHT and not operator.is_custom:
                    yield self._without_origin(tensor, operator)
                elif place == _FILTER_PLACES.get(operator.op) and (not tensor.shape or -1 in tensor.signature):
                    yield self._open_weight(tensor)

    def _without_origin(self, tensor: FileTensor, operator: FileOperator) -> Issue:
        return model_issue(
            "model-graph",
            self.shown,
            tensor=tensor.name,
            found=f"read by {operator.op}, made by no operator",
            expected="an operator, an input or a constant",
            fix="Export the whole network, or declare the tensor as an input.",
        )

    def _open_weight(self, tensor: FileTensor) -> Issue:
        return model_issue(
            "model-weights",
            self.shown,
            tensor=tensor.name,
            found="a weight without values whose extents are not declared",
            expected="a number for every extent",
            fix="Export the model with its weights, or with their extents.",
        )
