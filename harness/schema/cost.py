"""Arithmetic cost of kernel configurations: FLOPs, parameters and bytes moved of every row of a table.

Convention: one multiply-accumulate is two FLOPs; batch normalisation folded into a convolution and its
activation cost nothing; padding is "same", so an output extent is the input extent divided by the stride,
rounded up. Energies per FLOP and FLOP splits rest on it. What a kernel of each type costs stands in `kernel_types`.
pyarrow is imported where it is used, because a model file is listed without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from harness.schema.kernel_costs import AT_LEAST_ONE, CostRule, Elementwise, Extent
from harness.schema.kernel_types import KERNEL_TYPES, require_each
from harness.schema.vocabulary import Dtype, StoredDtype

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

Integers = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

_MOST_COUNT = 10**18
"""Absurd extents are counted as this many, not as a number that has overflowed."""

STORED_BITS: Final[Mapping[StoredDtype, int]] = {
    "fp64": 64, "fp32": 32, "fp16": 16, "bf16": 16, "fp8e4m3fn": 8, "fp8e4m3fnuz": 8, "fp8e5m2": 8, "fp8e5m2fnuz": 8,
    "fp8e8m0": 8, "fp4e2m1": 4, "nf4": 4, "int64": 64, "uint64": 64, "int32": 32, "uint32": 32, "int16": 16,
    "uint16": 16, "int8": 8, "uint8": 8, "int4": 4, "uint4": 4, "int2": 2, "uint2": 2, "bool": 8,
}  # fmt: skip
"""Bits of one element as files store it, packed."""
require_each(get_args(StoredDtype), STORED_BITS, "width of a stored data type")

_COMPUTED: Final[Mapping[StoredDtype, Dtype]] = {
    "fp32": "fp32", "fp16": "fp16", "bf16": "bf16", "int16": "int16", "uint16": "int16", "int8": "int8",
    "uint8": "int8", "int4": "int4", "uint4": "int4",
}  # fmt: skip


def dtype_of_stored(stored: StoredDtype | None) -> Dtype:
    """Data type that kernels compute in on elements stored so; `unstated` where there is none.

    >>> dtype_of_stored("uint8"), dtype_of_stored("int64")
    ('int8', 'unstated')
    """
    return "unstated" if stored is None else _COMPUTED.get(stored, "unstated")


DTYPE_BITS = {"fp32": 32, "fp16": 16, "bf16": 16, "int16": 16, "int8": 8, "int4": 4, "mixed": 32, "unstated": 32}
"""Bits of one element; `mixed` and `unstated` are counted at the widest."""

ELEMENTWISE_FLOPS: Final[Mapping[str, int]] = {
    name: kind.cost.flops for name, kind in KERNEL_TYPES.items() if isinstance(kind.cost, Elementwise)
}
"""FLOPs per output element, of the kernel types that give one for each element of their input."""

_COST_RULES: Final[Mapping[str, CostRule]] = {name: kind.cost for name, kind in KERNEL_TYPES.items()}


class Cost(NamedTuple):
    """Cost of kernels, one entry per row.

    Attributes:
        flops: FLOPs of one inference.
        params: trainable parameters.
        bytes_moved: bytes of inputs, outputs and parameters, each moved once; of a table, the rows that are read.
    """

    flops: Integers
    params: Integers
    bytes_moved: Integers


def kernel_cost(table: pa.Table) -> Cost:
    """Cost of every row of a kernel table.

    Args:
        table: the configuration columns of the kernel schema, and `dtype`. A row whose configuration is
            incomplete, or whose kernel type is not in the vocabulary, costs 0; validation reports it. Every type
            of the vocabulary has a cost rule.

    Source:
        Multiply-accumulate counts of convolution and matrix multiplication as in Sze et al., Efficient
        Processing of Deep Neural Networks (2020), chapter 2.
    """
    flops, params, moved = _counts(table)
    dtypes, codes = _words(table.column("dtype"))
    bits = np.array([*(DTYPE_BITS.get(dtype, 0) for dtype in dtypes), 0], dtype=np.int64)[codes]
    counts = (flops, params, moved * bits // 8)
    return Cost(*(np.minimum(count, _MOST_COUNT).astype(np.int64) for count in counts))


def kernel_flops(table: pa.Table) -> Reals:
    """FLOPs alone of every row of a kernel table, as `kernel_cost` counts them."""
    return np.minimum(_counts(table)[0], _MOST_COUNT)


def _counts(table: pa.Table) -> tuple[Reals, Reals, Reals]:
    """FLOPs, parameters, and elements read or written with those of parameters, of every row."""
    # Reals hold whole numbers exactly up to 9e15, and larger ones without overflow.
    flops, params, moved = (np.zeros(table.num_rows) for _ in range(3))
    columns = _Columns(table)
    kernels, codes = _words(table.column("kernel"))
    for code, kernel in enumerate(kernels):
        cost = _COST_RULES.get(kernel)
        if cost is None:
            continue
        rows = np.flatnonzero(codes == code)
        counts = cost(_ChosenRows(columns, rows))
        flops[rows], params[rows] = counts.flops, counts.params
        moved[rows] = counts.elements + (counts.params if counts.params_read is None else counts.params_read)
    return flops, params, moved


class _Columns:
    """Configuration columns as reals, each read from Arrow once and only if a kernel type needs it."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._read: dict[Extent, Reals] = {}

    def __getitem__(self, name: Extent) -> Reals:
        if name not in self._read:
            column = self._table.column(name)
            filled = column.fill_null(0) if column.null_count else column
            values = filled.to_numpy().astype(np.float64)
            self._read[name] = np.maximum(values, 1) if name in AT_LEAST_ONE else values
        return self._read[name]


class _ChosenRows:
    """Columns at chosen rows: the `ExtentColumns` of the rows of one kernel type."""

    def __init__(self, columns: _Columns, rows: Integers) -> None:
        self._columns = columns
        self._rows = rows

    def __getitem__(self, name: Extent) -> Reals:
        chosen: Reals = self._columns[name][self._rows]
        return chosen


def _words(column: pa.ChunkedArray) -> tuple[list[str], Integers]:
    """Distinct words of a column, and the position of every row's word among them; -1 where there is none."""
    import pyarrow as pa

    array = column.unify_dictionaries().combine_chunks()
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    codes: Integers = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return encoded.dictionary.to_pylist(), codes
