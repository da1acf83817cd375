"""Folds the pairs of quantisation and dequantisation by which files express operators in integers.

Exporters write an integer operator as a float operator between dequantised inputs and a quantised output. No runtime
executes those pairs; it executes the operator in integers.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from harness.graphs.graph import Graph, Node, Tensor
from harness.schema.vocabulary import Dtype

_PAIR: Final = frozenset({"quantize", "dequantize"})


def fold_quantisation(graph: Graph) -> Graph:
    """The graph with its integer operators as such.

    An operator runs in integers where all its inputs are dequantised, constant or made by another such operator,
    and all its outputs are quantised or read by another such operator. The tensors around it get the data type of
    the quantised ones. A quantisation of floats and a dequantisation to floats that are needed, as at the ends of
    the network, remain operators.
    """
    if not any(node.op in _PAIR for node in graph.nodes):
        return graph
    return _Folding(graph).folded()


class _Folding:
    """Makers and readers of the tensors of one graph, and its operators that run in integers."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._maker, self._readers, self._taken = graph.links()
        self._in_integers = {node.outputs: node for node in graph.nodes if node.op not in _PAIR and node.outputs}
        self._find_integer_operators()

    def _runs_in_integers(self, node: Node) -> bool:
        return node.outputs in self._in_integers

    def _find_integer_operators(self) -> None:
        """Begin with all operators and remove, step by step, those that a float reaches."""
        waiting = list(self._in_integers.values())
        while waiting:
            node = waiting.pop()
            if not self._runs_in_integers(node):
                continue
            if all(map(self._comes_quantised, node.inputs)) and all(map(self._goes_quantised, node.outputs)):
                continue
            del self._in_integers[node.outputs]
            waiting += [self._maker[tensor] for tensor in node.inputs if tensor in self._maker]
            waiting += [reader for tensor in node.outputs for reader in self._readers[tensor]]

    def _comes_quantised(self, tensor: str) -> bool:
        known = self._graph.tensors[tensor]
        if known.is_constant or known.dtype == "unstated":  # Indices are not floats either.
            return True
        maker = self._maker.get(tensor)
        return maker is not None and (maker.op == "dequantize" or self._runs_in_integers(maker))

    def _goes_quantised(self, tensor: str) -> bool:
        is_integer = all(reader.op == "quantize" or self._runs_in_integers(reader) for reader in self._readers[tensor])
        return is_integer and tensor not in self._taken

    def folded(self) -> Graph:
        """The graph without the pairs."""
        same_as: dict[str, str] = {}
        tensors = dict(self._graph.tensors)
        nodes, counts = [], Counter(self._graph.folded)
        for node in self._graph.nodes:
            if _is_whole(node) and node.op == "dequantize":
                same_as[node.outputs[0]] = same_as.get(node.inputs[0], node.inputs[0])
            if self._is_folded(node):
                counts[node.op] += 1
                if node.op == "quantize":
                    same_as[node.outputs[0]] = node.inputs[0]
                continue
            nodes.append(self._rewired(node, same_as))
            if self._runs_in_integers(node):
                self._retype(nodes[-1], tensors)
        outputs = tuple(self._integer_name(tensor, same_as) for tensor in self._graph.outputs)
        running = (*nodes, *self._graph.idle)
        used = {*self._graph.inputs, *outputs, *(name for node in running for name in (*node.inputs, *node.outputs))}
        kept = {name: tensor for name, tensor in tensors.items() if name in used}
        return replace(self._graph, nodes=tuple(nodes), tensors=kept, outputs=outputs, folded=dict(counts))

    def _is_folded(self, node: Node) -> bool:
        if not _is_whole(node):
            return False
        if node.op == "quantize":
            maker = self._maker.get(node.inputs[0])
            return len(node.outputs) == 1 and maker is not None and self._runs_in_integers(maker)
        if node.op != "dequantize":
            return False
        made = node.outputs[0]
        return made not in self._taken and all(
            reader.op == "quantize" or self._runs_in_integers(reader) for reader in self._readers[made]
        )

    def _integer_name(self, tensor: str, same_as: dict[str, str]) -> str:
        """Name of a tensor for readers of integers, or of the output of an integer operator."""
        maker = self._maker.get(tensor)
        is_float = maker is not None and maker.op == "dequantize"
        return tensor if is_float else same_as.get(tensor, tensor)

    def _rewired(self, node: Node, same_as: dict[str, str]) -> Node:
        reads_integers = self._runs_in_integers(node) or node.op in _PAIR
        names: Iterable[str] = (
            same_as.get(tensor, tensor) if reads_integers else self._integer_name(tensor, same_as)
            for tensor in node.inputs
        )
        return replace(node, inputs=tuple(names))

    def _retype(self, node: Node, tensors: dict[str, Tensor]) -> None:
        """Give the outputs of an integer operator the data type that they are quantised to, or that of its inputs."""
        read = [tensors[name].dtype for name in node.inputs if not tensors[name].is_constant]
        for name in node.outputs:
            if tensors[name].dtype == "unstated":
                continue
            quantised = [
                tensors[tensor].dtype
                for reader in self._readers[name]
                if reader.op == "quantize"
                for tensor in reader.outputs
            ]
            dtypes: list[Dtype] = [dtype for dtype in (*quantised, *read) if dtype != "unstated"]
            tensors[name] = tensors[name]._replace(dtype=dtypes[0] if dtypes else "int8", stored=None)


def _is_whole(node: Node) -> bool:
    """Whether an operator has an input and an output, without which no pair is folded."""
    return bool(node.inputs and node.outputs)
