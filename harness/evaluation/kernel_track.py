"""The track `kernels`: unseen configurations on one device, at random and in splits that require extrapolation.

Splits by unseen values hold out every value once, and their rows are resampled by the values that are held out
together; those of the other splits by configuration.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from harness.arrays import Mask, Whole
from harness.evaluation.folds import (
    ALWAYS_TRAINED,
    N_FOLDS,
    N_REPEATS,
    UNSEEN,
    largest_flops,
    numbered,
    repeated_folds,
    unseen,
)
from harness.evaluation.plans import Fold, FoldPredictions, Plan, SharedRows, energies_of, kernel_rows, unlabelled
from harness.evaluation.result_layout import Leaks
from harness.predictor.features import LABEL, labelled_frame
from harness.predictor.protocol import PredictorInfo
from harness.predictor.subjects import content_sha256
from harness.schema.results import Subject, Track
from harness.splits import assign_splits

PUBLISHED: Final = "published"
CROSS_VALIDATION: Final = f"cv-{N_REPEATS}x{N_FOLDS}"
LARGEST_FLOPS: Final = "largest-flops"


class _Split(NamedTuple):
    """One split of the rows of a subject.

    Attributes:
        folds: fold in which each row is held out, by repeat, shape `(n_repeats, n)`; `ALWAYS_TRAINED` where none does.
        groups: what each row is resampled with: its configuration, or the values that are held out with it.
        unused: why it cannot be evaluated; empty where only an empty side could be in the way.
    """

    folds: Whole
    groups: npt.NDArray[np.str_]
    unused: str = ""

    @property
    def reason(self) -> str:
        """Why it cannot be evaluated; empty where it can."""
        if not (self.folds >= 0).any():
            return "no row is held out"
        if self.unused:
            return self.unused
        has_training = all((self.folds != fold).any() for fold in range(int(self.folds.max()) + 1))
        return "" if has_training else "no row is left to train on"


def _held_out_once(is_held_out: Mask, groups: npt.NDArray[np.str_]) -> _Split:
    return _Split(np.where(is_held_out, 0, ALWAYS_TRAINED)[None], groups)


def _unseen(kernels: pd.DataFrame, columns: tuple[str, ...], seed: int) -> _Split:
    """Split by unseen values; one value alone has nothing to be compared with."""
    found = unseen(kernels, columns, seed)
    unused = f"there is one value of {', '.join(columns)}; expected two or more" if found.n_values == 1 else ""
    return _Split(found.fold[None], found.value, unused)


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
    def _all(self) -> dict[str, _Split]:
        """Every split by its name."""
        configurations = self._facts["group"].to_numpy(dtype=str)
        groups = numbered(configurations)
        published = np.array([side == "test" for side in assign_splits(self.table, "kernels")])
        repeated = repeated_folds(groups, self._frame["kernel"], self.seed)
        return {
            PUBLISHED: _held_out_once(published, configurations),
            CROSS_VALIDATION: _Split(repeated, configurations),
            LARGEST_FLOPS: _held_out_once(largest_flops(self._frame, groups), configurations),
            **{name: _unseen(self._frame, columns, self.seed) for name, columns in UNSEEN.items()},
        }

    @cached_property
    def skipped(self) -> Mapping[str, str]:
        """Splits without a row held out, or with an empty training side."""
        return {name: split.reason for name, split in self._all.items() if split.reason}

    @property
    def splits(self) -> Sequence[str]:
        """Splits with both sides."""
        return [name for name in self._all if name not in self.skipped]

    def _places(self, split: str) -> Iterator[tuple[int, int, Whole]]:
        """Repeat, number and held-out rows of every fold."""
        for repeat, folds in enumerate(self._all[split].folds):
            for fold in range(int(folds.max()) + 1):
                yield repeat, fold, np.flatnonzero(folds == fold)

    def folds(self, info: PredictorInfo) -> Iterator[Fold]:  # noqa: ARG002
        """Every fold of every split."""
        for split in self.splits:
            for repeat, place, held_out in self._places(split):
                is_trained = self._all[split].folds[repeat] != place
                train = self._frame[is_trained].reset_index(drop=True)
                yield Fold((split,), train, unlabelled(self._frame.iloc[held_out]), repeat, place)

    def rows(self, split: str, predictions: Sequence[tuple[Fold, FoldPredictions]]) -> pd.DataFrame:
        """One row per held-out kernel and repeat."""
        of_place = {(repeat, place): held_out for repeat, place, held_out in self._places(split)}
        facts = self._facts.assign(group=self._all[split].groups)
        parts = []
        for fold, of_fold in predictions:
            of_rows = facts.iloc[of_place[fold.repeat, fold.place]].assign(is_twin=self.twins(split, fold))
            parts.append(kernel_rows(split, fold, of_fold, of_rows))
        return pd.concat(parts, ignore_index=True)

    def leaks(self, split: str) -> Leaks:
        """Counts of what the sides share, by the folds of the first repeat."""
        folds = self._all[split].folds[0]
        return self._shared.leaks((folds != fold, folds == fold) for fold in range(int(folds.max()) + 1))

    @cached_property
    def _shared(self) -> SharedRows:
        return SharedRows(self.table)
