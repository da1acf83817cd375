"""Which tensors of three extents are images of height 1, and which are tokens: by what operators do with them.

Convolutions and poolings work on images; operators that keep the places of elements pass this on to what they read
and make. All other tensors of three extents are (batch, tokens, features), whatever the layout of the file.
"""

from collections.abc import Iterator
from typing import Final

from harness.graphs.graph import Graph, Node
from harness.graphs.operators import OPERATORS, VIEWS, WINDOWED

_OF_IMAGES: Final = WINDOWED | {
    "bn", "depth-to-space", "global-avgpool", "global-maxpool", "group-norm", "instance-norm", "lrn", "space-to-depth",
}  # fmt: skip
"""Operators on images."""
_OF_TOKENS: Final = frozenset({"attention", "fc", "layer-norm", "matmul", "projected-attention", "rms-norm"})
"""Operators on tokens; that the features come last is no evidence where channels come first."""
_KEEPING: Final = frozenset({"cast", "concat", "pad", "resize-nearest", "select", "slice", "split"})
"""Operators that move elements and keep the order of extents."""


def images_of(graph: Graph) -> frozenset[str]:
    """Tensors of three extents, the batch included, that are images.

    Args:
        graph: network.
    """
    threes = [name for name, tensor in graph.tensors.items() if tensor.shape is not None and len(tensor.shape) == 3]
    if not threes:
        return frozenset()
    parts = _Parts(graph)
    of_images = {parts.of(tensor) for node in graph.nodes if node.op in _OF_IMAGES for tensor in _ends(node)}
    if graph.layout == "channels-last":
        of_images -= {parts.of(tensor) for node in graph.nodes if node.op in _OF_TOKENS for tensor in _ends(node)}
    return frozenset(name for name in threes if parts.of(name) in of_images)


def _ends(node: Node) -> Iterator[str]:
    """What an operator reads first, and what it makes."""
    yield from node.inputs[:1]
    yield from node.outputs


class _Parts:
    """Tensors of a network in parts, within which the order of extents is the same."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._above: dict[str, str] = {}
        for node in graph.nodes:
            for tensor in self._alike(node):
                self._above[self.of(tensor)] = self.of(node.outputs[0])

    def of(self, tensor: str) -> str:
        """Tensor that stands for the part of another one."""
        passed = []
        while (above := self._above.get(tensor, tensor)) != tensor:
            passed.append(tensor)
            tensor = above
        for name in passed:
            self._above[name] = tensor
        return tensor

    def _alike(self, node: Node) -> Iterator[str]:
        """Activations around an operator whose extents are in the order of its first output."""
        operator = OPERATORS.get(node.op)
        if not node.outputs or operator is None:
            return
        if node.op in VIEWS:
            yield from (tensor for tensor in node.inputs[:1] if self._is_same_order(tensor, node.outputs[0]))
        elif operator.work == "elements" or node.op in _KEEPING or node.op in WINDOWED:
            ends = (*(node.inputs[:1] if node.op in WINDOWED else node.inputs), *node.outputs[1:])
            yield from (tensor for tensor in ends if self._is_activation(tensor))

    def _is_activation(self, tensor: str) -> bool:
        found = self._graph.tensors.get(tensor)
        return found is not None and not found.is_constant

    def _is_same_order(self, read: str, made: str) -> bool:
        """Whether a view adds or removes extents of 1, or joins height and width behind the channels."""
        shapes = [self._graph.tensors[name].shape or () for name in (read, made)]
        first, second = ([extent for extent in shape[1:] if extent != 1] for shape in shapes)
        is_joined = self._graph.layout == "channels-first" and min(map(len, shapes)) > 2
        return first == second or (is_joined and shapes[0][:2] == shapes[1][:2])
