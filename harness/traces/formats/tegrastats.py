"""Logs of tegrastats on NVIDIA Jetson boards: the power of each rail, now and on average; the first is read.

It adds up no rails: without a channel the board's input rail is taken, and a board that has none needs a channel.
Stamps are local time without a zone and are taken as UTC. They have whole seconds: a log of several lines a second
repeats them, and without `sampling_hz`, which spaces its lines, its stamps do not rise.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

from harness.issues import quoted
from harness.numbers import number
from harness.traces.channels import channel_error
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.logs import Log, log_lines, log_text, refused
from harness.traces.trace import PowerTrace, TraceFault, TraceOptionError

_TOTALS = ("VDD_IN", "POM_5V_IN")
"""Rails that feed the whole module or board."""
_PEAK_MW = (1.0, 1e6)
_STAMP = re.compile(r"(\d\d)-(\d\d)-(\d{4}) (\d\d):(\d\d):(\d\d) ", re.ASCII)
_RAIL = re.compile(r"(?:^|(?<= ))([A-Za-z]\w*) (\d+(?:\.\d+)?)(\w*)/\d+(?:\.\d+)?(\w*)(?= |$)", re.ASCII)
_MEMORY = re.compile(r"[kMG]?B")
_MILLIWATTS = ("", "mW")
_SPAN_TOLERANCE = 0.02


def _rails(text: str) -> dict[str, tuple[str, str]]:
    """Current value and unit of every rail of a line; memory is written alike and is none."""
    return {
        name: (value, unit)
        for name, value, unit, mean_unit in _RAIL.findall(text)
        if not _MEMORY.fullmatch(unit or mean_unit)
    }


def _looks_like(head: bytes) -> bool:
    first = log_text(head).split("\n", 1)[0].strip()
    return bool(re.search(r"\bRAM \d+/\d+[kM]B", first)) and bool(_rails(first))


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    rows = [(line, text, _rails(text)) for line, text in log_lines(path)]
    known = list(dict.fromkeys(rail for _, _, rails in rows for rail in rails))
    if not known:
        found = quoted(rows[0][1]) if rows else "an empty file"
        raise refused(found, "lines of tegrastats with rails such as VDD_IN 5542mW/5542mW", "Log again.", 1)
    channel = options.channel or next((rail for rail in _TOTALS if rail in known), None)
    if channel not in known:
        raise channel_error(channel, known)
    stamps = {line: stamp for line, text, _ in rows if (stamp := _stamp(text)) is not None}
    log = Log(path.name, _PEAK_MW)
    hz = _spacing(stamps, options.sampling_hz, len(rows))
    start = next(iter(stamps.values()), 0)
    if hz is not None and stamps:
        _compare_span(log, stamps, hz)
    first_line = next(iter(stamps), 1)
    for line, text, rails in rows:
        power = _power(log, line, text, rails.get(channel), channel)
        if power is None:
            continue
        if hz is not None:
            log.add(line, start + (line - first_line) / hz, power)
        elif line in stamps:
            log.add(line, stamps[line], power)
        else:
            log.leave_out(line, f"no stamp in {quoted(text)}", "a stamp as in other lines, MM-DD-YYYY HH:MM:SS")
    return log.trace(stated_hz=hz)


def _stamp(text: str) -> int | None:
    """Seconds since the epoch that a line states; None where it states none."""
    if not (match := _STAMP.match(text)):
        return None
    month, day, year, hour, minute, second = map(int, match.groups())
    try:
        return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _spacing(stamps: dict[int, int], sampling_hz: float | None, n_lines: int) -> float | None:
    """Lines per second where several lines share a stamp; None where each has its own."""
    if sampling_hz is not None and not 1e-3 <= sampling_hz <= 1e6:
        fix = "State the rate that the log was made at."
        raise TraceOptionError(TraceFault("trace-format", f"sampling_hz = {sampling_hz:g}", "lines a second", fix))
    if not stamps:
        if sampling_hz is None:
            fix = "Give sampling_hz, 1000 over the --interval of tegrastats (1 Hz unless it was set)."
            found = f"{n_lines} lines without time stamps"
            raise TraceOptionError(TraceFault("trace-format", found, "stamps or sampling_hz", fix))
        return sampling_hz
    return sampling_hz if len(set(stamps.values())) < len(stamps) else None


def _compare_span(log: Log, stamps: dict[int, int], hz: float) -> None:
    """Note where the stamps and the rate that spaces the lines do not give the same duration."""
    lines, seconds = list(stamps), list(stamps.values())
    stamped, spaced = seconds[-1] - seconds[0], (lines[-1] - lines[0]) / hz
    if abs(stamped - spaced) > 1 + _SPAN_TOLERANCE * spaced:
        found = f"stamps over {stamped} s and {lines[-1] - lines[0]} intervals of {1 / hz:.6g} s"
        fix = "Give the sampling_hz that the log was made at, or cut the log where it breaks off."
        log.note(TraceFault("trace-format", found, f"stamps over {spaced:.6g} s", fix))


def _power(log: Log, line: int, text: str, cell: tuple[str, str] | None, rail: str) -> float | None:
    if cell is None:
        log.leave_out(line, quoted(text) or "a blank line", f"the rail {rail} with its power")
        return None
    value, unit = cell
    power = number(value)
    if unit not in _MILLIWATTS or power is None:
        log.leave_out(line, f"{rail} {quoted(value + unit)}", "a power in mW", "trace-unit")
        return None
    return power


FORMAT = TraceFormat(
    "tegrastats",
    "tegrastats on NVIDIA Jetson, text log",
    "rail",
    "instant",
    _looks_like,
    _open,
    RunSource("runs with tegrastats logs, a folder", "tegrastats", (".log", ".txt", ".csv")),
)
