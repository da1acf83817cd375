"""Stretches of load, as the windows of a run have them, and what moves them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from harness.traces.trace import Reals

Mask = npt.NDArray[np.bool_]

_LEAST_GAP: Final = 2.0
"""Sampling periods below which a gap between windows cannot be seen."""


@dataclass(frozen=True, slots=True)
class Lag:
    """What is added to windows.

    Attributes:
        offset_s: seconds in the middle of the run.
        drift: further seconds for each second after the middle.
        middle_s: middle of the run in seconds.
        error_s: standard error of the offset in seconds.
    """

    offset_s: float
    drift: float
    middle_s: float
    error_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Bursts:
    """Stretches of load: windows with no visible gap between them, joined.

    Attributes:
        starts_s: start of each in seconds.
        ends_s: end of each in seconds.
    """

    starts_s: Reals
    ends_s: Reals

    def moved(self, lag: Lag) -> "Bursts":
        """The same, moved by a lag."""
        starts = self.starts_s + lag.offset_s + lag.drift * (self.starts_s - lag.middle_s)
        return Bursts(starts, self.ends_s + lag.offset_s + lag.drift * (self.ends_s - lag.middle_s))

    def inside(self, first_s: float, last_s: float, reach_s: float = 0.0) -> Mask:
        """Those that lie in a trace, with room before and after."""
        return (self.starts_s - reach_s >= first_s) & (self.ends_s + reach_s <= last_s)

    def of(self, chosen: Mask | npt.NDArray[np.int64]) -> "Bursts":
        """Some of them."""
        return Bursts(self.starts_s[chosen], self.ends_s[chosen])

    @property
    def mean_s(self) -> float:
        """Mean length in seconds."""
        return float((self.ends_s - self.starts_s).mean())

    def __len__(self) -> int:
        return len(self.starts_s)


def bursts_of(starts_s: Reals, ends_s: Reals, period_s: float) -> Bursts:
    """Windows in order, joined where no gap between them can be seen."""
    if not len(starts_s):
        return Bursts(starts_s, ends_s)
    ends = np.maximum.accumulate(ends_s)
    begins = np.concatenate([[True], starts_s[1:] - ends[:-1] >= _LEAST_GAP * period_s])
    lasts = np.concatenate([begins[1:], [True]])
    return Bursts(starts_s[begins], ends[lasts])


def lost_s(windows: Bursts, lag_s: float) -> float:
    """Mean time in seconds that a lag puts outside of the load in each window: the lag, or the gap where that is less.

    >>> lost_s(Bursts(np.array([0.0, 1.1]), np.array([1.0, 2.0])), 0.2)
    0.15000000000000005
    """
    gaps = np.append(np.maximum(windows.starts_s[1:] - windows.ends_s[:-1], 0.0), np.inf)
    return float(np.minimum(abs(lag_s), gaps).mean())
