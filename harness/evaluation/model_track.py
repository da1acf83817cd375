"""The track `models`: networks of unseen families, each predicted as the sum over its kernels.

No configuration that occurs in the held-out family's networks is trained on, whichever row measures it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from harness.arrays import Reals
from harness.evaluation.plans import ROWS, Fold, FoldPredictions, Plan, energies_of, interval_columns, leaks_between
from harness.evaluation.result_layout import Leaks
from harness.leaks import configurations_in
from harness.prediction.sum_interval import interval_of_sum
from harness.predictor.features import LABEL, labelled_frame, network_frame, numbered_configurations
from harness.predictor.protocol import PredictorInfo
from harness.predictor.subjects import content_sha256
from harness.schema.identity import configuration_ids
from harness.schema.records import KEYS
from harness.schema.results import Subject, Track

ALL_FAMILIES: Final = "leave-one-family-out"


@dataclass(frozen=True, eq=False)
class ModelPlan(Plan):
    """One fold per family.

    Attributes:
        subject: subject.
        kernels: its rows of the kernels level.
        models: its rows of the models level that have a kernel list.
    """

    track: ClassVar[Track] = "models"
    subject: Subject
    kernels: pa.Table
    models: pa.Table

    @cached_property
    def _families(self) -> list[str]:
        return sorted(set(self.models.column("family").to_pylist()))

    @cached_property
    def actual_mj(self) -> "pd.Series[float]":
        """Measured energy of every record that may be tested on, by its id."""
        return energies_of(self.models)

    @cached_property
    def data_sha256(self) -> str:
        """Content of the kernel rows and of the networks."""
        networks, place = network_frame(self.models)
        facts = self.models.select(["record_id", "family", LABEL]).to_pandas()
        return content_sha256([labelled_frame(self.kernels), networks.assign(place=place), facts])

    @property
    def skipped(self) -> Mapping[str, str]:
        """None: where no row is left to train on, no kernel is covered."""
        return {}

    @property
    def splits(self) -> Sequence[str]:
        """All families together, then each."""
        return [ALL_FAMILIES, *map(_without, self._families)]

    @cached_property
    def _mj_per_byte(self) -> "pd.Series[float]":
        """Median energy of each kernel type in mJ per byte moved, over all its rows."""
        rows = labelled_frame(self.kernels)
        return (rows[LABEL] / rows["bytes_moved"]).groupby(rows["kernel"]).median()

    def _networks(self, family: str) -> pa.Table:
        return self.models.filter(pc.equal(self.models.column("family"), family)).combine_chunks()

    def _train(self, family: str) -> pa.Table:
        """Kernel rows whose configuration does not occur in networks of a family."""
        seen = pa.array(sorted(configurations_in(self._networks(family))), pa.string())
        return self.kernels.filter(pc.invert(pc.is_in(self.kernels.column("configuration_id"), value_set=seen)))

    def folds(self, info: PredictorInfo) -> Iterator[Fold]:  # noqa: ARG002
        """One per family."""
        for place, family in enumerate(self._families):
            test, networks = network_frame(self._networks(family))
            train = labelled_frame(self._train(family))
            yield Fold((ALL_FAMILIES, _without(family)), train, test, place=place, networks=networks)

    def rows(self, split: str, predictions: Sequence[tuple[Fold, FoldPredictions]]) -> pd.DataFrame:
        """One row per network, grouped by family where the split has several, otherwise by network."""
        parts = [self._sums(fold, of_fold) for fold, of_fold in predictions]
        rows = pd.concat(parts, ignore_index=True).assign(split=split)
        rows["group"] = rows["family"] if split == ALL_FAMILIES else rows["row"]
        return rows[list(ROWS)]

    def _sums(self, fold: Fold, predictions: FoldPredictions) -> pd.DataFrame:
        """One row per network of a family: the sum over its kernels, or the predictor's own energy of the network.

        A kernel that is not covered is estimated to take what kernels of its type take per byte moved; one of a type
        that has no row, its share of the network's FLOPs.
        """
        is_covered = np.isfinite(predictions.energy_mj)
        estimate = fold.test["bytes_moved"] * fold.test["kernel"].map(self._mj_per_byte)
        of_kernel = pd.DataFrame(
            {
                "n_kernels": 1,
                "flops": fold.test["flops"],
                "covered_kernels": is_covered,
                "covered_flops": fold.test["flops"].where(is_covered, 0),
                "predicted_mj": predictions.energy_mj,
                "missing_mj": estimate.where(~is_covered, 0),
                "unknown_flops": fold.test["flops"].where(~is_covered & estimate.isna(), 0),
            }
        )
        sums = of_kernel.groupby(fold.networks).agg("sum")
        sums["predicted_mj"] = (
            pd.Series(predictions.networks, dtype=float).reindex(sums.index).fillna(sums["predicted_mj"])
        )
        networks = self._networks(self._families[fold.place])
        facts: pd.DataFrame = networks.select(["record_id", "family", LABEL]).to_pandas()
        facts.columns = pd.Index(["row", "family", "actual_mj"])
        return facts.join(sums).assign(
            repeat=0,
            kernel="all",
            is_twin=np.nan,
            predicted_mj=lambda rows: rows["predicted_mj"].where(rows["covered_kernels"] > 0),
            covered_kernels=lambda rows: rows["covered_kernels"] / rows["n_kernels"],
            covered_flops=lambda rows: rows["covered_flops"] / rows["flops"],
            missing_mj=lambda rows: rows["missing_mj"] + rows["actual_mj"] * rows["unknown_flops"] / rows["flops"],
            **interval_columns(_intervals(fold, predictions, len(facts)), len(facts)),
        )

    def leaks(self, split: str) -> Leaks:
        """Counts of what the training rows share with the kernels of the held-out networks."""
        families = [family for family in self._families if split in (ALL_FAMILIES, _without(family))]
        trains = [self._train(family) for family in families]
        pairs = ((train, _kernels_of(self._networks(family))) for family, train in zip(families, trains, strict=True))
        n_removed = np.mean([self.kernels.num_rows - train.num_rows for train in trains])
        return leaks_between(pairs, float(n_removed))


def _intervals(fold: Fold, predictions: FoldPredictions, n_networks: int) -> dict[int, Reals]:
    """Interval of the energy of each network, by nominal coverage in percent, shape `(n_networks, 2)`.

    Networks with a kernel that is not covered have none, because an interval of the others is none of the whole; nor
    has a predictor that predicts whole networks.
    """
    if predictions.networks:
        return {}
    networks = np.asarray(fold.networks)
    configurations = numbered_configurations(fold.test)
    found = {}
    for coverage, bounds in predictions.intervals.items():
        found[coverage] = of_networks = np.full((n_networks, 2), np.nan)
        for number in range(n_networks):
            rows = networks == number
            if rows.any() and np.isfinite(bounds[rows]).all():
                of_networks[number] = interval_of_sum(predictions.energy_mj[rows], bounds[rows], configurations[rows])
    return found


def _without(family: str) -> str:
    return f"without-{family}"


def _kernels_of(networks: pa.Table) -> pa.Table:
    """Distinct configurations in the kernel lists of networks, one row each."""
    kernels = pc.list_flatten(networks.column("kernels").combine_chunks())
    fields = pa.table(kernels.flatten(), names=[each.name for each in kernels.type]).select(list(KEYS["kernels"]))
    distinct = fields.filter(pc.is_valid(fields.column("kernel"))).group_by(fields.column_names).aggregate([])
    ids = pa.array(configuration_ids(distinct), pa.string())
    return distinct.append_column("configuration_id", ids).append_column("record_id", ids)
