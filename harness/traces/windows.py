"""Energy of windows of a trace, and its energy over time in few points; accumulated chunk by chunk.

A window begins and ends with its inference, so power may step at its edges. Instants are joined by trapezoids inside a
window, and the first and the last of them hold up to its edges. A mean over an interval that an edge divides is divided
so that the part outside has the power of the next interval outside; where another window is too near for that, in
proportion to time.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt

from harness.traces.pieces import Piece, pieces
from harness.traces.trace import Chunk, Reals, SampleKind

Positions = npt.NDArray[np.int64]

MOST_POINTS: Final = 1 << 19
"""Points of the energy over time that are kept at least; every second one goes when there are twice as many."""
_SAME_S: Final = 1e-7
"""Times closer than this are the same; both were rounded on their way here."""
_AHEAD: Final = 3


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

    Attributes:
        curve: energy of the trace over time.
        total_mj: energy of the whole trace in mJ.
        first_s: time of the first sample in seconds; None where there is none.
        last_s: time of the last sample in seconds; None where there is none.
    """

    def __init__(self, starts_s: Reals, ends_s: Reals, kind: SampleKind = "instant") -> None:
        self._kind = kind
        # Windows are in order; where they are not, that is a fault of their own.
        before = np.concatenate([[-np.inf], ends_s[:-1]]) if len(ends_s) else ends_s
        after = np.concatenate([starts_s[1:], [np.inf]]) if len(starts_s) else starts_s
        self._starts, self._ends = _Edges(starts_s, before), _Edges(ends_s, after)
        self.curve = EnergyCurve()
        self.total_mj = 0.0
        self.first_s: float | None = None
        self.last_s: float | None = None
        self._n_before = 0

    def read(self, chunks: Iterable[Chunk], look: Callable[[Chunk], None] = lambda _: None) -> None:
        """Pass over all samples of the trace.

        Args:
            chunks: the samples; their times do not fall.
            look: is shown every chunk that has samples.
        """
        for piece in pieces(chunks, self._kind):
            energies = piece.energies_mj
            with np.errstate(over="ignore", invalid="ignore"):
                energies += self.total_mj - (energies[piece.n_carried - 1] if piece.n_carried else 0.0)
            self._evaluate(piece)
            if not piece.is_end:
                look(piece.chunk)
                self._pass(piece)
        self.curve.finish(self.last_s, self.total_mj)

    def _evaluate(self, piece: Piece) -> None:
        """Evaluate the edges that this piece has all samples for."""
        times, powers, running = piece.times_s, piece.powers_mw, piece.energies_mj
        # The last samples may still be followed by one that an edge needs.
        last_s = -np.inf if len(times) < _AHEAD else float(times[-_AHEAD])
        for edges, is_start in ((self._starts, True), (self._ends, False)):
            place, wanted, others = edges.upto(last_s, is_last=piece.is_end)
            if len(wanted):
                evaluate = _mean_edges if self._kind == "mean" else _instant_edges
                with np.errstate(over="ignore", invalid="ignore"):
                    energies, samples = evaluate(times, powers, running, wanted, others, is_start=is_start)
                edges.put(place, energies, samples + self._n_before - piece.n_carried)

    def _pass(self, piece: Piece) -> None:
        times, energies = piece.chunk.stamps_s, piece.energies_mj[piece.n_carried :]
        self.curve.add(times, energies)
        if self.first_s is None:
            self.first_s = float(times[0])
        self.last_s, self.total_mj = float(times[-1]), float(energies[-1])
        self._n_before += len(times)

    @property
    def energies_mj(self) -> Reals:
        """Energy of every window in mJ; of a window that no sample is inside, by the samples around it."""
        with np.errstate(invalid="ignore"):
            return self._ends.found[0] - self._starts.found[0]

    @property
    def n_inside(self) -> Positions:
        """Number of samples inside every window."""
        return self._ends.found[1] - self._starts.found[1]


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
