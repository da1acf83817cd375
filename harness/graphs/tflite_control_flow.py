"""Lists the operators of the bodies of IF, WHILE and composite operators of TFLite in place of these."""

import operator as comparing
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from harness.graphs.counters import first_failing
from harness.graphs.graph import Node
from harness.graphs.listing import Listing, OpenQuestion, choose_larger
from harness.graphs.tflite_file import FileGraph, FileOperator
from harness.graphs.tflite_operators import COMPOSITES, OperatorCall, as_nodes
from harness.graphs.tflite_shapes import Shape
from harness.graphs.tflite_walk import Walk

_MOST_TURNS: Final = 3
"""Times that a body is walked until the extents of what it carries are the same after it as before."""
_COMPARISONS: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "GREATER": comparing.gt,
    "GREATER_EQUAL": comparing.ge,
    "LESS": comparing.lt,
    "LESS_EQUAL": comparing.le,
}
_STEPS: Final = {"ADD": 1, "SUB": -1}


def _listed_composite(walk: Walk, operator: FileOperator, call: OperatorCall) -> Listing:
    """What a composite operator stands for: one operator where runtimes have it as such, else its decomposition."""
    if call.composite in COMPOSITES:
        walk.learn_alike(call)
        made = walk.shape(call.outputs[0]) if call.outputs else None
        return Listing(list(as_nodes(call._replace(made=made), walk.batch)))
    body = walk.opened(
        _body(walk, operator, call, "DecompositionSubgraphIndex"),
        walk.prefix_for(call.name, call.composite or "composite"),
        call.inputs,
    )
    if len(body.outputs) != len(call.outputs) or len(body.inputs) != len(call.inputs):
        raise walk.misfit(call.name, f"{call.op} with a body of {len(body.inputs)} inputs, {len(body.outputs)} outputs")
    listing = walk.walk(body)
    walk.connect(listing, _outputs(body), call.outputs)
    return listing


def _listed_if(walk: Walk, operator: FileOperator, call: OperatorCall) -> Listing:
    """The branch that runs; where the file does not settle which, the one with the most FLOPs."""
    condition, *inputs = call.inputs
    names = ("ThenSubgraphIndex", "ElseSubgraphIndex")
    value = None if condition is None else walk.values(condition)
    if value is not None and value.size == 1:
        body, listing = _branch(walk, operator, call, names[0 if value.reshape(()) else 1], inputs)
        walk.connect(listing, _outputs(body), call.outputs)
        return listing
    found = [_branch(walk, operator, call, name, inputs) for name in names]
    place = choose_larger([listing for _, listing in found], walk.flops)
    (body, listing), (_, other) = found[place], found[1 - place]
    walk.connect(listing, _outputs(body), call.outputs)
    listing.add_idle(other)
    listing.held |= {name for name in (*inputs, *call.outputs) if name}
    branch = names[place].removesuffix("SubgraphIndex").lower()
    consequence = f"its {branch} branch is counted, because it has the most FLOPs; which branch runs"
    walk.leave_open(OpenQuestion(consequence, call.op, call.name, condition or ""))
    return listing


def _branch(
    walk: Walk, operator: FileOperator, call: OperatorCall, name: str, inputs: Sequence[str | None]
) -> tuple[FileGraph, Listing]:
    body = _body(walk, operator, call, name)
    if len(body.outputs) != len(call.outputs) or len(body.inputs) != len(inputs):
        raise walk.misfit(call.name, f"IF with a body of {len(body.inputs)} inputs and {len(body.outputs)} outputs")
    opened = walk.opened(body, walk.prefix_for(call.name, name.removesuffix("SubgraphIndex").lower()), inputs)
    return opened, walk.walk(opened)


