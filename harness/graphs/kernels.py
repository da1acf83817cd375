"""The kernel list of a network: the kernels that a runtime executes, in the datasets' kernel types, with their costs.

Kernels without a kernel type are listed by the names of their operators; none is dropped, and no type is guessed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Literal, NamedTuple

from harness.errors import UsageError
from harness.graphs.configurations import configuration_of_group
from harness.graphs.counting import (
    MOST_COUNT,
    Weights,
    group_bytes,
    group_dtype,
    group_flops,
    group_weights,
    stored_weights,
    weight_dtype,
)
from harness.graphs.faults import ModelFileError, model_issue
from harness.graphs.fusion import fuse
from harness.graphs.fusion_rules import Runtime
from harness.graphs.graph import Graph, Node
from harness.graphs.groups import Group
from harness.graphs.operator_flops import flops_of_output
from harness.graphs.operators import SEQUENCES, VIEWS
from harness.graphs.sizes import Sizes, file_operator
from harness.issues import Issue
from harness.schema.cost import DTYPE_BITS, ELEMENTWISE_FLOPS
from harness.schema.networks import MOST_KERNELS, ListedKernel, Network, NetworkKernel


class Unsupported(NamedTuple):
    """Kernels of one operator that have no kernel type.

    Attributes:
        operator: what is fused.
        n: number of such kernels.
        flops_share: their share of the network's FLOPs, 0 to 1; None where either is unknown.
        bytes_share: their share of the bytes that all kernels move; None likewise.
    """

    operator: str
    n: int
    flops_share: float | None
    bytes_share: float | None


class OpenEnd(NamedTuple):
    """First operator of a network whose extents are unknown.

    Attributes:
        operator: name of the operator in the file.
        tensor: tensor that it reads or makes, whose extents are unknown.
    """

    operator: str
    tensor: str


@dataclass(frozen=True, slots=True)
class KernelList:
    """Kernels of a network.

    Attributes:
        kernels: kernels in an order in which they can run.
        free: operators that run no kernel, by name with their number: views, and those that the reader removed.
        params: parameters of the network; one that several kernels read counts once.
        open_end: first operator whose extents are unknown; None where all are known.
    """

    kernels: tuple[ListedKernel, ...]
    free: Mapping[str, int]
    params: int
    open_end: OpenEnd | None = None

    @property
    def flops(self) -> int:
        """FLOPs of one inference; where some are unknown, of the kernels whose FLOPs are known."""
        return sum(kernel.flops for kernel in self.kernels if kernel.flops is not None)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Operators whose FLOPs are unknown, each once."""
        return tuple(dict.fromkeys(kernel.operator for kernel in self.kernels if kernel.flops is None))

    @property
    def bytes_moved(self) -> int:
        """Bytes that all kernels read and write; where some are unknown, those of the others."""
        return sum(kernel.bytes_moved for kernel in self.kernels if kernel.bytes_moved is not None)

    @property
    def n_typed(self) -> int:
        """Kernels that have a kernel type."""
        return sum(kernel.kernel is not None for kernel in self.kernels)

    @property
    def coverage_kernels(self) -> float:
        """Share of kernels that have a kernel type, 0 to 1."""
        return self.n_typed / len(self.kernels)

    @property
    def coverage_flops(self) -> float | None:
        """Share of FLOPs in kernels that have a kernel type, 0 to 1; None where FLOPs are unknown.

        That of kernels for a network without FLOPs.
        """
        if self.unknown:
            return None
        return self._share(self._typed(), "flops") if self.flops else self.coverage_kernels

    @property
    def coverage_bytes(self) -> float | None:
        """Share of the bytes moved in kernels that have a kernel type, 0 to 1; None where bytes are unknown."""
        return self._share(self._typed(), "bytes_moved")

    @property
    def unsupported(self) -> tuple[Unsupported, ...]:
        """Operators that have no kernel type: those with unknown FLOPs, then by the greater of their shares."""
        by_operator: dict[str, list[NetworkKernel]] = {}
        for kernel in self.kernels:
            if kernel.kernel is None:
                by_operator.setdefault(kernel.operator, []).append(kernel)
        found = [
            Unsupported(name, len(of), self._share(of, "flops"), self._share(of, "bytes_moved"))
            for name, of in by_operator.items()
        ]
        return tuple(
            sorted(
                found,
                key=lambda item: (
                    item.operator not in self.unknown,
                    -max(item.flops_share or 0, item.bytes_share or 0),
                    item.operator,
                ),
            )
        )

    def _typed(self) -> list[NetworkKernel]:
        return [kernel for kernel in self.kernels if kernel.kernel is not None]

    def _share(self, chosen: Sequence[NetworkKernel], cost: Literal["flops", "bytes_moved"]) -> float | None:
        """Share of some kernels of a cost; None where it is unknown of any."""
        everything = [getattr(kernel, cost) for kernel in self.kernels]
        if None in everything:
            return None
        return float(sum(getattr(kernel, cost) for kernel in chosen) / max(sum(everything), 1))


