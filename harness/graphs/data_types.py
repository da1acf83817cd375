"""A network as if it ran in another data type: its activations, and the weights that are not stored narrower."""

from dataclasses import replace

from harness.graphs.graph import Graph, Tensor
from harness.schema.cost import DTYPE_BITS, STORED_BITS
from harness.schema.vocabulary import Dtype


def in_dtype(graph: Graph, dtype: Dtype) -> Graph:
    """The graph with its activations in a data type.

    Weights follow, except those that are stored narrower than the activations of the file, as weight-only quantisation
    does, and no wider than the data type. Indices, masks and integer biases stay as they are.

    Args:
        graph: network.
        dtype: data type to run in.
    """
    computed = [tensor.dtype for tensor in graph.tensors.values() if not tensor.is_constant]
    widest = max((DTYPE_BITS[found] for found in computed if found != "unstated"), default=DTYPE_BITS[dtype])
    tensors = {
        name: tensor
        if tensor.dtype == "unstated" or _is_kept(tensor, widest, DTYPE_BITS[dtype])
        else replace(tensor, dtype=dtype, stored=None, n_bytes_beside=0)
        for name, tensor in graph.tensors.items()
    }
    return replace(graph, tensors=tensors)


def _is_kept(tensor: Tensor, widest: int, bits: int) -> bool:
    stored = DTYPE_BITS[tensor.dtype] if tensor.stored is None else STORED_BITS[tensor.stored]
    return tensor.is_constant and stored < widest and stored <= bits
