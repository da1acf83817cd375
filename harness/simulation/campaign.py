"""Submissions of simulated figures: one campaign per accelerator; the same cache gives the same bytes.

It simulates nothing; a figure that the cache lacks is left out and reported.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np

from harness.errors import UsageError
from harness.files.swap import write_folder
from harness.schema.kernel_types import Kernel
from harness.schema.networks import Configuration, Network, in_dtype, network_json
from harness.schema.records import KEYS
from harness.simulation.accelerators import Accelerator, estimator_version
from harness.simulation.cache import Cache
from harness.simulation.estimator import Estimate
from harness.simulation.facts import DELEGATE, ENERGY_KIND, LEAST_COVERAGE, device_bytes, manifest_bytes
from harness.simulation.networks import DTYPE, NamedNetwork, NetworkEstimate, estimate_network
from harness.simulation.runner import Outcome, outcome_of
from harness.validation.layout import DEVICE_FILE, MANIFEST_FILE, NETWORKS_FOLDER, QUARANTINE_FILE

_DIGITS: Final = 6
_FIGURES: Final = ("energy_mj", "latency_ms", "power_mw")
_HOW: Final = ("delegate", "dtype", "energy_kind")


@dataclass(frozen=True, slots=True)
class WrittenCampaign:
    """Files written for one accelerator.

    Attributes:
        folder: campaign folder.
        files: files in it, sorted.
        n_kernels: rows of kernels.csv.
        n_models: rows of models.csv.
        failed: configurations in the quarantine.
        left_out: networks without a row, because too small a share of their FLOPs is simulated.
    """

    folder: Path
    files: tuple[Path, ...]
    n_kernels: int
    n_models: int
    failed: tuple[Outcome, ...]
    left_out: tuple[NetworkEstimate, ...]


def write_campaign(
    accelerator: Accelerator,
    configurations: Sequence[Configuration],
    networks: Sequence[NamedNetwork],
    cache: Cache,
    *,
    out: Path,
    command: str,
) -> WrittenCampaign:
    """Write the submission of an accelerator in place of an earlier one.

    Args:
        accelerator: where the kernels were simulated.
        configurations: rows of kernels.csv.
        networks: rows of models.csv, with their kernel lists.
        cache: figures.
        out: folder of all submissions.
        command: command that writes the same files again.

    Raises:
        UsageError: the campaign folder has files that no simulation wrote.
        ReleaseError: another run is writing to the folder of the device.
    """
    outcomes = [outcome_of(configuration, accelerator, cache) for configuration in configurations]
    costs = [estimate_network(network, accelerator, cache) for network in networks]
    rows = sorted(
        (cost for cost in costs if cost.coverage_flops >= LEAST_COVERAGE), key=lambda cost: cost.network.model
    )
    left_out = tuple(cost for cost in costs if cost.coverage_flops < LEAST_COVERAGE)
    failed = tuple(outcome for outcome in outcomes if outcome.failure is not None)
    files = {MANIFEST_FILE: manifest_bytes(accelerator, rows, left_out, outcomes, command)}
    files |= _tables(accelerator, outcomes, rows)
    folder = out / accelerator.id / f"zigzag-{estimator_version()}"
    _refuse_other_files(folder)
    device = {DEVICE_FILE: device_bytes(accelerator)}
    write_folder(folder, files, device)
    written = (*(folder.parent / name for name in device), *(folder / name for name in sorted(files)))
    n_kernels = sum(outcome.estimate is not None for outcome in outcomes)
    return WrittenCampaign(folder, written, n_kernels, len(rows), failed, left_out)


def _tables(accelerator: Accelerator, outcomes: Sequence[Outcome], rows: Sequence[NetworkEstimate]) -> dict[str, bytes]:
    """Tables of kernels, networks and failed configurations, and kernel lists, by path in the campaign folder."""
    files: dict[str, bytes] = {}
    kernels = [_kernel_cells(outcome, accelerator) for outcome in outcomes if outcome.estimate is not None]
    if kernels:
        files["kernels.csv"] = _csv((*KEYS["kernels"], *_HOW, *_FIGURES), sorted(kernels, key=_by_configuration))
    if rows:
        header = (*KEYS["models"], "flops", "params", *_HOW, *_FIGURES)
        files["models.csv"] = _csv(header, [_model_cells(cost, accelerator) for cost in rows])
        files |= {f"{NETWORKS_FOLDER}/{cost.network.model}.json": _network(cost.network) for cost in rows}
    failed = [outcome for outcome in outcomes if outcome.failure is not None]
    if failed:
        refused = [{"reasons": outcome.failure, **outcome.configuration} for outcome in failed]
        files[QUARANTINE_FILE] = _csv(("reasons", *KEYS["kernels"]), sorted(refused, key=_by_configuration))
    return files


def _refuse_other_files(folder: Path) -> None:
    own = {MANIFEST_FILE, "kernels.csv", "models.csv", QUARANTINE_FILE}
    for path in sorted(folder.rglob("*")) if folder.exists() else ():
        name = path.relative_to(folder)
        is_own = name.as_posix() in own or name.parts[0] == NETWORKS_FOLDER
        if path.is_symlink() or not is_own:
            raise UsageError(f"{path.as_posix()} was not written by a simulation, which would delete it; move it away")


def _figures(estimate: Estimate, accelerator: Accelerator) -> dict[str, str]:
    energy_mj = estimate.energy_pj / 1e9
    latency_ms = estimate.cycles / (accelerator.clock_mhz * 1e3)
    figures = dict(zip(_FIGURES, (energy_mj, latency_ms, energy_mj / latency_ms * 1e3), strict=True))
    return {name: _digits(figure) for name, figure in figures.items()}


def _digits(figure: float) -> str:
    return np.format_float_positional(figure, precision=_DIGITS, unique=False, fractional=False, trim="-")


def _kernel_cells(outcome: Outcome, accelerator: Accelerator) -> dict[str, Any]:
    assert outcome.estimate is not None
    return dict(outcome.configuration) | _how() | _figures(outcome.estimate, accelerator)


def _model_cells(cost: NetworkEstimate, accelerator: Accelerator) -> dict[str, Any]:
    network = cost.network
    stated = {name: getattr(network, name) for name in (*KEYS["models"], "flops", "params")}
    return stated | _how() | _figures(cost.estimate, accelerator)


def _how() -> dict[str, str]:
    return {"delegate": DELEGATE, "dtype": DTYPE, "energy_kind": ENERGY_KIND}


def _by_configuration(cells: Mapping[str, Any]) -> tuple[Any, ...]:
    kernel, *extents = KEYS["kernels"]
    return (get_args(Kernel).index(cells[kernel]), *(cells.get(name, 0) for name in extents))


def _csv(header: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> bytes:
    """CSV file of rows, without the columns that no row fills."""
    text = io.StringIO()
    filled = [name for name in header if any(row.get(name) is not None for row in rows)]
    writer = csv.DictWriter(text, filled, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _network(network: NamedNetwork) -> bytes:
    kernels = [in_dtype(kernel, DTYPE) for kernel in network.kernels]
    return network_json(
        Network(schema_version=1, model=network.model, runtime=network.runtime, kernels=kernels)
    ).encode()
