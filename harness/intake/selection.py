"""Selection of the rows of a source that a submission can hold; the others are quarantined with every reason.

A row is used as printed or not at all, unless a fix was asked for by name.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness.intake.candidates import Candidate, check_candidates
from harness.intake.fixes import Correction, Fix
from harness.intake.foreign import ForeignRow, ForeignTable
from harness.issues import Issue
from harness.schema.facts import Device, Manifest
from harness.schema.records import KEYS
from harness.schema.vocabulary import Level
from harness.validation.registry import RULES
from harness.validation.table import IDENTIFIER


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A row that cannot be used.

    Attributes:
        row: the row as the source has it.
        issues: every rule that it breaks, errors first.
        note: what a fix would have changed; empty where none applies.
    """

    row: ForeignRow
    issues: tuple[Issue, ...]
    note: str = ""

    @property
    def rules(self) -> list[str]:
        """Rules that it breaks, each once, errors first."""
        return list(dict.fromkeys(issue.rule for issue in self.issues))


@dataclass(frozen=True, slots=True)
class RowSelection:
    """Rows of a source, accepted or quarantined.

    Attributes:
        accepted: cells of the rows that a submission can hold, in the order of the source, by level.
        quarantined: all other rows, level by level in the order of the source.
        errata: what was corrected in accepted rows, as submission.yaml declares it.
    """

    accepted: Mapping[Level, Sequence[Mapping[str, str]]]
    quarantined: Sequence[QuarantinedRow]
    errata: Sequence[Mapping[str, Any]]

    @property
    def n_accepted(self) -> int:
        """Rows that a submission can hold."""
        return sum(map(len, self.accepted.values()))


def select_rows(table: ForeignTable, device: Device, manifest: Manifest, fixes: Sequence[Fix]) -> RowSelection:
    """Accept rows without errors, and quarantine the others.

    What remains after a row was taken out is checked again, because a rule may compare rows.
    """
    accepted: dict[Level, Sequence[Mapping[str, str]]] = {}
    quarantined: list[QuarantinedRow] = []
    errata: list[Mapping[str, Any]] = []
    for level in table.levels:
        of_level = _selected(table.of_level(level), level=level, device=device, manifest=manifest, fixes=fixes)
        accepted |= of_level.accepted
        quarantined += of_level.quarantined
        errata += of_level.errata
    return RowSelection(accepted, quarantined, errata)


def _selected(
    rows: Sequence[ForeignRow], *, level: Level, device: Device, manifest: Manifest, fixes: Sequence[Fix]
) -> RowSelection:
    """Accept rows of one level."""
    current = [Candidate(row.place, _cells(row)) for row in rows]
    check = partial(_issues, level=level, device=device, manifest=manifest)
    as_printed = check(current, [position for position, row in enumerate(rows) if row.cells])
    reasons = [_merged(row.faults, as_printed.get(position, ())) for position, row in enumerate(rows)]
    remaining = [position for position, row in enumerate(rows) if not row.faults]
    current, corrections = _corrected(current, remaining, level=level, device=device, manifest=manifest, fixes=fixes)
    quarantined = {
        position: QuarantinedRow(row, _in_order(reasons[position])) for position, row in enumerate(rows) if row.faults
    }
    while broken := _broken(check(current, remaining)):
        for position, issues in broken.items():
            note = " ".join(_vain(correction) for correction in corrections.get(position, ()))
            merged = _in_order(_merged(reasons[position], issues))
            quarantined[position] = QuarantinedRow(rows[position], merged, note)
        remaining = [position for position in remaining if position not in broken]
    errata = [
        _erratum(correction, current[position].cells, KEYS[level][0])
        for position in remaining
        for correction in corrections.get(position, ())
    ]
    accepted = [current[position].cells for position in remaining]
    return RowSelection({level: accepted}, [quarantined[position] for position in sorted(quarantined)], errata)


def _issues(
    candidates: Sequence[Candidate], positions: Sequence[int], *, level: Level, device: Device, manifest: Manifest
) -> dict[int, list[Issue]]:
    """Issues of chosen candidates, checked together, by their position."""
    checked = check_candidates([candidates[position] for position in positions], level, device, manifest)
    return dict(zip(positions, checked.issues, strict=True))


def _broken(issues: Mapping[int, list[Issue]]) -> dict[int, list[Issue]]:
    """Those with errors."""
    return {position: found for position, found in issues.items() if any(issue.severity == "error" for issue in found)}


def _cells(row: ForeignRow) -> dict[str, str]:
    """Cells as a reader of the CSV file gets them: stripped, and of characters that UTF-8 has."""
    given = {**row.cells, IDENTIFIER: row.source_id}
    return {name: cell.encode("utf-8", "backslashreplace").decode("utf-8").strip() for name, cell in given.items()}


def _corrected(
    printed: Sequence[Candidate],
    positions: Sequence[int],
    *,
    level: Level,
    device: Device,
    manifest: Manifest,
    fixes: Sequence[Fix],
) -> tuple[list[Candidate], dict[int, list[Correction]]]:
    """Candidates after the fixes, and what those changed in each; an erratum needs an identifier to point at."""
    current = list(printed)
    corrections: dict[int, list[Correction]] = {}
    for fix in fixes:
        checked = check_candidates([current[position] for position in positions], level, device, manifest)
        for correction in [] if checked.context is None else fix.find(checked.context):
            position = positions[checked.positions[correction.row]]
            cells = current[position].cells
            if cells[IDENTIFIER]:
                current[position] = dataclasses.replace(
                    current[position], cells={**cells, correction.column: correction.used}
                )
                corrections.setdefault(position, []).append(correction)
    return current, corrections


def _merged(first: Sequence[Issue], second: Sequence[Issue]) -> list[Issue]:
    """Issues of both; one issue per rule and column."""
    return list({(issue.rule, issue.column): issue for issue in (*second, *first)}.values())


def _in_order(issues: Sequence[Issue]) -> tuple[Issue, ...]:
    places = {rule: place for place, rule in enumerate(RULES)}
    return tuple(
        sorted(
            issues, key=lambda issue: (issue.severity != "error", places[issue.rule], issue.column or "", issue.found)
        )
    )


def _vain(correction: Correction) -> str:
    change = f"{correction.column} {correction.printed} to {correction.used}"
    return f"The fix that was asked for would change {change}, which does not make the row usable."


def _erratum(correction: Correction, cells: Mapping[str, str], subject: str) -> dict[str, Any]:
    return {
        "field": correction.column,
        "where": {subject: cells[subject], IDENTIFIER: cells[IDENTIFIER]},
        "printed": float(correction.printed),
        "used": float(correction.used),
        "why": correction.why,
    }
