"""What figures of a predictor are taken for energies and intervals; it changes none."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from harness.arrays import Reals

MOST_MJ: Final = 1e12
"""Largest energy that is taken for one: a thousand times what a measured one may be; sums are far from overflowing."""
MOST_BOUND_MJ: Final = 1e100
"""Largest bound of an interval, which is wide where little is known; sums of squares do not overflow yet."""


def fault_of(energies: Reals, what: str) -> str:
    """What is wrong with energies in mJ; empty where nothing is.

    Args:
        energies: energies, shape `(n,)`.
        what: what they are energies of.
    """
    faults = {
        "NaN": np.isnan(energies),
        "infinity": np.isinf(energies),
        "energies that are not positive": np.less_equal(energies, 0),
        f"energies above {MOST_MJ:g} mJ": energies > MOST_MJ,
    }
    return _first_of(faults, what)


def fault_of_interval(bounds: Reals) -> str:
    """What is wrong with intervals in mJ, shape `(n, 2)`; empty where nothing is."""
    faults = {
        "one bound that is NaN": np.isnan(bounds).sum(axis=1) == 1,
        "bounds that are infinite": np.isinf(bounds).any(axis=1),
        "negative bounds": np.less(bounds, 0).any(axis=1),
        "lower bounds above the upper ones": bounds[:, 0] > bounds[:, 1],
        f"bounds above {MOST_BOUND_MJ:g} mJ": bounds[:, 1] > MOST_BOUND_MJ,
    }
    return _first_of(faults, "rows")


def _first_of(faults: Mapping[str, Any], what: str) -> str:
    """First fault that any of them has, with their count.

    Args:
        faults: by name, which have it, shape `(n,)`.
        what: what they are.
    """
    for fault, has_it in faults.items():
        if has_it.any():
            return f"gave {fault} for {int(has_it.sum())} of {len(has_it)} {what}"
    return ""
