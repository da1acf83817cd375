"""What the readers of trace formats share: lines of a log, and the faults that all of them report.

It knows no format.
"""

from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np

from harness.issues import quoted
from harness.schema.vocabulary import Boundary
from harness.traces.blocks import opened
from harness.traces.format import TraceOptions
from harness.traces.trace import (
    Chunk,
    PowerTrace,
    SampleKind,
    TimeScale,
    TraceFault,
    TraceFormatError,
    TraceOptionError,
)

MOST_FAULTS = 20
"""Bad lines that are reported one by one; the others are counted."""
PEAK_MW = (1.0, 1e8)
"""No device computes below 1 mW at its highest or above 100 kW."""
LATEST_S = 1e11


def refused(
    found: str, expected: str, fix: str, line: int | None = None, rule: str = "trace-format"
) -> TraceFormatError:
    """Error of a file that cannot be read; its parts are those of a fault."""
    return TraceFormatError(TraceFault(rule, found, expected, fix, line))


def log_text(data: bytes) -> str:
    """Text of a log; some shells redirect output in UTF-16."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")


def log_lines(path: Path) -> list[tuple[int, str]]:
    """Lines of a log with their numbers from 1, without blank ones at the end."""
    with opened(path) as file:
        lines = [line.strip() for line in log_text(file.read()).split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return list(enumerate(lines, start=1))


def refuse_channel(options: TraceOptions) -> None:
    """Refuse a channel where the format has only one power.

    Raises:
        TraceOptionError: a channel is named.
    """
    if options.channel is not None:
        found, expected = f"channel {quoted(options.channel)}", "no channel, for this format has one power"
        raise TraceOptionError(TraceFault("trace-channel", found, expected, "Leave the channel out."))


def peak_fault(peak_mw: float, bounds_mw: tuple[float, float] = PEAK_MW) -> TraceFault | None:
    """Fault of a trace whose highest power is not one in the unit that was read; None where it is plausible.

    >>> peak_fault(0.02).expected
    'between 1 and 1e+08 mW'
    """
    if bounds_mw[0] <= peak_mw <= bounds_mw[1]:
        return None
    expected = f"between {bounds_mw[0]:.6g} and {bounds_mw[1]:.6g} mW"
    fix = "Correct the unit that the header states, or convert the values to it."
    return TraceFault("trace-unit", f"a highest power of {peak_mw:.6g} mW", expected, fix)


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

    def add(self, line: int, stamp_s: float | int, power_mw: float, per_second: float = 1.0) -> None:
        """Add a sample; whole microseconds are kept, so that an epoch loses no digit."""
        if abs(stamp_s) / per_second > LATEST_S:
            self.leave_out(line, f"time {stamp_s:.6g}", "a time of this age")
            return
        self._stamps_us.append(round(stamp_s * (1e6 / per_second)))
        self._power_mw.append(power_mw)

    def leave_out(self, line: int, found: str, expected: str, rule: str = "trace-format") -> None:
        """Note that a line holds no sample."""
        if len(self._faults) < MOST_FAULTS:
            fix = "The line is left out; correct or delete it."
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
        chunk = Chunk(
            (np.array(self._stamps_us, dtype=np.int64) - first).astype(np.float64) / 1e6, np.array(self._power_mw)
        )
        faults = list(self._faults)
        if self._n_more:
            fix = "The lines are left out; record again if they matter."
            faults.append(TraceFault("trace-format", f"{self._n_more} more bad lines", "lines of samples", fix))
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
