"""What a submission states of a trace that changes its energy and that no file holds, named for whoever reviews it."""

from typing import Final

from harness.schema.facts import Trace
from harness.traces.reduction import Reduction
from harness.traces.steadiness import MOST_WARM_UP
from harness.traces.trace import TraceFault

_COUNTED: Final = ("energyrunner", "spl")
"""Formats whose own results state how many inferences a window has."""


def choice_faults(trace: Trace, reduction: Reduction) -> list[TraceFault]:
    """Findings about what was chosen: more windows left out than a warm-up has, an offset that nothing shows, the rest.

    Args:
        trace: what binds the trace to its row.
        reduction: what the trace gives.
    """
    faults = []
    n_windows = reduction.n_inferences // max(trace.n_each, 1)
    if trace.n_skipped > MOST_WARM_UP * n_windows:
        found = f"n_skipped {trace.n_skipped} of {n_windows} windows"
        fix = (
            "Leave out the warm-up only, which --warm-up auto finds; where the run is not steady, measure a longer one."
        )
        faults.append(TraceFault("trace-skipped", found, f"at most {MOST_WARM_UP:.0%}", fix))
    is_told = "trace-lag-unknown" not in {fault.rule for fault in reduction.faults}
    if trace.offset_s and not is_told:
        found = f"offset_s {trace.offset_s:g}, and no rise and fall of power to tell it by"
        fix = "Bind a trace with idle power before and after the run, or leave the offset out."
        faults.append(TraceFault("trace-alignment", found, "an offset that the trace shows", fix))
    chosen = _choices(trace, n_windows)
    if chosen:
        fix = "Say under notes how each of them was found, since a reviewer cannot see it in the files."
        faults.append(TraceFault("trace-choice", "; ".join(chosen), "what the files hold, and nothing besides", fix))
    return faults


def _choices(trace: Trace, n_windows: int) -> list[str]:
    """Each choice in words; an offset and a rate are none, because the windows would not fit the load with others."""
    choices = {
        f"n_skipped {trace.n_skipped} of {n_windows} windows": trace.n_skipped > 0,
        f"n_each {trace.n_each}": trace.n_each > 1 and trace.format not in _COUNTED,
        f"voltage_v {trace.voltage_v}": trace.voltage_v is not None,
        "layout, columns and units of a table": trace.layout is not None,
    }
    return [words for words, is_chosen in choices.items() if is_chosen]
