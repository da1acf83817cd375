"""Plan of one subject in one track: folds to fit and predict, and the table of predictions that they give.

It runs no predictor and computes no measure.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from harness.arrays import Mask, Reals, Whole
from harness.evaluation.folds import numbered
from harness.evaluation.result_layout import Leaks
from harness.leaks import has_twin, near_pairs
from harness.predictor.features import FEATURES, LABEL
from harness.predictor.protocol import PredictorInfo
from harness.schema.records import KEYS
from harness.schema.results import Subject, Track

COVERAGES: Final = (80, 90, 95)
"""Nominal coverages of the intervals that predictors are asked for, in percent."""
LEAST_COVERAGE: Final = 0.9
"""Share of a network's FLOPs that must be covered for the sum over its kernels to be compared with its energy."""
ROWS: Final = (
    "split", "repeat", "row", "kernel", "group", "actual_mj", "predicted_mj", "n_kernels", "flops", "covered_kernels",
    "covered_flops", "missing_mj", "is_twin",
    *(f"{side}_{coverage}" for coverage in COVERAGES for side in ("low", "high")),
)  # fmt: skip
"""Columns of the table of predictions of a plan.

`row` is the record that was predicted, `group` the group that it is resampled with. `covered_kernels` and
`covered_flops` are the shares of its `n_kernels` and `flops` that the predictor supports; `predicted_mj` is the energy
of these alone. `missing_mj` is what the others are estimated to take, missing where a row is a kernel. `is_twin` is 1
where a training row is one extent apart, and missing where a row is a network. `low_80` and so on are the bounds of the
predictor's own intervals, missing where it has none.
"""


@dataclass(frozen=True)
class Fold:
    """One fit, and the kernels to predict after it.

    Attributes:
        splits: splits that it belongs to.
        train: kernels with their energy.
        test: kernels without; they may be of types that the predictor does not support.
        repeat: repeat of the cross-validation.
        place: number by which the plan finds the fold again.
        networks: number of the network that each test kernel belongs to, shape `(n,)`; None where they are rows of
            their own.
    """

    splits: tuple[str, ...]
    train: pd.DataFrame
    test: pd.DataFrame
    repeat: int = 0
    place: int = 0
    networks: npt.NDArray[np.int64] | None = None

    def covered(self, info: PredictorInfo, dtype: str) -> Mask:
        """Test kernels that a predictor supports: of its types, and of a type and data type that it is fitted on."""
        known = set(self.train["kernel"]) & set(info.kernel_types)
        return (self.test["kernel"].isin(known) & (self.test["dtype"] == dtype)).to_numpy()


@dataclass(frozen=True)
class FoldPredictions:
    """Predictions of a fold, in the order of its `test`; NaN for kernels that the predictor does not support.

    Attributes:
        energy_mj: shape `(n,)`.
        intervals: by nominal coverage in percent, shape `(n, 2)`; none where the predictor has none.
        networks: energy by number of the network, where the predictor predicts whole networks.
    """

    energy_mj: Reals
    intervals: Mapping[int, Reals]
    networks: Mapping[int, float] = field(default_factory=dict)


class Plan(ABC):
    """Folds of one subject in one track.

    Attributes:
        track: track.
        subject: subject whose energies are predicted.
    """

    track: ClassVar[Track]
    subject: Subject

    @property
    @abstractmethod
    def data_sha256(self) -> str:
        """Content of all rows that the results depend on."""

    @property
    @abstractmethod
    def actual_mj(self) -> "pd.Series[float]":
        """Measured energy of every record that may be tested on, by its id."""

    @property
    @abstractmethod
    def splits(self) -> Sequence[str]:
        """Splits that can be evaluated, in order."""

    @property
    @abstractmethod
    def skipped(self) -> Mapping[str, str]:
        """Splits that cannot be evaluated on this subject, with the reason."""

    def unsuited(self, info: PredictorInfo) -> Mapping[str, str]:  # noqa: ARG002
        """Splits among these that a predictor is not meant for, with the reason; it has no fold there."""
        return {}

    @abstractmethod
    def folds(self, info: PredictorInfo) -> Iterator[Fold]:
        """Folds in the order in which they are run."""

    @abstractmethod
    def rows(self, split: str, predictions: Sequence[tuple[Fold, FoldPredictions]]) -> pd.DataFrame:
        """Table with the columns `ROWS`, of the folds of one split."""

    @abstractmethod
    def leaks(self, split: str) -> Leaks:
        """Counts of what the sides of a split share."""

    @cached_property
    def _twins(self) -> dict[tuple[str, int, int], Mask]:
        return {}

    def twins(self, split: str, fold: Fold) -> Mask:
        """Test kernels of a fold with a training row one extent apart; they are the same for every predictor."""
        key = split, fold.repeat, fold.place
        if key not in self._twins:
            sides = (pa.Table.from_pandas(side[list(KEYS["kernels"])]) for side in (fold.train, fold.test))
            self._twins[key] = has_twin(*sides)
        return self._twins[key]


