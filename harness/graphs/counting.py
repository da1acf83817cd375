"""Counts FLOPs, parameters and bytes of groups of operators that run as one kernel, at the network's own extents.

Convention: one multiply-accumulate is two FLOPs. Batch normalisation, constants and activations cost nothing where
they are folded into a convolution, matrix multiplication, pooling or squeeze-and-excitation block; arithmetic with a
second activation costs one FLOP per element wherever it runs. Moving data costs none. What an operator without a rule
costs is unknown, and so is the cost of a group that has one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from harness.graphs.graph import Node
from harness.graphs.groups import Group, Part
from harness.graphs.operator_flops import node_flops, weights_of, weights_tensor, work_of
from harness.graphs.operators import JOINED, OPERATORS, PICKING
from harness.graphs.sizes import Sizes, is_complete, operator_name
from harness.schema.cost import DTYPE_BITS, ELEMENTWISE_FLOPS, STORED_BITS
from harness.schema.vocabulary import Dtype, StoredDtype

FOLDED: Final = frozenset({"bn", "scale", "bias"})
"""Arithmetic with constants that is folded into the weights of the operator before it."""
_SHIFTING: Final = frozenset({"bn", "bias"})
"""What of it adds something, which needs a bias."""
_OF_SE: Final = frozenset({"global-avgpool", "mul", "mul-broadcast"})
_ABSORBING: Final = frozenset({"product", "window"})
"""What operators are counted by into which constants and activations after them are folded."""
MOST_COUNT: Final = 10**18
_MOST_PARAMS: Final = 10**15
"""Absurd extents are counted as these many, which are the largest that a kernel list may state."""


class Weights(NamedTuple):
    """Parameters that one tensor holds.

    Attributes:
        n: their number.
        n_bytes: bytes of them that a kernel reads, with those of their scales and zero points.
        dtype: data type that they are stored in; None where it is unknown.
    """

    n: int
    n_bytes: int
    dtype: StoredDtype | None


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
    return min(sum(known), MOST_COUNT) if len(known) == len(flops) else None


def group_weights(group: Group, sizes: Sizes) -> dict[str, Weights]:
    """Parameters of one kernel by the tensor that holds them; what shifts and is folded leaves a bias.

    A tensor that several kernels read is in each of them, and is one in the network.
    """
    first, *others = group.parts
    is_product = len(first.nodes) == 1 and work_of(first.nodes[0], sizes) == "product"
    kept = [part for part in others if not (is_product and part.name in FOLDED)]
    weights: dict[str, Weights] = {}
    for part in (first, *kept):
        for node in part.nodes:
            weights |= {sizes.stored_as(tensor): held for tensor, held in _node_weights(node, sizes).items()}
    if is_product and not _SHIFTING.isdisjoint(part.name for part in others) and len(first.constants) == 1:
        weights[f"{first.nodes[0].outputs[0]}:bias"] = _folded_bias(first, sizes)
    return weights


def group_bytes(group: Group, weights: Iterable[Weights], sizes: Sizes) -> int:
    """Bytes of the activations that a kernel reads and makes and of its parameters, each moved once as it is stored."""
    picked: dict[str, int] = {}
    for part in group.parts:
        for node in part.nodes:
            for tensor, n in _picked(node, sizes).items():
                picked[tensor] = min(picked.get(tensor, 0) + n, sizes.elements(tensor))
    read = sum(sizes.n_bytes(tensor, picked.get(tensor)) for tensor in group.inputs)
    made = sum(sizes.n_bytes(tensor) for tensor in group.outputs)
    return min(read + made + sum(held.n_bytes for held in weights), MOST_COUNT)


def _picked(node: Node, sizes: Sizes, n_elements: int | None = None) -> dict[str, int]:
    """Elements that an operator reads of the tensor of which it needs no more than it makes.

    Args:
        node: operator.
        sizes: extents.
        n_elements: elements of that tensor, where several share one byte.
    """
    place = PICKING.get(node.op)
    if place is None or place >= len(node.inputs) or not node.outputs or not sizes.is_known(node.outputs[0]):
        return {}
    tensor = node.inputs[place]
    n_stored = sizes.elements(tensor) if n_elements is None else n_elements
    return {tensor: min(n_stored, sizes.elements(node.outputs[0]))}


def weight_dtype(weights: Iterable[Weights]) -> StoredDtype | None:
    """Data type in which most parameters of a kernel are stored; None where there are none, or it is unknown."""
    counts: Counter[StoredDtype | None] = Counter()
    for held in weights:
        counts[held.dtype] += held.n
    return max(counts, key=counts.__getitem__, default=None)


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


def stored_weights(node: Node, sizes: Sizes) -> dict[str, Weights]:
    """Weights that an operator reads, whatever it does with them, by the tensor that holds them."""
    held = {sizes.stored_as(tensor): _held(tensor, node, sizes) for tensor in node.inputs if sizes.is_weight(tensor)}
    return {tensor: weights for tensor, weights in held.items() if weights.n > 1}


def _held(tensor: str, node: Node, sizes: Sizes) -> Weights:
    """Weights in one tensor, and the bytes of those that an operator reads."""
    n, dtype = sizes.n_stored(tensor) or sizes.elements(tensor), sizes.stored(tensor)
    n_bytes = sizes.n_bytes(tensor, n)
    beside = sizes.n_bytes_beside(tensor)
    if tensor == next(name for name in node.inputs if sizes.is_constant(name)):
        beside += node.n_bytes_beside
        packed = next((found for found in STORED_BITS if found == node.settings.get("weight_dtype")), None)
        if packed is not None:
            n, dtype = n_bytes * 8 // STORED_BITS[packed], packed
    n_read = _picked(node, sizes, n).get(tensor, n)
    return Weights(min(n, _MOST_PARAMS), -(-(n_bytes + beside) * n_read // max(n, 1)), dtype)


def _folded_bias(first: Part, sizes: Sizes) -> Weights:
    """Bias that what is folded leaves in the operator before it; that of integer weights has 32 bits."""
    weights = sizes.stored(first.constants[0])
    dtype: StoredDtype = "int32" if weights is None or "int" in weights else weights
    n = _channels(first.nodes[0], sizes)
    return Weights(n, -(-n * STORED_BITS[dtype] // 8), dtype)


def _node_weights(node: Node, sizes: Sizes) -> Mapping[str, Weights]:
    """Parameters by the tensor that holds them."""
    constants = [tensor for tensor in node.inputs if sizes.is_constant(tensor)]
    operator = OPERATORS.get(node.op)
    if node.op == "bn" and is_complete(node, sizes):
        n = 2 * sizes.extents_of_read(node).c
        return {tensor: _some(tensor, n, sizes) for tensor in node.inputs[1:2]}
    if work_of(node, sizes) == "product" and constants:
        biases = {
            tensor: _some(tensor, sizes.n_stored(tensor) or _channels(node, sizes), sizes) for tensor in constants[1:2]
        }
        held = _held(constants[0], node, sizes)
        is_matrix = constants[0] == weights_tensor(node, sizes)
        return biases | {constants[0]: held._replace(n=_number_of(node, sizes)) if is_matrix else held}
    if operator is not None and operator.has_settings and is_complete(node, sizes):
        return {}
    return stored_weights(node, sizes)


def _number_of(node: Node, sizes: Sizes) -> int:
    return min(weights_of(node, sizes), _MOST_PARAMS)


def _some(tensor: str, n: int, sizes: Sizes) -> Weights:
    """As many parameters as there are, of the data type of a tensor."""
    return Weights(n, sizes.n_bytes(tensor, n), sizes.stored(tensor))
