"""Logs of RAPL tools: powers of package, cores, graphics and memory in W beside seconds since the start.

A power is the difference of an energy counter over the time since the row before (Intel SDM volume 3, "RAPL
interfaces"), so it is the mean of that interval. A counter that begins again at 0 within it gives a negative power,
which is an error: the energy of the interval is unknown. The package holds cores and graphics, but not the memory.
"""

from collections.abc import Sequence
from pathlib import Path

from harness.issues import quoted
from harness.numbers import number
from harness.traces.boards import read_domains
from harness.traces.counters import wrapped_fault
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.logs import Log, log_lines, log_text, refused
from harness.traces.trace import PowerTrace

_TIME = "total_time"
_POWER = "_current_power"
_PACKAGE = "pkg"
_COLUMNS = ("pkg", "pp0", "pp1", "dram", _TIME)
"""Order of the columns where no header states it."""
_PEAK_MW = (1.0, 1e7)


def _header(text: str) -> tuple[str, ...] | None:
    """Channels and the time, in the order of a header; None where the line is none."""
    cells = tuple(cell.strip().removesuffix(_POWER) for cell in text.split(","))
    is_header = cells.count(_TIME) == 1 and len(set(cells)) == len(cells) > 1 and _POWER in text
    return cells if is_header else None


def _numbers(text: str, n_cells: int) -> list[float] | None:
    numbers = [value for cell in text.split(",") if (value := number(cell)) is not None]
    return numbers if len(numbers) == n_cells == text.count(",") + 1 else None


def _looks_like(head: bytes) -> bool:
    lines = log_text(head).split("\n")
    if _header(lines[0]):
        return True
    # Bare numbers are weak evidence: two whole rows whose last number rises.
    rows = [_numbers(line, len(_COLUMNS)) for line in lines[:2]]
    return len(rows) == 2 and rows[0] is not None and rows[1] is not None and 0 <= rows[0][-1] < rows[1][-1]


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    lines = log_lines(path)
    columns = _header(lines[0][1]) if lines else None
    if columns is not None:
        header = lines[0][1]
        # Logs that were appended to repeat their header.
        lines = [(line, text) for line, text in lines if text != header]
    elif any(_numbers(text, len(_COLUMNS)) for _, text in lines[:2]):
        columns = _COLUMNS
    else:
        found = quoted(lines[0][1]) if lines else "an empty file"
        expected = f"a header with pkg{_POWER} and {_TIME}, or rows of {len(_COLUMNS)} numbers"
        raise refused(found, expected, "Log power in W and seconds since the start.", 1)
    return _read(path.name, lines, columns, options.channel)


def _read(source: str, lines: Sequence[tuple[int, str]], columns: Sequence[str], wanted: str | None) -> PowerTrace:
    known = [column for column in columns if column != _TIME]
    domains, boundary = read_domains(wanted, known, [_PACKAGE] if _PACKAGE in known else [])
    log = Log(source, _PEAK_MW)
    before = None
    for line, text in lines:
        row = _numbers(text, len(columns))
        if row is None:
            log.leave_out(line, quoted(text) or "a blank line", f"{len(columns)} numbers")
            continue
        time, powers = row[columns.index(_TIME)], {name: row[columns.index(name)] for name in domains}
        negative = next((name for name, power in powers.items() if power < 0), None)
        if negative is None:
            log.add(line, time, sum(powers.values()) * 1e3)
        else:
            log.note(wrapped_fault(f"{negative}{_POWER} = {powers[negative]:.10g}", line, before, time))
        before = time
    return log.trace(kind="mean", boundary=boundary, rails=tuple(domains))


FORMAT = TraceFormat(
    "rapl",
    "RAPL counters of a CPU, CSV log",
    "counter",
    "mean-before",
    _looks_like,
    _open,
    RunSource("runs with RAPL logs, a folder", "RAPL counters", (".csv", ".log", ".txt")),
)
