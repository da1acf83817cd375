"""Energy of a model file on a device."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from harness.api.arguments import AnyPath, OnStep, Paths, as_names, as_paths, check_known, check_within, silent
from harness.api.submissions import read_release
from harness.defaults import (
    COVERAGE,
    FLOPS_COVERED,
    LEAST_COVERAGE,
    MOST_COVERAGE,
    PREDICTOR,
    SAVED_PREDICTORS,
    SUBMISSIONS,
)
from harness.errors import UsageError
from harness.graphs.model_kernels import kernels_of_file
from harness.issues import unknown
from harness.prediction.fitted_predictor import FittedPredictor, fitted_for, load_fitted
from harness.prediction.network_energy import main_dtype, predict_network
from harness.prediction.prediction import Prediction
from harness.prediction.training_set import training_set
from harness.predictor.registry import PACKAGE, predictor_info
from harness.schema.networks import in_dtype
from harness.schema.vocabulary import DTYPES, Dtype
from harness.validation.tree import campaign_paths


def predict(
    model: AnyPath,
    device_id: str | None = None,
    *,
    delegate: str | None = None,
    dtype: Dtype | None = None,
    predictor: str | None = None,
    runtime: str | None = None,
    inputs: Sequence[str] = (),
    batch: int | None = None,
    data: Paths = SUBMISSIONS,
    file: AnyPath | None = None,
    coverage: float = COVERAGE,
    at_least: float = FLOPS_COVERED,
    package: str = PACKAGE,
    on_step: OnStep = silent,
) -> Prediction:
    """Predict the energy of one inference of a model file on a device, kernel by kernel.

    The predictor is fitted on the device's rows, unless a fitted one is in `dist/predictors` or is named.

    Args:
        model: ONNX or TFLite file.
        device_id: device; needed unless `file` is given.
        delegate: how the network runs; needed where the device was measured with several.
        dtype: data type that the network runs in; that of the file by default.
        predictor: predictor, by its key.
        runtime: fusion rules, one of `runtime_names()`; those of the file's format by default.
        inputs: extents of network inputs that the file leaves open, each as `name=1x3x224x224`.
        batch: first extent of the inputs that is the batch; None where the file names it, or has none.
        data: submissions to fit on; only those of the device are read.
        file: fitted predictor, a .skops file; no submissions are then read.
        coverage: nominal coverage of intervals, a probability.
        at_least: share of FLOPs that has to be covered, from 0 to 1.
        package: package of the predictors.
        on_step: called with each campaign's path before it is read, and with the number of campaigns.

    Returns:
        Energy in mJ of the network and of each kernel, with intervals; unsupported kernels are listed.

    Raises:
        UsageError: a name is unknown, or the device has no rows for the network.
        ModelFileError: the file is no model, is broken, or leaves extents open.
        InvalidSubmissionsError: a submission of the device has an error.
        CoverageError: less than `at_least` is covered, or nothing.
        PredictorError: the predictor fails, or a saved one is damaged.

    Examples:
        >>> from harness import api
        >>> prediction = api.predict("net.onnx", "acme-phone", delegate="CPU1", predictor="constant")
        >>> prediction.network.energy_mj > 0, prediction.network.is_complete
        (True, True)
        >>> api.draw_energy(prediction).startswith("<svg")
        True
    """
    check_within("coverage", coverage, LEAST_COVERAGE, MOST_COVERAGE)
    check_within("at_least", at_least, 0, 1)
    check_known("data type", [] if dtype is None else [dtype], DTYPES)
    found = kernels_of_file(Path(model), runtime, as_names(inputs), batch)
    kernels = found.kernels.kernels
    kernels = kernels if dtype is None else tuple(in_dtype(kernel, dtype) for kernel in kernels)
    request = _Request(device_id, delegate, main_dtype(kernels), predictor)
    fitted = _fitted(request, data, package, on_step) if file is None else _loaded(Path(file), request, package)
    network = predict_network(kernels, fitted, coverage=coverage, at_least=at_least)
    return Prediction(Path(model), found.runtime, fitted, network, found.batch, found.leading)


class _Request(NamedTuple):
    """What a predictor has to support; None where nothing is requested."""

    device_id: str | None
    delegate: str | None
    dtype: Dtype
    predictor: str | None


def _fitted(request: _Request, data: Paths, package: str, on_step: OnStep) -> FittedPredictor:
    """Predictor fitted for a device of some submissions; only those of the device are read.

    Raises:
        UsageError: there is no such device, or none was named.
        InvalidSubmissionsError: a submission of the device has an error.
        PredictorError: a saved predictor is damaged.
    """
    if request.device_id is None:
        raise UsageError("a device is needed (--device ID), or a fitted predictor (--model FILE)")
    key = predictor_info(request.predictor or PREDICTOR, package).key
    campaigns = campaign_paths(as_paths(data))
    of_device = [path for path in campaigns if path.parent.name == request.device_id]
    if not of_device:
        raise unknown("device", request.device_id, {path.parent.name for path in campaigns})
    kernels = read_release(of_device, on_step=on_step).levels["kernels"]
    training = training_set(kernels, request.device_id, request.dtype, request.delegate)
    return fitted_for(training, key, SAVED_PREDICTORS, package)


def _loaded(file: Path, request: _Request, package: str) -> FittedPredictor:
    """Fitted predictor in a file.

    Raises:
        UsageError: there is none, or it is fitted for something else than was requested.
        PredictorError: the file is damaged, or has a type that is not trusted.
    """
    fitted = load_fitted(file, package)
    subject = fitted.subject
    there = (subject.device_id, subject.delegate, subject.dtype, fitted.stamp.predictor)
    options = ("--device", "--delegate", "--dtype", "--predictor")
    for option, asked, found in zip(options, request, there, strict=True):
        if asked is not None and asked != found:
            raise UsageError(f"{file.as_posix()} is of {option} {found}, and {asked} is asked for")
    return fitted
