"""Rounding of printed figures: half a unit of the last place of a cell, and the resolution of a column."""

import math
from decimal import Decimal, InvalidOperation

import numpy as np
import numpy.typing as npt

_MOST_DECIMALS = 12
"""Beyond, floats of this size no longer separate decimal steps."""


def half_units(cell: str) -> tuple[float, float]:
    """Half a unit of the last printed place, and the value itself.

    >>> half_units("0.019")
    (0.0005, 0.019)
    """
    try:
        value = Decimal(cell)
        exponent = value.as_tuple().exponent
    except InvalidOperation:
        return math.nan, math.nan
    if not isinstance(exponent, int):
        return math.nan, math.nan
    return float(Decimal(5).scaleb(exponent - 1)), float(value)


def resolution_of(values: npt.NDArray[np.float64], share: float) -> float | None:
    """Decimal step that all values are multiples of, where it is coarse against the smallest of them.

    Args:
        values: figures of one column, NaN where missing.
        share: half a step counts as coarse from this share of the smallest value on.

    Returns:
        The step, at most 1; None where the smallest value has digits to spare.

    >>> resolution_of(np.array([0.005, 12.25]), share=0.1)
    0.001
    >>> resolution_of(np.array([0.0051, 12.25]), share=0.1) is None
    True
    """
    usable = values[np.isfinite(values) & (values > 0)]
    if not usable.size:
        return None
    smallest = float(usable.min())
    if smallest < 10.0**-_MOST_DECIMALS:
        return None
    # Half of 10**-n is at least share * smallest from this n downwards.
    n_decimals = math.floor(-math.log10(2 * share * smallest) + 1e-9)
    if n_decimals < 0:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        steps = usable * 10.0**n_decimals
        is_multiple = np.abs(steps - np.rint(steps)) <= 1e-9 * np.maximum(np.abs(steps), 1)
    return 10.0**-n_decimals if bool(is_multiple.all()) else None
