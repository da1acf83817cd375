"""Logs of `perf stat -I MS -x, -e power/energy-pkg/`: joules of a RAPL domain in every interval.

A value is the energy of the interval that ends at its stamp, and stamps are seconds since perf began (perf-stat(1),
"CSV format" and `-I`). With `--per-socket` the sockets of an event are added up. The package holds cores and graphics.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from harness.issues import quoted
from harness.numbers import number
from harness.traces.boards import read_domains
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.logs import Log, log_lines, log_text, refused
from harness.traces.trace import PowerTrace

_PEAK_MW = (1.0, 1e7)
_UNIT = "Joules"
_LINE = re.compile(r"\s*\d+[.,]\d+([,;\t|]).*[,;\t|]Joules[,;\t|](?:power/)?energy-\w+", re.ASCII)
_SPLIT = re.compile(r"\s*\d+,\d{9},", re.ASCII)
"""Beginning of a line whose seconds a decimal comma splits; perf writes nine decimals."""
_EVENT = re.compile(r"(?:power/)?energy-(\w+)/?(?::\w+)?", re.ASCII)
_MOST_STEPS = 1.5
"""An interval that seems to last this many usual ones follows on others that are not in the log."""


def _separator(text: str) -> str | None:
    match = _LINE.match(text)
    return match[1] if match else None


def _looks_like(head: bytes) -> bool:
    return any(_separator(line) for line in log_text(head).split("\n"))


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    lines = log_lines(path)
    separator = next((found for _, text in lines if (found := _separator(text))), None)
    if separator == "," and any(_SPLIT.match(text) for _, text in lines):
        found, expected = "decimal commas beside commas between cells", "another separator, or decimal points"
        raise refused(found, expected, "Log with LC_ALL=C before perf, so that it writes decimal points.", 1)
    if separator is None:
        found = quoted(lines[0][1]) if lines else "an empty file"
        fix = "Log with perf stat -a -I 100 -x, -e power/energy-pkg/."
        raise refused(found, "lines with seconds, joules and an event such as power/energy-pkg/", fix, 1)
    log = Log(path.name, _PEAK_MW)
    intervals = _intervals(log, lines, separator)
    known = list(dict.fromkeys(event for _, _, energies in intervals for event in energies))
    if intervals and all(energy is None for _, _, energies in intervals for energy in energies.values()):
        fix = "Run perf stat as root with -a, which counts the whole system, on a processor that has the event."
        raise refused(f"{len(intervals)} intervals without an energy", "joules in every interval", fix)
    total = ["pkg"] if "pkg" in known else known if len(known) == 1 else []
    domains, boundary = read_domains(options.channel, known, total)
    times = [time for _, time, _ in intervals]
    steps = [after - before for before, after in pairwise(times)]
    usual = float(np.median(steps)) if steps else times[0] if times else 0.0
    first = min(times[0], usual) if times else 0.0
    for (line, time, energies), step in zip(intervals, [first, *steps], strict=False):
        missing = next((domain for domain in domains if energies.get(domain) is None), None)
        if missing is not None:
            _note_missing(log, line, missing, time - step, time)
        elif step > 0:
            # Where intervals before were deleted, the energy is still that of one interval.
            lasted = step if usual <= 0 or step <= _MOST_STEPS * usual else usual
            log.add(line, time, sum(energies[domain] or 0.0 for domain in domains) / lasted * 1e3)
        else:
            log.leave_out(line, f"{time:.10g} s after {time - step:.10g} s", "seconds that rise", "trace-order")
    return log.trace(kind="mean", boundary=boundary, rails=tuple(domains))


def _note_missing(log: Log, line: int, domain: str, start_s: float, end_s: float) -> None:
    """Note an interval in which an event was not counted."""
    fix = (
        "perf did not count the event then (<not counted>): delete the line, and every inference that touches the time "
        f"from {start_s:.10g} to {end_s:.10g} s."
    )
    log.leave_out(line, f"no energy of {domain} at {end_s:.10g} s", "joules", fix=fix)


def _intervals(
    log: Log, lines: Sequence[tuple[int, str]], separator: str
) -> list[tuple[int, float, dict[str, float | None]]]:
    """Line, end in seconds and joules of every event, for every interval; None where an event was not counted."""
    intervals: list[tuple[int, float, dict[str, float | None]]] = []
    for line, text in lines:
        if not text or text.startswith("#"):
            continue
        cells = [cell.strip() for cell in text.split(separator)]
        place = cells.index(_UNIT) if _UNIT in cells else 0
        event = _EVENT.fullmatch(cells[place + 1]) if 0 < place < len(cells) - 1 else None
        time = _decimal(cells[0], separator)
        if event is None:
            if time is None or not any(cells[1:]):
                log.leave_out(line, quoted(text), "seconds, joules and an event")
            continue
        if time is None:
            log.leave_out(line, f"time {quoted(cells[0])}", "seconds since perf began")
            continue
        if not intervals or intervals[-1][1] != time:
            intervals.append((line, time, {}))
        energies, value = intervals[-1][2], _decimal(cells[place - 1], separator)
        before = energies.get(event[1], 0.0)
        energies[event[1]] = None if value is None or before is None else before + value
    return intervals


def _decimal(cell: str, separator: str) -> float | None:
    return number(cell if separator == "," else cell.replace(",", "."))


FORMAT = TraceFormat(
    "perf-stat",
    "perf stat with RAPL energy in intervals, CSV log",
    "counter",
    "mean-before",
    _looks_like,
    _open,
    RunSource("runs with perf stat logs, a folder", "RAPL counters, perf", (".csv", ".log", ".txt")),
)
