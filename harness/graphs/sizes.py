"""Extents of a network's tensors for one inference, and the names of its operators that follow from them.

Fusion rules and kernel types are written in these names: `conv`, `dwconv`, `scale`, `add-broadcast` and so on.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, get_args

from harness.graphs.graph import Extents, Graph, Node
from harness.graphs.images import images_of
from harness.graphs.operators import OPERATORS, WINDOWED, Naming
from harness.schema.cost import DTYPE_BITS, STORED_BITS
from harness.schema.kernel_types import require_each
from harness.schema.vocabulary import Dtype, StoredDtype

_STRANGE = re.compile(r"[^A-Za-z0-9_.:-]")
_LONGEST_NAME = 100
_PLACES: Final[frozenset[StoredDtype]] = frozenset({"int64", "uint64", "int32", "uint32", "bool"})
"""Data types of indices, extents and masks."""
_STORED_ALIKE: Final[Mapping[str, StoredDtype]] = {stored: stored for stored in get_args(StoredDtype)}
"""Data types that elements are stored in as kernels compute in them."""


class Sizes:
    """Extents of the tensors of one graph, the batch left out; each is computed once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._extents: dict[str, Extents] = {}
        self._elements: dict[str, int] = {}
        self._activations: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._constants = {name for name, tensor in graph.tensors.items() if tensor.is_constant}
        self._images = images_of(graph)
        self._products = {tensor for node in graph.nodes if node.op in ("fc", "matmul") for tensor in node.outputs}

    def shape(self, tensor: str) -> tuple[int, ...]:
        """Extents of a tensor as the graph has them; none where they are unknown."""
        found = self.graph.tensors.get(tensor)
        return (found.shape if found else None) or ()

    def is_known(self, tensor: str) -> bool:
        """Whether all extents of a tensor are known, and none is 0."""
        found = self.graph.tensors.get(tensor)
        return found is not None and found.shape is not None and min(found.shape, default=1) > 0

    def extents(self, tensor: str) -> Extents:
        """Height, width and channels of a tensor; of tokens, 1, their number and their features.

        Raises:
            ValueError: its shape is unknown.
        """
        if tensor not in self._extents:
            shape = self.shape(tensor)
            is_of_tokens = len(shape) == 3 and not self.is_image(tensor)
            self._extents[tensor] = Extents(1, *shape[1:]) if is_of_tokens else self.graph.extents(tensor)
        return self._extents[tensor]

    def is_image(self, tensor: str) -> bool:
        """Whether a tensor has channels and a plane: four extents or more, or three around a convolution."""
        return self.rank(tensor) > 3 or tensor in self._images

    def copies(self, tensor: str) -> int:
        """Times that one inference has the extents of a tensor: 1 where its first extent is the network's batch."""
        shape = self.shape(tensor)
        if len(shape) < 2:
            return 1
        batch = self.graph.batch
        return shape[0] // batch if shape[0] % batch == 0 else shape[0]

    def elements(self, tensor: str) -> int:
        """Elements of an activation for one inference, or of a weight."""
        if tensor not in self._elements:
            is_constant = self.is_constant(tensor)
            of_one = math.prod(self.shape(tensor)) if is_constant else self.extents(tensor).n_elements
            self._elements[tensor] = of_one if is_constant else self.copies(tensor) * of_one
        return self._elements[tensor]

    def n_stored(self, tensor: str) -> int:
        """Elements of the weight that a constant is stored as; 0 where they are unknown."""
        found = self.graph.tensors.get(tensor)
        if found is not None and found.n_stored is not None:
            return found.n_stored
        return self.elements(tensor) if self.is_known(tensor) else 0

    def last(self, tensor: str, place: int = 1) -> int:
        """Last extent of a tensor, or the one at a place from the end; 1 where it has none there."""
        shape = self.shape(tensor)
        return shape[-place] if len(shape) >= place else 1

    def rank(self, tensor: str) -> int:
        """Number of extents of a tensor, the batch included."""
        return len(self.shape(tensor))

    def dtype(self, tensor: str) -> Dtype:
        """Data type of a tensor."""
        found = self.graph.tensors.get(tensor)
        return "unstated" if found is None else found.dtype

    def stored(self, tensor: str) -> StoredDtype | None:
        """Data type of the elements of a tensor in memory; None where it is unknown."""
        found = self.graph.tensors.get(tensor)
        if found is None or found.stored is not None:
            return None if found is None else found.stored
        return _STORED_ALIKE.get(found.dtype)

    def n_bytes(self, tensor: str, n_elements: int | None = None) -> int:
        """Bytes of a tensor, or of some of its elements, packed; unknown data types count at the widest."""
        stored = self.stored(tensor)
        bits = DTYPE_BITS[self.dtype(tensor)] if stored is None else STORED_BITS[stored]
        return -(-(self.elements(tensor) if n_elements is None else n_elements) * bits // 8)

    def n_bytes_beside(self, tensor: str) -> int:
        """Bytes of the scales and zero points of a weight."""
        found = self.graph.tensors.get(tensor)
        return 0 if found is None else found.n_bytes_beside

    def extents_of_read(self, node: Node) -> Extents:
        """Extents of the first input of an operator that is not a weight."""
        return self.extents(self.activations(node)[0])

    def stored_as(self, tensor: str) -> str:
        """Name under which a runtime stores a weight, which views of it share."""
        found = self.graph.tensors.get(tensor)
        return found.stored_as or tensor if found else tensor

    def is_constant(self, tensor: str) -> bool:
        """Whether a tensor is a constant."""
        return tensor in self._constants

    def is_weight(self, tensor: str) -> bool:
        """Whether a tensor is a constant of numbers to compute with, not of places or extents."""
        stored = self.stored(tensor)
        is_number = self.dtype(tensor) != "unstated" if stored is None else stored not in _PLACES
        return self.is_constant(tensor) and is_number

    def are_alike(self, tensors: Sequence[str]) -> bool:
        """Whether tensors have the same extents."""
        return len({(self.copies(tensor), self.extents(tensor)) for tensor in tensors}) <= 1

    def activations(self, node: Node) -> tuple[str, ...]:
        """Inputs of an operator that are not weights, each once."""
        if node.inputs not in self._activations:
            read = dict.fromkeys(tensor for tensor in node.inputs if not self.is_constant(tensor))
            self._activations[node.inputs] = tuple(read)
        return self._activations[node.inputs]

    def is_per_channel(self, constant: str, activation: str) -> bool:
        """Whether a constant is one number, or one for each channel of an activation; false where its size is unknown.

        A matrix multiplication has its channels last, whatever the layout of images.
        """
        shape = self.shape(constant)
        if not self.is_known(constant):
            return False
        if math.prod(shape) == 1:
            return True
        is_first = self.graph.layout == "channels-first" and activation not in self._products
        from_end = self.rank(activation) - 1 if is_first and self.is_image(activation) else 1
        others = [extent for place, extent in enumerate(reversed(shape), 1) if place != from_end]
        return math.prod(others) == 1 and math.prod(shape) == self.last(activation, from_end)


def operator_name(node: Node, sizes: Sizes) -> str:
    """Name of an operator as fusion rules and kernel lists have it.

    Names of convolutions depend on groups, dimensions and dilation; a matrix multiplication with constants on one row
    is `fc`, any other is `matmul`; adding or multiplying by a constant that is one number, or one a channel, is `bias`
    or `scale`, and by any other constant `add-constant`; operands of different extents make it `add-broadcast`, a
    tensor with itself `add-self`; joining or splitting along another axis than the channels is `concat-spatial` or
    `split-spatial`; a gather that reads rows of a table of weights is `embedding`; a mean over height and width is
    `global-avgpool`; an operator that lacks its input, its output or its window is `incomplete-conv` and so on. A name
    of the file's own keeps its letters, digits and `_ . : -`.
    """
    operator = OPERATORS.get(node.op)
    if operator is not None:
        return _NAMINGS[operator.naming](node, sizes) if is_complete(node, sizes) else f"incomplete-{node.op}"
    return file_operator(node)


def file_operator(node: Node) -> str:
    """Name of an operator without what depends on extents; one of the file's own, in letters that a list may have."""
    return _STRANGE.sub("_", node.op).lstrip("_.:-")[:_LONGEST_NAME] or "unnamed"


def is_complete(node: Node, sizes: Sizes) -> bool:
    """Whether an operator has its input, its output and, where it needs one, its window."""
    if not sizes.activations(node) or not node.outputs:
        return False
    if node.op not in WINDOWED:
        return True
    return node.window is not None and min(*node.window.kernel, *node.window.stride, node.window.groups) >= 1


def _convolution_name(node: Node, sizes: Sizes) -> str:
    window = node.window
    if window is None:
        raise ValueError(f"{node.name} has no window")
    channels = sizes.extents_of_read(node).c
    name = "dwconv" if 1 < window.groups == channels else "conv"
    if any(step > 1 and extent > 1 for step, extent in zip(window.dilation, window.kernel, strict=True)):
        return f"{name}-dilated"
    return name if window.rank == 2 else f"{name}{window.rank}d"


def _product_name(node: Node, sizes: Sizes) -> str:
    is_weighted = len(sizes.activations(node)) == 1 and len(node.inputs) > 1
    output = node.outputs[0]
    return "fc" if is_weighted and sizes.elements(output) == sizes.last(output) else "matmul"


def _arithmetic_name(node: Node, sizes: Sizes) -> str:
    activations = sizes.activations(node)
    if len(activations) < len(set(node.inputs)):
        constants = [tensor for tensor in node.inputs if sizes.is_constant(tensor)]
        is_divisor = node.op == "div" and sizes.is_constant(node.inputs[0])
        name = None if is_divisor or len(activations) > 1 else OPERATORS[node.op].constant_name
        if name is not None and all(sizes.is_per_channel(constant, activations[0]) for constant in constants):
            return name
        return f"{node.op}-constant"
    if len(activations) < len(node.inputs):
        return f"{node.op}-self"
    return node.op if sizes.are_alike(activations) else f"{node.op}-broadcast"


def _mean_name(node: Node, sizes: Sizes) -> str:
    is_pooling = node.settings.get("is_over_width") and sizes.is_image(node.inputs[0])
    return "global-avgpool" if is_pooling else node.op


def _axis_name(node: Node, sizes: Sizes) -> str:
    return name_along_axis(node.op, (*sizes.activations(node), *node.outputs), sizes)


def name_along_axis(name: str, ends: Sequence[str], sizes: Sizes) -> str:
    """Name of an operator that joins or splits, by the tensors that it reads and makes."""
    planes = {(sizes.copies(tensor), sizes.extents(tensor)[:2]) for tensor in ends if sizes.is_known(tensor)}
    return name if len(planes) == 1 else f"{name}-spatial"


def _lookup_name(node: Node, sizes: Sizes) -> str:
    table, made = node.inputs[0], node.outputs[0]
    is_whole = sizes.last(table) == sizes.last(made) or "weight_dtype" in node.settings
    is_of_rows = sizes.is_constant(table) and sizes.rank(table) == 2 and is_whole
    return "embedding" if is_of_rows and node.settings.get("axis", 0) == 0 else node.op


_NAMINGS: Final[Mapping[Naming, Callable[[Node, Sizes], str]]] = {
    "plain": lambda node, _: node.op,
    "convolution": _convolution_name,
    "product": _product_name,
    "operands": _arithmetic_name,
    "axis": _axis_name,
    "lookup": _lookup_name,
    "mean": _mean_name,
}
require_each(get_args(Naming), _NAMINGS, "naming of operators")
