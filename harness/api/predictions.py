"""Energy of a model file on a device."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from harness.api.arguments import AnyPath, OnStep, Paths, as_names, as_paths, check_known, check_within, silent
from harness.api.submissions import read_release
from harness.defaults import (
    COVERAGE,
    LEAST_COVERAGE,
    LEAST_COVERED,
    MOST_COVERAGE,
    PREDICTOR,
    SAVED_PREDICTORS,
    SUBMISSIONS,
)
from harness.errors import UsageError
from harness.graphs.model_kernels import kernels_of_file
from harness.prediction.fitted_predictor import FittedPredictor, fitted_for, load_fitted
from harness.prediction.network_energy import main_dtype, predict_network
from harness.prediction.predictable import has_kernels, not_predictable, predictable, ready_in_words, unpredictable
from harness.prediction.prediction import Prediction
from harness.prediction.rows_runtime import RowsRuntime, runtime_of_rows
from harness.prediction.training_set import training_set
from harness.predictor.registry import PACKAGE, predictor_info
from harness.schema.outputs import PredictableOutput
from harness.schema.vocabulary import DTYPES, Dtype
from harness.validation.former import device_of
from harness.validation.tree import campaign_paths


def predict(
    model: AnyPath,
    device_id: str | None = None,
    *,
    system: str | None = None,
    delegate: str | None = None,
    dtype: Dtype | None = None,
    predictor: str | None = None,
    runtime: str | None = None,
    inputs: Sequence[str] = (),
    batch: int | None = None,
    values: Sequence[str] = (),
    signature: str | None = None,
    data: Paths = SUBMISSIONS,
    file: AnyPath | None = None,
    coverage: float = COVERAGE,
    at_least: float = LEAST_COVERED,
    extrapolate: bool = False,
    package: str = PACKAGE,
    on_step: OnStep = silent,
) -> Prediction:
    """Predict the energy of one inference of a model file on a device, kernel by kernel.

    The predictor is fitted on the device's rows, unless a fitted one is in `dist/predictors` or is named.

    Args:
        model: ONNX or TFLite file.
        device_id: device; needed unless `file` is given.
        system: system of the device, by its id; needed where kernels of several were measured.
        delegate: how the network runs; needed where the device was measured with several.
        dtype: data type that the network runs in; that of the file by default.
        predictor: predictor, by its key.
        runtime: fusion rules, one of `runtime_names()`; those that the device's rows go with by default, and those of
            the file's format where these are unknown.
        inputs: extents of network inputs that the file leaves open, each as `name=1x3x224x224`.
        batch: first extent of the inputs that is the batch; None where the file names it, or has none.
        values: values of network inputs of one element, each as `name=value`; they settle which branches run, and how
            often loops do.
        signature: which of the networks of a TFLite file; the one that a runtime takes where none is named by default.
        data: submissions to fit on; only those of the device are read.
        file: fitted predictor, a .skops file; no submissions are then read.
        coverage: nominal coverage of intervals, a probability.
        at_least: share of FLOPs and of bytes that has to be covered, from 0 to 1.
        extrapolate: whether any share of the energy may be of kernels unlike all that the predictor was fitted on.
        package: package of the predictors.
        on_step: called with each campaign's path before it is read, and with the number of campaigns.

    Returns:
        Energy in mJ of the network and of each kernel, with intervals; unsupported kernels are listed.

    Raises:
        UsageError: a name is unknown, or the device has no rows for the network.
        ModelFileError: the file is no model, is broken, or leaves extents open.
        InvalidSubmissionsError: a submission of the device has an error.
        CoverageError: less than `at_least` is covered, or nothing.
        ExtrapolationError: more than half of the energy is extrapolated.
        PredictorError: the predictor fails, or a saved one is damaged.

    Examples:
        >>> from harness import api
        >>> prediction = api.predict(
        ...     "net.onnx", "acme-phone", delegate="CPU1", predictor="constant", extrapolate=True
        ... )
        >>> prediction.network.energy_mj > 0, prediction.network.is_complete
        (True, True)
        >>> api.draw_energy(prediction).startswith("<svg")
        True
    """
    check_within("coverage", coverage, LEAST_COVERAGE, MOST_COVERAGE)
    check_within("at_least", at_least, 0, 1)
    check_known("data type", [] if dtype is None else [dtype], DTYPES)
    source = _rows(device_id, system, delegate, data, on_step) if file is None else _loaded(Path(file), package)
    rules, settled = runtime or source.runtime.rules, as_names(values)
    found = kernels_of_file(Path(model), rules, as_names(inputs), batch, dtype, values=settled, signature=signature)
    request = _Request(device_id, system, delegate, main_dtype(found.kernels.kernels), predictor)
    fitted = _fitted(request, source, package)
    network = predict_network(
        found.kernels.kernels, fitted, coverage=coverage, at_least=at_least, may_extrapolate=extrapolate
    )
    return Prediction(
        Path(model), found.runtime, fitted, network, found.batch, found.leading, source.runtime, found.notes
    )


def predictable_devices(data: Paths = SUBMISSIONS, *, on_step: OnStep = silent) -> PredictableOutput:
    """List what can be predicted: every way of running a device that has kernel rows, and the devices that have none.

    Args:
        data: submissions.
        on_step: called with each campaign's path before it is read, and with the number of campaigns.

    Raises:
        UsageError: a path does not exist, or nothing like a submission is there.
        InvalidSubmissionsError: a submission of a device with kernel rows has an error.

    Examples:
        >>> from harness import api
        >>> [found.delegate for found in api.predictable_devices().predictable]
        ['CPU1', 'CPU4', 'GPU']
    """
    campaigns = campaign_paths(as_paths(data))
    others = unpredictable(campaigns)
    without = {other.device_id for other in others}
    ready = [path for path in campaigns if path.parent.name not in without]
    found = list(predictable(read_release(ready, on_step=on_step))) if ready else []
    return PredictableOutput(predictable=found, others=others)


class _Request(NamedTuple):
    """What a predictor has to support; None where nothing is requested."""

    device_id: str | None
    system_id: str | None
    delegate: str | None
    dtype: Dtype
    predictor: str | None


class _Source(NamedTuple):
    """Kernel rows of the device that is asked for, or a predictor that is fitted, and the runtime of either."""

    runtime: RowsRuntime
    kernels: pa.Table | FittedPredictor


def _rows(device_id: str | None, system: str | None, delegate: str | None, data: Paths, on_step: OnStep) -> _Source:
    """Rows of a device of some submissions; only those of the device are read.

    Raises:
        UsageError: there is no such device, none was named, or it has no kernel rows.
        InvalidSubmissionsError: a submission of the device has an error.
    """
    campaigns = campaign_paths(as_paths(data))
    ready = sorted({path.parent.name for path in campaigns if has_kernels(path)})
    if device_id is None:
        raise UsageError(
            f"a device is needed (--device ID), or a fitted predictor (--model FILE). {ready_in_words(ready)}"
        )
    device_id = device_of(device_id, campaigns)
    if device_id not in ready:
        raise not_predictable(device_id, campaigns)
    release = read_release([path for path in campaigns if path.parent.name == device_id], on_step=on_step)
    return _Source(runtime_of_rows(release, device_id, delegate, system), release.levels["kernels"])


def _loaded(file: Path, package: str) -> _Source:
    """A fitted predictor in a file, with the runtime of the rows that it was fitted on."""
    loaded = load_fitted(file, package)
    return _Source(RowsRuntime(loaded.ranges.runtime, "unstated"), loaded)


def _fitted(request: _Request, source: _Source, package: str) -> FittedPredictor:
    """Predictor fitted for a device.

    Raises:
        UsageError: there is no such predictor, no row for the request, or it is fitted for something else.
        PredictorError: a saved predictor is damaged.
    """
    if isinstance(source.kernels, FittedPredictor):
        return _checked(source.kernels, request)
    key = predictor_info(request.predictor or PREDICTOR, package).key
    device_id, rules = str(request.device_id), source.runtime.rules
    chosen = training_set(
        source.kernels, device_id, request.dtype, request.delegate, runtime=rules, system_id=request.system_id
    )
    return fitted_for(chosen, key, SAVED_PREDICTORS, package)


def _checked(fitted: FittedPredictor, request: _Request) -> FittedPredictor:
    """A loaded predictor, if it is fitted for what was requested.

    Raises:
        UsageError: it is not.
    """
    subject = fitted.subject
    there = (subject.device_id, subject.system_id, subject.delegate, subject.dtype, fitted.stamp.predictor)
    options = ("--device", "--system", "--delegate", "--dtype", "--predictor")
    for option, asked, found in zip(options, request, there, strict=True):
        if asked is not None and asked != found:
            file = "" if fitted.file is None else fitted.file.as_posix()
            raise UsageError(f"{file} is of {option} {found}, and {asked} is asked for")
    return fitted
