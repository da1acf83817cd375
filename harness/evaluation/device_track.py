"""The track `devices`: a device that is unseen, except for a few rows to calibrate on.

Predictors are fitted on the published training side of other devices and tested on the published test side of the
held-out device, so that neither the device nor the configurations are seen. Only devices of the same tier, boundary,
kind of processor, data type, batch size and kind of energy are fitted on.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from harness.arrays import Reals, Whole
from harness.evaluation.plans import Fold, FoldPredictions, Plan, SharedRows, energies_of, kernel_rows, unlabelled
from harness.evaluation.result_layout import Leaks
from harness.predictor.features import LABEL, labelled_frame
from harness.predictor.protocol import PredictorInfo
from harness.predictor.subjects import content_sha256
from harness.schema.results import Subject, Track
from harness.splits import assign_splits

N_CALIBRATION: Final = (0, 10, 50)
"""Counts of rows of the held-out device that a predictor may be calibrated on."""
N_DRAWS: Final = 5
"""Draws of the calibration rows, which are repeats of each other."""


class _Split(NamedTuple):
    """What predictors are fitted on in one split.

    Attributes:
        n_known: calibration rows.
        is_own: whether they are all that is fitted on, as if no other device were known.
    """

    n_known: int
    is_own: bool = False


def calibrated_with(count: int, *, is_own: bool = False) -> str:
    """Name of the split with a count of calibration rows.

    >>> calibrated_with(10), calibrated_with(10, is_own=True)
    ('k=10', 'k=10, own rows')
    """
    return f"k={count}, own rows" if is_own else f"k={count}"


_SPLITS: Final = {
    calibrated_with(count, is_own=is_own): _Split(count, is_own)
    for count in N_CALIBRATION
    for is_own in ((False, True) if count else (False,))
}


@dataclass(frozen=True, eq=False)
class DevicePlan(Plan):
    """One fold, or one for every draw and count of calibration rows where the predictor is cross-device.

    One that is not is fitted on the other devices' rows as if they were one device's. Its predictions are then
    multiplied by one factor: the geometric mean of measured over predicted energy on the calibration rows. It is also
    fitted on the calibration rows alone, which is what rows of other devices have to be better than.

    Attributes:
        subject: held-out device and how it was run.
        table: its rows of the kernels level.
        others: rows of the other devices that it is predicted from.
        seed: seed of the draws of calibration rows.
    """

    track: ClassVar[Track] = "devices"
    subject: Subject
    table: pa.Table
    others: pa.Table
    seed: int

    @cached_property
    def actual_mj(self) -> "pd.Series[float]":
        """Measured energy of every record that may be tested on, by its id."""
        return energies_of(self.table)

    @cached_property
    def data_sha256(self) -> str:
        """Content of the rows of this device and of the others."""
        ids = [table.select(["record_id", "configuration_id"]).to_pandas() for table in (self.table, self.others)]
        return content_sha256([labelled_frame(self.table), labelled_frame(self.others), *ids])

    @cached_property
    def _sides(self) -> tuple[pa.Table, pa.Table]:
        """Rows to draw from, one per configuration; and rows held out."""
        is_test = pa.array([side == "test" for side in assign_splits(self.table, "kernels")], pa.bool_())
        of_train = self.table.filter(pc.invert(is_test))
        first = np.unique(of_train.column("configuration_id").to_numpy().astype(str), return_index=True)[1]
        return of_train.take(pa.array(first, pa.int64())).combine_chunks(), self.table.filter(is_test).combine_chunks()

    @cached_property
    def _draws(self) -> Sequence[Whole]:
        """Places of the calibration rows of each draw, in their order."""
        names = self._sides[0].column("configuration_id").to_pylist()
        return [
            np.array(sorted(range(len(names)), key=lambda place: _digest(f"{self.seed}/{draw}/{names[place]}")))
            for draw in range(N_DRAWS)
        ]

    def _known(self, draw: int, count: int) -> pa.Table:
        """Calibration rows of one draw."""
        return self._sides[0].take(pa.array(self._draws[draw][:count], pa.int64())).combine_chunks()

    @cached_property
    def _pool(self) -> pa.Table:
        is_train = pa.array([side == "train" for side in assign_splits(self.others, "kernels")], pa.bool_())
        return self.others.filter(is_train).combine_chunks()

    @property
    def skipped(self) -> Mapping[str, str]:
        """Splits with more calibration rows than the device has."""
        calibration, test = self._sides
        if not test.num_rows or not self._pool.num_rows:
            reason = "no row is held out" if not test.num_rows else "the other devices have no row to train on"
            return dict.fromkeys(_SPLITS, reason)
        return {
            name: f"the device has {calibration.num_rows} configurations to calibrate on"
            for name, split in _SPLITS.items()
            if split.n_known > calibration.num_rows
        }

    @property
    def splits(self) -> Sequence[str]:
        """Splits with as many calibration rows as the device has, or fewer."""
        return [name for name in _SPLITS if name not in self.skipped]

    def unsuited(self, info: PredictorInfo) -> Mapping[str, str]:
        """Own rows alone, for a predictor that is made for those of other devices."""
        own = [name for name in self.splits if _SPLITS[name].is_own and info.is_cross_device]
        return dict.fromkeys(own, f"{info.key} is cross-device, so it is fitted on rows of other devices too")

    def folds(self, info: PredictorInfo) -> Iterator[Fold]:
        """One fit for all counts and draws, or one for each; and those on the calibration rows alone."""
        calibration, test = self._sides
        asked = unlabelled(labelled_frame(test))
        if not info.is_cross_device:
            shared = tuple(name for name in self.splits if not _SPLITS[name].is_own)
            every = unlabelled(pd.concat([labelled_frame(calibration), labelled_frame(test)]))
            yield Fold(shared, labelled_frame(self._pool), every)
        for name in self.splits:
            count, is_own = _SPLITS[name]
            if is_own != info.is_cross_device:
                for draw in range(_n_draws(count)):
                    yield Fold((name,), self._seen(name, draw), asked, draw)

    def _seen(self, split: str, draw: int) -> pd.DataFrame:
        """Rows that are known in a draw, by which a predictor is fitted or multiplied."""
        count, is_own = _SPLITS[split]
        known = labelled_frame(self._known(draw, count))
        return known if is_own else pd.concat([labelled_frame(self._pool), known], ignore_index=True)

    def rows(self, split: str, predictions: Sequence[tuple[Fold, FoldPredictions]]) -> pd.DataFrame:
        """One row per kernel of the device's test side and draw."""
        facts = self._sides[1].select(["record_id", "configuration_id", LABEL]).to_pandas()
        facts = facts.set_axis(["row", "group", "actual_mj"], axis=1)
        parts = []
        for fold, of_fold in (each for pair in predictions for each in self._of_draws(split, *pair)):
            is_twin = self.twins(split, replace(fold, train=self._seen(split, fold.repeat)))
            parts.append(kernel_rows(split, fold, of_fold, facts.assign(is_twin=is_twin)))
        return pd.concat(parts, ignore_index=True)

    def _of_draws(self, split: str, fold: Fold, of_fold: FoldPredictions) -> Iterator[tuple[Fold, FoldPredictions]]:
        """Predictions of the test side by draw: as they are, or multiplied by the factor of each draw."""
        calibration, test = self._sides
        n_before = len(of_fold.energy_mj) - test.num_rows
        if not n_before:
            yield fold, of_fold
            return
        actual = calibration.column(LABEL).to_numpy()
        count = _SPLITS[split].n_known
        for draw in range(_n_draws(count)):
            known = self._draws[draw][:count]
            factor = _factor(actual[known], of_fold.energy_mj[known])
            yield (
                replace(fold, test=fold.test.iloc[n_before:].reset_index(drop=True), repeat=draw),
                FoldPredictions(
                    factor * of_fold.energy_mj[n_before:],
                    {coverage: factor * bounds[n_before:] for coverage, bounds in of_fold.intervals.items()},
                ),
            )

    def leaks(self, split: str) -> Leaks:
        """Counts of what the rows to train and calibrate on share with those held out, as means over the draws."""
        count, is_own = _SPLITS[split]
        n_pool, n_known, n_test = (table.num_rows for table in (self._pool, *self._sides))
        test = np.arange(n_pool + n_known + n_test) >= n_pool + n_known
        folds = []
        for draw in range(_n_draws(count)):
            train = np.zeros_like(test)
            train[:n_pool] = not is_own
            train[n_pool + self._draws[draw][:count]] = True
            folds.append((train, test))
        return self._shared.leaks(folds)

    @cached_property
    def _shared(self) -> SharedRows:
        """Rows of the other devices, those to draw from, and those held out."""
        columns = [name for name in self._pool.column_names if name in self.table.column_names]
        return SharedRows(pa.concat_tables([table.select(columns) for table in (self._pool, *self._sides)]))


def _n_draws(count: int) -> int:
    """Draws of a count of calibration rows: no row is drawn once."""
    return N_DRAWS if count else 1


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def _factor(actual: Reals, predicted: Reals) -> float:
    """Geometric mean of actual over predicted energy, over the rows with a prediction; 1 where there are none."""
    is_known = np.isfinite(predicted)
    return float(np.exp(np.mean(np.log(actual[is_known] / predicted[is_known])))) if is_known.any() else 1.0
