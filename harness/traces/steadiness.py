"""Whether a run is steady: inferences of the warm-up, a change of latency or power, and idle power before the run."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.traces.statistics import effective_number, mean_with_error
from harness.traces.trace import Reals
from harness.traces.windows import EnergyCurve

FEWEST_WINDOWS: Final = 8
"""Windows from which a warm-up or a change can be told from scatter."""
OUT_OF_LINE: Final = 5.0
"""Robust standard deviations from the later windows that make an early one part of the warm-up."""
LEAST_DEVIATION: Final = 0.02
"""Relative deviation below which a window is in line, however small the scatter."""
MOST_WARM_UP: Final = 0.25
"""Share of the windows that a warm-up may take."""
LEAST_CHANGE: Final = 0.05
"""Relative change of latency or power within a run that is named."""
_SIGNIFICANT: Final = 6.0
"""Standard errors of the difference, high because the place of the change is searched for."""
SHORTEST_IDLE_S: Final = 1.0
IDLE_SHARE: Final = 0.9
"""Share of the power of inferences that idle power must stay below, or the trace begins under load."""
UNSTABLE: Final = 0.2
"""Range of the idle power over its mean from which it is named as unsteady."""
_PARTS, _QUIET_PARTS = 20, 10


@dataclass(frozen=True, slots=True)
class Change:
    """A change within a run.

    Attributes:
        window: number of the first window after it, from 0.
        relative: mean after it over mean before it, less 1.
    """

    window: int
    relative: float


def warm_up(energies_mj: Reals) -> int:
    """Number of windows at the beginning whose energy is out of line with the second half of the run.

    >>> warm_up(np.array([9.0, 7, 5, 5, 5, 5, 5, 5, 5, 5]))
    2
    """
    if len(energies_mj) < FEWEST_WINDOWS:
        return 0
    later = energies_mj[len(energies_mj) // 2 :]
    middle = float(np.median(later))
    scatter = 1.4826 * float(np.median(np.abs(later - middle)))
    limit = max(OUT_OF_LINE * scatter, LEAST_DEVIATION * abs(middle))
    in_line = np.flatnonzero(np.abs(energies_mj - middle) <= limit)
    n_early = int(in_line[0]) if len(in_line) else 0
    return n_early if n_early <= MOST_WARM_UP * len(energies_mj) else 0


def change(values: Reals, fewest: int = FEWEST_WINDOWS) -> Change | None:
    """Place at which the mean of a series changes most, if it does; None where it stays the same.

    Args:
        values: the series.
        fewest: values before and after the place.
    """
    n = len(values)
    if n < 2 * fewest:
        return None
    sums = np.cumsum(values)
    before = np.arange(1, n)
    means_before, means_after = sums[:-1] / before, (sums[-1] - sums[:-1]) / (n - before)
    weights = np.sqrt(before * (n - before) / n)
    chosen = slice(fewest - 1, n - fewest)
    place = int(np.argmax(np.abs(means_after - means_before)[chosen] * weights[chosen])) + fewest - 1
    left, right = values[: place + 1], values[place + 1 :]
    difference = float(right.mean() - left.mean())
    errors = [float(part.std(ddof=1)) / effective_number(part) ** 0.5 for part in (left, right)]
    relative = difference / float(left.mean()) if left.mean() else 0.0
    if abs(relative) < LEAST_CHANGE or abs(difference) < _SIGNIFICANT * float(np.hypot(*errors)):
        return None
    return Change(place + 1, relative)


@dataclass(frozen=True, slots=True)
class Quiet:
    """Power of the quietest half of a stretch; what a device does while a model loads is not idle.

    Attributes:
        power_mw: its mean power in mW.
        u_mw: standard uncertainty of that in mW, from parts of the stretch.
        range_share: highest less lowest mean power of its parts, over the mean.
        seconds: length of the half in seconds.
    """

    power_mw: float
    u_mw: float
    range_share: float
    seconds: float


def quietest(curve: EnergyCurve, first_s: float, last_s: float) -> Quiet | None:
    """Quietest half of a stretch of a trace; None where the stretch is empty."""
    if not last_s > first_s or len(curve.times_s) < 2:
        return None
    edges = np.linspace(first_s, last_s, _PARTS + 1)
    energies = curve.at(edges)
    if not np.isfinite(energies).all():
        return None
    sums = energies[_QUIET_PARTS:] - energies[:-_QUIET_PARTS]
    start = int(np.argmin(sums))
    return _quiet(np.diff(energies[start : start + _QUIET_PARTS + 1]), (last_s - first_s) / _PARTS)


def whole(curve: EnergyCurve) -> Quiet | None:
    """Power over a whole trace, the baseline; None where it has no duration."""
    if len(curve.times_s) < 2 or not curve.times_s[-1] > curve.times_s[0]:
        return None
    edges = np.linspace(curve.times_s[0], curve.times_s[-1], _QUIET_PARTS + 1)
    energies = curve.at(edges)
    return _quiet(np.diff(energies), float(edges[1] - edges[0])) if np.isfinite(energies).all() else None


def _quiet(energies_mj: Reals, part_s: float) -> Quiet:
    powers = energies_mj / part_s
    mean, error = mean_with_error(powers)
    share = float(np.ptp(powers)) / abs(mean) if mean else 0.0
    return Quiet(mean, error, share, part_s * len(powers))
