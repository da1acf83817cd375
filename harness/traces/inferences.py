"""Start and end of every inference: from tables, from EnergyRunner's marks, and from digital channels of a meter.

It does not know the trace; whether windows lie in it is checked when it is reduced. Times are whole nanoseconds, so
that an epoch loses no digit, and bad ones are faults, not exceptions.

A table has a header and one row per window, with commas, semicolons or tabs between cells; beside semicolons and tabs
a comma is a decimal sign. Other columns are passed over.

| columns | window |
|---|---|
| `start_us`, `end_us` (or `_s`, `_ms`, `_ns`) | numbers in the unit of the header, since 1970 or since any start |
| `start_us`, `duration_us` | the same; a window ends so long after its start |
| `start`, `end` | calendar times such as `2026-05-06T12:00:00.250+02:00`; without a zone they are local |
| `start`, `end` | numbers that are since 1970 in one unit only, by their size; others are refused |
| `start`, `duration_ms` | a calendar time and a duration |

A column `n_inferences` states how many inferences each window holds, the same number in every row.

An export of Nordic's Power Profiler with digital channels holds the windows itself: the high periods of `D0`, or of
the only channel that has any. The detailed log of LoadGen holds one window with its queries, and `results.json` of an
energy run of MLPerf Tiny one for each trial with their inferences.
"""

import json
import re
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.budget import MOST_WINDOWS
from harness.errors import UsageError
from harness.issues import quoted
from harness.numbers import decimal_of
from harness.traces.columns import first_line_of, step_of
from harness.traces.digital_windows import read_digital
from harness.traces.inference_reading import DIGITS, Reading, nanoseconds
from harness.traces.inference_tables import read_table
from harness.traces.loadgen import is_loadgen, loadgen_window
from harness.traces.logs import held_bytes, refuse_long_list
from harness.traces.ppk2_header import ppk2_names
from harness.traces.stamps import zone_of
from harness.traces.tiny_results import is_tiny_results, read_trials
from harness.traces.trace import Reals, TimeScale, TraceFault, TraceFormatError

Nanoseconds = npt.NDArray[np.int64]

_EACH = re.compile(r"# Inferences\s*:\s*(\d{1,9})\b", re.ASCII)


@dataclass(frozen=True, slots=True)
class Inferences:
    """Windows of inferences on the clock of the file.

    Attributes:
        source: file name in messages.
        starts_ns: start of every window in ns, as stamped.
        ends_ns: end of every window in ns, as stamped.
        n_each: inferences in each window.
        faults: findings of the reader.
        scale: what the times count from; `local` where calendar times state no zone and were read as if in UTC.
        stamp_step_s: step in seconds in which times are written, such as 0.001.
    """

    source: str
    starts_ns: Nanoseconds
    ends_ns: Nanoseconds
    n_each: int = 1
    faults: tuple[TraceFault, ...] = ()
    scale: TimeScale = "relative"
    stamp_step_s: float = 0.0

    @property
    def starts_s(self) -> Reals:
        """Starts in seconds; of an epoch in float64, good to 0.2 µs."""
        return self.starts_ns / 1e9

    @property
    def ends_s(self) -> Reals:
        """Ends in seconds; of an epoch in float64, good to 0.2 µs."""
        return self.ends_ns / 1e9

    def relative_to(self, start_s: float) -> tuple[Reals, Reals]:
        """Starts and ends in seconds since a time, such as the `start_s` of a trace, without the loss of an epoch."""
        # The shortest decimal that names a float is what was written before it became one.
        origin = int(Decimal(repr(float(start_s))).scaleb(DIGITS["s"]).to_integral_value())
        return (self.starts_ns - origin) / 1e9, (self.ends_ns - origin) / 1e9

    def __len__(self) -> int:
        return len(self.starts_ns)


