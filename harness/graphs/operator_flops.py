"""FLOPs of one operator for one inference, by the rule that `harness.graphs.operators` declares for it.

One multiply-accumulate is two FLOPs. Softmax and scaling inside attention, gates inside recurrent cells, and
interpolation inside deformable convolutions are not counted, because they are small beside the products.
"""

import math
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, get_args

from harness.graphs.graph import Node
from harness.graphs.operators import JOINED, OPERATORS, VARIADIC, Work
from harness.graphs.sizes import Sizes, is_complete, operator_name
from harness.schema.cost import ELEMENTWISE_FLOPS
from harness.schema.kernel_types import require_each

_FFT_FLOPS: Final = 5.0
"""FLOPs of a transform of n complex values, over n log2 n: the usual count of a radix-2 FFT."""

_NUMBERS_OF_POINT: Final = 8
"""Numbers of a matrix that a point is multiplied by."""


def node_flops(node: Node, sizes: Sizes) -> int | None:
    """FLOPs of one operator; None where it has no rule, or where it lacks what its rule needs."""
    work = work_of(node, sizes)
    return None if work is None else _FLOPS[work](node, sizes)


def flops_of_output(node: Node, sizes: Sizes) -> int | None:
    """FLOPs of an operator whose input or output has unknown extents; None where the known ones do not tell.

    A convolution meets each place of its output with all its weights, whatever it reads; moving data costs none.
    """
    if node.op in OPERATORS and OPERATORS[node.op].work == "movement":
        return 0
    is_told = node.op == "conv" and node.window is not None and all(map(sizes.is_known, node.outputs[:1]))
    has_weights = any(sizes.is_constant(tensor) for tensor in node.inputs)
    return _of_product(node, sizes) if is_told and has_weights else None


def work_of(node: Node, sizes: Sizes) -> Work | None:
    """What the FLOPs of an operator are counted by; None where it is not declared or incomplete."""
    operator = OPERATORS.get(node.op)
    if operator is None or (operator.work != "movement" and not is_complete(node, sizes)):
        return None
    return operator.work


