"""What `deepen evaluate` prints: a board a device, best predictors first, and what its splits leak."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

import typer
from rich.console import Console
from rich.table import Table

from harness.evaluation.board import BoardRow, headlines
from harness.evaluation.bootstrap import Difference
from harness.evaluation.comparison import BASELINE
from harness.evaluation.kernel_track import CROSS_VALIDATION
from harness.schema.results import Interval, SplitResult, Subject, Track

_TITLES: Final[dict[Track, str]] = {
    "kernels": "unseen configurations",
    "models": "unseen model families, each network the sum of its kernels",
    "devices": "unseen devices, with k rows to calibrate on",
}
_LEFT: Final = ("split", "kernel", "predictor")
_THOUSAND: Final = 1000
_WIDTH: Final = 260
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
            f"±10 % with its 95 % interval, resampled by group; = cannot be told apart from another; +{BASELINE}, "
            f"-best: the share within ±10 % minus that of {BASELINE}, and minus that of the best"
        )


def print_headlines(rows: Iterable[BoardRow]) -> None:
    """Print one line for every subject, best predictor first: what stands for its track, and how it ended."""
    for subject, group in groupby(headlines(rows), key=lambda row: row.subject):
        members = list(group)
        shares = ", ".join(f"{row.predictor} {_headline(row)}" for row in members)
        typer.echo(f"{_in_words(subject)}, {members[0].result.split}, within ±10 %: {shares}")


def _headline(row: BoardRow) -> str:
    if row.result.status != "ok":
        return f"{row.result.status} ({row.result.reason})"
    return f"{_number(row.score.within_10, 100)} %" if row.score.n else "not covered"


def print_notes(notes: Iterable[str]) -> None:
    """Print sentences, one a line."""
    for note in notes:
        typer.echo(f"note: {note}")


def _in_words(subject: Subject) -> str:
    kind = "idle-subtracted energy" if subject.is_idle_subtracted else "energy"
    batch = f", batches of {subject.batch_size}" if subject.batch_size > 1 else ""
    return f"{subject.device_id}, {subject.delegate}, {subject.dtype}{batch}, {kind} ({subject.tier})"


def _print_table(console: Console, heading: str, rows: Sequence[tuple[str, BoardRow]]) -> None:
    """Print one table; a line between the groups of its first column, and no column that nobody fills."""
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
    score, compared, interval = row.score, row.compared, row.within_10_ci95
    return {
        "rank": "" if compared.rank is None else f"{compared.rank}{' =' if compared.ties else '  '}",
        "predictor": row.predictor,
        "±10 %": row.result.status if score.within_10 is None else _with_interval(score.within_10, interval, 100),
        "±5 %": _number(score.within_5, 100),
        "±15 %": _number(score.within_15, 100),
        "MAPE %": "" if score.mape is None else _with_interval(score.mape, score.ci95.get("mape")),
        "RMSPE %": _number(score.rmspe),
        "RMSE mJ": "" if score.rmse_mj is None else f"{score.rmse_mj:.3g}",
        "Spearman": "" if score.spearman is None else f"{score.spearman:.3f}",
        "kernel error %": _number(score.kernel_error),
        "not covered %": _number(score.coverage_error),
        f"+{BASELINE}": _difference(compared.to_baseline),
        "-best": _difference(compared.to_best),
        "intervals hold %": " ".join(f"{name}:{100 * held:.0f}" for name, held in score.interval_coverage.items()),
        "coverage": _number(score.coverage, 100),
        "of FLOPs": _number(score.coverage_flops, 100),
        "n": str(score.n) if row.result.status == "ok" else "",
        "fit s": "" if row.result.fit_s is None else f"{row.result.fit_s:.2g}",
        "rows/s": "" if row.result.predict_rows_per_s is None else f"{row.result.predict_rows_per_s:,.0f}",
    }


def _difference(found: Difference | None) -> str:
    return "" if found is None else _with_interval(found.value, found.ci95, 100)


def _number(value: float | None, factor: float = 1) -> str:
    """Figure with one decimal below a thousand; empty where undefined."""
    if value is None:
        return ""
    shown = factor * value
    return f"{shown:.1f}" if abs(shown) < _THOUSAND else f"{shown:,.0f}"


def _with_interval(value: float, interval: Interval | None, factor: float = 1) -> str:
    bounds = "" if interval is None else f" [{' '.join(_number(bound, factor) for bound in interval)}]"
    return _number(value, factor) + bounds


def _leaks_in_words(result: SplitResult) -> str:
    leaks = result.leaks
    if leaks is None:
        return ""
    removed = f", {leaks.n_removed:.0f} taken out of training" if leaks.n_removed else ""
    return (
        f"{result.split}: {leaks.n_train:.0f} rows to train on, {leaks.n_test:.0f} held out{removed}; on both sides "
        f"{leaks.shared_configurations:.0f} configurations and {leaks.shared_record_ids:.0f} records, "
        f"{leaks.near_duplicates:.0f} pairs that differ in one extent by at most 10 %"
    )
