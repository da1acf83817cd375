"""Series of the energy counters of Linux powercap, `time_s,energy_uj`: cumulative microjoules of a RAPL zone.

A counter begins again at 0 after `max_energy_range_uj` (Linux kernel documentation, "Power Capping Framework"). A fall
is undone where a column of that name states the range, or where one of the ranges that processors have makes it a step
like the others; any other fall is an error. Columns are named after their zones, as in `package-0_energy_uj`; a column
without a name does not state its zone, nor what its energy is of.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.issues import quoted
from harness.numbers import number
from harness.schema.vocabulary import Boundary
from harness.traces.boards import read_domains
from harness.traces.counters import counter_power_mw, likely_range_mj
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.log_table import (
    TimeColumn,
    add_rows,
    cells_of,
    first_line,
    header_cells,
    separator_of,
    table_rows,
    time_column,
)
from harness.traces.logs import Log, log_lines, refused
from harness.traces.stamps import zone_of
from harness.traces.trace import PowerTrace, Reals

_ENERGY = "energy_uj"
_RANGE = "max_energy_range_uj"
_PEAK_MW = (1.0, 1e7)
_IS_ENERGY = re.compile(r".*energy_uj|energy_uj_\w.*|(?:package|pkg|psys|cores?|dram|uncore).*_uj", re.ASCII)
_ZONE = re.compile(r"(?:energy_uj_)?(package|pkg|psys|cores?|dram|ram|uncore|pp[01]).*", re.IGNORECASE)
_FIX = "Log time_s and energy_uj of /sys/class/powercap/intel-rapl:0, one row for each reading."


@dataclass(frozen=True, slots=True)
class _Header:
    time: TimeColumn
    energies: dict[str, int]
    range_place: int | None


def _header(text: str) -> _Header | None:
    names = [name.lower() for name in header_cells(text)]
    time = time_column(names)
    energies = {name: place for place, name in enumerate(names) if _IS_ENERGY.fullmatch(name)}
    energies.pop(_RANGE, None)
    has_power = any(name.startswith(("power", "current")) for name in names)
    if time is None or not energies or has_power or len(set(names)) < len(names):
        return None
    return _Header(time, energies, names.index(_RANGE) if _RANGE in names else None)


def _looks_like(head: bytes) -> bool:
    return _header(first_line(head)) is not None


def _domain(column: str) -> str:
    """Domain of a column; packages are pkg."""
    match = _ZONE.match(column)
    name = match[1].lower() if match else column
    return {"package": "pkg", "core": "cores"}.get(name, name)


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    lines = log_lines(path)
    header = _header(lines[0][1]) if lines else None
    if header is None:
        raise refused(quoted(lines[0][1]) if lines else "an empty file", "a header with time_s and energy_uj", _FIX, 1)
    columns, boundary = _columns(header, options.channel)
    log = Log(path.name, _PEAK_MW)
    readings: list[list[float]] = []

    def keep(line: int, cells: list[str]) -> float | None:
        values = [number(cells[header.energies[column]]) for column in columns]
        if any(value is None for value in values):
            column = columns[values.index(None)]
            log.leave_out(line, f"{column} = {quoted(cells[header.energies[column]])}", "microjoules")
            return None
        readings.append([value / 1e3 for value in values if value is not None])
        return 0.0

    add_rows(log, table_rows(lines, log), header.time, zone_of(options.timezone), keep)
    log.space_evenly()
    if readings:
        stated = None if header.range_place is None else _stated_range(lines, header.range_place)
        log.set_powers(_powers(log.stamps_s(), np.array(readings), stated, log.lines))
    return log.trace(kind="mean", boundary=boundary, rails=tuple(columns))


def _columns(header: _Header, channel: str | None) -> tuple[list[str], Boundary | None]:
    known = list(header.energies)
    packages = [column for column in known if _domain(column) == "pkg"]
    columns, boundary = read_domains(channel, known, packages or (known if len(known) == 1 else []), _domain)
    return columns, None if columns == [_ENERGY] else boundary


def _stated_range(lines: Sequence[tuple[int, str]], place: int) -> float | None:
    """Range of the counter in mJ as the first row states it."""
    cells = cells_of(lines[1][1], separator_of(lines[0][1])) if len(lines) > 1 else []
    value = number(cells[place]) if place < len(cells) else None
    return None if value is None or value <= 0 else value / 1e3


def _powers(stamps_s: Reals, energies_mj: Reals, stated_mj: float | None, lines: Sequence[int]) -> Reals:
    """Mean power since the reading before, summed over the counters.

    Raises:
        TraceFormatError: a counter falls, and not because it began again at 0 as far as is known.
    """
    total = np.zeros(len(stamps_s))
    for counter in energies_mj.T:
        falls = np.flatnonzero(np.diff(counter) < 0)
        range_mj = stated_mj if stated_mj is not None else likely_range_mj(stamps_s, counter)
        if len(falls) and range_mj is None:
            place = int(falls[0]) + 1
            found = f"a counter that falls from {counter[place - 1] * 1e3:.0f} to {counter[place] * 1e3:.0f} uJ"
            fix = f"Add a column {_RANGE} with what the file of that name beside energy_uj holds, or cut the log there."
            raise refused(found, "a counter that rises, or its range", fix, lines[place], "trace-counter")
        total += counter_power_mw(stamps_s, counter, range_mj if len(falls) else None)
    return total


FORMAT = TraceFormat(
    "powercap",
    "energy counters of Linux powercap (energy_uj), CSV log",
    "counter",
    "counter",
    _looks_like,
    _open,
    RunSource("runs with powercap logs, a folder", "RAPL counters", (".csv", ".log", ".txt")),
)
