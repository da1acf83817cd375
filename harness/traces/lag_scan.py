"""The lag, over all that are possible, that explains a trace best by the windows of its inferences."""

from typing import Final

import numpy as np

from harness.traces.bursts import Bursts, Lag
from harness.traces.trace import Reals
from harness.traces.windows import EnergyCurve

_N_BINS: Final = 1 << 15
_MOST_BINS: Final = 1 << 18
"""Bins of the windows at most; windows over a much longer time than the trace are not those of the trace."""
_LEAST_SHARE: Final = 0.5
"""Share of the windows' time that must lie in the trace."""
_MOST_DRIFT: Final = 500e-6
"""Seconds a second; the clocks of meters and computers differ by less."""
_MOST_DRIFTS: Final = 41
_WELL_EXPLAINED: Final = 0.9
"""Share of the best possible explanation from which no drift is looked for."""


def best_lag(curve: EnergyCurve, bursts: Bursts, middle_s: float) -> Lag | None:
    """Lag of bursts with which the trace is explained best; None if none fits.

    Args:
        curve: energy of the trace over time.
        bursts: stretches of load.
        middle_s: middle of the run on the clock of the bursts.
    """
    first, last = float(curve.times_s[0]), float(curve.times_s[-1])
    bin_s = (last - first) / _N_BINS
    grid = np.linspace(first, last, _N_BINS + 1)
    powers = np.diff(curve.at(grid)) / bin_s
    shortest = float(np.median(bursts.ends_s - bursts.starts_s))
    half_run = float(bursts.ends_s[-1] - bursts.starts_s[0]) / 2
    if 2 * half_run > _MOST_BINS * bin_s:
        return None
    drifts = np.zeros(1)
    if _MOST_DRIFT * half_run > shortest / 4:
        n_drifts = min(_MOST_DRIFTS, 2 * int(np.ceil(_MOST_DRIFT * half_run / (shortest / 2))) + 1)
        drifts = np.linspace(-_MOST_DRIFT, _MOST_DRIFT, n_drifts)
        drifts = drifts[np.argsort(np.abs(drifts), kind="stable")]
    best: tuple[float, Lag] | None = None
    for drift in drifts:
        found = _best_offset(powers, bursts.moved(Lag(0.0, float(drift), middle_s)), first, bin_s)
        if found is not None and (best is None or found[0] > best[0] * (1 + 1e-9)):
            best = found[0], Lag(found[1], float(drift), middle_s)
        if best is not None and best[0] >= _WELL_EXPLAINED:
            break
    return None if best is None else best[1]


def _best_offset(powers: Reals, bursts: Bursts, first_s: float, bin_s: float) -> tuple[float, float] | None:
    """Share of the variance of power that the best offset explains, and the offset in seconds."""
    begin_s = float(bursts.starts_s[0])
    shares = _coverage(bursts, begin_s, bin_s)
    n = len(powers) + len(shares) - 1
    size = 1 << (n - 1).bit_length()
    spectrum = np.conj(np.fft.rfft(shares, size))
    centred = powers - powers.mean()
    # Element L of a correlation is for windows that are L bins later than at `first_s`, modulo the size.
    sums = np.fft.irfft(np.fft.rfft(centred, size) * spectrum, size)
    times = np.fft.irfft(np.fft.rfft(np.ones(len(powers)), size) * spectrum, size)
    n_bins = len(powers)
    is_possible = (times >= _LEAST_SHARE * shares.sum()) & (times < n_bins - 1) & (sums > 0)
    variance = float((centred**2).sum())
    if not is_possible.any() or not variance > 0:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = np.where(is_possible, sums**2 * n_bins / (times * (n_bins - times)), 0.0) / variance
    place = int(np.argmax(explained))
    bins = place if place < len(powers) else place - size
    return float(explained[place]), first_s + bins * bin_s - begin_s


def _coverage(bursts: Bursts, begin_s: float, bin_s: float) -> Reals:
    """Share of each bin, from a time on, that bursts cover."""
    n_bins = int(np.ceil(float(bursts.ends_s[-1] - begin_s) / bin_s)) + 1
    edges = begin_s + np.arange(n_bins + 1) * bin_s
    lengths = np.concatenate([[0.0], np.cumsum(bursts.ends_s - bursts.starts_s)])
    # Covered time up to each edge: whole bursts before it, and the part of the one that it divides.
    knots = np.stack([bursts.starts_s, bursts.ends_s], axis=1).ravel()
    covered = np.stack([lengths[:-1], lengths[1:]], axis=1).ravel()
    shares: Reals = np.diff(np.interp(edges, knots, covered)) / bin_s
    return shares
