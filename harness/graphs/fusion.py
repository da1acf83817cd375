"""Splits a network into groups of operators; a runtime executes each group as one kernel.

It knows rules and operator names; `kernels` assigns kernel types and costs.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from harness.graphs.absorption import is_by_number, is_hard_swish, is_per_channel, is_vector, without_absorbed
from harness.graphs.blocked_layout import tensors_in_blocks
from harness.graphs.fusion_patterns import Made, first_operators, matches, parsed
from harness.graphs.fusion_rules import (
    ANY,
    FACTOR,
    GATE,
    HARD_SWISH,
    PER_CHANNEL,
    VECTOR,
    FusionRule,
    FusionStep,
    Runtime,
)
from harness.graphs.graph import Graph, Node
from harness.graphs.groups import Group, Part
from harness.graphs.operand_names import further_names
from harness.graphs.operators import VIEWS
from harness.graphs.sizes import Sizes, operator_name
from harness.graphs.splitting import with_splits

_PRODUCTS = frozenset({"mul", "mul-broadcast"})


class Grouping(NamedTuple):
    """A network in groups.

    Attributes:
        groups: groups in an order in which they can run.
        free: operators that run no kernel, by name with their number.
    """

    groups: tuple[Group, ...]
    free: Mapping[str, int]


def fuse(graph: Graph, runtime: Runtime, sizes: Sizes) -> Grouping:
    """Groups of a network under the fusion rules of a runtime: blocks first, then chains of operators and blocks.

    No group extends over a tensor that several others read or that the caller takes, because such a tensor is
    written to memory. Every operator is considered once for each rule, so the time grows with the number of operators.

    Args:
        graph: network, its operators in an order in which they can run.
        runtime: rules.
        sizes: extents of the network; those of the activations that its operators read and make are known.
    """
    parts, taken_outside, repeated = _parts_of(graph, sizes, runtime)
    parts = with_splits(parts, runtime, sizes, graph.held)
    parts, absorbed = without_absorbed(_replaced(parts, taken_outside, runtime, sizes), taken_outside, runtime, sizes)
    rules = [(rule, runtime.steps(rule)) for rule in runtime.rules]
    blocks = [(rule, steps) for rule, steps in rules if rule.block is not None]
    chains = [(rule, steps) for rule, steps in rules if rule.block is None]
    links = _Links(parts, taken_outside, runtime, sizes)
    found = _grouped(parts, links, blocks, sizes)
    if any(rule is not None for _, rule in found):
        parts = [_united([parts[at] for at in places], rule) for places, rule in found]
        links = _Links(parts, taken_outside, runtime, sizes)
    groups = [_group([parts[at] for at in places]) for places, _ in _grouped(parts, links, chains, sizes)]
    free = Counter(graph.folded)
    free.update(node.op for node in graph.nodes if node.op == "identity")
    free.update(repeated)
    free.update(part.name for part in absorbed)
    free.update(group.operator for group in groups if group.operator in VIEWS)
    running = tuple(group for group in groups if group.operator not in VIEWS)
    return Grouping(running, dict(sorted(free.items())))


def _parts_of(graph: Graph, sizes: Sizes, runtime: Runtime) -> tuple[list[Part], frozenset[str], list[str]]:
    """Operators as parts, the tensors that the caller takes, and names of the operators that are no parts as repeats.

    Identities are no parts either.
    """
    source: dict[str, str] = {}
    nodes: list[Node] = []
    read: set[str] = set()
    made: set[str] = set()
    repeated: list[str] = []
    for node in graph.nodes:
        if node.op == "identity" and node.inputs and node.outputs:
            source[node.outputs[0]] = source.get(node.inputs[0], node.inputs[0])
        elif _is_repeat(node, runtime, made):
            source |= {
                output: source.get(first, first) for output, first in zip(node.outputs, node.repeats, strict=True)
            }
            made.update(node.outputs)
            repeated.append(node.op)
        else:
            nodes.append(node)
            made.update(node.outputs)
            read.update(source.get(tensor, tensor) for tensor in node.inputs)
    taken_outside = frozenset(source.get(tensor, tensor) for tensor in graph.outputs)
    parts = []
    for node in nodes:
        inputs = dict.fromkeys(source.get(tensor, tensor) for tensor in sizes.activations(node))
        outputs = tuple(tensor for tensor in node.outputs if tensor in read or tensor in taken_outside)
        constants = tuple(tensor for tensor in node.inputs if sizes.is_constant(tensor))
        name = operator_name(node, sizes)
        parts.append(Part(name, (node,), tuple(inputs), outputs or node.outputs[:1], constants))
    return parts, taken_outside, repeated


def _is_repeat(node: Node, runtime: Runtime, made: set[str]) -> bool:
    """Whether a runtime takes what an operator makes from an earlier one."""
    return bool(node.repeats) and runtime.repeats is not None and made.issuperset(node.repeats)


def _replaced(parts: Sequence[Part], taken_outside: frozenset[str], runtime: Runtime, sizes: Sizes) -> list[Part]:
    """Parts with the operators of each pattern as one part, at the place of the last of them.

    The last operators come first, so that a pattern takes all that it may.
    """
    patterns = [(rule.block, parsed(rule.pattern, runtime.sets)) for rule in runtime.patterns]
    of_first = [(first_operators(pattern), block, pattern) for block, pattern in patterns]
    places = {part.outputs[0]: place for place, part in enumerate(parts) if len(part.outputs) == 1}
    maker = {tensor: _made_by(parts[place], sizes) for tensor, place in places.items()}
    readers = Counter(tensor for part in parts for tensor in part.inputs)
    united: dict[int, Part | None] = {}
    for made in reversed(places):
        if places[made] in united:
            continue
        for first, block, pattern in of_first:
            if first.isdisjoint(maker[made].names):
                continue
            inner = next((found.made for found in matches(made, pattern, maker) if len(found.made) > 1), frozenset())
            of_block = sorted(places[tensor] for tensor in inner)
            if not of_block or not united.keys().isdisjoint(of_block):
                continue
            within = Counter(tensor for place in of_block for tensor in parts[place].inputs)
            if any(within[each] != readers[each] or each in taken_outside for each in inner - {made}):
                continue
            united |= dict.fromkeys(of_block)
            united[places[made]] = _as_block(block, [parts[place] for place in of_block])
            break
    kept = (united.get(place, part) for place, part in enumerate(parts))
    return [part for part in kept if part is not None]


def _made_by(part: Part, sizes: Sizes) -> Made:
    """A part as patterns see it."""
    names = further_names(part.nodes[0], sizes) if len(part.nodes) == 1 else frozenset()
    return Made(names | {part.name}, part.inputs)


def _as_block(block: str, parts: Sequence[Part]) -> Part:
    """Parts as one under the name of a block."""
    group = _group(parts)
    nodes = tuple(node for part in parts for node in part.nodes)
    constants = tuple(tensor for part in parts for tensor in part.constants)
    return Part(block, nodes, group.inputs, group.outputs, constants)


def _united(parts: Sequence[Part], rule: FusionRule | None) -> Part:
    """Parts of a group as one part under the name of its block; a group of one part is that part."""
    if rule is None or rule.block is None:
        return parts[0]
    return _as_block(rule.block, parts)


def _grouped(
    parts: Sequence[Part], links: "_Links", rules: Sequence[tuple[FusionRule, tuple[FusionStep, ...]]], sizes: Sizes
) -> list[tuple[tuple[int, ...], FusionRule | None]]:
    """Places of the parts of each group that the rules find, with its rule; a part that no rule takes is a group."""
    by_first: dict[str, list[tuple[FusionRule, tuple[FusionStep, ...]]]] = defaultdict(list)
    for rule, steps in rules:
        for operator in steps[0].operators:
            by_first[operator].append((rule, steps))
    taken: set[int] = set()
    found: list[tuple[tuple[int, ...], FusionRule | None]] = []
    for place, part in enumerate(parts):
        if place in taken:
            continue
        longest: tuple[int, ...] = (place,)
        its_rule: FusionRule | None = None
        for rule, steps in (*by_first.get(part.name, ()), *(() if part.name in VIEWS else by_first.get(ANY, ()))):
            if rule.dtypes and not {sizes.dtype(tensor) for tensor in part.outputs} & set(rule.dtypes):
                continue
            if rule.weights and not {sizes.stored(tensor) for tensor in part.constants} <= set(rule.weights):
                continue
            if rule.ranks and not {sizes.rank(tensor) for tensor in part.outputs} & set(rule.ranks):
                continue
            places = links.match(taken, place, steps, rule)
            if len(places) > len(longest) and (rule.block is None or _is_block([parts[at] for at in places], sizes)):
                longest, its_rule = places, rule
        taken.update(longest)
        found.append((longest, its_rule))
    # At the place of its last part, every input of the group has been made.
    return sorted(found, key=lambda item: item[0][-1])


def _group(parts: Sequence[Part]) -> Group:
    made = {tensor for part in parts for tensor in part.outputs}
    read = dict.fromkeys(tensor for part in parts for tensor in part.inputs if tensor not in made)
    return Group(tuple(parts), tuple(read))


class _Links:
    """Which part makes and which parts read each tensor; parts are identified by their place."""

    def __init__(self, parts: Sequence[Part], taken_outside: frozenset[str], runtime: Runtime, sizes: Sizes) -> None:
        self._parts = parts
        self._runtime = runtime
        self._sizes = sizes
        self._blocked: frozenset[str] | None = None
        self._taken_outside = taken_outside
        self._maker = {tensor: place for place, part in enumerate(parts) for tensor in part.outputs}
        self._only_reader: dict[str, int | None] = {}
        for place, part in enumerate(parts):
            for tensor in (*part.inputs, *part.constants):
                self._only_reader[tensor] = None if tensor in self._only_reader else place

    def match(self, taken: set[int], first: int, steps: Sequence[FusionStep], rule: FusionRule) -> tuple[int, ...]:
        """Places of the parts that a rule takes, beginning at one of them; empty where the rule does not apply."""
        begins_from = self._parts[first].inputs[:1]
        if rule.when == "weighted" and len(self._parts[first].inputs) > 1:
            return ()
        if rule.layout is not None and not self._in_blocks().issuperset(self._parts[first].outputs):
            return ()
        places: list[int] = []
        coming: int | None = first
        for step in steps:
            n_taken = 0
            while coming is not None and coming not in taken and (step.most is None or n_taken < step.most):
                is_allowed = not places or self._may_join(places[-1], coming, rule)
                if not is_allowed or not self._fits(coming, step, begins_from):
                    break
                places.append(coming)
                coming = self._next(coming)
                n_taken += 1
            if n_taken < step.least:
                return ()
        return tuple(places)

    def _fits(self, place: int, step: FusionStep, begins_from: tuple[str, ...]) -> bool:
        part = self._parts[place]
        if GATE in step.operators:
            is_product = part.name in _PRODUCTS and len(part.inputs) == 2
            return is_product and set(begins_from) <= set(part.inputs)
        if FACTOR in step.operators and part.name == "scale":
            return is_by_number(part, self._sizes)
        if HARD_SWISH in step.operators and part.name == "hswish":
            return is_hard_swish(part)
        if VECTOR in step.operators and part.name == "bias":
            return is_vector(part, self._sizes)
        if PER_CHANNEL in step.operators:
            return is_per_channel(part, self._sizes)
        return ANY in step.operators or part.name in step.operators

    def _may_join(self, place: int, coming: int, rule: FusionRule) -> bool:
        """Whether a part may join the chain that ends with another one, as regards what else it reads."""
        if rule.when == "latest" and not self._is_latest(place, coming):
            return False
        return rule.layout is None or self._in_blocks().issuperset(self._parts[coming].inputs)

    def _in_blocks(self) -> frozenset[str]:
        """Tensors in blocks of channels."""
        if self._blocked is None:
            self._blocked = tensors_in_blocks(self._parts, self._runtime, self._sizes)
        return self._blocked

    def _next(self, place: int) -> int | None:
        """The only part that reads the output of this one; None where the output must be in memory."""
        outputs = self._parts[place].outputs
        is_passed_on = len(outputs) == 1 and outputs[0] not in self._taken_outside
        return self._only_reader.get(outputs[0]) if is_passed_on else None

    def _is_latest(self, place: int, of: int) -> bool:
        """Whether a part makes the latest of what another one reads."""
        return all(self._maker.get(tensor, -1) <= place for tensor in self._parts[of].inputs)


def _is_block(parts: Sequence[Part], sizes: Sizes) -> bool:
    """Whether a block keeps the extents of its input, and transposes only what it has split.

    A channel shuffle makes four extents into five and back, which other reshaping around a transposition does not.
    """
    if not sizes.are_alike((*parts[0].inputs[:1], *parts[-1].outputs)):
        return False
    ranks = [sizes.rank(tensor) for part in parts for tensor in part.outputs]
    return "transpose" not in {part.name for part in parts} or ranks == [5, 5, 4]