def kernel_list(graph: Graph, runtime: Runtime) -> KernelList:
    """Kernels that a runtime executes for a network, with the cost of each.

    FLOPs, parameters and bytes are for one inference of one batch, at the extents that the network has. An operator
    that reads or makes a tensor of unknown extents, such as one that depends on data, is an entry of its own without
    FLOPs and bytes; what comes before it is listed as it is. A kernel of the body of a loop is one entry with the
    number of its runs, and FLOPs and bytes of all of them; parameters of branches that are not counted are those of
    the network all the same.

    Args:
        graph: network.
        runtime: fusion rules.

    Raises:
        ModelFileError: extents of the network's inputs are unknown, reported in one exception, or nothing runs.
    """
    sizes = Sizes(graph)
    issues = list(_unknown_inputs(graph, sizes))
    if issues:
        raise ModelFileError(issues)
    open_ends = _open_ends(graph, sizes)
    unlisted = [node for node in graph.nodes if node.name in open_ends]
    nodes = tuple(node for node in graph.nodes if node.name not in open_ends)
    taken = dict.fromkeys((*graph.outputs, *graph.held, *(tensor for node in unlisted for tensor in node.inputs)))
    known = replace(graph, nodes=nodes, outputs=tuple(taken))
    grouping = fuse(known, runtime, Sizes(known) if unlisted else sizes)
    if not grouping.groups and not unlisted:
        raise ModelFileError([_nothing_runs(graph)])
    weights: dict[str, Weights] = {}
    entries = []
    places = {node.name: place for place, node in enumerate(graph.nodes)}
    for group in grouping.groups:
        own = group_weights(group, sizes)
        weights |= own
        place = max(places[node.name] for part in group.parts for node in part.nodes)
        entries.append((place, _entry(group, own.values(), sizes)))
    for node in unlisted:
        own = stored_weights(node, sizes)
        weights |= own
        entries.append((places[node.name], _open_entry(node, own.values(), sizes)))
    for node in graph.idle:
        weights |= stored_weights(node, sizes)
    first = next((OpenEnd(*end) for end in open_ends.items() if end[1]), None)
    running = tuple(entry for _, entry in sorted(entries, key=itemgetter(0)))
    return KernelList(running, grouping.free, _params(weights.values()), first)


def _params(weights: Iterable[Weights]) -> int:
    return sum(held.n for held in weights)


def as_network(model: str, runtime: Runtime, kernels: KernelList) -> Network:
    """A kernel list as the contents of `graphs/<model>.json`.

    A kernel that runs several times is an entry each time.

    Raises:
        UsageError: more kernels run than a list may have.
        pydantic.ValidationError: the model's name is not one that a row may have.
    """
    if sum(kernel.count for kernel in kernels.kernels) > MOST_KERNELS:
        raise UsageError(f"the network runs more than {MOST_KERNELS} kernels, which no submitted kernel list may have")
    entries = [entry for kernel in kernels.kernels for entry in [_submitted(kernel)] * kernel.count]
    is_sum = kernels.params == sum(kernel.params for kernel in entries)
    params = None if is_sum else kernels.params
    return Network(schema_version=1, model=model, runtime=runtime.name, params=params, kernels=entries)


def _submitted(kernel: ListedKernel) -> NetworkKernel:
    """One run of a kernel; weights of its own data type go without saying in a submission."""
    entry = kernel.of_one_run()
    return entry.model_copy(update={"weight_dtype": None}) if entry.weight_dtype == entry.dtype else entry


