"""Figures as text into another unit, without loss of a digit; text that is no plain number is left as it is."""

from decimal import Decimal, localcontext
from typing import Final

from harness.numbers import decimal_of
from harness.validation.header import UNIT_FACTORS

_SPELLINGS: Final = {
    spelling.lower(): spelling
    for spelling in ("kWh", "Wh", "mWh", "kJ", "J", "mJ", "uJ", "nJ", "kW", "W", "mW", "uW", "V", "mV", "uV", "ms")
}
"""Spellings of units, by their small letters, which are read as well; capitals alone could be another prefix."""

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


def known_units(unit: str) -> list[str]:
    """Units that are converted to one, itself first; none where a quantity has no unit.

    >>> known_units("ms")
    ['ms', 's', 'sec', 'us', 'ns', 'min']
    """
    return [unit, *(_SPELLINGS.get(known, known) for known in UNIT_FACTORS.get(unit, {}))] if unit else []


def unit_factor(unit: str, wanted: str) -> Decimal | None:
    """Factor from a unit to the wanted one; None where the first is not known to be one of its kind.

    >>> str(unit_factor("kWh", "mJ")), unit_factor("MJ", "mJ"), unit_factor("KWH", "mJ")
    ('3.6E+9', None, None)
    """
    plain = unit.replace("µ", "u").replace("μ", "u")
    if plain == wanted:
        return Decimal(1)
    factor = UNIT_FACTORS.get(wanted, {}).get(plain.lower())
    is_spelt_so = plain in (plain.lower(), _SPELLINGS.get(plain.lower()))
    return Decimal(repr(factor)).normalize() if factor is not None and is_spelt_so else None
