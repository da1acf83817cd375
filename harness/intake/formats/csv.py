"""Any CSV table, with a mapping file from its columns to those of the schema.

Cells are renamed, reworded and brought into the schema's units; nothing is computed from several of them.
"""

from collections import Counter
from collections.abc import Mapping as Named
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from harness.budget import MOST_SOURCE_BYTES, MOST_SOURCE_LINES
from harness.errors import UsageError
from harness.intake.foreign import ForeignRow, ForeignSourceError, ForeignTable, IntakeFormat, IntakeOptions
from harness.intake.mapping import ColumnMapping, Mapping, read_mapping
from harness.intake.names import question
from harness.intake.scaling import scaled, unit_factor
from harness.schema.columns import columns_of
from harness.schema.records import ROWS
from harness.validation.faults import Faults
from harness.validation.header import is_split
from harness.validation.table import IDENTIFIER, QuoteError, numbered_rows, report_width
from harness.validation.text import read_bytes, report_long_lines, report_many_lines

_Lines = list[tuple[int, list[str]]]


def _read(source: Path, options: IntakeOptions) -> ForeignTable:
    mapping = read_mapping(options.mapping)
    if not source.is_file():
        raise UsageError(f"{source.as_posix()} is no file")
    faults, shown = Faults(), source.as_posix()
    lines = _lines(source, shown, faults)
    names = [name.strip() for name in lines[0][1]] if lines else []
    if not faults.issues:
        for column, wanted in mapping.columns.items():
            if wanted.origin is not None:
                _check_origin(column, wanted.origin, names, shown, faults)
    if faults.issues:
        raise ForeignSourceError(faults.issues)
    device, labels = mapping.device, _labels(names)
    return ForeignTable(
        level=mapping.level,
        rows=[_row(line, cells, labels, mapping, shown) for line, cells in lines[1:]],
        submission=mapping.submission.model_dump(mode="json", exclude_unset=True),
        device=None if device is None else device.model_dump(mode="json", exclude_unset=True),
    )


def _lines(source: Path, shown: str, faults: Faults) -> _Lines:
    """Header and rows, each with the line it begins on; none where the file cannot be split into cells."""
    data = read_bytes(source, shown, MOST_SOURCE_BYTES, faults)
    if (
        data is None
        or report_many_lines(data, shown, faults, MOST_SOURCE_LINES)
        or report_long_lines(data, shown, faults)
    ):
        return []
    try:
        lines = list(numbered_rows(data))
    except QuoteError as error:
        error.report(shown, faults)
        return []
    fix = "Export the table again."
    if not lines:
        faults.add("file-empty", shown, found="no line", expected="a header and rows", fix=fix)
    elif is_split(lines[0][1], shown, faults) and len(lines) == 1:
        found = "a header without rows"
        faults.add("header-only", shown, line=1, found=found, expected="at least one row", fix=fix)
    return lines


def _check_origin(column: str, origin: str, names: Sequence[str], shown: str, faults: Faults) -> None:
    """Report a column that a mapping names and the table does not have, or has twice."""
    if names.count(origin) == 1:
        return
    known = [name or "(no name)" for name in names]
    fix = question(origin, known, "Correct from in the mapping.")
    faults.add(
        "header-duplicate" if origin in names else "header-missing",
        shown,
        line=1,
        column=origin,
        found=f"{names.count(origin)} such columns, from which {column} is to come",
        is_value=False,
        expected="one of " + ", ".join(known) if origin not in names else "one column of this name",
        fix=fix if origin not in names else "Rename or remove one of the two.",
    )


def _labels(names: Sequence[str]) -> list[str]:
    """Columns of a table under names of their own; no mapping names one that stands twice."""
    counts = Counter(names)
    return [
        name if counts[name] == 1 else f"{name} (column {position})" for position, name in enumerate(names, start=1)
    ]


def _row(line: int, cells: Sequence[str], names: Sequence[str], mapping: Mapping, shown: str) -> ForeignRow:
    place = f"line {line}"
    printed = {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
    if len(cells) != len(names):
        faults = Faults()
        report_width(len(cells), len(names), line, shown, faults)
        surplus = {f"column {position + 1}": cells[position].strip() for position in range(len(names), len(cells))}
        return ForeignRow(place, place, {}, printed | surplus, tuple(faults.issues))
    given = {column: _cell(column, wanted, printed, mapping) for column, wanted in mapping.columns.items()}
    return ForeignRow(given.pop(IDENTIFIER, "") or place, place, given, printed)


def _cell(column: str, wanted: ColumnMapping, printed: Named[str, str], mapping: Mapping) -> str:
    """Cell of a column of the schema: a constant, or the table's cell, reworded and in the schema's unit."""
    if wanted.origin is None:
        return wanted.value or ""
    text = printed[wanted.origin]
    if wanted.words is not None:
        text = wanted.words.get(text, text)
    own = columns_of(ROWS[mapping.level])[column].quantity.unit
    factor = None if wanted.unit is None else unit_factor(wanted.unit, own)
    return text if factor is None or factor == Decimal(1) else scaled(text, factor)


FORMAT = IntakeFormat("csv", "any CSV table, with a mapping of its columns", _read)
