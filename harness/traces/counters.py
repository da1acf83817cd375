"""Cumulative counters of energy: differenced into mean power, with a wrap-around of a known range undone."""

import numpy as np

from harness.traces.trace import Reals, TraceFault, TraceFormatError


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
    with np.errstate(divide="ignore", invalid="ignore"):
        # A step without a duration is reported as stamps out of order.
        power = np.nan_to_num(steps / np.diff(stamps_s), posinf=0.0, neginf=0.0)
    return np.concatenate([power[:1], power])
