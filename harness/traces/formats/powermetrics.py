"""Text logs of powermetrics on macOS: milliwatts of CPU, GPU and neural engine in every interval.

A power is the mean of the interval whose length the header of a sample states and at whose end the sample is printed
(powermetrics(1), which calls the values estimates). The headers have whole seconds and a zone; the true times follow
from the lengths of the intervals.
"""

import re
from pathlib import Path

import numpy as np

from harness.issues import quoted
from harness.numbers import number
from harness.schema.vocabulary import Boundary
from harness.traces.channels import chosen_channels
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.logs import Log, log_lines, log_text, refused
from harness.traces.stamps import Stamp, calendar_stamp
from harness.traces.trace import PowerTrace

_HEADER = re.compile(r"\*\*\* Sampled system activity \((.+?)\) \(([\d.]+) ?ms elapsed\).*", re.ASCII)
_DATE = re.compile(r"\w{3} (\w{3}) +(\d+) (\d\d:\d\d:\d\d) (\d{4}) ([+-]\d{4})", re.ASCII)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_POWER = re.compile(r"(CPU|GPU|ANE|DRAM|Package|Combined) Power(?: \([^)]*\))?: *([\d.]+) ?(m?W)", re.ASCII)
_INTEL = re.compile(r"Intel energy model derived package power \([^)]*\): *([\d.]+) ?(m?W)", re.ASCII)
_TOTALS = ("Combined", "Package")
_BOUNDARIES: dict[str, Boundary] = {"Package": "package", "Combined": "sum-of-rails"}
_PER_UNIT = {"mW": 1.0, "W": 1e3}
_PEAK_MW = (1.0, 1e6)
_CUT_SAMPLE = "Delete the whole sample, from its header to the next header."


class _Sample:
    """A sample as its lines are read."""

    def __init__(self, line: int, stamp: Stamp | None, end_s: float) -> None:
        self.line, self.stamp, self.end_s = line, stamp, end_s
        self.power_mw: dict[str, float] = {}


def _looks_like(head: bytes) -> bool:
    return any(_HEADER.fullmatch(line.strip()) for line in log_text(head).split("\n"))


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    lines = log_lines(path)
    samples: list[_Sample] = []
    for line, text in lines:
        if header := _HEADER.fullmatch(text):
            elapsed_ms = number(header[2])
            end_s = (samples[-1].end_s if samples else 0.0) + (elapsed_ms or 0.0) / 1e3
            samples.append(_Sample(line, _stamp(header[1]), end_s))
        elif samples and (found := _power(text)):
            samples[-1].power_mw[found[0]] = found[1]
    known = list(dict.fromkeys(name for sample in samples for name in sample.power_mw))
    if not known:
        found_text = quoted(lines[0][1]) if lines else "an empty file"
        fix = "Log with sudo powermetrics --samplers cpu_power -i 100."
        raise refused(found_text, "samples with lines such as CPU Power: 123 mW", fix, 1)
    total = next(([name] for name in _TOTALS if name in known), [])
    wanted = chosen_channels(options.channel, known, total)
    log, ends = Log(path.name, _PEAK_MW), []
    for sample in samples:
        missing = next((name for name in wanted if name not in sample.power_mw), None)
        if sample.stamp is None:
            log.leave_out(sample.line, "a header without a date", "a date such as Wed May 6 12:00:00 2026 +0200")
        elif missing is not None:
            log.leave_out(
                sample.line, f"a sample without {missing} Power", "every power in every sample", fix=_CUT_SAMPLE
            )
        else:
            log.add_at(sample.line, sample.stamp, sum(sample.power_mw[name] for name in wanted))
            ends.append(sample.end_s)
    log.space_evenly(1.0, np.array(ends))
    boundary = _BOUNDARIES.get(wanted[0], "rail") if len(wanted) == 1 else "sum-of-rails"
    return log.trace(kind="mean", boundary=boundary, rails=tuple(wanted))


def _stamp(text: str) -> Stamp | None:
    match = _DATE.fullmatch(text)
    if match is None or match[1] not in _MONTHS:
        return None
    month = _MONTHS.index(match[1]) + 1
    return calendar_stamp(f"{match[4]}-{month:02}-{int(match[2]):02} {match[3]}{match[5]}")


def _power(text: str) -> tuple[str, float] | None:
    """Name and power in mW of a line; None where it has none."""
    if match := _POWER.fullmatch(text):
        name, value, unit = match.groups()
    elif match := _INTEL.fullmatch(text):
        name, value, unit = "Package", match[1], match[2]
    else:
        return None
    power = number(value)
    return None if power is None else (name, power * _PER_UNIT[unit])


FORMAT = TraceFormat(
    "powermetrics",
    "powermetrics on macOS, text log",
    "counter",
    "mean-before",
    _looks_like,
    _open,
    RunSource("runs with powermetrics logs, a folder", "powermetrics", (".log", ".txt")),
)
