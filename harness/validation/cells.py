"""Column checks: every cell against the bounds that the schema declares, vectorised on Arrow.

It knows no bound of its own; relations between columns are in the rules of rows.
"""

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.issues import nearest
from harness.schema.columns import Column
from harness.schema.quantity import Quantity
from harness.schema.vocabulary import plain_word, same_word
from harness.validation.faults import Faults
from harness.validation.table import IDENTIFIER, RowTable

LIST_SEPARATOR = ";"

Rows = npt.NDArray[np.int64]


def check_cells(rows: RowTable, faults: Faults) -> None:
    """Report every cell that breaks its column's bounds, and every required cell that is empty."""
    for name, column in rows.columns.items():
        if name not in rows.names:
            continue
        values = rows.table.column(name)
        if column.is_required and values.null_count:
            _report_empty(rows, column, values, faults)
        if column.python_type in (int, float):
            _check_numbers(rows, column, values, faults)
        elif column.python_type is str:
            _check_words(rows, column, values, faults)


def _report_empty(rows: RowTable, column: Column, values: pa.ChunkedArray, faults: Faults) -> None:
    untyped = rows.untyped.get(column.name, set())
    for row in _rows_where(pc.is_null(values)):
        if row not in untyped:
            given = rows.given(column.name)
            fix = f"Fill in the cell: {given.quantity.sentence}"
            rows.report(faults, "value-missing", row, column.name, expected=given.expected, fix=fix)


def _rows_where(mask: pa.ChunkedArray) -> Iterator[int]:
    indices: Rows = np.flatnonzero(mask.fill_null(False).to_numpy())
    return map(int, indices)


def _check_numbers(rows: RowTable, column: Column, values: pa.ChunkedArray, faults: Faults) -> None:
    quantity = column.quantity
    extremes = pc.min_max(values).as_py()
    if extremes["min"] is None or (_admits(quantity, extremes["min"]) and _admits(quantity, extremes["max"])):
        return
    outside = pa.chunked_array([pa.repeat(False, len(values))])
    for bound, breaks in ((quantity.gt, pc.less_equal), (quantity.ge, pc.less), (quantity.le, pc.greater)):
        if bound is not None:
            outside = pc.or_kleene(outside, breaks(values, pa.scalar(bound, values.type)))
    for row in _rows_where(outside):
        rows.report(faults, quantity.rule, row, column.name, expected=column.expected, fix=quantity.fix)


def _admits(quantity: Quantity, value: float) -> bool:
    return (
        (quantity.gt is None or value > quantity.gt)
        and (quantity.ge is None or value >= quantity.ge)
        and (quantity.le is None or value <= quantity.le)
    )


def _check_words(rows: RowTable, column: Column, values: pa.ChunkedArray, faults: Faults) -> None:
    if column.name == IDENTIFIER:
        faulty = _faulty_identifiers(column.quantity, values)
        for row in faulty:
            quantity = column.quantity
            rows.report(faults, quantity.rule, row, column.name, expected=column.expected, fix=quantity.fix)
        return
    for chunk_start, chunk in _chunks(values):
        words = chunk.dictionary.to_pylist()
        faulty_codes = [code for code, word in enumerate(words) if not _admits_word(column, word)]
        if not faulty_codes:
            continue
        mask = pc.is_in(chunk.indices, value_set=pa.array(faulty_codes, chunk.indices.type))
        for row in _rows_where(pa.chunked_array([mask])):
            word = words[chunk.indices[row].as_py()]
            _report_word(rows, column, chunk_start + row, word, faults)


def _faulty_identifiers(quantity: Quantity, values: pa.ChunkedArray) -> list[int]:
    fits = pc.and_(
        pc.match_substring_regex(values, quantity.pattern),
        pc.less_equal(pc.utf8_length(values), quantity.max_length),
    )
    return [] if pc.all(fits).as_py() is not False else list(_rows_where(pc.invert(fits)))


def _chunks(values: pa.ChunkedArray) -> Iterator[tuple[int, pa.DictionaryArray]]:
    start = 0
    for chunk in values.chunks:
        if pa.types.is_dictionary(chunk.type):
            yield start, chunk
        start += len(chunk)


def _admits_word(column: Column, word: str) -> bool:
    if column.choices:
        return word in column.choices
    quantity = column.element or column.quantity
    parts = word.split(LIST_SEPARATOR) if column.is_list else [word]
    return all(
        (quantity.pattern is None or re.fullmatch(quantity.pattern, part) is not None)
        and (quantity.max_length is None or len(part) <= quantity.max_length)
        for part in parts
    )


def _report_word(rows: RowTable, column: Column, row: int, word: str, faults: Faults) -> None:
    same = same_word(word, column.choices)
    near = nearest(word.lower(), list(column.choices))
    fix = column.quantity.fix
    if same is not None:
        fix = f"Write {same}." if plain_word(same) == plain_word(word) else f"Did you mean {same}? {fix}"
    elif near is not None:
        # Names that look alike may mean something else, such as conv and concat.
        fix = f"Did you mean {near}? {fix}"
    rows.report(faults, column.quantity.rule, row, column.name, expected=column.expected, fix=fix)
