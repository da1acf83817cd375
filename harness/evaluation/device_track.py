"""The track `devices`: a device that is unseen, except for a few rows to calibrate on.

Predictors are fitted on the published training side of other devices and tested on the published test side of the
held-out device, so that neither the device nor the configurations are seen. Only devices of the same tier, boundary,
kind of processor, data type, batch size and kind of energy are fitted on.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from harness.arrays import Reals
from harness.evaluation.plans import Fold, FoldPredictions, Plan, energies_of, kernel_rows, leaks_between, unlabelled
from harness.evaluation.result_layout import Leaks
from harness.predictor.features import LABEL, labelled_frame
from harness.predictor.protocol import PredictorInfo
from harness.predictor.subjects import content_sha256
from harness.schema.results import Subject, Track
from harness.splits import assign_splits

N_CALIBRATION: Final = (0, 10, 50)
"""Counts of rows of the held-out device that a predictor may be calibrated on."""


@dataclass(frozen=True, eq=False)
class DevicePlan(Plan):
    """One fold, or one for every count of calibration rows where the predictor is cross-device.

    One that is not is fitted on the other devices' rows as if they were one device's. Its predictions are then
    multiplied by one factor: the geometric mean of measured over predicted energy on the calibration rows.

    Attributes:
        subject: held-out device and how it was run.
        table: its rows of the kernels level.
        others: rows of the other devices that it is predicted from.
        seed: seed of the order of calibration rows.
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
        """Calibration rows in their order, one per configuration; and rows held out."""
        is_test = pa.array([side == "test" for side in assign_splits(self.table, "kernels")], pa.bool_())
        of_train = self.table.filter(pc.invert(is_test))
        ids = of_train.column("configuration_id").to_pylist()
        first = {name: place for place, name in reversed(list(enumerate(ids)))}
        order = sorted(first, key=lambda name: hashlib.sha256(f"{self.seed}/{name}".encode()).digest())
        chosen = [first[name] for name in order[: max(N_CALIBRATION)]]
        return of_train.take(pa.array(chosen, pa.int64())).combine_chunks(), self.table.filter(is_test).combine_chunks()

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
            return {calibrated_with(count): reason for count in N_CALIBRATION}
        return {
            calibrated_with(count): f"the device has {calibration.num_rows} configurations to calibrate on"
            for count in N_CALIBRATION
            if count > calibration.num_rows
        }

    @property
    def splits(self) -> Sequence[str]:
        """Splits with as many calibration rows as the device has, or fewer."""
        return [calibrated_with(count) for count in N_CALIBRATION if calibrated_with(count) not in self.skipped]

    def folds(self, info: PredictorInfo) -> Iterator[Fold]:
        """One fit for all counts, or one for each."""
        calibration, test = self._sides
        if not info.is_cross_device:
            kernels = pd.concat([labelled_frame(calibration), labelled_frame(test)])
            yield Fold(tuple(self.splits), labelled_frame(self._pool), unlabelled(kernels))
            return
        for split in self.splits:
            yield Fold((split,), self._seen(split), unlabelled(labelled_frame(test)))

    def rows(self, split: str, predictions: Sequence[tuple[Fold, FoldPredictions]]) -> pd.DataFrame:
        """One row per kernel of the device's test side."""
        ((fold, of_fold),) = predictions
        calibration, test = self._sides
        n_before = len(of_fold.energy_mj) - test.num_rows
        factor = 1.0
        if n_before:
            count = _count(split)
            actual = calibration.column(LABEL).to_numpy()[:count]
            factor = _factor(actual, of_fold.energy_mj[:count])
        of_test = FoldPredictions(
            factor * of_fold.energy_mj[n_before:],
            {coverage: factor * bounds[n_before:] for coverage, bounds in of_fold.intervals.items()},
        )
        frame = fold.test.iloc[n_before:].reset_index(drop=True)
        of_device = Fold(fold.splits, self._seen(split), frame)
        facts = test.select(["record_id", "configuration_id", LABEL]).to_pandas()
        facts = facts.set_axis(["row", "group", "actual_mj"], axis=1).assign(is_twin=self.twins(split, of_device))
        return kernel_rows(split, of_device, of_test, facts)

    def _seen(self, split: str) -> pd.DataFrame:
        """Rows that a predictor is fitted and calibrated on."""
        known = self._sides[0].slice(0, _count(split))
        return pd.concat([labelled_frame(self._pool), labelled_frame(known)], ignore_index=True)

    def leaks(self, split: str) -> Leaks:
        """Counts of what the rows to train and calibrate on share with those held out."""
        calibration, test = self._sides
        columns = [name for name in self._pool.column_names if name in calibration.column_names]
        train = pa.concat_tables([self._pool.select(columns), calibration.slice(0, _count(split)).select(columns)])
        return leaks_between([(train, test)])


def _factor(actual: Reals, predicted: Reals) -> float:
    """Geometric mean of actual over predicted energy, over the rows with a prediction; 1 where there are none."""
    is_known = np.isfinite(predicted)
    return float(np.exp(np.mean(np.log(actual[is_known] / predicted[is_known])))) if is_known.any() else 1.0


def calibrated_with(count: int) -> str:
    """Name of the split with a count of calibration rows."""
    return f"k={count}"


def _count(split: str) -> int:
    return int(split.rpartition("=")[2])
