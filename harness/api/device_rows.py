"""Rows of the devices that can be predicted, and predictors that are fitted on them or saved."""

from functools import cached_property
from pathlib import Path

import pyarrow as pa

from harness.api.arguments import OnStep, Paths, as_paths, silent
from harness.api.prediction_request import Request
from harness.api.submissions import read_release
from harness.defaults import PREDICTOR, SAVED_PREDICTORS, SUBMISSIONS
from harness.errors import UsageError
from harness.prediction.fitted import FittedPredictor
from harness.prediction.fitted_predictor import fitted_for, load_fitted, plain_for
from harness.prediction.predictable import has_kernels, not_predictable, predictable, ready_in_words, unpredictable
from harness.prediction.rows_runtime import RowsRuntime, runtime_of_rows
from harness.prediction.training_set import TrainingSet, training_set
from harness.predictor.registry import predictor_info
from harness.schema.outputs import PredictableOutput
from harness.schema.vocabulary import Dtype
from harness.validation.former import device_of
from harness.validation.tree import campaign_paths


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


class DeviceRows:
    """Kernel rows of a device of some submissions; only those of the device are read.

    Args:
        request: what the predictor has to support.
        data: submissions.
        on_step: called with each campaign's path before it is read, and with the number of campaigns.

    Raises:
        UsageError: there is no such device, none was named, or it has no kernel rows.
        InvalidSubmissionsError: a submission of the device has an error.
    """

    def __init__(self, request: Request, data: Paths, on_step: OnStep) -> None:
        campaigns = campaign_paths(as_paths(data))
        ready = sorted({path.parent.name for path in campaigns if has_kernels(path)})
        if request.device_id is None:
            raise UsageError(
                f"a device is needed (--device ID), or a fitted predictor (--model FILE). {ready_in_words(ready)}"
            )
        self._request, self._device_id = request, device_of(request.device_id, campaigns)
        if self._device_id not in ready:
            raise not_predictable(self._device_id, campaigns)
        own = [path for path in campaigns if path.parent.name == self._device_id]
        self._release = read_release(own, on_step=on_step)

    @property
    def dtypes(self) -> list[Dtype]:
        """Data types that kernels of the device were measured in, sorted."""
        return sorted(set(self._release.levels["kernels"].column("dtype").to_pylist()))

    @property
    def models(self) -> pa.Table:
        """Rows of networks of the device."""
        return self._release.levels["models"]

    @cached_property
    def runtime(self) -> RowsRuntime:
        """Runtime of the rows."""
        return runtime_of_rows(self._release, self._device_id, self._request.delegate, self._request.system_id)

    def fitted(self, dtype: Dtype) -> FittedPredictor:
        """As `Source.fitted`."""
        return fitted_for(self.training(dtype), self._key, SAVED_PREDICTORS, self._request.package)

    def plain(self, dtype: Dtype) -> bytes:
        """Predictor that is answered in this process, as `of_plain_content` reads it; raises as `fitted` does."""
        return plain_for(self.training(dtype), self._key)

    @property
    def _key(self) -> str:
        return predictor_info(self._request.predictor or PREDICTOR, self._request.package).key

    def training(self, dtype: Dtype) -> TrainingSet:
        """Rows to fit on for networks that run in a data type; raises as `fitted` does."""
        return training_set(
            self._release.levels["kernels"],
            self._device_id,
            dtype,
            self._request.delegate,
            runtime=self.runtime.rules,
            system_id=self._request.system_id,
        )


class LoadedFile:
    """A fitted predictor in a file, with the runtime of the rows that it was fitted on.

    Args:
        file: a .skops file.
        request: what it has to support.

    Raises:
        UsageError: there is no such file, or its predictor is not installed.
        PredictorError: it is damaged.
    """

    def __init__(self, file: Path, request: Request) -> None:
        self._loaded, self._request = load_fitted(file, request.package), request
        self.runtime = RowsRuntime(self._loaded.ranges.runtime, "unstated")

    def fitted(self, dtype: Dtype) -> FittedPredictor:
        """The predictor, if it is fitted for what was requested; as `Source.fitted`."""
        subject, asked = self._loaded.subject, self._request
        for option, wanted, found in (
            ("--device", asked.device_id, subject.device_id),
            ("--system", asked.system_id, subject.system_id),
            ("--delegate", asked.delegate, subject.delegate),
            ("--dtype", dtype, subject.dtype),
            ("--predictor", asked.predictor, self._loaded.stamp.predictor),
        ):
            if wanted is not None and wanted != found:
                file = "" if self._loaded.file is None else self._loaded.file.as_posix()
                raise UsageError(f"{file} is of {option} {found}, and {wanted} is asked for")
        return self._loaded
