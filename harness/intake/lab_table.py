"""A laboratory's own table as a header and rows: compression, encoding, separator, lines that are no rows.

The header is found by the columns that a mapping names. No cell is interpreted here.
"""

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.budget import MOST_SOURCE_BYTES, MOST_SOURCE_LINES
from harness.traces.blocks import opened
from harness.traces.trace import TraceFormatError
from harness.validation.faults import Faults
from harness.validation.header import is_split
from harness.validation.table import QuoteError, numbered_rows
from harness.validation.text import (
    checked_bytes,
    report_long_lines,
    report_many_lines,
    report_size,
    report_unreadable,
)

_SEPARATORS: Final = (",", ";", "\t", "|")
_MOST_BEFORE: Final = 50
"""Rows among which the header is looked for."""
_COMMENT: Final = "#"
_DIRECTIVE: Final = "sep="
"""Line by which spreadsheets state the separator."""

Lines = list[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class LabTable:
    """Header and rows of a table.

    Attributes:
        line: line of the header.
        names: its cells, without the empty ones at its end.
        rows: line and cells of every row.
        separator: what separates cells.
    """

    line: int
    names: Sequence[str]
    rows: Lines
    separator: str


def one_spaced(name: str) -> str:
    """Name of a column with single spaces, also where a spreadsheet broke its line.

    >>> one_spaced(" Energy\\n(uJ)")
    'Energy (uJ)'
    """
    return " ".join(name.split())


def is_comment(cells: Sequence[str]) -> bool:
    """Whether a line begins as comments do."""
    return cells[0].lstrip().startswith(_COMMENT)


def read_lab_table(source: Path, wanted: Collection[str], shown: str, faults: Faults) -> LabTable | None:
    """Table in a file; None where it is none.

    Args:
        source: the file, perhaps compressed by gzip; UTF-8, or UTF-16 with a byte order mark.
        wanted: columns that it should have.
        shown: its name in messages.
        faults: collects what is wrong.
    """
    data = _text_bytes(source, shown, faults)
    if (
        data is None
        or report_many_lines(data, shown, faults, MOST_SOURCE_LINES)
        or report_long_lines(data, shown, faults)
    ):
        return None
    separator, place = _header_of(data, wanted)
    try:
        lines = list(numbered_rows(data, separator))
    except QuoteError as error:
        error.report(shown, faults)
        return None
    fix = "Look whether the run recorded anything, and export the table again."
    if not lines:
        faults.add("file-empty", shown, found="no line", expected="a header and rows", fix=fix)
        return None
    line, header = lines[place]
    if not is_split(header, shown, faults):
        return None
    names = [one_spaced(name) for name in header]
    while names and not names[-1]:
        names.pop()
    rows = list(_rows(lines[place + 1 :], names))
    if not rows:
        found = "a header without rows"
        faults.add("header-only", shown, line=line, found=found, expected="at least one row", fix=fix)
    return LabTable(line, names, rows, separator)


def _text_bytes(source: Path, shown: str, faults: Faults) -> bytes | None:
    """Text of a file in UTF-8; None where it cannot be read as text."""
    try:
        with opened(source) as file:
            data = file.read(MOST_SOURCE_BYTES + 1)
    except OSError as error:
        report_unreadable(shown, error, faults)
        return None
    except TraceFormatError as error:
        fault = error.fault
        faults.add("foreign-file", shown, found=fault.found, expected=fault.expected, fix=fault.fix)
        return None
    if len(data) > MOST_SOURCE_BYTES:
        report_size(shown, f"more than {MOST_SOURCE_BYTES} bytes", MOST_SOURCE_BYTES, faults)
        return None
    return checked_bytes(data, shown, faults)


def _header_of(data: bytes, wanted: Collection[str]) -> tuple[str, int]:
    """Separator of a table, and the place of its header among the rows: where most of the wanted columns stand."""
    best, n_best = (_SEPARATORS[0], 0), -1
    for separator in _SEPARATORS:
        for place, cells in enumerate(_first_rows(data, separator)):
            n_found = len({one_spaced(cell) for cell in cells} & set(wanted))
            is_aside = is_comment(cells) or cells[0].lower().startswith(_DIRECTIVE)
            if n_found > n_best and not (is_aside and n_found == 0):
                best, n_best = (separator, place), n_found
    return best


def _first_rows(data: bytes, separator: str) -> Iterator[list[str]]:
    rows = itertools.islice(numbered_rows(data, separator), _MOST_BEFORE)
    while True:
        try:
            yield next(rows)[1]
        except (StopIteration, QuoteError):
            # A quote that another separator leaves open is reported when the table is read.
            return


def _rows(lines: Lines, names: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Rows below the header, without blank ones, comments, headers again and empty cells at their ends."""
    for line, given in lines:
        cells = list(given)
        while len(cells) > len(names) and not cells[-1].strip():
            cells.pop()
        is_blank = not any(cell.strip() for cell in cells)
        is_header = [one_spaced(cell) for cell in cells] == list(names)
        if not (is_blank or is_header or (is_comment(cells) and len(cells) != len(names))):
            yield line, cells
