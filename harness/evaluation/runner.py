"""Runs predictors over plans, several at a time, where no current result is on disk; every failure is a result.

Plans decide the folds, `harness.sandbox.jobs` how predictors are confined.
"""

import itertools
from collections import defaultdict, deque
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from harness.arrays import Mask
from harness.evaluation.label_files import label_files, numbers_in
from harness.evaluation.metrics import resolution
from harness.evaluation.plans import COVERAGES, ROWS, Fold, FoldPredictions, Plan
from harness.evaluation.result_files import rows_sha256
from harness.evaluation.result_layout import Pins, Result, SplitResult
from harness.evaluation.results import LAYOUT, Evaluation, current_result, make_pins, write_result
from harness.evaluation.scores import scores
from harness.parallel import at_once
from harness.predictor.protocol import PredictorInfo
from harness.predictor.registry import PACKAGE, Listing, predictor_files, predictor_version
from harness.sandbox.confinement import Confinement
from harness.sandbox.idle import IdleWorkers
from harness.sandbox.jobs import Job, Limits, Outcome, run_jobs

N_TIMED: Final = 10_000
"""Kernels of the batch by which the speed of predictions is measured."""
_TICK_S: Final = 1e-9
"""Shortest time that a clock counts; a job may claim a shorter one."""


@dataclass(frozen=True)
class RunSettings:
    """How predictors are run.

    Attributes:
        folder: where results are kept.
        package: package that the predictors are in.
        limits: time and memory that one fit with its predictions may use, and whether it may run unconfined.
        seed: seed of folds and resamples.
        n_jobs: predictors that run at the same time; -1 for one per core.
        backend: joblib's back end: `threading`, `loky`, or `dask` (`harness.parallel`). Predictors run in processes
            of their own with each.
    """

    folder: Path
    package: str = PACKAGE
    limits: Limits = field(default_factory=Limits)
    seed: int = 0
    n_jobs: int = -1
    backend: str = "threading"


@dataclass(frozen=True, eq=False)
class _Unit:
    """One predictor on one plan, which has a number."""

    number: int
    plan: Plan
    info: PredictorInfo
    version: str
    label_files: Mapping[str, int]
    resolution_mj: float

    @property
    def name(self) -> str:
        return f"{self.info.key} on {self.plan.subject.system_id}"


def evaluate(
    plans: Sequence[Plan],
    predictors: Listing,
    settings: RunSettings,
    on_done: Callable[[str], None] = lambda _: None,
    on_fault: Callable[[str], None] = lambda _: None,
    *,
    chosen: Container[tuple[str, int]] | None = None,
) -> list[Evaluation]:
    """Result of every predictor on every plan, in order of the plans.

    A current result that is on disk is not computed again, unless the predictor failed; new ones are written as they
    come. A broken predictor fails on every split, and no result of it is kept.

    Args:
        plans: folds of every subject and track.
        predictors: predictors to evaluate.
        settings: how to run them.
        on_done: called with the name of every predictor and device that is done.
        on_fault: called with a sentence about a file of results that is damaged or was edited; it is made anew.
        chosen: predictors by key with the number of a plan, where only some are run; then broken predictors are left
            out. All where None.

    Raises:
        UsageError: the back end is not there, or a file cannot be written.
        UnconfinedError: a part of the confinement cannot be applied here, and the settings do not allow that.
    """
    infos, package = predictors.infos, settings.package
    versions = {key: predictor_version(key, package) for key in infos}
    numbers = {key: numbers_in(predictor_files(key, package)) for key in infos}
    evaluations: dict[tuple[int, str], Evaluation] = {}
    units: list[_Unit] = []
    for number, plan in enumerate(plans):
        keys = [key for key in versions if chosen is None or (key, number) in chosen]
        known = _known(plan, {key: versions[key] for key in keys}, settings, on_fault)
        for key, evaluation in known.items():
            evaluations[number, key] = evaluation
            on_done(f"{key} on {plan.subject.system_id}")
        missing = [key for key in keys if key not in known]
        actual_mj = np.asarray(plan.actual_mj, dtype=np.float64)
        held = {key: label_files(numbers[key], actual_mj) for key in missing}
        digit = resolution(actual_mj)
        units += [_Unit(number, plan, infos[key], versions[key], held[key], digit) for key in missing]
        for key, fault in predictors.faults.items() if chosen is None else ():
            evaluations[number, key] = broken(plan, key, fault, settings.seed)
            on_done(f"{key} on {plan.subject.system_id}")
    for unit, evaluation in _run(units, settings):
        write_result(evaluation, settings.folder)
        evaluations[unit.number, unit.info.key] = evaluation
        on_done(unit.name)
    places = itertools.product(range(len(plans)), (*versions, *predictors.faults))
    return [evaluations[place] for place in places if place in evaluations]


