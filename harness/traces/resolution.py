"""How often the value of a meter changes, which is not how often it is read.

It collects the times of changes while samples pass. A value that hardly ever stays the same changes with every sample;
one that stays is judged by the shortest times that it stays, and by how soon it follows the edges of windows.
"""

from typing import Final

import numpy as np

from harness.traces.trace import Reals

MOST_CHANGES: Final = 200_000
"""Changes whose times are kept; a value with more of them changes nearly always."""
_FIRST_SAMPLES: Final = 100_000
"""Samples in which the smallest step of the value is looked for."""
_FEW_LEVELS: Final = 32
_COARSEST, _FINEST = 6, -6
"""Exponents of the steps in mW that are tried."""
_WHOLE: Final = 1e-6
_OFTEN: Final = 0.5
"""Share of samples that differ from the one before, from which on a value changes with every sample."""
_SHORT: Final = 0.05
"""Quantile of the times between changes that is their least; a few samples may fall between two readings."""
_HELD: Final = 1.9
"""Periods for which a value is held at least; edges between samples look like less."""
_MOST: Final = 0.8
"""Share of edges that are looked at; a window may have no load, and distances up to a limit are even."""


class Changes:
    """Changes of a value, collected while samples pass."""

    def __init__(self) -> None:
        self._times: list[Reals] = []
        self._n_kept = 0
        self._n_changes = self._n_steps = 0
        self._last: float | None = None
        self._levels = np.empty(0)

    def add(self, times_s: Reals, power_mw: Reals) -> None:
        """Add the next samples."""
        if not len(power_mw):
            return
        changed = np.empty(len(power_mw), dtype=np.bool_)
        changed[0] = self._last is not None and self._last != power_mw[0]
        np.not_equal(power_mw[1:], power_mw[:-1], out=changed[1:])
        self._last = float(power_mw[-1])
        n_changes = int(np.count_nonzero(changed))
        if self._n_steps < _FIRST_SAMPLES:
            self._levels = np.unique(np.concatenate([self._levels, power_mw[:_FIRST_SAMPLES]]))
        self._n_steps += len(changed)
        self._n_changes += n_changes
        if n_changes and self._n_kept + n_changes <= MOST_CHANGES:
            self._times.append(times_s[changed])
            self._n_kept += n_changes

    @property
    def quantum_mw(self) -> float:
        """Step in which the value is written, in mW; 0 where it never changes.

        A value that has few levels may have larger steps than it is written in: the power of ten that divides all of
        its levels is an upper limit as well.
        """
        if len(self._levels) < 2:
            return 0.0
        smallest = float(np.diff(self._levels).min())
        if len(self._levels) > _FEW_LEVELS:
            return smallest
        for exponent in range(_COARSEST, _FINEST - 1, -1):
            in_steps = self._levels / 10.0**exponent
            if np.abs(in_steps - np.round(in_steps)).max() < _WHOLE:
                return min(smallest, 10.0**exponent)
        return min(smallest, 10.0**_FINEST)

    @property
    def is_held(self) -> bool:
        """Whether the value often stays the same from one sample to the next."""
        return self._n_changes < _OFTEN * self._n_steps

    def resolution_s(self, period_s: float, edges_s: Reals) -> float:
        """Seconds between changes of the value.

        Args:
            period_s: seconds between samples.
            edges_s: times at which power is known to step, on the clock of the trace.
        """
        times = np.concatenate(self._times) if self._times else np.empty(0)
        if not self.is_held or self._n_kept < self._n_changes or len(times) < 2:
            return period_s
        between = float(np.quantile(np.diff(times), _SHORT))
        held_s = min(between, self._follows_s(times, edges_s) - period_s)
        # A value changes with a sample; up to a period more comes from where the edges lie.
        return max(period_s, held_s if held_s > _HELD * period_s else period_s)

    @staticmethod
    def _follows_s(times: Reals, edges_s: Reals) -> float:
        """Twice the time from an edge to the nearest change, for most edges; a period more than a meter takes.

        A plateau is no slow meter: a value that stays the same for seconds and changes as soon as the power does is
        only constant.
        """
        if not len(edges_s):
            return np.inf
        after = np.clip(np.searchsorted(times, edges_s), 0, len(times) - 1)
        before = np.maximum(after - 1, 0)
        nearest = np.minimum(np.abs(times[after] - edges_s), np.abs(edges_s - times[before]))
        return 2 / _MOST * float(np.quantile(nearest, _MOST))
