"""Numbers as laboratories write them: decimal commas, separators of thousands, and words for a missing value.

Which sign is the decimal one is known from a whole table, or not at all; a number that it leaves open is never guessed.
"""

import re
from collections.abc import Iterable
from typing import Final

_MISSING: Final = frozenset(
    ("", "nan", "n/a", "na", "n.a.", "#n/a", "#nv", "-", "--", "\u2013", "\u2014", "null", "none")
)
"""Words of spreadsheets and programs for a value that there is none of, in small letters."""
_EXPONENT: Final = r"(?:[eE][+-]?[0-9]+)?"
_GROUP_SPACES: Final = re.compile(r"(?<=[0-9])[ \u00a0\u2009\u202f'\u2019](?=[0-9]{3}(?![0-9]))")
_GROUPED: Final = {
    sign: re.compile(rf"[+-]?[0-9]{{1,3}}(?:(?:{other}[0-9]{{3}})+{re.escape(sign)}[0-9]+|(?:{other}[0-9]{{3}}){{2,}})")
    for sign, other in ((".", ","), (",", r"\."))
}
"""Numbers whose thousands are separated so that the decimal sign, which is the key, can only be the other one."""
_ONE_SIGN: Final = re.compile(rf"[+-]?(?:[0-9]+[.,][0-9]*|[.,][0-9]+){_EXPONENT}")
_OPEN: Final = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
"""Numbers whose one sign separates decimals in some countries, and thousands in others."""
_OTHER: Final = {".": ",", ",": "."}


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value.

    >>> is_missing("n/a"), is_missing("0")
    (True, False)
    """
    return cell.strip().lower() in _MISSING


def decimal_sign(cells: Iterable[str], separator: str) -> str | None:
    """Decimal sign of the numbers of a table; None where they leave it open or have both.

    Args:
        cells: cells of all columns of numbers.
        separator: what separates them; a comma between cells is none in a number without quotes.

    >>> decimal_sign(["1,234", "0,5"], ";"), decimal_sign(["1.234"], ","), decimal_sign(["1,234"], "\\t")
    (',', '.', None)
    """
    signs = {sign for cell in cells if (sign := _evident_sign(_ungrouped(cell)))}
    if len(signs) == 1:
        return signs.pop()
    return "." if separator == "," and not signs else None


def plain_number(cell: str, decimal: str | None, *, is_stated: bool = False) -> str | None:
    """Number with a decimal point and nothing between its thousands; None where it may be one of two.

    Args:
        cell: the number; any other text is given back as it is.
        decimal: decimal sign of the table; None where it is open.
        is_stated: whether somebody who knows has stated it, so that the other sign separates thousands.

    >>> plain_number("1.234,56", None), plain_number("1,5", "."), plain_number("1,234", "."), plain_number("1,234", ",")
    ('1234.56', '1.5', None, '1.234')
    """
    text = _ungrouped(cell)
    for sign, grouped in _GROUPED.items():
        if grouped.fullmatch(text):
            return text.replace(_OTHER[sign], "").replace(sign, ".")
    if not _ONE_SIGN.fullmatch(text):
        return text
    sign = "," if "," in text else "."
    if not _OPEN.fullmatch(text) or decimal == sign:
        return text.replace(sign, ".")
    return text.replace(sign, "") if is_stated else None


def both_readings(cell: str) -> tuple[str, str]:
    """The two numbers that an open one may be.

    >>> both_readings("1,234")
    ('1.234', '1234')
    """
    text = _ungrouped(cell)
    return text.replace(",", "."), re.sub("[.,]", "", text)


def _ungrouped(cell: str) -> str:
    """Cell without space around it and between its thousands."""
    return _GROUP_SPACES.sub("", cell.strip())


def _evident_sign(text: str) -> str | None:
    """Decimal sign of a number that can be read in one way only; None where there is none."""
    for sign, grouped in _GROUPED.items():
        if grouped.fullmatch(text):
            return sign
    if not _ONE_SIGN.fullmatch(text) or _OPEN.fullmatch(text):
        return None
    return "," if "," in text else "."
