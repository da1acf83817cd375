"""Lists the operators of an ONNX graph in the order in which they run, with what is known of their tensors by then."""

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from onnx import TypeProto, helper

from harness.budget import MOST_MODEL_OPERATORS
from harness.graphs.faults import ModelFileError, model_issue
from harness.graphs.graph import Node, Tensor
from harness.graphs.input_extents import dimension_name
from harness.graphs.listing import Listing, OpenQuestion, sentences
from harness.graphs.onnx_operators import as_node, canonical_name, file_name
from harness.graphs.onnx_redundancy import Repeats, does_nothing
from harness.graphs.onnx_scopes import FileOperator, in_running_order, operators_of, stored_in
from harness.graphs.onnx_tensors import Tensors
from harness.issues import Issue
from harness.schema.cost import dtype_of_stored

_KEPT: Final = frozenset({"Bernoulli", "Multinomial", "RandomNormalLike", "RandomUniformLike", "SequenceMap"})
"""Operators that are executed even where all that they read is constant."""


class Body(NamedTuple):
    """A body of an operator, its tensors by their unique names.

    Attributes:
        operators: operators in an order in which they can run.
        inputs: what it is given.
        outputs: what is taken from it.
    """

    operators: list[FileOperator]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class Walk:
    """The way through one network.

    Attributes:
        known: tensors, as far as they are known.
        batch: batch of the network.
        shown: file as messages show it.
    """

    def __init__(
        self,
        known: Tensors,
        batch: int,
        bound: Mapping[str, int],
        shown: str,
        rules: Mapping[str, Callable[["Walk", FileOperator], Listing]],
    ) -> None:
        """Begin with what is known before the first operator runs.

        Args:
            known: tensors.
            batch: batch of the network.
            bound: extents by name of the dimension.
            shown: file as messages show it.
            rules: how operators with bodies are listed, by their name in the standard domain.
        """
        self.known, self.batch, self.shown = known, batch, shown
        self._bound, self._rules = bound, rules
        self._prefixes: set[str] = set()
        self._sources: dict[str, tuple[str, ...]] = {}
        self._questions: list[OpenQuestion] = []
        self._n_walked = 0

    def walk(self, operators: Sequence[FileOperator]) -> Listing:
        """Operators that run, and those that do not, for operators in an order in which they can run.

        Raises:
            ModelFileError: operands do not fit an operator, or bodies unfold to absurdly many operators.
        """
        self._n_walked += len(operators)
        if self._n_walked > MOST_MODEL_OPERATORS:
            raise ModelFileError([self._too_many()])
        listing, repeats = Listing(), Repeats()
        for operator in operators:
            for name in operator.makes:
                self._sources[name] = operator.reads
            rule = self._rules.get(operator.node.op_type) if not operator.node.domain and operator.bodies else None
            if rule is not None:
                listing.add(rule(self, operator))
            else:
                self._list_plain(operator, listing, repeats)
        return listing

    def _list_plain(self, operator: FileOperator, listing: Listing, repeats: Repeats) -> None:
        node = operator.node
        self.known.learn(node, operator.captured)
        if self._is_folded(operator):
            self.known.fold(node)
            listing.folded[canonical_name(node) or file_name(node)] += 1
            return
        if not operator.captured and does_nothing(node, self.known):
            source = next(name for name in node.input if name not in self.known.constants)
            repeats.alias(node.output[0], source)
            listing.nodes.append(Node(operator.name, "identity", (source,), (node.output[0],)))
            return
        made = as_node(node, operator.name, operator.captured, self.known, self.batch)
        first = None if operator.captured else repeats.first_of(node, self.known)
        if made.op == "identity" and made.inputs and made.outputs:
            repeats.alias(made.outputs[0], made.inputs[0])
        elif first is not None:
            made = replace(made, repeats=tuple(name for name in first.output if name)[: len(made.outputs)])
        listing.nodes.append(made)

    def _is_folded(self, operator: FileOperator) -> bool:
        """Whether an operator works on constants or extents alone, so that no runtime executes it."""
        node = operator.node
        if operator.captured or (node.domain and canonical_name(node) is None):
            return False
        if node.op_type in ("Constant", "Shape", "Size"):
            return not node.domain
        reads = operator.reads
        return bool(reads) and node.op_type not in _KEPT and all(name in self.known.constants for name in reads)

    def opened(self, operator: FileOperator, attribute: str, prefix: str, turn: str = "") -> Body:
        """A body of an operator, ready to be walked once its inputs are known.

        Args:
            operator: operator whose body it is.
            attribute: attribute that holds it.
            prefix: what its names begin with, from `prefix`; its constants are the same in every turn.
            turn: what sets the other names of this turn apart from those of others.

        Raises:
            ModelFileError: its operators cannot run, or a constant of it is impossible.
        """
        graph = operator.bodies[attribute]
        stored = {
            *stored_in(graph),
            *(name for node in graph.node if node.op_type == "Constant" for name in node.output),
        }
        inputs = [info.name for info in graph.input if info.name not in stored]
        made = {name for node in graph.node for name in node.output if name} | set(inputs)
        own = {name: f"{prefix}/{turn}{name}" for name in made} | {name: f"{prefix}/{name}" for name in stored}
        names = {**operator.names, **own}
        self.known.add_constants_of(graph, own)
        between = (*graph.value_info, *graph.output)
        self.known.declare({own[info.name]: bound_type(info.type, self._bound) for info in between if info.name in own})
        operators = operators_of(graph.node, names, f"{prefix}/{turn}")
        outputs = tuple(names.get(info.name, info.name) for info in graph.output)
        makes = {name for each in operators for name in each.makes}
        reads = {name for each in operators for name in each.reads}
        own_inputs = tuple(own[name] for name in inputs)
        given = {name for name in reads.union(outputs) - makes if self._is_there(name)}
        given |= {*own_inputs, *(own[name] for name in stored_in(graph))}
        ordered = in_running_order(operators, given, outputs, self.shown)
        return Body(ordered, own_inputs, outputs)

    def _is_there(self, tensor: str) -> bool:
        return tensor in self._sources or self.known.has(tensor)

    def prefix_for(self, operator: FileOperator, attribute: str) -> str:
        """What the names of a body begin with: no other body's names begin with it."""
        prefix = f"{operator.name}/{attribute}"
        while prefix in self._prefixes:
            prefix += "'"
        self._prefixes.add(prefix)
        return prefix

    def connect(self, listing: Listing, made: Sequence[str], outputs: Sequence[str]) -> None:
        """Let what a body makes be the outputs of the operator that it is the body of.

        Args:
            listing: operators of the body, which are given the names of the outputs.
            made: tensors of the body, or of what is around it.
            outputs: outputs of the operator; an empty name takes nothing.
        """
        names: dict[str, str] = {}
        for name, output in zip(made, outputs, strict=True):
            if output:
                names.setdefault(name, output)
                self.known.alias(output, name)
                self._sources[output] = (name, *self._sources.get(output, ()))
        found = listing.rename_made(names)
        for name, output in zip(made, outputs, strict=True):
            if output and not (name in found and names[name] == output) and output not in self.known.constants:
                source = names[name] if name in found else name
                listing.nodes.append(Node(f"{output}:from-body", "identity", (source,), (output,)))

    def leave_open(self, consequence: str, operator: FileOperator, tensor: str) -> None:
        """Note what follows from a tensor whose value is unknown, which an operator with bodies depends on."""
        self._questions.append(OpenQuestion(consequence, operator.node.op_type, operator.name, tensor))

    def whole_number(self, tensor: str) -> int | None:
        """The one whole number, or truth, that a constant is; None where its value is unknown."""
        value = self.known.value(tensor)
        return int(value.reshape(())) if value is not None and value.size == 1 and value.dtype.kind in "biu" else None

    def tensor(self, name: str) -> Tensor:
        """A tensor as the graph has it."""
        known = self.known
        stored = known.stored(name)
        is_constant, origin = name in known.constants, known.stored_as(name)
        shape = known.shape(origin) if is_constant else None
        return Tensor(
            name,
            known.shape(name),
            dtype_of_stored(stored),
            is_constant,
            origin,
            stored,
            known.n_bytes_beside(name),
            None if shape is None else math.prod(shape),
        )

    def flops(self, listing: Listing) -> int | None:
        """FLOPs of what is listed; None where some are unknown."""
        return listing.flops("channels-first", self.tensor, self.batch)

    def notes(self, inputs: Sequence[str]) -> Iterator[str]:
        """What the file does not settle, and where it contradicts itself, as sentences.

        Args:
            inputs: inputs of the network.
        """
        yield from sentences(self._questions, lambda tensor: self._settable(tensor, inputs))
        found = self.known.contradicted
        for name, shapes in list(found.items())[:1]:
            made, declared = ("x".join(map(str, shape)) or "one number" for shape in shapes)
            others = f", and {len(found) - 1} more tensors" if len(found) > 1 else ""
            yield f"{name} is {made} by its operator, where the file declares {declared}{others}; the former counts"

    def _settable(self, tensor: str, inputs: Sequence[str]) -> list[str]:
        """Inputs of one element that a tensor depends on; none where it depends on others as well."""
        waiting, seen = deque([tensor]), {tensor}
        while waiting:
            for name in self._sources.get(waiting.popleft(), ()):
                if name not in seen:
                    seen.add(name)
                    waiting.append(name)
        found = [name for name in inputs if name in seen]
        shapes = [self.known.shape(name) for name in found]
        return found if all(shape is not None and math.prod(shape) == 1 for shape in shapes) else []

    def _too_many(self) -> Issue:
        return model_issue(
            "model-graph",
            self.shown,
            found=f"bodies that unfold to more than {MOST_MODEL_OPERATORS} operators",
            expected=f"{MOST_MODEL_OPERATORS} at most",
            fix="Export the model again; no network of an edge device has so many.",
        )


def dims_of(kind: TypeProto) -> tuple[int | str | None, ...] | None:
    """Extents as a type declares them; extents below 1 are open, as some exporters write them."""
    if not kind.tensor_type.HasField("shape"):
        return None
    return tuple(
        dim.dim_value if dim.dim_value >= 1 else dimension_name(dim.dim_param) for dim in kind.tensor_type.shape.dim
    )


def bound_type(kind: TypeProto, bound: Mapping[str, int]) -> TypeProto:
    """A declared type with the named dimensions that are known filled in."""
    dims = dims_of(kind)
    if dims is None:
        return kind
    filled = [bound.get(dim, dim) if isinstance(dim, str) else dim for dim in dims]
    return helper.make_tensor_type_proto(kind.tensor_type.elem_type, filled)
