"""What `deepen evaluate` prints: one board per device, best predictors first, and the leaks of its splits."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table

from harness.evaluation.board import BoardRow, headlines
from harness.evaluation.board_columns import COLUMNS, RANK, RANKED_COLUMN, BoardColumn, ColumnForm
from harness.evaluation.comparison import BASELINE
from harness.evaluation.kernel_track import CROSS_VALIDATION
from harness.evaluation.metrics import FEWEST_FOR_PERCENT, RANKED_PERCENT
from harness.evaluation.result_layout import SplitResult
from harness.schema.results import Subject, Track

_TITLES: Final[dict[Track, str]] = {
    "kernels": "unseen configurations",
    "models": "unseen model families, each network the sum of its kernels",
    "devices": "unseen devices, with k rows to calibrate on",
}
_LEFT: Final = ("split", "kernel", "predictor")
_THOUSAND: Final = 1000
_WIDTH: Final = 340
"""A pipe has no width of its own, and a table cut at 80 columns would lose figures."""


def print_board(rows: Sequence[BoardRow]) -> None:
    """Print the splits of every subject over all kernels, and the kernel types of the cross-validation."""
    console = Console(width=None if Console().is_terminal else _WIDTH)
    for subject, group in groupby(rows, key=lambda row: row.subject):
        of_subject = list(group)
        typer.echo(f"\n{_in_words(subject)}: {_TITLES[of_subject[0].track]}")
        of_all = [row for row in of_subject if row.score.kernel == "all"]
        _print_table(console, "split", [(row.result.split, row) for row in of_all])
        of_types = [row for row in of_subject if row.result.split == CROSS_VALIDATION and row.score.kernel != "all"]
        if of_types:
            typer.echo(f"{CROSS_VALIDATION} by kernel type:")
            _print_table(console, "kernel", [(row.score.kernel, row) for row in of_types])
        for row in of_all:
            if row.result.status != "ok":
                typer.echo(f"{row.result.split}, {row.predictor}: {row.result.status}: {row.result.reason}")
        for _, same in groupby(of_all, key=lambda row: row.result.split):
            leaks = _leaks_in_words(next(same).result)
            if leaks:
                typer.echo(leaks)
    if rows:
        typer.echo(
            f"±{RANKED_PERCENT} % with its 95 % interval, resampled by group; a row that is not covered is a miss in "
            "every share, and in no figure right of covered; fewer than "
            f"{FEWEST_FOR_PERCENT} rows are counted; =: tied with another; +{BASELINE}, -best: share within "
            f"±{RANKED_PERCENT} % minus that of {BASELINE}, and minus that of the best, with simultaneous intervals; "
            "r: beyond rounding of the energies; no twin: rows without a training row that differs in one extent only; "
            "cov. 80 %: empirical coverage of the predictor's 80 % intervals, in percent; rows/s: in a batch of 10,000"
        )


def print_headlines(rows: Iterable[BoardRow]) -> None:
    """Print one line per subject, best predictor first: share on the headline split, or why there is none."""
    for subject, group in groupby(headlines(rows), key=lambda row: row.subject):
        members = list(group)
        shares = ", ".join(f"{row.predictor} {_headline(row)}" for row in members)
        typer.echo(f"{_in_words(subject)}, {members[0].result.split}, within ±10 %: {shares}")


def _headline(row: BoardRow) -> str:
    if row.result.status != "ok":
        return f"{row.result.status} ({row.result.reason})"
    if not row.score.n:
        return "not covered"
    shown = _cell(RANKED_COLUMN, row, has_interval=False)
    return shown if RANKED_COLUMN.is_of_few(row) else f"{shown} %"


def print_notes(notes: Iterable[str]) -> None:
    """Print one line per sentence."""
    for note in notes:
        typer.echo(f"note: {note}")


def _in_words(subject: Subject) -> str:
    batch = f", batches of {subject.batch_size}" if subject.batch_size > 1 else ""
    return f"{subject.system_id}, {subject.delegate}, {subject.dtype}{batch}, {subject.quantity} ({subject.tier})"


def _print_table(console: Console, heading: str, rows: Sequence[tuple[str, BoardRow]]) -> None:
    """Print one table, with a rule between the groups of its first column and without columns that are empty."""
    cells = [(name, _cells(row)) for name, row in rows]
    headings = [found for found in cells[0][1] if any(row[found] for _, row in cells)]
    table = Table()
    for name in (heading, *headings):
        table.add_column(name, justify="left" if name in _LEFT else "right", overflow="fold")
    for name, group in groupby(cells, key=lambda cell: cell[0]):
        for number, (_, row) in enumerate(group):
            table.add_row("" if number else name, *(row[found] for found in headings))
        table.add_section()
    console.print(table, markup=False)


def _cells(row: BoardRow) -> dict[str, str]:
    """Cells by heading; empty where undefined."""
    cells = {column.short: _cell(column, row) for column in COLUMNS if column.short}
    return {RANK.short: cells.pop(RANK.short), "predictor": row.predictor, **cells}


def _cell(column: BoardColumn, row: BoardRow, *, has_interval: bool = True) -> str:
    value = column.value(row)
    if column is RANKED_COLUMN and value is None:
        return row.result.status
    interval = column.interval(row) if has_interval and column.interval and value is not None else None
    if isinstance(value, float) and column.is_of_few(row):
        n = column.n(row) or 0
        shown, bounds = column.in_count(value, row), [f"{bound * n:.1f}" for bound in interval or ()]
    else:
        shown = "" if value is None else _SHOWN[column.form](value)
        bounds = [_SHOWN[column.form](bound) for bound in interval or ()]
    if column is RANK and shown:
        return f"{shown}{' =' if row.standing.ties else '  '}"
    return f"{shown} [{' '.join(bounds)}]" if bounds else shown


def _number(value: float | None, factor: float = 1) -> str:
    """Figure with one decimal below a thousand; empty where undefined."""
    if value is None:
        return ""
    shown = factor * value
    return f"{shown:.1f}" if abs(shown) < _THOUSAND else f"{shown:,.0f}"


_SHOWN: Final[Mapping[ColumnForm, Callable[[Any], str]]] = {
    "share": lambda value: _number(value, 100),
    "mean-share": lambda value: _number(value, 100),
    "percent": _number,
    "figure": "{:.3g}".format,
    "correlation": "{:.3f}".format,
    "count": str,
    "text": str,
    "prose": str,
    "seconds": "{:.2g}".format,
    "rate": "{:,.0f}".format,
}


def _leaks_in_words(result: SplitResult) -> str:
    leaks = result.leaks
    if leaks is None:
        return ""
    removed = f", {leaks.n_removed:.0f} removed from training" if leaks.n_removed else ""
    return (
        f"{result.split}: {leaks.n_train:.0f} rows to train on, {leaks.n_test:.0f} held out{removed}; on both sides "
        f"{leaks.shared_configurations:.0f} configurations and {leaks.shared_record_ids:.0f} records, "
        f"{leaks.near_duplicates:.0f} pairs that differ in one extent by at most 10 %"
    )
