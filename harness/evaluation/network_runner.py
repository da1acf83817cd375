"""Runs predictors on measured networks, several at a time, where no current result is on disk.

The plan decides the folds, `harness.sandbox.jobs` how predictors are confined.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from harness.evaluation.label_files import label_files, numbers_in
from harness.evaluation.network_results import (
    LAYOUT,
    PREDICTIONS,
    NetworkEvaluation,
    NetworkOutcome,
    NetworkResult,
    current_network_result,
    network_pins,
    write_network_result,
)
from harness.evaluation.network_splits import Scope
from harness.evaluation.network_track import NetworkPlan
from harness.evaluation.result_files import rows_sha256
from harness.evaluation.runner import RunSettings
from harness.parallel import at_once
from harness.predictor.protocol import PredictorInfo
from harness.predictor.registry import predictor_files, predictor_version
from harness.sandbox.confinement import Confinement
from harness.sandbox.jobs import run_jobs


def evaluate_networks(
    plan: NetworkPlan,
    predictors: Mapping[str, PredictorInfo],
    settings: RunSettings,
    on_done: Callable[[str], None] = lambda _: None,
    on_fault: Callable[[str], None] = lambda _: None,
) -> list[NetworkEvaluation]:
    """Result of every predictor that is fitted on networks, in their order.

    A current result that is on disk is not computed again, unless the predictor failed.

    Args:
        plan: measured networks.
        predictors: predictors, by key; those of kernels alone are left out.
        settings: how to run them.
        on_done: called with the name of every predictor that is done.
        on_fault: called with a sentence about a file of results that is damaged or was edited; it is made anew.

    Raises:
        UsageError: the back end is not there, or a file cannot be written.
        UnconfinedError: a part of the confinement cannot be applied here, and the settings do not allow that.
    """
    infos = [info for info in predictors.values() if info.learns_networks]
    versions = {info.key: predictor_version(info.key, settings.package) for info in infos}
    found: dict[str, NetworkEvaluation] = {}
    for info in infos:
        current = current_network_result(
            settings.folder, plan, info, versions[info.key],
            is_unconfined_allowed=settings.limits.is_unconfined_allowed, on_fault=on_fault,
        )  # fmt: skip
        if current is not None and not current.has_failed:
            found[info.key] = current
            on_done(_name(info.key))
    # Predictors with most folds come first, so that no core waits long for the last one.
    missing = sorted((info for info in infos if info.key not in found), key=lambda info: not info.is_cross_device)
    if missing:
        run = partial(_run, plan, versions, settings)
        for evaluation in at_once(
            run, missing, backend=settings.backend, n_jobs=settings.n_jobs, return_as="generator_unordered"
        ):
            write_network_result(evaluation, settings.folder)
            found[evaluation.predictor] = evaluation
            on_done(_name(evaluation.predictor))
    return [found[info.key] for info in infos]


def _name(key: str) -> str:
    return f"{key} on measured networks"


@dataclass
class _Tally:
    """Predictions of one split in one scope so far, with the times of the fits; or why it failed."""

    parts: list[pd.DataFrame] = field(default_factory=list)
    fit_s: list[float] = field(default_factory=list)
    reason: str | None = None

    def outcome(self, split: str, scope: Scope) -> NetworkOutcome:
        fit_s = float(np.mean(self.fit_s)) if self.fit_s else None
        status: Literal["ok", "failed"] = "ok" if self.reason is None else "failed"
        return NetworkOutcome(split=split, scope=scope, status=status, reason=self.reason or "", fit_s=fit_s)


def _run(
    plan: NetworkPlan, versions: Mapping[str, str], settings: RunSettings, info: PredictorInfo
) -> NetworkEvaluation:
    """Fit and predict all folds of one predictor."""
    tallies: defaultdict[tuple[str, Scope], _Tally] = defaultdict(_Tally)
    confinement: Confinement | None = None
    folds = list(plan.folds(info))
    records = plan.rows["record_id"].to_numpy(dtype=str)
    jobs = (plan.job(fold, info) for fold in folds)
    for fold, outcome in zip(
        folds, run_jobs(info.key, jobs, package=settings.package, limits=settings.limits), strict=True
    ):
        tally = tallies[fold.split, fold.scope]
        confinement = confinement or outcome.confinement
        if outcome.predictions is None:
            tally.reason = tally.reason or outcome.reason
            continue
        tally.fit_s += [] if outcome.fit_s is None else [outcome.fit_s]
        columns = (fold.split, fold.scope, fold.repeat, records[fold.test], outcome.predictions)
        tally.parts.append(pd.DataFrame(dict(zip(PREDICTIONS, columns, strict=True))))
    numbers = numbers_in(predictor_files(info.key, settings.package))
    held = label_files(numbers, np.asarray(plan.actual_mj, dtype=np.float64))
    predictions = _joined([tally.parts for tally in tallies.values() if tally.reason is None])
    result = NetworkResult(
        schema_version=LAYOUT,
        pins=network_pins(plan, info.key, versions[info.key]),
        rows_sha256=rows_sha256(predictions),
        outcomes=[tally.outcome(*key) for key, tally in tallies.items()],
        label_files=dict(held),
        confinement=confinement,
    )
    return NetworkEvaluation(result, predictions)


def _joined(parts: Sequence[Sequence[pd.DataFrame]]) -> pd.DataFrame:
    every = [part for of_split in parts for part in of_split]
    return pd.concat(every, ignore_index=True) if every else pd.DataFrame(columns=list(PREDICTIONS))
