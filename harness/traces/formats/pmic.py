"""Logs of `vcgencmd pmic_read_adc` on a Raspberry Pi 5, called again and again with a time before each call.

A call prints current and voltage of twelve outputs of the power management chip one after the other; their products
are instants, and their sum is less than the board draws: of the 5 V input only the voltage is known, so the losses of
the chip and what draws from 5 V, such as USB devices and the fan, are left out. A time is any line, or the beginning of
a line, with a date or seconds since 1970. A log without times needs `sampling_hz`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

from harness.issues import quoted
from harness.traces.boards import RASPBERRY_PI_5, Board, read_rails
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.logs import Log, log_lines, log_text, refused, stated_rate
from harness.traces.stamps import Stamp, any_stamp, zone_of
from harness.traces.trace import PowerTrace, TraceFault, TraceOptionError

_PEAK_MW = (1.0, 1e5)
_READING = re.compile(r"(.*?)\s*\b(\w+)_([AV]) (?:current|volt)\(\d+\)=(-?\d+(?:\.\d+)?)([AV])", re.ASCII)
_AROUND_TIME = " \t=#-*:,[]()"
_WORD = re.compile(r"(?:time|date|timestamp)\s*[=:]\s*", re.IGNORECASE)
_HEAD_LINES = 40
_CUT_CALL = "Delete the whole call, from its time to the last of its readings."


@dataclass(slots=True)
class _Call:
    """Readings of one call by rail."""

    line: int
    stamp: Stamp | None
    current_a: dict[str, float] = field(default_factory=dict)
    voltage_v: dict[str, float] = field(default_factory=dict)

    def power_mw(self, rail: str) -> float | None:
        if rail not in self.current_a or rail not in self.voltage_v:
            return None
        return self.current_a[rail] * self.voltage_v[rail] * 1e3


def _looks_like(head: bytes) -> bool:
    lines = log_text(head).split("\n")[:_HEAD_LINES]
    return sum(_READING.fullmatch(line.strip()) is not None for line in lines) > 1


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    lines = log_lines(path)
    log = Log(path.name, _PEAK_MW)
    calls = _calls(log, lines, zone_of(options.timezone))
    known = list(dict.fromkeys(rail for call in calls for rail in call.current_a if rail in call.voltage_v))
    if not known:
        found = quoted(lines[0][1]) if lines else "an empty file"
        fix = "Log date +%s.%N and vcgencmd pmic_read_adc in a loop."
        raise refused(found, "lines such as VDD_CORE_A current(7)=0.75A and VDD_CORE_V volt(15)=0.9V", fix, 1)
    total = tuple(known) if set(known) >= set(RASPBERRY_PI_5.total) or options.channel is None else ()
    board = Board(RASPBERRY_PI_5.name, total, RASPBERRY_PI_5.boundary, RASPBERRY_PI_5.source) if total else None
    wanted, boundary = read_rails(options.channel, known, board)
    hz = stated_rate(options)
    if hz is None and all(call.stamp is None for call in calls):
        found, expected = f"{len(calls)} calls without times", "a time before each call, or sampling_hz"
        fix = "Write date +%s.%N before each call, or give sampling_hz (--sampling-hz), the calls a second."
        raise TraceOptionError(TraceFault("trace-format", found, expected, fix))
    for place, call in enumerate(calls):
        powers = [call.power_mw(rail) for rail in wanted]
        if any(power is None for power in powers):
            rail = wanted[powers.index(None)]
            log.leave_out(call.line, f"no power of {rail} in the call", "its current and its voltage", fix=_CUT_CALL)
            continue
        power = sum(power for power in powers if power is not None)
        if call.stamp is not None:
            log.add_at(call.line, call.stamp, power)
        elif hz is not None:
            log.add(call.line, place / hz, power)
        else:
            log.leave_out(call.line, "a call without a time", "a time before each call")
    log.space_evenly()
    return log.trace(boundary=boundary, rails=tuple(wanted))


def _calls(log: Log, lines: Sequence[tuple[int, str]], zone: tzinfo | None) -> list[_Call]:
    """Calls of a log: a new one begins at a time, or where a reading comes again."""
    calls: list[_Call] = []
    time: Stamp | None = None
    is_new = True
    for line, text in lines:
        match = _READING.fullmatch(text)
        stamp = _stamp(match[1] if match else text, zone)
        if match is None:
            if stamp is not None:
                time, is_new = stamp, True
            elif text and not text.startswith("#"):
                log.leave_out(line, quoted(text), "a time or a reading")
            continue
        rail, kind, value = match[2], match[3], float(match[4])
        if is_new or rail in (calls[-1].current_a if kind == "A" else calls[-1].voltage_v):
            calls.append(_Call(line, stamp or time))
            time, is_new = None, False
        (calls[-1].current_a if kind == "A" else calls[-1].voltage_v)[rail] = value
    return calls


def _stamp(text: str, zone: tzinfo | None) -> Stamp | None:
    text = _WORD.sub("", text.strip(_AROUND_TIME))
    return any_stamp(text, zone) if text else None


FORMAT = TraceFormat(
    "pmic",
    "power management chip of a Raspberry Pi 5 (vcgencmd pmic_read_adc), text log",
    "rail",
    "instant",
    _looks_like,
    _open,
    RunSource("runs with pmic_read_adc logs, a folder", "Raspberry Pi 5 PMIC", (".log", ".txt", ".csv")),
)
