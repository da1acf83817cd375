"""The command `deepen calibrate`: how well a device is predicted from its rows, and what to measure next."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from harness import api
from harness.cli.options import Data, Inputs
from harness.cli.predict import System
from harness.cli.printing import print_json, print_table, steps
from harness.defaults import SUBMISSIONS
from harness.issues import counted, printable, share_in_words
from harness.schema.vocabulary import Dtype

CalibrateFormat = Literal["table", "json"]

_WAYS = ("predictor", "fitted on", "within 10 %", "median error", "in 90 %", "chosen")
_TYPES = ("kernel", "held out", "within 10 %", "median error")
_FURTHER = ("kernel", "input", "cout", "variance left")
_FEW = 8
"""Rows below which a share is shown as counts."""


def calibrate(
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="Device, by its id.")],
    system: System = None,
    delegate: Annotated[str | None, typer.Option("--delegate", help="How it runs, where there are several.")] = None,
    dtype: Annotated[Dtype | None, typer.Option("--dtype", help="Data type of the rows, where several are.")] = None,
    networks: Annotated[
        list[Path] | None,
        typer.Option("--network", metavar="MODEL", help="Model file of a network that was measured whole; repeatable."),
    ] = None,
    inputs: Inputs = None,
    n_further: Annotated[
        int, typer.Option("--further", min=0, max=99, help="Kernels to name that would help most.")
    ] = 5,
    data: Data = None,
    form: Annotated[CalibrateFormat, typer.Option("--format", help="Form of what is printed.")] = "table",
) -> None:
    """Find the way that predicts a device best from its rows, keep it for deepen predict, and say what to measure next.

    Errors are those of rows of the device that are held out in turn. Rows of other devices are of use where these were
    measured alike.

    Example: deepen calibrate my-board --network mobilenet.onnx --network detector.onnx
    """
    places: list[Path] = data or [SUBMISSIONS]
    with steps("Calibrating") as step:
        found = api.calibrate(
            device, system=system, delegate=delegate, dtype=dtype, networks=networks or (), inputs=inputs or (),
            n_further=n_further, data=places, on_step=step,
        )  # fmt: skip
    if form == "json":
        print_json(found.as_json())
    else:
        _print(found)


def _print(found: "api.CalibrationOutput") -> None:
    subject = found.subject
    rows = []
    for place, way in enumerate(found.tried):
        fitted_on = "its rows and others" if way.uses_others else "its rows"
        figures = _figures(way.errors[0])[1:] if way.errors else (way.reason, "", "")
        rows.append((way.predictor, fitted_on, *figures, "yes" if place == found.chosen else ""))
    title = f"{subject.system_id}, {subject.delegate}, {subject.dtype}: {counted(found.n_rows, 'kernel row')}"
    print_table(_WAYS, rows, left=(*_WAYS[:2], "chosen"), width=160, title=title)
    if found.others:
        typer.echo(f"others: {found.n_rows_of_others} rows of {', '.join(found.others)}")
    types = [(error.kernel, *_figures(error)[:3]) for error in found.best.errors[1:]]
    print_table(_TYPES, types, left=("kernel",), width=160, title=f"By kernel type, {found.best.predictor}")
    _print_networks(found)
    if found.missing:
        typer.echo(f"no row of {', '.join(found.missing)}, which reference networks run")
    if found.further:
        kernels = [
            (each.kernel, each.input, str(each.cout or ""), f"{each.variance_left:.1%}") for each in found.further
        ]
        print_table(_FURTHER, kernels, left=("kernel", "input"), width=160, title="To measure next")
        typer.echo(
            f"the rows leave {share_in_words(found.variance_left or 0)} of the variance of the reference networks; "
            f"deepen plan --device {subject.device_id} writes more of these kernels"
        )
    typer.echo(f"deepen predict MODEL --device {subject.device_id} answers by it")


def _print_networks(found: "api.CalibrationOutput") -> None:
    """Print how networks that were measured as a whole compare with the sums over their kernels."""
    for each in found.networks:
        ratio = f"{each.energy_mj / each.sum_mj:.2f} of the sum over its kernels, {each.sum_mj:.4g} mJ"
        typer.echo(f"{printable(each.model)}: {each.energy_mj:.4g} mJ measured, {ratio}")
    if found.network_factor is not None:
        typer.echo(f"sums over kernels are multiplied by {found.network_factor:.3g}, and intervals have its spread")
    elif found.subject.tier != "simulated":
        typer.echo(
            "warning: predictions are sums over kernels that were measured alone, each with a call of the runtime; "
            "name two networks or more that were measured as a whole with --network, so that their ratio is known"
        )


def _figures(error: "api.HeldOutError") -> tuple[str, str, str, str]:
    """Held-out rows, share within 10 % with its interval, median error, and empirical coverage."""
    interval = error.within_10_ci95
    shown = "" if interval is None else f" [{100 * interval[0]:.0f} {100 * interval[1]:.0f}]"
    share = (
        f"{100 * error.within_10:.0f} %{shown}" if error.n >= _FEW else f"{error.within_10 * error.n:.1f} of {error.n}"
    )
    median = "" if error.median_error_percent is None else f"{error.median_error_percent:.1f} %"
    covered = "" if error.covered_90 is None else f"{100 * error.covered_90:.0f} %"
    return str(error.n), share, median, covered
