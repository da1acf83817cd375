"""What is wrong with a reduction beside its samples and its clocks: windows, resolution, and steadiness."""

from typing import Final

import numpy as np

from harness.traces.reading import Reading
from harness.traces.steadiness import change, warm_up
from harness.traces.trace import PowerTrace, Reals, TraceFault

FEWEST_RESOLVED: Final = 2
"""Changes of the value that a window must span, or a burst as long as a window cannot be seen."""
FEWEST_CHANGES_EACH: Final = 5
_LEAST_FILLED: Final = 0.1
"""Share of a trace that the windows of a run span, where times in another unit are asked about."""
NAME_THE_LOG: Final = "With deepen reduce, --inferences FILE names a log of another name."
SLOWEST_S: Final = 10.0
"""Seconds between samples; the slowest of the tools that are read writes one each second unless told otherwise."""
LONGEST_S: Final = 1000.0
"""Seconds of one inference; a second of any network, read a thousand times too long, gives them."""
_MANY: Final = 20
"""Changes of the value that a window should span, as the advice says."""


def resolution_faults(durations: Reals, resolution_s: float, trace: PowerTrace) -> list[TraceFault]:
    """Findings about windows that are short for the meter."""
    if not len(durations) or not resolution_s:
        return []
    window_s = float(np.median(durations))
    if window_s < FEWEST_RESOLVED * resolution_s:
        cause = f"averages over {trace.averaging_s:.3g} s" if trace.averaging_s == resolution_s else "changes"
        per = "" if cause != "changes" else f" every {resolution_s:.3g} s"
        found = f"windows of {window_s:.3g} s with a meter whose value {cause}{per}"
        fix = (
            f"Log one window over many inferences that run back to back, for {_MANY * resolution_s:.3g} s or longer, "
            "and state their number (--n-each); or read an energy counter of the device."
        )
        return [
            TraceFault("trace-resolution", found, f"windows of at least {FEWEST_RESOLVED * resolution_s:.3g} s", fix)
        ]
    each = window_s / resolution_s
    if each < FEWEST_CHANGES_EACH:
        found = f"{each:.2g} changes of the meter's value in a window"
        fix = "Give windows of many inferences, or sample faster if the meter can; the uncertainty covers it."
        return [TraceFault("trace-few-samples", found, f"at least {FEWEST_CHANGES_EACH}", fix)]
    return []


def duration_faults(durations: Reals, n_each: int, period_s: float) -> list[TraceFault]:
    """Findings about times so long that their unit is to be asked for, since two files may share a wrong one.

    Args:
        durations: duration of every window in seconds.
        n_each: inferences in each window.
        period_s: seconds between samples.
    """
    inference_s = float(np.median(durations)) / n_each if len(durations) else 0.0
    slow = f"a sample in {period_s:.6g} s"
    long = f"an inference that takes {inference_s:.6g} s"
    found = [text for text, is_odd in ((slow, period_s > SLOWEST_S), (long, inference_s >= LONGEST_S)) if is_odd]
    if not found:
        return []
    expected = f"a sample in {SLOWEST_S:g} s or less, and an inference of less than {LONGEST_S:g} s"
    fix = (
        "Are the times of both files in the unit that their headers state? Where a window holds many inferences, "
        "state their number (--n-each)."
    )
    return [TraceFault("trace-time-unusual", " and ".join(found), expected, fix)]


def window_faults(reading: Reading, start_s: float, *, is_comparable: bool = True) -> list[TraceFault]:
    """Findings about where windows lie in the trace.

    Args:
        reading: the windows and the samples.
        start_s: first time of the trace as it is written, in seconds.
        is_comparable: whether zones are known and stamps rise; until then windows outside of the trace say nothing.
    """
    starts, ends = reading.starts, reading.ends
    if not len(starts):
        fix = f"Log start and end of every inference on the clock of the trace. {NAME_THE_LOG}"
        return [TraceFault("trace-no-inference", "no inferences", "at least one", fix)]
    if not is_comparable:
        return []
    outside = np.flatnonzero(~reading.is_inside)
    if len(outside):
        first = int(outside[0])
        place = f"number {first + 1} first, at {starts[first]:.6f} to {ends[first]:.6f} s"
        found = f"{len(outside)} of {len(starts)} inferences outside the trace, {place}"
        health = reading.health
        span = f"{health.first_stamp_s:.6f} to {health.last_stamp_s:.6f} s on the clock of the trace"
        otherwise = (
            "Record until the last inference has ended; where the two clocks or their units differ, bring both to one."
        )
        fix = _other_unit(reading, start_s) or otherwise
        return [TraceFault("trace-window", found, span, fix)]
    if not reading.used.any():
        found = (
            f"none of {len(starts)} windows can be used: a gap of the trace reaches into each, or no sample is inside"
        )
        fix = "Record again without a break; where the meter is slower than an inference, log windows of many."
        fix = _other_unit(reading, start_s) or fix
        return [TraceFault("trace-energy", found, "at least one window with samples and without a gap", fix)]
    return []


def _other_unit(reading: Reading, start_s: float) -> str:
    """Question for the units of times, where those of the trace would hold the windows in another; else nothing."""
    first, last = start_s + reading.health.first_stamp_s, start_s + reading.health.last_stamp_s
    low, high = start_s + float(reading.starts.min()), start_s + float(reading.ends.max())
    for exponent in (-9, -6, -3, 3, 6, 9):
        factor = 10.0**exponent
        if first * factor <= low and high <= last * factor and high - low >= _LEAST_FILLED * (last - first) * factor:
            size = f"{factor:.0f} times as large" if exponent > 0 else f"divided by {1 / factor:.0f}"
            return (
                f"The times of the trace, {size}, would hold every inference: find out the unit of the times of each "
                "file, and correct the header, layout or option that states another."
            )
    return ""


def sign_faults(energies_mj: Reals) -> list[TraceFault]:
    """Findings about windows in which a device would have taken no energy, or given some."""
    low = np.flatnonzero(~(energies_mj > 0))
    if not len(low):
        return []
    found = f"{len(low)} of {len(energies_mj)} windows without energy, the lowest with {energies_mj.min():.4g} mJ"
    fix = "Correct the sign or the zero of the meter: a probe that is connected the wrong way round reads below 0."
    return [TraceFault("trace-energy", found, "energies above 0", fix)]


def steadiness_faults(energies: Reals, durations: Reals, n_skipped: int, reading: Reading) -> list[TraceFault]:
    """What is not steady over the run."""
    faults = []
    n_early = 0 if n_skipped else warm_up(energies)
    if n_early:
        rest = float(np.median(energies[n_early:]))
        found = (
            f"the first {n_early} of {len(energies)} windows at {energies[:n_early].mean() / rest:.3g} times the rest"
        )
        fix = f"They are part of the mean; --skip {n_early} or --warm-up auto leaves them out."
        faults.append(TraceFault("trace-unsteady", found, "windows like the others", fix))
    series = {"latency": durations[n_early:], "power": energies[n_early:] / durations[n_early:]}
    for name, values in series.items():
        found_change = change(values)
        if found_change is not None:
            number = n_early + n_skipped + found_change.window + 1
            at = float(reading.starts[reading.used][min(found_change.window + n_early, int(reading.used.sum()) - 1)])
            found = f"{name} changes by {found_change.relative:+.0%} from window {number} on, at {at:.6g} s"
            fix = (
                "Look for throttling or another process. The mean is over both parts, and its uncertainty covers both; "
            )
            fix += "for less, cut the log of the inferences to one part."
            faults.append(TraceFault("trace-unsteady", found, f"a {name} that stays the same", fix))
    return faults
