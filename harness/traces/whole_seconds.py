"""True times of lines that a log stamps with whole seconds only, from the even spacing of its lines.

A stamp is the whole part of the true time. So the line a + k p, for the time of line k, lies between each stamp and the
next second. The middle of all lines that do is taken, and their half width bounds its error. It reads no files.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.traces.trace import Reals

FEWEST_STAMPS: Final = 3
"""Different stamps from which a spacing is found where lines share stamps."""
_MOST_EXCESS_S: Final = 0.5
"""Lines that are further off their second than this are not evenly spaced."""
_PARTS: Final = 4
_ROUNDING_S: Final = 1e-9
_PERIOD_TOLERANCE: Final = 0.001

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class EvenTimes:
    """Times of the lines of a log.

    Attributes:
        times_s: time of every line in seconds, on the scale of its stamp.
        period_s: spacing of lines that follow one another.
        u_s: standard uncertainty that all times share: half the width of what is possible, over the square root of 3.
        half_period_s: half the width of the spacings that are possible.
    """

    times_s: Reals
    period_s: float
    u_s: float
    half_period_s: float

    def has_period(self, period_s: float) -> bool:
        """Whether a spacing is one of those that are possible, within 0.1 %."""
        return abs(period_s - self.period_s) <= self.half_period_s + _PERIOD_TOLERANCE * self.period_s


@dataclass(frozen=True, slots=True)
class _Spacing:
    """Lines a + k p that fit: the middle one, and half the widths of the times at both ends and of the period."""

    start_s: float
    period_s: float
    half_s: float
    half_period_s: float


def even_times(stamps_s: Sequence[int], places: Reals, period_s: float | None = None) -> EvenTimes | None:
    """Times of evenly spaced lines; None where their stamps are too few, or not those of evenly spaced lines.

    A step that even spacing cannot explain, or one back in time, begins a new run of lines with the same spacing.

    Args:
        stamps_s: whole second of every line.
        places: number of every line, rising; lines may be missing.
        period_s: seconds from a place to the next; None finds it.

    >>> even = even_times([k // 10 for k in range(3001)], np.arange(3001.0))
    >>> round(even.period_s, 4), even.times_s[:3].round(2).tolist(), round(even.u_s, 3)
    (0.1, [0.05, 0.15, 0.25], 0.029)
    """
    first = stamps_s[0]
    seconds = np.array([stamp - first for stamp in stamps_s], dtype=np.float64)
    if period_s is None and not _is_enough(seconds):
        return None
    runs = _runs(seconds, places, period_s)
    spacing = None
    if period_s is None:
        longest = max(runs, key=lambda run: run.stop - run.start)
        spacing = _spacing(seconds[longest], places[longest])
        period_s = spacing.period_s
    half_period = 0.0 if spacing is None else spacing.half_period_s
    times, halves = np.empty(len(seconds)), []
    for run in runs:
        off = seconds[run] + 0.5 - places[run] * period_s
        low, high = float(off.min()), float(off.max())
        start, half = (low + high) / 2, abs(0.5 - (high - low) / 2)
        if period_s <= 0 or (high - low) / 2 - 0.5 > _MOST_EXCESS_S:
            return None
        half += half_period * float(places[run][-1] - places[run][0])
        if spacing is not None and run == longest:
            start, half = spacing.start_s, spacing.half_s
        times[run] = places[run] * period_s + start
        halves.append(half)
    return EvenTimes(times + float(first), period_s, max(halves) / math.sqrt(3), half_period)


def _is_enough(seconds: Reals) -> bool:
    """Whether there are enough different stamps, or a stamp for every line."""
    n_different = len(np.unique(seconds))
    return n_different >= FEWEST_STAMPS or n_different == len(seconds) > 1


def _runs(seconds: Reals, places: Reals, period_s: float | None) -> list[slice]:
    """Runs of lines without a step that evenly spaced lines cannot have."""
    doubt_s = 0.0
    if period_s is None:
        lag = max(1, len(seconds) // _PARTS)
        period_s = float(np.median((seconds[lag:] - seconds[:-lag]) / (places[lag:] - places[:-lag])))
        doubt_s = 1.0 / lag
    steps = np.diff(seconds)
    breaks = np.flatnonzero((steps - np.diff(places) * (period_s + doubt_s) > 1.0) | (steps < 0)) + 1
    borders = [0, *breaks.tolist(), len(seconds)]
    return list(itertools.starmap(slice, itertools.pairwise(borders)))


def _spacing(seconds: Reals, places: Reals) -> _Spacing:
    """The middle of all lines through every second, or through seconds widened by twice what the best line lacks."""
    origin = float(places[0])
    points = list(zip((places - origin).tolist(), seconds.tolist(), strict=True))
    # Only the first and the last line of a second can be a corner.
    firsts = [point for point, before in zip(points, [None, *points], strict=False) if _differs(point, before)]
    lasts = [point for point, after in zip(points, [*points[1:], None], strict=True) if _differs(point, after)]
    upper, lower = _hull(firsts, 1), _hull(lasts, -1)
    excess = _least_width_s(upper, lower) / 2 - 0.5
    margin = max(0.0, 2 * excess) + _ROUNDING_S
    floor = [(x, y - margin) for x, y in upper]
    ceiling = [(x, y + 1 + margin) for x, y in lower]
    corners = [line for line in _lines([*floor, *ceiling]) if _fits(line, floor, ceiling)]
    last = points[-1][0]
    starts = [start for start, _ in corners]
    ends = [start + last * slope for start, slope in corners]
    slopes = [slope for _, slope in corners]
    if not corners or not last:
        return _Spacing(seconds[0] + 0.5, 0.0, 0.5, 0.0)
    start, end = (min(starts) + max(starts)) / 2, (min(ends) + max(ends)) / 2
    period = (end - start) / last
    half = max(max(starts) - min(starts), max(ends) - min(ends)) / 2
    return _Spacing(start - origin * period, period, half, (max(slopes) - min(slopes)) / 2)


def _differs(point: Point, other: Point | None) -> bool:
    return other is None or point[1] != other[1]


def _hull(points: Sequence[Point], side: int) -> list[Point]:
    """Corners of the convex hull of points in order of x, above them (1) or below (-1)."""
    hull: list[Point] = []
    for x, y in points:
        while len(hull) > 1:
            (x0, y0), (x1, y1) = hull[-2], hull[-1]
            if side * ((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) < 0:
                break
            hull.pop()
        hull.append((x, y))
    return hull


def _least_width_s(upper: Sequence[Point], lower: Sequence[Point]) -> float:
    """Least height of a strip between two parallel lines that holds all points."""
    pairs = [*itertools.pairwise(upper), *itertools.pairwise(lower)]
    slopes = [(ahead[1] - here[1]) / (ahead[0] - here[0]) for here, ahead in pairs]
    return min((max(y - x * p for x, y in upper) - min(y - x * p for x, y in lower) for p in slopes), default=0.0)


def _lines(points: Sequence[Point]) -> list[tuple[float, float]]:
    """Start and slope of the lines through two of some points."""
    return [
        (y0 - x0 * (y1 - y0) / (x1 - x0), (y1 - y0) / (x1 - x0))
        for (x0, y0), (x1, y1) in itertools.combinations(points, 2)
        if x0 != x1
    ]


def _fits(line: tuple[float, float], floor: Sequence[Point], ceiling: Sequence[Point]) -> bool:
    start, slope = line
    return all(start + x * slope >= y - _ROUNDING_S for x, y in floor) and all(
        start + x * slope <= y + _ROUNDING_S for x, y in ceiling
    )
