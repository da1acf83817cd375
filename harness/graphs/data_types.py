"""A network as if it ran in another data type: its activations, and the weights that are not stored narrower."""

from dataclasses import replace

from harness.graphs.graph import Graph, Tensor
from harness.graphs.operators import OPERATORS
from harness.schema.cost import DTYPE_BITS, STORED_BITS
from harness.schema.vocabulary import Dtype


def in_dtype(graph: Graph, dtype: Dtype) -> Graph:
    """The graph with its activations in a data type.

    Weights follow, except those that are stored narrower than the activations of the file, as weight-only quantisation
    does, and no wider than the data type. A bias beside weights of integers has 32 bits; indices and masks stay as they
    are.

    Args:
        graph: network.
        dtype: data type to run in.
    """
    computed = [tensor.dtype for tensor in graph.tensors.values() if not tensor.is_constant]
    widest = max((DTYPE_BITS[found] for found in computed if found != "unstated"), default=DTYPE_BITS[dtype])
    biases = _biases(graph) if dtype.startswith("int") else frozenset()
    tensors = {
        name: tensor
        if tensor.dtype == "unstated" or _is_kept(tensor, widest, DTYPE_BITS[dtype])
        else tensor._replace(dtype=dtype, stored="int32" if name in biases else None, n_bytes_beside=0)
        for name, tensor in graph.tensors.items()
    }
    return replace(graph, tensors=tensors)


def _biases(graph: Graph) -> frozenset[str]:
    """Second constants of convolutions and matrix multiplications."""
    products = [node for node in graph.nodes if node.op in OPERATORS and OPERATORS[node.op].work == "product"]
    constants = [[name for name in node.inputs if graph.tensors[name].is_constant] for node in products]
    return frozenset(name for names in constants for name in names[1:2])


def _is_kept(tensor: Tensor, widest: int, bits: int) -> bool:
    stored = DTYPE_BITS[tensor.dtype] if tensor.stored is None else STORED_BITS[tensor.stored]
    return tensor.is_constant and stored < widest and stored <= bits
