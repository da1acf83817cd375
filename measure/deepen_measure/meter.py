"""What a meter is: columns of raw readings, what they cover, and how far they are to be trusted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Optional


@dataclass(frozen=True)
class MeterFacts:
    """What is known of a meter before it is read.

    Attributes:
        name: name on the command line.
        title: what it is, in words, as a submission states it.
        kind: `counter` where readings are energies that add up, `sensor` where they are powers.
        evidence: how it measures, a word of the schema: `rail`, `counter`, `battery-gauge` or `analyser`.
        format: format of `deepen reduce` that its log has.
        boundary: what its energies are of, a word of the schema; None where the rails do not tell.
        rails: names of what is read.
        gain_percent: limit of error in percent of the reading; None where no source states it.
        offset_mw: limit of error at zero, in mW; None likewise.
        accuracy_source: where the limits are stated, or why there are none.
    """

    name: str
    title: str
    kind: str
    evidence: str
    format: str
    boundary: Optional[str]  # noqa: UP045 - read on Python 3.9
    rails: tuple[str, ...]
    gain_percent: Optional[float]  # noqa: UP045
    offset_mw: Optional[float]  # noqa: UP045
    accuracy_source: str

    def as_json(self) -> dict[str, object]:
        """Facts as they are written beside a log."""
        return asdict(self)


class Meter(ABC):
    """A meter of this machine.

    Attributes:
        facts: what is known of it.
        columns: names of the columns of its log after the time, with units.
    """

    facts: MeterFacts
    columns: tuple[str, ...] = ()

    @property
    def header(self) -> str:
        """First line of its log."""
        return ",".join(("time_s", *self.columns)) + "\n"

    @abstractmethod
    def read(self) -> tuple[str, ...]:
        """One raw reading, in the order of the columns.

        Raises:
            MeasureError: the meter can no longer be read.
        """

    def record(self, stamp: str, reading: tuple[str, ...]) -> str:
        """A reading as its log has it.

        Args:
            stamp: seconds since 1970 on the clock that the windows have as well.
            reading: what `read` gave.
        """
        return ",".join((stamp, *reading)) + "\n"


@dataclass(frozen=True)
class Missing:
    """A meter that was looked for in vain.

    Attributes:
        name: name on the command line.
        looked_for: files or programs that would have been there.
        reason: what was found instead.
        fix: what makes it readable; empty where the machine does not have it.
    """

    name: str
    looked_for: str
    reason: str
    fix: str = ""
