"""CSV bytes to a typed Arrow table that knows its lines; cells that cannot be typed are reported and left null.

Files without quotes and without faulty cells are read by Arrow alone. Every other file is read cell by cell,
so that each fault has its line; both ways give the same table. Bounds are checked elsewhere.
"""

import csv
import io
import itertools
import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from harness.budget import MOST_LINE_BYTES
from harness.errors import DeepenError
from harness.schema.columns import Column
from harness.schema.older_columns import ENERGY_KIND, IDLE_SUBTRACTED, KINDS, is_older
from harness.validation.faults import Faults
from harness.validation.numerals import NumberFault, number_of
from harness.validation.text import line_starts

IDENTIFIER = "source_id"
"""The one text column whose values differ from row to row; all others repeat and are dictionary-encoded."""

_QUOTES = {
    "end of data": "a quote that is never closed",
    "field limit": f"a quote that is not closed within {MOST_LINE_BYTES} characters",
}
"""Words for the problems of the parser."""
_TRUE = ("true", "True", "TRUE")
_FALSE = ("false", "False", "FALSE")
_MOST_ROWS_AT_ONCE = 20_000
_BLOCK_BYTES = 1 << 22
"""Few large chunks: every check pays per chunk, and reading does not care."""


class QuoteError(DeepenError):
    """Quotes of a CSV file do not pair, so that nothing after `line` can be split into cells."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line

    def report(self, shown: str, faults: Faults) -> None:
        """Report the row that the quote belongs to."""
        faults.add(
            "csv-quote",
            shown,
            line=self.line,
            found=str(self),
            expected="every quoted cell closed, with inner quotes doubled",
            fix="Close the quote, or export the file again.",
        )


class TableSource:
    """Rows of a CSV file as text, found again only when a message needs a line or a cell; the rows are not kept.

    Args:
        data: the file.
        lines: line on which every row of the table begins, where they are known already.
    """

    def __init__(self, data: bytes, lines: Sequence[int] | None = None) -> None:
        self._data = data
        self._given = lines

    @cached_property
    def _lines(self) -> Sequence[int]:
        return array("q", (line for line, _ in numbered_rows(self._data)))[1:] if self._given is None else self._given

    @cached_property
    def _starts(self) -> Sequence[int]:
        return line_starts(self._data)

    def line(self, row: int) -> int:
        """Line on which a data row begins, counted from 1."""
        return self._lines[row]

    def cell(self, row: int, position: int) -> str:
        """Cell of a data row, stripped."""
        return next(csv.reader(self._from_line(self._lines[row]), strict=True))[position].strip()

    def _from_line(self, line: int) -> Iterator[str]:
        """Lines of the file from one on, with their ends."""
        starts = self._starts
        for number in range(line, len(starts) + 1):
            end = starts[number] if number < len(starts) else len(self._data)
            yield self._data[starts[number - 1] : end].decode("utf-8")


@dataclass(slots=True)
class RowTable:
    """Rows of one CSV file.

    Attributes:
        shown: file name in messages.
        columns: columns of the level's row model.
        names: columns that the file has.
        table: one row per data row, all columns of the model; text is dictionary-encoded, lists are still text.
        untyped: rows per column whose cell could not be typed; it is null in `table`.
        source: how to find a row's line and text again.
        n_misfits: rows of another width than the header, which are not in `table`.
        older: columns that the file has under an older name, by the name of today, which `names` has for them.
    """

    shown: str
    columns: Mapping[str, Column]
    names: Sequence[str]
    table: pa.Table
    untyped: Mapping[str, set[int]]
    source: TableSource
    n_misfits: int = 0
    older: Mapping[str, Column] = field(default_factory=dict)

    def line(self, row: int) -> int:
        """Line of the file on which a row begins, counted from 1."""
        return self.source.line(row)

    def text(self, row: int, name: str) -> str:
        """Cell as it stands in the file; empty where the file does not have the column."""
        if name not in self.names:
            return ""
        return self.source.cell(row, self.names.index(name))

    def report(self, faults: Faults, rule: str, row: int, column: str, **words: Any) -> None:
        """Report a fault of one cell; `found` is the cell's own text unless given."""
        if not faults.is_listed(rule, self.shown):
            # It is counted, and nobody reads where it is.
            faults.add(rule, self.shown, **{"found": "", **words})
            return
        words.setdefault("found", self.text(row, column) or "nothing")
        faults.add(rule, self.shown, line=self.line(row), column=self.given(column).name, **words)

    def given(self, name: str) -> Column:
        """Column as the file has it, which may be under an older name."""
        return self.older.get(name, self.columns[name])


