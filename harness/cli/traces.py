"""The command `deepen reduce`: energy per inference from power traces."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from harness import api
from harness.cli.options import Backend, TableFormat
from harness.cli.printing import decimals, print_json, steps
from harness.cli.trace_options import Reading, grouped
from harness.errors import UsageError
from harness.files import write_file

_UNITS: Final = {"mj": "mJ", "mw": "mW", "ms": "ms", "hz": "Hz", "s": "s", "ppm": "ppm"}
"""Units by the last part of a figure's name."""
_UNCERTAINTIES: Final = {
    "energy_mj": "energy_u_mj",
    "energy_idle_subtracted_mj": "energy_idle_subtracted_u_mj",
}
"""Figures with their expanded uncertainty, which is printed behind them."""
_FIRST: Final = ("energy_mj", *_UNCERTAINTIES.values())
"""Figures that have a place of their own: the energy before all others, an uncertainty behind its energy."""
_NOT_A_LINE: Final = ("trace", "issues", "uncertainty", *_FIRST)
_MOVED: Final = ("applied_offset_s", "applied_drift_ppm", "n_skipped")
"""What was done to windows; nothing is said where it is 0."""
_LARGE: Final = 1e5
"""Figures from here on would lose their last digits, which an offset between two clocks needs."""
_WIDTH: Final = 26


@grouped
def reduce(
    trace: Annotated[Path, typer.Argument(help="Power trace, or a folder of runs.", exists=True)],
    inferences: Annotated[Path | None, typer.Option("--inferences", help="Start and end of every inference.")] = None,
    baseline: Annotated[Path | None, typer.Option("--baseline", help="Trace of the idle device.")] = None,
    trace_format: Annotated[str | None, typer.Option("--as", help="Trace format; recognised where it can be.")] = None,
    *,
    reading: Reading,
    form: Annotated[TableFormat, typer.Option("--format", help="Form of the result.")] = "text",
    plot: Annotated[
        Path | None, typer.Option("--plot", help="SVG file for a plot of the trace and its windows.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", help="Processes for a folder of runs; -1 takes every core.")] = -1,
    backend: Backend = "loky",
) -> None:
    """Reduce power traces to energy per inference, with its uncertainty.

    Logs of known tools are read as they are. Layouts of DeepEn itself are CSV files with quantity and unit in the
    header: a trace has time_s,power_mw (or _ms, _us, _ns; power_uw, power_w; or current_ma,voltage_v), and the
    inferences have start_us,end_us (or _s, _ms, _ns), one row for every window.

    Example: deepen reduce run_power.csv --inferences run_inference_time.csv --plot run.svg
    """
    if trace.is_dir() and plot is not None:
        raise UsageError("a folder of runs is not drawn; name one trace")
    how = reading.arguments | {"trace_format": trace_format, "n_jobs": jobs, "backend": backend}
    with steps("Reducing") as step:
        runs = api.reduce(trace, inferences, baseline, on_step=step, **how)
    if plot is not None and runs[0].is_readable:
        write_file(plot, api.draw_trace(runs[0]))
    _print(runs, form, is_folder=trace.is_dir())
    if any(run.has_errors for run in runs):
        raise typer.Exit(1)


def _print(runs: "Sequence[api.ReducedRun]", form: TableFormat, *, is_folder: bool) -> None:
    results = [run.as_json() for run in runs]
    if form == "json":
        print_json({"runs": results} if is_folder else results[0])
    else:
        _print_reductions(results)


def _print_reductions(results: Sequence[dict[str, Any]]) -> None:
    """Print figures with their units, the budget of the uncertainty, and the findings."""
    for result in results:
        typer.echo(result["trace"])
        rest = [name for name, value in result.items() if name not in _NOT_A_LINE and _says_something(name, value)]
        # Of files that cannot be read nothing is known; what is wrong with them is all there is to say.
        if rest or result["energy_mj"] is not None:
            for name in ("energy_mj", *rest):
                typer.echo(f"  {name:<{_WIDTH}} {_figure(name, result[name], result)}".rstrip())
        if result["uncertainty"]:
            typer.echo(f"  {'component of uncertainty':<{_WIDTH}} standard mJ")
            for part in (each for each in result["uncertainty"] if each["standard_mj"] != 0):
                standard = part["standard_mj"]
                typer.echo(
                    f"    {part['component']:<{_WIDTH - 2}} {'unknown' if standard is None else f'{standard:.3g}'}"
                )
        for issue in result["issues"]:
            at = [issue["source"] or "", "" if issue["line"] is None else f"line {issue['line']}"]
            place = " ".join([f"{issue['severity']}:", *(f"{part}:" for part in at if part)])
            typer.echo(f"  {place} {issue['found']}; expected {issue['expected']}. {issue['fix']} [{issue['rule']}]")


def _says_something(name: str, value: Any) -> bool:
    """Whether a figure is known, and is no change to the windows that was not made."""
    return value is not None and value != () and not (name in _MOVED and not value)


def _figure(name: str, value: Any, result: dict[str, Any]) -> str:
    """Figure with its uncertainty and its unit."""
    if value is None or value == ():
        return "unknown"
    unit = _UNITS.get(name.rsplit("_", 1)[-1], "")
    if not isinstance(value, float):
        return f"{', '.join(value) if isinstance(value, tuple) else value} {unit}"
    expanded = result.get(_UNCERTAINTIES.get(name, ""))
    if expanded is None:
        return f"{value:.6f} {unit}" if unit == "s" and abs(value) >= _LARGE else f"{value:.6g} {unit}"
    digits = decimals(expanded)
    return f"{value:.{digits}f} ± {expanded:.{digits}f} {unit} (k = 2)"