def weights_of(node: Node, sizes: Sizes) -> int:
    """Weights of a convolution or a matrix multiplication, without its bias."""
    if "K" in node.settings and "N" in node.settings:
        return int(node.settings["K"]) * int(node.settings["N"])
    held = weights_tensor(node, sizes)
    if held is not None and sizes.shape(held):
        # Those that another operator makes are as many for one inference as for several.
        return math.prod(sizes.shape(held))
    if node.window is None:
        return row_length(node, sizes) * sizes.last(node.outputs[0])
    height, width = node.window.kernel
    channels = sizes.extents(node.outputs[0]).c
    return height * width * (sizes.extents_of_read(node).c // node.window.groups) * channels


def weights_tensor(node: Node, sizes: Sizes) -> str | None:
    """Tensor that holds the weights of an operator: the second operand of a convolution, the constant of a product."""
    if node.window is not None:
        return node.inputs[1] if len(node.inputs) > 1 else None
    return next((tensor for tensor in node.inputs[:2] if sizes.is_constant(tensor)), None)


def row_length(node: Node, sizes: Sizes) -> int:
    """Products that are summed into one element of a matrix multiplication's output."""
    if "K" in node.settings:
        return int(node.settings["K"])
    read, output = node.inputs[0], node.outputs[0]
    if node.op == "fc":
        return sizes.elements(sizes.activations(node)[0]) * sizes.last(output) // sizes.elements(output)
    # Whether the matrix is transposed or not, its other extent is that of the output; a vector has none.
    matrix = node.inputs[1] if len(node.inputs) > 1 else ""
    n_elements, n_columns = sizes.last(matrix) * sizes.last(matrix, 2), sizes.last(output)
    return sizes.last(read) if sizes.rank(matrix) < 2 or n_elements % n_columns else n_elements // n_columns


def _of_product(node: Node, sizes: Sizes) -> int:
    if node.window is None:
        return 2 * sizes.elements(node.outputs[0]) * row_length(node, sizes)
    # Every weight meets each place of the output once; of a transposed convolution, each place of the input.
    end = sizes.activations(node)[0] if node.op == "conv-transpose" else node.outputs[0]
    return 2 * (sizes.elements(end) // sizes.extents(end).c) * weights_of(node, sizes)


def _of_window(node: Node, sizes: Sizes) -> int:
    """Each window once, though an operator may make the place of each maximum as well."""
    height, width = (1, 1) if node.window is None else node.window.kernel
    return sizes.elements(node.outputs[0]) * height * width


def _of_reduction(node: Node, sizes: Sizes) -> int:
    return sum(sizes.elements(tensor) for tensor in sizes.activations(node))


def _of_elements(node: Node, sizes: Sizes) -> int:
    """A number for each element; arithmetic has one operation less than operands, and a mean divides besides."""
    name = operator_name(node, sizes)
    operations = max(len(node.inputs) - (node.op in JOINED), 1) if node.op in JOINED | VARIADIC else 1
    return ELEMENTWISE_FLOPS.get(name.removesuffix("-spatial"), 1) * operations * _made(node, sizes)


def _made(node: Node, sizes: Sizes) -> int:
    """Elements that an operator makes."""
    return sum(sizes.elements(tensor) for tensor in node.outputs if sizes.is_known(tensor))


def _of_movement(_node: Node, _sizes: Sizes) -> int:
    return 0


def _of_recurrent(node: Node, sizes: Sizes) -> int | None:
    """Every step of every sequence multiplies by all matrices of all directions."""
    if not node.matrices or not all(map(sizes.is_known, node.matrices)):
        return None
    # What goes in stands first, and may be a constant where the state is none.
    read = node.inputs[0]
    steps = sizes.elements(read) // sizes.last(read)
    return 2 * steps * sum(math.prod(sizes.shape(tensor)) for tensor in node.matrices)


def _of_attention(node: Node, sizes: Sizes) -> int | None:
    """Queries by keys, then weights by values: each query meets each key and value of the sequence and its past."""
    made = sizes.elements(node.outputs[0])
    n_keys = _keys(node)
    if n_keys is None:
        return None
    return 2 * n_keys * (_queries(node, sizes) + made)


def _queries(node: Node, sizes: Sizes) -> int:
    """Elements of the queries; where they are packed with keys and values, as many as the output has."""
    return sizes.elements(node.outputs[0] if node.settings.get("is_packed") else node.inputs[0])


def _keys(node: Node) -> int | None:
    """Keys that every query meets: those of the sequence, and those kept from before it."""
    found = node.settings.get("n_keys")
    return None if found is None else int(found)


def extents_of_attention(node: Node) -> dict[str, int]:
    """Queries, keys, heads and size of a head, as the fields of a kernel have them; those that the operator tells."""
    names = {"q_len": "q_len", "kv_len": "n_keys", "heads": "heads", "kv_heads": "kv_heads", "head_size": "head_size"}
    return {field: int(node.settings[name]) for field, name in names.items() if name in node.settings}


def _of_projected_attention(node: Node, sizes: Sizes) -> int | None:
    """Attention with the projection of queries, keys and values in itself."""
    read, weights = node.inputs[0], node.inputs[1]
    n_keys = _keys(node)
    if n_keys is None or not sizes.is_known(weights):
        return None
    projection = 2 * sizes.elements(read) * sizes.last(weights)
    return projection + 2 * n_keys * 2 * sizes.elements(node.outputs[0])


def _of_einsum(node: Node, sizes: Sizes) -> int | None:
    """Two FLOPs for each combination of all labels of one inference, where there is more than one operand."""
    found = _labels(node, sizes)
    if found is None:
        return None
    operands, made, extents = found
    if len(operands) == 1:
        return 0 if made is None or set(made) == set(operands[0]) else _of_reduction(node, sizes)
    return 2 * math.prod(extents.values()) // _inferences(node, sizes)


def _inferences(node: Node, sizes: Sizes) -> int:
    """Inferences that the output of an operator is divided by."""
    return math.prod(sizes.shape(node.outputs[0])) // sizes.elements(node.outputs[0])


def _labels(node: Node, sizes: Sizes) -> tuple[list[str], str | None, dict[str, int]] | None:
    """Labels of the operands of an Einsum, those of its output where they are stated, and the extent of each."""
    equation, _, made = str(node.settings.get("equation", "")).replace(" ", "").partition("->")
    operands = equation.split(",")
    if len(operands) != len(node.inputs) or "." in equation + made or len(operands) > 2:
        return None
    extents: dict[str, int] = {}
    for labels, tensor in zip(operands, node.inputs, strict=True):
        shape = sizes.shape(tensor)
        if len(labels) != len(shape):
            return None
        for label, extent in zip(labels, shape, strict=True):
            extents[label] = max(extents.get(label, 1), extent)
    is_stated = "->" in str(node.settings.get("equation", ""))
    return operands, made if is_stated else None, extents


class Matrices(NamedTuple):
    """Extents of products of two matrices each.

    Attributes:
        batch: number of products.
        rows: rows of the first matrix.
        cin: its columns, and rows of the second.
        cout: columns of the second.
    """

    batch: int
    rows: int
    cin: int
    cout: int


def matrices_of_einsum(node: Node, sizes: Sizes) -> Matrices | None:
    """Extents of an Einsum that is a product of matrices, whatever way its labels are ordered; None of any other."""
    found = _labels(node, sizes)
    if found is None or found[1] is None or len(found[0]) != 2:
        return None
    operands, stated, extents = found[0], found[1], found[2]
    first, second, made = set(operands[0]), set(operands[1]), set(stated)
    is_product = (
        all(len(labels) == len(set(labels)) for labels in (*operands, stated))
        and made <= first | second
        and first ^ second <= made
        and first & second - made
        and all(
            math.prod(extents[label] for label in labels) == math.prod(sizes.shape(tensor))
            for labels, tensor in zip(operands, node.inputs, strict=True)
        )
    )
    if not is_product:
        return None
    # Inferences that run together stand in the first extent of the output.
    own = {**extents, stated[0]: extents[stated[0]] // _inferences(node, sizes)} if stated else extents
    chosen = (first & second & made, first - second, first & second - made, second - first)
    return Matrices(*(math.prod(own[label] for label in labels) for labels in chosen))


def _of_fourier(node: Node, sizes: Sizes) -> int | None:
    """Transforms of all values that are read; ONNX has the two parts of a complex one in the last extent."""
    length = int(node.settings.get("length", 0))
    if length < 1:
        return None
    read = node.inputs[0]
    n_values = sizes.elements(read) // (sizes.last(read) if node.settings.get("has_parts") else 1)
    return _transforms(max(n_values // length, 1), length)


def _of_short_fourier(node: Node, sizes: Sizes) -> int | None:
    """One transform for each frame; the last two extents of the output are frequencies and parts."""
    length, made = int(node.settings.get("length", 0)), node.outputs[0]
    if length < 1:
        return None
    return _transforms(sizes.elements(made) // (sizes.last(made) * sizes.last(made, 2)), length)


def _transforms(n_transforms: int, length: int) -> int:
    return round(n_transforms * _FFT_FLOPS * length * math.log2(length))


def _of_points(node: Node, sizes: Sizes) -> int | None:
    """Each point is multiplied by two rows of four numbers; its coordinates stand in the last extent.

    Source:
        MediaPipe, mediapipe/util/tflite/operations/transform_landmarks.cc, version 2.
    """
    read = node.inputs[0]
    if sizes.rank(read) != 3:
        return None
    return 2 * _NUMBERS_OF_POINT * (sizes.elements(read) // sizes.last(read))


_FLOPS: Final[Mapping[Work, Callable[[Node, Sizes], int | None]]] = {
    "product": _of_product,
    "window": _of_window,
    "reduction": _of_reduction,
    "elements": _of_elements,
    "movement": _of_movement,
    "recurrent": _of_recurrent,
    "attention": _of_attention,
    "projected-attention": _of_projected_attention,
    "einsum": _of_einsum,
    "fourier": _of_fourier,
    "short-fourier": _of_short_fourier,
    "points": _of_points,
}
require_each(get_args(Work), _FLOPS, "count of FLOPs")
