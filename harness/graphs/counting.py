"""Counts FLOPs, parameters and bytes of groups of operators that run as one kernel, at the network's own extents.

Convention: one multiply-accumulate is two FLOPs. Batch normalisation, constants and activations cost nothing where
they are folded into a convolution, matrix multiplication, pooling or squeeze-and-excitation block; arithmetic with a
second activation costs one FLOP per element wherever it runs. An operator without a kernel type costs one FLOP per
output element, unless it multiplies, pools or reduces.
"""

from collections.abc import Callable, Mapping
from typing import Final, get_args

from harness.graphs.fusion import Group, Part
from harness.graphs.graph import Node
from harness.graphs.operators import JOINED, OPERATORS, Work
from harness.graphs.sizes import Sizes, is_complete, operator_name
from harness.schema.cost import DTYPE_BITS, ELEMENTWISE_FLOPS
from harness.schema.kernel_types import require_each
from harness.schema.vocabulary import Dtype

FOLDED: Final = frozenset({"bn", "scale", "bias"})
"""Arithmetic with constants that is folded into the weights of the operator before it."""
_OF_SE: Final = frozenset({"global-avgpool", "mul", "mul-broadcast"})
_MOST_COUNT: Final = 10**18
_MOST_PARAMS: Final = 10**15
"""Absurd extents are counted as these many, which are the largest that a kernel list may state."""


def _absorbs(part: Part, sizes: Sizes) -> bool:
    """Whether constants and activations after a part are folded into it and cost nothing."""
    return part.name in ("global-avgpool", "se") or _part_work(part, sizes) in ("product", "window")


def group_flops(group: Group, sizes: Sizes) -> int:
    """FLOPs of one kernel for one inference."""
    first, *others = group.parts
    counted = [part for part in others if part.name in JOINED or not _absorbs(first, sizes)]
    return min(sum(_part_flops(part, sizes) for part in (first, *counted)), _MOST_COUNT)


def group_params(group: Group, sizes: Sizes) -> int:
    """Parameters of one kernel; a folded batch normalisation leaves a bias."""
    first, *others = group.parts
    is_product = _part_work(first, sizes) == "product"
    kept = [part for part in others if not (is_product and part.name in FOLDED)]
    nodes = [node for part in (first, *kept) for node in part.nodes]
    params = sum(_node_params(node, sizes) for node in nodes)
    if len(kept) < len(others) and len(first.constants) == 1:
        params += _channels(first.nodes[0], sizes)
    return min(params, _MOST_PARAMS)


def group_bytes(group: Group, params: int, dtype: Dtype, sizes: Sizes) -> int:
    """Bytes of the activations that a kernel reads and makes and of its parameters, each moved once."""
    elements = sum(sizes.elements(tensor) for tensor in (*group.inputs, *group.outputs)) + params
    return min(elements * DTYPE_BITS[dtype] // 8, _MOST_COUNT)


def group_dtype(group: Group, sizes: Sizes) -> Dtype:
    """Data type that a kernel computes in: the wider one of its first input and its first output."""
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


def _part_work(part: Part, sizes: Sizes) -> Work | None:
    """What the FLOPs of a part are counted by; None for a block of operators."""
    return _work(part.nodes[0], sizes) if len(part.nodes) == 1 else None


def _work(node: Node, sizes: Sizes) -> Work:
    """What the FLOPs of an operator are counted by: the elements that it makes, where it is unknown or incomplete."""
    operator = OPERATORS.get(node.op)
    return "elements" if operator is None or not is_complete(node, sizes) else operator.work


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
    counted = part.nodes
    if part.name == "se":
        counted = tuple(
            node for node in counted if operator_name(node, sizes) in _OF_SE or _work(node, sizes) == "product"
        )
    return sum(_node_flops(node, sizes) for node in counted)


def _node_flops(node: Node, sizes: Sizes) -> int:
    return _FLOPS[_work(node, sizes)](node, sizes)


def _flops_of_product(node: Node, sizes: Sizes) -> int:
    # Every weight meets each place of the output once; of a transposed convolution, each place of the input.
    end = sizes.activations(node)[0] if node.op == "conv-transpose" else node.outputs[0]
    channels = sizes.extents(end).c if node.window else sizes.last(end)
    return 2 * (sizes.elements(end) // channels) * _weights(node, sizes)


def _flops_of_window(node: Node, sizes: Sizes) -> int:
    height, width = (1, 1) if node.window is None else node.window.kernel
    return _made(node, sizes) * height * width


def _flops_of_reduction(node: Node, sizes: Sizes) -> int:
    return sum(sizes.elements(tensor) for tensor in sizes.activations(node))


def _flops_of_elements(node: Node, sizes: Sizes) -> int:
    name = operator_name(node, sizes)
    operands = max(len(node.inputs) - 1, 1) if name in JOINED else 1
    return ELEMENTWISE_FLOPS.get(name.removesuffix("-spatial"), 1) * operands * _made(node, sizes)


def _made(node: Node, sizes: Sizes) -> int:
    """Elements that an operator makes."""
    return sum(sizes.elements(tensor) for tensor in node.outputs if sizes.is_known(tensor))


_FLOPS: Final[Mapping[Work, Callable[[Node, Sizes], int]]] = {
    "product": _flops_of_product,
    "window": _flops_of_window,
    "reduction": _flops_of_reduction,
    "elements": _flops_of_elements,
}
require_each(get_args(Work), _FLOPS, "count of FLOPs")


def _node_params(node: Node, sizes: Sizes) -> int:
    constants = [tensor for tensor in node.inputs if sizes.is_constant(tensor)]
    operator = OPERATORS.get(node.op)
    if operator_name(node, sizes) == "bn":
        return 2 * sizes.extents_of_read(node).c
    if _work(node, sizes) == "product" and constants:
        return _weights(node, sizes) + (_channels(node, sizes) if len(constants) > 1 else 0)
    if operator is not None and operator.has_settings and is_complete(node, sizes):
        return 0
    counts = [sizes.elements(tensor) for tensor in constants if sizes.dtype(tensor) != "unstated"]
    return sum(count for count in counts if count > 1)
