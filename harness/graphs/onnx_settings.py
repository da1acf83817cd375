"""What the cost of an operator of ONNX depends on beside the extents of its operands: attributes, keys, lengths."""

import math
from collections.abc import Callable, Mapping
from typing import Final

import onnx

from harness.graphs.onnx_tensors import Tensors

Settings = Mapping[str, int | str]

_FIRST_OF_SPLITS: Final = 13
"""Version of the standard operators from which on runtimes replace slices by a split."""
_END: Final = 1 << 62

_MATRICES: Final[Mapping[str, tuple[int, ...]]] = dict.fromkeys(("DynamicQuantizeLSTM", "GRU", "LSTM", "RNN"), (1, 2))
"""Places of the matrices that every step of a recurrent operator multiplies by."""
_STATES: Final[Mapping[str, tuple[int, ...]]] = {
    "DynamicQuantizeLSTM": (5, 6), "GRU": (5,), "LSTM": (5, 6), "RNN": (5,),
}  # fmt: skip
"""Places of the state that a recurrent operator begins with."""


def matrices_of(node: onnx.NodeProto) -> tuple[str, ...]:
    """Names of the matrices of a recurrent operator; none of any other."""
    places = _MATRICES.get(node.op_type)
    return () if places is None else tuple(node.input[place] for place in places if place < len(node.input))


def states_of(node: onnx.NodeProto) -> frozenset[str]:
    """Names of the state that a recurrent operator begins with, which is no parameter where it is a constant."""
    places = _STATES.get(node.op_type, ())
    return frozenset([node.input[place] for place in places if place < len(node.input)])


def settings_of(node: onnx.NodeProto, known: Tensors) -> Settings:
    """Settings that the rules of `harness.graphs.operator_flops` read.

    Args:
        node: operator of the file.
        known: tensors.
    """
    rule = _RULES.get((node.domain, node.op_type))
    return {} if rule is None else rule(node, known)


def _shape(node: onnx.NodeProto, place: int, known: Tensors) -> tuple[int, ...] | None:
    """Extents of an operand: none where it is absent, None where they are unknown."""
    if place >= len(node.input) or not node.input[place]:
        return ()
    return known.shape(node.input[place])


def _integer(node: onnx.NodeProto, name: str, default: int = 0) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == name), default)


def _matrix(node: onnx.NodeProto, _known: Tensors) -> Settings:
    """Extents of a packed matrix, and the data type of its elements."""
    found = {name: _integer(node, name) for name in ("K", "N")}
    return {**found, **_packed(node)} if all(extent > 0 for extent in found.values()) else {}


def _packed(node: onnx.NodeProto) -> Settings:
    """Data type of weights that share bytes."""
    if node.op_type == "MatMulBnb4":
        return {"weight_dtype": "nf4" if _integer(node, "quant_type", 1) else "fp4e2m1"}
    bits = 4 if node.op_type == "MatMulFpQ4" else _integer(node, "bits", 4)
    return {"weight_dtype": f"uint{bits}"} if bits in (2, 4, 8) else {}


def _packed_table(node: onnx.NodeProto, known: Tensors) -> Settings:
    """Data type of the rows of a table, where they share bytes."""
    axis = {"axis": _integer(node, "gather_axis")}
    return {**axis, **_packed(node)} if known.stored(node.input[0]) == "uint8" else axis


def _equation(node: onnx.NodeProto, _known: Tensors) -> Settings:
    return {"equation": next((item.s.decode() for item in node.attribute if item.name == "equation"), "")}


def _keys(
    own: int | None, past: tuple[int, ...] | None, place: int, heads: Settings | None = None, *, is_packed: bool = False
) -> Settings:
    if own is None or past is None:
        return {}
    return {"n_keys": own + (past[place] if past else 0), "is_packed": int(is_packed)} | dict(heads or {})


