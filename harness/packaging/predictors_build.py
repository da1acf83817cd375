"""Builds the folders of fitted predictors, one per predictor, device and way of running, each with its card.

Only predictors with a result on the same rows are built, so that every card has results. They are fitted and made into
files in confined processes; what comes back is written as it is, with its SHA-256, and never loaded here.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Final

import pyarrow.compute as pc

from harness.errors import UsageError
from harness.evaluation.plans import Plan
from harness.evaluation.result_layout import Result
from harness.evaluation.results import CheckedResults
from harness.evaluation.tracks import plans_of
from harness.packaging.predictor_card import PredictorFacts, predictor_card
from harness.packaging.sources import pairs_of
from harness.packaging.texts import Texts, read_texts
from harness.parallel import at_once
from harness.prediction.extrapolation import ranges_of
from harness.prediction.fitted_predictor import (
    FIT_LIMITS,
    MODEL_FILE,
    RANGES_FILE,
    is_whole,
    make_stamp,
    saved_folder,
    write_sums,
)
from harness.prediction.rows_runtime import runtime_of_rows
from harness.prediction.training_set import TrainingSet
from harness.predictor.features import FEATURES
from harness.predictor.persistence import STAMP_FILE, Stamp
from harness.predictor.protocol import PredictorError, PredictorInfo
from harness.predictor.registry import PACKAGE, Listing, predictor_version
from harness.predictor.subjects import by_subject
from harness.releases import Release
from harness.sandbox.idle import IdleWorkers
from harness.sandbox.jobs import Job, run_jobs
from harness.schema.results import Subject, Track

PREDICTORS: Final = "predictors"
"""Folder below `dist` that holds the fitted predictors."""
CARD_FILE: Final = "README.md"
_TRACKS: Final[tuple[Track, ...]] = ("kernels", "models")
"""Tracks whose results a card shows; a fitted predictor is for one device only."""


@dataclass(frozen=True)
class BuiltPredictor:
    """Outcome of one predictor on one device and way of running.

    Attributes:
        key: predictor.
        subject: device and way of running.
        folder: folder of the predictor; None where it was not built.
        reason: why it was not built; empty where it was.
    """

    key: str
    subject: Subject
    folder: Path | None
    reason: str = ""


@dataclass(frozen=True)
class _Build:
    """Settings and inputs that all predictors of one build share."""

    release: Release
    texts: Texts
    cards: Path
    results: CheckedResults
    target: Path
    fresh: Path
    package: str
    dataset_version: str
    plans: Mapping[Track, Mapping[Subject, Plan]]
    idle: IdleWorkers


@dataclass(frozen=True)
class _Fitted:
    """A predictor that is fitted but not written, or why it is not to be.

    Attributes:
        info: what it declares.
        training: rows to fit on.
        results: its results, by track.
        stamp: what it was trained on.
        content: content of its file.
        reason: why there is none; empty where there is.
    """

    info: PredictorInfo
    training: TrainingSet
    results: Mapping[Track, Result]
    stamp: Stamp | None = None
    content: bytes = b""
    reason: str = ""


def build_predictors(
    release: Release,
    predictors: Listing,
    *,
    cards: Path,
    dist: Path,
    results: CheckedResults,
    dataset_version: str,
    previous: Path | None = None,
    package: str = PACKAGE,
    on_done: Callable[[str], None] = lambda _: None,
) -> list[BuiltPredictor]:
    """Write `dist/predictors/<key>/<device_id>/<way of running>/` for every predictor with results on the release.

    A predictor that the same code fitted on the same rows for the previous build is not fitted again.

    Args:
        release: rows to fit on.
        predictors: predictors; the broken ones among them are outcomes with their faults.
        cards: folder of the card templates and texts.
        dist: folder to write into, which has no predictors yet.
        results: results of `harness.evaluation.runner`.
        dataset_version: version of the dataset that the rows are of.
        previous: folder with the predictors of the build before, whose place these take.
        package: package that the predictors are in.
        on_done: called with the name of every predictor and device.

    Returns:
        One outcome per predictor, device and way of running. Its folder is the one that the predictor will have.

    Raises:
        ReleaseError: the texts are not as declared.
    """
    texts = read_texts(cards)
    plans = {track: {plan.subject: plan for plan in plans_of(track, release, results.seed).plans} for track in _TRACKS}
    target, fresh = (previous or dist) / PREDICTORS, dist / PREDICTORS
    fresh.mkdir(parents=True)
    outcomes = []
    with IdleWorkers() as idle:
        build = _Build(release, texts, cards, results, target, fresh, package, dataset_version, plans, idle)
        # Those of one predictor follow each other, so that they share its processes.
        pairs = list(product(predictors.infos.values(), _training_sets(release)))
        for fitted in at_once(partial(_fitted, build=build), pairs, backend="threading", n_jobs=-1):
            on_done(f"{fitted.info.key} on {fitted.training.subject.system_id}")
            outcomes.append(_outcome(build, fitted))
    for training, (key, fault) in product(_training_sets(release), predictors.faults.items()):
        outcomes.append(BuiltPredictor(key, training.subject, None, fault))
    return outcomes


def _training_sets(release: Release) -> Iterator[TrainingSet]:
    for subject, table in by_subject(release.levels["kernels"]).items():
        if subject.batch_size == 1:
            runtime = runtime_of_rows(release, subject.device_id, subject.delegate, subject.system_id)
            yield TrainingSet(subject, table, runtime.rules)


def _fitted(pair: tuple[PredictorInfo, TrainingSet], build: _Build) -> _Fitted:
    """Predictor fitted for a device; nothing is written yet, because another thread may end the build."""
    info, training = pair
    subject = training.subject
    found = {track: result for track in _TRACKS if (result := _result(build, track, subject, info.key)) is not None}
    if "kernels" not in found or not any(split.status == "ok" for split in found["kernels"].splits):
        reason = "no result on these rows; make one with deepen evaluate --track kernels"
        return _Fitted(info, training, found, reason=reason)
    try:
        stamp = make_stamp(training, info.key, build.dataset_version, build.package)
        return _Fitted(info, training, found, stamp, _model(build, training, info, stamp))
    except (PredictorError, UsageError) as error:
        return _Fitted(info, training, found, reason=str(error))


def _outcome(build: _Build, fitted: _Fitted) -> BuiltPredictor:
    key, subject = fitted.info.key, fitted.training.subject
    if fitted.stamp is None:
        return BuiltPredictor(key, subject, None, fitted.reason)
    home = saved_folder(build.fresh, key, subject)
    try:
        _write(build, fitted, fitted.stamp, home)
    except UsageError as error:
        shutil.rmtree(home, ignore_errors=True)
        return BuiltPredictor(key, subject, None, str(error))
    return BuiltPredictor(key, subject, saved_folder(build.target, key, subject))


def _result(build: _Build, track: Track, subject: Subject, key: str) -> Result | None:
    """Current result on the rows of the release; None where there is none."""
    plan = build.plans[track].get(subject)
    if plan is None:
        return None
    found = build.results.of(plan, key, predictor_version(key, build.package))
    return None if found is None or found.result.is_unconfined else found.result


def _write(build: _Build, fitted: _Fitted, stamp: Stamp, home: Path) -> None:
    info, training = fitted.info, fitted.training
    ranges = ranges_of(training.rows_for(info), training.runtime)
    home.mkdir(parents=True)
    (home / STAMP_FILE).write_text(stamp.model_dump_json(indent=1) + "\n", encoding="utf-8")
    (home / RANGES_FILE).write_text(ranges.model_dump_json(indent=1) + "\n", encoding="utf-8")
    (home / MODEL_FILE).write_bytes(fitted.content)
    write_sums(home)
    names = build.release.submissions.column("submission_id")
    own = pc.unique(training.table.column("submission_id"))
    facts = PredictorFacts(
        info=info,
        stamp=stamp,
        ranges=ranges,
        results=fitted.results,
        rows=training.table,
        submissions=build.release.submissions.filter(pc.is_in(names, value_set=own)),
        system_name=pairs_of(build.release.submissions, "system_id", "system")[training.subject.system_id],
        citations=build.texts.citations,
    )
    (home / CARD_FILE).write_text(predictor_card(facts, build.cards), encoding="utf-8", newline="\n")


def _model(build: _Build, training: TrainingSet, info: PredictorInfo, stamp: Stamp) -> bytes:
    """Content of the fitted predictor: that of the previous build where it is the same, otherwise one fitted now.

    Raises:
        PredictorError: the fit fails, or what is fitted cannot be saved.
    """
    previous = saved_folder(build.target, info.key, training.subject)
    if _is_same(previous / STAMP_FILE, stamp) and is_whole(previous):
        return (previous / MODEL_FILE).read_bytes()
    rows = training.rows_for(info)
    job = Job(rows, rows[list(FEATURES)][:0], stamp=stamp)
    (outcome,) = run_jobs(info.key, [job], package=build.package, limits=FIT_LIMITS, idle=build.idle)
    if outcome.status != "ok":
        raise PredictorError(outcome.reason)
    return outcome.saved


def _is_same(path: Path, stamp: Stamp) -> bool:
    try:
        return path.read_text(encoding="utf-8") == stamp.model_dump_json(indent=1) + "\n"
    except (OSError, UnicodeDecodeError):
        return False
