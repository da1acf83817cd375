"""Extents that operators of ONNX Runtime's own domain make; the onnx package does not know these operators.

Files that ONNX Runtime writes after its optimisation hold such operators, and no extents between them.

Source:
    ONNX Runtime, contrib operators (com.microsoft): inputs, attributes and outputs of each operator.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import onnx

Shape = tuple[int, ...]
Shapes = Sequence[Shape | None]
"""Extents of each operand: none where it is absent, None where they are unknown."""


TYPED_BY: Final[Mapping[str, int]] = {"GatherBlockQuantized": 2, "MatMulIntegerToFloat": 2, "QAttention": 3}
"""Operators that read integers and make floats, with the place of the scale whose data type these have."""
IN_STANDARD: Final = frozenset({"GroupNormalization", "LayerNormalization", "SimplifiedLayerNormalization"})
"""Operators of the standard domain that ONNX Runtime also runs in versions in which the standard has none.

Source:
    ONNX Runtime, contrib_defs.cc (version 1 of the normalisations in the standard domain, which its optimiser writes);
    ONNX, operators: GroupNormalization is deprecated in version 18 and defined anew in version 21.
"""


def made_by_runtime(node: onnx.NodeProto, shapes: Shapes) -> Shape | None:
    """Extents of the first output of an operator of ONNX Runtime; None where they, or its rule, are unknown.

    Args:
        node: operator of the file.
        shapes: extents of its inputs.

    Raises:
        ValueError: its operands do not fit it.
    """
    rule = _RULES.get(node.op_type)
    if rule is None or not shapes or shapes[0] is None:
        return None
    return rule(node, shapes)


def _integer(node: onnx.NodeProto, name: str, default: int = 0) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == name), default)


def _integers(node: onnx.NodeProto, name: str) -> tuple[int, ...]:
    return next((tuple(attribute.ints) for attribute in node.attribute if attribute.name == name), ())


def _shape(shapes: Shapes, place: int) -> Shape | None:
    return shapes[place] if place < len(shapes) else ()


def _alike(_node: onnx.NodeProto, shapes: Shapes) -> Shape | None:
    return shapes[0]


def _packed_product(node: onnx.NodeProto, shapes: Shapes) -> Shape | None:
    read, columns = shapes[0], _integer(node, "N")
    return (*read[:-1], columns) if read and columns > 0 else None


def _rows(node: onnx.NodeProto, shapes: Shapes) -> Shape | None:
    """Rows of a table, by their places."""
    table, places, axis = shapes[0], _shape(shapes, 1), _integer(node, "gather_axis")
    if not table or places is None or not -len(table) <= axis < len(table):
        return None
    axis %= len(table)
    return (*table[:axis], *places, *table[axis + 1 :])


def _product(node: onnx.NodeProto, shapes: Shapes) -> Shape | None:
    """Matrix product, either side transposed where the operator says so."""
    left, right = shapes[0], _shape(shapes, 1)
    if left is None or right is None or len(left) < 2 or len(right) < 2:
        return None
    if _integer(node, "transA"):
        left = (*left[:-2], left[-1], left[-2])
    if _integer(node, "transB"):
        right = (*right[:-2], right[-1], right[-2])
    if left[-1] != right[-2]:
        raise ValueError(f"{left[-1]} columns, and {right[-2]} rows")
    return (*np.broadcast_shapes(left[:-2], right[:-2]), left[-2], right[-1])


def _projected_attention(node: onnx.NodeProto, shapes: Shapes) -> Shape | None:
    read, weights = shapes[0], _shape(shapes, 1)
    hidden = _integers(node, "qkv_hidden_sizes")
    if read is None or len(read) != 3 or not weights:
        return None
    return (*read[:2], hidden[2] if len(hidden) == 3 else weights[-1] // 3)


def _multi_head_attention(_node: onnx.NodeProto, shapes: Shapes) -> Shape | None:
    """As many rows as the queries, and columns as the values, which may be packed with keys or with all."""
    queries, values = shapes[0], _shape(shapes, 2)
    if queries is None or values is None:
        return None
    if len(queries) == 5:
        return (*queries[:2], queries[2] * queries[4])
    if len(values) == 4:
        return (*queries[:2], values[1] * values[3])
    return (*queries[:2], values[-1]) if len(values) == 3 else queries


def _group_query_attention(node: onnx.NodeProto, shapes: Shapes) -> Shape | None:
    """As the queries; where keys and values are packed behind them, without these."""
    queries, keys = shapes[0], _shape(shapes, 1)
    if queries is None or keys is None or len(queries) != 3:
        return None
    heads, kept = _integer(node, "num_heads"), _integer(node, "kv_num_heads")
    if keys:
        return queries
    return (*queries[:2], queries[2] * heads // (heads + 2 * kept)) if heads > 0 else None


def _recurrent(node: onnx.NodeProto, shapes: Shapes) -> Shape | None:
    read, weights, hidden = shapes[0], _shape(shapes, 1), _integer(node, "hidden_size")
    if read is None or len(read) != 3 or not weights or hidden < 1:
        return None
    return read[0], weights[0], read[1], hidden


_RULES: Final[Mapping[str, Callable[[onnx.NodeProto, Shapes], Shape | None]]] = {
    "Attention": _projected_attention,
    "DynamicQuantizeLSTM": _recurrent,
    "DynamicQuantizeMatMul": _product,
    "FusedMatMul": _product,
    "GatherBlockQuantized": _rows,
    "GroupQueryAttention": _group_query_attention,
    "MatMulBnb4": _packed_product,
    "MatMulFpQ4": _packed_product,
    "MatMulIntegerToFloat": _product,
    "MatMulNBits": _packed_product,
    "MultiHeadAttention": _multi_head_attention,
    "QAttention": _projected_attention,
    "TransposeMatMul": _product,
    **dict.fromkeys(
        (
            "BiasGelu",
            "FastGelu",
            "Gelu",
            "GroupNorm",
            "GroupNormalization",
            "LayerNormalization",
            "QuickGelu",
            "RotaryEmbedding",
            "SimplifiedLayerNormalization",
            "SkipLayerNormalization",
            "SkipSimplifiedLayerNormalization",
        ),
        _alike,
    ),
}
