"""Counts FLOPs, parameters and bytes of groups of operators that run as one kernel, at the network's own extents.

Convention: one multiply-accumulate is two FLOPs. Batch normalisation, constants and activations cost nothing where
they are folded into a convolution, matrix multiplication, pooling or squeeze-and-excitation block; arithmetic with a
second activation costs one FLOP per element wherever it runs. Moving data costs none. What an operator without a rule
costs is unknown, and so is the cost of a group that has one.
"""

from collections.abc import Mapping
from typing import Final

from harness.graphs.graph import Node
from harness.graphs.groups import Group, Part
from harness.graphs.operator_flops import node_flops, weights_of, work_of
from harness.graphs.operators import JOINED, OPERATORS
from harness.graphs.sizes import Sizes, is_complete, operator_name
from harness.schema.cost import DTYPE_BITS, ELEMENTWISE_FLOPS
from harness.schema.vocabulary import Dtype

FOLDED: Final = frozenset({"bn", "scale", "bias"})
"""Arithmetic with constants that is folded into the weights of the operator before it."""
_OF_SE: Final = frozenset({"global-avgpool", "mul", "mul-broadcast"})
_ABSORBING: Final = frozenset({"product", "window"})
"""What operators are counted by into which constants and activations after them are folded."""
_MOST_COUNT: Final = 10**18
_MOST_PARAMS: Final = 10**15
"""Absurd extents are counted as these many, which are the largest that a kernel list may state."""


def _absorbs(part: Part, sizes: Sizes) -> bool:
    """Whether constants and activations after a part are folded into it and cost nothing."""
    is_single = len(part.nodes) == 1
    return part.name in ("global-avgpool", "se") or (is_single and work_of(part.nodes[0], sizes) in _ABSORBING)


def group_flops(group: Group, sizes: Sizes) -> int | None:
    """FLOPs of one kernel for one inference; None where an operator of it has no rule."""
    first, *others = group.parts
    counted = [part for part in others if part.name in JOINED or not _absorbs(first, sizes)]
    flops = [_part_flops(part, sizes) for part in (first, *counted)]
    known = [count for count in flops if count is not None]
    return min(sum(known), _MOST_COUNT) if len(known) == len(flops) else None


def group_params(group: Group, sizes: Sizes) -> dict[str, int]:
    """Parameters of one kernel by the tensor that holds them; a folded batch normalisation leaves a bias.

    A tensor that several kernels read is in each of them, and is one in the network.
    """
    first, *others = group.parts
    is_product = len(first.nodes) == 1 and work_of(first.nodes[0], sizes) == "product"
    kept = [part for part in others if not (is_product and part.name in FOLDED)]
    params: dict[str, int] = {}
    for part in (first, *kept):
        for node in part.nodes:
            params |= {sizes.stored_as(tensor): count for tensor, count in _node_params(node, sizes).items()}
    if len(kept) < len(others) and len(first.constants) == 1:
        output = first.nodes[0].outputs[0]
        params[f"{output}:bias"] = _channels(first.nodes[0], sizes)
    return {tensor: min(count, _MOST_PARAMS) for tensor, count in params.items()}


def group_bytes(group: Group, params: int, dtype: Dtype, sizes: Sizes) -> int:
    """Bytes of the activations that a kernel reads and makes and of its parameters, each moved once."""
    elements = sum(sizes.elements(tensor) for tensor in (*group.inputs, *group.outputs)) + params
    return min(elements * DTYPE_BITS[dtype] // 8, _MOST_COUNT)


def group_dtype(group: Group, sizes: Sizes) -> Dtype:
    """Data type that a kernel computes in: the wider one of its first input and its first output."""
    ends = (*group.inputs[:1], *group.outputs[:1])
    stated = {sizes.dtype(tensor) for tensor in ends} - {"unstated"}
    return max(sorted(stated), key=DTYPE_BITS.__getitem__, default="unstated")


def _channels(node: Node, sizes: Sizes) -> int:
    """Channels of a convolution's output, columns of a matrix multiplication's."""
    output = node.outputs[0]
    return sizes.extents(output).c if node.window else sizes.last(output)


def _part_flops(part: Part, sizes: Sizes) -> int | None:
    if part.name in ELEMENTWISE_FLOPS and part.name not in JOINED:
        return ELEMENTWISE_FLOPS[part.name] * sum(sizes.elements(tensor) for tensor in part.outputs)
    operator = OPERATORS.get(part.name)
    if len(part.nodes) > 1 and operator is not None and operator.work == "elements":
        # As many as the operator itself has, where the file has it as one.
        return sum(sizes.elements(tensor) for tensor in part.outputs)
    counted = part.nodes
    if part.name == "se":
        counted = tuple(
            node for node in counted if operator_name(node, sizes) in _OF_SE or work_of(node, sizes) == "product"
        )
    flops = [node_flops(node, sizes) for node in counted]
    known = [count for count in flops if count is not None]
    return sum(known) if len(known) == len(flops) else None


def stored_params(node: Node, sizes: Sizes) -> dict[str, int]:
    """Elements of the weights that an operator reads, whatever it does with them, by the tensor that holds them."""
    counts = {
        sizes.stored_as(tensor): sizes.elements(tensor)
        for tensor in node.inputs
        if sizes.is_constant(tensor) and sizes.dtype(tensor) != "unstated"
    }
    return {tensor: count for tensor, count in counts.items() if count > 1}


def _node_params(node: Node, sizes: Sizes) -> Mapping[str, int]:
    """Parameters by the tensor that holds them."""
    constants = [tensor for tensor in node.inputs if sizes.is_constant(tensor)]
    operator = OPERATORS.get(node.op)
    if operator_name(node, sizes) == "bn":
        return {node.inputs[1]: 2 * sizes.extents_of_read(node).c} if len(node.inputs) > 1 else {}
    if work_of(node, sizes) == "product" and constants:
        biases = {constants[1]: _channels(node, sizes)} if len(constants) > 1 else {}
        return biases | {constants[0]: weights_of(node, sizes)}
    if operator is not None and operator.has_settings and is_complete(node, sizes):
        return {}
    return stored_params(node, sizes)
