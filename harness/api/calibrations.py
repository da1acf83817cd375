"""A device calibrated: the way that predicts it best from its rows, kept for predictions, and what to measure next."""

from collections.abc import Sequence
from math import exp, log
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from harness.api.arguments import AnyPath, OnStep, Paths, as_names, as_paths, silent
from harness.api.device_rows import DeviceRows
from harness.api.plans import measured_kernels
from harness.api.prediction_request import Request
from harness.api.prediction_sources import KeptSource, calibrated_predictor, source_of
from harness.api.submissions import read_release
from harness.defaults import PREDICTOR, PREDICTORS, RUNTIME, SUBMISSIONS
from harness.errors import UsageError
from harness.evaluation.calibration import (
    LEAST_CONFIGURATIONS,
    CalibrationPlan,
    Way,
    error_of,
    errors_of,
    score_error_percent,
)
from harness.evaluation.result_layout import Score, SplitResult
from harness.evaluation.tracks import rows_of_others
from harness.graphs.model_kernels import kernels_of_file
from harness.issues import quoted
from harness.planning.plan import make_plan
from harness.planning.targets import DTYPE, reference_networks
from harness.prediction.fitted_predictor import plain_for, saved_content_for, with_ratio
from harness.prediction.network_energy import predict_network
from harness.prediction.network_ratio import LEAST_NETWORKS, NetworkRatio, network_ratio
from harness.prediction.predictable import has_kernels
from harness.prediction.training_set import TrainingSet, types_of
from harness.predictor.features import LABEL, labelled_frame
from harness.predictor.plain import is_answered_here
from harness.predictor.protocol import PredictorError
from harness.predictor.subjects import rows_of
from harness.schema.calibrations import CalibrationOutput, FurtherKernel, HeldOutError, MeasuredNetwork, Tried
from harness.schema.networks import input_in_words
from harness.schema.vocabulary import Dtype
from harness.validation.tree import campaign_paths

_TRANSFER: Final = "device-transfer"
_INTERVAL: Final = "90"
_WITHIN: Final = "within_10"
_SEED: Final = 0


def calibrate(
    device_id: str,
    *,
    system: str | None = None,
    delegate: str | None = None,
    dtype: Dtype | None = None,
    networks: Sequence[AnyPath] = (),
    inputs: Sequence[str] = (),
    n_further: int = 5,
    data: Paths = SUBMISSIONS,
    on_step: OnStep = silent,
) -> CalibrationOutput:
    """Find the way that predicts a device best from its rows, and keep it for `predict`.

    Each way predicts rows of the device that are held out, in three repeats of a five-fold cross-validation: the
    default predictor and `device-transfer` on rows of the device alone, and the latter with rows of other devices that
    were measured alike. The one with the least median error is fitted on all rows, and `predict` answers by it as long
    as rows and code are these.

    Args:
        device_id: device.
        system: system of the device, by its id; needed where kernels of several were measured.
        delegate: how it runs; needed where it was measured with several.
        dtype: data type of the rows; needed where kernels were measured in several.
        networks: ONNX or TFLite files of networks that were measured as a whole on the system; two or more tell the
            ratio of a network's energy to the sum over its kernels, by which predictions are then multiplied.
        inputs: extents of network inputs that these files leave open, each as `name=1x3x224x224`.
        n_further: kernels to name that would help most if they were measured.
        data: submissions; those of other devices are of use too.
        on_step: called with the name of every step.

    Returns:
        Errors of every way with their intervals, the way that was chosen, and the kernels to measure next.

    Raises:
        UsageError: there is no such device, it has too few rows, the way of running is not settled, or a network was
            not measured.
        ModelFileError: a file is no model, is broken, or leaves extents open.
        InvalidSubmissionsError: a submission has an error.
        PredictorError: every way fails.

    Examples:
        >>> from harness import api
        >>> from harness.errors import UsageError
        >>> try:
        ...     api.calibrate("acme-phone", delegate="CPU1")
        ... except UsageError as error:
        ...     print(str(error).partition(";")[0])
        acme-phone has rows of 3 configurations
    """
    request = Request(device_id, system, delegate, None, PREDICTORS)
    on_step("reading rows", None)
    rows = DeviceRows(request, data, silent)
    training = _training(rows, dtype, device_id)
    others = _others(training, data)
    ways = [Way(PREDICTOR), Way(_TRANSFER), *([Way(_TRANSFER, uses_others=True)] if others.num_rows else [])]
    on_step("predicting rows that are held out", None)
    results = errors_of(CalibrationPlan(training.subject, training.table, _SEED, others), ways)
    chosen = min(range(len(ways)), key=lambda place: error_of(results[ways[place]]))
    if results[ways[chosen]].status != "ok":
        raise PredictorError(f"no way predicts {training.subject.system_id}: {results[ways[chosen]].reason}")
    on_step("fitting on all rows", None)
    content = _fitted(training, ways[chosen], others)
    whole = _whole(networks, as_names(inputs), training, rows.models, content)
    ratio = _ratio(whole)
    _keep(request, training.subject.dtype, content if ratio is None else with_ratio(content, ratio), data)
    on_step("choosing kernels to measure next", None)
    return CalibrationOutput(
        subject=training.subject,
        n_rows=training.table.num_rows,
        n_rows_of_others=others.num_rows,
        others=sorted(set(others.column("device_id").to_pylist())),
        chosen=chosen,
        tried=[_tried(way, results[way]) for way in ways],
        networks=whole,
        network_factor=None if ratio is None else ratio.factor,
        **_further(training, n_further),
    )


