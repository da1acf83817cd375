"""Operators of a network as a reader lists them, those of bodies in place of the operators that run them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from harness.graphs.graph import Graph, Layout, Node, Tensor
from harness.graphs.operator_flops import flops_of_output, node_flops
from harness.graphs.sizes import Sizes

_MOST_NAMED: Final = 3
"""Operators that a sentence lists by name."""


@dataclass(slots=True)
class Listing:
    """Operators in an order in which they can run.

    Attributes:
        nodes: operators that run.
        idle: operators of branches that do not count; their parameters are kept.
        held: tensors that pass between a body and what is around it.
        folded: operators that no runtime executes, by name with their number.
    """

    nodes: list[Node] = field(default_factory=list)
    idle: list[Node] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    folded: Counter[str] = field(default_factory=Counter)

    def add(self, body: "Listing", count: int = 1) -> None:
        """Add the operators of a body that runs some number of times; with 0 it is idle."""
        if count == 0:
            self.add_idle(body)
            return
        self.nodes += [replace(node, count=node.count * count) for node in body.nodes]
        self.idle += body.idle
        self.held |= body.held
        self.folded += body.folded

    def add_idle(self, body: "Listing") -> None:
        """Add the operators of a body that does not count."""
        self.idle += [*body.nodes, *body.idle]

    def rename_made(self, names: Mapping[str, str]) -> set[str]:
        """Give tensors that operators of this listing make other names, everywhere in it.

        Args:
            names: new name by old name.

        Returns:
            The old names of those that are made here.
        """
        found = {name for node in self.nodes for name in node.outputs} & set(names)
        new = {name: names[name] for name in found}
        if new:
            self.nodes = [_renamed(node, new) for node in self.nodes]
            self.idle = [_renamed(node, new) for node in self.idle]
            self.held = {new.get(name, name) for name in self.held}
        return found

    def flops(self, layout: Layout, tensor: Callable[[str], Tensor], batch: int) -> int | None:
        """FLOPs of all operators before fusion; None where some are unknown.

        Args:
            layout: layout of the network.
            tensor: tensor by its name.
            batch: batch of the network.
        """
        tensors = {name: tensor(name) for node in self.nodes for name in (*node.inputs, *node.outputs)}
        sizes = Sizes(Graph("", layout, tuple(self.nodes), tensors, (), (), batch=batch))
        counts = [(node.count, _flops(node, sizes)) for node in self.nodes]
        known = [count * flops for count, flops in counts if flops is not None]
        return sum(known) if len(known) == len(counts) else None


class OpenQuestion(NamedTuple):
    """Something that the file does not settle.

    Attributes:
        consequence: how it is counted, and what depends on a tensor.
        operator: type of the operator that depends on it.
        name: name of that operator.
        tensor: the tensor.
    """

    consequence: str
    operator: str
    name: str
    tensor: str


def sentences(questions: Iterable[OpenQuestion], settable: Callable[[str], list[str]]) -> Iterator[str]:
    """What a file does not settle, as one sentence for each cause.

    Args:
        questions: what it does not settle.
        settable: inputs by which a user can settle the value of a tensor.
    """
    causes: dict[tuple[str, str, str], list[str]] = {}
    for question in questions:
        inputs = settable(question.tensor)
        cause = " and ".join(inputs) or question.tensor
        fix = "; " + " ".join(f"--set {name}=VALUE" for name in inputs) + " settles it" if inputs else ""
        causes.setdefault((question.operator, question.consequence, f"{cause}{fix}"), []).append(question.name)
    for (operator, consequence, cause), names in causes.items():
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        yield f"{operator} {', '.join(names[:_MOST_NAMED])}{more}: {consequence} depends on {cause}"


def choose_larger(branches: Iterable[Listing], flops_of: Callable[[Listing], int | None]) -> int:
    """Place of the branch with the most FLOPs, the first among equals; one with unknown FLOPs is more than all."""
    counts = [flops_of(branch) for branch in branches]
    ranks = [(count is None, count or 0) for count in counts]
    return ranks.index(max(ranks))


def _renamed(node: Node, names: Mapping[str, str]) -> Node:
    read, made, matrices, repeats = (
        tuple(names.get(name, name) for name in group)
        for group in (node.inputs, node.outputs, node.matrices, node.repeats)
    )
    return replace(node, inputs=read, outputs=made, matrices=matrices, repeats=repeats)


def _flops(node: Node, sizes: Sizes) -> int | None:
    ends = (*sizes.activations(node), *node.outputs[:1])
    return node_flops(node, sizes) if all(map(sizes.is_known, ends)) else flops_of_output(node, sizes)
