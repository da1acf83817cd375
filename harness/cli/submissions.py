"""The commands about submissions: `intake`, `validate`, `new` and `schema`."""

from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from harness import api
from harness.cli.options import Out
from harness.cli.printing import steps
from harness.cli.trace_options import Facts, Reading, grouped
from harness.defaults import SUBMISSIONS
from harness.errors import UsageError
from harness.files import write_file
from harness.issues import Report, as_github, as_json, as_text, counted
from harness.schema.vocabulary import Level

ReportFormat = Literal["text", "json", "github", "sarif", "markdown"]

_MOST_ROWS: Final = 10
"""Quarantined rows that are printed where no row can be used."""


@grouped
def intake(
    name: Annotated[str | None, typer.Argument(metavar="FORMAT", help="Format of the source.")] = None,
    source: Annotated[Path | None, typer.Argument(metavar="SOURCE", help="File or folder to import.")] = None,
    device: Annotated[str | None, typer.Option("--device", help="Device folder, unless the source names it.")] = None,
    campaign: Annotated[
        str | None, typer.Option("--campaign", help="Campaign folder, unless the source names it.")
    ] = None,
    out: Out = SUBMISSIONS,
    fix: Annotated[list[str] | None, typer.Option("--fix", help="Rule whose lossless correction to apply.")] = None,
    mapping: Annotated[Path | None, typer.Option("--mapping", help="YAML that names columns, runs and facts.")] = None,
    *,
    facts: Facts,
    reading: Reading,
    is_list: Annotated[bool, typer.Option("--list", help="List the formats and exit.")] = False,
) -> None:
    """Convert files of other tools to a submission; unusable rows are kept in quarantine.csv with their reasons.

    Options from --model to --n-each state what the files do not: what was run, and how power traces are read. A mapping
    file states the same; options go before it. Facts that neither states are asked for where rows would mean nothing
    without them; the others are listed, and stand as comments in the files that were written.

    Example: deepen intake deepen2023 ~/DeepEn2023 --device acme-phone --campaign 2023-gpu --delegate GPU --dtype fp32
    --runtime "TensorFlow Lite 2.4"
    """
    if is_list:
        for known, title in api.formats().items():
            typer.echo(f"{known:<18} {title}")
        return
    if name is None or source is None:
        raise UsageError("FORMAT and SOURCE are needed; --list shows the formats")
    stated = facts.arguments | reading.arguments
    with steps("Importing") as step:
        step(name, None)
        result = api.intake(name, source, device, campaign, out=out, fixes=fix or (), mapping=mapping, **stated)
    _print_intake(result)
    if result.folder is None:
        raise typer.Exit(1)


def _print_intake(result: "api.IntakeResult") -> None:
    """Print what an intake wrote, what it left out and why, and the sum of both."""
    for issue in result.report.issues:
        typer.echo(str(issue))
    for rule, n_rows in result.reasons.items():
        if api.severity_of(rule) == "error":
            typer.echo(f"quarantined by {rule}: {counted(n_rows, 'row')}")
    if result.n_corrected:
        typer.echo(f"{counted(result.n_corrected, 'correction')}, each recorded as an erratum")
    typer.echo(
        f"{counted(result.n_read, 'row')} read = {result.n_accepted} accepted + {result.n_quarantined} quarantined"
    )
    for file in result.files:
        typer.echo(file.as_posix())
    if result.open_facts:
        typer.echo("to fill in, because no file states it; run again with the option, or write it into the file:")
        for fact in result.open_facts:
            typer.echo(f"  {fact}")
    if result.folder is None:
        for row in result.quarantined[:_MOST_ROWS]:
            for issue in row.issues:
                place = row.row.place if issue.line is None else f"{issue.file}:{issue.line}"
                typer.echo(f"{place}: {issue.message}")
        kept = "quarantine.csv has every row with its reasons"
        earlier = "nothing was written, because the campaign has an earlier submission"
        typer.echo(f"no row can be used, so there is no submission; {kept if result.files else earlier}")


def validate(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Folders or files; the submissions folder by default.")
    ] = None,
    form: Annotated[ReportFormat, typer.Option("--format", help="Form of the report.")] = "text",
    since: Annotated[str | None, typer.Option("--since", help="Only what changed since this commit or branch.")] = None,
) -> None:
    """Check submissions; exit code 1 where there are errors, 0 where there are none.

    Example: deepen validate submissions/acme-phone, or deepen validate --since origin/main --format markdown
    """
    if paths and since:
        raise UsageError("name folders, or a commit with --since, not both")
    with steps("Validating") as step:
        validated = api.validate(paths or SUBMISSIONS, since=since, on_step=step)
    if form == "markdown":
        changes = api.changed_ratings(validated)
        typer.echo(api.pull_request_report(validated.report, changes), nl=False)
    else:
        typer.echo(_rendered(validated.report, form))
    if validated.report.n_errors:
        raise typer.Exit(1)


def _rendered(report: Report, form: ReportFormat) -> str:
    if form == "sarif":
        return api.sarif(report)
    return {"text": as_text, "json": as_json, "github": as_github}[form](report)


def submit(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Campaign folder, submissions/DEVICE/CAMPAIGN.")],
    branch: Annotated[str | None, typer.Option("--branch", help="Branch; submission/DEVICE-CAMPAIGN.")] = None,
    push: Annotated[bool, typer.Option("--push", help="Push the branch and open the pull request by gh.")] = False,
) -> None:
    """Validate a submission and put it on a git branch of its own, with the text of its pull request.

    Files and index of the checkout stay as they are, and nothing is sent without --push: the steps are printed.

    Example: deepen submit submissions/my-board/2026-11-27-deepen-measure
    """
    with steps("Submitting") as step:
        made = api.submit(folder, branch=branch, push=push, on_step=step)
    typer.echo(made.title)
    typer.echo(
        f"branch {made.branch.name}, commit {made.branch.commit[:12]}{'' if made.branch.is_new else ', as before'}"
    )
    typer.echo(f"text of the pull request: {made.text.as_posix()}")
    if made.is_sent:
        typer.echo("pushed, and the pull request is open")
    else:
        typer.echo("to open the pull request:")
        for line in made.steps:
            typer.echo(f"  {line}")


def new(
    name: Annotated[str, typer.Argument(metavar="DEVICE/CAMPAIGN", help="Folders to make.")],
    level: Annotated[Level, typer.Option("--level", help="Table to begin with.")] = "kernels",
    out: Out = SUBMISSIONS,
) -> None:
    """Write a submission folder to fill in.

    Example: deepen new acme-phone/2026-11 --level models
    """
    device_id, separator, campaign = name.partition("/")
    if not separator:
        raise UsageError(f"{name!r} is no DEVICE/CAMPAIGN; put a slash between the two folders")
    for path in api.new_submission(device_id, campaign, level, out=out):
        typer.echo(path.as_posix())
    typer.echo(f"Fill them in, then run: deepen validate {(out / device_id).as_posix()}")


def schema(out: Annotated[Path, typer.Option("--out", help="Folder to write into.")]) -> None:
    """Write JSON Schemas of all rows, records, YAML files, kernel lists and outputs as JSON.

    Example: deepen schema --out dist/schema
    """
    for name, content in api.json_schemas().items():
        write_file(out / name, api.schema_text(content))
        typer.echo((out / name).as_posix())
