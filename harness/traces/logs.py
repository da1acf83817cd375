"""What the readers of trace formats share: lines of a log, and the faults that all of them report.

It knows no format.
"""

import math
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np

from harness.budget import LATEST_S, MOST_LISTED_NUMBERS, MOST_LOG_BYTES, MOST_LOG_FAULTS, MOST_LOG_LINE, MOST_LOG_LINES
from harness.issues import quoted
from harness.schema.vocabulary import Boundary
from harness.traces.blocks import opened
from harness.traces.format import TraceOptions
from harness.traces.stamps import Stamp
from harness.traces.trace import (
    Chunk,
    PowerTrace,
    Reals,
    SampleKind,
    TimeScale,
    TraceFault,
    TraceFormatError,
    TraceOptionError,
)
from harness.traces.whole_seconds import EvenTimes, even_times

PEAK_MW = (1.0, 2e7)
"""No device computes below 1 mW at its highest. A server of eight GPUs takes 14.3 kW (NVIDIA DGX B200, data sheet)."""
_CLOCK_STEPS_S, _CHANGE_S = (3600.0, 1800.0), 60.0
"""Changes of the clock, of half an hour on Lord Howe Island, and how far the next stamp may be from it."""
_RATES_HZ = (1e-3, 1e6)
LEFT_OUT = "The line is left out; correct or delete it."


def refused(
    found: str, expected: str, fix: str, line: int | None = None, rule: str = "trace-format"
) -> TraceFormatError:
    """Error of a file that cannot be read; its parts are those of a fault."""
    return TraceFormatError(TraceFault(rule, found, expected, fix, line))


def log_text(data: bytes) -> str:
    """Text of a log as it was opened, which is UTF-8."""
    return data.decode("utf-8-sig", "replace")


def held_bytes(path: Path, most_lines: int = MOST_LOG_LINES) -> bytes:
    """Content of a log that is held in memory as a whole, decompressed.

    Args:
        path: the log.
        most_lines: lines that it may have.

    Raises:
        TraceFormatError: it is larger than such a log may be.
    """
    with opened(path) as file:
        data = file.read(MOST_LOG_BYTES + 1)
    if len(data) > MOST_LOG_BYTES:
        raise _too_large(f"more than {MOST_LOG_BYTES} bytes", f"at most {MOST_LOG_BYTES} bytes")
    n_lines = data.count(b"\n")
    if n_lines > most_lines:
        raise _too_large(f"{n_lines} lines", f"at most {most_lines} lines")
    return data


def _too_large(found: str, expected: str) -> TraceFormatError:
    fix = "Cut the log to the time of the inferences, with some seconds before and after."
    return refused(found, expected, fix, rule="file-size")


def refuse_long_list(text: str) -> None:
    """Refuse the text of a JSON file with more numbers than are parsed as a whole.

    Raises:
        TraceFormatError: it has.
    """
    n_numbers = text.count(",") + 1
    if n_numbers > MOST_LISTED_NUMBERS:
        raise _too_large(f"a list of {n_numbers} parts", f"at most {MOST_LISTED_NUMBERS}")


