"""Kernel type and configuration of a group of operators, where a kernel row can state them.

A group whose operands are not those that a type has, or whose extents are beyond those of a row, has none.
"""

import math
from collections.abc import Callable, Mapping
from typing import Final

from harness.graphs.counting import FOLDED
from harness.graphs.groups import Group, Part
from harness.graphs.operator_flops import extents_of_attention, matrices_of_einsum, row_length, weights_of
from harness.graphs.operators import ACTIVATIONS, JOINED, VARIADIC
from harness.graphs.sizes import Sizes
from harness.schema.columns import columns_of
from harness.schema.kernel_costs import Elementwise, Recurrent
from harness.schema.kernel_types import KERNEL_TYPES, OPERAND_FORMS, Kernel
from harness.schema.networks import NetworkKernel
from harness.schema.vocabulary import EXTENTS

Values = dict[str, int]

_BY_FIRST: Final[Mapping[str, Kernel]] = {
    operator: name for name, kind in KERNEL_TYPES.items() for operator in kind.begins_with
}
"""Kernel type by the first operator, whatever constants and activations are fused with it."""
_BEHIND_FIRST: Final = FOLDED | JOINED | ACTIVATIONS
_BY_OPERATORS: Final[Mapping[str, Kernel]] = {
    operators: name for name, kind in KERNEL_TYPES.items() for operators in kind.operators
}
"""Kernel type by all operators that are fused."""
_MOST: Final = {name: columns_of(NetworkKernel)[name].quantity.le or math.inf for name in EXTENTS}
_MOST_INPUTS: Final = 4
_GATES: Final[Mapping[str, int]] = {
    name: kind.cost.gates for name, kind in KERNEL_TYPES.items() if isinstance(kind.cost, Recurrent)
}
"""Gates of the recurrent cells."""


def configuration_of_group(group: Group, sizes: Sizes) -> tuple[Kernel, dict[str, int | str]] | None:
    """Kernel type and configuration of a group; None where no kernel row can state them."""
    first, *others = group.parts
    kernel = _BY_OPERATORS.get(group.operator)
    if first.name in _BY_FIRST and all(part.name in _BEHIND_FIRST for part in others):
        kernel = _BY_FIRST[first.name]
    if kernel is None or not group.inputs:
        return None
    kind = KERNEL_TYPES[kernel]
    values = _VALUES.get(kernel, _of_plane)(group, kernel, sizes)
    stated = {name: values[name] for name in kind.fields if name in values}
    if not all(name in stated for name in kind.requires) or any(
        not 1 <= value <= _MOST[name] for name, value in stated.items()
    ):
        return None
    return kernel, ({"function": _function(first.name)} if kind.functions else {}) | stated


def _function(operator: str) -> str:
    """What an operator computes, whatever its operands are; a bias alone is an addition, a scale a product.

    What a normalisation adds before it is its second operand.
    """
    for form in OPERAND_FORMS:
        operator = operator.removesuffix(form)
    return {"bias": "add", "scale": "mul"}.get(operator, operator.removeprefix("skip-"))


def _of_plane(group: Group, kernel: Kernel, sizes: Sizes) -> Values:
    """Height, width, channels and window of a type of SEC 2023, and of what goes over planes like it."""
    first = group.parts[0]
    copies = {sizes.copies(tensor) for tensor in (*group.inputs, *group.outputs)}
    # Planes that are treated element by element are one plane, however many they are.
    is_elementwise = isinstance(KERNEL_TYPES[kernel].cost, Elementwise)
    if len(copies) > 1 or (copies != {1} and not is_elementwise) or not _is_as_its_type(kernel, first, sizes):
        return {}
    read, made = sizes.extents(first.inputs[0]), sizes.extents(first.outputs[0])
    values = {"input_h": copies.pop() * read.h, "input_w": read.w, "cin": read.c}
    if kernel == "resize":
        return values | {"output_h": made.h, "output_w": made.w} if made.c == read.c else {}
    values |= {f"cin{place}": sizes.extents(tensor).c for place, tensor in enumerate(first.inputs[1:], 2)}
    return values | _of_window(first, read.c, made.c)


def _of_window(first: Part, cin: int, cout: int) -> Values:
    window = first.nodes[0].window
    if window is None:
        return {}
    of_channels = first.name.startswith("dwconv")
    values = {} if of_channels and cin == cout else {"cout": cout}
    if window.groups > 1 and not of_channels:
        values["groups"] = window.groups
    names = ("kernel_h", "kernel_w", "stride_h", "stride_w")
    values |= dict(zip(names, (*window.kernel, *window.stride), strict=True))
    dilation = zip(("dilation_h", "dilation_w"), window.dilation, window.kernel, strict=True)
    return values | {name: step for name, step, extent in dilation if step > 1 and extent > 1}


def _is_as_its_type(kernel: Kernel, first: Part, sizes: Sizes) -> bool:
    """Whether the operands of a group's first part are those that its kernel type has."""
    channels = sizes.extents(first.inputs[0]).c
    if "cin2" in KERNEL_TYPES[kernel].requires:
        is_whole = not first.constants and len(first.inputs) == len(first.nodes[0].inputs)
        return is_whole and 2 <= len(first.inputs) <= _MOST_INPUTS
    if KERNEL_TYPES[kernel].n_inputs > 1:
        return len(first.inputs) == KERNEL_TYPES[kernel].n_inputs
    if first.name == "scale":
        return math.prod(map(sizes.elements, first.constants)) == channels
    return len(first.inputs) == 1 and (first.nodes[0].window is None or first.nodes[0].window.rank <= 2)


