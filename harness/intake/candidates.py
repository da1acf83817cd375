"""Candidate rows through the checks of validation: every rule that each of them breaks.

Rows are a CSV file in memory; nothing is decided about them here.
"""

import dataclasses
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.budget import MOST_CELL_CHARACTERS
from harness.issues import Issue, quoted
from harness.schema.columns import columns_of
from harness.schema.facts import Device, Manifest
from harness.schema.records import KEYS, ROWS, SHARED_KEY
from harness.schema.vocabulary import Level
from harness.validation.context import RowContext
from harness.validation.faults import Faults
from harness.validation.grouping import group_codes
from harness.validation.levels import check_rows
from harness.validation.table import IDENTIFIER, RowTable

_EXPECT_LINES: Final = ("id-reused", "record-duplicate")
_FIND_LINES: Final = ("repeat", "repeat-spread")
"""Rules whose messages name other rows by their lines, in what is expected or in what is found."""

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row on its way into a submission.

    Attributes:
        place: how messages name the row.
        cells: text by column of the schema.
    """

    place: str
    cells: Cells


@dataclass(frozen=True, slots=True)
class CandidateReport:
    """Issues of candidate rows.

    Attributes:
        issues: what each row breaks, in the order of the rows.
        context: typed rows with what they are measured against; None where there are none.
        positions: candidate behind each row of the context.
    """

    issues: Sequence[list[Issue]]
    context: RowContext | None = None
    positions: Sequence[int] = ()


def columns_given(level: Level, rows: Sequence[Cells]) -> list[str]:
    """Columns of a table of rows: every required one and every other that a row gives, key first."""
    columns = columns_of(ROWS[level])
    ordered = dict.fromkeys((*KEYS[level], *SHARED_KEY, *columns))
    return [name for name in ordered if columns[name].is_required or any(row.get(name) for row in rows)]


def csv_bytes(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """CSV file in UTF-8 with line feeds; text that UTF-8 cannot hold is written as an escape."""
    text = "".join(",".join(map(_csv_cell, cells)) + "\n" for cells in (header, *rows))
    return text.encode("utf-8", "backslashreplace")


def _csv_cell(cell: str) -> str:
    """Cell in quotes where it needs them; the writer of the standard library leaves a carriage return without."""
    return '"' + cell.replace('"', '""') + '"' if any(sign in cell for sign in '",\r\n') else cell


def table_bytes(level: Level, rows: Sequence[Cells]) -> bytes:
    """CSV file of a level's rows."""
    header = columns_given(level, rows)
    return csv_bytes(header, [[row.get(name, "") for name in header] for row in rows])


def check_candidates(rows: Sequence[Candidate], level: Level, device: Device, manifest: Manifest) -> CandidateReport:
    """Run every check of validation over candidate rows, and give each row its issues.

    A fault that validation reports once for many rows is reported at each; one that several rows are to blame for
    counts against all of them.
    """
    shown = f"{level}.csv"
    issues = [_long_cells(row, shown) for row in rows]
    readable = [position for position, long in enumerate(issues) if not long]
    if not readable:
        return CandidateReport(issues)
    # Every row needs its own reasons.
    faults = Faults(keeps_all=True)
    chosen = [rows[position] for position in readable]
    data = table_bytes(level, [row.cells for row in chosen])
    table = check_rows(data, level, device=device, manifest=manifest, shown=shown, faults=faults, is_each_row=True)
    if table is None:
        for position in readable:
            issues[position].extend(faults.issues)
        return CandidateReport(issues)
    blame = _Blame(level, table, chosen)
    for issue in faults.issues:
        for member, shared in blame.shares(issue):
            issues[readable[member]].append(shared)
    return CandidateReport(issues, RowContext(level, table, device, manifest, faults, is_each_row=True), readable)


def _long_cells(row: Candidate, shown: str) -> list[Issue]:
    """Issues of cells that are too long to be a value; such a row is not checked further."""
    faults = Faults()
    for name, cell in row.cells.items():
        if len(cell) > MOST_CELL_CHARACTERS:
            faults.add(
                "line-length",
                shown,
                column=name,
                found=cell,
                expected=f"at most {MOST_CELL_CHARACTERS} characters in a cell",
                fix="Look at the source; a line end or a quote is missing.",
            )
    return faults.issues


class _Blame:
    """Which rows an issue counts against, and its words for each of them.

    Args:
        level: record level of the rows.
        table: rows as they were checked.
        rows: the same rows as candidates.
    """

    def __init__(self, level: Level, table: RowTable, rows: Sequence[Candidate]) -> None:
        self._table = table
        self._rows = rows
        self._row_of_line = {table.line(row): row for row in range(len(rows))}
        key = (*KEYS[level], *SHARED_KEY)
        self._shared = {
            "id-reused": (IDENTIFIER,),
            "record-duplicate": (*key, IDENTIFIER),
            "repeat-spread": key,
        }
        """Columns that the rows share which break such a rule together; it is reported at one of them."""
        self._groups: dict[str, tuple[list[int], dict[int, list[int]]]] = {}

    def shares(self, issue: Issue) -> Iterator[tuple[int, Issue]]:
        """Every row that an issue counts against, with the issue in the words of the source."""
        row = self._row_of_line.get(issue.line or 0)
        shared = self._in_places(issue)
        if row is None:
            yield from ((member, shared) for member in range(len(self._rows)))
            return
        for member in self._members(issue.rule, row):
            if member == row:
                yield member, shared
            else:
                yield member, dataclasses.replace(shared, found=f"{shared.found} (at {quoted(self._rows[row].place)})")

    def _members(self, rule: str, row: int) -> Sequence[int]:
        if rule not in self._shared:
            return [row]
        if rule not in self._groups:
            codes: list[int] = group_codes(self._table.table, self._shared[rule]).tolist()
            grouped: dict[int, list[int]] = defaultdict(list)
            for member, code in enumerate(codes):
                grouped[code].append(member)
            self._groups[rule] = codes, grouped
        codes, grouped = self._groups[rule]
        members = grouped[codes[row]]
        is_copy = rule == "record-duplicate" and self._rows[row].cells == self._rows[members[0]].cells
        # Which of several figures is right is unknown; a copy of one adds nothing.
        return [row] if is_copy else members

    def _in_places(self, issue: Issue) -> Issue:
        """Issue that names other rows as the source does, and not by their line in memory."""
        issue = dataclasses.replace(issue, line=None)
        if issue.rule in _EXPECT_LINES:
            return dataclasses.replace(issue, expected=self._named(issue.expected))
        if issue.rule in _FIND_LINES:
            return dataclasses.replace(issue, found=self._named(issue.found))
        return issue

    def _named(self, text: str) -> str:
        def named(match: re.Match[str]) -> str:
            rows = [self._row_of_line.get(int(line)) for line in match[1].split(", ")]
            return ", ".join(quoted(self._rows[row].place) for row in rows if row is not None)

        return re.sub(r"\bline ([0-9]+(?:, [0-9]+)*)", named, text)
