"""The energy of a model file on a device, as one result, and as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.graphs.fusion_rules import Runtime
from harness.prediction.coverage import KernelEnergy
from harness.prediction.extrapolation import Extrapolation
from harness.prediction.fitted import FittedPredictor
from harness.prediction.network_energy import NetworkEnergy
from harness.prediction.rows_runtime import UNKNOWN, RowsRuntime
from harness.schema.outputs import Coverage, FitFacts, MissingEnergy, Outside, PredictedKernel, PredictionOutput
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
        rows_runtime: runtime of the rows that the predictor was fitted on.
        kernel_notes: what the kernels rest on that the file does not settle, as sentences.
    """

    file: Path
    runtime: Runtime
    fitted: FittedPredictor
    network: NetworkEnergy
    batch: int = 1
    leading: Mapping[str, int] = field(default_factory=dict)
    rows_runtime: RowsRuntime = UNKNOWN
    kernel_notes: tuple[str, ...] = ()

    @property
    def model(self) -> str:
        """Name of the model: that of its file."""
        return self.file.stem

    @property
    def subject(self) -> Subject:
        """Device and way of running that the prediction is for."""
        return self.fitted.subject

    @property
    def notes(self) -> list[str]:
        """What a reader of the figure should know about the kernels and the runtime, on one line each."""
        return [*self.kernel_notes, *self._runtime_notes(), *self._ratio_notes()]

    def _ratio_notes(self) -> list[str]:
        ratio = self.fitted.ratio
        if ratio is None:
            return []
        networks = f"{ratio.n} networks that were measured as a whole"
        return [f"times {ratio.factor:.3g}, the ratio of {networks} to the sums over their kernels"]

    def _runtime_notes(self) -> list[str]:
        rows, device = self.rows_runtime, self.subject.device_id
        if rows.rules is None:
            note = f"no fusion rules are known for the runtime of {device}'s rows ({rows.stated}); kernels are as in"
            return [f"{note} {self.runtime.title}"]
        if rows.rules != self.runtime.name:
            return [f"warning: kernels as in {self.runtime.name}, but the rows of {device} go with {rows.rules}"]
        return []

    def as_json(self) -> dict[str, Any]:
        """The prediction as `deepen predict --format json` gives it."""
        return self._output().as_json()

    def _output(self) -> PredictionOutput:
        stamp, network = self.fitted.stamp, self.network
        low, high = network.interval_mj or (None, None)
        return PredictionOutput(
            model=self.model,
            runtime=self.runtime.name,
            rows_runtime=self.rows_runtime.rules,
            batch=self.batch,
            **self.subject.model_dump(),
            predictor=stamp.predictor,
            fitted=FitFacts(
                file=None if self.fitted.file is None else self.fitted.file.as_posix(),
                **stamp.model_dump(include={"predictor_version", "data_sha256", "n_rows", "harness_version"}),
            ),
            energy_mj=network.energy_mj,
            low_mj=low,
            high_mj=high,
            interval_coverage=network.interval_coverage,
            why_no_interval=network.why_no_interval,
            is_complete=network.is_complete,
            is_extrapolated=network.is_extrapolated,
            extrapolated_share=network.extrapolated_share,
            coverage=Coverage(
                kernels=network.coverage_kernels, flops=network.coverage_flops, bytes=network.coverage_bytes
            ),
            kernels=[_kernel(each, network.energy_mj) for each in network.kernels],
            missing=[MissingEnergy(**vars(item)) for item in network.unsupported],
            warnings=[_outside(found, network) for found in network.extrapolations],
            notes=self.notes,
        )


def _outside(found: Extrapolation, network: NetworkEnergy) -> Outside:
    return Outside(
        kernel=found.kernel,
        field=found.field,
        found=found.found,
        learnt=found.learnt,
        numbers=[place + 1 for place in found.places],
        energy_share=network.share(found.places),
    )


def _kernel(each: KernelEnergy, total_mj: float) -> PredictedKernel:
    low, high = each.interval_mj or (None, None)
    share = None if each.energy_mj is None else min(each.energy_mj / total_mj, 1.0)
    return PredictedKernel(**each.kernel.model_dump(), energy_mj=each.energy_mj, low_mj=low, high_mj=high, share=share)
