"""Means and slopes of serial figures, with standard errors that their autocorrelation widens."""

from typing import Final

import numpy as np
from scipy.special import stdtrit

from harness.traces.trace import Reals

_TWO_SIGMA: Final = 0.97725
"""Share of a normal distribution below two standard deviations."""
_MOST_LAGS: Final = 1000


def effective_number(values: Reals) -> float:
    """Number of independent figures that a series is worth, at least 1.

    Source:
        Sum of autocorrelations over the initial positive pairs, after C. J. Geyer, Practical Markov Chain Monte Carlo,
        Statistical Science 7 (1992).
    """
    n = len(values)
    if n < 4:
        return float(n)
    centred = values - values.mean()
    variance = float(centred @ centred) / n
    if variance <= 1e-24 * float(np.abs(values).max()) ** 2:
        return float(n)
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    correlations = np.fft.irfft(spectrum * np.conj(spectrum), size)[: min(n // 2, _MOST_LAGS) // 2 * 2]
    pairs = correlations.reshape(-1, 2).sum(axis=1) / (n * variance)
    falling = np.flatnonzero(pairs <= 0)
    time = 2 * float(pairs[: falling[0] if len(falling) else len(pairs)].sum()) - 1
    return float(np.clip(n / max(time, 1.0), 1.0, n))


def mean_with_error(values: Reals) -> tuple[float, float]:
    """Mean of a series and its standard error; half of the interval of 95.45 % by Student's t, so that k = 2 holds.

    The error of fewer than two figures is infinite.
    """
    n = len(values)
    mean = float(values.mean()) if n else 0.0
    if n < 2:
        return mean, float("inf")
    worth = effective_number(values)
    factor = float(stdtrit(max(worth - 1, 1.0), _TWO_SIGMA)) / 2
    return mean, factor * float(values.std(ddof=1)) / worth**0.5


def slope_with_error(at: Reals, values: Reals) -> tuple[float, float]:
    """Slope of a series over time and its standard error, infinite for fewer than four figures."""
    if len(values) < 4 or not float(np.ptp(at)) > 0:
        return 0.0, float("inf")
    centred = at - at.mean()
    spread = float(centred @ centred)
    slope = float(centred @ values) / spread
    residuals = values - values.mean() - slope * centred
    deviation = float((residuals @ residuals / (len(values) - 2) / spread) ** 0.5)
    return slope, deviation * (len(values) / effective_number(residuals)) ** 0.5
