"""The command `deepen reduce`: energy per inference from power traces."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from harness import api
from harness.cli.options import Backend, TableFormat
from harness.cli.printing import print_json, steps
from harness.errors import UsageError
from harness.files import write_file

_UNITS: Final = {"mj": "mJ", "mw": "mW", "ms": "ms", "hz": "Hz"}
"""Units by the last part of a figure's name."""


def reduce(
    trace: Annotated[Path, typer.Argument(help="Power trace, or a folder of runs.", exists=True)],
    inferences: Annotated[Path | None, typer.Option("--inferences", help="Start and end of every inference.")] = None,
    baseline: Annotated[Path | None, typer.Option("--baseline", help="Trace of the idle device.")] = None,
    trace_format: Annotated[str | None, typer.Option("--as", help="Trace format; recognised where it can be.")] = None,
    channel: Annotated[str | None, typer.Option("--channel", help="Power column or rail, of several.")] = None,
    sampling_hz: Annotated[
        float | None, typer.Option("--sampling-hz", help="Rate of a log without time stamps.")
    ] = None,
    n_each: Annotated[int, typer.Option("--n-each", min=1, help="Inferences in each window.")] = 1,
    form: Annotated[TableFormat, typer.Option("--format", help="Form of the result.")] = "text",
    plot: Annotated[
        Path | None, typer.Option("--plot", help="SVG file for a plot of the trace and its windows.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", help="Processes for a folder of runs; -1 takes every core.")] = -1,
    backend: Backend = "loky",
) -> None:
    """Reduce power traces to energy per inference.

    Example: deepen reduce run_power.csv --inferences run_inference_time.csv --plot run.svg
    """
    is_folder = trace.is_dir()
    if is_folder and plot is not None:
        raise UsageError("a folder of runs is not drawn; name one trace")
    how: dict[str, Any] = {"n_each": n_each, "trace_format": trace_format, "channel": channel}
    with steps("Reducing") as step:
        runs = api.reduce(
            trace, inferences, baseline, sampling_hz=sampling_hz, n_jobs=jobs, backend=backend, on_step=step, **how
        )
    if plot is not None and runs[0].is_readable:
        write_file(plot, api.draw_trace(runs[0]))
    results = [run.as_json() for run in runs]
    if form == "json":
        print_json({"runs": results} if is_folder else results[0])
    else:
        _print_reductions(results)
    if any(run.has_errors for run in runs):
        raise typer.Exit(1)


def _print_reductions(results: Sequence[dict[str, Any]]) -> None:
    """Print figures with their units, then the findings."""
    for result in results:
        typer.echo(result["trace"])
        for name, value in result.items():
            if name not in ("trace", "issues"):
                typer.echo(f"  {name:<26} {_figure(name, value)}".rstrip())
        for issue in result["issues"]:
            at = [issue["source"] or "", "" if issue["line"] is None else f"line {issue['line']}"]
            place = " ".join([f"{issue['severity']}:", *(f"{part}:" for part in at if part)])
            typer.echo(f"  {place} {issue['found']}; expected {issue['expected']}. {issue['fix']} [{issue['rule']}]")


def _figure(name: str, value: Any) -> str:
    """Figure with its unit."""
    if value is None:
        return "unknown"
    shown = str(value)
    if isinstance(value, float):
        shown = f"{value:.6g}"
    elif isinstance(value, tuple):
        shown = " to ".join(f"{bound:.6g}" for bound in value)
    return f"{shown} {_UNITS.get(name.rsplit('_', 1)[-1], '')}"
