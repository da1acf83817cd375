"""The command `deepen predict`: energy of one inference of a model file on a device, and where it goes."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from harness import api
from harness.cli.networks import batch_lines, count_in_words, share_or_unknown
from harness.cli.options import Batch, Data, Inputs, Package, Signature, Values
from harness.cli.printing import print_json, print_table, steps
from harness.defaults import COVERAGE, LEAST_COVERAGE, LEAST_COVERED, MOST_COVERAGE, PREDICTOR, PREDICTORS, SUBMISSIONS
from harness.errors import UsageError
from harness.files import write_file
from harness.issues import counted, printable, share_in_words
from harness.schema.vocabulary import TIER_TITLES, Dtype

PredictFormat = Literal["table", "json"]
System = Annotated[str | None, typer.Option("--system", help="System of the device, where there are several.")]
Predictor = Annotated[str | None, typer.Option("--predictor", help=f"Predictor, by its key; {PREDICTOR} by default.")]
RunsIn = Annotated[
    Dtype | None, typer.Option("--dtype", help="Data type that it runs in; that of the file by default.")
]
RowsRuntime = Annotated[
    str | None,
    typer.Option(
        "--runtime",
        help=f"Fusion rules: {', '.join(api.runtime_names())}; those that the device's rows go with by default.",
    ),
]
Fitted = Annotated[Path | None, typer.Option("--model", help="Fitted predictor, a .skops file; it needs no --data.")]
Coverage = Annotated[
    float, typer.Option("--coverage", min=LEAST_COVERAGE, max=MOST_COVERAGE, help="Nominal coverage of intervals.")
]
AtLeast = Annotated[
    float, typer.Option("--at-least", min=0, max=1, help="Share of FLOPs and of bytes that has to be covered.")
]
Extrapolate = Annotated[
    bool, typer.Option("--extrapolate", help="Predict also where most of the energy is extrapolated.")
]
_KERNEL: Final = ("kernel", "operator", "extents")
_PREDICTABLE: Final = ("system", "delegate", "processor", "data type", "runtime", "rows", "kernels")
_MOST_NUMBERS: Final = 8
"""Kernels that a warning lists by number."""


def predict(
    model: Annotated[Path | None, typer.Argument(metavar="MODEL", help="ONNX or TFLite file.")] = None,
    device: Annotated[str | None, typer.Option("--device", help="Device, by its id.")] = None,
    system: System = None,
    delegate: Annotated[str | None, typer.Option("--delegate", help="How it runs, where there are several.")] = None,
    dtype: RunsIn = None,
    predictor: Predictor = None,
    runtime: RowsRuntime = None,
    inputs: Inputs = None,
    batch: Batch = None,
    values: Values = None,
    signature: Signature = None,
    data: Data = None,
    file: Fitted = None,
    coverage: Coverage = COVERAGE,
    at_least: AtLeast = LEAST_COVERED,
    extrapolate: Extrapolate = False,
    form: Annotated[PredictFormat, typer.Option("--format", help="Form of the prediction.")] = "table",
    plot: Annotated[Path | None, typer.Option("--plot", help="SVG file for a plot of the energy by kernel.")] = None,
    package: Package = PREDICTORS,
    is_list: Annotated[bool, typer.Option("--list", help="List what can be predicted and exit.")] = False,
) -> None:
    """Predict the energy of one inference of a model file on a device, kernel by kernel.

    Example: deepen predict resnet18.onnx --device acme-phone --delegate CPU1
    """
    if is_list:
        _print_predictable(data or [SUBMISSIONS], form)
        return
    if model is None:
        raise UsageError("MODEL is needed, an ONNX or TFLite file; --list shows what can be predicted")
    with steps("Predicting") as step:
        found = api.predict(
            model, device, system=system, delegate=delegate, dtype=dtype, predictor=predictor, runtime=runtime,
            inputs=inputs or (), batch=batch, values=values or (), signature=signature,
            data=data or SUBMISSIONS, file=file, coverage=coverage, at_least=at_least, extrapolate=extrapolate,
            package=package, on_step=step,
        )  # fmt: skip
    if plot is not None:
        write_file(plot, api.draw_energy(found))
    if form == "json":
        print_json(found.as_json())
    else:
        _print_prediction(found)


def _print_predictable(data: Sequence[Path], form: PredictFormat) -> None:
    """Print the ways of running devices that can be predicted, and what other devices have instead."""
    with steps("Reading") as step:
        found = api.predictable_devices(data, on_step=step)
    if form == "json":
        print_json(found.as_json())
        return
    rows = []
    for one in found.predictable:
        types = ", ".join(f"{of.kernel} {of.n_rows}" for of in one.kernels)
        runtime = one.runtime or f"{one.stated_runtime} (no fusion rules)"
        rows.append((one.system_id, one.delegate, one.processor, one.dtype, runtime, str(one.n_rows), types))
    print_table(_PREDICTABLE, rows, left=_PREDICTABLE, width=160, title="What can be predicted")
    by_levels: defaultdict[str, list[str]] = defaultdict(list)
    for other in found.others:
        by_levels[" and ".join(other.levels) or "no rows"].append(other.device_id)
    for levels, names in by_levels.items():
        typer.echo(f"without kernel rows, with {levels}: {', '.join(names)}")


def _print_prediction(found: "api.Prediction") -> None:
    """Print the kernels as a table, then the energy, what it covers, and what it is based on."""
    network, subject = found.network, found.subject
    rows = []
    for number, each in enumerate(network.kernels, 1):
        kernel = each.kernel
        flops = count_in_words(kernel.flops)
        cells = [kernel.kernel or "none", kernel.operator, api.extents_in_words(kernel), flops]
        rows.append((str(number), *cells, *_energy_cells(each, network.energy_mj)))
    headings = ("#", *_KERNEL, "FLOPs", "mJ", f"{_nominal(network)} interval", "of the energy")
    title = f"{printable(found.file.name)} on {subject.system_id}, {subject.delegate}, {subject.dtype}"
    print_table(headings, rows, left=_KERNEL, width=160, title=title)
    for line in _lines(found):
        typer.echo(line)


def _energy_cells(each: "api.KernelEnergy", total_mj: float) -> tuple[str, str, str]:
    if each.energy_mj is None:
        return "unknown", "", ""
    interval = "" if each.interval_mj is None else " to ".join(f"{bound:.3g}" for bound in each.interval_mj)
    return f"{each.energy_mj:.3g}", interval, share_in_words(each.energy_mj / total_mj)


def _nominal(network: "api.NetworkEnergy") -> str:
    return f"{100 * network.interval_coverage:.3g} %"


def _lines(found: "api.Prediction") -> list[str]:
    """Sentences below the table."""
    network, stamp, subject = found.network, found.fitted.stamp, found.subject
    lines = [f"{subject.quantity} of one inference: {_total(network)}"]
    n_covered = sum(not each.reason for each in network.kernels)
    n_kernels = len(network.kernels)
    shares = f"{share_or_unknown(network.coverage_flops)} of FLOPs, {share_or_unknown(network.coverage_bytes)} of bytes"
    lines.append(f"coverage: {n_covered} of {counted(n_kernels, 'kernel')}, {shares}")
    if not network.is_complete:
        lines.append(f"not in this energy: {'; '.join(item.in_words for item in network.unsupported)}")
    now = "fitted before" if found.fitted.is_kept else "fitted now"
    where = now if found.fitted.file is None else found.fitted.file.as_posix()
    lines.append(
        f"by {stamp.predictor} ({where}), from {counted(stamp.n_rows, 'kernel')} {TIER_TITLES[subject.tier]}; "
        f"kernels as in {found.runtime.title}"
    )
    lines += [*found.notes, *batch_lines(found.batch, found.leading)]
    if network.is_extrapolated:
        share = share_in_words(network.extrapolated_share)
        lines.append(f"warning: extrapolated, {share} of the energy is of kernels unlike all that were fitted on")
    return [*lines, *(_warning(place, network) for place in network.extrapolations)]


def _total(network: "api.NetworkEnergy") -> str:
    total = f"{network.energy_mj:.4g} mJ"
    if network.interval_mj is None:
        interval = network.why_no_interval
    else:
        bounds = " to ".join(f"{bound:.4g}" for bound in network.interval_mj)
        interval = f"{_nominal(network)} interval {bounds} mJ"
    if network.is_complete:
        return f"{total} ({interval})"
    without = ", ".join(f"{item.n} {item.operator}" for item in network.unsupported)
    of_what = "" if network.interval_mj is None else ", of the covered kernels alone"
    return f"at least {total} ({interval}{of_what}), without {without}"


def _warning(found: "api.Extrapolation", network: "api.NetworkEnergy") -> str:
    numbers = [str(place + 1) for place in found.places]
    shown = ", ".join(numbers[:_MOST_NUMBERS]) + (" …" if len(numbers) > _MOST_NUMBERS else "")
    return (
        f"warning: {found.in_words}: "
        f"kernel{'s' * (len(numbers) > 1)} {shown}, {share_in_words(network.share(found.places))} of the energy"
    )
