"""Plain decimal numbers in text: what tables, logs and YAML files admit as one."""

import math
import re
from decimal import Decimal
from typing import Final

from harness.budget import MOST_NUMBER_CHARACTERS

_MANTISSA: Final = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"
DECIMAL: Final = _MANTISSA + r"([eE][+-]?[0-9]+)?"
"""Expression of a number: digits, perhaps a sign, a decimal point and an exponent."""
_SHORT: Final = re.compile(_MANTISSA + r"([eE][+-]?[0-9]{1,3})?")
"""Number whose exponent has at most three digits; others would take long to write out."""


def decimal_of(text: str) -> Decimal | None:
    """Exact number in a text of at most 60 characters; None where it holds anything else.

    >>> decimal_of(" 4.20 "), decimal_of("1,5"), decimal_of("1e9999")
    (Decimal('4.20'), None, None)
    """
    text = text.strip()
    return Decimal(text) if len(text) <= MOST_NUMBER_CHARACTERS and _SHORT.fullmatch(text) else None


def number(text: str) -> float | None:
    """Finite number in a text of at most 60 characters; None where it holds anything else.

    >>> number(" 4.2 "), number("[N/A]"), number("nan"), number("1e999")
    (4.2, None, None, None)
    """
    text = text.strip()
    value = float(text) if len(text) <= MOST_NUMBER_CHARACTERS and _SHORT.fullmatch(text) else math.inf
    return value if math.isfinite(value) else None
