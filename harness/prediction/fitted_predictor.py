"""A predictor fitted for one device: fitted now in a process of its own, or loaded from a file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ValidationError

from harness.issues import quoted
from harness.prediction.extrapolation import Ranges, ranges_of
from harness.prediction.training_set import TrainingSet, types_of
from harness.predictor.persistence import STAMP_FILE, Stamp, load_predictor
from harness.predictor.pins import fit_pins
from harness.predictor.protocol import Predictor, PredictorError
from harness.predictor.registry import PACKAGE, predictor_info, predictor_version
from harness.sandbox.jobs import Job, Limits, run_jobs
from harness.schema.results import Subject

Reals = npt.NDArray[np.float64]
Contents = TypeVar("Contents", bound=BaseModel)
Predict = Callable[[pd.DataFrame, float], tuple[Reals, Reals | None]]

MODEL_FILE: Final = "model.skops"
RANGES_FILE: Final = "ranges.json"
DATASET: Final = "deepen/kernels"
"""Dataset that the rows belong to."""
_SEED: Final = 0
_LIMITS: Final = Limits(seconds=300)
"""Longer than in an evaluation: somebody waits for the prediction and can interrupt it."""


@dataclass(frozen=True)
class FittedPredictor:
    """A fitted predictor.

    Attributes:
        stamp: predictor and the rows that it was fitted on.
        ranges: ranges of those rows, by kernel type.
        file: file that it was loaded from; None where it was fitted now.
        predict: energies in mJ of kernels, shape `(n,)`, and their intervals of a nominal coverage, shape `(n, 2)`,
            None where the predictor gives none; raises PredictorError where the predictor fails.
    """

    stamp: Stamp
    ranges: Ranges
    file: Path | None
    predict: Predict

    @property
    def subject(self) -> Subject:
        """Device and way of running that it is fitted for."""
        return self.stamp.subjects[0]


def saved_folder(folder: Path, key: str, subject: Subject) -> Path:
    """Folder of a saved predictor.

    Args:
        folder: folder of all saved predictors.
        key: predictor.
        subject: device and way of running that it is fitted for.
    """
    way = subject.key.removeprefix(f"{subject.device_id}--")
    return folder / key / subject.device_id / way


def make_stamp(training: TrainingSet, key: str, dataset_version: str | None, package: str = PACKAGE) -> Stamp:
    """Stamp of a predictor that is fitted now on all rows of a training set.

    Args:
        training: rows.
        key: predictor.
        dataset_version: version of the dataset that the rows are of, where they are published.
        package: package that the predictor is in.

    Raises:
        UsageError: there is no such predictor, or no row of a kernel type that it supports.
    """
    rows = training.rows_for(predictor_info(key, package))
    pins = fit_pins(training.data_sha256, key, predictor_version(key, package), _SEED)
    return Stamp(
        **pins.model_dump(),
        subjects=(training.subject,),
        dataset=DATASET,
        dataset_version=dataset_version,
        split="all",
        n_rows=len(rows),
        kernels=types_of(rows),
    )


def fitted_for(training: TrainingSet, key: str, folder: Path, package: str = PACKAGE) -> FittedPredictor:
    """Predictor for a training set: the saved one if this program fitted it on these rows; otherwise one fitted now.

    Args:
        training: rows to fit on.
        key: predictor.
        folder: folder of all saved predictors; it may be absent.
        package: package that the predictor is in.

    Raises:
        UsageError: there is no such predictor, or no row of a kernel type that it supports.
        PredictorError: the saved one is damaged.
    """
    stamp = make_stamp(training, key, None, package)
    home = saved_folder(folder, key, training.subject)
    found = _read(home / STAMP_FILE, Stamp)
    if found is not None and found.model_copy(update={"dataset_version": None}) == stamp:
        return load_fitted(home / MODEL_FILE, package)
    rows = training.rows_for(predictor_info(key, package))

    def predict(kernels: pd.DataFrame, coverage: float) -> tuple[Reals, Reals | None]:
        (outcome,) = run_jobs(key, [Job(rows, kernels, (coverage,))], package=package, limits=_LIMITS)
        if outcome.predictions is None:
            raise PredictorError(f"{key} {outcome.reason}")
        return outcome.predictions, outcome.intervals.get(coverage)

    return FittedPredictor(stamp, ranges_of(rows), None, predict)


def load_fitted(path: Path, package: str = PACKAGE) -> FittedPredictor:
    """Predictor in a file, which is loaded only if it has no types except harmless ones.

    Args:
        path: file that `harness.predictor.persistence.save_predictor` wrote, with `ranges.json` beside it.
        package: package that the predictor is in.

    Raises:
        UsageError: there is no such file, or its predictor is not installed.
        PredictorError: the file is damaged, has a type that is not trusted, or was written by other code; or the file
            of ranges is not beside it.
    """
    model, stamp = load_predictor(path, package)
    ranges = _read(path.with_name(RANGES_FILE), Ranges)
    if ranges is None:
        raise PredictorError(
            f"{path.with_name(RANGES_FILE).as_posix()} is not there, or damaged; it belongs to the file"
        )

    def predict(kernels: pd.DataFrame, coverage: float) -> tuple[Reals, Reals | None]:
        try:
            return _predictions(model, kernels, coverage)
        except PredictorError as error:
            raise PredictorError(f"{stamp.predictor} {error}") from error
        except Exception as error:
            raise PredictorError(f"{stamp.predictor} raised {quoted(f'{type(error).__name__}: {error}')}") from error

    return FittedPredictor(stamp, ranges, path, predict)


def _predictions(model: Predictor, kernels: pd.DataFrame, coverage: float) -> tuple[Reals, Reals | None]:
    untyped: Any = model
    energies = _energies(untyped.predict(kernels), (len(kernels),))
    if not (energies > 0).all():
        raise PredictorError("gave energies that are not positive")
    if not hasattr(untyped, "predict_interval"):
        return energies, None
    return energies, _energies(untyped.predict_interval(kernels, coverage), (len(kernels), 2))


def _energies(values: Any, shape: tuple[int, ...]) -> Reals:
    energies: Reals = np.asarray(values, dtype=np.float64)
    if energies.shape != shape or not np.isfinite(energies).all():
        raise PredictorError("gave figures that are not finite, or not one for each kernel")
    return energies


def _read(path: Path, contents: type[Contents]) -> Contents | None:
    """Contents of a JSON file; None where it is absent, or is of another kind."""
    try:
        return contents.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
