"""Which way predicts a device best from its few rows: each way on rows of the device that are held out in turn."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pandas as pd
import pyarrow as pa

from harness.evaluation.folds import N_FOLDS
from harness.evaluation.kernel_track import CROSS_VALIDATION, KernelPlan
from harness.evaluation.plans import Fold
from harness.evaluation.result_layout import Score, SplitResult
from harness.evaluation.runner import RunSettings, evaluate
from harness.predictor.features import labelled_frame
from harness.predictor.protocol import PredictorInfo
from harness.predictor.registry import PACKAGE, Listing, predictor_info

LEAST_CONFIGURATIONS: Final = 2 * N_FOLDS
"""Configurations of a device from which some can be held out and the others tell something."""
_ERROR: Final = "median_log_error"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to predict a device.

    Attributes:
        predictor: key of the predictor.
        uses_others: whether it is fitted on rows of other devices too.
    """

    predictor: str
    uses_others: bool = False


@dataclass(frozen=True, eq=False)
class CalibrationPlan(KernelPlan):
    """Cross-validation over the rows of one system, with rows of other devices beside those that are fitted on.

    Attributes:
        others: rows of other devices; empty where there are none.
    """

    others: pa.Table

    @property
    def splits(self) -> Sequence[str]:
        """Cross-validation alone."""
        return [CROSS_VALIDATION]

    @property
    def skipped(self) -> Mapping[str, str]:
        """None."""
        return {}

    @cached_property
    def _frame_of_others(self) -> pd.DataFrame:
        return labelled_frame(self.others)

    def folds(self, info: PredictorInfo) -> Iterator[Fold]:
        """Every fold of every repeat."""
        for fold in super().folds(info):
            yield replace(fold, train=pd.concat([self._frame_of_others, fold.train], ignore_index=True))


def errors_of(plan: CalibrationPlan, ways: Sequence[Way], package: str = PACKAGE) -> dict[Way, SplitResult]:
    """Result of every way, each confined as in an evaluation.

    Args:
        plan: rows of the device, and those of others.
        ways: ways to try.
        package: package that the predictors are in.

    Raises:
        UnconfinedError: a part of the confinement cannot be applied here.
    """
    alone = replace(plan, others=plan.others.slice(0, 0))
    found: dict[Way, SplitResult] = {}
    for uses_others, rows in ((False, alone), (True, plan)):
        asked = [way for way in ways if way.uses_others == uses_others]
        infos = {way.predictor: predictor_info(way.predictor, package) for way in asked}
        if not infos:
            continue
        with TemporaryDirectory() as folder:
            settings = RunSettings(Path(folder), package, seed=plan.seed)
            results = evaluate([rows], Listing(infos, {}), settings)
        found |= {Way(each.result.pins.predictor, uses_others): each.result.splits[0] for each in results}
    return {way: found[way] for way in ways}


def error_of(result: SplitResult) -> float:
    """Median error of log energy over all rows, by which ways are chosen; infinite where a way failed."""
    error = next((score.measures.get(_ERROR) for score in result.scores), None)
    return float("inf") if error is None else error


def score_error_percent(score: Score) -> float | None:
    """The same of one kernel type, in percent of the energy."""
    error = score.measures.get(_ERROR)
    return None if error is None else 100 * error
