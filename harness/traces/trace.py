"""The types that every trace format hands over and every reduction starts from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from harness.errors import DeepenError
from harness.schema.vocabulary import Boundary

Reals = npt.NDArray[np.float64]
ClockKind = Literal["device", "host"]
SampleKind = Literal["instant", "mean"]
TimeScale = Literal["epoch", "local", "relative"]

REFUSING: Final = frozenset(
    {
        "inference-order",
        "trace-alignment",
        "trace-channel",
        "trace-counter",
        "trace-energy",
        "trace-format",
        "trace-no-inference",
        "trace-order",
        "trace-resolution",
        "trace-time-unit",
        "trace-uncertain",
        "trace-unit",
        "trace-window",
        "trace-zone",
    }
)
"""Rules of findings with which a trace gives no energy; the registry has them as errors."""


@dataclass(frozen=True, slots=True)
class TraceFault:
    """One finding about a trace, to be reported under a rule.

    Attributes:
        rule: id of the rule.
        found: what is there.
        expected: what would have been right.
        fix: what to do, a sentence.
        line: line of the file, counted from 1, where there is one.
        source: name of the file that it is about; None where it is about none, or not yet known.
    """

    rule: str
    found: str
    expected: str
    fix: str
    line: int | None = None
    # The file of a finding is no part of the finding.
    source: str | None = field(default=None, compare=False)

    def at(self, source: str) -> "TraceFault":
        """The same finding about a file, unless it is about another one already."""
        return self if self.source is not None else replace(self, source=source)


class TraceFormatError(DeepenError):
    """A file is not a trace of the stated format; `fault` has the place and what was expected."""

    def __init__(self, fault: TraceFault) -> None:
        place = ":".join(str(part) for part in (fault.source, fault.line) if part is not None)
        super().__init__(f"{place}{': ' if place else ''}{fault.found}; expected {fault.expected}. {fault.fix}")
        self.fault = fault


class TraceOptionError(TraceFormatError):
    """A file is sound, but lacks what the options ask for, such as a channel; the fault is in the options."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive samples of a trace.

    Attributes:
        stamps_s: time of every sample in seconds; as stamped, not corrected.
        power_mw: power of every sample in mW.
    """

    stamps_s: Reals
    power_mw: Reals


@dataclass(frozen=True, slots=True)
class PowerTrace:
    """A trace as a recipe: what it is, and how to read its samples, as often as needed.

    Attributes:
        source: file name in messages.
        clock: `device` where the stamps are the sampling clock's, `host` where they are times of arrival.
        chunks: opens the trace anew and yields its samples in order, some at a time.
        stated_hz: sampling rate that the file or its format states; None where it states none.
        start_s: what was subtracted from every stamp, so that seconds keep their digits.
        kind: `instant` where a power is that at its stamp; `mean` where it is the mean since the stamp before. A
            reader turns means over the interval after a stamp, and counters, into this.
        scale: `epoch` where stamps count from 1970 in UTC, `local` where they are calendar time without a zone and
            were read as if in UTC, `relative` where they count from a start that the file does not state.
        averaging_s: seconds over which the meter averages each value, around its stamp; 0 where it does not.
        stamp_step_s: step in which stamps are written, such as 0.001; 0 where it is negligible.
        stamp_u_s: standard uncertainty in seconds that all stamps share; 0 where it is negligible.
        boundary: what the power is of, as far as the format or its channel tells; None where they do not.
        rails: names of the rails or columns that were read.
        faults: findings of the reader.
    """

    source: str
    clock: ClockKind
    chunks: Callable[[], Iterator[Chunk]]
    stated_hz: float | None = None
    start_s: float = 0.0
    kind: SampleKind = "instant"
    scale: TimeScale = "relative"
    averaging_s: float = 0.0
    stamp_step_s: float = 0.0
    stamp_u_s: float = 0.0
    boundary: Boundary | None = None
    rails: tuple[str, ...] = ()
    faults: tuple[TraceFault, ...] = field(default=())
