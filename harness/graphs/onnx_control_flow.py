"""Lists the operators of the bodies of If, Loop and Scan in place of these.

Source:
    ONNX operators If, Loop and Scan: what they read and make, and what their bodies do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from onnx import NodeProto, TensorProto, TypeProto, helper, numpy_helper

from harness.graphs.faults import ModelFileError, model_issue
from harness.graphs.graph import Node
from harness.graphs.input_extents import MOST_EXTENT
from harness.graphs.listing import Listing, choose_larger
from harness.graphs.onnx_counters import Counter, runs_of
from harness.graphs.onnx_scopes import FileOperator
from harness.graphs.onnx_tensors import shape_of
from harness.graphs.onnx_walk import Body, Walk

_MOST_UNROLLED: Final = 64
"""Runs of a body that are listed one by one, where each makes tensors of other extents than the one before."""
_MOST_TURNS: Final = 3
"""Times that a body is walked until the extents of what it carries are the same after it as before."""
_BRANCHES: Final = ("then_branch", "else_branch")


def _listed_if(walk: Walk, operator: FileOperator) -> Listing:
    """The branch that runs; where the file does not settle which, the one with the most FLOPs."""
    _check_bodies(walk, operator, _BRANCHES)
    condition = operator.node.input[0] if operator.node.input else ""
    truth = walk.whole_number(condition)
    if truth is not None:
        body, listing = _branch(walk, operator, _BRANCHES[0 if truth else 1])
        walk.connect(listing, body.outputs, operator.node.output)
        return listing
    found, faults = dict[str, tuple[Body, Listing]](), list[ModelFileError]()
    for name in _BRANCHES:
        try:
            found[name] = _branch(walk, operator, name)
        except ModelFileError as error:
            faults.append(error)
    if not found:
        raise faults[0]
    names = list(found)
    chosen = names[choose_larger([listing for _, listing in found.values()], walk.flops)]
    body, listing = found.pop(chosen)
    reason = "it has the most FLOPs" if found else f"the other does not fit its operands ({faults[0].issues[0].found})"
    walk.leave_open(f"{chosen} is counted, because {reason}; which branch runs", operator, condition)
    walk.connect(listing, body.outputs, operator.node.output)
    for _, other in found.values():
        listing.add_idle(other)
    listing.held |= {*operator.captured, *operator.makes}
    return listing


def _branch(walk: Walk, operator: FileOperator, attribute: str) -> tuple[Body, Listing]:
    body = walk.opened(operator, attribute, walk.prefix_for(operator, attribute))
    if len(body.outputs) != len(operator.node.output):
        raise _misfit(walk, operator, f"{len(body.outputs)} outputs of its {attribute}")
    return body, walk.walk(body.operators)


class _Turn(NamedTuple):
    """One way through the body of a loop.

    Attributes:
        listing: operators of the body.
        given: tensors that it carries, as it gets them.
        carried: the same as it leaves them.
        stacked: tensors of which it makes one in every run.
        goes_on: tensor that says whether another run follows; empty where the operator has none.
        body: the body.
    """

    body: Body
    listing: Listing
    given: tuple[str, ...]
    carried: tuple[str, ...]
    stacked: tuple[str, ...]
    goes_on: str = ""


@dataclass(frozen=True)
class _Cycle:
    """An operator that runs its body several times.

    Attributes:
        walk: way through the network.
        operator: the operator.
        begun: what it carries into its first run.
        turn: way through the body, from a name of the turn and the types of what is carried into it.
        axes: axis along which each output is stacked that every run makes a part of.
    """

    walk: Walk
    operator: FileOperator
    begun: tuple[str, ...]
    turn: Callable[[str, Sequence[TypeProto]], _Turn]
    axes: tuple[int, ...]

    def settled(self) -> _Turn:
        """The way through the body at the extents that all runs have in common, the others being open."""
        kinds = [self.walk.known.kind(name) for name in self.begun]
        for number in range(_MOST_TURNS):
            turn = self.turn(f"turn-{number}/" if number else "", kinds)
            made = [self.walk.known.kind(name) for name in turn.carried]
            common = [_common(*pair) for pair in zip(kinds, made, strict=True)]
            if common == kinds:
                return turn
            kinds = common
        return self.turn("any-turn/", [_common(kind, TypeProto()) for kind in kinds])

    def varies(self, turn: _Turn) -> bool:
        """Whether a tensor whose extents are known before the first run has others in later ones."""
        pairs = zip(turn.given, self.begun, strict=True)
        return any(
            self.walk.known.shape(now) is None and self.walk.known.shape(then) is not None for now, then in pairs
        )

    def repeated(self, turn: _Turn, count: int) -> Listing:
        """The body, which runs some number of times at the same extents."""
        begun = dict(zip(turn.given, self.begun, strict=True))
        final = [begun.get(name, name) for name in turn.carried] if count else list(self.begun)
        for kind, output, axis in self._stacks(turn):
            if output:
                self.walk.known.add(output, _stacked(kind, count, axis))
        return self._finished(turn.listing, count, final, set(turn.stacked))

    def unrolled(self, count: int) -> Listing:
        """The body, which runs some number of times at other extents every time, run by run."""
        result, now, parts, held = Listing(), list(self.begun), list[list[TypeProto]](), set[str]()
        for number in range(count):
            turn = self.turn(f"run-{number}/", [self.walk.known.kind(name) for name in now])
            result.add(turn.listing)
            before = dict(zip(turn.given, now, strict=True))
            now = [before.get(name, name) for name in turn.carried]
            parts.append([kind for kind, _, _ in self._stacks(turn)])
            held.update(turn.carried, turn.stacked)
        for kind, output, axis in self._stacks(turn):
            is_alike = all(part == parts[0] for part in parts)
            if output:
                self.walk.known.add(output, _stacked(kind, count if is_alike else None, axis))
        return self._finished(result, 1, now, held)

    def unknown(self, turn: _Turn) -> Listing:
        """The operator itself, where the number of its runs is unknown; its weights are those of its body."""
        operator, known = self.operator, self.walk.known
        carried = zip(turn.given, operator.node.output, strict=False)
        for name, output in carried:
            if output:
                known.add(output, known.kind(name))
        for kind, output, axis in self._stacks(turn):
            if output:
                known.add(output, _stacked(kind, None, axis))
        reads = tuple(dict.fromkeys(name for name in operator.reads if name not in known.constants))
        listing = Listing([Node(operator.name, operator.node.op_type, reads, operator.makes)])
        listing.add_idle(turn.listing)
        return listing

    def _stacks(self, turn: _Turn) -> list[tuple[TypeProto, str, int]]:
        """Type of one part, the output that holds all parts, and the axis along which they are stacked."""
        outputs = self.operator.node.output[len(self.begun) :]
        kinds = [self.walk.known.kind(name) for name in turn.stacked]
        return list(zip(kinds, outputs, self.axes or (0,) * len(outputs), strict=True))

    def _finished(self, listing: Listing, count: int, final: Sequence[str], held: set[str]) -> Listing:
        result = Listing()
        result.add(listing, count)
        self.walk.connect(result, final, self.operator.node.output[: len(final)])
        result.held |= {*held, *final, *self.operator.captured, *self.operator.makes}
        return result


def _listed_loop(walk: Walk, operator: FileOperator) -> Listing:
    """The body as often as it runs; where the file does not settle how often, the loop with unknown FLOPs."""
    _check_bodies(walk, operator, ("body",))
    read = (*operator.node.input, "", "")[: max(2, len(operator.node.input))]
    trips, condition, *begun = read
    prefix = walk.prefix_for(operator, "body")

    def turned(name: str, kinds: Sequence[TypeProto]) -> _Turn:
        body = _body(walk, operator, prefix, name, (2 + len(begun), 1 + len(operator.node.output)))
        walk.known.add(body.inputs[0], helper.make_tensor_type_proto(TensorProto.INT64, ()))
        # The body runs only where the condition holds.
        walk.known.add_constant(body.inputs[1], numpy_helper.from_array(np.array(True)))
        for tensor, kind in zip(body.inputs[2:], kinds, strict=True):
            walk.known.add(tensor, kind)
        made, stacked = body.outputs[1 : 1 + len(begun)], body.outputs[1 + len(begun) :]
        return _Turn(body, walk.walk(body.operators), body.inputs[2:], made, stacked, body.outputs[0])

    cycle = _Cycle(walk, operator, tuple(begun), turned, ())
    turn = cycle.settled()
    most, begins = (walk.whole_number(name) if name else None for name in (trips, condition))
    goes_on = walk.whole_number(turn.goes_on)
    count = _runs(most, begins if condition else 1, goes_on)
    if count is None and goes_on is None and (begins or not condition):
        count = _counted(walk, turn, begun, most)
    if count is None:
        is_counted = bool(trips) and most is None and goes_on == 1
        walk.leave_open(
            "its FLOPs are unknown, because the number of its runs is; that",
            operator,
            trips if is_counted else turn.goes_on if goes_on is None else condition,
        )
        return cycle.unknown(turn)
    if 0 < count <= _MOST_UNROLLED and cycle.varies(turn):
        return cycle.unrolled(count)
    return cycle.repeated(turn, count)


def _counted(walk: Walk, turn: _Turn, begun: Sequence[str], most: int | None) -> int | None:
    """Runs of a loop that begins, by the counters that its condition compares; None where they are unknown."""
    ends = zip(turn.given, begun, turn.carried, strict=True)
    counters = {name: Counter(walk.known.value(first), after) for name, first, after in ends}
    nodes = [each.node for each in turn.body.operators]
    count = runs_of(turn.goes_on, turn.body.inputs[0], nodes, counters, walk.known)
    return count if count is None or most is None else min(count, most)


def _runs(most: int | None, begins: int | None, goes_on: int | None) -> int | None:
    """Runs of a loop by its trip count, and by its condition before the first run and after it; None if unknown."""
    if begins == 0 or (most is not None and most < 1):
        return 0
    if begins is None or goes_on is None:
        return None
    if not goes_on:
        return 1
    return most if most is not None and most <= MOST_EXTENT else None


def _listed_scan(walk: Walk, operator: FileOperator) -> Listing:
    """The body once for every place along the axis that is scanned."""
    _check_bodies(walk, operator, ("body",))
    node = operator.node
    n_scanned = next((item.i for item in node.attribute if item.name == "num_scan_inputs"), 0)
    n_begun = len(node.input) - n_scanned
    if n_scanned < 1 or n_begun < 0 or not all(node.input):
        raise _misfit(walk, operator, f"{n_scanned} scanned inputs")
    axes = _axes(node, "scan_input_axes") or (0,) * n_scanned
    begun, scanned = tuple(node.input[:n_begun]), tuple(node.input[n_begun:])
    slices = [_slice(walk.known.kind(name), axis) for name, axis in zip(scanned, axes, strict=True)]
    prefix = walk.prefix_for(operator, "body")

    def turned(name: str, kinds: Sequence[TypeProto]) -> _Turn:
        body = _body(walk, operator, prefix, name, (len(node.input), len(node.output)))
        for tensor, kind in zip(body.inputs, (*kinds, *(part for part, _ in slices)), strict=True):
            walk.known.add(tensor, kind)
        return _Turn(
            body, walk.walk(body.operators), body.inputs[:n_begun], body.outputs[:n_begun], body.outputs[n_begun:]
        )

    cycle = _Cycle(walk, operator, begun, turned, _axes(node, "scan_output_axes"))
    turn = cycle.settled()
    counts = {extent for _, extent in slices}
    if len(counts) > 1:
        raise _misfit(walk, operator, f"scanned inputs of {' and '.join(map(str, sorted(map(str, counts))))} places")
    count = counts.pop()
    if count is None:
        walk.leave_open("its FLOPs are unknown, because the extent that it scans is; that", operator, scanned[0])
        return cycle.unknown(turn)
    return cycle.repeated(turn, count)


def _axes(node: NodeProto, name: str) -> tuple[int, ...]:
    return next((tuple(item.ints) for item in node.attribute if item.name == name), ())


def _slice(kind: TypeProto, axis: int) -> tuple[TypeProto, int | None]:
    """What is left of a tensor without one axis, and the extent of that."""
    shape, elements = shape_of(kind), kind.tensor_type.elem_type
    if shape is None or not -len(shape) <= axis < len(shape):
        return TypeProto(tensor_type=TypeProto.Tensor(elem_type=elements)), None
    place = axis % len(shape)
    return helper.make_tensor_type_proto(elements, (*shape[:place], *shape[place + 1 :])), shape[place]


def _stacked(kind: TypeProto, count: int | None, axis: int) -> TypeProto:
    """Some number of tensors of one type along a new axis."""
    shape, elements = shape_of(kind), kind.tensor_type.elem_type
    if shape is None or count is None:
        return TypeProto(tensor_type=TypeProto.Tensor(elem_type=elements))
    place = axis % (len(shape) + 1)
    return helper.make_tensor_type_proto(elements, (*shape[:place], count, *shape[place:]))


def _common(before: TypeProto, after: TypeProto) -> TypeProto:
    """A tensor type with the extents that two have in common."""
    kinds = [kind.tensor_type for kind in (before, after)]
    elements = before.tensor_type.elem_type
    if not all(kind.HasField("shape") for kind in kinds) or len({len(kind.shape.dim) for kind in kinds}) > 1:
        return TypeProto(tensor_type=TypeProto.Tensor(elem_type=elements))
    pairs = zip(*(kind.shape.dim for kind in kinds), strict=True)
    dims = [one.dim_value if one == other and one.HasField("dim_value") else None for one, other in pairs]
    return helper.make_tensor_type_proto(elements, dims)


def _body(walk: Walk, operator: FileOperator, prefix: str, turn: str, n_ends: tuple[int, int]) -> Body:
    """The body of a loop for one turn.

    Raises:
        ModelFileError: it has another number of inputs or outputs.
    """
    body = walk.opened(operator, "body", prefix, turn)
    found = len(body.inputs), len(body.outputs)
    if found != n_ends:
        raise _misfit(walk, operator, f"{found[0]} inputs and {found[1]} outputs of its body")
    return body


def _check_bodies(walk: Walk, operator: FileOperator, names: Sequence[str]) -> None:
    for name in names:
        if name not in operator.bodies:
            raise _misfit(walk, operator, f"no {name}")


def _misfit(walk: Walk, operator: FileOperator, found: str) -> ModelFileError:
    issue = model_issue(
        "model-graph",
        walk.shown,
        tensor=operator.name,
        found=f"{operator.node.op_type} with {found}",
        expected="bodies as the operator defines them",
        fix="Export the network again.",
    )
    return ModelFileError([issue])


CONTROL_FLOW: Final[Mapping[str, Callable[[Walk, FileOperator], Listing]]] = {
    "If": _listed_if,
    "Loop": _listed_loop,
    "Scan": _listed_scan,
}
"""How operators of the standard domain that have bodies are listed."""
