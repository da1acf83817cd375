"""Slices of one tensor that a runtime replaces by one split, because together they take all of it along one axis."""

from collections import defaultdict
from collections.abc import Sequence

from harness.graphs.fusion_rules import Runtime
from harness.graphs.groups import Part
from harness.graphs.sizes import Sizes, name_along_axis


def with_splits(parts: Sequence[Part], runtime: Runtime, sizes: Sizes, held: frozenset[str]) -> list[Part]:
    """Parts with the slices of a tensor as one part, at the place of the first of them.

    Args:
        parts: parts of a network in an order in which they can run.
        runtime: rules.
        sizes: extents of the network.
        held: tensors that pass between a body and what is around it, which slices on the other side do not split.
    """
    names = frozenset().union(*(runtime.names(rule.operators) for rule in runtime.splits))
    by_tensor: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        if part.name in names and not sizes.is_constant(part.nodes[0].inputs[0]):
            by_tensor[part.inputs[0]].append(part)
    replaced: dict[int, Part | None] = {}
    for tensor, slices in by_tensor.items():
        if len(slices) > 1 and tensor not in held and _take_all(tensor, slices, sizes):
            replaced |= {id(part): None for part in slices}
            replaced[id(slices[0])] = _as_split(tensor, slices, sizes)
    kept = (replaced.get(id(part), part) for part in parts)
    return [part for part in kept if part is not None]


def _take_all(tensor: str, slices: Sequence[Part], sizes: Sizes) -> bool:
    """Whether slices take every element of a tensor once, along one axis."""
    settings = [part.nodes[0].settings for part in slices]
    runs = {part.nodes[0].count for part in slices}
    axes = {int(found["axis"]) if "end" in found else None for found in settings}
    axis = axes.pop()
    if axes or axis is None or len(runs) > 1:
        return False
    extent = sizes.shape(tensor)[axis]
    spans = sorted((int(found["begin"]), int(found["end"])) for found in settings)
    begins, ends = zip(*spans, strict=True)
    return (*begins, extent) == (0, *ends)


def _as_split(tensor: str, slices: Sequence[Part], sizes: Sizes) -> Part:
    outputs = tuple(name for part in slices for name in part.outputs)
    nodes = tuple(part.nodes[0] for part in slices)
    constants = tuple(name for part in slices for name in part.constants)
    return Part(name_along_axis("split", (tensor, *outputs), sizes), nodes, (tensor,), outputs, constants)