def _open_ends(graph: Graph, sizes: Sizes) -> dict[str, str]:
    """Operators that read or make a tensor of unknown extents, by name with that tensor, in their order.

    Those on sequences of tensors are among them; the tensor is empty where all that they copy is known.
    """
    read = {tensor for node in graph.nodes for tensor in node.inputs} | set(graph.outputs)
    known = set(filter(sizes.is_known, graph.tensors))
    found = {}
    for node in graph.nodes:
        made = (*node.outputs[:1], *(tensor for tensor in node.outputs[1:] if tensor in read))
        ends = _copied(node) if node.op in SEQUENCES else (*sizes.activations(node), *made)
        if node.op in SEQUENCES or (node.op not in VIEWS and not known.issuperset(ends)):
            found[node.name] = next((tensor for tensor in ends if tensor not in known), "")
    return found


def _unknown_inputs(graph: Graph, sizes: Sizes) -> Iterator[Issue]:
    """Inputs of the network whose extents the user can give."""
    read = {tensor for node in graph.nodes for tensor in node.inputs}
    for tensor in graph.inputs:
        if tensor in read and not sizes.is_known(tensor):
            yield model_issue(
                "model-shape",
                graph.name,
                tensor=tensor,
                found="unknown extents",
                expected="a whole number of at least 1 for each",
                fix="Give the extents of the network's inputs with --input, as in --input name=1x3x224x224.",
            )


def _nothing_runs(graph: Graph) -> Issue:
    return model_issue(
        "model-graph",
        graph.name,
        found="no operator that runs as a kernel",
        expected="at least one",
        fix="Export the network with its operators.",
    )


def _entry(group: Group, weights: Collection[Weights], sizes: Sizes) -> ListedKernel:
    kernel, configuration = configuration_of_group(group, sizes) or (None, {})
    flops = group_flops(group, sizes)
    operator = group.operator
    if operator.startswith("scale") and kernel is not None and kernel in ELEMENTWISE_FLOPS:
        # Without a shift it is still a batch normalisation.
        flops = ELEMENTWISE_FLOPS[kernel] * sizes.elements(group.outputs[0])
    count = group.parts[0].nodes[0].count
    return ListedKernel(
        operator=operator[:200],
        kernel=kernel,
        dtype=group_dtype(group, sizes),
        weight_dtype=weight_dtype(weights),
        flops=_of_all_runs(flops, count),
        params=_params(weights),
        bytes_moved=_of_all_runs(group_bytes(group, weights, sizes), count),
        count=count,
        **configuration,
    )


def _of_all_runs(of_one: int | None, count: int) -> int | None:
    """FLOPs or bytes of a kernel's runs, at most what an entry may state."""
    return None if of_one is None else min(of_one, MOST_COUNT // count) * count


def _copied(node: Node) -> tuple[str, ...]:
    """Tensors of which an operator on sequences copies the elements."""
    inputs, outputs = SEQUENCES[node.op]
    return node.inputs[inputs] + node.outputs[outputs]


def _bytes_copied(node: Node, sizes: Sizes) -> int | None:
    """Bytes that an operator on sequences reads and writes; None of any other, and where extents are unknown."""
    if node.op not in SEQUENCES or not all(map(sizes.is_known, _copied(node))):
        return None
    return 2 * sum(map(sizes.n_bytes, _copied(node)))


def _open_entry(node: Node, weights: Collection[Weights], sizes: Sizes) -> ListedKernel:
    """Entry of an operator that reads or makes a tensor of unknown extents, or a sequence of tensors."""
    stated = {sizes.dtype(tensor) for tensor in (*node.inputs[:1], *node.outputs[:1])} - {"unstated"}
    dtype = max(sorted(stated), key=DTYPE_BITS.__getitem__, default="unstated")
    return ListedKernel(
        operator=file_operator(node),
        dtype=dtype,
        weight_dtype=weight_dtype(weights),
        flops=_of_all_runs(flops_of_output(node, sizes), node.count),
        params=_params(weights),
        bytes_moved=_of_all_runs(_bytes_copied(node, sizes), node.count),
        count=node.count,
    )
