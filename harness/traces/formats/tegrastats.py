"""Logs of tegrastats on NVIDIA Jetson boards: the power of each rail, now and on average; the first is read.

The first value is the reading of the INA3221 or INA238 sensor when the line is printed, the second the mean since the
start of tegrastats ("current and average power in milliwatts", tegrastats in the NVIDIA Jetson Linux Developer Guide).
A value without a mean is read where it has its unit.
Without a channel the total of a board is taken whose rails `harness.traces.boards` knows.

Stamps are whole seconds of local time. They are read in the zone of the options, and their lines are spaced evenly,
because tegrastats sleeps a set interval between two lines.
"""

import re
from datetime import tzinfo
from pathlib import Path

from harness.issues import quoted
from harness.numbers import number
from harness.traces.boards import board_of, read_rails
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.logs import Log, log_lines, log_text, refused, stated_rate
from harness.traces.stamps import Stamp, calendar_stamp, zone_of
from harness.traces.trace import PowerTrace, TraceFault, TraceOptionError

_PEAK_MW = (1.0, 1e6)
_STAMP = re.compile(r"(\d\d)-(\d\d)-(\d{4}) (\d\d:\d\d:\d\d) ", re.ASCII)
_RAIL = re.compile(
    r"(?:^|(?<= ))([A-Za-z]\w*) (-?\d+(?:\.\d+)?)(?:(\w*)/-?\d+(?:\.\d+)?(\w*)|([mu]?W))(?= |$)", re.ASCII
)
_MEMORY = re.compile(r"[kMG]?B")
_MILLIWATTS = ("", "mW")
_RATE_FIX = "Give sampling_hz (--sampling-hz), 1000 over the --interval of tegrastats (1 Hz unless it was set)."

Rails = dict[str, tuple[str, str]]


def _rails(text: str) -> Rails:
    """Current value and unit of every rail of a line; memory is written alike and is none."""
    return {
        name: (value, unit or only_unit)
        for name, value, unit, mean_unit, only_unit in _RAIL.findall(text)
        if not _MEMORY.fullmatch(unit or mean_unit)
    }


def _looks_like(head: bytes) -> bool:
    first = log_text(head).split("\n", 1)[0].strip()
    return bool(re.search(r"\bRAM \d+/\d+[kM]B", first)) and bool(_rails(first))


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    zone = zone_of(options.timezone)
    rows = [(line, text, _rails(text)) for line, text in log_lines(path)]
    known = list(dict.fromkeys(rail for _, _, rails in rows for rail in rails))
    if not known:
        found = quoted(rows[0][1]) if rows else "an empty file"
        raise refused(found, "lines of tegrastats with rails such as VDD_IN 5542mW/5542mW", "Log again.", 1)
    wanted, boundary = read_rails(options.channel, known, board_of(known))
    hz = stated_rate(options)
    stamps = {line: stamp for line, text, _ in rows if (stamp := _stamp(text, zone)) is not None}
    if not stamps and hz is None:
        raise TraceOptionError(
            TraceFault("trace-format", f"{len(rows)} lines without time stamps", "stamps or sampling_hz", _RATE_FIX)
        )
    log = Log(path.name, _PEAK_MW)
    for line, text, rails in rows:
        power = _power(log, line, text, rails, wanted)
        if power is None:
            continue
        if not stamps:
            log.add(line, (line - 1) / (hz or 1.0), power)
        elif line in stamps:
            log.add_at(line, stamps[line], power)
        else:
            log.leave_out(line, f"no stamp in {quoted(text)}", "a stamp as in other lines, MM-DD-YYYY HH:MM:SS")
    if stamps:
        _space(log, hz)
    return log.trace(stated_hz=hz, boundary=boundary, rails=tuple(wanted))


def _stamp(text: str, zone: tzinfo | None) -> Stamp | None:
    """Time that a line states; None where it states none."""
    if not (match := _STAMP.match(text)):
        return None
    month, day, year, time = match.groups()
    return calendar_stamp(f"{year}-{month}-{day} {time}", zone)


def _space(log: Log, hz: float | None) -> None:
    """Give the lines their true times.

    Raises:
        TraceOptionError: the stated rate is not that of the stamps, or is needed because they do not show it.
    """
    even = log.space_evenly()
    if even is not None and hz is not None and not even.has_period(1 / hz):
        found = f"sampling_hz = {hz:.6g}"
        expected = f"{1 / even.period_s:.6g}, as the stamps of {log.n_samples} lines give"
        fix = "Leave sampling_hz out; the spacing of the lines follows from their stamps."
        raise TraceOptionError(TraceFault("trace-time-unit", found, expected, fix))
    if even is None and log.n_samples > 1 and (hz is None or log.space_evenly(1 / hz) is None):
        found = f"{log.n_samples} lines whose stamps do not show an even spacing"
        raise TraceOptionError(TraceFault("trace-format", found, "lines that are evenly spaced", _RATE_FIX))


def _power(log: Log, line: int, text: str, rails: Rails, wanted: list[str]) -> float | None:
    """Sum of the wanted rails of a line in mW; None, and a note, where one is missing."""
    total = 0.0
    for rail in wanted:
        if rail not in rails:
            log.leave_out(line, quoted(text) or "a blank line", f"the rail {rail} with its power")
            return None
        value, unit = rails[rail]
        power = number(value)
        if unit not in _MILLIWATTS or power is None:
            log.leave_out(line, f"{rail} {quoted(value + unit)}", "a power in mW", "trace-unit")
            return None
        total += power
    return total


FORMAT = TraceFormat(
    "tegrastats",
    "tegrastats on NVIDIA Jetson, text log",
    "rail",
    "instant",
    _looks_like,
    _open,
    RunSource("runs with tegrastats logs, a folder", "tegrastats", (".log", ".txt", ".csv")),
)
