"""The rows of a release that an edition rates: one figure for each device, tier, network and delegate.

It selects and ranks; it knows no formula and no class border.
"""

import re

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from harness.releases import Release
from harness.schema.vocabulary import RATED_TIERS
from harness.scoring.editions import Edition, editions

_PLACE = ["device_id", "tier", "network", "delegate"]


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
        One row per device, tier, network and delegate, sorted by these: `energy_mj`, `power_mw` (missing where
        unknown), `latency_ms`, `low_mj` and `high_mj` (the energy itself where no spread is known), `has_spread`,
        `energy_rank`, `power_rank` (1 is lowest, ties share a rank, among devices of the same tier), `record_ids` and
        `submission_ids`.
    """
    table = release.levels[edition.level].to_pandas().rename(columns={edition.network_column: "network"})
    wanted = (
        table["device_id"].isin(_device_ids_of(release, edition))
        & table["network"].isin(list(edition.references))
        & ~table["is_idle_subtracted"].astype(bool)
        & table["tier"].isin(RATED_TIERS)
        & (table["batch_size"] == 1)
    )
    rows = table[wanted].copy()
    rows["round"] = rows["rounds"].map(_round_order)
    latest = rows.groupby(_PLACE)["round"].transform("max") if len(rows) else rows["round"]
    rows = rows[rows["round"] == latest]
    rows["has_spread"] = rows["energy_min_mj"].notna() & rows["energy_max_mj"].notna()
    rows["low_mj"] = rows["energy_min_mj"].fillna(rows["energy_mj"])
    rows["high_mj"] = rows["energy_max_mj"].fillna(rows["energy_mj"])
    places: pd.DataFrame = rows.groupby(_PLACE, as_index=False, sort=True).agg(
        energy_mj=("energy_mj", "median"),
        power_mw=("power_mw", "median"),
        latency_ms=("latency_ms", "median"),
        low_mj=("low_mj", "min"),
        high_mj=("high_mj", "max"),
        has_spread=("has_spread", "any"),
        record_ids=("record_id", lambda ids: tuple(sorted(ids))),
        submission_ids=("submission_id", lambda ids: tuple(sorted(set(ids)))),
    )
    peers = places.groupby(["tier", "network", "delegate"])
    places["energy_rank"] = peers["energy_mj"].rank(method="min")
    places["power_rank"] = peers["power_mw"].rank(method="min")
    return places


def suites(release: Release) -> dict[str, pd.DataFrame]:
    """Rows that count under each edition, by its name; see `suite_rows`."""
    return {edition.edition: suite_rows(release, edition) for edition in editions()}
