"""What one subject asks of a predictor in one track: folds to fit and predict, and the rows that come of it.

It runs no predictor and computes no measure.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from harness.leaks import leak_report
from harness.predictor.features import FEATURES
from harness.predictor.protocol import PredictorInfo
from harness.schema.records import KEYS
from harness.schema.results import Leaks, Subject, Track
from harness.schema.vocabulary import Split

Reals = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

COVERAGES: Final = (80, 90, 95)
"""Nominal coverages of intervals that are tried, in percent."""
LEAST_COVERAGE: Final = 0.9
"""Share of its FLOPs that must be covered for the sum over a network's kernels to be held against its energy."""
ROWS: Final = (
    "split", "repeat", "row", "kernel", "group", "actual_mj", "predicted_mj", "n_kernels", "flops", "covered_kernels",
    "covered_flops", "missing_mj", *(f"{side}_{coverage}" for coverage in COVERAGES for side in ("low", "high")),
)  # fmt: skip
"""Columns of the rows that come of a plan.

`row` names what was predicted, `group` what it is resampled with. `covered_kernels` and `covered_flops` are the shares
of its `n_kernels` and `flops` that the predictor speaks for, and of these alone is `predicted_mj` the energy;
`missing_mj` is what the others are estimated to take, missing where a row is a kernel. `low_80`
and so on are the predictor's own intervals, missing where it has none.
"""


@dataclass(frozen=True)
class Fold:
    """One fit, and the kernels to predict after it.

    Attributes:
        splits: splits that it is part of.
        train: kernels with their energy.
        test: kernels without; they may be of types that the predictor cannot speak for.
        repeat: repeat of the cross-validation.
        place: what the plan knows the fold by.
        networks: number of the network that each test kernel is of, shape `(n,)`, where they are of networks.
    """

    splits: tuple[str, ...]
    train: pd.DataFrame
    test: pd.DataFrame
    repeat: int = 0
    place: int = 0
    networks: npt.NDArray[np.int64] | None = None

    def covered(self, info: PredictorInfo, dtype: str) -> Mask:
        """Kernels that a predictor can speak for: of its types, of the data type and types that it is fitted on."""
        known = set(self.train["kernel"]) & set(info.kernel_types)
        return (self.test["kernel"].isin(known) & (self.test["dtype"] == dtype)).to_numpy()


@dataclass(frozen=True)
class FoldPredictions:
    """What came of a fold, in the order of its `test`; NaN where the predictor cannot speak.

    Attributes:
        energy_mj: shape `(n,)`.
        intervals: by nominal coverage in percent, shape `(n, 2)`; none where the predictor has none.
        networks: energy by number of the network, where the predictor offers better than the sum over its kernels.
    """

    energy_mj: Reals
    intervals: Mapping[int, Reals]
    networks: Mapping[int, float] = field(default_factory=dict)


class Plan(ABC):
    """What one subject asks of a predictor in one track.

    Attributes:
        track: track.
        subject: subject that is asked about.
    """

    track: ClassVar[Track]
    subject: Subject

    @property
    @abstractmethod
    def data_sha256(self) -> str:
        """Content of all rows that matter."""

    @property
    @abstractmethod
    def splits(self) -> Sequence[str]:
        """Splits that can be tried, in order."""

    @property
    @abstractmethod
    def skipped(self) -> Mapping[str, str]:
        """Splits that cannot be tried here, with the reason."""

    @abstractmethod
    def folds(self, info: PredictorInfo) -> Iterator[Fold]:
        """Folds in the order in which they are run."""

    @abstractmethod
    def rows(self, split: str, done: Sequence[tuple[Fold, FoldPredictions]]) -> pd.DataFrame:
        """Columns `ROWS`, of the folds of one split."""

    @abstractmethod
    def leaks(self, split: str) -> Leaks:
        """What the sides of a split share."""


def kernel_rows(split: str, fold: Fold, predicted: FoldPredictions, facts: pd.DataFrame) -> pd.DataFrame:
    """Columns `ROWS` where every kernel is a row.

    Args:
        split: name of the split.
        fold: a fold of it.
        predicted: what came of it.
        facts: columns `row`, `group`, `actual_mj` of the fold's test kernels.
    """
    is_covered = np.isfinite(predicted.energy_mj).astype(np.float64)
    rows = facts.assign(
        split=split,
        repeat=fold.repeat,
        kernel=fold.test["kernel"].to_numpy(),
        predicted_mj=predicted.energy_mj,
        n_kernels=1,
        flops=fold.test["flops"].to_numpy(),
        covered_kernels=is_covered,
        covered_flops=is_covered,
        missing_mj=np.nan,
        **interval_columns(predicted.intervals, len(facts)),
    )
    return rows[list(ROWS)]


def interval_columns(intervals: Mapping[int, Reals], n_rows: int) -> dict[str, Reals]:
    """Bounds by column; missing where there are no intervals."""
    missing = np.full((n_rows, 2), np.nan)
    return {
        f"{side}_{coverage}": intervals.get(coverage, missing)[:, position]
        for coverage in COVERAGES
        for position, side in enumerate(("low", "high"))
    }


def leaks_between(pairs: Iterable[tuple[pa.Table, pa.Table]], n_removed: float = 0) -> Leaks:
    """Mean over folds of what their sides share.

    Args:
        pairs: kernels to train on and kernels held out, of every fold; columns of the configuration,
            `configuration_id` and `record_id`.
        n_removed: rows that were taken out of training.
    """
    counts = np.array([_shared(*pair) for pair in pairs], dtype=np.float64).mean(axis=0)
    return Leaks(**dict(zip(_COUNTED, counts.tolist(), strict=True)), n_removed=n_removed)


_COUNTED: Final = ("n_train", "n_test", "shared_configurations", "shared_record_ids", "near_duplicates")


def _shared(train: pa.Table, test: pa.Table) -> tuple[int, ...]:
    columns = ["record_id", "configuration_id", *KEYS["kernels"]]
    both = pa.concat_tables([train.select(columns), test.select(columns)], promote_options="permissive")
    sides: list[Split] = [*["train"] * train.num_rows, *["test"] * test.num_rows]  # type: ignore[list-item]
    report = leak_report(both, "kernels", sides)
    return (
        report.n_train, report.n_test, len(report.shared_groups), len(report.shared_record_ids), report.near_duplicates
    )  # fmt: skip


def unlabelled(kernels: pd.DataFrame) -> pd.DataFrame:
    """Kernels as a predictor may see them at prediction."""
    return kernels[list(FEATURES)].reset_index(drop=True)