def read_inferences(path: Path, n_each: int = 1, timezone: str | None = None) -> Inferences:
    """Windows of inferences in a file; the layouts that are read are those above.

    Args:
        path: the file; marks are recognised by their bracket, digital channels by their header.
        n_each: inferences in each window, where a window holds several.
        timezone: zone of calendar times that state none.

    Raises:
        UsageError: `n_each` is below 1.
        TraceFormatError: the file has no such layout.
        TraceOptionError: there is no such zone.
    """
    if n_each < 1:
        raise UsageError(f"inferences in each window: {n_each}; expected at least 1")
    reading = Reading()
    zone = zone_of(timezone)
    n_stated = 1
    try:
        names = ppk2_names(first_line_of(path))
        if names is not None:
            read_digital(path, names, reading)
        else:
            n_stated = _read_text(path, reading, zone)
    except TraceFormatError as error:
        raise TraceFormatError(error.fault.at(path.name)) from error
    faults = tuple(fault.at(path.name) for fault in reading.faults())
    starts, ends = np.array(reading.starts_ns, dtype=np.int64), np.array(reading.ends_ns, dtype=np.int64)
    n_each = n_each if n_each > 1 else n_stated
    return Inferences(path.name, starts, ends, n_each, faults, reading.scale, reading.stamp_step_s)


def _read_text(path: Path, reading: Reading, zone: tzinfo | None) -> int:
    """Read windows from text; inferences in each of them, as far as the file states it, otherwise 1."""
    text = held_bytes(path, MOST_WINDOWS).decode("utf-8-sig", "replace")
    if is_loadgen(text):
        return loadgen_window(text, reading, zone)
    if is_tiny_results(text):
        trials = read_trials(text)
        for number, (start, end) in enumerate(zip(trials.starts_ns.tolist(), trials.ends_ns.tolist(), strict=True)):
            reading.add(start, end, (f"of trial {number + 1}", f"of trial {number + 1}"), None)
        return trials.n_each
    if text.lstrip().startswith("["):
        _read_marks(text, reading)
    else:
        return read_table([line.strip("\r") for line in text.split("\n")], reading, zone)
    return 1


def read_n_each(results: Path) -> int:
    """Inferences in each window, from the `results.txt` of EnergyRunner.

    Raises:
        TraceFormatError: the file states no number, or not the same for every window.
    """
    counts = sorted({int(count) for count in _EACH.findall(held_bytes(results).decode("utf-8", "replace"))})
    if len(counts) != 1 or not counts[0]:
        found = f"{', '.join(map(str, counts)) or 'no'} inferences in a window"
        fix = "Take the results.txt of the energy run."
        expected = "one number for all windows, above 0"
        raise TraceFormatError(TraceFault("trace-format", found, expected, fix, source=results.as_posix()))
    return counts[0]


def _read_marks(text: str, reading: Reading) -> None:
    """Window k runs from mark k - 1 to mark k, counted from 0, for even k; the others lie between runs."""
    expected, fix = "a JSON list of marks in seconds", "Take the file as EnergyRunner wrote it."
    refuse_long_list(text)
    try:
        marks = json.loads(text, parse_float=decimal_of, parse_int=decimal_of, parse_constant=str)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise TraceFormatError(TraceFault("trace-format", "no JSON", expected, fix, line)) from error
    times = [nanoseconds(mark, DIGITS["s"]) if isinstance(mark, Decimal) else None for mark in marks]
    for mark, (value, time) in enumerate(zip(marks, times, strict=True)):
        if isinstance(value, Decimal):
            reading.step("marks", step_of(value))
        if time is None:
            found = f"mark {mark} = {quoted(value)}"
            reading.fault("trace-format", found, "seconds", "Both windows at the mark are left out.", None)
    for k in range(2, len(times), 2):
        start_ns, end_ns = times[k - 1], times[k]
        if start_ns is not None and end_ns is not None:
            reading.add(start_ns, end_ns, (f"{marks[k - 1]} of window {k}", f"{marks[k]} of window {k}"), None)
    if times and len(times) % 2 == 0:
        found, end = f"{len(times)} marks", "an odd number: one, and two for each window"
        reading.fault("trace-format", found, end, "Delete the last mark, whose window was not closed.", None)
    reading.set_scale_by_size()
