"""Figures as text into another unit, without loss of a digit; text that is no plain number is left as it is."""

from decimal import Decimal, localcontext
from typing import Final

from harness.numbers import decimal_of

_PRECISION: Final = 120
"""Digits of a product; twice those of the longest figure."""
_MOST_DECIMALS: Final = 15
"""Decimals that are written out; smaller figures get an exponent."""


def scaled(text: str, factor: Decimal) -> str:
    """Figure times a factor, with as many significant digits as before; as it is where it is no plain number.

    Args:
        text: figure as printed.
        factor: what to multiply by; a power of ten such as `Decimal("1E+3")` keeps the digits themselves.

    >>> scaled("0.019", Decimal("1E+3")), scaled("203.368", Decimal("1E-3")), scaled("1,5", Decimal("1E+3"))
    ('19', '0.203368', '1,5')
    """
    number = decimal_of(text)
    if number is None:
        return text
    with localcontext() as context:
        context.prec = _PRECISION
        value = number * factor
    exponent = value.as_tuple().exponent
    is_written_out = isinstance(exponent, int) and -_MOST_DECIMALS <= exponent <= 0
    return format(value, "f") if is_written_out else str(value)


def power_of_ten(exponent: int) -> Decimal:
    """Factor that moves the decimal point only.

    >>> power_of_ten(-3)
    Decimal('0.001')
    """
    return Decimal(1).scaleb(exponent)
