"""Cumulative counters of energy: differenced into mean power, with a wrap-around of a known range undone."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from harness.traces.trace import Reals, TraceFault, TraceFormatError

RAPL_RANGES_MJ: Final = (262_143_328.850, 65_532_610.987)
"""Values of `max_energy_range_uj` in mJ: 2^32 - 1 units of 2^-14 J and of 2^-16 J as Linux rounds them.

Source:
    Linux kernel documentation, Power Capping Framework; Intel SDM volume 3, MSR_RAPL_POWER_UNIT.
"""
_MOST_STEPS: Final = 10.0
"""A step over the end of the range is at most this many times as steep as the steepest other one."""


def counter_power_mw(
    stamps_s: Reals, energies_mj: Reals, range_mj: float | None = None, first_line: int | None = None
) -> Reals:
    """Mean power in mW since the reading before; that of the first reading is that of the second.

    Args:
        stamps_s: time of every reading in seconds, rising.
        energies_mj: counter at each, in mJ.
        range_mj: energy in mJ at which the counter begins again at 0; None where it is unknown.
        first_line: line of the first reading, where readings are lines of a file.

    Raises:
        TraceFormatError: the counter falls and its range is unknown, or it rises above its range.

    >>> counter_power_mw(np.array([0.0, 1, 2]), np.array([990.0, 996, 2]), 1000)
    array([6., 6., 6.])
    """
    steps = np.diff(energies_mj)
    fallen = np.flatnonzero(steps < 0)
    if len(fallen) and range_mj is None:
        place = int(fallen[0]) + 1
        found = f"a counter that falls from {energies_mj[place - 1]:.10g} to {energies_mj[place]:.10g} mJ"
        fix = "State the range at which the counter begins again, or cut the log there."
        line = None if first_line is None else first_line + place
        raise TraceFormatError(TraceFault("trace-counter", found, "a counter that rises, or its range", fix, line))
    if range_mj is not None:
        if float(energies_mj.max(initial=0.0)) > range_mj:
            found = f"a counter of {energies_mj.max():.10g} mJ"
            fix = "Correct the range of the counter."
            raise TraceFormatError(TraceFault("trace-counter", found, f"at most its range, {range_mj:.10g} mJ", fix))
        steps = np.where(steps < 0, steps + range_mj, steps)
    if not len(steps):
        return np.zeros(len(energies_mj))
    power = _steepness(steps, stamps_s)
    return np.concatenate([power[:1], power])


def likely_range_mj(stamps_s: Reals, energies_mj: Reals, ranges_mj: Iterable[float] = RAPL_RANGES_MJ) -> float | None:
    """Range at which a counter began again: one that makes every fall a step like the others; None where none does.

    Args:
        stamps_s: time of every reading in seconds.
        energies_mj: counter at each, in mJ.
        ranges_mj: ranges that such counters have.

    >>> likely_range_mj(np.arange(3.0), np.array([65_532_600.0, 65_532_606.0, 1.0]))
    65532610.987
    """
    steps = np.diff(energies_mj)
    falls = steps < 0
    steepest = float(_steepness(np.where(falls, 0.0, steps), stamps_s).max(initial=0.0))
    for range_mj in ranges_mj:
        undone = _steepness(np.where(falls, steps + range_mj, 0.0), stamps_s)
        is_like_others = (undone >= 0).all() and (undone <= _MOST_STEPS * steepest).all()
        if is_like_others and float(energies_mj.max(initial=0.0)) <= range_mj:
            return range_mj
    return None


def wrapped_fault(found: str, line: int, start_s: float | None, end_s: float) -> TraceFault:
    """Fault of a power that a counter gave when it began again at 0.

    Args:
        found: what is there.
        line: its line.
        start_s: time of the row before, in seconds as the file has it; None where there is none.
        end_s: time of the row.
    """
    since = "the start of the log" if start_s is None else f"{start_s:.10g}"
    fix = (
        "The counter began again at 0 (wrap-around), so the energy of this interval is unknown: delete the row, and "
        f"every inference that touches the time from {since} to {end_s:.10g} s."
    )
    return TraceFault("trace-counter", found, "a power of at least 0", fix, line)


def _steepness(steps_mj: Reals, stamps_s: Reals) -> Reals:
    with np.errstate(divide="ignore", invalid="ignore"):
        # A step without a duration is reported as stamps out of order.
        return np.nan_to_num(steps_mj / np.diff(stamps_s), posinf=0.0, neginf=0.0)
