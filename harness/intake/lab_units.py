"""Units that a laboratory's table states itself, in its header or in a row below it, beside those of a mapping."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from harness.intake.lab_table import LabTable, one_spaced
from harness.intake.mapping import Mapping
from harness.intake.scaling import unit_factor
from harness.numbers import number
from harness.schema.columns import columns_of
from harness.schema.records import ROWS
from harness.validation.faults import Faults

_BRACKETED: Final = re.compile(r".*[(\[]\s*([A-Za-z\u00b5\u03bc]+)\s*[)\]]")
_SUFFIX: Final = re.compile(r".+[_ /]([A-Za-z\u00b5\u03bc]+)")
_NO_SUFFIX: Final = ("min",)
"""Ends of names that are a unit in brackets only; latency_min is a least latency."""


def report_units(table: LabTable, mapping: Mapping, shown: str, faults: Faults) -> None:
    """Report columns of which the table states another unit than the mapping."""
    below = _unit_row(table, mapping)
    for column, place, unit, own in _quantities(table, mapping):
        name = table.names[place]
        found = [(table.line, name, _unit_of(name))]
        if below is not None:
            found.append((below[0], below[1][place].strip(), below[1][place].strip(" ()[]")))
        for line, text, stated in found:
            factor = unit_factor(stated, own) if stated else None
            if factor is not None and factor != unit_factor(unit, own):
                faults.add(
                    "header-unit",
                    shown,
                    line=line,
                    column=name,
                    found=f"{text}, read in {unit} as {column}",
                    is_value=False,
                    expected="one unit in the table and in the mapping",
                    fix=f"Find out which it is in; where the table is right, state unit: {stated} in the mapping.",
                )


def without_unit_row(table: LabTable, mapping: Mapping) -> LabTable:
    """Table without the row of units below its header, where it has one."""
    return table if _unit_row(table, mapping) is None else replace(table, rows=table.rows[1:])


def _unit_row(table: LabTable, mapping: Mapping) -> tuple[int, list[str]] | None:
    """First row, where it holds units and no number."""
    if not table.rows or len(table.rows[0][1]) != len(table.names):
        return None
    line, cells = table.rows[0]
    known = [
        unit_factor(cells[place].strip(" ()[]"), own) is not None for _, place, _, own in _quantities(table, mapping)
    ]
    return (line, cells) if any(known) and all(number(cell) is None for cell in cells) else None


def _quantities(table: LabTable, mapping: Mapping) -> Iterator[tuple[str, int, str, str]]:
    """Columns of the schema that have a unit, each with its place in the table, its unit there and its own."""
    columns = columns_of(ROWS[mapping.level])
    for name, wanted in mapping.columns.items():
        own = columns[name].quantity.unit
        if wanted.origin and own:
            yield name, table.names.index(one_spaced(wanted.origin)), wanted.unit or own, own


def _unit_of(name: str) -> str:
    """Unit at the end of a column's name; empty where there is none.

    >>> _unit_of("Energy (uJ)"), _unit_of("latency_s"), _unit_of("latency_min"), _unit_of("Power")
    ('uJ', 's', '', '')
    """
    if match := _BRACKETED.fullmatch(name):
        return match[1]
    match = _SUFFIX.fullmatch(name)
    return match[1] if match and match[1].lower() not in _NO_SUFFIX else ""
