"""The command `deepen predict`: energy of one inference of a model file on a device, and where it goes."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.cli.files import write_file
from harness.cli.kernels import default_runtime
from harness.cli.submissions import validated_release
from harness.errors import UsageError
from harness.graphs.fusion_rules import read_runtime, runtime_names
from harness.graphs.kernels import kernel_list
from harness.graphs.reading import parse_input_option, read_model
from harness.issues import printable, share_in_words, unknown
from harness.prediction.energy_chart import energy_svg, extents_in_words
from harness.prediction.extrapolation import Extrapolation
from harness.prediction.fitted_predictor import FittedPredictor, fitted_for, load_fitted
from harness.prediction.network_energy import (
    KernelEnergy,
    NetworkEnergy,
    main_dtype,
    predict_network,
)
from harness.prediction.training_set import training_set
from harness.predictor.registry import PACKAGE, predictor_info
from harness.schema.networks import NetworkKernel, in_dtype
from harness.schema.results import Subject
from harness.schema.vocabulary import TIER_TITLES, Dtype
from harness.validation.tree import campaign_paths

PredictFormat = Literal["table", "json"]
DEFAULT_PREDICTOR: Final = "roofline-residual"
"""The best of those that there are on unseen configurations, by the board."""
_SAVED: Final = Path("dist/predictors")
_RUNTIME_HELP: Final = f"Fusion rules: {', '.join(runtime_names())}; by the file's format by default."


def predict_command(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="ONNX or TFLite file.")],
    device: Annotated[str | None, typer.Option("--device", help="Device, by its id.")] = None,
    delegate: Annotated[str | None, typer.Option("--delegate", help="How it runs, where there are several.")] = None,
    dtype: Annotated[
        Dtype | None, typer.Option("--dtype", help="Data type that it runs in; that of the file by default.")
    ] = None,
    predictor: Annotated[
        str | None, typer.Option("--predictor", help=f"Predictor, by its key; {DEFAULT_PREDICTOR} by default.")
    ] = None,
    runtime: Annotated[str | None, typer.Option("--runtime", help=_RUNTIME_HELP)] = None,
    inputs: Annotated[
        list[str] | None, typer.Option("--input", help="Extents of an input, as in name=1x3x224x224; repeatable.")
    ] = None,
    data: Annotated[
        list[Path] | None, typer.Option("--data", help="Folder of submissions, device or campaign; submissions/.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--model", help="Saved predictor to ask, a .skops file; it needs no --data.")
    ] = None,
    coverage: Annotated[
        float, typer.Option("--coverage", min=0.01, max=0.999, help="Probability that intervals hold the energy with.")
    ] = 0.9,
    at_least: Annotated[
        float, typer.Option("--at-least", min=0, max=1, help="Share of FLOPs that has to be covered.")
    ] = 0.9,
    form: Annotated[PredictFormat, typer.Option("--format", help="Form of the prediction.")] = "table",
    plot: Annotated[Path | None, typer.Option("--plot", help="SVG to draw where the energy goes into.")] = None,
    package: Annotated[str, typer.Option("--predictors", help="Package that holds the predictors.")] = PACKAGE,
) -> None:
    """Predict the energy of one inference of a model file on a device, kernel by kernel.

    Example: deepen predict resnet18.onnx --device acme-phone --delegate CPU1
    """
    # A package beside the data is found as it is by python -m.
    sys.path.append(str(Path.cwd()))
    rules = None if runtime is None else read_runtime(runtime)
    graph = read_model(model, dict(parse_input_option(text) for text in inputs or ()))
    rules = rules or default_runtime(graph)
    kernels = kernel_list(graph, rules).kernels
    kernels = kernels if dtype is None else tuple(in_dtype(kernel, dtype) for kernel in kernels)
    wanted = _Wanted(device, delegate, main_dtype(kernels), predictor)
    fitted = _fitted(wanted, data or [Path("submissions")], package) if file is None else _loaded(file, wanted, package)
    network = predict_network(kernels, fitted, coverage=coverage, at_least=at_least)
    if plot is not None:
        write_file(plot, energy_svg(network, f"{printable(model.stem)} on {fitted.subject.device_id}"))
    if form == "json":
        typer.echo(json.dumps(as_json(model.stem, rules.name, fitted, network), indent=2, ensure_ascii=False))
    else:
        print_prediction(model.name, rules.title, fitted, network)


class _Wanted(NamedTuple):
    """What a predictor is asked to speak for; None where nothing is asked."""

    device_id: str | None
    delegate: str | None
    dtype: Dtype
    predictor: str | None


def _fitted(wanted: _Wanted, data: Sequence[Path], package: str) -> FittedPredictor:
    """Predictor for a device of some submissions; only that device's are read.

    Raises:
        UsageError: there is no such device, or none was named.
        InvalidSubmissionsError: a submission of the device holds an error.
        PredictorError: a saved predictor is damaged.
    """
    if wanted.device_id is None:
        raise UsageError("--device ID is needed, or a saved predictor with --model")
    key = predictor_info(wanted.predictor or DEFAULT_PREDICTOR, package).key
    campaigns = campaign_paths(data)
    of_device = [path for path in campaigns if path.parent.name == wanted.device_id]
    if not of_device:
        raise unknown("device", wanted.device_id, {path.parent.name for path in campaigns})
    kernels = validated_release(of_device).levels["kernels"]
    training = training_set(kernels, wanted.device_id, wanted.dtype, wanted.delegate)
    return fitted_for(training, key, _SAVED, package)


def _loaded(file: Path, wanted: _Wanted, package: str) -> FittedPredictor:
    """Predictor in a file.

    Raises:
        UsageError: there is none, or it does not speak for what is asked.
        PredictorError: the file is damaged, or holds something that is not trusted.
    """
    fitted = load_fitted(file, package)
    subject = fitted.subject
    there = (subject.device_id, subject.delegate, subject.dtype, fitted.stamp.predictor)
    options = ("--device", "--delegate", "--dtype", "--predictor")
    for option, asked, found in zip(options, wanted, there, strict=True):
        if asked is not None and asked != found:
            raise UsageError(f"{file.as_posix()} is of {option} {found}, and {asked} is asked for")
    return fitted


def as_json(model: str, runtime: str, fitted: FittedPredictor, network: NetworkEnergy) -> dict[str, Any]:
    """The prediction as `deepen predict --format json` gives it; null where it cannot be told."""
    stamp = fitted.stamp
    low, high = network.interval_mj or (None, None)
    return {
        "model": model,
        "runtime": runtime,
        **fitted.subject.model_dump(),
        "predictor": stamp.predictor,
        "fitted": {
            "file": None if fitted.file is None else fitted.file.as_posix(),
            **stamp.model_dump(include={"predictor_version", "data_sha256", "n_rows", "harness_version"}),
        },
        "energy_mj": network.energy_mj,
        "low_mj": low,
        "high_mj": high,
        "interval_coverage": network.interval_coverage,
        "is_complete": network.is_complete,
        "coverage": {"kernels": network.coverage_kernels, "flops": network.coverage_flops},
        "kernels": [_kernel_json(each, network.energy_mj) for each in network.kernels],
        "missing": [
            {"operator": item.operator, "n": item.n, "flops_share": item.flops_share, "reason": item.reason}
            for item in network.missing
        ],
        "warnings": [
            {
                "kernel": found.kernel,
                "field": found.field,
                "found": found.found,
                "learnt": found.learnt,
                "numbers": [place + 1 for place in found.places],
                "energy_share": network.share(found.places),
            }
            for found in network.extrapolations
        ],
    }


def _kernel_json(each: KernelEnergy, total_mj: float) -> dict[str, Any]:
    low, high = each.interval_mj or (None, None)
    share = None if each.energy_mj is None else each.energy_mj / total_mj
    kernel: NetworkKernel = each.kernel
    return {
        "operator": kernel.operator,
        "kernel": kernel.kernel,
        **kernel.model_dump(exclude_none=True),
        "energy_mj": each.energy_mj,
        "low_mj": low,
        "high_mj": high,
        "share": share,
    }


def print_prediction(name: str, runtime: str, fitted: FittedPredictor, network: NetworkEnergy) -> None:
    """Print the kernels as a table, then the energy, what it covers, and what it rests on."""
    table = Table(title=Text(f"{printable(name)} on {_in_words(fitted.subject)}"), title_justify="left")
    for heading in ("#", "kernel", "operator", "extents"):
        table.add_column(heading, justify="right" if heading == "#" else "left")
    for heading in ("FLOPs", "mJ", f"{_nominal(network)} interval", "of the energy"):
        table.add_column(heading, justify="right")
    for number, each in enumerate(network.kernels, 1):
        kernel = each.kernel
        told = [kernel.kernel or "none", kernel.operator, extents_in_words(kernel), f"{kernel.flops:,}"]
        table.add_row(str(number), *told, *_energy_cells(each, network.energy_mj))
    # A pipe has no width of its own, and a table cut at 80 columns would lose figures.
    Console(width=None if Console().is_terminal else 160).print(table, markup=False)
    for line in _lines(runtime, fitted, network):
        typer.echo(line)


def _energy_cells(each: KernelEnergy, total_mj: float) -> tuple[str, str, str]:
    if each.energy_mj is None:
        return "unknown", "", ""
    interval = "" if each.interval_mj is None else " to ".join(f"{bound:.3g}" for bound in each.interval_mj)
    return f"{each.energy_mj:.3g}", interval, share_in_words(each.energy_mj / total_mj)


def _nominal(network: NetworkEnergy) -> str:
    return f"{100 * network.interval_coverage:.3g} %"


def _in_words(subject: Subject) -> str:
    return f"{subject.device_id}, {subject.delegate}, {subject.dtype}"


def _lines(runtime: str, fitted: FittedPredictor, network: NetworkEnergy) -> list[str]:
    """Sentences below the table."""
    stamp, subject = fitted.stamp, fitted.subject
    quantity = "energy above idle" if subject.is_idle_subtracted else "energy"
    lines = [f"{quantity} of one inference: {_total(network)}"]
    n_covered = sum(not each.reason for each in network.kernels)
    n_kernels = len(network.kernels)
    lines.append(f"coverage: {n_covered} of {n_kernels} kernels, {share_in_words(network.coverage_flops)} of FLOPs")
    if not network.is_complete:
        lines.append(f"not in this energy: {'; '.join(item.in_words for item in network.missing)}")
    where = "fitted now" if fitted.file is None else fitted.file.as_posix()
    lines.append(
        f"by {stamp.predictor} ({where}), from {stamp.n_rows} kernels {TIER_TITLES[subject.tier]}; "
        f"kernels as in {runtime}"
    )
    return [*lines, *(_warning(found, network) for found in network.extrapolations)]


def _total(network: NetworkEnergy) -> str:
    total = f"{network.energy_mj:.4g} mJ"
    if network.interval_mj is None:
        interval = "this predictor gives no interval"
    else:
        bounds = " to ".join(f"{bound:.4g}" for bound in network.interval_mj)
        interval = f"{_nominal(network)} interval {bounds} mJ"
    if network.is_complete:
        return f"{total} ({interval})"
    without = ", ".join(f"{item.n} {item.operator}" for item in network.missing)
    return f"at least {total} ({interval}), without {without}"


def _warning(found: Extrapolation, network: NetworkEnergy) -> str:
    numbers = [str(place + 1) for place in found.places]
    shown = ", ".join(numbers[:_MOST_NUMBERS]) + (" …" if len(numbers) > _MOST_NUMBERS else "")
    return (
        f"warning: {found.kernel} with {found.field} {found.found}, learnt from {found.learnt}: "
        f"kernel{'s' * (len(numbers) > 1)} {shown}, {share_in_words(network.share(found.places))} of the energy"
    )


_MOST_NUMBERS: Final = 8
