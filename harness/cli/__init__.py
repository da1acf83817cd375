"""The command `deepen`: parse, call, print, exit code; what is done is done in the rooms below."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from harness import __version__
from harness.cli.evaluate import evaluate_command
from harness.cli.families import families
from harness.cli.files import write_file
from harness.cli.kernels import kernels
from harness.cli.new_predictor import new_predictor
from harness.cli.predict import predict_command
from harness.cli.printing import (
    print_built,
    print_intake,
    print_predictors,
    print_ratings,
    print_reductions,
    reduction_json,
    steps,
)
from harness.cli.simulate import simulate
from harness.cli.submissions import validated_release
from harness.errors import DeepenError, InvalidSubmissionsError, UsageError
from harness.intake.blank import write_blank
from harness.intake.flow import take_in
from harness.intake.formats import intake_formats
from harness.issues import Report, as_github, as_json, as_sarif, as_text
from harness.packaging.build import BuiltDataset, build_datasets
from harness.packaging.predictors_build import build_predictors
from harness.packaging.release_plan import plan_release
from harness.packaging.texts import read_texts
from harness.pages.board_rows import read_boards
from harness.pages.build import build_site, serve_site
from harness.pages.report import pull_request_report
from harness.pages.rules import RuleDoc
from harness.pages.write import write_pages
from harness.predictor.registry import predictors_in
from harness.releases import Release, assemble
from harness.schema.campaign import Campaign
from harness.schema.export import json_schemas
from harness.schema.vocabulary import Level
from harness.scoring.changes import RatingChange, rating_changes
from harness.scoring.ratings import rate
from harness.scoring.suite import suites
from harness.traces.formats import TraceOptions, open_trace
from harness.traces.inferences import read_inferences
from harness.traces.plot import trace_svg
from harness.traces.runs import Run, find_runs, reduce_runs
from harness.traces.trace import TraceFault
from harness.validation import RULES, Validation, validate
from harness.validation.since import changed_campaigns, submissions_at
from harness.validation.tree import campaign_paths

app = typer.Typer(
    name="deepen",
    help="Energy of deep learning on edge devices: validate, package, score and publish measurements.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


ReportFormat = Literal["text", "json", "github", "sarif", "markdown"]
TableFormat = Literal["text", "json"]
_SUBMISSIONS = Path("submissions")

Paths = Annotated[list[Path] | None, typer.Argument(help="Folders or files; the submissions folder by default.")]
Root = Annotated[
    Path, typer.Option("--root", help="Checkout with submissions/, dataset_cards/ and site/.", file_okay=False)
]
Submissions = Annotated[Path | None, typer.Option("--submissions", help="Folder of submissions; ROOT/submissions.")]


def _rendered(report: Report, form: ReportFormat) -> str:
    if form == "sarif":
        return as_sarif(report, {rule.rule: rule.summary for rule in RULES.values()}, __version__)
    return {"text": as_text, "json": as_json, "github": as_github}[form](report)


@app.command()
def intake(
    name: Annotated[str | None, typer.Argument(metavar="FORMAT", help="Format of the source.")] = None,
    source: Annotated[Path | None, typer.Argument(metavar="SOURCE", help="File or folder to take in.")] = None,
    device: Annotated[str | None, typer.Option("--device", help="Device folder.")] = None,
    campaign: Annotated[str | None, typer.Option("--campaign", help="Campaign folder.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of submissions.")] = Path("submissions"),
    fix: Annotated[list[str] | None, typer.Option("--fix", help="Rule whose lossless correction is wanted.")] = None,
    mapping: Annotated[Path | None, typer.Option("--mapping", help="YAML that names columns, runs and facts.")] = None,
    is_list: Annotated[bool, typer.Option("--list", help="List the formats and end.")] = False,
) -> None:
    """Turn other people's files into a submission; what cannot be used is kept in quarantine.csv with its reasons.

    Example: deepen intake deepen2023 ~/DeepEn2023 --device acme-phone --campaign 2023-cpu
    """
    if is_list:
        for known in intake_formats().values():
            typer.echo(f"{known.name:<14} {known.title}")
        return
    if name is None or source is None or device is None or campaign is None:
        raise UsageError("FORMAT, SOURCE, --device and --campaign are needed; --list shows the formats")
    with steps("Taking in", None) as step:
        step(name)
        result = take_in(name, source, device, campaign, out=out, fixes=fix or (), mapping=mapping)
    print_intake(result)
    if result.folder is None:
        raise typer.Exit(1)


@app.command("validate")
def validate_command(
    paths: Paths = None,
    form: Annotated[ReportFormat, typer.Option("--format", help="Form of the report.")] = "text",
    since: Annotated[str | None, typer.Option("--since", help="Only what changed since this commit or branch.")] = None,
) -> None:
    """Check submissions; exit code 1 where there are errors, 0 where there are none.

    Example: deepen validate submissions/acme-phone, or deepen validate --since origin/main --format markdown
    """
    if paths and since:
        raise UsageError("name folders, or a commit with --since, not both")
    chosen = changed_campaigns(_SUBMISSIONS, since) if since else paths or [_SUBMISSIONS]
    with steps("Validating", len(campaign_paths(chosen))) as step:
        validated = validate(chosen, step)
    if form == "markdown":
        changes = None if validated.report.n_errors else _rating_changes(validated.campaigns, since)
        typer.echo(pull_request_report(validated.report, changes), nl=False)
    else:
        typer.echo(_rendered(validated.report, form))
    if validated.report.n_errors:
        raise typer.Exit(1)


def _rating_changes(campaigns: Sequence[Campaign], since: str | None) -> list[RatingChange] | None:
    """What the campaigns change in the rankings; None where the other submissions have errors."""
    now = validate([_SUBMISSIONS]) if _SUBMISSIONS.is_dir() else Validation([], Report(0, ()))
    others = [known for known in now.campaigns if known.submission_id not in {new.submission_id for new in campaigns}]
    if since is None:
        earlier = Validation(others, now.report)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            then = submissions_at(_SUBMISSIONS, since, Path(scratch))
            earlier = validate([then]) if any(then.iterdir()) else Validation([], Report(0, ()))
    if now.report.n_errors or earlier.report.n_errors:
        return None
    return rating_changes(rate(assemble(earlier.campaigns)), rate(assemble([*others, *campaigns])))


@app.command()
def build(root: Root = Path(), submissions: Submissions = None) -> None:
    """Package all valid submissions as datasets under ROOT/dist/deepen, and the evaluated predictors beside them.

    Example: deepen build, then in dist/ load_dataset("deepen/models")
    """
    release = validated_release([submissions or root / "submissions"])
    built = _build(root, release)
    print_built(built)
    _build_predictors(root, release, built[0].version)


def _build(root: Path, release: Release) -> list[BuiltDataset]:
    with steps("Building", None) as step:
        return build_datasets(
            release, root / "dataset_cards", root / "dist", lambda level, what: step(f"{level}, {what}")
        )


def _build_predictors(root: Path, release: Release, dataset_version: str) -> None:
    """Fit and describe the predictors that were evaluated on these rows, where any were."""
    results = root / "dist" / "evaluation"
    if not results.is_dir():
        return
    with steps("Predictors", None) as step:
        built = build_predictors(
            release,
            list(predictors_in().values()),
            cards=root / "dataset_cards",
            dist=root / "dist",
            results=results,
            dataset_version=dataset_version,
            on_done=step,
        )
    print_predictors(built)


@app.command()
def score(
    root: Root = Path(),
    submissions: Submissions = None,
    form: Annotated[TableFormat, typer.Option("--format", help="Form of the scores.")] = "text",
) -> None:
    """Score every device under every edition whose suite it ran.

    Example: deepen score --format json
    """
    ratings = rate(validated_release([submissions or root / "submissions"]))
    if form == "json":
        typer.echo(json.dumps({"devices": [rating.as_json() for rating in ratings]}, indent=2, ensure_ascii=False))
    else:
        print_ratings(ratings)


@app.command()
def site(root: Root = Path(), submissions: Submissions = None) -> None:
    """Generate the pages and build the site under ROOT/dist/site.

    Example: deepen site && deepen serve
    """
    release = validated_release([submissions or root / "submissions"])
    version = plan_release(release, read_texts(root / "dataset_cards")).version.version
    typer.echo(f"site: {_build_site(root, release, version).as_posix()}/index.html")


def _build_site(root: Path, release: Release, dataset_version: str) -> Path:
    rules = [RuleDoc(rule.rule, rule.severity, rule.summary, rule.why, subject=rule.subject) for rule in RULES.values()]
    with steps("Site", 3) as step:
        step("reading results of predictors")
        boards = read_boards(release, root / "dist" / "evaluation")
        step("writing pages, charts and labels")
        places = suites(release)
        ratings = rate(release, places)
        write_pages(
            release, ratings, places, root / "site", dataset_version=dataset_version, rules=rules, boards=boards
        )
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
    serve_site(
        root / "dist" / "site", port=port, on_ready=lambda address: typer.echo(f"serving {address} until Ctrl-C")
    )


@app.command()
def publish(root: Root = Path(), submissions: Submissions = None) -> None:
    """Do it all: validate, build datasets and evaluated predictors, score the devices, build the site.

    Example: deepen publish
    """
    release = validated_release([submissions or root / "submissions"])
    built = _build(root, release)
    print_ratings(rate(release))
    print_built(built)
    _build_predictors(root, release, built[0].version)
    typer.echo(f"site: {_build_site(root, release, built[0].version).as_posix()}/index.html")


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
    backend: Annotated[
        str,
        typer.Option(
            "--backend", help="joblib back end: loky, threading, or dask (the cluster at DASK_SCHEDULER_ADDRESS)."
        ),
    ] = "loky",
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
    with steps("Reducing", len(runs)) as step:
        reductions = reduce_runs(runs, n_jobs=jobs if len(runs) > 1 else 1, backend=backend, on_run=step)
    results = [reduction_json(run, reduction) for run, reduction in zip(runs, reductions, strict=True)]
    if plot is not None and not isinstance(reductions[0], TraceFault):
        run = runs[0]
        write_file(plot, trace_svg(open_trace(run.power, run.format, run.options), read_inferences(run.inferences)))
    if form == "json":
        typer.echo(json.dumps({"runs": results} if trace.is_dir() else results[0], indent=2, ensure_ascii=False))
    else:
        print_reductions(results)
    if any(issue["severity"] == "error" for result in results for issue in result["issues"]):
        raise typer.Exit(1)


@app.command()
def schema(out: Annotated[Path, typer.Option("--out", help="Folder to write into.")]) -> None:
    """Write JSON Schemas of all rows, records and YAML files.

    Example: deepen schema --out dist/schema
    """
    for name, content in json_schemas().items():
        write_file(out / name, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        typer.echo((out / name).as_posix())


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


app.command()(families)
app.command("evaluate")(evaluate_command)
app.command("new-predictor")(new_predictor)
app.command()(simulate)
app.command()(kernels)
app.command("predict")(predict_command)


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
