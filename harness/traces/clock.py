"""The sampling clock behind stamps: found from arrivals where a host stamped bursts.

A meter samples evenly and its host stamps samples as they arrive, in bursts and with stalls. No sample arrives before
it was taken, so the freshest arrivals lie on a line whose slope is the sampling period.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from harness.traces.trace import Reals

Positions = npt.NDArray[np.int64]

_BLOCK = 256
"""Samples among which the freshest arrival is kept, so that memory stays small where stamps come one by one."""
_SAME_BURST = 0.5
"""Stamps closer than this many periods came in one burst, whose last sample was there when its first was stamped."""
_MOST_POINTS = 500
_FRESHEST = 0.1
"""Quantile of the residuals that the line is laid through: below lie clock steps of the host, not samples."""
_LOST_S = 0.0005
_NEIGHBOURS = 8
"""Blocks that must all come later before samples count as lost; a stall delays fewer."""


@dataclass(frozen=True, slots=True)
class SampleClock:
    """Sampling times, even except where samples were lost.

    Attributes:
        period_s: seconds between samples.
        breaks: samples after which time goes on later than the period says, because samples are missing before them.
        firsts_s: time in seconds that sample 0 would have, for each stretch between breaks.
        residual_s: median distance of the freshest arrivals from these times, in seconds.
    """

    period_s: float
    breaks: Positions
    firsts_s: Reals
    residual_s: float

    def times(self, samples: Reals) -> Reals:
        """Times in seconds of samples, by their numbers from 0 on."""
        firsts: Reals = self.firsts_s[:1]
        if len(self.breaks):
            firsts = self.firsts_s[np.searchsorted(self.breaks, samples, side="right")]
        times = samples * self.period_s
        times += firsts
        return times

    @property
    def losses(self) -> list[tuple[float, float]]:
        """Time of every loss in seconds, and the seconds that are missing there; drift of the host is none."""
        missing = np.diff(self.firsts_s)
        return [
            (float(first + self.period_s * sample), float(lost))
            for sample, first, lost in zip(self.breaks, self.firsts_s[:-1], missing, strict=True)
            if lost > _LOST_S
        ]


class ArrivalFit:
    """Collects arrivals chunk by chunk and fits the clock; memory grows by 16 bytes per burst or 256 samples."""

    def __init__(self) -> None:
        self._positions: list[Reals] = []
        self._arrivals: list[Reals] = []
        self._n_samples = 0
        self._period = 0.0
        self._open: Reals = np.empty(0)

    def add(self, stamps_s: Reals) -> None:
        """Add the next arrivals, in order."""
        stamps = np.concatenate([self._open, stamps_s])
        if not len(stamps):
            return
        if not self._period and len(stamps) > 1:
            # A rough period is enough to separate bursts and to find the freshest of several.
            self._period = float(stamps[-1] - stamps[0]) / (len(stamps) - 1)
        after_steps = np.flatnonzero(np.diff(stamps) > _SAME_BURST * self._period) + 1
        begins = np.concatenate([[0], after_steps])
        # The last burst may go on in the next chunk.
        self._keep(begins[:-1], begins[1:] - 1, stamps)
        self._n_samples += int(begins[-1])
        self._open = stamps[begins[-1] :]

    def _keep(self, begins: Positions, ends: Positions, stamps: Reals) -> None:
        """Keep of every block the freshest arrival: the burst whose last sample is the youngest."""
        if not len(begins):
            return
        positions, arrivals = (ends + self._n_samples).astype(np.float64), stamps[begins]
        delays = arrivals - arrivals[0] - self._period * positions
        blocks = (ends + self._n_samples) // _BLOCK
        firsts = np.flatnonzero(np.diff(blocks, prepend=-1))
        least = np.repeat(np.minimum.reduceat(delays, firsts), np.diff(firsts, append=len(blocks)))
        freshest = np.flatnonzero(delays == least)
        # Of several, the first.
        freshest = freshest[np.diff(blocks[freshest], prepend=-1) > 0]
        self._positions.append(positions[freshest])
        self._arrivals.append(arrivals[freshest])

    def fit(self) -> SampleClock | None:
        """Clock of all arrivals, or None where there are too few.

        Source:
            Slope by Theil and Sen, the median of pairwise slopes, which stalls of the host do not move.
        """
        if len(self._open):
            self._keep(np.array([0]), np.array([len(self._open) - 1]), self._open)
        if sum(map(len, self._positions)) < 2:
            return None
        positions, arrivals = np.concatenate(self._positions), np.concatenate(self._arrivals)
        # Seconds since the first arrival keep the digits that an epoch would take.
        origin = float(arrivals[0])
        arrivals = arrivals - origin
        period = _slope(positions, arrivals)
        breaks = _losses(arrivals - period * positions)
        if len(breaks):
            # A loss bends the line through everything, so the period is that of the longest stretch without one.
            edges = [0, *breaks, len(arrivals)]
            longest = max((slice(a, b) for a, b in pairwise(edges)), key=lambda part: part.stop - part.start)
            period = _slope(positions[longest], arrivals[longest])
            breaks = _losses(arrivals - period * positions)
        if not period > 0:
            return None
        stretches = np.split(arrivals - period * positions, breaks)
        firsts = np.array([float(np.quantile(stretch, _FRESHEST)) for stretch in stretches])
        distances = np.concatenate([np.abs(part - first) for part, first in zip(stretches, firsts, strict=True)])
        places = positions[breaks - 1].astype(np.int64) + 1
        return SampleClock(period, places, origin + firsts, float(np.median(distances)))


def _slope(positions: Reals, arrivals: Reals) -> float:
    """Median of pairwise slopes, over an even choice of points where there are very many."""
    chosen = np.unique(np.linspace(0, len(positions) - 1, min(len(positions), _MOST_POINTS)).astype(np.int64))
    x, y = positions[chosen], arrivals[chosen]
    # theilslopes of scipy.stats gives the same, with an interval; importing it takes longer than the rest of this room.
    slopes = [(y[apart:] - y[:-apart]) / (x[apart:] - x[:-apart]) for apart in range(1, len(chosen))]
    return float(np.median(np.concatenate(slopes)))


def _losses(residuals: Reals) -> Positions:
    """Blocks from which on all arrivals are later than before: samples between were never recorded."""
    n = len(residuals)
    if n < 2 * _NEIGHBOURS:
        return np.empty(0, dtype=np.int64)
    breaks: list[int] = []
    least = 3
    padding = np.full(_NEIGHBOURS, np.inf)
    least_near = sliding_window_view(np.concatenate([padding, residuals, padding]), _NEIGHBOURS).min(axis=1)
    before, after = least_near[:n], least_near[_NEIGHBOURS : _NEIGHBOURS + n]
    steps = after - before
    for block in np.flatnonzero(steps > _LOST_S):
        is_far = not breaks or block - breaks[-1] >= _NEIGHBOURS
        has_both = least <= block <= n - _NEIGHBOURS
        if has_both and is_far and steps[block] == steps[block : block + _NEIGHBOURS].max():
            breaks.append(int(block))
    return np.array(breaks, dtype=np.int64)
