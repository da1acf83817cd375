"""Energy of windows of a trace, and its energy over time in few points; accumulated chunk by chunk.

A window begins and ends with its inference, so power may step at its edges. Instants are joined by trapezoids inside a
window, and the first and the last of them hold up to its edges. A mean over an interval that an edge divides is divided
so that the part outside has the power of the next interval outside; where another window is too near for that, in
proportion to time.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt

from harness.traces.trace import Reals, SampleKind

Positions = npt.NDArray[np.int64]

MOST_POINTS: Final = 1 << 19
"""Points of the energy over time that are kept at least; every second one goes when there are twice as many."""
_SAME_S: Final = 1e-7
"""Times closer than this are the same; both were rounded on their way here."""
_CARRIED: Final = 5
"""Samples that a chunk shares with the one before: an edge needs up to three on either side."""
_AHEAD: Final = 3
_FEW: Final = 1 << 15
"""Values that are summed one after the other."""


class _Edges:
    """Times at which the energy is wanted, in rising order, and what was found."""

    def __init__(self, times_s: Reals, nearest_other_s: Reals) -> None:
        self._order = np.argsort(times_s, kind="stable")
        self._times = times_s[self._order]
        self._others = nearest_other_s[self._order]
        self._energies = np.zeros(len(times_s))
        self._samples = np.zeros(len(times_s), dtype=np.int64)
        self._done = 0

    def upto(self, last_s: float, *, is_last: bool) -> tuple[slice, Reals, Reals]:
        """Edges that can be evaluated now: their places, times, and ends of the neighbouring windows."""
        end = len(self._times) if is_last else int(np.searchsorted(self._times, last_s))
        place = slice(self._done, max(end, self._done))
        self._done = place.stop
        return place, self._times[place], self._others[place]

    def put(self, place: slice, energies: Reals, samples: Positions) -> None:
        self._energies[place], self._samples[place] = energies, samples

    @property
    def found(self) -> tuple[Reals, Positions]:
        """Energy in mJ up to each time, and the number of samples before it, in the order that was asked for."""
        energies, samples = np.empty_like(self._energies), np.empty_like(self._samples)
        energies[self._order], samples[self._order] = self._energies, self._samples
        return energies, samples


class WindowEnergies:
    """Energy of each of many windows, and the energy of the trace over time.

    Args:
        starts_s: start of every window in seconds, in order.
        ends_s: end of every window in seconds.
        kind: what a sample is.
    """

    def __init__(self, starts_s: Reals, ends_s: Reals, kind: SampleKind = "instant") -> None:
        self._is_mean = kind == "mean"
        # Windows are in order; where they are not, that is a fault of their own.
        before = np.concatenate([[-np.inf], ends_s[:-1]]) if len(ends_s) else ends_s
        after = np.concatenate([starts_s[1:], [np.inf]]) if len(starts_s) else starts_s
        self._starts, self._ends = _Edges(starts_s, before), _Edges(ends_s, after)
        self.curve = EnergyCurve()
        self._times = self._powers = np.empty(0)
        self._total = 0.0
        self._n_before = 0
        self.first_s: float | None = None

    def add(self, times_s: Reals, power_mw: Reals) -> None:
        """Add the next samples.

        Args:
            times_s: times in seconds, not falling.
            power_mw: power in mW, of the same length.
        """
        if not len(times_s):
            return
        if self.first_s is None:
            self.first_s = float(times_s[0])
        n_carried = len(self._times)
        times, powers = np.concatenate([self._times, times_s]), np.concatenate([self._powers, power_mw])
        running = self._running(times, powers, n_carried)
        self.curve.add(times[n_carried:], running[n_carried:])
        self._evaluate(times, powers, running, is_last=False)
        kept = min(_CARRIED, len(times))
        self._n_before += len(times) - kept
        self._total = float(running[-1])
        self._times, self._powers = times[-kept:], powers[-kept:]

    def _running(self, times: Reals, powers: Reals, n_carried: int) -> Reals:
        """Energy in mJ from the start of the trace up to each sample."""
        # In place, because a trace is long and every temporary array is another pass over memory. A power beyond all
        # bounds is reported by the reader of the trace.
        with np.errstate(over="ignore", invalid="ignore"):
            if self._is_mean:
                areas = powers[1:] * np.diff(times)
            else:
                areas = powers[1:] + powers[:-1]
                areas *= np.diff(times)
                areas *= 0.5
            running = np.empty(len(times))
            running[0] = 0.0
            _sums(areas, out=running[1:])
            running += self._total - (running[n_carried - 1] if n_carried else 0.0)
        return running

    def _evaluate(self, times: Reals, powers: Reals, running: Reals, *, is_last: bool) -> None:
        # The last samples may still be followed by one that an edge needs.
        last_s = -np.inf if len(times) < _AHEAD else float(times[-_AHEAD])
        for edges, is_start in ((self._starts, True), (self._ends, False)):
            place, wanted, others = edges.upto(last_s, is_last=is_last)
            if len(wanted):
                evaluate = _mean_edges if self._is_mean else _instant_edges
                with np.errstate(over="ignore", invalid="ignore"):
                    energies, samples = evaluate(times, powers, running, wanted, others, is_start=is_start)
                edges.put(place, energies, samples + self._n_before)

    def finish(self) -> None:
        """Evaluate the edges that lie at the last samples; no more samples follow."""
        if len(self._times):
            running = self._running(self._times, self._powers, len(self._times))
            self._evaluate(self._times, self._powers, running, is_last=True)
        self.curve.finish(self.last_s, self._total)

    @property
    def energies_mj(self) -> Reals:
        """Energy of every window in mJ; of a window that no sample is inside, by the samples around it."""
        with np.errstate(invalid="ignore"):
            return self._ends.found[0] - self._starts.found[0]

    @property
    def n_inside(self) -> Positions:
        """Number of samples inside every window."""
        return self._ends.found[1] - self._starts.found[1]

    @property
    def total_mj(self) -> float:
        """Energy of the whole trace in mJ."""
        return self._total

    @property
    def last_s(self) -> float | None:
        """Time of the last sample in seconds; None before any."""
        return float(self._times[-1]) if len(self._times) else None


def _sums(values: Reals, out: Reals) -> None:
    """Sum of values up to each, for which a sum that waits for the one before it takes most of the time."""
    if len(values) < _FEW:
        np.cumsum(values, out=out)
        return
    # Sums over pairs give every second one; the others lack the last value of it.
    n_even = len(values) // 2 * 2
    firsts, seconds = values[:n_even:2], values[1:n_even:2]
    _sums(firsts + seconds, out=out[1:n_even:2])
    np.subtract(out[1:n_even:2], seconds, out=out[:n_even:2])
    if n_even < len(values):
        out[-1] = out[-2] + values[-1]


def _instant_edges(
    times: Reals, powers: Reals, running: Reals, wanted: Reals, _: Reals, *, is_start: bool
) -> tuple[Reals, Positions]:
    """Energy up to edges, and the number of samples before each.

    The nearest sample inside holds up to the edge, unless the one outside is more like it than like the next outside,
    and so belongs to the load as well. A sample at the very start of a window is inside, one at its end is not.
    """
    last = len(times) - 1
    after = np.searchsorted(times, wanted - _SAME_S)
    inside = np.clip(after if is_start else after - 1, 0, last)
    step = -1 if is_start else 1
    outside, further = inside + step, inside + 2 * step
    is_known = (outside >= 0) & (outside <= last) & (further >= 0) & (further <= last)
    outside, further = np.clip(outside, 0, last), np.clip(further, 0, last)
    is_load = is_known & (np.abs(powers[outside] - powers[inside]) <= np.abs(powers[outside] - powers[further]))
    apart = times[outside] - times[inside]
    slope = np.where(is_load & (apart != 0), powers[outside] - powers[inside], 0.0) / np.where(apart != 0, apart, 1.0)
    into = wanted - times[inside]
    return running[inside] + into * (powers[inside] + slope * into / 2), after


def _mean_edges(
    times: Reals, powers: Reals, running: Reals, wanted: Reals, others: Reals, *, is_start: bool
) -> tuple[Reals, Positions]:
    """Energy up to edges that divide intervals, and the number of interval ends before each."""
    last = len(times) - 1
    after = np.searchsorted(times, wanted + _SAME_S if is_start else wanted - _SAME_S)
    # Interval i ends at sample i and begins at sample i - 1.
    divided = np.clip(after, 1, max(last, 1))
    if last < 1:
        return running[np.zeros(len(wanted), dtype=np.int64)], after
    if is_start:
        outside = np.maximum(divided - 1, 1)
        is_clear = (divided >= 2) & (others <= times[np.maximum(divided - 2, 0)])
        power = np.where(is_clear, powers[outside], powers[divided])
        return running[divided - 1] + power * (wanted - times[divided - 1]), after
    outside = np.minimum(divided + 1, last)
    is_clear = (divided + 1 <= last) & (others >= times[outside])
    power = np.where(is_clear, powers[outside], powers[divided])
    return running[divided] - power * (times[divided] - wanted), after


def _every_second(pieces: Sequence[Reals]) -> list[Reals]:
    """Every second value of pieces that follow each other; copies, so that the others can go."""
    befores = accumulate(map(len, pieces), initial=0)
    return [piece[n_before % 2 :: 2].copy() for n_before, piece in zip(befores, pieces, strict=False)]


class EnergyCurve:
    """Energy of a trace over time in a bounded number of points, each exact."""

    def __init__(self) -> None:
        self._times: list[Reals] = []
        self._energies: list[Reals] = []
        self._n_points = self._n_seen = 0
        self._each = 1

    def add(self, times_s: Reals, energies_mj: Reals) -> None:
        """Add samples with the energy up to each of them."""
        first = -self._n_seen % self._each
        self._n_seen += len(times_s)
        # Copies, so that the chunk can go.
        self._times.append(times_s[first :: self._each].copy())
        self._energies.append(energies_mj[first :: self._each].copy())
        self._n_points += len(self._times[-1])
        while self._n_points > 2 * MOST_POINTS:
            self._each *= 2
            self._times, self._energies = _every_second(self._times), _every_second(self._energies)
            self._n_points = sum(map(len, self._times))

    def finish(self, last_s: float | None, total_mj: float) -> None:
        """Add the end of the trace, whatever the step between points."""
        times = np.concatenate(self._times) if self._times else np.empty(0)
        energies = np.concatenate(self._energies) if self._energies else np.empty(0)
        if last_s is not None and len(times) and times[-1] < last_s:
            times, energies = np.append(times, last_s), np.append(energies, total_mj)
        self._times, self._energies = [times], [energies]

    @property
    def times_s(self) -> Reals:
        """Times of the points in seconds."""
        return self._times[0]

    @property
    def energies_mj(self) -> Reals:
        """Energy in mJ up to each point."""
        return self._energies[0]

    @property
    def step_s(self) -> float:
        """Mean seconds between points."""
        times = self.times_s
        return float(times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 0.0

    def at(self, times_s: Reals) -> Reals:
        """Energy in mJ up to times; before the trace 0, after it the whole."""
        return np.interp(times_s, self.times_s, self.energies_mj)
