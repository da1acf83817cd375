"""A network between its file and its kernels: operators under one name each, tensors with their extents.

Readers make it and fusion groups it; it knows neither file formats nor kernel types.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from harness.schema.vocabulary import Dtype, StoredDtype

Layout = Literal["channels-first", "channels-last"]


class Window(NamedTuple):
    """Window of a convolution or pooling, in elements; (height, width) each.

    Attributes:
        kernel: extents of the window.
        stride: steps of the window.
        dilation: distance of neighbouring taps, 1 for a dense window.
        groups: groups of a convolution.
        rank: spatial dimensions that the file states; 1 makes it a one-dimensional operator with height 1.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    rank: int = 2


class Extents(NamedTuple):
    """Extents of one tensor of one batch, in elements."""

    h: int
    w: int
    c: int

    @property
    def n_elements(self) -> int:
        """Elements of the tensor."""
        return self.h * self.w * self.c


class Tensor(NamedTuple):
    """One tensor.

    Attributes:
        name: name in the file.
        shape: extents, batch first, in the order of the graph's layout; None where neither the file nor shape
            inference states them.
        dtype: data type that a kernel computes in on it; `unstated` for types that no kernel computes in.
        is_constant: whether the file has it, or declares it, as a weight.
        stored_as: name of the weight that a runtime stores for it, where it is a view of one; else its own.
        stored: data type of its elements in memory; None where it is that of `dtype`.
        n_bytes_beside: bytes of the scales and zero points of a weight that is stored quantised.
        n_stored: elements of the weight of `stored_as`, which this one may repeat; None where they are its own.
    """

    name: str
    shape: tuple[int, ...] | None
    dtype: Dtype
    is_constant: bool = False
    stored_as: str = ""
    stored: StoredDtype | None = None
    n_bytes_beside: int = 0
    n_stored: int | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """One operator.

    Attributes:
        name: name in the file, or a made-up one that states its place.
        op: canonical name in `OPERATORS`, or the file's own name.
        inputs: names of the tensors it reads, weights included; without absent optional ones.
        outputs: names of the tensors it writes.
        window: window of an operator of `WINDOWED`.
        matrices: weights of a recurrent operator that every step multiplies by, among its inputs.
        settings: attributes that its cost depends on, by their name in the file; empty for all others.
        n_bytes_beside: bytes of scales and zero points that it reads beside its operands.
        count: times that one inference runs it, as the body of a loop does.
        repeats: what an earlier operator makes that computes the same, in the order of its own outputs; none of others.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    window: Window | None = None
    matrices: tuple[str, ...] = ()
    settings: Mapping[str, int | str] = field(default_factory=dict, hash=False)
    n_bytes_beside: int = 0
    count: int = 1
    repeats: tuple[str, ...] = ()


class Links(NamedTuple):
    """What makes and what reads the tensors of a network.

    Attributes:
        makers: operator that makes a tensor.
        readers: operators that read a tensor, in their order, each as often as it reads it.
        taken: tensors that something else than an operator of the network takes.
    """

    makers: Mapping[str, Node]
    readers: defaultdict[str, list[Node]]
    taken: frozenset[str]


@dataclass(frozen=True, slots=True)
class Graph:
    """One network.

    Attributes:
        name: name of the network.
        layout: where 4-D tensors have their channels.
        nodes: operators in an order in which they can run; quantisation folded away.
        tensors: every tensor by name.
        inputs: names of the tensors that a caller gives.
        outputs: names of the tensors that a caller takes.
        folded: operators that the reader removed because no runtime executes them, by name with their number:
            arithmetic on constants and shapes, QDQ pairs around a quantised operator.
        batch: inferences that run together; the first extent of a tensor where it is a multiple of it.
        idle: operators that do not count, such as those of a branch that is not taken; their parameters are kept.
        held: tensors that pass between a body and the operators around it, so that nothing is fused through them.
        notes: what the counts rest on that the file does not settle, as sentences.
        signature: signature of the network, where the file has several.
        others: signatures of the other networks of the file.
    """

    name: str
    layout: Layout
    nodes: tuple[Node, ...]
    tensors: Mapping[str, Tensor]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    folded: Mapping[str, int] = field(default_factory=dict)
    batch: int = 1
    idle: tuple[Node, ...] = ()
    held: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    signature: str = ""
    others: tuple[str, ...] = ()

    def links(self) -> "Links":
        """What makes and what reads each tensor."""
        readers: defaultdict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            for tensor in node.inputs:
                readers[tensor].append(node)
        makers = {tensor: node for node in self.nodes for tensor in node.outputs}
        return Links(makers, readers, self.held.union(self.outputs))

    def extents(self, tensor: str) -> Extents:
        """Height, width and channels of a tensor, the batch left out.

        A vector has height and width 1; a tensor of three extents is (batch, channels, width) where channels come
        first and (batch, width, channels) where they come last, with height 1; five extents and more have all but
        the channels multiplied into the height.

        Raises:
            KeyError: no tensor of that name.
            ValueError: its shape is unknown.
        """
        shape = self.tensors[tensor].shape
        if shape is None:
            raise ValueError(f"the extents of {tensor} are unknown")
        inner = shape[1:]
        if not inner:
            return Extents(1, 1, shape[0] if shape else 1)
        if self.layout == "channels-first":
            channels, spatial = inner[0], inner[1:]
        else:
            channels, spatial = inner[-1], inner[:-1]
        width = spatial[-1] if spatial else 1
        height = 1
        for extent in spatial[:-1]:
            height *= extent
        return Extents(height, width, channels)
