"""Load that lasts longer than the windows: work that was only launched when an end was logged.

A trace cannot say whether that load is of the inferences or of other work, so it is part of the uncertainty.
"""

from typing import Final

import numpy as np

from harness.traces.bursts import Bursts, bursts_of
from harness.traces.trace import Reals
from harness.traces.windows import EnergyCurve

_N_BINS: Final = 64
_MOST_PAUSES: Final = 2000
_QUIET: Final = 0.05
"""Quantile of the power of a trace that is its idle power."""


def idle_level_mw(curve: EnergyCurve) -> float:
    """Power in mW that a trace is nearly never below."""
    edges = np.linspace(curve.times_s[0], curve.times_s[-1], _MOST_PAUSES + 1)
    return float(np.quantile(np.diff(curve.at(edges)) / np.diff(edges), _QUIET))


def outlasting_s(curve: EnergyCurve, windows: Bursts, period_s: float, limit_mw: float, least_s: float) -> float:
    """Seconds of load for each window that touch it and lie outside of it, typically; 0 where there are none.

    A pause that is under load throughout and shorter than the load before it is work between inferences.

    Args:
        curve: energy of the trace over time.
        windows: the windows, on the clock of the trace.
        period_s: seconds between samples.
        limit_mw: power from which a pause is under load.
        least_s: seconds of load at an edge that the meter alone makes.
    """
    bursts = bursts_of(windows.starts_s, windows.ends_s, period_s)
    chosen = np.unique(np.linspace(0, len(bursts) - 1, min(len(bursts), _MOST_PAUSES)).astype(np.int64))
    begins, ends = bursts.ends_s[chosen], np.append(bursts.starts_s[1:], curve.times_s[-1])[chosen]
    has_room = ends - begins > max(2 * period_s, least_s)
    if not has_room.any():
        return 0.0
    begins, ends = begins[has_room], ends[has_room]
    lengths = (bursts.ends_s - bursts.starts_s)[chosen][has_room]
    after, before = _at_edges(curve, begins, ends, limit_mw)
    is_full = after >= ends - begins
    # What follows the trace's last window need not end before another one.
    is_last = ends == curve.times_s[-1]
    load = np.where(is_full & (ends - begins <= lengths), 0.0, after + np.where(is_full | is_last, 0.0, before))
    typical = float(np.median(np.maximum(load - least_s, 0.0)))
    return typical * len(bursts) / len(windows)


def _at_edges(curve: EnergyCurve, begins: Reals, ends: Reals, limit_mw: float) -> tuple[Reals, Reals]:
    """Seconds under load from the beginning of each pause on, and up to its end."""
    width = (ends - begins) / _N_BINS
    energies = curve.at(begins[:, np.newaxis] + width[:, np.newaxis] * np.arange(_N_BINS + 1))
    is_idle = np.diff(energies, axis=1) <= limit_mw * width[:, np.newaxis]
    is_full = ~is_idle.any(axis=1)
    after = np.where(is_full, _N_BINS, is_idle.argmax(axis=1))
    before = np.where(is_full, _N_BINS, is_idle[:, ::-1].argmax(axis=1))
    whole = ends - begins
    return np.where(is_full, whole, after * width), np.where(is_full, whole, before * width)