def _training(rows: DeviceRows, dtype: Dtype | None, device_id: str) -> TrainingSet:
    """Rows of the device.

    Raises:
        UsageError: there are too few to hold some out, or in several data types of which none is chosen.
    """
    if dtype is None and len(rows.dtypes) > 1:
        raise UsageError(f"{device_id} was measured in {', '.join(rows.dtypes)}; choose one with --dtype")
    training = rows.training(dtype or rows.dtypes[0])
    n_configurations = len(set(training.table.column("configuration_id").to_pylist()))
    if n_configurations < LEAST_CONFIGURATIONS:
        raise UsageError(
            f"{training.subject.system_id} has rows of {n_configurations} configurations; expected at least "
            f"{LEAST_CONFIGURATIONS}, of which some are held out. Measure more: deepen plan --device {device_id}"
        )
    return training


def _keep(request: Request, dtype: Dtype, content: bytes, data: Paths) -> None:
    """Keep a predictor for `predict`, unless the rows lie where nothing is kept of them."""
    source = source_of(request, None, data, silent)
    if isinstance(source, KeptSource):
        source.calibrate(dtype, content)


def _fitted(training: TrainingSet, way: Way, others: pa.Table) -> bytes:
    """Predictor of a way, fitted on all rows."""
    if is_answered_here(way.predictor, PREDICTORS):
        return plain_for(training, way.predictor)
    return saved_content_for(training, way.predictor, others if way.uses_others else others.slice(0, 0))


def _whole(
    networks: Sequence[AnyPath], inputs: Sequence[str], training: TrainingSet, models: pa.Table, content: bytes
) -> list[MeasuredNetwork]:
    """Networks that were measured as a whole, each beside the sum over its kernels.

    Raises:
        UsageError: no row of the system has the name of one.
    """
    if not networks:
        return []
    fitted, rows = calibrated_predictor(content, PREDICTORS), rows_of(models, training.subject)
    found = []
    for path in map(Path, networks):
        energies = rows.filter(pc.equal(rows.column("model"), path.stem)).column(LABEL).to_pylist()
        if not energies:
            there = ", ".join(sorted(set(rows.column("model").to_pylist()))) or "none"
            raise UsageError(
                f"no row of {training.subject.system_id} in {training.subject.dtype} is of a network "
                f"{quoted(path.stem)}; networks that were measured: {there}"
            )
        kernels = kernels_of_file(path, training.runtime, inputs, None, None).kernels.kernels
        sum_mj = predict_network(kernels, fitted, may_extrapolate=True).energy_mj
        energy_mj = exp(sum(map(log, energies)) / len(energies))
        found.append(MeasuredNetwork(model=path.stem, energy_mj=energy_mj, sum_mj=sum_mj))
    return found


def _ratio(networks: Sequence[MeasuredNetwork]) -> NetworkRatio | None:
    """Ratio of networks to the sums over their kernels; None where fewer were measured than tell it."""
    if len(networks) < LEAST_NETWORKS:
        return None
    return network_ratio([log(each.energy_mj / each.sum_mj) for each in networks])


def _others(training: TrainingSet, data: Paths) -> pa.Table:
    """Rows of other devices that were measured as this one was."""
    campaigns = [path for path in campaign_paths(as_paths(data)) if has_kernels(path)]
    table = read_release(campaigns).levels["kernels"]
    return rows_of_others(table, training.subject, training.table.column("processor")[0])


def _tried(way: Way, result: SplitResult) -> Tried:
    errors = [_held_out(score) for score in result.scores]
    return Tried(predictor=way.predictor, uses_others=way.uses_others, reason=result.reason, errors=errors)


def _held_out(score: Score) -> HeldOutError:
    return HeldOutError(
        kernel=score.kernel,
        n=score.n_test,
        within_10=score.measures.get(_WITHIN) or 0.0,
        within_10_ci95=score.ci95.get(_WITHIN),
        median_error_percent=score_error_percent(score),
        covered_90=score.interval_coverage.get(_INTERVAL),
    )


def _further(training: TrainingSet, n_further: int) -> dict[str, Any]:
    """Kernels that would help most, the variance that the rows leave, and types of kernels without a row, by field."""
    networks = reference_networks(training.runtime or RUNTIME)
    known = set(types_of(labelled_frame(training.table)))
    run = {kernel.kernel for network in networks for kernel in network.kernels if kernel.kernel is not None}
    missing: list[str] = sorted(run - known)
    if n_further < 1 or training.subject.dtype != DTYPE:
        return {"missing": missing, "further": [], "variance_left": None}
    measured = measured_kernels(training.table)
    made = make_plan(training.subject.device_id, networks, networks, max(n_further, 2), seed=_SEED, measured=measured)
    further = [
        FurtherKernel(
            kernel=kernel.kernel, input=input_in_words(kernel), cout=kernel.cout, variance_left=kernel.variance_left
        )
        for kernel in made.plan.kernels[:n_further]
    ]
    return {"missing": missing, "further": further, "variance_left": made.plan.variance_measured}
