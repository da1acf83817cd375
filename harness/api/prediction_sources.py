"""Where the predictor of a prediction comes from: the cache, the device's rows, or a file.

What is kept is found without reading a row and without a library of the fit, which are imported where they are needed.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING

from harness.api.arguments import as_paths
from harness.defaults import PREDICTOR
from harness.prediction.fitted import FittedPredictor, of_plain_content
from harness.prediction.kept import keep, key_for, key_of, read_kept
from harness.prediction.rows_runtime import RowsRuntime
from harness.predictor.plain import is_answered_here

CALIBRATED = "calibrated"
"""What the answer of a calibration is kept under, in place of the key of a predictor."""

if TYPE_CHECKING:
    from pathlib import Path

    from harness.api.arguments import OnStep, Paths
    from harness.api.device_rows import DeviceRows
    from harness.api.prediction_request import Request, Source
    from harness.schema.vocabulary import Dtype


def source_of(request: Request, file: Path | None, data: Paths, on_step: OnStep) -> Source:
    """Source of the predictor that is asked for.

    Args:
        request: what it has to support.
        file: fitted predictor, a .skops file; no submissions are then read.
        data: submissions to fit on; only those of the device are read.
        on_step: called with each campaign's path before it is read, and with the number of campaigns.

    Raises:
        UsageError: there is no such device, none was named, or it has no kernel rows.
        InvalidSubmissionsError: a submission of the device has an error.
        PredictorError: the file is damaged.
    """
    if file is None and request.device_id is not None:
        predictor = request.predictor or PREDICTOR
        key = key_of(as_paths(data), request.device_id) if is_answered_here(predictor, request.package) else None
        if key is not None:
            return KeptSource(request, predictor, key, data, on_step)
    from harness.api.device_rows import DeviceRows, LoadedFile

    return DeviceRows(request, data, on_step) if file is None else LoadedFile(file, request)


class KeptSource:
    """Answers that are kept; rows are read, and a predictor is fitted, where there is none yet.

    Args:
        request: what the predictor has to support.
        predictor: key of the predictor.
        key: hash of the rows and of the program.
        data: submissions.
        on_step: as for `source_of`.
    """

    def __init__(self, request: Request, predictor: str, key: str, data: Paths, on_step: OnStep) -> None:
        self._request, self._predictor, self._data, self._on_step = request, predictor, data, on_step
        self._found, self._key = key, key_for(key, request.system_id, request.delegate)

    @cached_property
    def _rows(self) -> DeviceRows:
        from harness.api.device_rows import DeviceRows

        return DeviceRows(self._request, self._data, self._on_step)

    @cached_property
    def runtime(self) -> RowsRuntime:
        """Runtime of the rows."""
        kept = read_kept(self._key)
        if kept is not None:
            return RowsRuntime(*json.loads(kept))
        found = self._rows.runtime
        self._keep(self._key, json.dumps(found).encode())
        return found

    def fitted(self, dtype: Dtype) -> FittedPredictor:
        """As `Source.fitted`; of a device that was calibrated, the predictor that was chosen then."""
        calibrated = None if self._request.predictor else read_kept(key_for(self._key, dtype, CALIBRATED))
        if calibrated is not None:
            return calibrated_predictor(calibrated, self._request.package)
        key = key_for(self._key, dtype, self._predictor)
        kept = read_kept(key)
        if kept is not None:
            return of_plain_content(kept, is_kept=True)
        fitted = self._rows.plain(dtype)
        self._keep(key, fitted)
        return of_plain_content(fitted, is_kept=False)

    def calibrate(self, dtype: Dtype, content: bytes) -> None:
        """Keep the predictor that a calibration has chosen, for `fitted` to find.

        Args:
            dtype: data type of its rows.
            content: what `calibrated_predictor` reads.
        """
        self._keep(key_for(self._key, dtype, CALIBRATED), content)

    def _keep(self, key: str, content: bytes) -> None:
        """Keep an answer, unless rows or code have changed since their hash was taken, so that it may be of others."""
        if key_of(as_paths(self._data), str(self._request.device_id)) == self._found:
            keep(key, content)


def calibrated_predictor(content: bytes, package: str) -> FittedPredictor:
    """Predictor that a calibration has chosen; asked in this process where its code may be, and confined otherwise.

    Args:
        content: what `plain_for` or `saved_content_for` of `harness.prediction.fitted_predictor` wrote.
        package: package that the predictor is in.
    """
    stamp = json.loads(content.partition(b"\n")[0])["stamp"]
    if is_answered_here(stamp["predictor"], package):
        return of_plain_content(content, is_kept=True)
    from harness.prediction.fitted_predictor import of_saved_content

    return of_saved_content(content, package)
