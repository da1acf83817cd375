"""Joins the operators by which ONNX files express a product in integers of what is quantised as it comes.

Exporters write a quantisation of the activation, a product of integers, its cast to floats, its multiplication by both
scales, and the addition of a bias. ONNX Runtime runs these as one operator. Where something else reads the quantised
activation, its quantisation remains one by itself.

Source:
    ONNX Runtime, matmul_integer_to_float.cc and dynamic_quantize_matmul_fusion.cc.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from harness.graphs.graph import Graph, Node
from harness.graphs.onnx_dtypes import bytes_of

_PRODUCTS: Final = frozenset({"fc", "matmul"})


class _Joined(NamedTuple):
    """A product as one operator, and the operators that it is, the last one last."""

    whole: Node
    of: tuple[Node, ...]


def join_dynamic_quantisation(graph: Graph) -> Graph:
    """The graph with one operator for each product in integers of what is quantised as it comes."""
    if not any(node.op == "quantize" and len(node.outputs) > 1 for node in graph.nodes):
        return graph
    links = _Joining(graph)
    joined = {found.of[-1].outputs: found for node in graph.nodes for found in links.joined(node)}
    if not joined:
        return graph
    removed = {node.outputs for found in joined.values() for node in found.of}
    nodes = tuple(
        joined[node.outputs].whole if node.outputs in joined else node
        for node in graph.nodes
        if node.outputs in joined or node.outputs not in removed
    )
    used = {*graph.inputs, *graph.outputs}
    used |= {name for node in (*nodes, *graph.idle) for name in (*node.inputs, *node.outputs)}
    tensors = {name: tensor for name, tensor in graph.tensors.items() if name in used}
    return replace(graph, nodes=nodes, tensors=tensors)


class _Joining:
    """Operators of one graph by what makes and what reads each tensor."""

    def __init__(self, graph: Graph) -> None:
        self._tensors = graph.tensors
        self._maker, self._readers, self._taken = graph.links()

    def joined(self, product: Node) -> Iterator[_Joined]:
        """A product in integers with what is around it, where it has all of that."""
        begun = self._maker.get(product.inputs[0]) if product.op in _PRODUCTS and product.inputs else None
        if begun is None or begun.op != "quantize" or len(begun.outputs) < 3:
            return
        cast = self._next(product, "cast")
        scaled = self._next(cast, "mul")
        if cast is None or scaled is None:
            return
        scales = next((self._maker.get(name) for name in scaled.inputs if name not in cast.outputs), None)
        if scales is None or scales.op != "mul" or begun.outputs[1] not in scales.inputs:
            return
        if self._next(scales, "mul") is not scaled:
            return
        bias = self._biased(scaled)
        of = (product, cast, scales, scaled, *([] if bias is None else [bias]))
        others = [name for name in scales.inputs if name != begun.outputs[1]]
        is_own = scales.inputs[0] == begun.outputs[1] and self._is_only_for(begun, product, scales)
        read = begun.inputs[0] if is_own else product.inputs[0]
        constants = () if bias is None else tuple(name for name in bias.inputs if self._tensors[name].is_constant)
        whole = replace(
            product,
            inputs=(read, *product.inputs[1:], *constants),
            outputs=of[-1].outputs,
            n_bytes_beside=product.n_bytes_beside + sum(map(self._bytes_beside, others)),
        )
        yield _Joined(whole, (*([begun] if is_own else []), *of))

    def _next(self, node: Node | None, op: str) -> Node | None:
        """The only operator that reads what another one makes, if it is one of that name."""
        outputs = () if node is None else node.outputs
        readers = self._readers[outputs[0]] if len(outputs) == 1 and outputs[0] not in self._taken else []
        return readers[0] if len(readers) == 1 and readers[0].op == op else None

    def _biased(self, scaled: Node) -> Node | None:
        """The addition of one number for each column that follows a product."""
        added = self._next(scaled, "add")
        constants = [] if added is None else [name for name in added.inputs if self._tensors[name].is_constant]
        made = self._tensors[scaled.outputs[0]].shape
        shapes = [self._tensors[name].shape for name in constants]
        is_vector = len(shapes) == 1 and made and shapes[0] and shapes[0][-1] == made[-1]
        return added if is_vector and all(extent == 1 for extent in (shapes[0] or ())[:-1]) else None

    def _is_only_for(self, quantised: Node, product: Node, scales: Node) -> bool:
        """Whether nothing else reads what a quantisation makes."""
        readers = [reader for name in quantised.outputs for reader in self._readers[name]]
        return self._taken.isdisjoint(quantised.outputs) and all(each in (product, scales) for each in readers)

    def _bytes_beside(self, name: str) -> int:
        """Bytes of the scales of weights, where there is more than one."""
        tensor = self._tensors[name]
        return bytes_of(tensor.shape, tensor.stored) if tensor.is_constant else 0
