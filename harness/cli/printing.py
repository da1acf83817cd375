"""What the commands print: progress, tables of ratings, reductions, outcomes of builds and intakes."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from harness.intake.flow import IntakeResult
from harness.packaging.build import BuiltDataset
from harness.packaging.predictors_build import BuiltPredictor
from harness.scoring.ratings import Rating
from harness.traces.reduction import Reduction
from harness.traces.runs import Run
from harness.traces.trace import TraceFault
from harness.validation import RULES


@contextmanager
def steps(title: str, total: int | None) -> Iterator[Callable[[str], None]]:
    """Progress on standard error, where a person looks on; calling it names and counts a step."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(title, total=total)

        def step(name: str) -> None:
            bar.update(task, advance=1, description=f"{title}: {name}")

        yield step


def print_built(built: Sequence[BuiltDataset]) -> None:
    """Print the folder of each dataset, or that its level is empty, and how to raise the version of a dev build."""
    for dataset in built:
        if dataset.folder is None:
            typer.echo(f"{dataset.level}: no submission has such rows yet, so there is no dataset")
        else:
            devices = "1 device" if dataset.n_devices == 1 else f"{dataset.n_devices} devices"
            rows = f"{dataset.n_rows} rows of {devices}, version {dataset.version}"
            typer.echo(f"{dataset.level}: {rows}, in {dataset.folder.as_posix()}")
    if built[0].is_dev:
        _print_dev(built)


def _print_dev(built: Sequence[BuiltDataset]) -> None:
    for dataset in built:
        if dataset.difference:
            typer.echo(f"{dataset.level}: {dataset.difference}")
    contents = (f"{each.level}: {each.content_sha256}" for each in built if each.content_sha256)
    typer.echo(
        f"Marked {built[0].version} until the version is raised: add a version at the top of "
        f"dataset_cards/versions.yaml, with\n  content_sha256: {{{', '.join(contents)}}}"
    )


def print_predictors(built: Sequence[BuiltPredictor]) -> None:
    """Print how many predictors were fitted, and why the others were not."""
    folders = [each.folder for each in built if each.folder is not None]
    typer.echo(f"predictors: {len(folders)} fitted, each with its card, in dist/predictors")
    for reason, n in Counter(each.reason for each in built if each.folder is None).most_common():
        typer.echo(f"  {n} not fitted: {reason}")


def print_ratings(ratings: Sequence[Rating]) -> None:
    """Print one table an edition, without the columns that nobody fills."""
    # A pipe has no width of its own, and a table cut at 80 columns would lose figures.
    console = Console(width=None if Console().is_terminal else 140)
    by_edition: dict[str, list[dict[str, str]]] = {}
    for rating in ratings:
        by_edition.setdefault(rating.edition or "no edition", []).append(_rating_cells(rating))
    for edition, rows in by_edition.items():
        table = Table(title=edition, title_justify="left")
        headings = [heading for heading in rows[0] if any(row[heading] for row in rows)]
        for heading in headings:
            table.add_column(heading, justify="left" if heading in _TEXT_HEADINGS else "right")
        for row in rows:
            table.add_row(*(row[heading] for heading in headings))
        console.print(table, markup=False)


_TEXT_HEADINGS = ("device", "not rated because")


def _rating_cells(rating: Rating) -> dict[str, str]:
    """Cells of one device by heading; empty where undefined."""

    def shown(number: float | None, decimals: int) -> str:
        return "" if number is None else f"{number:.{decimals}f}"

    return {
        "rank": shown(rating.rank, 0),
        "device": rating.device_id,
        "class": rating.label_text or "",
        "energy index": shown(rating.energy_index, 1),
        "PCS": shown(rating.pcs, 0),
        "PCS published": shown(rating.pcs_published, 0),
        "IECS": shown(rating.iecs, 1),
        "IECS published": shown(rating.iecs_published, 0),
        "not rated because": rating.reason or "",
    }


def reduction_json(run: Run, reduction: Reduction | TraceFault) -> dict[str, Any]:
    """Reduction as `deepen reduce --format json` gives it; null where it cannot be told."""
    faults = (reduction,) if isinstance(reduction, TraceFault) else reduction.faults
    figures = {} if isinstance(reduction, TraceFault) else asdict(reduction)
    names = (
        "n_samples", "sampling_hz", "n_inferences", "n_used", "energy_mj", "energy_median_mj", "energy_std_mj",
        "energy_ci95_mj", "energy_idle_subtracted_mj", "idle_power_mw", "latency_ms", "power_mw", "clock_residual_ms",
    )  # fmt: skip
    issues = [asdict(fault) | {"severity": RULES[fault.rule].severity} for fault in faults]
    return {"trace": run.power.as_posix(), **{name: figures.get(name) for name in names}, "issues": issues}


def print_reductions(results: Sequence[dict[str, Any]]) -> None:
    """Print figures with their units, then the findings."""
    units = {"mj": "mJ", "mw": "mW", "ms": "ms", "hz": "Hz"}
    for result in results:
        typer.echo(result["trace"])
        for name, value in result.items():
            if name in ("trace", "issues"):
                continue
            shown = "unknown" if value is None else value
            if isinstance(value, float):
                shown = f"{value:.6g}"
            elif isinstance(value, tuple):
                shown = " to ".join(f"{bound:.6g}" for bound in value)
            typer.echo(
                f"  {name:<26} {shown} {units.get(name.rsplit('_', 1)[-1], '') if value is not None else ''}".rstrip()
            )
        for issue in result["issues"]:
            at = [issue["source"] or "", "" if issue["line"] is None else f"line {issue['line']}"]
            place = " ".join([f"{issue['severity']}:", *(f"{part}:" for part in at if part)])
            typer.echo(f"  {place} {issue['found']}; expected {issue['expected']}. {issue['fix']} [{issue['rule']}]")


_MOST_ROWS = 10


def print_intake(result: IntakeResult) -> None:
    """Print what an intake wrote, what it left out and why, and the sum of both."""
    for issue in result.report.issues:
        typer.echo(str(issue))
    for rule, n_rows in result.reasons.items():
        if RULES[rule].severity == "error":
            typer.echo(f"quarantined by {rule}: {n_rows} rows")
    if result.n_corrected:
        typer.echo(f"{result.n_corrected} corrections, each recorded as an erratum")
    typer.echo(f"{result.n_read} rows read = {result.n_accepted} accepted + {result.n_quarantined} quarantined")
    for file in result.files:
        typer.echo(file.as_posix())
    if result.folder is None:
        for row in result.quarantined[:_MOST_ROWS]:
            for issue in row.issues:
                typer.echo(f"{row.row.place}: {issue.message}")
        kept = "the quarantine holds every row with its reasons"
        earlier = "nothing was written, because the campaign holds an earlier submission"
        typer.echo(f"no row can be used, so there is no submission; {kept if result.files else earlier}")
