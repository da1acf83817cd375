"""Error measures of predicted energies; pure functions of arrays, with the row terms that their means are made of.

Shares are between 0 and 1; MAPE and RMSPE are percentages; RMSE is in mJ. An empty array has no error: NaN.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Reals = npt.NDArray[np.float64]

PERCENTS: Final = (5, 10, 15)
RANKED_PERCENT: Final = 10
"""Ranks go by the share within so many percent."""
SHARES: Final = tuple(f"within_{percent}" for percent in PERCENTS)
METRICS: Final = (*SHARES, "mape", "rmspe", "rmse_mj", "spearman")
"""Names of the measures, in the order of the last axis of `from_means`."""
N_TERMS: Final = 11
"""Row terms that all measures follow from."""
_ROUNDING: Final = 1e-9
"""An energy of 1.1 mJ against 1 mJ is off by 10 %, although its binary fraction is a trifle more."""


def within(actual: Reals, predicted: Reals, percent: float) -> float:
    """Share of predictions that are off by at most so many percent of the actual energy.

    Args:
        actual: mJ, shape `(n,)`, all above 0.
        predicted: mJ, shape `(n,)`.
        percent: bound, inclusive.

    >>> within(np.array([1.0, 1.0, 1.0, 1.0]), np.array([1.1, 0.9, 1.2, 5.0]), 10)
    0.5
    """
    return _mean(is_within(actual, predicted, percent))


def is_within(actual: Reals, predicted: Reals, percent: float) -> npt.NDArray[np.bool_]:
    """Whether each prediction is off by at most so many percent; shapes as they broadcast."""
    inside: npt.NDArray[np.bool_] = np.abs(_relative(actual, predicted)) <= percent / 100 + _ROUNDING
    return inside


def mape(actual: Reals, predicted: Reals) -> float:
    """Mean absolute error relative to the actual energy, in percent.

    >>> round(mape(np.array([1.0, 2.0]), np.array([1.1, 1.6])), 6)
    15.0
    """
    return 100 * _mean(np.abs(_relative(actual, predicted)))


def rmspe(actual: Reals, predicted: Reals) -> float:
    """Root mean square of the error relative to the actual energy, in percent.

    >>> round(rmspe(np.array([1.0, 2.0]), np.array([1.3, 2.8])), 6)
    35.355339
    """
    return 100 * math.sqrt(_mean(_relative(actual, predicted) ** 2))


def rmse_mj(actual: Reals, predicted: Reals) -> float:
    """Root mean square error in mJ.

    >>> rmse_mj(np.array([1.0, 2.0]), np.array([4.0, 6.0])) == 12.5**0.5
    True
    """
    return math.sqrt(_mean((predicted - actual) ** 2))


def spearman(actual: Reals, predicted: Reals) -> float:
    """Rank correlation, equal values sharing their mean rank; NaN where either side does not vary.

    >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0]))
    0.5
    """
    return float(from_means(row_terms(actual, predicted).mean(axis=0))[-1]) if len(actual) else float("nan")


def interval_coverage(actual: Reals, intervals: Reals) -> float:
    """Share of actual energies that lie within their interval, bounds included.

    Args:
        actual: mJ, shape `(n,)`.
        intervals: lower and upper bound in mJ, shape `(n, 2)`.

    >>> interval_coverage(np.array([1.0, 2.0]), np.array([[0.5, 1.0], [2.5, 3.0]]))
    0.5
    """
    return _mean((intervals[:, 0] <= actual) & (actual <= intervals[:, 1]))


def row_terms(actual: Reals, predicted: Reals) -> Reals:
    """What each row adds to the means that the measures are made of.

    Ranks are those among all rows given, also where a resample holds only some of them.

    Args:
        actual: mJ, shape `(n,)`.
        predicted: mJ, shape `(n,)`.

    Returns:
        Shape `(n, N_TERMS)`.
    """
    relative = _relative(actual, predicted)
    # Centred ranks keep sums of squares small.
    one, other = (rankdata(values) - (len(actual) + 1) / 2 for values in (actual, predicted))
    errors = [*(is_within(actual, predicted, percent) for percent in PERCENTS), np.abs(relative), relative**2]
    ranks = [one, other, one * one, other * other, one * other]
    return np.stack([*errors, (predicted - actual) ** 2, *ranks], axis=-1).astype(np.float64)


def from_means(means: Reals) -> Reals:
    """Measures from the means of their row terms.

    Args:
        means: shape `(..., N_TERMS)`.

    Returns:
        Shape `(..., len(METRICS))`; the Spearman correlation is NaN where a side does not vary.
    """
    *shares, absolute, square, square_mj, one, other, one_one, other_other, one_other = np.moveaxis(means, -1, 0)
    spread = np.maximum(one_one - one**2, 0) * np.maximum(other_other - other**2, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.where(spread > _ROUNDING, (one_other - one * other) / np.sqrt(spread), np.nan)
    measures = [*shares, 100 * absolute, 100 * np.sqrt(square), np.sqrt(square_mj), np.clip(correlation, -1, 1)]
    return np.stack(measures, axis=-1)


def _relative(actual: Reals, predicted: Reals) -> Reals:
    relative: Reals = (predicted - actual) / actual
    return relative


def _mean(values: npt.NDArray[np.float64] | npt.NDArray[np.bool_]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
