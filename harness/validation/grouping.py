"""Rows that agree in several columns, found by hashing whole columns at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Codes = npt.NDArray[np.uint64]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def group_codes(table: pa.Table, names: Sequence[str]) -> Codes:
    """One 64-bit code per row; rows agree in the named columns where their codes agree.

    A code is a polynomial of the row's integers, words standing for their place in the column's dictionary.
    Different rows share one with a probability of about n² / 2⁶⁵, one in a billion for 200,000 rows.
    """
    codes: Codes = np.zeros(table.num_rows, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for name in names:
            column = table.column(name)
            if column.null_count == table.num_rows:
                continue
            codes *= _MULTIPLIER
            codes += _integers(column)
    return codes


def _integers(column: pa.ChunkedArray) -> Codes:
    """Column as integers: itself where it is one, otherwise positions in its dictionary; nulls are all ones."""
    if pa.types.is_dictionary(column.type) or pa.types.is_string(column.type):
        array = column.combine_chunks()
        encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        values = pa.chunked_array([encoded.indices])
    else:
        values = column
    integers = pc.fill_null(values.cast(pa.int64()), -1)
    codes: Codes = integers.to_numpy().view(np.uint64)
    return codes


def repeated_groups(codes: Codes) -> list[list[int]]:
    """Row numbers of every group of at least two rows, in order of their first row."""
    in_order = np.sort(codes)
    if not (in_order[1:] == in_order[:-1]).any():
        # Sorting values is several times faster than sorting positions, and most files repeat nothing.
        return []
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    is_repeat = ordered[1:] == ordered[:-1]
    groups = np.split(order, np.flatnonzero(~is_repeat) + 1)
    return sorted([int(row) for row in group] for group in groups if len(group) > 1)