def energies_of(table: pa.Table) -> "pd.Series[float]":
    """Measured energy of the records of a table in mJ, by their ids."""
    energies: pd.Series[float] = table.select(["record_id", LABEL]).to_pandas().set_index("record_id")[LABEL]
    return energies


def kernel_rows(split: str, fold: Fold, predictions: FoldPredictions, facts: pd.DataFrame) -> pd.DataFrame:
    """Table with the columns `ROWS` and one row per test kernel.

    Args:
        split: name of the split.
        fold: a fold of it.
        predictions: predictions of the fold.
        facts: columns `row`, `group`, `actual_mj`, `is_twin` of the fold's test kernels.
    """
    is_covered = np.isfinite(predictions.energy_mj).astype(np.float64)
    rows = facts.assign(
        split=split,
        repeat=fold.repeat,
        kernel=fold.test["kernel"].to_numpy(),
        predicted_mj=predictions.energy_mj,
        n_kernels=1,
        flops=fold.test["flops"].to_numpy(),
        covered_kernels=is_covered,
        covered_flops=is_covered,
        missing_mj=np.nan,
        is_twin=facts["is_twin"].astype(np.float64),
        **interval_columns(predictions.intervals, len(facts)),
    )
    return rows[list(ROWS)]


def interval_columns(intervals: Mapping[int, Reals], n_rows: int) -> dict[str, Reals]:
    """Bounds of intervals as columns; missing where there are none."""
    missing = np.full((n_rows, 2), np.nan)
    return {
        f"{side}_{coverage}": intervals.get(coverage, missing)[:, position]
        for coverage in COVERAGES
        for position, side in enumerate(("low", "high"))
    }


class SharedRows:
    """What rows of the kernels level may share with each other, counted for any sides of them.

    Args:
        table: rows of all sides; columns of the configuration, `configuration_id` and `record_id`.
    """

    def __init__(self, table: pa.Table) -> None:
        _, first, self._configurations = np.unique(
            table.column("configuration_id").to_numpy().astype(str), return_index=True, return_inverse=True
        )
        self._records = numbered(table.column("record_id").to_numpy().astype(str))
        self._near = near_pairs(table.take(pa.array(first, pa.int64())))

    def leaks(self, folds: Iterable[tuple[Mask, Mask]], n_removed: float = 0) -> Leaks:
        """Counts of what the sides of folds share: their means over the folds.

        Args:
            folds: rows to train on and rows held out, each of shape `(n,)`.
            n_removed: rows that were removed from training.
        """
        counts = np.array([self._counts(*fold) for fold in folds], dtype=np.float64).mean(axis=0)
        return Leaks(**dict(zip(_COUNTED, counts.tolist(), strict=True)), n_removed=n_removed)

    def _counts(self, train: Mask, test: Mask) -> tuple[int, ...]:
        trained, tested = (_is_in(self._configurations, side) for side in (train, test))
        one, other = self._near.T
        is_near = (trained[one] & tested[other]) | (tested[one] & trained[other])
        records = _is_in(self._records, train) & _is_in(self._records, test)
        return int(train.sum()), int(test.sum()), int((trained & tested).sum()), int(records.sum()), int(is_near.sum())


_COUNTED: Final = ("n_train", "n_test", "shared_configurations", "shared_record_ids", "near_duplicates")


def _is_in(numbers: Whole, rows: Mask) -> Mask:
    """Which of the numbers occur in some rows."""
    counts: Mask = np.bincount(numbers[rows], minlength=int(numbers.max(initial=-1)) + 1) > 0
    return counts


def unlabelled(kernels: pd.DataFrame) -> pd.DataFrame:
    """Kernels as a predictor may see them at prediction."""
    return kernels[list(FEATURES)].reset_index(drop=True)
