"""Arithmetic cost of a kernel configuration: FLOPs, parameters and bytes moved.

Convention: one multiply-accumulate is two FLOPs; batch normalisation folded into a convolution and its
activation cost nothing; padding is "same", so an output extent is the input extent divided by the stride,
rounded up. Energies per FLOP and FLOP splits rest on it.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.schema.vocabulary import KERNEL_REQUIRES

Extents = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

_MOST_COUNT = 10**18
"""Absurd extents are counted as this many, not as a number that has overflowed."""

DTYPE_BITS = {"fp32": 32, "fp16": 16, "bf16": 16, "int16": 16, "int8": 8, "int4": 4, "mixed": 32, "unstated": 32}
"""Bits of one element; `mixed` and `unstated` are counted at the widest."""

_SE_REDUCTION = 4
ELEMENTWISE_FLOPS = {
    "relu": 1,
    "bn": 2,
    "bnrelu": 3,
    "hswish": 4,
    "add": 1,
    "addrelu": 2,
    "concat": 0,
    "split": 0,
    "channelshuffle": 0,
}
"""FLOPs per output element: bn scales and shifts, hswish is x * clip(x + 3, 0, 6) / 6."""


class Cost(NamedTuple):
    """Cost of kernels, one entry a row.

    Attributes:
        flops: FLOP of one inference.
        params: trainable parameters.
        bytes_moved: bytes of inputs, outputs and parameters, each moved once.
    """

    flops: Extents
    params: Extents
    bytes_moved: Extents


def kernel_cost(table: pa.Table) -> Cost:
    """Cost of every row of a kernel table.

    Args:
        table: the configuration columns of the kernel schema, and `dtype`. A row whose configuration is
            incomplete, or whose kernel is unknown, costs 0; validation reports it.

    Source:
        Multiply-accumulate counts of convolution and matrix multiplication as in Sze et al., Efficient
        Processing of Deep Neural Networks (2020), chapter 2.
    """
    flops, params, elements = _counts(table)
    dtypes, codes = _words(table.column("dtype"))
    bits = np.array([*(DTYPE_BITS.get(dtype, 0) for dtype in dtypes), 0], dtype=np.int64)[codes]
    counts = (flops, params, (elements + params) * bits // 8)
    return Cost(*(np.minimum(count, _MOST_COUNT).astype(np.int64) for count in counts))


def kernel_flops(table: pa.Table) -> Reals:
    """FLOPs alone of every row of a kernel table, as `kernel_cost` counts them."""
    return np.minimum(_counts(table)[0], _MOST_COUNT)


def _counts(table: pa.Table) -> tuple[Reals, Reals, Reals]:
    """FLOPs, parameters, and elements read or written, of every row."""
    # Reals hold whole numbers exactly up to 9e15, and larger ones without overflow.
    flops, params, elements = (np.zeros(table.num_rows) for _ in range(3))
    columns = _Columns(table)
    kernels, codes = _words(table.column("kernel"))
    for code, kernel in enumerate(kernels):
        if kernel not in KERNEL_REQUIRES:
            continue
        rows = np.flatnonzero(codes == code)
        of_kernel = _cost_of(kernel, _Chosen(columns, rows))
        for total, part in zip((flops, params, elements), of_kernel, strict=True):
            total[rows] = part
    return flops, params, elements


class _Columns:
    """Configuration columns as reals, each taken from Arrow once and only if a kernel type needs it."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._taken: dict[str, Reals] = {}

    def __getitem__(self, name: str) -> Reals:
        if name not in self._taken:
            column = self._table.column(name)
            # An absent extent counts as 0.
            filled = column.fill_null(0) if column.null_count else column
            self._taken[name] = filled.to_numpy().astype(np.float64)
        return self._taken[name]


class _Chosen:
    """Columns at chosen rows."""

    def __init__(self, columns: _Columns, rows: Extents) -> None:
        self._columns = columns
        self._rows = rows

    def __getitem__(self, name: str) -> Reals:
        chosen: Reals = self._columns[name][self._rows]
        return chosen


def _words(column: pa.ChunkedArray) -> tuple[list[str], Extents]:
    """Distinct words of a column, and the position of every row's word among them; -1 where there is none."""
    array = column.unify_dictionaries().combine_chunks()
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    codes: Extents = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return encoded.dictionary.to_pylist(), codes


def _cost_of(kernel: str, f: _Chosen) -> tuple[Reals, Reals, Reals]:
    """FLOPs, parameters, and elements read or written, of rows of one kernel type."""
    h, w, cin = f["input_h"], f["input_w"], f["cin"]
    if kernel == "fc":
        macs = cin * f["cout"]
        return 2 * macs, macs + f["cout"], cin + f["cout"]
    inputs = h * w * cin
    if kernel in ELEMENTWISE_FLOPS:
        return _elementwise(kernel, inputs, f)
    if kernel == "global-avgpool":
        return inputs, np.zeros_like(cin), inputs + cin
    if kernel == "se":
        squeezed = np.maximum(cin // _SE_REDUCTION, 1)
        return 2 * inputs + 4 * cin * squeezed, 2 * cin * squeezed + cin + squeezed, 2 * inputs
    window = f["kernel_h"] * f["kernel_w"]
    positions = np.ceil(h / np.maximum(f["stride_h"], 1)) * np.ceil(w / np.maximum(f["stride_w"], 1))
    if kernel in ("avgpool", "maxpool"):
        return positions * cin * window, np.zeros_like(cin), inputs + positions * cin
    if kernel == "dwconv-bn-relu":
        cout = np.where(f["cout"] > 0, f["cout"], cin)
        weights = window * cout
    else:
        cout = f["cout"]
        weights = window * (cin // np.maximum(f["groups"], 1)) * cout
    return 2 * positions * weights, weights + cout, inputs + positions * cout


def _elementwise(kernel: str, inputs: Reals, f: _Chosen) -> tuple[Reals, Reals, Reals]:
    n_inputs = 1
    if kernel == "concat":
        inputs = f["input_h"] * f["input_w"] * (f["cin"] + f["cin2"] + f["cin3"] + f["cin4"])
    elif kernel.startswith("add"):
        n_inputs = 2
    params = 2 * f["cin"] if kernel.startswith("bn") else np.zeros_like(inputs)
    return ELEMENTWISE_FLOPS[kernel] * inputs, params, (n_inputs + 1) * inputs
