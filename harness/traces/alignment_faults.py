"""What a lag between two clocks means for a reduction: whether it matters, and what to do about it."""

from typing import Final

from harness.traces.alignment import Alignment
from harness.traces.clocked import ClockedTrace
from harness.traces.inferences import Inferences
from harness.traces.lags import COVERAGE, is_off, offset_u_s
from harness.traces.settings import ReductionSettings
from harness.traces.trace import TraceFault

_QUARTER_HOUR_S: Final = 900.0
_MOST_UNDONE: Final = 0.5
"""Share of a recorded drift that the load may take back; one that was found earlier leaves none that is significant."""


def alignment_faults(
    alignment: Alignment | None,
    clocked: ClockedTrace,
    inferences: Inferences,
    settings: ReductionSettings,
    resolution_s: float,
) -> list[TraceFault]:
    """Findings about the clocks.

    Args:
        alignment: what the power says; None where it cannot tell.
        clocked: the trace with its clock.
        inferences: its windows.
        settings: what was applied already.
        resolution_s: seconds between changes of the value.
    """
    if not len(inferences):
        return []
    faults = []
    is_told = settings.is_aligned or settings.offset_s != 0
    if clocked.trace.scale == "local" and inferences.scale == "epoch" and not is_told:
        faults.append(_zone_fault(alignment).at(clocked.trace.source))
    elif alignment is not None and _is_undone(alignment, settings.drift_ppm, inferences, resolution_s):
        left_ppm = alignment.drift * 1e6
        found = f"drift_ppm {settings.drift_ppm:.3g}, of which the load takes back {-left_ppm:.3g}"
        fix = "Leave drift_ppm out, or write the drift that deepen reduce prints for these files without it."
        faults.append(TraceFault("trace-alignment", found, "the drift that the trace shows", fix))
    elif alignment is not None and is_off(alignment, clocked, resolution_s):
        faults.append(_offset_fault(alignment, clocked, resolution_s))
    elif alignment is not None and not alignment.is_above:
        found = f"{alignment.inside_mw:.6g} mW during inferences, {alignment.outside_mw:.6g} mW outside them"
        fix = (
            "Look whether the trace and the inferences are of the same run and on one clock, and whether the power is "
            "that of the processor that ran them. If the device draws as much when idle, cut the trace to the run."
        )
        faults.append(TraceFault("trace-alignment", found, "more power during inferences, at some offset", fix))
    if alignment is None or not alignment.is_told:
        fix = "Record a few seconds of the idle device before the first and after the last inference."
        expected = "power outside the inferences, to compare the clocks by"
        found = "inferences all over the trace"
        if alignment is not None:
            found = f"no rise and fall of power at the inferences; {alignment.offset_s:+.3g} s would fit as well as 0"
        faults.append(TraceFault("trace-lag-unknown", found, expected, fix))
    return faults


def _is_undone(alignment: Alignment, drift_ppm: float, inferences: Inferences, resolution_s: float) -> bool:
    """Whether the load takes back most of a recorded drift, by more than a step of the meter at the ends of the run."""
    starts, ends = inferences.relative_to(0.0)
    moved_s = abs(alignment.drift) * float(ends[-1] - starts[0]) / 2
    is_back = alignment.drift * drift_ppm < 0
    is_most = is_back and abs(alignment.drift * 1e6) > _MOST_UNDONE * abs(drift_ppm)
    return alignment.is_told and is_most and moved_s > resolution_s


def _offset_fault(alignment: Alignment, clocked: ClockedTrace, resolution_s: float) -> TraceFault:
    error = offset_u_s(alignment, clocked, resolution_s)
    found = (
        f"{alignment.inside_mw:.6g} mW during inferences and {alignment.outside_mw:.6g} mW outside them; the load fits "
        f"inferences that are {alignment.offset_s:+.6g} ± {COVERAGE * error:.2g} s later"
    )
    if alignment.drift:
        found += f", with a drift of {alignment.drift * 1e6:.3g} ppm"
    fix = "If both files are of one run, give --align, which applies this offset and records it."
    hours = _zone(alignment.offset_s, error)
    if hours and clocked.trace.scale != "relative":
        fix = (
            f"This is a whole time zone: state the zone of the stamps, --timezone {_zone_name(hours)}; or give --align."
        )
    return TraceFault("trace-alignment", found, "an offset within its uncertainty of 0", fix)


def _zone_fault(alignment: Alignment | None) -> TraceFault:
    found = "calendar times without a zone in the trace, and inferences that count from 1970"
    fix = "State the zone in which the stamps of the trace were written: --timezone Europe/Berlin, or +01:00."
    hours = None if alignment is None else _zone(alignment.offset_s, max(alignment.offset_u_s, 1.0))
    if alignment is not None and hours is not None and alignment.contrast_mw > 0:
        zone = "UTC" if hours == 0 else _zone_name(hours)
        fix = f"State the zone in which the stamps were written; the load fits --timezone {zone}."
    return TraceFault("trace-zone", found, "the zone of the calendar times", fix)


def _zone(offset_s: float, error_s: float) -> float | None:
    """Hours of a time zone that an offset is; None where it is none."""
    quarters = round(offset_s / _QUARTER_HOUR_S)
    is_whole = abs(offset_s - quarters * _QUARTER_HOUR_S) <= max(3 * error_s, 2.0)
    return quarters / 4 if is_whole and abs(quarters) <= 14 * 4 else None


def _zone_name(hours: float) -> str:
    """Zone of stamps that were read as UTC, by how much later the inferences have to be.

    >>> _zone_name(1.0), _zone_name(-5.5)
    ('+01:00', '-05:30')
    """
    minutes = round(abs(hours) * 60)
    return f"{'-' if hours < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
