"""The energy of a model file on a device, as one result, and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.graphs.fusion_rules import Runtime
from harness.prediction.fitted_predictor import FittedPredictor
from harness.prediction.network_energy import KernelEnergy, NetworkEnergy
from harness.schema.results import Subject


@dataclass(frozen=True)
class Prediction:
    """Predicted energy of one inference of a model file on a device.

    Attributes:
        file: the model file.
        runtime: fusion rules that made its kernels.
        fitted: predictor, fitted for the device.
        network: energy of the network and of each of its kernels.
        batch: inferences that run together in the file, by which its extents are divided.
        leading: first extent above 1 of each input, by name, where it was not taken for the batch.
    """

    file: Path
    runtime: Runtime
    fitted: FittedPredictor
    network: NetworkEnergy
    batch: int = 1
    leading: Mapping[str, int] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """Name of the model: that of its file."""
        return self.file.stem

    @property
    def subject(self) -> Subject:
        """Device and way of running that the prediction is for."""
        return self.fitted.subject

    def as_json(self) -> dict[str, Any]:
        """The prediction as `deepen predict --format json` gives it; null where unknown."""
        stamp, network = self.fitted.stamp, self.network
        low, high = network.interval_mj or (None, None)
        return {
            "model": self.model,
            "runtime": self.runtime.name,
            "batch": self.batch,
            **self.subject.model_dump(),
            "predictor": stamp.predictor,
            "fitted": {
                "file": None if self.fitted.file is None else self.fitted.file.as_posix(),
                **stamp.model_dump(include={"predictor_version", "data_sha256", "n_rows", "harness_version"}),
            },
            "energy_mj": network.energy_mj,
            "low_mj": low,
            "high_mj": high,
            "interval_coverage": network.interval_coverage,
            "is_complete": network.is_complete,
            "coverage": {"kernels": network.coverage_kernels, "flops": network.coverage_flops},
            "kernels": [_kernel_json(each, network.energy_mj) for each in network.kernels],
            **_limits_json(network),
        }


def _limits_json(network: NetworkEnergy) -> dict[str, Sequence[dict[str, Any]]]:
    """What the energy leaves out, and where it is extrapolated."""
    return {
        "missing": [
            {"operator": item.operator, "n": item.n, "flops_share": item.flops_share, "reason": item.reason}
            for item in network.unsupported
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
    return {
        "operator": each.kernel.operator,
        "kernel": each.kernel.kernel,
        **each.kernel.model_dump(exclude_none=True),
        "energy_mj": each.energy_mj,
        "low_mj": low,
        "high_mj": high,
        "share": None if each.energy_mj is None else each.energy_mj / total_mj,
    }
