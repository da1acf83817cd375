"""The types that every foreign format returns and that an intake starts from.

Text is as the source prints it; what is wrong with it is found by validation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from harness.errors import InvalidSubmissionsError
from harness.intake.stated import OpenFact, StatedFacts
from harness.issues import Issue, Report, as_text
from harness.schema.vocabulary import LEVELS, Level
from harness.traces.store import ReductionStore


@dataclass(frozen=True, slots=True)
class ForeignRow:
    """One row of a foreign source.

    Attributes:
        source_id: identifier of the row at its source.
        place: how messages name the row among the others of its source, as `line 17` or `concat ABC123`.
        cells: text by column of the schema, in its units, without `source_id`; absent where the source gives nothing.
        printed: values of the source that no column holds or that were converted, by their name there.
        faults: what was wrong with the row as it was read; with any, the row cannot be used.
        level: record level of the row; None where it is that of its table.
    """

    source_id: str
    place: str
    cells: Mapping[str, str]
    printed: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Issue, ...] = ()
    level: Level | None = None


@dataclass(frozen=True, slots=True)
class ForeignTable:
    """A foreign source as a format reads it.

    Attributes:
        level: record level of its rows, where they state none.
        rows: every row, in the order in which they are to be written.
        submission: contents of submission.yaml, without `schema_version` and errata of fixes.
        device: contents of device.yaml, perhaps without `name`; None where the source does not state it.
        traces: files to be kept under `traces/`, by their name there.
        reductions: what was reduced while it was read.
        open_facts: what neither the source nor the caller states, of the device too where that is new.
        scratch: folder that traces lie in, which goes with the table; None where they lie in the source.
    """

    level: Level
    rows: Sequence[ForeignRow]
    submission: Mapping[str, Any]
    device: Mapping[str, Any] | None = None
    traces: Mapping[str, Path] = field(default_factory=dict)
    reductions: ReductionStore = field(default_factory=ReductionStore)
    open_facts: Sequence[OpenFact] = ()
    scratch: TemporaryDirectory[str] | None = None

    def of_level(self, level: Level) -> Sequence[ForeignRow]:
        """Rows of a level, in their order."""
        return [row for row in self.rows if (row.level or self.level) == level]

    @property
    def levels(self) -> Sequence[Level]:
        """Levels that rows are of, as the schema orders them; that of the table where it has no row."""
        found = {row.level or self.level for row in self.rows} or {self.level}
        return [level for level in LEVELS if level in found]


_NOTHING_STATED: Final = StatedFacts()


@dataclass(frozen=True, slots=True)
class IntakeOptions:
    """What a source does not state.

    Attributes:
        mapping: file that maps foreign columns, or describes runs; None where the format needs none.
        device: device.yaml of the device, for formats that need its delegates; None where it is new.
        stated: what the caller states, which goes before the mapping.
    """

    mapping: Path | None = None
    device: Path | None = None
    stated: StatedFacts = _NOTHING_STATED


@dataclass(frozen=True, slots=True)
class IntakeFormat:
    """One foreign format.

    Attributes:
        name: name on the command line.
        title: what such files are, in a few words.
        read: table of a source; raises `ForeignSourceError` where it is not of the format, and `UsageError` where
            an option is missing or does not belong to it.
        facts: what a caller may state about its runs: attributes of `StatedFacts`.
        names: device folder and campaign folder that a source itself gives; None where the caller names them. Raises
            as `read` does.
    """

    name: str
    title: str
    read: Callable[[Path, IntakeOptions], ForeignTable]
    facts: tuple[str, ...] = ()
    names: Callable[[Path], tuple[str, str]] | None = None


class ForeignSourceError(InvalidSubmissionsError):
    """A foreign source cannot be read as a whole, so nothing was imported; `report` has the reasons."""

    def __init__(self, issues: Sequence[Issue], n_rows: int = 0) -> None:
        self.report = Report.of(n_rows, issues)
        super().__init__(as_text(self.report))
