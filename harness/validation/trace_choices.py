"""What a submission chooses about a trace that changes its energy and that no file holds, named for whoever reviews it.

A choice that the trace contradicts is an error; one that nothing in the trace can judge is named, with what it does.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from harness.schema.facts import TableLayout, Trace
from harness.traces.reduction import Reduction
from harness.traces.steadiness import MOST_WARM_UP
from harness.traces.trace import TraceFault
from harness.validation.trace_energy import evidence_mj, rounding

_COUNTED: Final = ("energyrunner", "spl")
"""Formats whose own results state how many inferences a window has."""
_BY_MEDIAN: Final = ("energyrunner",)
"""Formats whose rules make the median the result."""
LEAST_SKEW: Final = 0.01
"""Share of the mean by which the median must differ to be a choice."""
LEAST_SHOWN: Final = 0.001
"""Share of the energy from which a change of it is printed."""
MOST_ABOVE_IDLE: Final = 0.10
"""Share by which a baseline may exceed the idle power that the trace itself shows; a device is never quite as idle."""
_COVERAGE: Final = 2.0


def needs_plain(trace: Trace, row: Mapping[str, Any] | None) -> bool:
    """Whether the choices of a trace are judged by a reduction without them."""
    return trace.n_skipped > 0 or (trace.baseline is not None and _is_subtracted(row))


def choice_faults(
    trace: Trace, row: Mapping[str, Any] | None, reduction: Reduction, plain: Reduction | None
) -> list[TraceFault]:
    """Findings about what was chosen: what the trace contradicts, and the rest by name.

    Args:
        trace: what binds the trace to its row.
        row: the row; None where it is not known.
        reduction: what the trace gives.
        plain: what it gives with every window and without a baseline; None where that was not asked for.
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
    faults += _baseline(trace, row, reduction, plain)
    chosen = list(_choices(trace, row, reduction, plain))
    if chosen:
        fix = "Say under notes how each was found, so that a reviewer can judge it; this warning stays."
        faults.append(TraceFault("trace-choice", "; ".join(chosen), "what the files hold, and nothing besides", fix))
    return faults


def _is_subtracted(row: Mapping[str, Any] | None) -> bool:
    return row is not None and row["energy_kind"] == "idle-subtracted"


def _baseline(
    trace: Trace, row: Mapping[str, Any] | None, reduction: Reduction, plain: Reduction | None
) -> Iterator[TraceFault]:
    """A baseline above the power that the trace shows before the run belongs to a busier device."""
    if plain is None or trace.baseline is None or not _is_subtracted(row):
        return
    bound_mw, own_mw = reduction.idle_power_mw, plain.idle_power_mw
    if bound_mw is None or own_mw is None:
        return
    slack = _COVERAGE * ((reduction.idle_u_mw or 0.0) ** 2 + (plain.idle_u_mw or 0.0) ** 2) ** 0.5
    if bound_mw <= (1 + MOST_ABOVE_IDLE) * own_mw + slack:
        return
    found = f"{bound_mw:.6g} mW in {trace.baseline.file}, {own_mw:.6g} mW before the inferences of {trace.power.file}"
    fix = (
        "Look whether the baseline is of the same device in the same state. Without a baseline, the idle power is that "
        "of the trace itself."
    )
    yield TraceFault("trace-baseline", found, f"at most {MOST_ABOVE_IDLE:.0%} more than the trace itself shows", fix)


def _choices(
    trace: Trace, row: Mapping[str, Any] | None, reduction: Reduction, plain: Reduction | None
) -> Iterator[str]:
    """Each choice in words; an offset and a rate are none, because the windows would not fit the load with others."""
    if trace.n_skipped:
        n_windows = reduction.n_inferences // max(trace.n_each, 1)
        yield f"n_skipped {trace.n_skipped} of {n_windows} windows{_effect(reduction, plain)}"
    if trace.n_each > 1 and trace.format not in _COUNTED:
        yield f"n_each {trace.n_each}"
    if trace.voltage_v is not None:
        yield f"voltage_v {trace.voltage_v}"
    if trace.layout is not None:
        yield f"a layout, by which power is {_power(trace.layout)}"
    if trace.baseline is not None and _is_subtracted(row) and plain is not None and plain.idle_power_mw is None:
        yield f"the baseline {trace.baseline.file}, with no idle power in {trace.power.file} to compare it with"
    yield from _median(trace, row, reduction)


def _effect(reduction: Reduction, plain: Reduction | None) -> str:
    if plain is None or plain.energy_mj is None or reduction.energy_mj is None:
        return ""
    changed = reduction.energy_mj / plain.energy_mj - 1 if plain.energy_mj else 0.0
    return f", which changes the energy by {f'{changed:+.1%}' if abs(changed) >= LEAST_SHOWN else 'less than 0.1%'}"


def _power(layout: TableLayout) -> str:
    """Column of the power in words.

    >>> _power(TableLayout(time="t", time_unit="s", current="I", current_unit="mA", meaning="instant"))
    'I in mA times the voltage'
    """
    if layout.power is not None:
        return f"{layout.power} in {layout.power_unit}"
    voltage = f"{layout.voltage} in {layout.voltage_unit}" if layout.voltage is not None else "the voltage"
    return f"{layout.current} in {layout.current_unit} times {voltage}"


def _median(trace: Trace, row: Mapping[str, Any] | None, reduction: Reduction) -> Iterator[str]:
    """The median of a skewed run leaves out what its expensive windows take."""
    mean, median = reduction.energy_mj, reduction.energy_median_mj
    if row is None or row["energy_mj"] is None or mean is None or median is None or trace.format in _BY_MEDIAN:
        return
    evidence = evidence_mj(reduction, is_subtracted=False)
    is_median = abs(row["energy_mj"] - median) <= evidence + rounding(row["energy_mj"])
    is_skewed = abs(mean - median) > max(LEAST_SKEW * abs(mean), evidence)
    if is_median and is_skewed and not _is_subtracted(row):
        yield f"the median, {median:.6g} mJ, of windows with a mean of {mean:.6g} mJ"