def numbered_rows(data: bytes, separator: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Rows of a CSV file with the line each begins on; empty lines are passed over.

    Args:
        data: the file.
        separator: what separates cells.

    Raises:
        QuoteError: a quote is not closed, or not before a megabyte.
    """
    csv.field_size_limit(MOST_LINE_BYTES)
    reader = csv.reader(
        io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline=""), delimiter=separator, strict=True
    )
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        reason = next((words for part, words in _QUOTES.items() if part in str(error)), "text after a closing quote")
        raise QuoteError(line, reason) from error


def report_width(n_cells: int, n_names: int, line: int, shown: str, faults: Faults) -> None:
    """Report a row that has not as many cells as the header."""
    faults.add(
        "row-width",
        shown,
        line=line,
        found=f"{n_cells} cells",
        expected=f"{n_names} cells, as in the header",
        fix="Write decimals with a point, quote text that holds a comma, and leave out no cell.",
    )


def arrow_type(column: Column) -> pa.DataType:
    """Type of a column while it is checked."""
    if column.python_type is str:
        return pa.string() if column.name == IDENTIFIER else pa.dictionary(pa.int32(), pa.string())
    return column.arrow_type


def header_of(data: bytes) -> list[str]:
    """Stripped cells of the first line that is not empty; none where the file has no line.

    Raises:
        QuoteError: a quote is not closed.
    """
    for _, cells in numbered_rows(data if b'"' in data else data.lstrip(b"\r\n").split(b"\n", 1)[0]):
        return [cell.strip() for cell in cells]
    return []


def read_table(
    data: bytes, names: Sequence[str], columns: Mapping[str, Column], shown: str, faults: Faults
) -> RowTable | None:
    """Typed rows of a CSV file, or None where it cannot be split into cells.

    Args:
        data: the file, known to be UTF-8 without NUL bytes and without overlong lines.
        names: its header; unknown and repeated names are passed over.
        columns: columns of the level's row model; a file may have one of them under an older name.
        shown: file name in messages.
        faults: collects cells that cannot be typed and rows of the wrong width.
    """
    if not is_older(names):
        return _read_table(data, names, columns, shown, faults)
    given = {(IDLE_SUBTRACTED if name == ENERGY_KIND else column).name: column for name, column in columns.items()}
    rows = _read_table(data, names, given | {IDLE_SUBTRACTED.name: IDLE_SUBTRACTED}, shown, faults)
    return None if rows is None else _with_kinds(rows, columns)


def _with_kinds(rows: RowTable, columns: Mapping[str, Column]) -> RowTable:
    """Rows whose older column of truth values is the kinds of energy that these state."""
    older = IDLE_SUBTRACTED.name
    values, words = rows.table.column(older), pa.array([KINDS["false"], KINDS["true"]])
    kinds = [pa.DictionaryArray.from_arrays(chunk.cast(pa.int32()), words) for chunk in values.chunks]
    kind = pa.chunked_array(kinds, arrow_type(columns[ENERGY_KIND]))
    return replace(
        rows,
        columns=columns,
        names=[ENERGY_KIND if name == older else name for name in rows.names],
        table=rows.table.set_column(rows.table.column_names.index(older), ENERGY_KIND, kind),
        untyped={ENERGY_KIND if name == older else name: cells for name, cells in rows.untyped.items()},
        older={ENERGY_KIND: IDLE_SUBTRACTED},
    )


def _read_table(
    data: bytes, names: Sequence[str], columns: Mapping[str, Column], shown: str, faults: Faults
) -> RowTable | None:
    table = None if b'"' in data else _read_with_arrow(data, names, columns)
    if table is not None:
        return RowTable(shown, columns, names, _complete(table, columns), {}, TableSource(data))
    own = Faults(keeps_all=faults.keeps_all)
    try:
        rows = _read_cells(data, names, columns, shown, own)
    except QuoteError as error:
        # What stands before the quote is read wrongly as well.
        error.report(shown, faults)
        return None
    faults.join(own)
    return rows


def _read_with_arrow(data: bytes, names: Sequence[str], columns: Mapping[str, Column]) -> pa.Table | None:
    """Typed table of a file without quotes, or None where any cell or row does not fit, or is read otherwise."""
    wanted = [name for name in names if name in columns]
    if len(set(names)) != len(names) or data.startswith((b"\r", b"\n")) or _has_hexadecimals(data):
        return None
    try:
        table = pa.csv.read_csv(
            pa.py_buffer(data),
            read_options=pa.csv.ReadOptions(column_names=list(names), skip_rows=1, block_size=_BLOCK_BYTES),
            parse_options=pa.csv.ParseOptions(quote_char=False, newlines_in_values=False),
            convert_options=pa.csv.ConvertOptions(
                column_types={name: arrow_type(columns[name]) for name in wanted},
                include_columns=wanted,
                null_values=[""],
                true_values=list(_TRUE),
                false_values=list(_FALSE),
                strings_can_be_null=True,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid:
        # Arrow names one fault at most; the reading by cells finds them all.
        return None
    # Without blanks in the file there are none around a word; to look for them first is fast.
    may_have_space = b" " in data or b"\t" in data or not data.isascii()
    is_plain = all(_is_plain(values, may_have_space) for values in table.columns)
    return table.unify_dictionaries() if is_plain else None


def _has_hexadecimals(data: bytes) -> bool:
    """Whether there may be a 0x10, which Arrow takes for sixteen; to look for one byte first is fast."""
    return (b"x" in data and b"0x" in data) or (b"X" in data and b"0X" in data)


def _is_plain(values: pa.ChunkedArray, may_have_space: bool) -> bool:
    """Whether the reading by cells would give the same: words without space around them, and finite numbers."""
    if pa.types.is_floating(values.type):
        # One sum shows whether all are finite.
        return math.isfinite(pc.sum(values).as_py() or 0.0)
    if not may_have_space:
        return True
    if pa.types.is_string(values.type):
        trimmed = pc.equal(values, pc.utf8_trim_whitespace(values))
        return pc.all(trimmed).as_py() is not False
    if pa.types.is_dictionary(values.type):
        return all(word == word.strip() for chunk in values.chunks for word in chunk.dictionary.to_pylist())
    return True


def _complete(table: pa.Table, columns: Mapping[str, Column]) -> pa.Table:
    """Table with every column of the model; absent ones are null or hold their default."""
    arrays = []
    for column in columns.values():
        if column.name in table.column_names:
            array = table.column(column.name)
        else:
            array = pa.chunked_array([pa.nulls(table.num_rows, arrow_type(column))])
        if column.default is not None and array.null_count:
            array = array.fill_null(column.default)
        arrays.append(array)
    return pa.table(arrays, names=list(columns))


def _read_cells(
    data: bytes, names: Sequence[str], columns: Mapping[str, Column], shown: str, faults: Faults
) -> RowTable:
    """Table of a file whose cells are typed one by one, some rows at a time.

    Raises:
        QuoteError: a quote is not closed.
    """
    wanted = {name: position for position, name in reversed(list(enumerate(names))) if name in columns}
    untyped: dict[str, set[int]] = {name: set() for name in wanted}
    parts: dict[str, list[pa.Array]] = {name: [] for name in wanted}
    lines = array("q")
    n_misfits = 0
    rows = itertools.islice(numbered_rows(data), 1, None)
    while some := list(itertools.islice(rows, _MOST_ROWS_AT_ONCE)):
        fitting = [(line, cells) for line, cells in some if len(cells) == len(names)]
        for line, cells in some:
            if len(cells) != len(names):
                report_width(len(cells), len(names), line, shown, faults)
        for name, position in wanted.items():
            values = [_typed(cells[position].strip(), columns[name], shown, line, faults) for line, cells in fitting]
            untyped[name].update(len(lines) + row for row, value in enumerate(values) if value is _UNTYPED)
            typed = [None if value is _UNTYPED else value for value in values]
            parts[name].append(pa.array(typed, arrow_type(columns[name])))
        lines.extend(line for line, _ in fitting)
        n_misfits += len(some) - len(fitting)
    arrays = {name: pa.chunked_array(parts[name], arrow_type(columns[name])) for name in wanted}
    table = pa.table(arrays) if arrays else pa.table({"": pa.nulls(len(lines))})
    # Rows of another width are not in the table, so its source leaves them out as well.
    source = TableSource(data, lines)
    return RowTable(shown, columns, names, _complete(table.unify_dictionaries(), columns), untyped, source, n_misfits)


_UNTYPED: Any = object()


def _typed(cell: str, column: Column, shown: str, line: int, faults: Faults) -> Any:
    """Value of a cell; None where it is empty, `_UNTYPED` where it was reported."""
    if not cell or (column.python_type is str):
        return cell or None
    if column.python_type is bool:
        if cell in _TRUE or cell in _FALSE:
            return cell in _TRUE
        faults.add(
            "boolean", shown, line=line, column=column.name, found=cell, expected="true or false",
            fix=column.quantity.fix,
        )  # fmt: skip
        return _UNTYPED
    value = number_of(cell, column)
    if isinstance(value, NumberFault):
        faults.add(
            value.rule, shown, line=line, column=column.name, found=cell, expected=value.expected, fix=value.fix
        )  # fmt: skip
        return _UNTYPED
    return value
