"""What published data says of each network of an edition: how it was run, and what devices needed for it.

The figures are those of the edition's founding submissions; nothing of a change itself counts.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, Final

import numpy as np
import pandas as pd

from harness.review.change import Change, Snapshot
from harness.schema.campaign import Campaign
from harness.schema.networks import Network
from harness.schema.vocabulary import RATED_TIERS
from harness.scoring.editions import Edition

DESCRIBING: Final[Mapping[str, tuple[str, ...]]] = {
    "applications": ("application", "reference_model", "input_shape", "dtype"),
    "models": ("family", "variant", "input_shape", "dtype"),
}
"""Columns that say which network of a suite was run, and how."""
FEWEST_SHARED: Final = 3
"""Networks that two devices need in common to be compared."""


@dataclass(frozen=True)
class KnownNetwork:
    """What is known of one network of an edition.

    Attributes:
        cells: per describing column, every text that founding rows have there.
        costs: FLOPs and parameters of the founding kernel lists, by column; those that are known.
        energies_mj: lowest and highest energy of a founding row, on any delegate.
    """

    cells: Mapping[str, frozenset[str]]
    costs: Mapping[str, int]
    energies_mj: tuple[float, float]


@dataclass(frozen=True)
class Known:
    """What is known of an edition.

    Attributes:
        edition: the edition.
        networks: per network of the suite, how founding submissions ran it.
        energies: lowest energy in mJ of each founding system (rows) and network (columns); missing where not run.
        highest: the same, on the delegate that needs most.
    """

    edition: Edition
    networks: Mapping[str, KnownNetwork]
    energies: pd.DataFrame
    highest: pd.DataFrame

    @cached_property
    def ratios(self) -> pd.DataFrame:
        """Natural logarithms of the energies relative to the references."""
        logs: pd.DataFrame = (self.energies / pd.Series(self.edition.references)).map(np.log)
        return logs

    def bounds_of(self, network: str) -> tuple[float, float]:
        """Lowest and highest deviation of a network from the median one of its device, on any delegate."""
        medians = self.ratios.median(axis=1)
        reference = self.edition.references[network]
        ends = [np.log(each[network] / reference) - medians for each in (self.energies, self.highest)]
        return float(ends[0].min()), float(ends[1].max())

    @cached_property
    def alike_within(self) -> float | None:
        """Half the smallest spread of the ratios between two known devices, as a logarithm; None for less than two.

        Ratios of a copy with a factor have no spread at all.
        """
        return half_of_least(
            float((first - second).dropna().std())
            for (_, first), (_, second) in combinations(self.ratios.iterrows(), 2)
            if (first - second).count() >= FEWEST_SHARED
        )

    @cached_property
    def flat_within(self) -> float | None:
        """Half the smallest spread of the ratios of one known device to the references."""
        return half_of_least(
            float(row.dropna().std()) for _, row in self.ratios.iterrows() if row.count() >= FEWEST_SHARED
        )


def half_of_least(spreads: Iterator[float]) -> float | None:
    """Half of the smallest spread; None where there is none."""
    known = list(spreads)
    return min(known) / 2 if known else None


def known_of(edition: Edition, earlier: Snapshot) -> Known:
    """What the published submissions among an edition's founding ones say."""
    founding = [earlier.by_id[name] for name in edition.founding if name in earlier.by_id]
    rows: dict[str, list[dict[str, Any]]] = {}
    costs: dict[str, dict[str, int]] = {}
    for campaign in founding:
        table = campaign.tables.get(edition.level)
        for row in table.to_pylist() if table is not None else ():
            if row["energy_kind"] == "absolute":
                name = edition.network_of(row)
                if name is not None:
                    rows.setdefault(name, []).append(row)
        for model, network in campaign.networks.items():
            costs.setdefault(model, {}).update(costs_of(network))
    names = {network.id: network.name for network in edition.networks}
    networks = {name: _network(of_name, edition, costs.get(names[name], {})) for name, of_name in rows.items()}
    system_ids = {campaign.system_id for campaign in founding}
    return Known(edition, networks, *(_by_system(earlier, edition, system_ids, way) for way in ("min", "max")))


def costs_of(network: Network) -> dict[str, int]:
    """FLOPs and parameters of a kernel list, by column; without those that a kernel of it does not state."""
    totals = {}
    for name in ("flops", "params"):
        counts = [getattr(kernel, name) for kernel in network.kernels]
        if None not in counts:
            totals[name] = sum(counts)
    if network.params is not None:
        totals["params"] = network.params
    return totals


def _network(rows: list[dict[str, Any]], edition: Edition, costs: Mapping[str, int]) -> KnownNetwork:
    energies = [row["energy_mj"] for row in rows]
    columns = DESCRIBING.get(edition.level, ())
    cells = {name: frozenset(row[name] or "" for row in rows) for name in columns}
    return KnownNetwork(cells, costs, (min(energies), max(energies)))


def _by_system(snapshot: Snapshot, edition: Edition, system_ids: Collection[str], way: str) -> pd.DataFrame:
    """Lowest or highest energy in mJ over the delegates of each system, by network."""
    places = snapshot.suites[edition.edition]
    chosen = places[places["system_id"].isin(system_ids)]
    energies: pd.DataFrame = chosen.groupby(["system_id", "network"])["energy_mj"].agg(way).unstack()
    return energies.reindex(columns=list(edition.references))


def lowest_of(snapshot: Snapshot, edition: Edition) -> pd.DataFrame:
    """Lowest energy in mJ of every rated system and network of an edition."""
    return _by_system(snapshot, edition, {campaign.system_id for campaign in snapshot.campaigns}, "min")


def rated_rows(change: Change, campaign: Campaign, edition: Edition) -> list[tuple[int | None, dict[str, Any]]]:
    """Line and cells of the rows of a campaign that an edition rates."""
    is_rated = campaign.device.device_class in edition.device_classes and campaign.manifest.tier in RATED_TIERS
    return [
        (line, row)
        for line, row in (change.rows_of(campaign, edition.level) if is_rated else ())
        if edition.network_of(row) is not None and row["energy_kind"] == "absolute" and row["batch_size"] == 1
    ]
