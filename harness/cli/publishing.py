"""The commands that publish: `build`, `score`, `site`, `serve` and `publish`."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from harness import api
from harness.cli.evaluate import print_boards
from harness.cli.options import Root, Submissions, TableFormat
from harness.cli.printing import print_json, print_table, steps
from harness.defaults import EVALUATION
from harness.issues import counted

_TEXT_HEADINGS: Final = ("device", "not rated because")


def build(root: Root = Path(), submissions: Submissions = None) -> None:
    """Package all valid submissions as datasets under ROOT/dist/deepen, and the evaluated predictors beside them.

    Example: deepen build, then in dist/ load_dataset("deepen/models")
    """
    with steps("Building") as step:
        built = api.build(root, submissions, on_step=step)
    _print_datasets(built)
    _print_predictors(built)


def score(
    root: Root = Path(),
    submissions: Submissions = None,
    form: Annotated[TableFormat, typer.Option("--format", help="Form of the scores.")] = "text",
) -> None:
    """Score every device under every edition whose suite it ran.

    Example: deepen score --format json
    """
    with steps("Reading") as step:
        ratings = api.score(submissions or root / "submissions", on_step=step)
    if form == "json":
        print_json({"devices": [rating.as_json() for rating in ratings]})
    else:
        _print_ratings(ratings)


def site(root: Root = Path(), submissions: Submissions = None) -> None:
    """Generate the pages and build the site under ROOT/dist/site.

    Example: deepen site && deepen serve
    """
    with steps("Site") as step:
        folder = api.site(root, submissions, on_step=step)
    _print_site(folder)


def serve(
    root: Root = Path(),
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port on this machine.")] = 8000,
) -> None:
    """Serve the built site to this machine until interrupted.

    Example: deepen serve --port 8080
    """
    api.serve(root, port, on_ready=lambda address: typer.echo(f"serving {address} until Ctrl-C"))


def publish(
    root: Root = Path(),
    submissions: Submissions = None,
    is_evaluated: Annotated[bool, typer.Option("--evaluate", help="Evaluate the predictors first.")] = False,
) -> None:
    """Do it all: validate, build datasets and evaluated predictors, score the devices, build the site.

    Example: deepen publish --evaluate
    """
    with steps("Publishing") as step:
        published = api.publish(root, submissions, is_evaluated=is_evaluated, on_step=step)
    if is_evaluated:
        print_boards(list(published.boards.values()), "summary", "all", root / EVALUATION)
    _print_ratings(published.ratings)
    _print_datasets(published.built)
    _print_predictors(published.built)
    _print_site(published.site)


def _print_site(folder: Path) -> None:
    typer.echo(f"site: {folder.as_posix()}/index.html")


def _print_datasets(built: "api.Build") -> None:
    """Print the folder of each dataset, or that its level is empty, and how to raise the version of a dev build."""
    for dataset in built.datasets:
        if dataset.folder is None:
            typer.echo(f"{dataset.level}: no submission has such rows yet, so there is no dataset")
        else:
            rows, devices = counted(dataset.n_rows, "row"), counted(dataset.n_devices, "device")
            rows = f"{rows} of {devices}, version {dataset.version}"
            typer.echo(f"{dataset.level}: {rows}, in {dataset.folder.as_posix()}")
    if built.datasets[0].is_dev:
        _print_dev(built)


def _print_dev(built: "api.Build") -> None:
    for dataset in built.datasets:
        if dataset.difference:
            typer.echo(f"{dataset.level}: {dataset.difference}")
    contents = (f"{each.level}: {each.content_sha256}" for each in built.datasets if each.content_sha256)
    typer.echo(
        f"Marked {built.datasets[0].version} until the version is raised: add a version at the top of "
        f"dataset_cards/versions.yaml, with\n  content_sha256: {{{', '.join(contents)}}}"
    )


def _print_predictors(built: "api.Build") -> None:
    """Print how many predictors were fitted, and why the others were not."""
    if built.predictors is None:
        return
    folders = [each.folder for each in built.predictors if each.folder is not None]
    typer.echo(f"predictors: {len(folders)} fitted, each with its card, in dist/predictors")
    for reason, n in Counter(each.reason for each in built.predictors if each.folder is None).most_common():
        typer.echo(f"  {n} not fitted: {reason}")


def _print_ratings(ratings: Sequence["api.Rating"]) -> None:
    """Print one table per edition, without its empty columns."""
    by_edition: dict[str, list[dict[str, str]]] = {}
    for rating in ratings:
        by_edition.setdefault(rating.edition or "no edition", []).append(_rating_cells(rating))
    for edition, rows in by_edition.items():
        headings = [heading for heading in rows[0] if any(row[heading] for row in rows)]
        cells = [[row[heading] for heading in headings] for row in rows]
        print_table(headings, cells, left=_TEXT_HEADINGS, width=140, title=edition)


def _rating_cells(rating: "api.Rating") -> dict[str, str]:
    """Cells of one system by heading; empty where undefined."""

    def shown(number: float | None, decimals: int) -> str:
        return "" if number is None else f"{number:.{decimals}f}"

    return {
        "rank": shown(rating.rank, 0),
        "system": rating.system,
        "class": rating.label_text or "",
        "energy index": shown(rating.energy_index, 1),
        "PCS": shown(rating.pcs, 0),
        "PCS published": shown(rating.pcs_published, 0),
        "IECS": shown(rating.iecs, 1),
        "IECS published": shown(rating.iecs_published, 0),
        "not rated because": rating.reason or "",
    }