def _of_dense(group: Group, _kernel: Kernel, sizes: Sizes) -> Values:
    """Inputs and outputs of a layer on one row, whichever extent of it is 1."""
    first = group.parts[0]
    return {"cin": row_length(first.nodes[0], sizes), "cout": sizes.last(first.outputs[0])}


def _of_product(group: Group, _kernel: Kernel, sizes: Sizes) -> Values:
    """Rows and matrix of a product; all rows of all batches meet the same weights."""
    first = group.parts[0]
    if first.name == "einsum":
        return _of_contraction(first, sizes)
    node, made = first.nodes[0], first.outputs[0]
    cin, cout = row_length(node, sizes), sizes.last(made)
    n_vectors = sizes.elements(made) // cout
    is_one_matrix = weights_of(node, sizes) == cin * cout
    if is_one_matrix and len(first.inputs) == 1 and sizes.elements(first.inputs[0]) == n_vectors * cin:
        return {"rows": n_vectors, "cin": cin, "cout": cout}
    rows = sizes.last(made, 2)
    batch = n_vectors // rows
    is_whole = [batch * rows * cin, batch * cin * cout] == [sizes.elements(tensor) for tensor in node.inputs[:2]]
    return {"rows": rows, "cin": cin, "cout": cout, "batch": batch} if is_whole and len(first.inputs) == 2 else {}


def _of_contraction(first: Part, sizes: Sizes) -> Values:
    """Rows and matrix of a contraction that is a product of two matrices, or of many of them."""
    product = matrices_of_einsum(first.nodes[0], sizes)
    made = sizes.elements(first.outputs[0])
    # Rows of several inferences, and one row by weights, are other kernels.
    if product is None or product.batch * product.rows * product.cout != made:
        return {}
    values = {"rows": product.rows, "cin": product.cin, "cout": product.cout}
    if len(first.inputs) == 2:
        return values | {"batch": product.batch}
    is_by_weights = len(first.inputs) == 1 and first.nodes[0].inputs[0] == first.inputs[0]
    return values if is_by_weights and product.batch == 1 < product.rows else {}


def _of_attention(group: Group, _kernel: Kernel, sizes: Sizes) -> Values:
    """Queries, keys and heads, where the operator states its heads and makes as much as they do."""
    first = group.parts[0]
    values = extents_of_attention(first.nodes[0])
    made = math.prod(values.get(name, 0) for name in ("q_len", "heads", "head_size"))
    return values if made == sizes.elements(first.outputs[0]) else {}


def _of_rows(group: Group, kernel: Kernel, sizes: Sizes) -> Values:
    """Vectors of the output, and of the second input where there is one of the same extents."""
    first = group.parts[0]
    made = first.outputs[0]
    if first.nodes[0].op in VARIADIC and len(first.nodes[0].inputs) > 2:
        return {}
    is_of_last = sizes.rank(made) < 4 or kernel == "softmax" or first.name.endswith(("layer-norm", "rms-norm"))
    along = sizes.last(made) if is_of_last else sizes.extents(made).c
    cin = int(first.nodes[0].settings.get("row_length", along))
    values = {"rows": sizes.elements(made) // cin, "cin": cin}
    return values | ({"cin2": cin} if len(first.inputs) == 2 and sizes.are_alike((*first.inputs, made)) else {})


def _of_lookup(group: Group, _kernel: Kernel, sizes: Sizes) -> Values:
    first = group.parts[0]
    table = sizes.shape(first.constants[0]) if first.constants else ()
    if len(table) != 2:
        return {}
    cout = sizes.last(first.outputs[0])
    return {"rows": sizes.elements(first.outputs[0]) // cout, "entries": table[0], "cout": cout}


def _of_recurrence(group: Group, _kernel: Kernel, sizes: Sizes) -> Values:
    """Steps of all sequences, input and state of a cell whose matrices are those of its gates."""
    first = group.parts[0]
    node, read = first.nodes[0], first.inputs[0]
    cin = sizes.last(read)
    matrices = [sizes.shape(tensor) for tensor in node.matrices]
    gates = _GATES[first.name]
    if not matrices or not all(matrices):
        return {}
    if len(matrices) == 2 and len(matrices[1]) == 3:
        # All gates stand in one matrix, whose shorter extent is the state.
        directions, cout = matrices[1][0], min(matrices[1][1:])
        of_gates = [directions * gates * cout * extent for extent in (cin, cout)]
        is_whole = list(map(math.prod, matrices)) == of_gates
    else:
        directions, cout = len(matrices) // (2 * gates), matrices[-1][-1]
        is_whole = matrices == ([(cout, cin)] * gates + [(cout, cout)] * gates) * directions
    if not directions or not is_whole:
        return {}
    steps = sizes.elements(read) // cin
    return {"rows": steps, "cin": cin, "cout": cout} | ({"directions": directions} if directions > 1 else {})


_VALUES: Final[Mapping[Kernel, Callable[[Group, Kernel, Sizes], Values]]] = {
    "fc": _of_dense,
    "matmul": _of_product,
    "attention": _of_attention,
    "norm": _of_rows,
    "softmax": _of_rows,
    "elementwise": _of_rows,
    "embedding": _of_lookup,
    "lstm": _of_recurrence,
    "gru": _of_recurrence,
}
"""What the fields of a type are read from, where it does not go over planes."""
