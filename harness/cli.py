"""The command `deepen`: parse, call, print, exit code; what is done is done in the rooms below."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from harness import __version__
from harness.errors import DeepenError, InvalidSubmissionsError, UsageError
from harness.intake.blank import write_blank
from harness.issues import Report, as_github, as_json, as_sarif, as_text
from harness.packaging.build import BuiltDataset, build_datasets
from harness.packaging.texts import read_texts
from harness.pages.build import build_site, serve_site
from harness.pages.rules import RuleDoc
from harness.pages.write import write_pages
from harness.releases import Release, assemble
from harness.schema.export import json_schemas
from harness.schema.vocabulary import Level
from harness.scoring.ratings import Rating, rate
from harness.traces.formats import TraceOptions, open_trace
from harness.traces.inferences import read_inferences
from harness.traces.plot import trace_svg
from harness.traces.reduction import Reduction
from harness.traces.runs import Run, find_runs, reduce_runs
from harness.traces.trace import TraceFault
from harness.validation import RULES, validate
from harness.validation.tree import campaign_paths

app = typer.Typer(
    name="deepen",
    help="Energy of deep learning on edge devices: validate, package, score and publish measurements.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


ReportFormat = Literal["text", "json", "github", "sarif"]
TableFormat = Literal["text", "json"]

Paths = Annotated[list[Path] | None, typer.Argument(help="Folders or files; the submissions folder by default.")]
Root = Annotated[
    Path, typer.Option("--root", help="Checkout with submissions/, dataset_cards/ and site/.", file_okay=False)
]
Submissions = Annotated[Path | None, typer.Option("--submissions", help="Folder of submissions; ROOT/submissions.")]


@contextmanager
def _steps(title: str, total: int | None) -> Iterator[Callable[[str], None]]:
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


def _rendered(report: Report, form: ReportFormat) -> str:
    if form == "sarif":
        return as_sarif(report, {rule.rule: rule.summary for rule in RULES.values()}, __version__)
    return {"text": as_text, "json": as_json, "github": as_github}[form](report)


def _validated_release(submissions: Path) -> Release:
    """Release of all submissions.

    Raises:
        InvalidSubmissionsError: any of them holds an error; the message lists all.
    """
    with _steps("Reading", len(campaign_paths([submissions]))) as step:
        validated = validate([submissions], step)
    if validated.report.n_errors:
        raise InvalidSubmissionsError(as_text(validated.report))
    return assemble(validated.campaigns)


@app.command("validate")
def validate_command(
    paths: Paths = None,
    form: Annotated[ReportFormat, typer.Option("--format", help="Form of the report.")] = "text",
) -> None:
    """Check submissions; exit code 1 where there are errors, 0 where there are none.

    Example: deepen validate submissions/acme-phone --format github
    """
    chosen = paths or [Path("submissions")]
    with _steps("Validating", len(campaign_paths(chosen))) as step:
        validated = validate(chosen, step)
    typer.echo(_rendered(validated.report, form))
    if validated.report.n_errors:
        raise typer.Exit(1)


@app.command()
def build(root: Root = Path(), submissions: Submissions = None) -> None:
    """Package all valid submissions as datasets under ROOT/dist/deepen.

    Example: deepen build, then in dist/ load_dataset("deepen/models")
    """
    _print_built(_build(root, _validated_release(submissions or root / "submissions")))


def _build(root: Path, release: Release) -> list[BuiltDataset]:
    with _steps("Building", None) as step:
        return build_datasets(
            release, root / "dataset_cards", root / "dist", lambda level, what: step(f"{level}, {what}")
        )


def _print_built(built: Sequence[BuiltDataset]) -> None:
    for dataset in built:
        if dataset.folder is None:
            typer.echo(f"{dataset.level}: no submission has such rows yet, so there is no dataset")
        else:
            rows = f"{dataset.n_rows} rows of {dataset.n_devices} devices, version {dataset.version}"
            typer.echo(f"{dataset.level}: {rows}, in {dataset.folder.as_posix()}")


@app.command()
def score(
    root: Root = Path(),
    submissions: Submissions = None,
    form: Annotated[TableFormat, typer.Option("--format", help="Form of the scores.")] = "text",
) -> None:
    """Score every device under every edition whose suite it ran.

    Example: deepen score --format json
    """
    ratings = rate(_validated_release(submissions or root / "submissions"))
    if form == "json":
        typer.echo(json.dumps({"devices": [rating.as_json() for rating in ratings]}, indent=2, ensure_ascii=False))
    else:
        _print_ratings(ratings)


def _print_ratings(ratings: Sequence[Rating]) -> None:
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


@app.command()
def site(root: Root = Path(), submissions: Submissions = None) -> None:
    """Generate the pages and build the site under ROOT/dist/site.

    Example: deepen site && deepen serve
    """
    release = _validated_release(submissions or root / "submissions")
    typer.echo(f"site: {_build_site(root, release).as_posix()}/index.html")


def _build_site(root: Path, release: Release) -> Path:
    rules = [RuleDoc(rule.rule, rule.severity, rule.summary, rule.why, subject=rule.subject) for rule in RULES.values()]
    with _steps("Site", 2) as step:
        step("writing pages, charts and labels")
        write_pages(release, read_texts(root / "dataset_cards").versions[0].version, rules, root / "site")
        step("running MkDocs")
        return build_site(root)


@app.command()
def serve(
    root: Root = Path(),
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port on this machine.")] = 8000,
) -> None:
    """Serve the built site to this machine until interrupted.

    Example: deepen serve --port 8080
    """
    typer.echo(f"serving http://127.0.0.1:{port}/ until Ctrl-C")
    serve_site(root / "dist" / "site", port=port)


@app.command()
def publish(root: Root = Path(), submissions: Submissions = None) -> None:
    """Do it all: validate, build the datasets, score the devices, build the site.

    Example: deepen publish
    """
    release = _validated_release(submissions or root / "submissions")
    built = _build(root, release)
    _print_ratings(rate(release))
    _print_built(built)
    typer.echo(f"site: {_build_site(root, release).as_posix()}/index.html")


@app.command("reduce")
def reduce_command(
    trace: Annotated[Path, typer.Argument(help="Power trace, or a folder of runs.", exists=True)],
    inferences: Annotated[Path | None, typer.Option("--inferences", help="Start and end of every inference.")] = None,
    baseline: Annotated[Path | None, typer.Option("--baseline", help="Trace of the idle device.")] = None,
    trace_format: Annotated[str | None, typer.Option("--as", help="Trace format; recognised where it can be.")] = None,
    channel: Annotated[str | None, typer.Option("--channel", help="Power column or rail, of several.")] = None,
    sampling_hz: Annotated[float | None, typer.Option("--sampling-hz", help="Rate of a log without stamps.")] = None,
    n_each: Annotated[int, typer.Option("--n-each", min=1, help="Inferences in each window.")] = 1,
    form: Annotated[TableFormat, typer.Option("--format", help="Form of the result.")] = "text",
    plot: Annotated[Path | None, typer.Option("--plot", help="SVG to draw the trace and its windows into.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", help="Processes for a folder of runs; -1 takes every core.")] = -1,
    backend: Annotated[str, typer.Option("--backend", help="joblib back end: loky, threading, or dask.")] = "loky",
) -> None:
    """Reduce power traces to energy per inference.

    Example: deepen reduce run_power.csv --inferences run_inference_time.csv --plot run.svg
    """
    if trace.is_dir():
        if inferences or baseline or plot:
            raise UsageError(
                "a folder of runs brings its own inferences and baselines, and is not drawn; name one trace"
            )
        runs = find_runs(trace)
    elif inferences is None:
        raise UsageError("--inferences FILE is needed: start and end of every inference")
    else:
        options = TraceOptions(channel, sampling_hz)
        runs = [Run(trace, inferences, baseline, n_each, trace_format, options)]
    with _steps("Reducing", len(runs)) as step:
        reductions = reduce_runs(runs, n_jobs=jobs if len(runs) > 1 else 1, backend=backend, on_run=step)
    results = [_reduction_json(run, reduction) for run, reduction in zip(runs, reductions, strict=True)]
    if plot is not None and not isinstance(reductions[0], TraceFault):
        run = runs[0]
        plot.write_text(
            trace_svg(open_trace(run.power, run.format, run.options), read_inferences(run.inferences)), "utf-8"
        )
    if form == "json":
        typer.echo(json.dumps({"runs": results} if trace.is_dir() else results[0], indent=2, ensure_ascii=False))
    else:
        _print_reductions(results)
    if any(issue["severity"] == "error" for result in results for issue in result["issues"]):
        raise typer.Exit(1)


def _reduction_json(run: Run, reduction: Reduction | TraceFault) -> dict[str, Any]:
    """Reduction as `deepen reduce --format json` gives it; null where it cannot be told."""
    faults = (reduction,) if isinstance(reduction, TraceFault) else reduction.faults
    figures = {} if isinstance(reduction, TraceFault) else asdict(reduction)
    names = (
        "n_samples", "sampling_hz", "n_inferences", "n_used", "energy_mj", "energy_median_mj", "energy_std_mj",
        "energy_ci95_mj", "energy_idle_subtracted_mj", "idle_power_mw", "latency_ms", "power_mw", "clock_residual_ms",
    )  # fmt: skip
    issues = [asdict(fault) | {"severity": RULES[fault.rule].severity} for fault in faults]
    return {"trace": run.power.as_posix(), **{name: figures.get(name) for name in names}, "issues": issues}


def _print_reductions(results: Sequence[dict[str, Any]]) -> None:
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
            place = issue["severity"] if issue["line"] is None else f"{issue['severity']}: line {issue['line']}"
            typer.echo(f"  {place}: {issue['found']}; expected {issue['expected']}. {issue['fix']} [{issue['rule']}]")


@app.command()
def schema(out: Annotated[Path, typer.Option("--out", help="Folder to write into.")]) -> None:
    """Write JSON Schemas of all rows, records and YAML files.

    Example: deepen schema --out dist/schema
    """
    out.mkdir(parents=True, exist_ok=True)
    for name, content in json_schemas().items():
        path = out / name
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        typer.echo(path.as_posix())


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="DEVICE/CAMPAIGN", help="Folders to make.")],
    level: Annotated[Level, typer.Option("--level", help="Table to begin with.")] = "kernels",
    out: Annotated[Path, typer.Option("--out", help="Folder of submissions.")] = Path("submissions"),
) -> None:
    """Write a submission folder to fill in.

    Example: deepen new acme-phone/2026-11 --level models
    """
    device_id, separator, campaign = name.partition("/")
    if not separator:
        raise UsageError(f"{name!r} is no DEVICE/CAMPAIGN; put a slash between the two folders")
    for path in write_blank(out, device_id, campaign, level):
        typer.echo(path.as_posix())
    typer.echo(f"Fill them in, then run: deepen validate {(out / device_id).as_posix()}")


def main() -> None:
    """Run the command; faults that have a message show it alone."""
    try:
        app()
    except InvalidSubmissionsError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(1) from None
    except UsageError as error:
        typer.echo(f"deepen: {error}", err=True)
        raise SystemExit(2) from None
    except DeepenError as error:
        typer.echo(f"deepen: {error}", err=True)
        raise SystemExit(1) from None
