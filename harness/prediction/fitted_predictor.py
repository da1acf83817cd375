"""A predictor fitted for one device, now or before and saved; it is fitted, loaded and asked in a confined process."""

import hashlib
import json
from pathlib import Path
from typing import Final, TypeVar

import pandas as pd
import pyarrow as pa
from pydantic import BaseModel, ValidationError

from harness.arrays import Reals
from harness.errors import UsageError
from harness.issues import printable, quoted
from harness.prediction.extrapolation import Ranges, ranges_of
from harness.prediction.fitted import FittedPredictor, Predict, plain_content, ratio_in
from harness.prediction.network_ratio import NetworkRatio
from harness.prediction.training_set import TrainingSet, types_of
from harness.predictor.columns import KernelColumns
from harness.predictor.features import FEATURES, labelled_frame
from harness.predictor.persistence import DAMAGED, STAMP_FILE, DamagedError, Stamp, read_stamp
from harness.predictor.pins import fit_pins
from harness.predictor.protocol import PredictorError
from harness.predictor.registry import PACKAGE, predictor_info, predictor_version
from harness.predictor.subjects import by_subject, content_sha256
from harness.sandbox.jobs import Job, Limits, run_jobs
from harness.schema.results import Subject

Contents = TypeVar("Contents", bound=BaseModel)

MODEL_FILE: Final = "model.skops"
RANGES_FILE: Final = "ranges.json"
DATASET: Final = "deepen/kernels"
"""Dataset that the rows belong to."""
SUMS_FILE: Final = "SHA256SUMS"
_SUMMED: Final = (MODEL_FILE, RANGES_FILE, STAMP_FILE)
_SEED: Final = 0
FIT_LIMITS: Final = Limits(seconds=300)
"""Longer than in an evaluation: somebody waits for the fit and can interrupt it."""


def saved_folder(folder: Path, key: str, subject: Subject) -> Path:
    """Folder of a saved predictor.

    Args:
        folder: folder of all saved predictors.
        key: predictor.
        subject: system and way of running that it is fitted for.
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

    A saved one that is damaged is fitted anew.

    Args:
        training: rows to fit on.
        key: predictor.
        folder: folder of all saved predictors; it may be absent.
        package: package that the predictor is in.

    Raises:
        UsageError: there is no such predictor, or no row of a kernel type that it supports.
        PredictorError: it is broken in its declaration.
    """
    stamp = make_stamp(training, key, None, package)
    home = saved_folder(folder, key, training.subject)
    found = _read(home / STAMP_FILE, Stamp)
    if found is not None and found.model_copy(update={"dataset_version": None}) == stamp and is_whole(home):
        return load_fitted(home / MODEL_FILE, package)
    rows = training.rows_for(predictor_info(key, package))
    return FittedPredictor(stamp, ranges_of(rows, training.runtime), None, _confined(key, rows, package))


def plain_for(training: TrainingSet, key: str) -> bytes:
    """Predictor for a training set as `plain_content` writes it, fitted now in a confined process.

    Args:
        training: rows to fit on.
        key: predictor that is answered in this process (`harness.predictor.plain`).

    Raises:
        UsageError: there is no row of a kernel type that it supports.
        PredictorError: it fails.
    """
    stamp, rows = make_stamp(training, key, None), training.rows_for(predictor_info(key))
    job = Job(rows, rows[list(FEATURES)][:0], is_plain=True)
    (outcome,) = run_jobs(key, [job], limits=FIT_LIMITS)
    if outcome.status != "ok":
        raise PredictorError(f"{key} {outcome.reason}")
    return plain_content(stamp, ranges_of(rows, training.runtime), outcome.saved)


def saved_content_for(training: TrainingSet, key: str, others: pa.Table, package: str = PACKAGE) -> bytes:
    """Predictor for a training set as `of_saved_content` reads it, fitted now in a confined process.

    Args:
        training: rows to fit on.
        key: predictor.
        others: rows of other devices to fit on as well; it may have none.
        package: package that the predictor is in.

    Raises:
        UsageError: there is no row of a kernel type that it supports.
        PredictorError: it fails.
    """
    own = training.rows_for(predictor_info(key, package))
    rows = pd.concat([labelled_frame(others), own], ignore_index=True)
    facts = {"n_rows": len(rows), "kernels": types_of(rows), "data_sha256": content_sha256([rows])}
    stamp = make_stamp(training, key, None, package).model_copy(
        update={**facts, "subjects": (training.subject, *by_subject(others))}
    )
    job = Job(rows, rows[list(FEATURES)][:0], stamp=stamp)
    (outcome,) = run_jobs(key, [job], package=package, limits=FIT_LIMITS)
    if outcome.status != "ok":
        raise PredictorError(f"{key} {outcome.reason}")
    return plain_content(stamp, ranges_of(own, training.runtime), outcome.saved)


