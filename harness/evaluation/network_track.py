"""Measured networks as one table to evaluate on, and the jobs of its folds; it runs no predictor.

It is the part of the track `models` in which predictors are fitted on networks. Simulated networks are none of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from harness.arrays import Mask
from harness.evaluation.network_splits import SCOPES, NetworkFold, Scope, folds_of
from harness.predictor.features import LABEL, labelled_frame
from harness.predictor.networks import LATENCY, SYSTEM_COLUMNS, network_lists, networks_on_systems
from harness.predictor.protocol import PredictorInfo
from harness.predictor.subjects import content_sha256
from harness.releases import Release
from harness.sandbox.jobs import NetworkJob
from harness.schema.vocabulary import RATED_TIERS

FEWEST_NETWORKS: Final = 30
"""A system with fewer networks, by data type, is not evaluated: most of its figures would rest on chance."""
_FEWEST_SYSTEMS: Final = 2
_SAME: Final = ("energy_kind", "boundary", "batch_size")
"""Fields that all rows share, because energies of two kinds are not compared."""
_MEASURED: Final = tuple(tier for tier in RATED_TIERS if tier != "published")


@dataclass(frozen=True, eq=False)
class NetworkPlan:
    """Measured networks on several systems.

    Attributes:
        rows: one row per network and system: `record_id`, number of the network in `list`, `system_id`, `device_id`,
            `latency_ms`, `energy_mj`.
        lists: networks by data type, columns `harness.predictor.networks.LIST_COLUMNS`.
        kernels: measured kernels of the same devices, columns `FEATURES` and `energy_mj`.
        names: name of each system by its id.
        seed: seed of folds and draws.
    """

    rows: pd.DataFrame
    lists: pd.DataFrame
    kernels: pd.DataFrame
    names: Mapping[str, str]
    seed: int

    @cached_property
    def networks(self) -> pd.DataFrame:
        """Networks on systems, as predictors see them with their labels."""
        return networks_on_systems(self.lists, self.rows.drop(columns="record_id"))

    @cached_property
    def data_sha256(self) -> str:
        """Content of all rows that the results depend on."""
        return content_sha256([self.rows, self.lists, self.kernels])

    @property
    def actual_mj(self) -> "pd.Series[float]":
        """Measured energy of every record, by its id."""
        energies: pd.Series[float] = self.rows.set_index("record_id")[LABEL]
        return energies

    def folds(self, info: PredictorInfo) -> Iterator[NetworkFold]:
        """Folds of a predictor: with what is known on other systems where it is cross-device, without otherwise."""
        for scope in scopes_of(info):
            for fold in self._folds[scope]:
                test = fold.test & self._is_given(info)
                if test.any():
                    yield NetworkFold(fold.split, fold.scope, fold.repeat, test)

    @cached_property
    def _folds(self) -> Mapping[Scope, Sequence[NetworkFold]]:
        return {scope: list(folds_of(self.networks, scope, self.seed)) for scope in SCOPES}

    def _is_given(self, info: PredictorInfo) -> Mask:
        """Rows that a predictor may be given: with a latency where it uses that."""
        given: Mask = self.rows[LATENCY].notna().to_numpy() | (not info.uses_latency)
        return given

    def job(self, fold: NetworkFold, info: PredictorInfo) -> NetworkJob:
        """Job of a fold: no label of a row that is tested is in it."""
        shown = ["list", *SYSTEM_COLUMNS, *[LATENCY] * info.uses_latency]
        train = self.rows.loc[fold.train & self._is_given(info), [*shown, LABEL]].reset_index(drop=True)
        test = self.rows.loc[fold.test, shown].reset_index(drop=True)
        return NetworkJob(self.kernels, self.lists, train, test, f"{fold.scope} {fold.split}")


def scopes_of(info: PredictorInfo) -> tuple[Scope, ...]:
    """What is known elsewhere in the tests of a predictor."""
    return ("other-boards", "other-systems") if info.is_cross_device else ("nowhere",)


def network_plan(release: Release, seed: int) -> tuple[NetworkPlan | None, list[str]]:
    """Measured networks of a release, and sentences about what is not among them.

    Where energies of several kinds were measured, those with most rows are evaluated. Rows of one submission are a
    system of their own where several submissions share one: rounds of a benchmark differ by settings, stated or not.

    Args:
        release: tables to evaluate on.
        seed: seed of folds and draws.

    Returns:
        None where fewer than two systems have `FEWEST_NETWORKS` networks.
    """
    models = release.levels["models"]
    is_measured = pc.and_(pc.is_in(models.column("tier"), pa.array(_MEASURED)), pc.is_valid(models.column("kernels")))
    measured = models.filter(is_measured).combine_chunks()
    facts = measured.select(["model", "dtype", "system_id", "submission_id", *_SAME]).to_pandas()
    pairs = facts.assign(pair=facts["model"] + " " + facts["dtype"])
    n_networks = pairs.groupby(["submission_id", "system_id", *_SAME])["pair"].transform("nunique")
    chosen = n_networks.to_numpy() >= FEWEST_NETWORKS
    if chosen.any():
        common = facts[chosen].groupby(list(_SAME)).size().idxmax()
        chosen = chosen & (facts[list(_SAME)] == list(common)).all(axis=1).to_numpy()
    systems = _systems(facts[chosen])
    if systems.nunique() < _FEWEST_SYSTEMS:
        return None, []
    rows = measured.filter(pa.array(chosen)).combine_chunks()
    notes = [] if chosen.all() else [
        f"{int((~chosen).sum())} measured networks are on systems with fewer than {FEWEST_NETWORKS} of them, or of "
        "another kind of energy"
    ]  # fmt: skip
    return _plan(release, rows, systems.tolist(), seed), notes


def _systems(facts: pd.DataFrame) -> "pd.Series[str]":
    """System of each row: its submission where the system has several."""
    is_shared = facts.groupby("system_id")["submission_id"].transform("nunique") > 1
    return facts["submission_id"].where(is_shared, facts["system_id"])


def _plan(release: Release, rows: pa.Table, systems: Sequence[str], seed: int) -> NetworkPlan:
    lists, number = network_lists(rows)
    table = pd.DataFrame(
        {
            "record_id": rows.column("record_id").to_pylist(),
            "list": number,
            "system_id": pd.Series(systems, dtype="str"),
            "device_id": pd.Series(rows.column("device_id").to_pylist(), dtype="str"),
            **{name: rows.column(name).to_numpy().astype(np.float64) for name in (LATENCY, LABEL)},
        }
    )
    ordered = table.sort_values(["system_id", "list", "record_id"], ignore_index=True)
    kernels = release.levels["kernels"]
    is_own = pc.and_(
        pc.is_in(kernels.column("device_id"), pa.array(sorted(set(table["device_id"])))),
        pc.is_in(kernels.column("tier"), pa.array(_MEASURED)),
    )
    for name in _SAME:
        is_own = pc.and_(is_own, pc.equal(kernels.column(name), rows.column(name)[0]))
    names = {row["system_id"]: row["system"] for row in release.submissions.select(["system_id", "system"]).to_pylist()}
    submissions = release.submissions.select(["submission_id", "system", "round"]).to_pylist()
    names |= {row["submission_id"]: " · ".join(filter(None, (row["system"], row["round"]))) for row in submissions}
    of_rows = {system: names.get(system, system) for system in sorted(set(systems))}
    return NetworkPlan(ordered, lists, labelled_frame(kernels.filter(is_own)), of_rows, seed)
