"""Text of a cell to a number, and what is wrong with it where it is none."""

import math
import re
from typing import NamedTuple

from harness.numbers import DECIMAL
from harness.schema.columns import Column

_NUMBER = re.compile(DECIMAL)
_INTEGER = re.compile(r"([+-]?)([0-9]+)(\.0*)?")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}([,' \u2019\u00a0\u2009\u202f][0-9]{3})+(\.[0-9]+)?")
_POINTS = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{3}){2,}")
_DECIMAL_COMMA = re.compile(r"[+-]?([0-9]{1,3}(\.[0-9]{3})+|[0-9]+),[0-9]+")
_SHARE = re.compile(r"[+-]?[0-9.,]+ ?%")
_MONTH = r"(?:jan|feb|fév|m[aä]r|mrz|a[pv]r|ma[iy]|ju[ni]|jul|aug|ago|ao[uû]|sep|o[ck]t|nov|d[eé][cz])[^\W\d_]*\.?"
_DATE = re.compile(
    rf"[0-9]{{1,4}}([./-])[0-9]{{1,2}}\1[0-9]{{1,4}}( [0-9:]+)?|[0-9]{{1,4}}[. -]+{_MONTH}|{_MONTH}[ -][0-9]{{1,4}}",
    re.IGNORECASE,
)
"""Days and months, as spreadsheets write what they take for a date, such as 03.12 or 1-2."""
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_MOST_DIGITS = 19
_INT64 = range(-(2**63), 2**63)


class NumberFault(NamedTuple):
    """Broken rule, expectation and fix of a cell that is not the number it should be."""

    rule: str
    expected: str
    fix: str


def number_of(cell: str, column: Column) -> float | NumberFault:
    """Number in a cell, an integer where the column holds integers; bounds are not looked at.

    Args:
        cell: stripped text, not empty.
        column: what it should be.
    """
    if column.python_type is int:
        whole = _INTEGER.fullmatch(cell)
        if whole is None:
            return _fault(cell, column)
        # Python refuses to read thousands of digits, and Arrow to hold more than 64 bits.
        digits = whole[2].lstrip("0") or "0"
        if len(digits) <= _MOST_DIGITS and (number := int(whole[1] + digits)) in _INT64:
            return number
        return NumberFault(column.quantity.rule, column.expected, column.quantity.fix)
    if _NUMBER.fullmatch(cell) and math.isfinite(value := float(cell)):
        return value
    return _fault(cell, column)


def _fault(cell: str, column: Column) -> NumberFault:
    is_whole = column.python_type is int
    kind = "a whole number" if is_whole else "a number"
    or_else = "drop the row" if column.is_required else "leave the cell empty"
    if _NOT_FINITE.fullmatch(cell) or (_NUMBER.fullmatch(cell) and not is_whole):
        return NumberFault("number-finite", f"a finite number, {column.expected}", f"Write the value, or {or_else}.")
    if _NUMBER.fullmatch(cell):
        fix = f"Write it without fraction and exponent, or {or_else}."
        return NumberFault("number-format", f"{kind}, {column.expected}", fix)
    return _misspelt(cell, column, kind, or_else)


def _misspelt(cell: str, column: Column, kind: str, or_else: str) -> NumberFault:
    """Fault of a cell that is no number as it is written."""
    is_whole = column.python_type is int
    plain = _without_separators(cell, is_whole=is_whole)
    if plain is not None:
        return NumberFault("number-format", f"{kind} without thousands separators", f"Write {plain}.")
    if _DECIMAL_COMMA.fullmatch(cell):
        plain = cell.replace(".", "").replace(",", ".")
        return NumberFault("number-format", f"{kind} with a decimal point", f"Write {plain}.")
    if _SHARE.fullmatch(cell):
        return NumberFault("number-format", f"{kind}, {column.expected}", f"A share is no such value; {or_else}.")
    if _DATE.fullmatch(cell):
        fix = f"Take the value from the raw file: a spreadsheet may have made a date of it. Otherwise {or_else}."
        return NumberFault("number-format", f"{kind} and no date", fix)
    unit = f" in {column.quantity.unit}, without the unit" if column.quantity.unit else ""
    digits = "digits only" if is_whole else "digits with a decimal point"
    return NumberFault("number-format", f"{kind}{unit}", f"Write {digits}, or {or_else}.")


def _without_separators(cell: str, *, is_whole: bool) -> str | None:
    """Number without its thousands separators, in words; None where it has none."""
    if _POINTS.fullmatch(cell):
        return cell.replace(".", "")
    if not _THOUSANDS.fullmatch(cell):
        return None
    plain = re.sub(r"[^0-9.+-]", "", cell)
    # A single comma before three digits separates thousands to some and decimals to others.
    is_ambiguous = not is_whole and cell.count(",") == 1 and "." not in cell
    return f"{plain} or {cell.replace(',', '.')}, whichever was measured" if is_ambiguous else plain
