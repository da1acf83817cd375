"""The track `kernels`: unseen configurations on one device, at random and in splits that require extrapolation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from harness.arrays import Whole
from harness.evaluation.folds import N_FOLDS, N_REPEATS, UNSEEN, largest_flops, numbered, repeated_folds, unseen
from harness.evaluation.plans import Fold, FoldPredictions, Plan, energies_of, kernel_rows, leaks_between, unlabelled
from harness.evaluation.result_layout import Leaks
from harness.predictor.features import LABEL, labelled_frame
from harness.predictor.protocol import PredictorInfo
from harness.predictor.subjects import content_sha256
from harness.schema.results import Subject, Track
from harness.splits import assign_splits

PUBLISHED: Final = "published"
CROSS_VALIDATION: Final = f"cv-{N_REPEATS}x{N_FOLDS}"
LARGEST_FLOPS: Final = "largest-flops"
_ALWAYS_TRAINED: Final = -1


@dataclass(frozen=True, eq=False)
class KernelPlan(Plan):
    """Folds over the kernel rows of one subject.

    Attributes:
        subject: subject.
        table: its rows of the kernels level.
        seed: seed of the folds.
    """

    track: ClassVar[Track] = "kernels"
    subject: Subject
    table: pa.Table
    seed: int

    @cached_property
    def _frame(self) -> pd.DataFrame:
        return labelled_frame(self.table)

    @cached_property
    def _facts(self) -> pd.DataFrame:
        facts: pd.DataFrame = self.table.select(["record_id", "configuration_id"]).to_pandas()
        return facts.set_axis(["row", "group"], axis=1).assign(actual_mj=self._frame[LABEL])

    @cached_property
    def actual_mj(self) -> "pd.Series[float]":
        """Measured energy of every record that may be tested on, by its id."""
        return energies_of(self.table)

    @cached_property
    def data_sha256(self) -> str:
        """Content of the rows."""
        return content_sha256([self._frame, self._facts])

    @cached_property
    def _all_folds(self) -> dict[str, Whole]:
        """By split, the fold in which each row is held out, shape `(n_repeats, n)`."""
        groups = numbered(self._facts["group"].to_numpy(dtype=str))
        masks = {
            PUBLISHED: np.array([side == "test" for side in assign_splits(self.table, "kernels")]),
            LARGEST_FLOPS: largest_flops(self._frame, groups),
            **{name: unseen(self._frame, columns, self.seed) for name, columns in UNSEEN.items()},
        }
        single = {name: np.where(mask, 0, _ALWAYS_TRAINED)[None] for name, mask in masks.items()}
        repeated = repeated_folds(groups, self._frame["kernel"], self.seed)
        return {PUBLISHED: single.pop(PUBLISHED), CROSS_VALIDATION: repeated, **single}

    @cached_property
    def skipped(self) -> Mapping[str, str]:
        """Splits with an empty side."""
        reasons = {}
        for name, folds in self._all_folds.items():
            if not (folds >= 0).any():
                reasons[name] = "no row is held out"
            elif not all((folds != fold).any() for fold in range(int(folds.max()) + 1)):
                reasons[name] = "no row is left to train on"
        return reasons

    @property
    def splits(self) -> Sequence[str]:
        """Splits with both sides."""
        return [name for name in self._all_folds if name not in self.skipped]

    def _places(self, split: str) -> Iterator[tuple[int, int, Whole]]:
        """Repeat, number and held-out rows of every fold."""
        for repeat, folds in enumerate(self._all_folds[split]):
            for fold in range(int(folds.max()) + 1):
                yield repeat, fold, np.flatnonzero(folds == fold)

    def folds(self, info: PredictorInfo) -> Iterator[Fold]:  # noqa: ARG002
        """Every fold of every split."""
        for split in self.splits:
            for repeat, place, held_out in self._places(split):
                is_trained = self._all_folds[split][repeat] != place
                train = self._frame[is_trained].reset_index(drop=True)
                yield Fold((split,), train, unlabelled(self._frame.iloc[held_out]), repeat, place)

    def rows(self, split: str, predictions: Sequence[tuple[Fold, FoldPredictions]]) -> pd.DataFrame:
        """One row per held-out kernel and repeat."""
        of_place = {(repeat, place): held_out for repeat, place, held_out in self._places(split)}
        parts = []
        for fold, of_fold in predictions:
            facts = self._facts.iloc[of_place[fold.repeat, fold.place]].assign(is_twin=self.twins(split, fold))
            parts.append(kernel_rows(split, fold, of_fold, facts))
        return pd.concat(parts, ignore_index=True)

    def leaks(self, split: str) -> Leaks:
        """Counts of what the sides share, by the folds of the first repeat."""
        folds = self._all_folds[split][0]
        pairs = (
            (self.table.filter(pa.array(folds != fold)), self.table.filter(pa.array(folds == fold)))
            for fold in range(int(folds.max()) + 1)
        )
        return leaks_between(pairs)
