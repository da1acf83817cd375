"""The header of a CSV file: which columns it has, which it misses, and which come in another unit."""

import re
from collections.abc import Mapping, Sequence, Set
from typing import Final

from harness.issues import nearest
from harness.schema.columns import Column
from harness.schema.older_columns import ENERGY_KIND, IDLE_SUBTRACTED
from harness.validation.faults import Faults

MOST_COLUMNS = 200

UNIT_FACTORS: Final[dict[str, dict[str, float]]] = {
    "mJ": {"j": 1e3, "kj": 1e6, "uj": 1e-3, "nj": 1e-6, "kwh": 3.6e9, "wh": 3.6e6, "mwh": 3.6e3},
    "ms": {"s": 1e3, "sec": 1e3, "us": 1e-3, "ns": 1e-6, "min": 6e4},
    "mW": {"w": 1e3, "kw": 1e6, "uw": 1e-3},
    "mV": {"v": 1e3, "uv": 1e-3},
}
"""Factor from a foreign unit, by the unit of the schema."""


def unit_of_header(name: str, columns: Mapping[str, Column]) -> tuple[Column, str, float | None] | None:
    """Quantity that a foreign header names in another unit or in none.

    Returns:
        The column meant, the unit found (empty where none is given) and the factor to the schema's unit.

    >>> from harness.schema.columns import columns_of
    >>> from harness.schema.records import KernelRow
    >>> column, unit, factor = unit_of_header("Energy (uJ)", columns_of(KernelRow))
    >>> column.name, unit, factor
    ('energy_mj', 'uj', 0.001)
    """
    words = re.sub(r"[^a-z0-9]+", "_", name.strip().lower().replace("µ", "u").replace("μ", "u")).strip("_")
    for column in columns.values():
        factors = UNIT_FACTORS.get(column.quantity.unit)
        if factors is None:
            continue
        quantity = column.name.removesuffix("_" + column.quantity.unit.lower())
        if words == quantity:
            return column, "", None
        unit = words.removeprefix(quantity + "_")
        if unit in factors and words != unit:
            return column, unit, factors[unit]
    return None


def is_split(names: Sequence[str], shown: str, faults: Faults) -> bool:
    """Whether commas split a header line; reported where they did not, or where there are too many cells."""
    if len(names) > MOST_COLUMNS:
        faults.add(
            "header-unknown",
            shown,
            line=1,
            found=f"{len(names)} columns",
            expected=f"at most {MOST_COLUMNS} columns",
            fix="Export the table with one measurement per row.",
        )
        return False
    if len(names) == 1 and re.search(r"[;\t|]", names[0]):
        faults.add(
            "csv-delimiter",
            shown,
            line=1,
            found=names[0],
            expected="commas between cells",
            fix="Export with the comma as separator and the point as decimal mark.",
        )
        return False
    return True


def check_header(
    names: Sequence[str], columns: Mapping[str, Column], derived: Mapping[str, Column], shown: str, faults: Faults
) -> bool:
    """Report what is wrong with a header; whether the rows below it can be read.

    Args:
        names: cells of the header line, stripped.
        columns: columns of the level's row model.
        derived: columns of the published record; those not in a row must not be submitted.
        shown: file name in messages.
        faults: collects what is wrong.
    """
    if not is_split(names, shown, faults):
        return False
    misnamed = set()
    for position, name in enumerate(names):
        if name in names[:position]:
            faults.add(
                "header-duplicate",
                shown,
                line=1,
                column=name,
                found=f"repeated in column {position + 1}",
                is_value=False,
                expected="each column once",
                fix="Remove or rename one of the two.",
            )
        elif name == IDLE_SUBTRACTED.name:
            _report_both(names, shown, faults)
        elif name not in columns:
            misnamed.add(_report_unknown(name, columns, derived, shown, faults))
    given = {*names, *misnamed}
    _report_missing(columns, given | ({ENERGY_KIND} if IDLE_SUBTRACTED.name in given else set()), shown, faults)
    return True


def _report_both(names: Sequence[str], shown: str, faults: Faults) -> None:
    """Report an older column that stands beside the one that it is another spelling of."""
    if ENERGY_KIND in names:
        faults.add(
            "header-duplicate",
            shown,
            line=1,
            column=IDLE_SUBTRACTED.name,
            found=f"beside {ENERGY_KIND}, which it is the older spelling of",
            is_value=False,
            expected="one of the two",
            fix=f"Remove {IDLE_SUBTRACTED.name}, once {ENERGY_KIND} is right in every row.",
        )


def _report_missing(columns: Mapping[str, Column], given: Set[str | None], shown: str, faults: Faults) -> None:
    """Report required columns that a header neither has nor misspells."""
    for column in columns.values():
        if column.is_required and column.name not in given:
            faults.add(
                "header-missing",
                shown,
                line=1,
                column=column.name,
                found="no such column",
                is_value=False,
                expected=column.expected,
                fix=f"Add the column: {column.quantity.sentence}",
            )


def _report_unknown(
    name: str, columns: Mapping[str, Column], derived: Mapping[str, Column], shown: str, faults: Faults
) -> str | None:
    """Report a header that is no column; the name of the nearest column, where one is near."""
    foreign = unit_of_header(name, columns)
    if foreign is not None:
        column, unit, factor = foreign
        change = "Check the unit" if factor is None else f"Multiply by {factor:g}"
        faults.add(
            "header-unit",
            shown,
            line=1,
            column=name,
            found=f"in {unit}" if unit else "without a unit",
            is_value=False,
            expected=f"{column.name} in {column.quantity.unit}",
            fix=f"{change} and name the column {column.name}.",
        )
        return column.name
    near, fix = nearest(name.lower(), (*columns, IDLE_SUBTRACTED.name)), "Rename or remove the column."
    expected = f"one of {', '.join(columns)}"
    if near is not None:
        fix = f"Did you mean {near}? {fix}"
    if name in derived:
        expected, fix = "columns of the row only", "Remove the column; the build derives it."
    faults.add(
        "header-unknown",
        shown,
        line=1,
        column=name or None,
        found="not a column of a row" if name else "a column without a name",
        is_value=False,
        expected=expected,
        fix=fix,
    )
    return near