def log_lines(path: Path) -> list[tuple[int, str]]:
    """Lines of a log with their numbers from 1, without blank ones at the end.

    Raises:
        TraceFormatError: the log or a line of it is larger than any of a meter.
    """
    lines = [line.strip() for line in log_text(held_bytes(path)).split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    numbered = list(enumerate(lines, start=1))
    for number, line in numbered:
        if len(line) > MOST_LOG_LINE:
            fix = "Record again, or export the log again; a line end is missing, or this is no log."
            raise refused(f"{len(line)} characters", f"at most {MOST_LOG_LINE} in a line", fix, number, "line-length")
    return numbered


def refuse_channel(options: TraceOptions) -> None:
    """Refuse a channel where the format has only one power.

    Raises:
        TraceOptionError: a channel is named.
    """
    if options.channel is not None:
        found, expected = f"channel {quoted(options.channel)}", "no channel, for this format has one power"
        raise TraceOptionError(TraceFault("trace-channel", found, expected, "Leave the channel out."))


def stated_rate(options: TraceOptions) -> float | None:
    """Lines a second that the options state; None where they state none.

    Raises:
        TraceOptionError: it is no rate of a log.
    """
    hz = options.sampling_hz
    if hz is not None and not _RATES_HZ[0] <= hz <= _RATES_HZ[1]:
        fix = "State the rate that the log was made at."
        raise TraceOptionError(TraceFault("trace-format", f"sampling_hz = {hz:g}", "lines a second", fix))
    return hz


def peak_fault(peak_mw: float, bounds_mw: tuple[float, float] = PEAK_MW) -> TraceFault | None:
    """Fault of a trace whose highest power is not one in the unit that was read; None where it is plausible.

    >>> peak_fault(0.02).expected
    'between 1 and 2e+07 mW'
    """
    if bounds_mw[0] <= peak_mw <= bounds_mw[1]:
        return None
    expected = f"between {bounds_mw[0]:.6g} and {bounds_mw[1]:.6g} mW"
    fix = "Find out the unit of the values; correct the header, layout or option where it states another."
    if peak_mw < 0:
        fix = "Every power is below 0: turn the probe round, or change the sign of every current in the log."
    return TraceFault("trace-unit", f"a highest power of {peak_mw:.6g} mW", expected, fix)


def _refuse_clock_change(line: int, before_us: int, stamp: Stamp) -> None:
    """Refuse a step of an hour or half of one at such a time between calendar times that state no zone."""
    step_s = (stamp.us - before_us) / 1e6
    is_full = stamp.us / 1e6 % _CLOCK_STEPS_S[-1] < _CHANGE_S
    is_change = is_full and any(abs(abs(step_s) - change_s) < _CHANGE_S for change_s in _CLOCK_STEPS_S)
    if not (is_change and stamp.is_zoneless):
        return
    way = "ends" if step_s < 0 else "begins"
    found = f"stamps that step by {step_s:+.0f} s at a full or half hour, as where summer time {way}"
    expected = "calendar times in a zone whose changes of the clock are known"
    fix = "State the zone by its name, such as --timezone Europe/Berlin, not as an offset; where the log was really "
    fix += "interrupted for that long, cut it there."
    raise refused(found, expected, fix, line, "trace-zone")


class TraceFacts(TypedDict, total=False):
    """Attributes of a `PowerTrace` that a log states or its format knows."""

    kind: SampleKind
    scale: TimeScale
    averaging_s: float
    stamp_step_s: float
    stamp_u_s: float
    boundary: Boundary | None
    rails: tuple[str, ...]


class Log:
    """Samples and faults of a log that fits into memory.

    Args:
        source: file name in messages.
        peak_mw: bounds of a plausible highest power in mW.
    """

    def __init__(self, source: str, peak_mw: tuple[float, float] = PEAK_MW) -> None:
        self._source, self._peak_mw = source, peak_mw
        self._stamps_us: list[int] = []
        self._power_mw: list[float] = []
        self._faults: list[TraceFault] = []
        self._n_more = 0
        self._lines: list[int] = []
        self._scale: TimeScale | None = None
        self._step_s, self._u_s = math.inf, 0.0

    @property
    def n_samples(self) -> int:
        """Samples so far."""
        return len(self._power_mw)

    @property
    def lines(self) -> list[int]:
        """Line of every sample."""
        return self._lines

    def stamps_s(self) -> Reals:
        """Seconds from the first sample to every sample."""
        stamps = np.array(self._stamps_us, dtype=np.int64)
        return (stamps - stamps[:1]).astype(np.float64) / 1e6

    def set_powers(self, power_mw: Reals) -> None:
        """Replace the power of every sample, once all are known."""
        self._power_mw = power_mw.tolist()

    def add_at(self, line: int, stamp: Stamp, power_mw: float) -> None:
        """Add a sample at a time of the log, which counts from the same start as the first.

        Raises:
            TraceFormatError: clocks were changed between this time and the one before, and the zone is not known.
        """
        if self._scale is None:
            self._scale = stamp.scale
        if stamp.scale != self._scale:
            self.leave_out(
                line, f"a time with the scale {stamp.scale}", f"{self._scale}, as in the first", "trace-zone"
            )
            return
        if self._stamps_us:
            stamp = stamp.after(self._stamps_us[-1])
            _refuse_clock_change(line, self._stamps_us[-1], stamp)
        self._step_s = min(self._step_s, stamp.step_s)
        self.add(line, stamp.us, power_mw, per_second=1e6)

    def space_evenly(self, period_s: float | None = None, places: Reals | None = None) -> EvenTimes | None:
        """Replace stamps of whole seconds by the true times of evenly spaced lines.

        Args:
            period_s: seconds from a place to the next; None finds it.
            places: place of every sample in an even spacing; None takes the line numbers.

        Returns:
            The times; None where the stamps are finer, too few or not evenly spaced, and stay as they are.
        """
        if self._step_s != 1.0 or not self._stamps_us:
            return None
        seconds = [stamp // 1_000_000 for stamp in self._stamps_us]
        even = even_times(seconds, np.array(self._lines, dtype=np.float64) if places is None else places, period_s)
        if even is None:
            return None
        first = seconds[0]
        self._stamps_us = [first * 1_000_000 + round(time * 1e6) for time in even.times_s - float(first)]
        self._step_s, self._u_s = 0.0, even.u_s
        return even

    def add(self, line: int, stamp_s: float | int, power_mw: float, per_second: float = 1.0) -> None:
        """Add a sample; whole microseconds are kept, so that an epoch loses no digit."""
        if abs(stamp_s) / per_second > LATEST_S:
            self.leave_out(line, f"time {stamp_s:.6g}", "a time of this age")
            return
        self._stamps_us.append(round(stamp_s * (1e6 / per_second)))
        self._power_mw.append(power_mw)
        self._lines.append(line)

    def leave_out(self, line: int, found: str, expected: str, rule: str = "trace-format", fix: str = LEFT_OUT) -> None:
        """Note that a line holds no sample."""
        if len(self._faults) < MOST_LOG_FAULTS:
            self._faults.append(TraceFault(rule, found, expected, fix, line))
        else:
            self._n_more += 1

    def note(self, fault: TraceFault) -> None:
        """Note a fault of the whole log."""
        self._faults.append(fault)

    def trace(self, stated_hz: float | None = None, **facts: Unpack[TraceFacts]) -> PowerTrace:
        """Trace of the samples, from 0 s on.

        Args:
            stated_hz: sampling rate that the log or its format states.
            facts: further attributes of the trace.

        Raises:
            TraceFormatError: there is no sample.
        """
        if not self._stamps_us:
            if self._faults:
                raise TraceFormatError(self._faults[0])
            raise refused("no samples", "at least one", "Record the run again.")
        first = self._stamps_us[0]
        chunk = Chunk(self.stamps_s(), np.array(self._power_mw))
        faults = list(self._faults)
        if self._n_more:
            fix = "The lines are left out; record again if they matter."
            faults.append(TraceFault("trace-format", f"{self._n_more} more bad lines", "lines of samples", fix))
        if self._scale is not None:
            facts.setdefault("scale", self._scale)
            facts.setdefault("stamp_step_s", self._step_s)
            facts.setdefault("stamp_u_s", self._u_s)
        unlikely = peak_fault(float(chunk.power_mw.max()), self._peak_mw)
        return PowerTrace(
            self._source,
            "device",
            lambda: iter((chunk,)),
            stated_hz,
            first / 1e6,
            faults=tuple(faults if unlikely is None else [*faults, unlikely]),
            **facts,
        )