def _known(
    plan: Plan, versions: Mapping[str, str], settings: RunSettings, on_fault: Callable[[str], None]
) -> dict[str, Evaluation]:
    """Current results on disk of predictors that did not fail, by their keys."""
    current = {
        key: current_result(
            settings.folder, plan, key, version, settings.seed,
            is_unconfined_allowed=settings.limits.is_unconfined_allowed, on_fault=on_fault,
        )
        for key, version in versions.items()
    }  # fmt: skip
    return {key: found for key, found in current.items() if found is not None and not found.has_failed}


def broken(plan: Plan, key: str, fault: str, seed: int) -> Evaluation:
    """Result of a predictor that cannot be used as it is.

    Args:
        plan: what it would be tested on.
        key: predictor.
        fault: what is wrong with it.
        seed: seed of folds and resamples.
    """
    splits = [SplitResult(split=split, status="failed", reason=fault) for split in plan.splits]
    return _evaluation(plan, make_pins(plan.data_sha256, key, "", seed), splits)


def _run(units: Sequence[_Unit], settings: RunSettings) -> Iterator[tuple[_Unit, Evaluation]]:
    """Results as they come. Units of one predictor follow each other, so that threads pass its processes on."""
    in_order = sorted(units, key=lambda unit: unit.info.key)
    if in_order:
        with IdleWorkers() as idle:
            yield from at_once(
                partial(_result, settings=settings, idle=idle if settings.backend == "threading" else None),
                in_order,
                backend=settings.backend,
                n_jobs=settings.n_jobs,
                return_as="generator_unordered",
            )


@dataclass
class _Tally:
    """Predictions of the folds of one split so far, with their times, or why it failed; and what confined it."""

    predictions: list[tuple[Fold, FoldPredictions]] = field(default_factory=list)
    reason: str | None = None
    fit_s: list[float] = field(default_factory=list)
    confinement: Confinement | None = None

    def add(self, fold: Fold, predictions: FoldPredictions, outcome: Outcome | None) -> None:
        self.predictions.append((fold, predictions))
        if outcome is not None and outcome.fit_s is not None:
            self.fit_s.append(outcome.fit_s)


_Tallies = defaultdict[str, _Tally]


def _result(unit: _Unit, settings: RunSettings, idle: IdleWorkers | None) -> tuple[_Unit, Evaluation]:
    """Fit and predict all folds of a plan, and score the predictions."""
    tallies: _Tallies = defaultdict(_Tally)
    batch_s: float | None = None
    for fold, predictions, outcome in _outcomes(unit, settings, tallies, idle):
        batch_s = outcome.batch_s if batch_s is None and outcome is not None else batch_s
        for split in fold.splits:
            if outcome is not None:
                tallies[split].confinement = outcome.confinement
            if predictions is None:
                tallies[split].reason = outcome.reason if outcome else None
            else:
                tallies[split].add(fold, predictions, outcome)
    return unit, _scored(unit, tallies, batch_s, settings.seed)


def _scored(unit: _Unit, tallies: _Tallies, batch_s: float | None, seed: int) -> Evaluation:
    plan, unsuited = unit.plan, unit.plan.unsuited(unit.info)
    rows, splits = [], []
    for split in plan.splits:
        if split in unsuited:
            splits.append(SplitResult(split=split, status="skipped", reason=unsuited[split]))
            continue
        tally = tallies[split]
        of_split = None if tally.reason is not None else plan.rows(split, tally.predictions)
        splits.append(_split_result(unit, split, tally, of_split, batch_s=batch_s, seed=seed))
        if of_split is not None:
            rows.append(of_split)
    confinements = [tally.confinement for tally in tallies.values() if tally.confinement is not None]
    pins = make_pins(plan.data_sha256, unit.info.key, unit.version, seed)
    return _evaluation(plan, pins, splits, rows, confinements[0] if confinements else None)


