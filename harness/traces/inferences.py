"""Start and end of every inference: from CSV logs with units in the header, and from EnergyRunner's marks.

It does not know the trace; whether windows lie in it is checked when it is reduced. Times are whole nanoseconds, so
that an epoch loses no digit, and bad ones are faults, not exceptions.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.errors import UsageError
from harness.issues import quoted
from harness.numbers import decimal_of
from harness.traces.trace import Reals, TimeScale, TraceFault, TraceFormatError

Nanoseconds = npt.NDArray[np.int64]

MOST_FAULTS = 20
"""Faults of a file that are reported one by one; the others are counted."""
_DIGITS = {"s": 9, "ms": 6, "us": 3, "ns": 0}
"""Decimal places from a unit down to nanoseconds."""
_FIRST_EPOCH_NS = 10**17
"""Times from 1973 on count from 1970; smaller ones count from a start of their own."""
_LATEST_S = 9 * 10**9
_EXPECTED = "a header with start_us and end_us (or _s, _ms, _ns)"
_LEFT_OUT = "The inference is left out; correct the log."
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
        scale: what the times count from, as for a trace.
        stamp_step_s: step in seconds in which the times are written; 0 where it is negligible.
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
        origin = int(Decimal(repr(float(start_s))).scaleb(_DIGITS["s"]).to_integral_value())
        return (self.starts_ns - origin) / 1e9, (self.ends_ns - origin) / 1e9

    def __len__(self) -> int:
        return len(self.starts_ns)


def read_inferences(path: Path, n_each: int = 1) -> Inferences:
    """Inferences in a CSV log, or the windows between EnergyRunner's marks.

    Args:
        path: the file; marks are recognised by their bracket.
        n_each: inferences in each window, where a window holds several.

    Raises:
        UsageError: `n_each` is below 1.
        TraceFormatError: the file is neither.
    """
    if n_each < 1:
        raise UsageError(f"inferences in each window: {n_each}; expected at least 1")
    text = path.read_bytes().decode("utf-8-sig", "replace")
    reading = _Reading()
    try:
        if text.lstrip().startswith("["):
            _read_marks(text, reading)
        else:
            _read_table([line.strip() for line in text.split("\n")], reading)
    except TraceFormatError as error:
        raise TraceFormatError(error.fault.at(path.name)) from error
    faults = tuple(fault.at(path.name) for fault in reading.faults())
    starts, ends = np.array(reading.starts_ns, dtype=np.int64), np.array(reading.ends_ns, dtype=np.int64)
    scale: TimeScale = "epoch" if len(starts) and int(starts[0]) >= _FIRST_EPOCH_NS else "relative"
    return Inferences(path.name, starts, ends, n_each, faults, scale)


def read_n_each(results: Path) -> int:
    """Inferences in each window, from the `results.txt` of EnergyRunner.

    Raises:
        TraceFormatError: the file states no number, or not the same for every window.
    """
    counts = sorted({int(count) for count in _EACH.findall(results.read_text("utf-8", "replace"))})
    if len(counts) != 1 or not counts[0]:
        found = f"{', '.join(map(str, counts)) or 'no'} inferences in a window"
        fix = "Take the results.txt of the energy run."
        expected = "one number for all windows, above 0"
        raise TraceFormatError(TraceFault("trace-format", found, expected, fix, source=results.as_posix()))
    return counts[0]


class _Reading:
    """Windows and faults as they are read."""

    def __init__(self) -> None:
        self.starts_ns: list[int] = []
        self.ends_ns: list[int] = []
        self._faults: list[TraceFault] = []
        self._n_more = 0
        self._latest_end_ns: int | None = None

    def fault(self, rule: str, found: str, expected: str, fix: str, line: int | None) -> None:
        if len(self._faults) < MOST_FAULTS:
            self._faults.append(TraceFault(rule, found, expected, fix, line))
        else:
            self._n_more += 1

    def faults(self) -> list[TraceFault]:
        if not self._n_more:
            return self._faults
        found = f"{self._n_more} more bad inferences"
        return [*self._faults, TraceFault("inference-order", found, "inferences in order", "Correct the log.")]

    def add(self, start_ns: int, end_ns: int, shown: tuple[str, str], line: int | None) -> None:
        """Add a window if it has a duration, and note where it does not follow the one before."""
        if end_ns <= start_ns:
            self.fault("inference-order", f"end {shown[1]}", f"after the start, {shown[0]}", _LEFT_OUT, line)
            return
        if self.starts_ns and start_ns < self.starts_ns[-1]:
            fix = "Log inferences in the order in which they ran."
            self.fault("inference-order", f"start {shown[0]}", "not before the start of the one before", fix, line)
        elif self._latest_end_ns is not None and start_ns < self._latest_end_ns:
            fix = "Log inferences that run one after another; energy of overlapping ones is counted twice."
            self.fault("inference-order", f"start {shown[0]}", "not before the end of the one before", fix, line)
        self._latest_end_ns = end_ns if self._latest_end_ns is None else max(self._latest_end_ns, end_ns)
        self.starts_ns.append(start_ns)
        self.ends_ns.append(end_ns)


def _nanoseconds(value: Decimal | None, digits: int) -> int | None:
    """Whole nanoseconds of a number whose unit has so many decimal places more; None where it is no time."""
    if value is None or value.adjusted() + digits > len(str(_LATEST_S)) + _DIGITS["s"]:
        return None
    whole = int(value.scaleb(digits).to_integral_value())
    return whole if abs(whole) <= _LATEST_S * 10**9 else None


@dataclass(frozen=True, slots=True)
class _Column:
    """Where a time stands in a row, and decimal places from its unit down to nanoseconds."""

    name: str
    place: int
    digits: int


def _column(header: Sequence[str], quantity: str) -> _Column | None:
    for unit, digits in _DIGITS.items():
        if (name := f"{quantity}_{unit}") in header:
            return _Column(name, header.index(name), digits)
    return None


def _read_table(lines: Sequence[str], reading: _Reading) -> None:
    header = [cell.strip().lower() for cell in lines[0].split(",")]
    start, end, duration = (_column(header, quantity) for quantity in ("start", "end", "duration"))
    if start is None or end is None:
        fix = "Log the start and the end of every inference."
        raise TraceFormatError(TraceFault("trace-format", quoted(lines[0]) or "an empty first line", _EXPECTED, fix, 1))
    for line, cells in _rows(lines, len(header), reading):
        start_value, end_value = decimal_of(cells[start.place]), decimal_of(cells[end.place])
        start_ns, end_ns = _nanoseconds(start_value, start.digits), _nanoseconds(end_value, end.digits)
        if start_ns is None or end_ns is None:
            bad = start if start_ns is None else end
            reading.fault("trace-format", f"{bad.name} = {quoted(cells[bad.place])}", "a time", _LEFT_OUT, line)
            continue
        reading.add(start_ns, end_ns, (cells[start.place], cells[end.place]), line)
        if duration is not None and end_ns > start_ns:
            _compare_duration(reading, line, (start, end, duration), cells, end_ns - start_ns)


def _rows(lines: Sequence[str], n_cells: int, reading: _Reading) -> Iterator[tuple[int, list[str]]]:
    for line, text in enumerate(lines[1:], start=2):
        cells = [cell.strip() for cell in text.split(",")]
        if text and len(cells) == n_cells:
            yield line, cells
        elif text:
            reading.fault("trace-format", quoted(text), f"{n_cells} cells", _LEFT_OUT, line)


def _compare_duration(
    reading: _Reading, line: int, columns: tuple[_Column, _Column, _Column], cells: Sequence[str], lasted_ns: int
) -> None:
    """Note where a row's duration is not end less start, within a step of the last digit of the coarsest of them."""
    duration = columns[2]
    cell = cells[duration.place]
    stated = _nanoseconds(decimal_of(cell), duration.digits)
    steps = []
    for column in columns:
        value = decimal_of(cells[column.place])
        exponent = value.as_tuple().exponent if value is not None else 0
        steps.append(10 ** (column.digits + exponent) if isinstance(exponent, int) else 0)
    if stated is None or abs(stated - lasted_ns) > max(steps):
        expected = f"{lasted_ns / 10**duration.digits:.10g}, the end less the start"
        fix = "Log all three on one clock; the start and the end are taken."
        reading.fault("inference-order", f"{duration.name} = {quoted(cell)}", expected, fix, line)


