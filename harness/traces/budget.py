"""The uncertainty of an energy as a list of components, combined as in the Guide to the Expression of Uncertainty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

COVERAGE_FACTOR: Final = 2.0
"""Factor k of the expanded uncertainty; about 95 % of a normal distribution."""
WIDTH: Final = 12**0.5
"""Width of a rectangular distribution over its standard deviation."""
HALF_WIDTH: Final = 3**0.5
"""Half width of a rectangular distribution over its standard deviation."""


@dataclass(frozen=True, slots=True)
class Component:
    """One source of uncertainty.

    Attributes:
        component: what it comes from.
        standard_mj: standard uncertainty of the energy of one inference in mJ; None where it is not known, so that
            the combined uncertainty lacks it.
    """

    component: str
    standard_mj: float | None


def expanded_mj(components: Sequence[Component]) -> float:
    """Expanded uncertainty (k = 2) in mJ of independent components, as far as they are known.

    Source:
        JCGM 100:2008, equations 10 and 18.

    >>> expanded_mj([Component("repeatability", 3.0), Component("meter gain", 4.0)])
    10.0
    """
    return COVERAGE_FACTOR * math.hypot(*(each.standard_mj or 0.0 for each in components))
