"""Runs predictors over plans: only what no result file holds, many at once; every failure is a result.

What is tried on what is decided by the plans, how predictors are confined by `harness.sandbox.jobs`.
"""

import hashlib
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from harness.evaluation.plans import COVERAGES, ROWS, Fold, FoldPredictions, Mask, Plan
from harness.evaluation.results import Evaluation, make_pins, result_path, reusable, rows_bytes, write_result
from harness.evaluation.scores import scores
from harness.parallel import at_once
from harness.predictor.protocol import PredictorInfo
from harness.predictor.registry import PACKAGE, predictor_version
from harness.sandbox.jobs import Job, Limits, Outcome, run_jobs
from harness.schema.results import Leaks, Pins, Result, SplitResult, Subject


@dataclass(frozen=True)
class Settings:
    """How predictors are run.

    Attributes:
        folder: where results are kept.
        package: package that the predictors are in.
        limits: what one fit with its predictions may use.
        seed: seed of folds and resamples.
        n_jobs: predictors that run at once; -1 for one a core.
        backend: joblib's back end: `threading`, `loky`, or `dask` (`harness.parallel`). Predictors are processes
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
    pins: Pins
    leaks: Mapping[str, Leaks]

    @property
    def name(self) -> str:
        return f"{self.info.key} on {self.plan.subject.device_id}"


def evaluate(
    plans: Sequence[Plan],
    infos: Sequence[PredictorInfo],
    settings: Settings,
    on_done: Callable[[str], None] = lambda _: None,
) -> list[Evaluation]:
    """Result of every predictor on every plan, in order of the plans.

    A result that is on disk and would come out the same is not computed again; new ones are written when a predictor
    is done with all plans of a subject.

    Args:
        plans: what to ask.
        infos: predictors to ask.
        settings: how to run them.
        on_done: called with the name of every predictor and device that is done.

    Raises:
        UsageError: the back end is not there, or a file cannot be written.
    """
    versions = {info.key: predictor_version(info.key, settings.package) for info in infos}
    found: dict[tuple[int, str], Evaluation] = {}
    units: list[_Unit] = []
    for number, plan in enumerate(plans):
        pins = {key: make_pins(plan.data_sha256, key, of_key, settings.seed) for key, of_key in versions.items()}
        for info in infos:
            old = reusable(result_path(settings.folder, plan.track, info.key, plan.subject), pins[info.key])
            if old is not None:
                found[number, info.key] = old
                on_done(f"{info.key} on {plan.subject.device_id}")
        missing = [info for info in infos if (number, info.key) not in found]
        leaks = _leaks(plan, [found[number, key] for key in versions if (number, key) in found]) if missing else {}
        units += [_Unit(number, plan, info, pins[info.key], leaks) for info in missing]
    for unit, evaluated in _run(units, settings):
        write_result(evaluated, settings.folder)
        found[unit.number, unit.info.key] = evaluated
        on_done(unit.name)
    return [found[number, key] for number in range(len(plans)) for key in versions]


def _leaks(plan: Plan, known: Sequence[Evaluation]) -> dict[str, Leaks]:
    """Leaks of every split; those of another predictor on the same data are the same."""
    for evaluated in known:
        return {split.split: split.leaks for split in evaluated.result.splits if split.leaks is not None}
    return {split: plan.leaks(split) for split in plan.splits}


def _run(units: Sequence[_Unit], settings: Settings) -> Iterator[tuple[_Unit, Evaluation]]:
    """Results as they come; what a predictor is asked about one subject is asked of one process."""
    together: defaultdict[tuple[str, Subject], list[_Unit]] = defaultdict(list)
    for unit in units:
        together[unit.info.key, unit.plan.subject].append(unit)
    if together:
        done = at_once(
            partial(_evaluated, settings=settings),
            list(together.values()),
            backend=settings.backend,
            n_jobs=settings.n_jobs,
            return_as="generator_unordered",
        )
        yield from chain.from_iterable(done)


@dataclass
class _Tally:
    """What the folds of one split have come to."""

    done: list[tuple[Fold, FoldPredictions]] = field(default_factory=list)
    reason: str | None = None
    fit_s: list[float] = field(default_factory=list)
    predict_s: float = 0.0
    n_predicted: int = 0

    def add(self, fold: Fold, predicted: FoldPredictions, outcome: Outcome | None) -> None:
        self.done.append((fold, predicted))
        if outcome is not None and outcome.fit_s is not None and outcome.predict_s is not None:
            self.fit_s.append(outcome.fit_s)
            self.predict_s += outcome.predict_s
            self.n_predicted += int(np.isfinite(predicted.energy_mj).sum())


_Tallies = defaultdict[str, _Tally]


def _evaluated(units: Sequence[_Unit], settings: Settings) -> list[tuple[_Unit, Evaluation]]:
    """Fit and predict all folds of all plans of one predictor and subject, and score what comes of them."""
    tallies: list[_Tallies] = [defaultdict(_Tally) for _ in units]
    for of_unit, fold, predicted, outcome in _outcomes(units, settings, tallies):
        for split in fold.splits:
            if predicted is None:
                of_unit[split].reason = outcome.reason if outcome else None
            else:
                of_unit[split].add(fold, predicted, outcome)
    return [(unit, _result(unit, of_unit, settings.seed)) for unit, of_unit in zip(units, tallies, strict=True)]


def _result(unit: _Unit, tallies: _Tallies, seed: int) -> Evaluation:
    plan = unit.plan
    rows, splits = [], []
    for split in plan.splits:
        tally = tallies[split]
        of_split = None if tally.reason is not None else plan.rows(split, tally.done)
        splits.append(_split_result(unit, split, tally, of_split, seed))
        if of_split is not None:
            rows.append(of_split)
    splits += [
        SplitResult(
            split=name, status="skipped", reason=reason, fit_s=None, predict_rows_per_s=None, leaks=None, scores=[]
        )
        for name, reason in plan.skipped.items()
    ]
    joined = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=list(ROWS))
    digest = hashlib.sha256(rows_bytes(joined)).hexdigest()
    result = Result(
        schema_version=1, track=plan.track, subject=plan.subject, pins=unit.pins, rows_sha256=digest, splits=splits
    )
    return Evaluation(result, joined)


def _outcomes(
    units: Sequence[_Unit], settings: Settings, tallies: Sequence[_Tallies]
) -> Iterator[tuple[_Tallies, Fold, FoldPredictions | None, Outcome | None]]:
    """Every fold with the tallies of its unit and what came of it.

    A fold all of whose splits have failed already is left out. Folds that hold no kernel of a type that the predictor
    speaks for, or that it was fitted on, need no predictor.
    """
    waiting: deque[tuple[_Tallies, Fold, Mask]] = deque()
    idle: list[tuple[_Tallies, Fold]] = []

    def jobs() -> Iterator[Job]:
        for unit, of_unit, fold in _untried(units, tallies):
            is_covered = fold.covered(unit.info, unit.plan.subject.dtype)
            if is_covered.any():
                waiting.append((of_unit, fold, is_covered))
                yield _job(unit, fold, is_covered)
            else:
                idle.append((of_unit, fold))

    for outcome in run_jobs(units[0].info.key, jobs(), package=settings.package, limits=settings.limits):
        of_unit, fold, is_covered = waiting.popleft()
        yield of_unit, fold, _predicted(outcome, is_covered), outcome
    for of_unit, fold in idle:
        yield of_unit, fold, FoldPredictions(np.full(len(fold.test), np.nan), {}), None


def _untried(units: Sequence[_Unit], tallies: Sequence[_Tallies]) -> Iterator[tuple[_Unit, _Tallies, Fold]]:
    """Folds that have a split which has not failed yet."""
    for unit, of_unit in zip(units, tallies, strict=True):
        for fold in unit.plan.folds(unit.info):
            if any(of_unit[split].reason is None for split in fold.splits):
                yield unit, of_unit, fold


def _job(unit: _Unit, fold: Fold, is_covered: Mask) -> Job:
    """Job of a fold: the kernels that the predictor can speak for, of both sides."""
    train = fold.train[fold.train["kernel"].isin(unit.info.kernel_types)].reset_index(drop=True)
    test = fold.test[is_covered].reset_index(drop=True)
    networks = None if fold.networks is None else fold.networks[is_covered]
    return Job(train, test, tuple(coverage / 100 for coverage in COVERAGES), networks, unit.plan.track)


def _predicted(outcome: Outcome, is_covered: Mask) -> FoldPredictions | None:
    """Predictions of all kernels of a fold, from those that the predictor was given; None where it failed."""
    if outcome.predictions is None:
        return None
    energy_mj = np.full(len(is_covered), np.nan)
    energy_mj[is_covered] = outcome.predictions
    intervals = {}
    for coverage, bounds in outcome.intervals.items():
        intervals[round(100 * coverage)] = of_all = np.full((len(is_covered), 2), np.nan)
        of_all[is_covered] = bounds
    return FoldPredictions(energy_mj, intervals, outcome.networks)


def _split_result(unit: _Unit, split: str, tally: _Tally, rows: pd.DataFrame | None, seed: int) -> SplitResult:
    return SplitResult(
        split=split,
        status="failed" if rows is None else "ok",
        reason=tally.reason or "",
        fit_s=float(np.mean(tally.fit_s)) if tally.fit_s else None,
        predict_rows_per_s=tally.n_predicted / tally.predict_s if tally.predict_s else None,
        leaks=unit.leaks[split],
        scores=[] if rows is None else scores(rows, unit.plan.track, seed),
    )
