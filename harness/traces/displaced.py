"""Windows that lie beside their load from some number on: a clock that was set within a run, or samples that were lost.

One offset and one drift fit no such run, and its later windows have a plausible energy, that of the idle device.
"""

from typing import Final

import numpy as np

from harness.traces.reading import Reading
from harness.traces.steadiness import change
from harness.traces.trace import Reals, TraceFault
from harness.traces.windows import EnergyCurve

_FEWEST: Final = 3
"""Windows before and after such a place."""
_FOUND_AGAIN: Final = 0.5
"""Share of the energy that windows lack which the pauses between them have, and throttling leaves in none."""


def displaced_faults(reading: Reading) -> list[TraceFault]:
    """Fault of windows whose missing energy lies in the pauses between them; nothing where there is none."""
    starts, ends = reading.starts[reading.used], reading.ends[reading.used]
    if len(starts) < 2 * _FEWEST or not (starts[1:] >= ends[:-1]).all():
        return []
    curve = reading.windows.curve
    found = change((curve.at(ends) - curve.at(starts)) / (ends - starts), _FEWEST)
    if found is None:
        return []
    before, after = (
        _cycle_mj(curve, starts[part], ends[part]) for part in (slice(None, found.window), slice(found.window, None))
    )
    (inside, outside), (least_inside, most_outside) = (before, after) if before[0] > after[0] else (after, before)
    if not most_outside - outside >= _FOUND_AGAIN * (inside - least_inside):
        return []
    number = int(np.flatnonzero(reading.used)[found.window]) + 1
    text = (
        f"power that changes by {found.relative:+.0%} from window {number} on, at {starts[found.window]:.6g} s, with "
        "the rest of it in the pauses between the windows"
    )
    fix = (
        "Look whether a clock was set during the run, or samples were lost. Reduce the inferences before that and "
        "those after it as two runs, each with --align, or measure again."
    )
    return [TraceFault("trace-alignment", text, "one offset for the whole run", fix)]


def _cycle_mj(curve: EnergyCurve, starts: Reals, ends: Reals) -> tuple[float, float]:
    """Mean energy in mJ of windows, and of the pauses between them."""
    windows, pauses = curve.at(ends) - curve.at(starts), curve.at(starts[1:]) - curve.at(ends[:-1])
    return float(windows.mean()), float(pauses.mean())
