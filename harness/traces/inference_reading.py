"""Windows and faults of a log of inferences as they are read, in whole nanoseconds; it knows no layout."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from harness.budget import LATEST_S, MOST_LOG_FAULTS, MOST_WINDOWS
from harness.traces.columns import EPOCH_S
from harness.traces.trace import TimeScale, TraceFault, TraceFormatError

DIGITS: Final = {"s": 9, "ms": 6, "us": 3, "ns": 0}
"""Decimal places from a unit down to nanoseconds."""
LEFT_OUT: Final = "The inference is left out; correct the log."


class Reading:
    """Windows and faults as they are read."""

    def __init__(self) -> None:
        self.starts_ns: list[int] = []
        self.ends_ns: list[int] = []
        self.scale: TimeScale = "relative"
        self._faults: list[TraceFault] = []
        self._n_more = 0
        self._latest_end_ns: int | None = None
        self._steps_s: dict[str, float] = {}

    @property
    def stamp_step_s(self) -> float:
        """Step in seconds in which times are written: of each column the finest, of these the coarsest."""
        return max(self._steps_s.values(), default=0.0)

    def step(self, column: str, step_s: float) -> None:
        """Note the step of a time of a column."""
        self._steps_s[column] = min(step_s, self._steps_s.get(column, step_s))

    def fault(self, rule: str, found: str, expected: str, fix: str, line: int | None) -> None:
        """Note a finding."""
        if len(self._faults) < MOST_LOG_FAULTS:
            self._faults.append(TraceFault(rule, found, expected, fix, line))
        else:
            self._n_more += 1

    def faults(self) -> Iterable[TraceFault]:
        """All findings."""
        if not self._n_more:
            return self._faults
        found = f"{self._n_more} more bad inferences"
        return [*self._faults, TraceFault("inference-order", found, "inferences in order", "Correct the log.")]

    def add(self, start_ns: int, end_ns: int, shown: tuple[str, str], line: int | None) -> None:
        """Add a window if it has a duration, and note where it does not follow the one before.

        Raises:
            TraceFormatError: there are more windows than any run has.
        """
        if max(abs(start_ns), abs(end_ns)) > LATEST_S * 10**9:
            self.fault("trace-time-unit", f"{shown[0]} to {shown[1]}", "times until 2096", LEFT_OUT, line)
            return
        if len(self.starts_ns) >= MOST_WINDOWS:
            fix = "Log one window over many inferences that run back to back, and state their number."
            fault = TraceFault("file-size", f"more than {MOST_WINDOWS} windows", f"at most {MOST_WINDOWS}", fix, line)
            raise TraceFormatError(fault)
        if end_ns <= start_ns:
            self.fault("inference-order", f"end {shown[1]}", f"after the start, {shown[0]}", LEFT_OUT, line)
            return
        if self.starts_ns and start_ns < self.starts_ns[-1]:
            fix = "Log inferences in the order in which they ran."
            self.fault("inference-order", f"start {shown[0]}", "not before the start of the one before", fix, line)
        elif self._latest_end_ns is not None and start_ns < self._latest_end_ns:
            fix = "Log inferences that run one after another; energy of overlapping ones is counted twice."
            self.fault("inference-order", f"start {shown[0]}", "not before the end of the one before", fix, line)
        self._latest_end_ns = end_ns if self._latest_end_ns is None else max(self._latest_end_ns, end_ns)
        self.starts_ns.append(start_ns)
        self.ends_ns.append(end_ns)

    def set_scale_by_size(self) -> None:
        """Take what numbers count from by the size of the first."""
        if self.starts_ns and self.starts_ns[0] >= EPOCH_S * 10 ** DIGITS["s"]:
            self.scale = "epoch"


def nanoseconds(value: Decimal | None, digits: int) -> int | None:
    """Whole nanoseconds of a number whose unit has so many decimal places more; None where it is no time.

    >>> nanoseconds(Decimal("1700000000000001"), 3)
    1700000000000001000
    """
    if value is None or value.adjusted() + digits > len(str(LATEST_S)) + DIGITS["s"]:
        return None
    whole = int(value.scaleb(digits).to_integral_value())
    return whole if abs(whole) <= LATEST_S * 10**9 else None
