"""The rows of a release that an edition rates: one figure for each system, tier, boundary, network and delegate.

It selects and ranks; it knows no formula and no class border.
"""

import re
from typing import Final, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from harness.releases import Release
from harness.schema.vocabulary import RATED_TIERS
from harness.scoring.editions import Edition, editions

_PLACE = ["device_id", "system_id", "tier", "boundary", "network", "delegate"]

Interval = Literal["uncertainty", "spread"]
"""What an interval rests on: the expanded uncertainty of the rows, or, where they state none, their extreme runs."""
INTERVAL_TITLES: Final[dict[tuple[Interval, ...], str]] = {
    ("uncertainty",): "expanded uncertainty (k = 2)",
    ("spread",): "lowest to highest run",
    ("uncertainty", "spread"): "uncertainty or runs",
}
"""What the interval of an index rests on, in words."""


def _device_ids_of(release: Release, edition: Edition) -> list[str]:
    """Devices of the classes that an edition rates."""
    classes = pa.array(edition.device_classes, pa.string())
    is_of_class = pc.is_in(release.devices.column("device_class"), value_set=classes)
    return [str(device_id) for device_id in release.devices.filter(is_of_class).column("device_id").to_pylist()]


def _round_order(rounds: list[str] | None) -> tuple[int, ...]:
    """Sortable form of the latest round, so that v1.10 follows v1.9; rows of no round come first."""
    if rounds is None or not len(rounds):
        return ()
    return max(tuple(int(digits) for digits in re.findall(r"\d+", name)) for name in rounds)


def suite_rows(release: Release, edition: Edition) -> pd.DataFrame:
    """Rows that count under an edition.

    Only devices of the edition's classes count, and of them only absolute energies of one inference at batch size 1,
    from measured or published tiers. Where a network was measured in several rounds the latest counts; repeats within
    a round are joined by their median.

    Returns:
        One row per system, tier, boundary, network and delegate, sorted by these: `energy_mj`, `power_mw` (missing
        where unknown), `latency_ms`, `low_mj` and `high_mj` (the energy itself where nothing is known), `interval`
        (what they rest on, an `Interval`; empty where nothing is known), `energy_rank`, `power_rank` (1 is lowest,
        ties share a rank, among systems of the same tier and boundary), `record_ids` and `submission_ids`.
    """
    columns = [name for name in release.levels[edition.level].column_names if name != "kernels"]
    table = release.levels[edition.level].select(columns).to_pandas()
    table["network"] = _networks_of(table, edition)
    wanted = (
        table["device_id"].isin(_device_ids_of(release, edition))
        & table["network"].notna()
        & (table["energy_kind"] == "absolute")
        & table["tier"].isin(RATED_TIERS)
        & (table["batch_size"] == 1)
    )
    rows = table[wanted].copy()
    rows["round"] = rows["rounds"].map(_round_order)
    latest = rows.groupby(_PLACE)["round"].transform("max") if len(rows) else rows["round"]
    rows = rows[rows["round"] == latest]
    _add_interval(rows)
    places: pd.DataFrame = rows.groupby(_PLACE, as_index=False, sort=True).agg(
        energy_mj=("energy_mj", "median"),
        power_mw=("power_mw", "median"),
        latency_ms=("latency_ms", "median"),
        low_mj=("low_mj", "min"),
        high_mj=("high_mj", "max"),
        interval=("interval", _weakest),
        record_ids=("record_id", lambda ids: tuple(sorted(ids))),
        submission_ids=("submission_id", lambda ids: tuple(sorted(set(ids)))),
    )
    peers = places.groupby(["tier", "boundary", "network", "delegate"])
    places["energy_rank"] = peers["energy_mj"].rank(method="min")
    places["power_rank"] = peers["power_mw"].rank(method="min")
    return places


def _networks_of(table: pd.DataFrame, edition: Edition) -> "pd.Series[str]":
    """Id of the network of the suite that each row ran; missing where it is none of them."""
    runs = table[[edition.network_column, "dtype"]].drop_duplicates()
    known = {tuple(run.values()): edition.network_of(run) for run in runs.to_dict("records")}
    pairs = zip(table[edition.network_column], table["dtype"], strict=True)
    return pd.Series([known[pair] for pair in pairs], index=table.index, dtype=object)


def _add_interval(rows: pd.DataFrame) -> None:
    """Add `low_mj`, `high_mj` and `interval`.

    The expanded uncertainty counts where a row states one; otherwise the lowest and the highest run where it states
    both. Bounds by the uncertainty are those of the logarithm, which the index is a mean of, and stay above 0.

    Source:
        JCGM 100:2008, 5.1.3, with the derivative of the logarithm.
    """
    energy, share = rows["energy_mj"], rows["energy_u_mj"] / rows["energy_mj"]
    has_uncertainty = share.notna()
    has_spread = rows["energy_min_mj"].notna() & rows["energy_max_mj"].notna()
    lowest, highest = rows["energy_min_mj"].fillna(energy), rows["energy_max_mj"].fillna(energy)
    rows["low_mj"] = (energy * np.exp(-share)).where(has_uncertainty, lowest)
    rows["high_mj"] = (energy * np.exp(share)).where(has_uncertainty, highest)
    rows["interval"] = np.select([has_uncertainty, has_spread], ["uncertainty", "spread"], "")


def _weakest(intervals: pd.Series) -> Interval | Literal[""]:
    """What the interval of joined repeats rests on: the spread, where any of them has only that."""
    found = set(intervals)
    return "spread" if "spread" in found else "uncertainty" if "uncertainty" in found else ""


def suites(release: Release) -> dict[str, pd.DataFrame]:
    """Rows that count under each edition, by its name; see `suite_rows`."""
    return {edition.edition: suite_rows(release, edition) for edition in editions()}