def _evaluation(
    plan: Plan,
    pins: Pins,
    splits: Sequence[SplitResult],
    rows: Sequence[pd.DataFrame] = (),
    confinement: Confinement | None = None,
) -> Evaluation:
    """Result of splits with their rows, and of those that cannot be evaluated."""
    skipped = [SplitResult(split=name, status="skipped", reason=reason) for name, reason in plan.skipped.items()]
    joined = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=list(ROWS))
    result = Result(
        schema_version=LAYOUT,
        track=plan.track,
        subject=plan.subject,
        pins=pins,
        rows_sha256=rows_sha256(joined),
        splits=[*splits, *skipped],
        confinement=confinement,
    )
    return Evaluation(result, joined)


def _outcomes(
    unit: _Unit, settings: RunSettings, tallies: _Tallies, idle: IdleWorkers | None
) -> Iterator[tuple[Fold, FoldPredictions | None, Outcome | None]]:
    """Every fold with its predictions and outcome.

    A fold all of whose splits have failed already is left out. Folds without a kernel that the predictor supports need
    no predictor. The first job times a batch as well.
    """
    waiting: deque[tuple[Fold, Mask]] = deque()
    unsupported: list[Fold] = []
    n_timed = itertools.chain([N_TIMED], itertools.repeat(0))

    def jobs() -> Iterator[Job]:
        for fold in unit.plan.folds(unit.info):
            if all(tallies[split].reason is not None for split in fold.splits):
                continue
            is_covered = fold.covered(unit.info, unit.plan.subject.dtype)
            if is_covered.any():
                waiting.append((fold, is_covered))
                yield _job(unit, fold, is_covered, next(n_timed))
            else:
                unsupported.append(fold)

    found = run_jobs(unit.info.key, jobs(), package=settings.package, limits=settings.limits, idle=idle)
    for outcome in found:
        fold, is_covered = waiting.popleft()
        yield fold, _predictions(outcome, is_covered), outcome
    for fold in unsupported:
        yield fold, FoldPredictions(np.full(len(fold.test), np.nan), {}), None


def _job(unit: _Unit, fold: Fold, is_covered: Mask, n_timed: int) -> Job:
    """Job of a fold: the kernels of both sides that the predictor supports."""
    train = fold.train[fold.train["kernel"].isin(unit.info.kernel_types)].reset_index(drop=True)
    test = fold.test[is_covered].reset_index(drop=True)
    networks = None if fold.networks is None else fold.networks[is_covered]
    return Job(train, test, tuple(coverage / 100 for coverage in COVERAGES), networks, n_timed=n_timed)


def _predictions(outcome: Outcome, is_covered: Mask) -> FoldPredictions | None:
    """Predictions of a fold, from those of the kernels that the predictor was given; None where it failed."""
    if outcome.predictions is None:
        return None
    energy_mj = np.full(len(is_covered), np.nan)
    energy_mj[is_covered] = outcome.predictions
    intervals = {}
    for coverage, bounds in outcome.intervals.items():
        intervals[round(100 * coverage)] = of_all = np.full((len(is_covered), 2), np.nan)
        of_all[is_covered] = bounds
    return FoldPredictions(energy_mj, intervals, outcome.networks)


def _split_result(
    unit: _Unit, split: str, tally: _Tally, rows: pd.DataFrame | None, *, batch_s: float | None, seed: int
) -> SplitResult:
    track, resolution_mj = unit.plan.track, unit.resolution_mj
    return SplitResult(
        split=split,
        status="failed" if rows is None else "ok",
        reason=tally.reason or "",
        fit_s=float(np.mean(tally.fit_s)) if tally.fit_s else None,
        predict_rows_per_s=None if batch_s is None else N_TIMED / max(batch_s, _TICK_S),
        resolution_mj=resolution_mj,
        leaks=unit.plan.leaks(split),
        label_files=dict(unit.label_files),
        scores=[] if rows is None else scores(rows, track, seed, resolution_mj),
    )
