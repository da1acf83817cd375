"""The sampling clock behind stamps: found from arrivals where a host stamped bursts.

A meter samples evenly and its host stamps samples as they arrive, in bursts and with stalls. No sample arrives before
it was taken, so the freshest arrivals lie on a line whose slope is the sampling period.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import theilslopes

from harness.traces.trace import Reals

_BLOCK = 256
"""Samples among which the freshest arrival is kept; more than a burst, so that each block ends one."""
_MOST_POINTS = 1500
_FRESHEST = 0.05
"""Quantile of the residuals that the line is laid through: below lie clock steps of the host, not samples."""


@dataclass(frozen=True, slots=True)
class SampleClock:
    """Evenly spaced sampling times.

    Attributes:
        first_s: time of sample 0 in seconds.
        period_s: seconds between samples.
        residual_s: median distance of the freshest arrivals from the line, in seconds.
        largest_s: largest distance of the freshest arrival of a block from the line, in seconds.
    """

    first_s: float
    period_s: float
    residual_s: float
    largest_s: float

    def times(self, start: int, n_samples: int) -> Reals:
        """Times in seconds of `n_samples` samples from sample `start` on."""
        times: Reals = self.first_s + self.period_s * np.arange(start, start + n_samples, dtype=np.float64)
        return times


class ArrivalFit:
    """Collects arrivals chunk by chunk and fits the clock; memory grows by 16 bytes per 256 samples."""

    def __init__(self) -> None:
        self._positions: list[Reals] = []
        self._arrivals: list[Reals] = []
        self._n_samples = 0
        self._period: float | None = None
        self._rest = np.empty(0)

    def add(self, stamps_s: Reals) -> None:
        """Take in the next arrivals, in order."""
        stamps = np.concatenate([self._rest, stamps_s]) if self._rest.size else stamps_s
        if self._period is None and len(stamps) > 1:
            # A rough period is enough to find the freshest arrival of a block.
            self._period = float(stamps[-1] - stamps[0]) / (len(stamps) - 1)
        n_whole = len(stamps) // _BLOCK * _BLOCK
        self._keep_freshest(stamps[:n_whole].reshape(-1, _BLOCK))
        self._rest = stamps[n_whole:]

    def _keep_freshest(self, blocks: Reals) -> None:
        if not blocks.size:
            return
        delays = blocks - (self._period or 0.0) * np.arange(blocks.shape[1])
        freshest = delays.argmin(axis=1)
        rows = np.arange(len(blocks))
        self._positions.append((self._n_samples + rows * blocks.shape[1] + freshest).astype(np.float64))
        self._arrivals.append(blocks[rows, freshest])
        self._n_samples += blocks.size

    def fit(self) -> SampleClock | None:
        """Clock of all arrivals, or None where there are too few to tell.

        Source:
            Slope by Theil and Sen, the median of pairwise slopes, which stalls of the host do not move.
        """
        if len(self._rest) > 1 and (self._n_samples == 0 or len(self._rest) >= _BLOCK // 2):
            self._keep_freshest(self._rest[np.newaxis, :])
        if sum(map(len, self._positions)) < 2:
            return None
        positions, arrivals = np.concatenate(self._positions), np.concatenate(self._arrivals)
        chosen = np.unique(np.linspace(0, len(positions) - 1, min(len(positions), _MOST_POINTS)).astype(np.int64))
        # Seconds since the first arrival keep the digits that an epoch would take.
        origin = float(arrivals[0])
        period, _, _, _ = theilslopes(arrivals[chosen] - origin, positions[chosen])
        if not period > 0:
            return None
        residuals = arrivals - origin - period * positions
        first = float(np.quantile(residuals, _FRESHEST))
        distances = np.abs(residuals - first)
        return SampleClock(origin + first, float(period), float(np.median(distances)), float(distances.max()))