def _heads(heads: int, kv_heads: int, q_len: int, width: int) -> Settings:
    """Queries and heads; none where the heads do not divide the elements of a query."""
    if heads < 1 or kv_heads < 1 or width % heads:
        return {}
    return {"heads": heads, "kv_heads": kv_heads, "q_len": q_len, "head_size": width // heads}


def _attention(node: onnx.NodeProto, known: Tensors) -> Settings:
    """Attention of the standard: keys at place 1, kept ones at place 4, sequence in the last extent but one."""
    queries, keys = _shape(node, 0, known), _shape(node, 1, known)
    heads: Settings = {}
    if queries and keys:
        own = [shape[1] if len(shape) == 4 else 0 for shape in (queries, keys)]
        stated = (_integer(node, "q_num_heads", own[0]), _integer(node, "kv_num_heads", own[1]))
        heads = _heads(*stated, queries[-2], queries[-1] * max(own[0], 1))
    return _keys(keys[-2] if keys else None, _shape(node, 4, known), -2, heads)


def _multi_head_attention(node: onnx.NodeProto, known: Tensors) -> Settings:
    """Keys of 3 extents, of 4 with the heads before the sequence, or packed with values or with all."""
    keys, queries = _shape(node, 1, known), _shape(node, 0, known)
    if keys is None or not queries:
        return {}
    own = queries[1] if not keys else keys[2] if len(keys) == 4 else keys[1]
    n_heads = _integer(node, "num_heads")
    heads = _heads(n_heads, n_heads, queries[1], queries[2]) if len(queries) == 3 else {}
    return _keys(own, _shape(node, 6, known), 2, heads, is_packed=not keys)


def _group_query_attention(node: onnx.NodeProto, known: Tensors) -> Settings:
    """Queries of all heads, or packed with the keys and values of fewer heads; a window is of the last keys."""
    keys, queries = _shape(node, 1, known), _shape(node, 0, known)
    if keys is None or not queries:
        return {}
    n_heads, kv_heads = _integer(node, "num_heads"), _integer(node, "kv_num_heads")
    share = 1 if keys else n_heads + 2 * kv_heads
    width = queries[2] if keys else n_heads * (queries[2] // max(share, 1))
    heads = _heads(n_heads, kv_heads, queries[1], width)
    found = _keys(keys[1] if keys else queries[1], _shape(node, 3, known), 2, heads, is_packed=not keys)
    window = _integer(node, "local_window_size", -1)
    return {**found, "n_keys": min(int(found["n_keys"]), window)} if found and window > 0 else found


def _axis(node: onnx.NodeProto, known: Tensors) -> Settings:
    """Axis that rows are gathered along, and the place of the one that is, where it is a constant."""
    axis, place = _integer(node, "axis"), _number(node, 1, known)
    span = {} if place is None else _span(node, known, axis, place, place + 1 or _END)
    return span or {"axis": axis}


def _slice(node: onnx.NodeProto, known: Tensors) -> Settings:
    """Axis of a slice along one, and from where to where it goes."""
    begin, end, axis = (_number(node, place, known) for place in (1, 2, 3))
    step = _number(node, 4, known) if len(node.input) > 4 and node.input[4] else 1
    return {} if begin is None or end is None or axis is None or step != 1 else _span(node, known, axis, begin, end)


def _span(node: onnx.NodeProto, known: Tensors, axis: int, begin: int, end: int) -> Settings:
    """What a slice takes along an axis; both as numbers from the beginning."""
    read = _shape(node, 0, known)
    if not read or not -len(read) <= axis < len(read) or known.version < _FIRST_OF_SPLITS:
        return {}
    taken = range(read[axis])[begin:end]
    return {"axis": axis % len(read), "begin": taken.start, "end": taken.stop}


def _number(node: onnx.NodeProto, place: int, known: Tensors) -> int | None:
    """The one number that a constant operand is."""
    value = known.value(node.input[place]) if len(node.input) > place else None
    return int(value.reshape(())) if value is not None and value.size == 1 else None


def _zeros(node: onnx.NodeProto, known: Tensors) -> Settings:
    """Whether the plane alone is padded, with zeros; before version 11 the pads are an attribute."""
    mode = next((item.s.decode() for item in node.attribute if item.name == "mode"), "constant")
    stated = known.value(node.input[1]) if len(node.input) > 1 else None
    pads = [int(pad) for pad in stated.reshape(-1)] if stated is not None else _integers(node, "pads")
    value = known.value(node.input[2]) if len(node.input) > 2 and node.input[2] else None
    is_of_zeros = len(node.input) < 3 or not node.input[2] or (value is not None and not value.any())
    half = len(pads) // 2
    is_of_plane = half > 2 and not any(pads[:2] + pads[half : half + 2]) and min(pads) >= 0
    has_axes = len(node.input) > 3 and bool(node.input[3])
    return {"is_zeros": int(mode == "constant" and is_of_zeros and is_of_plane and not has_axes)}


def _permutation(node: onnx.NodeProto, known: Tensors) -> Settings:
    """Whether a transposition exchanges the last two extents, and these alone."""
    rank = len(_shape(node, 0, known) or ())
    order = _integers(node, "perm") or list(range(rank))[::-1]
    swapped = [*range(rank - 2), rank - 1, rank - 2]
    return {"is_of_matrix": int(rank > 1 and order == swapped)}


def _slope(node: onnx.NodeProto, _known: Tensors) -> Settings:
    """Whether a hard sigmoid is that of a hard swish, whose slope is a sixth and whose middle is a half."""
    stated = {attribute.name: attribute.f for attribute in node.attribute}
    is_of_hard_swish = math.isclose(stated.get("alpha", 0.2), 1 / 6, rel_tol=1e-5) and stated.get("beta", 0.5) == 0.5
    return {"is_of_hard_swish": int(is_of_hard_swish)}


def _constant_operand(node: onnx.NodeProto, known: Tensors) -> Settings:
    """The one number that is an operand of arithmetic, as text of four digits, where its value is known."""
    values = [value for name in node.input if (value := known.number(name)) is not None]
    if len(values) != 1 or values[0].dtype.kind not in "fiu":
        return {}
    return {"number": f"{float(values[0].reshape(())):.4g}"}


def _axis_of_mean(node: onnx.NodeProto, known: Tensors) -> Settings:
    """Whether a mean is along the last extent, and this alone; from version 18 on the axes are an operand."""
    stated = known.value(node.input[1]) if len(node.input) > 1 else None
    axes = _integers(node, "axes") if stated is None else [int(axis) for axis in stated.reshape(-1)]
    return {"is_over_last": 1} if axes in ([-1], [len(_shape(node, 0, known) or ()) - 1]) else {}


def _integers(node: onnx.NodeProto, name: str) -> list[int]:
    return next((list(attribute.ints) for attribute in node.attribute if attribute.name == name), [])


def _row_of_softmax(node: onnx.NodeProto, known: Tensors) -> Settings:
    """Elements that are normalised together: along one axis, or before version 13 along all from it on."""
    read = _shape(node, 0, known)
    is_flat = 0 < known.version < 13
    axis = _integer(node, "axis", 1 if is_flat else -1)
    if not read or not -len(read) <= axis < len(read):
        return {}
    return {"row_length": math.prod(read[axis:]) if is_flat else read[axis]}


def _row_of_norm(node: onnx.NodeProto, known: Tensors) -> Settings:
    """Elements that are normalised together: all from an axis on."""
    read, axis = _shape(node, 0, known), _integer(node, "axis", -1)
    return {"row_length": math.prod(read[axis:])} if read and -len(read) <= axis < len(read) else {}


def _projected_attention(node: onnx.NodeProto, known: Tensors) -> Settings:
    read = _shape(node, 0, known)
    return _keys(read[1] if read else None, _shape(node, 8 if node.op_type == "QAttention" else 4, known), 3)


def _transform(node: onnx.NodeProto, known: Tensors) -> Settings:
    """Length of a discrete Fourier transform: the one stated, or the extent of its axis."""
    read = _shape(node, 0, known)
    stated = known.value(node.input[1]) if len(node.input) > 1 and node.input[1] else None
    axes = known.value(node.input[2]) if len(node.input) > 2 and node.input[2] else None
    if stated is not None and stated.size == 1:
        return {"length": int(stated.reshape(())), "has_parts": 1}
    axis = _integer(node, "axis", -2 if len(node.input) > 2 else 1) if axes is None else int(axes.reshape(()))
    is_there = read is not None and -len(read) <= axis < len(read)
    return {"length": read[axis], "has_parts": 1} if read is not None and is_there else {}


def _frames(node: onnx.NodeProto, known: Tensors) -> Settings:
    """Length of the frames: the one stated, or that of the window."""
    stated = known.value(node.input[3]) if len(node.input) > 3 and node.input[3] else None
    if stated is not None and stated.size == 1:
        return {"length": int(stated.reshape(()))}
    window = _shape(node, 2, known)
    return {"length": window[0]} if window else {}


_RULES: Final[Mapping[tuple[str, str], Callable[[onnx.NodeProto, Tensors], Settings]]] = {
    ("", "Add"): _constant_operand,
    ("", "Attention"): _attention,
    ("", "DFT"): _transform,
    ("", "Div"): _constant_operand,
    ("", "Einsum"): _equation,
    ("", "Gather"): _axis,
    ("", "HardSigmoid"): _slope,
    ("", "Mul"): _constant_operand,
    ("", "Pad"): _zeros,
    ("", "Pow"): _constant_operand,
    ("", "ReduceMean"): _axis_of_mean,
    ("", "Transpose"): _permutation,
    ("", "LayerNormalization"): _row_of_norm,
    ("", "LogSoftmax"): _row_of_softmax,
    ("", "RMSNormalization"): _row_of_norm,
    ("", "SimplifiedLayerNormalization"): _row_of_norm,
    ("", "Softmax"): _row_of_softmax,
    ("", "Slice"): _slice,
    ("", "STFT"): _frames,
    ("com.microsoft", "Attention"): _projected_attention,
    ("com.microsoft", "GatherBlockQuantized"): _packed_table,
    ("com.microsoft", "GroupQueryAttention"): _group_query_attention,
    ("com.microsoft", "LayerNormalization"): _row_of_norm,
    ("com.microsoft", "MatMulBnb4"): _matrix,
    ("com.microsoft", "MatMulFpQ4"): _matrix,
    ("com.microsoft", "MatMulNBits"): _matrix,
    ("com.microsoft", "MultiHeadAttention"): _multi_head_attention,
    ("com.microsoft", "QAttention"): _projected_attention,
    ("com.microsoft", "SimplifiedLayerNormalization"): _row_of_norm,
}