def _read_marks(text: str, reading: _Reading) -> None:
    """Window k runs from mark k - 1 to mark k, counted from 0, for even k; the others lie between runs."""
    expected, fix = "a JSON list of marks in seconds", "Take the file as EnergyRunner wrote it."
    try:
        marks = json.loads(text, parse_float=decimal_of, parse_int=decimal_of, parse_constant=str)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise TraceFormatError(TraceFault("trace-format", "no JSON", expected, fix, line)) from error
    times = [_nanoseconds(mark, _DIGITS["s"]) if isinstance(mark, Decimal) else None for mark in marks]
    for mark, (value, time) in enumerate(zip(marks, times, strict=True)):
        if time is None:
            found = f"mark {mark} = {quoted(value)}"
            reading.fault("trace-format", found, "seconds", "Both windows at the mark are left out.", None)
    for k in range(2, len(times), 2):
        start_ns, end_ns = times[k - 1], times[k]
        if start_ns is not None and end_ns is not None:
            reading.add(start_ns, end_ns, (f"{marks[k - 1]} of window {k}", f"{marks[k]} of window {k}"), None)
    if times and len(times) % 2 == 0:
        found, end = f"{len(times)} marks", "an odd number: one, and two for each window"
        reading.fault("trace-format", found, end, "The window that was not closed is left out.", None)