class _While(NamedTuple):
    """A WHILE with what it carries.

    Attributes:
        walk: way through the network.
        call: the operator.
        condition: subgraph of its condition.
        body: its body.
        kept: which of the tensors that it carries the body passes on as they are.
    """

    walk: Walk
    call: OperatorCall
    condition: FileGraph
    body: FileGraph
    kept: tuple[bool, ...]

    def turn(self, prefix: str, shapes: Sequence[Shape | None]) -> tuple[FileGraph, Listing]:
        """The way through the body at some extents of what it carries."""
        names = [name if is_kept else None for name, is_kept in zip(self.call.inputs, self.kept, strict=True)]
        opened = self.walk.opened(self.body, prefix, names)
        for place, shape, name in zip(opened.inputs, shapes, names, strict=True):
            if name is None:
                self.walk.set_shape(opened.tensors[place].name, shape)
        return opened, self.walk.walk(opened)

    def settled(self) -> tuple[FileGraph, Listing]:
        """The way through the body at the extents that all runs have in common."""
        shapes = [None if name is None else self.walk.shape(name) for name in self.call.inputs]
        for _ in range(_MOST_TURNS):
            opened, listing = self.turn(self.walk.prefix_for(self.call.name, "body"), shapes)
            made = [self.walk.shape(opened.tensors[place].name) for place in opened.outputs]
            common = [one if one == other else None for one, other in zip(shapes, made, strict=True)]
            if common == shapes:
                return opened, listing
            shapes = common
        is_kept = zip(shapes, self.kept, strict=True)
        return self.turn(
            self.walk.prefix_for(self.call.name, "body"), [shape if kept else None for shape, kept in is_kept]
        )

    def n_runs(self) -> int | None:
        """Runs of the body, by the counters that the condition compares; None where they are unknown."""
        lines = [self._line(place) for place in range(len(self.kept))]
        inputs = dict(zip(self.condition.inputs, lines, strict=True))
        makers = {place: each for each in self.condition.operators for place in each.outputs}
        comparisons = _conjunction(self.condition.outputs[0], makers)
        if comparisons is None:
            return None
        pairs = []
        for each in comparisons:
            left, right = (self._side(place, inputs) for place in each.inputs)
            if left is None or right is None:
                return None
            pairs.append((_COMPARISONS[each.op], left, right))

        def holds(run: int) -> bool:
            return all(compare(_on_line(left, run), _on_line(right, run)) for compare, left, right in pairs)

        return first_failing(holds)

    def _side(self, place: int, inputs: Mapping[int, tuple[int, int] | None]) -> tuple[int, int] | None:
        if place in inputs:
            return inputs[place]
        value = self.condition.tensors[place].values if place >= 0 else None
        return (int(value.reshape(())), 0) if value is not None and value.size == 1 else None

    def _line(self, place: int) -> tuple[int, int] | None:
        """First value of what is carried, and what every run adds to it; None where it is no such counter."""
        name = self.call.inputs[place]
        first = None if name is None else self.walk.values(name)
        if first is None or first.size != 1:
            return None
        start = int(first.reshape(()))
        if self.kept[place]:
            return start, 0
        makers = {made: each for each in self.body.operators for made in each.outputs}
        adding = makers.get(self.body.outputs[place])
        if adding is None or adding.op not in _STEPS or len(adding.inputs) != 2:
            return None
        own = self.body.inputs[place]
        left, right = adding.inputs
        if right == own and adding.op == "ADD":
            left, right = right, left
        step = self._constant_of_body(right)
        return None if left != own or step is None else (start, _STEPS[adding.op] * step)

    def _constant_of_body(self, place: int) -> int | None:
        if place in self.body.inputs:
            at = self.body.inputs.index(place)
            line = self._line(at) if self.kept[at] else None
            return None if line is None else line[0]
        value = self.body.tensors[place].values if place >= 0 else None
        return int(value.reshape(())) if value is not None and value.size == 1 else None


def _on_line(line: tuple[int, int], run: int) -> int:
    first, step = line
    return first + step * run


def _conjunction(place: int, makers: Mapping[int, FileOperator]) -> list[FileOperator] | None:
    """Comparisons that all hold where a condition does; None where it is anything else."""
    found: list[FileOperator] = []
    waiting = [place]
    while waiting:
        made = makers.get(waiting.pop())
        if made is None or made.is_custom or len(made.inputs) != 2 or len(found) + len(waiting) > len(makers):
            return None
        if made.op == "LOGICAL_AND":
            waiting += made.inputs
        elif made.op in _COMPARISONS:
            found.append(made)
        else:
            return None
    return found


def _listed_while(walk: Walk, operator: FileOperator, call: OperatorCall) -> Listing:
    """The body as often as it runs; where the file does not settle how often, the loop with unknown FLOPs."""
    condition, body = (_body(walk, operator, call, f"{name}SubgraphIndex") for name in ("Cond", "Body"))
    n = len(call.inputs)
    if {len(condition.inputs), len(body.inputs), len(body.outputs), len(call.outputs)} != {n} or not condition.outputs:
        raise walk.misfit(call.name, f"WHILE of {n} inputs with bodies of other numbers of inputs and outputs")
    kept = tuple(one == other for one, other in zip(body.inputs, body.outputs, strict=True))
    loop = _While(walk, call, condition, body, kept)
    opened, listing = loop.settled()
    count = loop.n_runs()
    result = Listing()
    if count is None:
        for name, output in zip(_outputs(opened), call.outputs, strict=True):
            walk.set_shape(output, walk.shape(name))
        reads = tuple(dict.fromkeys(name for name in call.inputs if name and name not in walk.constants))
        result.nodes.append(Node(call.name, call.op, reads, call.outputs))
        result.add_idle(listing)
        consequence = "its FLOPs are unknown, because the number of its runs is; that"
        walk.leave_open(OpenQuestion(consequence, call.op, call.name, call.outputs[0]))
        return result
    result.add(listing, count)
    passed = {opened.tensors[place].name: name for place, name in zip(opened.inputs, call.inputs, strict=True) if name}
    finals = [passed.get(name, name) for name in _outputs(opened)]
    begun = [name or final for name, final in zip(call.inputs, finals, strict=True)]
    walk.connect(result, finals if count else begun, call.outputs)
    result.held |= {*(name for name in call.inputs if name), *call.outputs, *_outputs(opened)}
    return result


def _outputs(graph: FileGraph) -> list[str]:
    return [graph.tensors[place].name for place in graph.outputs]


def _body(walk: Walk, operator: FileOperator, call: OperatorCall, option: str) -> FileGraph:
    if option not in operator.options:
        raise walk.misfit(call.name, f"{call.op} without {option}")
    return walk.graph_at(operator.options[option], call.name)


CONTROL_FLOW: Final[Mapping[str, Callable[[Walk, FileOperator, OperatorCall], Listing]]] = {
    "IF": _listed_if,
    "STABLEHLO_COMPOSITE": _listed_composite,
    "WHILE": _listed_while,
}
"""How operators that have bodies are listed, by their name in the file."""
