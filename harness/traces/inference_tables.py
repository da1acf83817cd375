"""Logs of inferences as tables: start and end, or start and duration, as numbers with a unit or as calendar times."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Final

from harness.issues import quoted
from harness.numbers import decimal_of
from harness.traces.columns import step_of
from harness.traces.inference_reading import DIGITS, LEFT_OUT, Reading, nanoseconds
from harness.traces.stamps import calendar_stamp, epoch_unit
from harness.traces.trace import TimeScale, TraceFault, TraceFormatError

EXPECTED: Final = (
    "a header with start_us and end_us, or start_us and duration_us (or _s, _ms, _ns), "
    "or calendar times or times since 1970 under start and end"
)
_FIX: Final = "Log the start and the end of every inference."
_COUNT: Final = "n_inferences"
"""Column of the inferences in a window; a file without it has one in each."""
_NS_OF_US: Final = 1000
_MOST_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class _Time:
    """A time of a row, and the step in ns in which it is written; a number has no scale yet.

    The fold is what to add where it is the second time that clocks show it, as summer time ends.
    """

    ns: int
    step_ns: float
    scale: TimeScale | None = None
    fold_ns: int = 0

    def after(self, ns: int) -> "_Time":
        """The same time, the second time that clocks show it where only that is not before another."""
        return replace(self, ns=self.ns + self.fold_ns) if self.ns < ns else self


@dataclass(frozen=True, slots=True)
class _Column:
    """Where a time stands in a row, and decimal places from its unit to nanoseconds; None of calendar times."""

    name: str
    place: int
    digits: int | None

    def time(self, cells: Sequence[str], zone: tzinfo | None) -> _Time | None:
        """Time of a row; None where its cell holds none."""
        cell = cells[self.place]
        if self.digits is None:
            stamp = calendar_stamp(cell, zone)
            if stamp is None:
                return None
            return _Time(stamp.us * _NS_OF_US, stamp.step_s * 1e9, stamp.scale, stamp.fold_us * _NS_OF_US)
        value = decimal_of(cell)
        ns = nanoseconds(value, self.digits)
        return None if value is None or ns is None else _Time(ns, step_of(value) * 10.0**self.digits)

    def settled(self, cells: Sequence[str], header: str) -> "_Column":
        """The column with the unit of its numbers, where the header states none and their size does.

        Raises:
            TraceFormatError: the cell is a number whose size does not settle its unit.
        """
        value = None if self.digits is not None else decimal_of(cells[self.place])
        if value is None:
            return self
        if (unit := epoch_unit(value)) is None:
            fix = "State the unit of the numbers in the header, such as start_us and end_us for microseconds."
            fault = _no_header(header)
            raise TraceFormatError(TraceFault(fault.rule, fault.found, fault.expected, fix, 1))
        return replace(self, digits=DIGITS[unit])


def _column(header: Sequence[str], quantity: str) -> _Column | None:
    for unit, digits in DIGITS.items():
        if (name := f"{quantity}_{unit}") in header:
            return _Column(name, header.index(name), digits)
    is_calendar = quantity in header and quantity != "duration"
    return _Column(quantity, header.index(quantity), None) if is_calendar else None


def read_table(lines: Sequence[str], reading: Reading, zone: tzinfo | None) -> int:
    """Read the windows of a table; inferences in each of them.

    Args:
        lines: all lines of the file, the header first.
        reading: takes the windows and the findings.
        zone: zone of calendar times that state none.

    Raises:
        TraceFormatError: the header has no start with an end or a duration, or states no unit of numbers whose size
            does not settle it.
    """
    separator = "\t" if "\t" in lines[0] else ";" if ";" in lines[0] and "," not in lines[0] else ","
    header = [cell.strip().strip('"').lower() for cell in lines[0].split(separator)]
    start, end, duration = (_column(header, quantity) for quantity in ("start", "end", "duration"))
    if start is None or (end is None and duration is None):
        raise TraceFormatError(_no_header(lines[0]))
    counts = _Counts(header, reading)
    for line, cells in _rows(lines, separator, len(header), reading):
        if not counts.agree(cells, line):
            continue
        start = start.settled(cells, lines[0])
        end = None if end is None else end.settled(cells, lines[0])
        _read_row(reading, line, cells, (start, end, duration), zone)
    if start.digits is not None:
        reading.set_scale_by_size()
    return counts.n_each


class _Counts:
    """Inferences in each window, where a column states them, which has to state the same in every row.

    Args:
        header: names of the columns.
        reading: takes the findings.

    Attributes:
        n_each: inferences in each window so far; 1 where no column states them.
    """

    def __init__(self, header: Sequence[str], reading: Reading) -> None:
        self._place = header.index(_COUNT) if _COUNT in header else None
        self._reading, self._first = reading, ""
        self.n_each = 1

    def agree(self, cells: Sequence[str], line: int) -> bool:
        """Whether a row has as many as those before it, which is noted where it has not."""
        if self._place is None:
            return True
        cell = cells[self._place]
        if not self._first and cell.isascii() and cell.isdecimal() and 0 < len(cell) <= _MOST_DIGITS and int(cell):
            self._first, self.n_each = cell, int(cell)
        if cell == self._first:
            return True
        expected = f"{self._first or 'a whole number above 0'}, as in every window"
        self._reading.fault("trace-format", f"{_COUNT} = {quoted(cell)}", expected, LEFT_OUT, line)
        return False


def _no_header(header: str) -> TraceFault:
    return TraceFault("trace-format", quoted(header.strip()) or "an empty first line", EXPECTED, _FIX, 1)


def _rows(lines: Sequence[str], separator: str, n_cells: int, reading: Reading) -> Iterator[tuple[int, list[str]]]:
    for line, text in enumerate(lines[1:], start=2):
        cells = [cell.strip().strip('"') for cell in text.split(separator)]
        if separator != ",":
            cells = [cell.replace(",", ".") for cell in cells]
        if text.strip() and len(cells) == n_cells:
            yield line, cells
        elif text.strip():
            reading.fault("trace-format", quoted(text.strip()), f"{n_cells} cells", LEFT_OUT, line)


def _read_row(
    reading: Reading,
    line: int,
    cells: Sequence[str],
    columns: tuple[_Column, _Column | None, _Column | None],
    zone: tzinfo | None,
) -> None:
    """Add the window of a row, or note why it has none."""
    start, end, duration = columns
    last = end or duration
    if last is None:
        return
    first_time, last_time = start.time(cells, zone), last.time(cells, zone)
    if first_time is None or last_time is None:
        bad = start if first_time is None else last
        what = "a time" if bad is not duration else "a duration"
        reading.fault("trace-format", f"{bad.name} = {quoted(cells[bad.place])}", what, LEFT_OUT, line)
        return
    scales = {time.scale for time in (first_time, last_time) if time.scale is not None}
    if scales and (len(scales) > 1 or (reading.starts_ns and reading.scale not in scales)):
        found = f"{start.name} = {quoted(cells[start.place])}"
        reading.fault("trace-zone", found, "a zone in every time, or in none", LEFT_OUT, line)
        return
    reading.scale = next(iter(scales), reading.scale)
    first_time = first_time.after(reading.starts_ns[-1]) if reading.starts_ns else first_time
    last_time = last_time.after(first_time.ns) if end is not None else last_time
    end_ns = last_time.ns if end is not None else first_time.ns + last_time.ns
    for column, time in ((start, first_time), (last, last_time)):
        reading.step(column.name, time.step_ns / 1e9)
    shown = cells[start.place], cells[last.place] if end is not None else f"{cells[last.place]} later"
    reading.add(first_time.ns, end_ns, shown, line)
    if end is not None and duration is not None and end_ns > first_time.ns:
        lasted_ns = end_ns - first_time.ns
        _compare_duration(reading, line, duration, cells, _Time(lasted_ns, max(first_time.step_ns, last_time.step_ns)))


def _compare_duration(reading: Reading, line: int, duration: _Column, cells: Sequence[str], lasted: _Time) -> None:
    """Note where a row's duration is not end less start, within a step of the last digit of the coarsest of them."""
    cell = cells[duration.place]
    stated = duration.time(cells, None)
    if stated is None or abs(stated.ns - lasted.ns) > max(lasted.step_ns, stated.step_ns):
        expected = f"{lasted.ns / 10 ** (duration.digits or 0):.10g}, the end less the start"
        fix = "Log all three on one clock; the start and the end are taken."
        reading.fault("inference-order", f"{duration.name} = {quoted(cell)}", expected, fix, line)
