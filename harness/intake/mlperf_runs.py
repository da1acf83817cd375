"""Figures of one run of MLPerf Inference with power: `spl.txt` and `mlperf_log_detail.txt` in one folder.

Energy of one inference is the mean of the power samples inside the window of LoadGen times the duration of the window
over its queries. Results before v2.0 count no queries; there it is that mean times the mean latency, and where queries
are counted, both must agree. Both files stamp in the same time without a zone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from harness.issues import quoted
from harness.traces.formats.spl import SPL_LAYOUT, spl_lines
from harness.traces.loadgen import (
    MEAN_LATENCY,
    POWER_MARKS,
    QUERY_COUNT,
    is_loadgen,
    loadgen_values,
    power_marks,
    whole_number,
)
from harness.traces.logs import held_bytes
from harness.traces.runs import MLPERF_POWER, MLPERF_WINDOWS
from harness.traces.trace import Reals, TraceFault, TraceFormatError
from harness.validation.rules import ENERGY_TOLERANCE, MOST_PAUSE_MS

_MOST_STEPS: Final = 2.5
"""Steps of the meter between two samples beyond which one is missing."""
_MOST_MISSED: Final = 0.5
"""Share of its samples that a repeat may miss, because its power is steady; 0.18 is known of results."""
_P90: Final = "result_90.00_percentile_latency_ns"
_VALIDITY: Final = "result_validity"
_SCENARIO: Final = "effective_scenario"
_VALID: Final = "VALID"
_SINGLE_STREAM: Final = "SingleStream"
_WANTED: Final = (*POWER_MARKS, QUERY_COUNT, MEAN_LATENCY, _P90, _VALIDITY, _SCENARIO)
_TAKE: Final = "Take the files of the run as LoadGen and PTDaemon wrote them."


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What a run measured.

    Attributes:
        energy_mj: energy of one inference in mJ.
        power_mw: mean power inside the window in mW.
        latency_ms: mean duration of one inference in ms.
        latency_p90_ms: its 90th percentile in ms; None where the log has none.
        idle_before_mw: median power before the window in mW; None without a sample there.
        idle_after_mw: median power after it in mW, as before.
        step_s: median time between two samples in seconds.
        highest_mw: highest power inside the window in mW.
        duration_s: length of the window in seconds.
    """

    energy_mj: float
    power_mw: float
    latency_ms: float
    latency_p90_ms: float | None
    idle_before_mw: float | None
    idle_after_mw: float | None
    step_s: float
    highest_mw: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class _Window:
    """Window of LoadGen, in microseconds as stamped, and the time that each of its queries takes."""

    begin_us: int
    end_us: int
    each_ms: float
    latency_ms: float
    latency_p90_ms: float | None


def read_run(folder: Path, *, is_result: bool) -> tuple[RunFigures, date]:
    """Figures of the run in a folder, and the day of its begin.

    Args:
        folder: folder of the run, such as `run_1` or `ranging`.
        is_result: whether it is the result; a repeat need not be valid, and may miss samples.

    Raises:
        TraceFormatError: a file is missing or cannot be read, or its run gives no energy; the fault has the rule.
    """
    log, power = folder / MLPERF_WINDOWS, folder / MLPERF_POWER
    for path in (log, power):
        if not path.is_file():
            expected = f"{power.name} and {log.name}"
            fault = TraceFault("trace-missing", f"no {path.name} in {folder.name}/", expected, _TAKE)
            raise TraceFormatError(fault.at(path.name))
    try:
        window = _window(held_bytes(log).decode("utf-8-sig", "replace"), is_result)
    except TraceFormatError as error:
        raise TraceFormatError(error.fault.at(log.name)) from error
    try:
        figures = _figures(power, window, is_result)
    except TraceFormatError as error:
        raise TraceFormatError(error.fault.at(power.name)) from error
    return figures, date(1970, 1, 1) + timedelta(microseconds=window.begin_us)


def _refused(rule: str, found: str, expected: str, fix: str = _TAKE) -> TraceFormatError:
    return TraceFormatError(TraceFault(rule, found, expected, fix))


def _window(text: str, is_result: bool) -> _Window:
    """Window and latencies in a log of LoadGen.

    Raises:
        TraceFormatError: it is no log of a valid run with power in the scenario of single streams.
    """
    if not is_loadgen(text):
        raise _refused(
            "foreign-file", quoted(text[:60].partition("\n")[0]) or "an empty file", "a log of LoadGen, :::MLLOG {...}"
        )
    values = loadgen_values(text, _WANTED)
    if values.get(_SCENARIO) != _SINGLE_STREAM:
        found = f"{_SCENARIO} {quoted(values.get(_SCENARIO, 'not stated'))}"
        raise _refused("foreign-file", found, f"{_SCENARIO} {_SINGLE_STREAM}", "Import runs of single streams alone.")
    if is_result and values.get(_VALIDITY) != _VALID:
        found = f"{_VALIDITY} {quoted(values.get(_VALIDITY, 'not stated'))}"
        fix = "Leave the run out, or repeat it as the rules of the benchmark ask."
        raise _refused("run-invalid", found, f"{_VALIDITY} {_VALID}", fix)
    begin, end = power_marks(values)
    latency_ns = whole_number(values, MEAN_LATENCY)
    if latency_ns is None:
        raise _refused("trace-no-inference", f"no {MEAN_LATENCY}", f"{MEAN_LATENCY}, a whole number above 0")
    each_ms = _each_ms(values, end.us - begin.us, latency_ns)
    p90_ns = whole_number(values, _P90)
    return _Window(begin.us, end.us, each_ms, latency_ns / 1e6, None if p90_ns is None else p90_ns / 1e6)


