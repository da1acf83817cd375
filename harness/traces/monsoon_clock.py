"""What the stamps of a Monsoon export count in: the unit in which the meter's 5 kHz come out, and whose clock it is.

It reads no files and corrects no stamps, except that stamps rounded to a step longer than a sample are moved to where
the samples are on average.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from harness.traces.columns import EPOCH_S, step_of
from harness.traces.logs import refused
from harness.traces.trace import ClockKind, Reals, TimeScale, TraceFormatError

STATED_HZ: Final = 5000.0
_FACTOR: Final = 2.0
"""Ratio to the stated rate up to which a unit is believed; the next unit is a thousand away."""
_PER_SECOND: Final = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_EPOCHS: Final = ((1e17, "ns"), (1e14, "us"), (1e11, "ms"), (EPOCH_S, "s"))
"""Least time since 1970 in each unit."""
_FEWEST_ROWS: Final = 50
"""Rows from which on the rate is better evidence than the size of a stamp."""
_EVEN_PERIODS: Final = 2.0
_ROUNDED_SHARE: Final = 0.9
_WHOLE_STEP: Final = 0.75


@dataclass(frozen=True, slots=True)
class MonsoonTiming:
    """How the stamps of an export are read.

    Attributes:
        per_second: units in a second.
        clock: whose clock stamped the samples.
        scale: what the stamps count from.
        step_s: step in seconds in which they are written.
        late_s: seconds to add to every stamp, because stamps are rounded down; 0 where they are finer than a sample.
        stated_hz: rate of the meter; None where the export averages.
    """

    per_second: float
    clock: ClockKind
    scale: TimeScale
    step_s: float
    late_s: float = 0.0
    stated_hz: float | None = STATED_HZ


def timing_of(stamps: Sequence[Decimal], unit: str, *, is_certain: bool) -> MonsoonTiming:
    """Timing of an export.

    Args:
        stamps: stamps of the first rows.
        unit: unit that the header states.
        is_certain: whether the writer of such headers always means that unit.

    Raises:
        TraceFormatError: no unit gives the rate of the meter.
    """
    # Nearly all stamps have as many decimal places as the first.
    step = min(map(step_of, [stamps[0], *(stamp for stamp in stamps if not stamp.same_quantum(stamps[0]))]))
    values = np.array([float(stamp - stamps[0]) for stamp in stamps])
    rate = _rate(values)
    fits = [name for name in (unit, *_PER_SECOND) if _is_near(rate, _PER_SECOND[name])]
    by_size = next((name for least, name in _EPOCHS if stamps[0] >= least), None)
    if by_size is not None and (by_size in fits or not fits or len(stamps) < _FEWEST_ROWS):
        per_second = _PER_SECOND[by_size]
        late_s = _late_s(values / per_second, step / per_second, starts_at_0=False)
        return MonsoonTiming(per_second, "host", "epoch", step / per_second, late_s)
    if not fits:
        if is_certain and rate is not None and rate * _PER_SECOND[unit] < STATED_HZ:
            # PowerTool also exports means of several samples.
            return MonsoonTiming(_PER_SECOND[unit], "device", "relative", step / _PER_SECOND[unit], stated_hz=None)
        raise _no_unit(rate, unit)
    per_second = _PER_SECOND[fits[0]]
    seconds, step_s = values / per_second, step / per_second
    if _is_even(seconds):
        return MonsoonTiming(per_second, "device", "relative", step_s)
    starts_at_0 = not stamps[0]
    return MonsoonTiming(per_second, "host", "relative", step_s, _late_s(seconds, step_s, starts_at_0=starts_at_0))


def _rate(values: Reals) -> float | None:
    """Samples in a unit of the stamps, after those of the first burst; None where the stamps do not rise."""
    span = float(values[-1] - values[0])
    n_after = int(np.sum(values > values[0]))
    return n_after / span if span > 0 else None


def _is_near(rate: float | None, per_second: float) -> bool:
    return rate is not None and STATED_HZ / _FACTOR <= rate * per_second <= STATED_HZ * _FACTOR


def _is_even(seconds: Reals) -> bool:
    """Whether stamps rise sample by sample as those of the meter's own clock."""
    if not (np.diff(seconds) > 0).all():
        return False
    even = np.linspace(seconds[0], seconds[-1], len(seconds))
    period_s = (seconds[-1] - seconds[0]) / max(len(seconds) - 1, 1)
    return bool(np.abs(seconds - even).max() < _EVEN_PERIODS * period_s)


def _late_s(seconds: Reals, step_s: float, *, starts_at_0: bool) -> float:
    """How far the last of the samples that share a stamp lies behind it, where stamps are rounded to a step."""
    period_s = 1 / STATED_HZ
    distinct = np.unique(seconds)
    if step_s < _EVEN_PERIODS * period_s or np.mean(np.diff(distinct) < 1.5 * step_s) < _ROUNDED_SHARE:
        return 0.0
    n_first = int(np.sum(seconds == seconds[0]))
    # Rounded to the nearest, half a step of samples comes before the second stamp; rounded down, a whole one.
    is_nearest = starts_at_0 and n_first < _WHOLE_STEP * step_s * STATED_HZ
    return (step_s / 2 if is_nearest else step_s) - period_s


def _no_unit(rate: float | None, unit: str) -> TraceFormatError:
    found = (
        "stamps that do not rise" if rate is None else f"{rate * _PER_SECOND[unit]:.4g} samples a second by the header"
    )
    expected = f"about {STATED_HZ:g} samples a second, with stamps in s, ms, us or ns"
    fix = "Export every sample; or find out the unit of the stamps, and head the columns time_s (or _ms, _us, _ns), "
    fix += "current_ma, voltage_v."
    return refused(found, expected, fix, rule="trace-time-unit")
