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

from harness.arrays import Mask, Reals, Whole
from harness.evaluation.plans import ROWS, Fold, FoldPredictions, Plan, SharedRows, energies_of, interval_columns
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
        """One row per network, grouped by family, which is what is held out: one family has no interval."""
        parts = [self._sums(fold, of_fold) for fold, of_fold in predictions]
        rows = pd.concat(parts, ignore_index=True).assign(split=split)
        return rows.rename(columns={"family": "group"})[list(ROWS)]

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
            **interval_columns(self._intervals(fold, predictions, len(facts)), len(facts)),
        )

    @cached_property
    def _configurations(self) -> Sequence[Whole]:
        """Configuration of every kernel of the networks of each family, as a number."""
        return [numbered_configurations(network_frame(self._networks(family))[0]) for family in self._families]

    def _intervals(self, fold: Fold, predictions: FoldPredictions, n_networks: int) -> dict[int, Reals]:
        """Interval of the energy of each network, by nominal coverage in percent, shape `(n_networks, 2)`.

        Networks with a kernel that is not covered have none, because an interval of the others is none of the whole;
        nor has a predictor that predicts whole networks.
        """
        if predictions.networks:
            return {}
        networks, configurations = np.asarray(fold.networks), self._configurations[fold.place]
        found = {}
        for coverage, bounds in predictions.intervals.items():
            found[coverage] = of_networks = np.full((n_networks, 2), np.nan)
            for number in range(n_networks):
                rows = networks == number
                if rows.any() and np.isfinite(bounds[rows]).all():
                    energies = predictions.energy_mj[rows]
                    of_networks[number] = interval_of_sum(energies, bounds[rows], configurations[rows])
        return found

    def leaks(self, split: str) -> Leaks:
        """Counts of what the training rows share with the kernels of the held-out networks."""
        pairs = zip(self._families, self._sides, strict=True)
        folds = [sides for family, sides in pairs if split in (ALL_FAMILIES, _without(family))]
        n_removed = np.mean([self.kernels.num_rows - train.sum() for train, _ in folds])
        return self._shared.leaks(folds, float(n_removed))

    @cached_property
    def _in_networks(self) -> pa.Table:
        return _kernels_of(self.models)

    @cached_property
    def _shared(self) -> SharedRows:
        """Kernel rows, and the distinct configurations of all networks."""
        columns = ["record_id", "configuration_id", *KEYS["kernels"]]
        both = [table.select(columns) for table in (self.kernels, self._in_networks)]
        return SharedRows(pa.concat_tables(both, promote_options="permissive"))

    @cached_property
    def _sides(self) -> Sequence[tuple[Mask, Mask]]:
        """By family, kernel rows to train on and configurations of its networks, among all of `_shared`."""
        ids = [table.column("configuration_id").to_numpy().astype(str) for table in (self.kernels, self._in_networks)]
        found = []
        for family in self._families:
            seen = sorted(configurations_in(self._networks(family)))
            of_rows, of_networks = (np.isin(of_table, seen) for of_table in ids)
            train = np.concatenate([~of_rows, np.zeros_like(of_networks)])
            found.append((train, np.concatenate([np.zeros_like(of_rows), of_networks])))
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