def _each_ms(values: Mapping[str, Any], duration_us: int, latency_ns: int) -> float:
    """Duration of the window over its queries in ms; the mean latency where they are not counted.

    Raises:
        TraceFormatError: the two differ.
    """
    count = whole_number(values, QUERY_COUNT)
    if count is None:
        return latency_ns / 1e6
    each_ns = duration_us * 1e3 / count
    most = ENERGY_TOLERANCE + (MOST_PAUSE_MS * 1e6 / latency_ns if each_ns > latency_ns else 0.0)
    if abs(each_ns / latency_ns - 1) > most:
        found = f"{each_ns / 1e6:.6g} ms, the window over {count} queries"
        expected = f"{latency_ns / 1e6:.6g} ms within {most:.1%}, as {MEAN_LATENCY} states"
        raise _refused("latency-count", found, expected)
    return each_ns / 1e6


def _figures(power: Path, window: _Window, is_result: bool) -> RunFigures:
    """Powers inside and outside of a window.

    Raises:
        TraceFormatError: the power log cannot be read, or has not every sample of the window.
    """
    stamps: list[int] = []
    watts: list[float] = []
    n_missed = 0
    for line in spl_lines(power):
        if line.stamp is None or line.watts is None:
            fault = TraceFault("trace-format", quoted(line.text) or "a blank line", SPL_LAYOUT, _TAKE, line.number)
            raise TraceFormatError(fault)
        if line.is_missed:
            n_missed += window.begin_us <= line.stamp.us <= window.end_us
            continue
        stamps.append(line.stamp.us)
        watts.append(line.watts)
    times, powers = np.array(stamps, dtype=np.int64), np.array(watts)
    step_s = _covering_step_s(times, window)
    inside = (times >= window.begin_us) & (times <= window.end_us)
    _check_samples(times[inside], n_missed, step_s, is_result)
    power_mw = float(powers[inside].mean()) * 1e3
    return RunFigures(
        energy_mj=power_mw * window.each_ms / 1e3,
        power_mw=power_mw,
        latency_ms=window.latency_ms,
        latency_p90_ms=window.latency_p90_ms,
        idle_before_mw=_median_mw(powers[times < window.begin_us]),
        idle_after_mw=_median_mw(powers[times > window.end_us]),
        step_s=step_s,
        highest_mw=float(powers[inside].max()) * 1e3,
        duration_s=(window.end_us - window.begin_us) / 1e6,
    )


def _check_samples(times: npt.NDArray[np.int64], n_missed: int, step_s: float, is_result: bool) -> None:
    """Refuse a window without all of its samples; a repeat of which the meter has most of them is let through.

    Raises:
        TraceFormatError: samples are missing.
    """
    fix = "Leave the run out; what the device drew in those seconds is unknown."
    widest_s = float(np.diff(times).max(initial=0)) / 1e6
    if is_result and (n_missed or widest_s > _MOST_STEPS * step_s):
        found = f"{n_missed} samples of -1 W inside the window, and at most {widest_s:.3g} s between two others"
        raise _refused("power-missed", found, f"a sample every {step_s:.3g} s", fix)
    if not len(times) or n_missed > _MOST_MISSED * (n_missed + len(times)):
        found = f"{n_missed} of {n_missed + len(times)} samples inside the window of -1 W"
        raise _refused("power-missed", found, f"at most {_MOST_MISSED:.0%} of the samples of a repeat", fix)


def _covering_step_s(times: npt.NDArray[np.int64], window: _Window) -> float:
    """Median time between two samples of a log that reaches over a window, in seconds.

    Raises:
        TraceFormatError: it does not, or its stamps do not rise.
    """
    steps = np.diff(times)
    if len(steps) and steps.min() <= 0:
        line = int(np.argmax(steps <= 0)) + 2
        raise _refused("trace-order", f"sample {line} is not after the one before it", "stamps that rise")
    step_us = float(np.median(steps)) if len(steps) else 0.0
    if len(steps) < 2 or times[0] > window.begin_us + step_us or times[-1] < window.end_us - step_us:
        found = f"a window from {_clock(window.begin_us)} to {_clock(window.end_us)}"
        reach = f"{_clock(int(times[0]))} to {_clock(int(times[-1]))}" if len(times) else "no sample"
        raise _refused("trace-window", found, f"one inside the power log, {reach}")
    return step_us / 1e6


def _clock(time_us: int) -> str:
    return (datetime(1970, 1, 1) + timedelta(microseconds=time_us)).isoformat(" ", "milliseconds")


def _median_mw(watts: Reals) -> float | None:
    return float(np.median(watts)) * 1e3 if len(watts) else None
