"""Counts FLOPs, parameters and bytes of what runs as one kernel, at the extents that the network itself has.

Convention: one multiply-accumulate is two FLOPs. Batch normalisation, constants and activations cost nothing where
they are folded into a convolution, matrix multiplication, pooling or squeeze-and-excitation block; arithmetic with a
second activation costs one FLOP per element wherever it runs. An operator without a kernel type costs one FLOP per
output element, unless it multiplies, pools or reduces.
"""

from typing import Final

from harness.graphs.fusion import Group, Part
from harness.graphs.graph import Node
from harness.graphs.sizes import Sizes, operator_name
from harness.schema.cost import DTYPE_BITS, ELEMENTWISE_FLOPS
from harness.schema.vocabulary import Dtype

FOLDED: Final = frozenset({"bn", "scale", "bias"})
"""Arithmetic with constants that goes into the weights of what comes before it."""
JOINED: Final = frozenset({"add", "sub", "mul", "div", "min", "max"})
"""Arithmetic with a second activation."""
_PRODUCTS: Final = ("conv", "dwconv", "fc", "matmul")
_POOLS: Final = frozenset({"maxpool", "avgpool"})
_REDUCTIONS: Final = frozenset({"global-avgpool", "global-maxpool", "reduce-mean", "reduce-sum", "reduce-max"})
_OF_SE: Final = frozenset({"global-avgpool", "mul", "mul-broadcast"})
_NO_WEIGHTS: Final = frozenset({"clip", "pad", "resize", "reshape", "slice", "pow"})
"""Operators whose constants say how they work; they are no parameters."""
_MOST_COUNT: Final = 10**18
_MOST_PARAMS: Final = 10**15
"""Absurd extents are counted as these many, which are the largest that a kernel list may state."""


def absorbs(part: Part) -> bool:
    """Whether constants and activations after a part are folded into it and cost nothing."""
    return _multiplies(part.name) or part.name in _POOLS or part.name in ("global-avgpool", "se")


def group_flops(group: Group, sizes: Sizes) -> int:
    """FLOPs of one kernel for one inference."""
    first, *others = group.parts
    counted = [part for part in others if part.name in JOINED or not absorbs(first)]
    return min(sum(_part_flops(part, sizes) for part in (first, *counted)), _MOST_COUNT)


def group_params(group: Group, sizes: Sizes) -> int:
    """Parameters of one kernel; a folded batch normalisation leaves a bias."""
    first, *others = group.parts
    kept = [part for part in others if not (_multiplies(first.name) and part.name in FOLDED)]
    nodes = [node for part in (first, *kept) for node in part.nodes]
    params = sum(_node_params(operator_name(node, sizes), node, sizes) for node in nodes)
    if len(kept) < len(others) and len(first.constants) == 1:
        params += _channels(first.nodes[0], sizes)
    return min(params, _MOST_PARAMS)


def group_bytes(group: Group, params: int, dtype: Dtype, sizes: Sizes) -> int:
    """Bytes of the activations that a kernel reads and makes and of its parameters, each moved once."""
    elements = sum(sizes.elements(tensor) for tensor in (*group.inputs, *group.outputs)) + params
    return min(elements * DTYPE_BITS[dtype] // 8, _MOST_COUNT)


def group_dtype(group: Group, sizes: Sizes) -> Dtype:
    """Data type that a kernel computes in: that of what it works on and of what it makes, the wider of the two."""
    ends = (*group.inputs[:1], *group.outputs[:1])
    stated = {sizes.dtype(tensor) for tensor in ends} - {"unstated"}
    return max(sorted(stated), key=DTYPE_BITS.__getitem__, default="unstated")


def row_length(node: Node, sizes: Sizes) -> int:
    """Products that are summed into one element of a matrix multiplication's output."""
    read, output = node.inputs[0], node.outputs[0]
    if node.op == "fc":
        return sizes.elements(sizes.activations(node)[0]) * sizes.last(output) // sizes.elements(output)
    # One of the last two extents is that of the output: the last, where the operator transposes what it reads.
    is_transposed = sizes.last(read, 2) != sizes.last(output, 2) == sizes.last(read)
    return sizes.last(read, 2) if is_transposed else sizes.last(read)


def _multiplies(name: str) -> bool:
    return name.startswith(_PRODUCTS)


def _channels(node: Node, sizes: Sizes) -> int:
    """Channels of a convolution's output, columns of a matrix multiplication's."""
    output = node.outputs[0]
    return sizes.extents(output).c if node.window else sizes.last(output)


def _weights(node: Node, sizes: Sizes) -> int:
    """Weights of a convolution or a matrix multiplication, without its bias."""
    if node.window is None:
        return row_length(node, sizes) * _channels(node, sizes)
    if node.window.rank > 2:
        return max((sizes.elements(tensor) for tensor in node.inputs if sizes.is_constant(tensor)), default=0)
    height, width = node.window.kernel
    return height * width * (sizes.extents_of_read(node).c // node.window.groups) * _channels(node, sizes)


def _part_flops(part: Part, sizes: Sizes) -> int:
    if part.name in ELEMENTWISE_FLOPS and part.name not in JOINED:
        return ELEMENTWISE_FLOPS[part.name] * sum(sizes.elements(tensor) for tensor in part.outputs)
    counted = [(operator_name(node, sizes), node) for node in part.nodes]
    if part.name == "se":
        counted = [(name, node) for name, node in counted if name in _OF_SE or _multiplies(name)]
    return sum(_node_flops(name, node, sizes) for name, node in counted)


def _node_flops(name: str, node: Node, sizes: Sizes) -> int:
    made = sum(sizes.elements(tensor) for tensor in node.outputs if sizes.is_known(tensor))
    if _multiplies(name):
        # Every weight meets each place of the output once; of a transposed convolution, each place of the input.
        end = sizes.activations(node)[0] if node.op == "conv-transpose" else node.outputs[0]
        channels = sizes.extents(end).c if node.window else sizes.last(end)
        return 2 * (sizes.elements(end) // channels) * _weights(node, sizes)
    if name in _POOLS and node.window is not None:
        return made * node.window.kernel[0] * node.window.kernel[1]
    if name in _REDUCTIONS:
        return sum(sizes.elements(tensor) for tensor in sizes.activations(node))
    operands = max(len(node.inputs) - 1, 1) if name in JOINED else 1
    return ELEMENTWISE_FLOPS.get(name.removesuffix("-spatial"), 1) * operands * made


def _node_params(name: str, node: Node, sizes: Sizes) -> int:
    constants = [tensor for tensor in node.inputs if sizes.is_constant(tensor)]
    if name == "bn":
        return 2 * sizes.extents_of_read(node).c
    if _multiplies(name) and constants:
        return _weights(node, sizes) + (_channels(node, sizes) if len(constants) > 1 else 0)
    if name in _NO_WEIGHTS:
        return 0
    counts = [sizes.elements(tensor) for tensor in constants if sizes.dtype(tensor) != "unstated"]
    return sum(count for count in counts if count > 1)
