"""Logs of turbostat: watts, or with `--Joules` joules, of the RAPL domains of a processor in every interval.

Values are means, or energies, of the interval that ends when a row is printed, and the column `Time_Of_Day_Seconds` is
the time of that (turbostat(8)). Rows of single processors are passed over: the row with - is the whole system. A log
without times needs `sampling_hz`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from harness.issues import quoted
from harness.numbers import number
from harness.traces.agreement import part_fault
from harness.traces.boards import read_domains, turbostat_domain, turbostat_parts
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.logs import Log, log_lines, log_text, refused, stated_rate
from harness.traces.stamps import Stamp, unit_stamp
from harness.traces.trace import PowerTrace, TraceFault, TraceOptionError

_PEAK_MW = (1.0, 1e7)
_TIME = "Time_Of_Day_Seconds"
_PLACES = ("CPU", "Core", "Package", "Node", "Die")
_FIX = "Log with turbostat --quiet --Summary --interval 0.1 --enable Time_Of_Day_Seconds."


@dataclass(frozen=True, slots=True)
class _Header:
    names: list[str]
    powers: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    stamp: Stamp | None
    values: list[float]


def _header(text: str) -> _Header | None:
    names = text.split()
    powers = {name: place for place, name in enumerate(names) if turbostat_domain(name)}
    return _Header(names, powers) if powers else None


def _looks_like(head: bytes) -> bool:
    return any(_header(line) for line in log_text(head).split("\n"))


def _domain(column: str) -> str:
    return turbostat_domain(column) or column


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    lines = log_lines(path)
    start = next((place for place, (_, text) in enumerate(lines) if _header(text)), None)
    header = None if start is None else _header(lines[start][1])
    if header is None or start is None:
        found = quoted(lines[0][1]) if lines else "an empty file"
        raise refused(found, "a header with PkgWatt or Pkg_J", _FIX, 1)
    package = [name for name in header.powers if _domain(name) == "pkg"][:1]
    columns, boundary = read_domains(options.channel, list(header.powers), package, _domain)
    hz = stated_rate(options)
    if hz is None and _TIME not in header.names:
        expected = f"the column {_TIME}, or sampling_hz"
        fix = "Add --enable Time_Of_Day_Seconds to turbostat, or give sampling_hz (--sampling-hz), 1 over --interval."
        raise TraceOptionError(TraceFault("trace-format", "rows without times", expected, fix))
    log = Log(path.name, _PEAK_MW)
    of_system = list(_rows_of_system(lines[start + 1 :], header))
    rows = _rows(log, of_system, header, columns)
    for whole, part in turbostat_parts(header.powers):
        each = [cells for _, text in of_system if len(cells := text.split()) == len(header.names)]
        pairs = [(cells[header.powers[whole]], cells[header.powers[part]]) for cells in each]
        if (fault := part_fault(whole, part, pairs)) is not None:
            log.note(fault)
    steps = _steps_s(rows, hz)
    for place, (row, step) in enumerate(zip(rows, steps, strict=True)):
        parts = zip(columns, row.values, strict=True)
        power = sum(value / step if column.endswith("_J") else value for column, value in parts) * 1e3
        if row.stamp is None:
            log.add(row.line, (place + 1) / (hz or 1.0), power)
        else:
            log.add_at(row.line, row.stamp, power)
    return log.trace(hz, kind="mean", boundary=boundary, rails=tuple(columns))


def _rows_of_system(lines: Sequence[tuple[int, str]], header: _Header) -> Iterator[tuple[int, str]]:
    """Lines without headers that are repeated and rows of single processors."""
    where = next((header.names.index(name) for name in _PLACES if name in header.names), None)
    for line, text in lines:
        cells = text.split()
        if cells != header.names and (where is None or where >= len(cells) or cells[where] == "-"):
            yield line, text


def _rows(log: Log, of_system: Sequence[tuple[int, str]], header: _Header, columns: Sequence[str]) -> list[_Row]:
    """Rows of the whole system."""
    rows = []
    for line, text in of_system:
        cells, stamp = text.split(), None
        if len(cells) == len(header.names):
            values = [value for column in columns if (value := number(cells[header.powers[column]])) is not None]
            if _TIME in header.names:
                stamp = unit_stamp(cells[header.names.index(_TIME)], "s")
            if len(values) == len(columns) and (stamp is not None or _TIME not in header.names):
                rows.append(_Row(line, stamp, values))
                continue
        log.leave_out(line, quoted(text) or "a blank line", f"{len(header.names)} cells, with numbers for {columns[0]}")
    return rows


def _steps_s(rows: Sequence[_Row], hz: float | None) -> list[float]:
    """Duration of the interval of every row; the first is taken to last as long as the second."""
    stamps = [row.stamp.us / 1e6 for row in rows if row.stamp is not None]
    if len(stamps) < 2:
        return [1 / (hz or 1.0)] * len(rows)
    steps = [max(after - before, 1e-6) for before, after in pairwise(stamps)]
    return [steps[0], *steps]


FORMAT = TraceFormat(
    "turbostat",
    "turbostat, text log",
    "counter",
    "mean-before",
    _looks_like,
    _open,
    RunSource("runs with turbostat logs, a folder", "RAPL counters, turbostat", (".log", ".txt", ".csv")),
)
