"""Energy between two times of a trace: trapezoids with interpolated edges, accumulated chunk by chunk."""

import numpy as np

from harness.traces.trace import Reals


class EnergyAt:
    """Energy from the start of a trace to each of many times.

    Energies of windows are differences of these, so that adjacent windows add up and chunk borders do not show.

    Args:
        times_s: times in seconds, in any order; energies before the first sample are 0.
    """

    def __init__(self, times_s: Reals) -> None:
        self._order = np.argsort(times_s, kind="stable")
        self._sorted = np.asarray(times_s, dtype=np.float64)[self._order]
        self._energies = np.zeros(len(self._sorted))
        self._total = 0.0
        self._done = 0
        self._last: tuple[float, float] | None = None
        self._first_s: float | None = None

    def add(self, times_s: Reals, power_mw: Reals) -> None:
        """Add the next samples.

        Args:
            times_s: times in seconds, not falling.
            power_mw: power in mW, of the same length.
        """
        if not len(times_s):
            return
        if self._first_s is None:
            self._first_s = float(times_s[0])
            self._done = int(np.searchsorted(self._sorted, self._first_s))
        if self._last is not None:
            times_s = np.concatenate([[self._last[0]], times_s])
            power_mw = np.concatenate([[self._last[1]], power_mw])
        steps = np.diff(times_s)
        # In place, because a trace is long and every temporary array is another pass over memory.
        areas = power_mw[1:] + power_mw[:-1]
        areas *= steps
        areas *= 0.5
        running = np.zeros(len(times_s))
        np.cumsum(areas, out=running[1:])
        end = int(np.searchsorted(self._sorted, times_s[-1], side="right"))
        wanted = self._sorted[self._done : end]
        if len(wanted) and len(times_s) > 1:
            left = np.clip(np.searchsorted(times_s, wanted, side="right") - 1, 0, len(steps) - 1)
            into = wanted - times_s[left]
            step = np.where(steps[left] > 0, steps[left], 1.0)
            slope = (power_mw[left + 1] - power_mw[left]) / step
            inside = running[left] + into * (power_mw[left] + slope * into / 2)
            self._energies[self._done : end] = self._total + inside
            self._done = end
        self._total += float(running[-1])
        self._last = (float(times_s[-1]), float(power_mw[-1]))

    @property
    def energies_mj(self) -> Reals:
        """Energy in mJ up to each of the times, in the order they were given; times after the end have the total."""
        energies = np.empty_like(self._energies)
        filled = self._energies.copy()
        filled[self._done :] = self._total
        energies[self._order] = filled
        return energies

    @property
    def total_mj(self) -> float:
        """Energy of the whole trace in mJ."""
        return self._total

    @property
    def first_s(self) -> float | None:
        """Time of the first sample in seconds; None before any."""
        return self._first_s

    @property
    def last_s(self) -> float | None:
        """Time of the last sample in seconds; None before any."""
        return None if self._last is None else self._last[0]
