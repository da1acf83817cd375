"""The track `devices`: a device that is not seen, but for a few rows to calibrate on.

Other devices train on the published training side, and the held-out device is tried on the published test side, so
that neither the device nor the configurations are seen. Only devices of one tier, processor kind, data type, batch
size and kind of energy teach each other.
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

from harness.evaluation.plans import Fold, FoldPredictions, Plan, Reals, kernel_rows, leaks_between, unlabelled
from harness.predictor.features import LABEL, labelled_frame
from harness.predictor.protocol import PredictorInfo
from harness.predictor.subjects import content_sha256
from harness.schema.results import Leaks, Subject, Track
from harness.splits import assign_splits

N_CALIBRATION: Final = (0, 10, 50)
"""Rows of the held-out device that a predictor may learn from."""


@dataclass(frozen=True, eq=False)
class DevicePlan(Plan):
    """One fold, or one for every count of calibration rows where the predictor knows of devices.

    A predictor that does not is fitted on the other devices' rows as if they were one device's. What it says is then
    multiplied by one factor: the geometric mean of measured over predicted energy on the calibration rows.

    Attributes:
        subject: held-out device and how it was run.
        table: its rows of the kernels level.
        others: rows of the other devices that can teach it.
        seed: seed of the order in which calibration rows are taken.
    """

    track: ClassVar[Track] = "devices"
    subject: Subject
    table: pa.Table
    others: pa.Table
    seed: int

    @cached_property
    def data_sha256(self) -> str:
        """Content of the rows of this device and of the others."""
        ids = [table.select(["record_id", "configuration_id"]).to_pandas() for table in (self.table, self.others)]
        return content_sha256([labelled_frame(self.table), labelled_frame(self.others), *ids])

    @cached_property
    def _sides(self) -> tuple[pa.Table, pa.Table]:
        """Calibration rows in the order in which they are taken, one a configuration; and rows held out."""
        is_test = pa.array([side == "test" for side in assign_splits(self.table, "kernels")], pa.bool_())
        of_train = self.table.filter(pc.invert(is_test))
        ids = of_train.column("configuration_id").to_pylist()
        first = {name: place for place, name in reversed(list(enumerate(ids)))}
        order = sorted(first, key=lambda name: hashlib.sha256(f"{self.seed}/{name}".encode()).digest())
        taken = [first[name] for name in order[: max(N_CALIBRATION)]]
        return of_train.take(pa.array(taken, pa.int64())).combine_chunks(), self.table.filter(is_test).combine_chunks()

    @cached_property
    def _pool(self) -> pa.Table:
        is_train = pa.array([side == "train" for side in assign_splits(self.others, "kernels")], pa.bool_())
        return self.others.filter(is_train).combine_chunks()

    @property
    def skipped(self) -> Mapping[str, str]:
        """Counts of calibration rows that the device does not have."""
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
        """Counts of calibration rows that the device has."""
        return [calibrated_with(count) for count in N_CALIBRATION if calibrated_with(count) not in self.skipped]

    def folds(self, info: PredictorInfo) -> Iterator[Fold]:
        """One fit for all counts, or one for each."""
        calibration, test = self._sides
        pool = labelled_frame(self._pool)
        if not info.is_cross_device:
            kernels = pd.concat([labelled_frame(calibration), labelled_frame(test)])
            yield Fold(tuple(self.splits), pool, unlabelled(kernels))
            return
        for split in self.splits:
            known = labelled_frame(calibration.slice(0, _count(split)))
            yield Fold((split,), pd.concat([pool, known], ignore_index=True), unlabelled(labelled_frame(test)))

    def rows(self, split: str, done: Sequence[tuple[Fold, FoldPredictions]]) -> pd.DataFrame:
        """One row a kernel of the device's test side."""
        ((fold, predicted),) = done
        calibration, test = self._sides
        n_before = len(predicted.energy_mj) - test.num_rows
        factor = 1.0
        if n_before:
            count = _count(split)
            actual = calibration.column(LABEL).to_numpy()[:count]
            factor = _factor(actual, predicted.energy_mj[:count])
        of_test = FoldPredictions(
            factor * predicted.energy_mj[n_before:],
            {coverage: factor * bounds[n_before:] for coverage, bounds in predicted.intervals.items()},
        )
        frame = fold.test.iloc[n_before:].reset_index(drop=True)
        facts = test.select(["record_id", "configuration_id", LABEL]).to_pandas()
        return kernel_rows(
            split, Fold(fold.splits, fold.train, frame), of_test, facts.set_axis(["row", "group", "actual_mj"], axis=1)
        )

    def leaks(self, split: str) -> Leaks:
        """What the rows to train and calibrate on share with those held out."""
        calibration, test = self._sides
        columns = [name for name in self._pool.column_names if name in calibration.column_names]
        train = pa.concat_tables([self._pool.select(columns), calibration.slice(0, _count(split)).select(columns)])
        return leaks_between([(train, test)])


def _factor(actual: Reals, predicted: Reals) -> float:
    """Geometric mean of actual over predicted energy, of what is predicted; 1 where nothing is."""
    is_known = np.isfinite(predicted)
    return float(np.exp(np.mean(np.log(actual[is_known] / predicted[is_known])))) if is_known.any() else 1.0


def calibrated_with(count: int) -> str:
    """Name of the split with a count of calibration rows."""
    return f"k={count}"


def _count(split: str) -> int:
    return int(split.rpartition("=")[2])
