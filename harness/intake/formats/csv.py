"""Any CSV table, with a mapping file from its columns to those of the schema.

Cells are renamed, reworded and brought into the schema's units; nothing is computed from several of them.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Named
from decimal import Decimal
from pathlib import Path

from harness.errors import UsageError
from harness.intake.foreign import ForeignRow, ForeignSourceError, ForeignTable, IntakeFormat, IntakeOptions
from harness.intake.lab_numbers import both_readings, decimal_sign, is_missing, plain_number
from harness.intake.lab_table import LabTable, is_comment, one_spaced, read_lab_table
from harness.intake.lab_units import report_units, without_unit_row
from harness.intake.mapping import ColumnMapping, Mapping, read_mapping
from harness.intake.names import question
from harness.intake.scaling import scaled, unit_factor
from harness.schema.columns import Column, columns_of
from harness.schema.records import ROWS
from harness.validation.faults import Faults
from harness.validation.table import IDENTIFIER, report_width


def _read(source: Path, options: IntakeOptions) -> ForeignTable:
    mapping = read_mapping(options.mapping)
    if not source.is_file():
        raise UsageError(f"{source.as_posix()} is no file")
    faults, shown = Faults(), source.as_posix()
    origins = {column: one_spaced(wanted.origin) for column, wanted in mapping.columns.items() if wanted.origin}
    table = read_lab_table(source, set(origins.values()), shown, faults)
    if table is not None and not faults.issues:
        for column, origin in origins.items():
            _check_origin(column, origin, table, shown, faults)
    if table is not None and not faults.issues:
        report_units(table, mapping, shown, faults)
    if table is None or faults.issues:
        raise ForeignSourceError(faults.issues)
    device, rows = mapping.device, _Rows(without_unit_row(table, mapping), mapping, shown)
    return ForeignTable(
        level=mapping.level,
        rows=list(rows.read()),
        submission=mapping.submission.model_dump(mode="json", exclude_unset=True),
        device=None if device is None else device.model_dump(mode="json", exclude_unset=True),
    )


def _check_origin(column: str, origin: str, table: LabTable, shown: str, faults: Faults) -> None:
    """Report a column that a mapping names and the table does not have, or has twice."""
    names = table.names
    if names.count(origin) == 1:
        return
    known = [name or "(no name)" for name in names]
    fix = question(origin, known, "Find out which column it is, and correct from in the mapping.")
    faults.add(
        "header-duplicate" if origin in names else "header-missing",
        shown,
        line=table.line,
        column=origin,
        found=f"{names.count(origin)} such columns, from which {column} is to come",
        is_value=False,
        expected="one of " + ", ".join(known) if origin not in names else "one column of this name",
        fix=fix if origin not in names else "Find out which of them it is, and rename or remove the others.",
    )


class _Rows:
    """Rows of a table in the columns and units of the schema.

    Args:
        table: the table, which has every column of the mapping once.
        mapping: what its columns are.
        shown: name of the file in messages.
    """

    def __init__(self, table: LabTable, mapping: Mapping, shown: str) -> None:
        self._table, self._mapping, self._shown = table, mapping, shown
        counts = Counter(table.names)
        # No mapping names a column that stands twice, so that each may be kept under a name of its own.
        self._labels = [
            name if counts[name] == 1 else f"{name} (column {position})"
            for position, name in enumerate(table.names, start=1)
        ]
        self._columns: Named[str, Column] = columns_of(ROWS[mapping.level])
        self._decimal = mapping.decimal or decimal_sign(self._numbers(), table.separator)

    def read(self) -> Iterator[ForeignRow]:
        """Every row, those that cannot be used with what is wrong with them."""
        for line, cells in self._table.rows:
            yield self._row(line, cells)

    def _numbers(self) -> Iterator[str]:
        """Cells of all columns of numbers."""
        places = [
            self._table.names.index(one_spaced(wanted.origin))
            for name, wanted in self._mapping.columns.items()
            if wanted.origin and self._columns[name].python_type in (int, float)
        ]
        for _, cells in self._table.rows:
            yield from (cells[place] for place in places if place < len(cells))

    def _row(self, line: int, cells: Sequence[str]) -> ForeignRow:
        place, labels = f"line {line}", self._labels
        printed = {name: cell.strip() for name, cell in zip(labels, cells, strict=False)}
        faults = Faults()
        if len(cells) != len(labels):
            report_width(len(cells), len(labels), line, self._shown, faults)
            surplus = {f"column {position + 1}": cells[position].strip() for position in range(len(labels), len(cells))}
            return ForeignRow(place, place, {}, printed | surplus, tuple(faults.issues))
        if is_comment(cells):
            expected = "a row, or a comment of other cells than the header"
            fix = "Remove the line where it does not count, or the # where it does."
            faults.add("foreign-file", self._shown, line=line, found=cells[0], expected=expected, fix=fix)
        given = {
            column: self._cell(column, wanted, printed, line, faults)
            for column, wanted in self._mapping.columns.items()
        }
        return ForeignRow(given.pop(IDENTIFIER, "") or place, place, given, printed, tuple(faults.issues))

    def _cell(self, name: str, wanted: ColumnMapping, printed: Named[str, str], line: int, faults: Faults) -> str:
        """Cell of a column of the schema: a constant, or the table's cell, reworded and in the schema's unit."""
        if wanted.origin is None:
            return wanted.value or ""
        text = printed[one_spaced(wanted.origin)]
        if wanted.words is not None:
            text = wanted.words.get(text, text)
        column = self._columns[name]
        if column.python_type not in (int, float):
            return text
        if is_missing(text):
            return ""
        number = plain_number(text, self._decimal, is_stated=self._mapping.decimal is not None)
        if number is None:
            decimals, thousands = both_readings(text)
            expected = f"{decimals} or {thousands}, by a decimal sign that is known"
            fix = 'Find out which sign is the decimal one, and state decimal: "." or decimal: "," in the mapping.'
            faults.add("number-format", self._shown, line=line, column=name, found=text, expected=expected, fix=fix)
            return text
        factor = None if wanted.unit is None else unit_factor(wanted.unit, column.quantity.unit)
        return number if factor is None or factor == Decimal(1) else scaled(number, factor)


FORMAT = IntakeFormat("csv", "any CSV table, with a mapping of its columns", _read)
