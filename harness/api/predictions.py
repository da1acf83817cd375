"""Energy of a model file on a device."""

from collections.abc import Sequence
from pathlib import Path

from harness.api.arguments import AnyPath, OnStep, Paths, as_names, check_known, check_within, silent
from harness.api.prediction_request import Request
from harness.api.prediction_sources import source_of
from harness.defaults import COVERAGE, LEAST_COVERAGE, LEAST_COVERED, MOST_COVERAGE, PREDICTORS, SUBMISSIONS
from harness.graphs.model_kernels import kernels_of_file
from harness.prediction.network_energy import main_dtype, predict_network
from harness.prediction.prediction import Prediction
from harness.schema.vocabulary import DTYPES, Dtype


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
    package: str = PREDICTORS,
    on_step: OnStep = silent,
) -> Prediction:
    """Predict the energy of one inference of a model file on a device, kernel by kernel.

    The default predictor is fitted on the device's rows once, and kept in the user's cache. Another is fitted now,
    unless a fitted one is in `dist/predictors`, or is named.

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
    request = Request(device_id, system, delegate, predictor, package)
    source = source_of(request, None if file is None else Path(file), data, on_step)
    rules, settled = runtime or source.runtime.rules, as_names(values)
    found = kernels_of_file(Path(model), rules, as_names(inputs), batch, dtype, values=settled, signature=signature)
    fitted = source.fitted(main_dtype(found.kernels.kernels))
    network = predict_network(
        found.kernels.kernels, fitted, coverage=coverage, at_least=at_least, may_extrapolate=extrapolate
    )
    return Prediction(
        Path(model), found.runtime, fitted, network, found.batch, found.leading, source.runtime, found.notes
    )