def of_saved_content(content: bytes, package: str = PACKAGE) -> FittedPredictor:
    """The fitted predictor that `saved_content_for` wrote; it is asked in a confined process.

    Args:
        content: what was written, by this program and unchanged since.
        package: package that the predictor is in.
    """
    head, _, saved = content.partition(b"\n")
    facts = json.loads(head)
    stamp = Stamp.model_validate(facts["stamp"])
    ask = _confined(stamp.predictor, saved, package)
    ranges = Ranges.model_validate(facts["ranges"])
    return FittedPredictor(stamp, ranges, None, ask, is_kept=True, ratio=ratio_in(facts))


def with_ratio(content: bytes, ratio: NetworkRatio) -> bytes:
    """What `saved_content_for` or `plain_for` wrote, with the ratio of networks to the sums over their kernels.

    Args:
        content: what was written.
        ratio: ratio of the system.
    """
    head, _, saved = content.partition(b"\n")
    facts = json.loads(head)
    return plain_content(Stamp.model_validate(facts["stamp"]), Ranges.model_validate(facts["ranges"]), saved, ratio)


def load_fitted(path: Path, package: str = PACKAGE) -> FittedPredictor:
    """Predictor in a file; it is loaded when it is asked, and only if it has no types except harmless ones.

    Args:
        path: file of a folder that `deepen build` wrote, with `ranges.json` beside it.
        package: package that the predictor is in.

    Raises:
        UsageError: there is no such file, or its predictor is not installed.
        PredictorError: the file is damaged or was fitted by other code, or the file of ranges is not beside it; the
            message says how to fit it anew.
    """
    place = printable(path.as_posix())
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{place} cannot be read: {error.strerror}") from error
    try:
        stamp = read_stamp(content)
    except DamagedError as error:
        raise PredictorError(f"{place}: damaged ({error}); fit anew: {_fit_command(None)}") from error
    version = predictor_version(stamp.predictor, package)
    if version != stamp.predictor_version:
        raise PredictorError(
            f"{place}: fitted by version {quoted(stamp.predictor_version)} of {stamp.predictor}; expected {version}, "
            f"which is installed; fit anew: {_fit_command(stamp)}"
        )
    sums = _sums(path.parent)
    if sums.get(path.name, sha256(content)) != sha256(content):
        raise PredictorError(f"{place}: damaged (its SHA-256 is not as recorded); fit anew: {_fit_command(stamp)}")
    ranges = _read(path.with_name(RANGES_FILE), Ranges)
    if ranges is None:
        beside = printable(path.with_name(RANGES_FILE).as_posix())
        raise PredictorError(
            f"{beside} is not there, or damaged; expected that of the same build; fit anew: {_fit_command(stamp)}"
        )
    ask = _confined(stamp.predictor, content, package)

    def predict(kernels: KernelColumns, coverage: float) -> tuple[Reals, Reals | None]:
        try:
            return ask(kernels, coverage)
        except PredictorError as error:
            if DAMAGED not in str(error):
                raise
            raise PredictorError(f"{place}: {error}; fit anew: {_fit_command(stamp)}") from error

    return FittedPredictor(stamp, ranges, path, predict)


def _fit_command(stamp: Stamp | None) -> str:
    """Command that fits the predictor of a file anew, from submissions, and predicts with it."""
    if stamp is None:
        return "deepen predict MODEL --device DEVICE, without --model"
    of = stamp.subjects[0]
    options = f"--device {of.device_id} --delegate {of.delegate} --dtype {of.dtype} --predictor {stamp.predictor}"
    return f"deepen predict MODEL {options}, without --model"


def _confined(key: str, train: pd.DataFrame | bytes, package: str) -> Predict:
    """Function that asks a predictor in a confined process, where it is fitted on rows or loaded first.

    Args:
        key: predictor.
        train: rows to fit on, or content of the file of a fitted one.
        package: package that the predictor is in.
    """

    def predict(kernels: KernelColumns, coverage: float) -> tuple[Reals, Reals | None]:
        (outcome,) = run_jobs(key, [Job(train, kernels.as_frame(), (coverage,))], package=package, limits=FIT_LIMITS)
        if outcome.predictions is None:
            raise PredictorError(f"{key} {outcome.reason}")
        return outcome.predictions, outcome.intervals.get(coverage)

    return predict


def sha256(content: bytes) -> str:
    """SHA-256 of the content of a file, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def write_sums(home: Path) -> None:
    """Record the SHA-256 of the files of a saved predictor beside them, as `sha256sum --check` reads it."""
    lines = [f"{sha256((home / name).read_bytes())}  {name}\n" for name in _SUMMED]
    (home / SUMS_FILE).write_text("".join(lines), encoding="utf-8")


def is_whole(home: Path) -> bool:
    """Whether the files of a saved predictor are as they were recorded."""
    sums = _sums(home)
    try:
        return all(sums.get(name) == sha256((home / name).read_bytes()) for name in _SUMMED)
    except OSError:
        return False


def _sums(home: Path) -> dict[str, str]:
    """SHA-256 of files by their names, as recorded; empty where there is no record that can be read."""
    try:
        lines = (home / SUMS_FILE).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _read(path: Path, contents: type[Contents]) -> Contents | None:
    """Contents of a JSON file; None where it is absent, or is of another kind."""
    try:
        return contents.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
