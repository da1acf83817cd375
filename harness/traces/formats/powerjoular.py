"""Logs of PowerJoular, `Date,CPU Utilization,Total Power,CPU Power,GPU Power`: watts, once a second.

A power is the difference of energy counters over the second before (PowerJoular, `intel_rapl_sysfs`), so it is a mean.
On boards without counters PowerJoular computes it from the load of the processor by a model, which its log does not
say. Dates are local time in whole seconds, whose rows are spaced evenly, or have milliseconds. A log of one process
(`-p`) is that process's share by load, which is not measured, and is refused.
"""

import re
from datetime import tzinfo
from pathlib import Path

from harness.issues import quoted
from harness.numbers import number
from harness.schema.vocabulary import Boundary
from harness.traces.channels import chosen_channels
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.log_table import first_line, header_cells, table_rows
from harness.traces.logs import Log, log_lines, refused
from harness.traces.stamps import Stamp, calendar_stamp, zone_of
from harness.traces.trace import PowerTrace

_DATE, _LOAD = "Date", "CPU Utilization"
_TOTAL = "Total Power"
_PARTS: dict[str, Boundary] = {"CPU Power": "package", "GPU Power": "board"}
"""What the total is the sum of; a log without graphics has no column of it."""
_PEAK_MW = (1.0, 1e7)
_PADDED = re.compile(r" ?(\d{4})- ?(\d+)- ?(\d+) +(\d+): ?(\d+): ?(\d+)(?:\. ?(\d+))?", re.ASCII)
"""Newer versions write numbers with a blank in front and without zeros."""


def _is_header(text: str) -> bool:
    return header_cells(text)[:2] == [_DATE, _LOAD]


def _looks_like(head: bytes) -> bool:
    return _is_header(first_line(head))


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    lines = log_lines(path)
    if not lines or not _is_header(lines[0][1]):
        found, fix = quoted(lines[0][1]) if lines else "an empty file", "Log with powerjoular -f FILE."
        raise refused(found, f"a header with {_DATE}, {_LOAD} and {_TOTAL}", fix, 1)
    header = header_cells(lines[0][1])
    parts = [name for name in _PARTS if name in header]
    if _TOTAL not in header:
        fix = "Log the whole system, without -p and -a."
        raise refused("a log of one process", f"the column {_TOTAL}", fix, 1)
    column = chosen_channels(options.channel, [_TOTAL, *parts], [_TOTAL])[0]
    place, zone = header.index(column), zone_of(options.timezone)
    log = Log(path.name, _PEAK_MW)
    for line, cells in table_rows(lines, log):
        stamp, power = _stamp(cells[0], zone), number(cells[place])
        if stamp is None:
            log.leave_out(line, f"{_DATE} = {quoted(cells[0])}", "a date, YYYY-MM-DD HH:MM:SS")
        elif power is None:
            log.leave_out(line, f"{column} = {quoted(cells[place])}", "a power in W")
        else:
            log.add_at(line, stamp, power * 1e3)
    log.space_evenly()
    rails = tuple(parts) if column == _TOTAL and parts else (column,)
    boundary: Boundary | None = "sum-of-rails" if len(rails) > 1 else _PARTS.get(rails[0])
    return log.trace(kind="mean", boundary=boundary, rails=rails)


def _stamp(cell: str, zone: tzinfo | None) -> Stamp | None:
    match = _PADDED.fullmatch(cell)
    if match is None:
        return calendar_stamp(cell, zone)
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction = f".{int(match[7]):03}" if match[7] else ""
    return calendar_stamp(f"{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction}", zone)


FORMAT = TraceFormat(
    "powerjoular",
    "PowerJoular, CSV log",
    "counter",
    "mean-before",
    _looks_like,
    _open,
    RunSource("runs with PowerJoular logs, a folder", "PowerJoular", (".csv", ".log", ".txt")),
)
