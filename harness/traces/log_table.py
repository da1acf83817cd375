"""Tables that loggers write: a header, rows that may be cut, headers that appended logs repeat, a column of times.

It knows no format and no quantity but time.
"""

import contextlib
import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

import numpy as np

from harness.issues import quoted
from harness.traces.logs import Log, log_text, refused
from harness.traces.stamps import Stamp, any_stamp, unit_stamp

_TIME: Final = re.compile(
    r"(?:time|timestamp|time_?stamp|date|datetime|date_?time|epoch)(?:[ _]?[\[(]?(s|ms|us|ns)[\])]?)?", re.IGNORECASE
)
_LEAST_AMBIGUOUS_STEP_S: Final = 10.0
_SEPARATORS: Final = (",", ";", "\t")
_DECIMAL_COMMA: Final = re.compile(r"(\d),(\d+)$", re.ASCII)


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """Column of the times.

    Attributes:
        place: its position.
        name: its name.
        unit: s, ms, us or ns; None where the header states none.
    """

    place: int
    name: str
    unit: str | None

    def stamp(self, cell: str, zone: tzinfo | None) -> Stamp | None:
        """Time in a cell; None where it holds none."""
        return any_stamp(cell, zone) if self.unit is None else unit_stamp(cell, self.unit)


def separator_of(header: str) -> str:
    """What separates the cells of a header: a comma, or a semicolon or tab where it has no comma.

    >>> separator_of("time;power"), separator_of("time,power")
    (';', ',')
    """
    return next((sign for sign in _SEPARATORS if sign in header), ",")


def cells_of(text: str, separator: str = ",") -> list[str]:
    """Cells of a line, without space and quotes around them; a separator between quotes separates nothing.

    >>> cells_of('5, "1 day, 2:00:00"')
    ['5', '1 day, 2:00:00']
    """
    row = text.split(separator)
    if '"' in text:
        # What csv cannot read is no row of a table.
        with contextlib.suppress(csv.Error):
            row = next(csv.reader([text], delimiter=separator, skipinitialspace=True), [])
    return [cell.strip().strip('"').strip() for cell in row]


def header_cells(header: str) -> list[str]:
    """Cells of a header.

    >>> header_cells("time;bus_voltage (V)")
    ['time', 'bus_voltage (V)']
    """
    return cells_of(header, separator_of(header))


def first_line(head: bytes) -> str:
    """First line of a file."""
    return log_text(head).split("\n", 1)[0].strip()


def time_column(names: Sequence[str]) -> TimeColumn | None:
    """The one column of times of a header; None where there is none, or more than one.

    >>> time_column(["time_ms", "power"]).unit
    'ms'
    """
    found = [
        TimeColumn(place, name, (match[1] or "").lower() or None)
        for place, name in enumerate(names)
        if (match := _TIME.fullmatch(name))
    ]
    return found[0] if len(found) == 1 else None


def table_rows(lines: Sequence[tuple[int, str]], log: Log) -> Iterator[tuple[int, list[str]]]:
    """Line and cells of every row below the header; headers again are passed over, and cut rows noted.

    Where no comma separates cells, one in a number is its decimal sign.

    Args:
        lines: lines of the file, the header first.
        log: where the notes go.
    """
    header = lines[0][1]
    separator = separator_of(header)
    n_cells = len(cells_of(header, separator))
    for line, text in lines[1:]:
        if text == header:
            continue
        cells = cells_of(text, separator)
        if len(cells) == n_cells:
            yield line, cells if separator == "," else [_DECIMAL_COMMA.sub(r"\1.\2", cell) for cell in cells]
        else:
            log.leave_out(line, quoted(text) or "a blank line", f"{n_cells} cells")


def add_rows(
    log: Log,
    rows: Iterator[tuple[int, list[str]]],
    time: TimeColumn,
    zone: tzinfo | None,
    power_mw: Callable[[int, list[str]], float | None],
) -> None:
    """Add a sample for every row that has a time and a power.

    Args:
        log: where samples and notes go.
        rows: line and cells of every row.
        time: column of the times.
        zone: zone of calendar times that state none.
        power_mw: power of a row in mW; None where it has none, which it notes itself.

    Raises:
        TraceFormatError: the header states no unit of numbers that may be seconds or milliseconds.
    """
    seconds: list[float] = []
    is_whole = True
    for line, cells in rows:
        stamp = time.stamp(cells[time.place], zone)
        if stamp is None:
            log.leave_out(line, f"{time.name} = {quoted(cells[time.place])}", "a time")
            continue
        if (power := power_mw(line, cells)) is not None:
            log.add_at(line, stamp, power)
            seconds.append(stamp.us / 1e6)
            is_whole = is_whole and stamp.scale == "relative" and stamp.step_s >= 1
    if time.unit is None and is_whole and len(seconds) > 1:
        step_s = float(np.median(np.diff(seconds)))
        if step_s >= _LEAST_AMBIGUOUS_STEP_S:
            found = f"{time.name} in steps of {step_s:g}, without a unit"
            fix = "Find out the unit, and write it into the header, as in time_ms or time_s."
            raise refused(found, "the unit of the time", fix, 1, "trace-time-unit")
