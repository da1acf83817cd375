"""Rated energies that are those of another device, or that no device would have: copies, factors, ratios, places."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from harness.review.change import Change
from harness.review.known import DESCRIBING, FEWEST_SHARED, Known, known_of, lowest_of, rated_rows
from harness.schema.campaign import Campaign
from harness.schema.records import KEYS, SHARED_KEY
from harness.schema.vocabulary import LEVELS, Level
from harness.scoring.editions import Edition, editions

SAME: Final = 0.01
"""Relative difference of energies that two devices never share in several networks; repeats of one differ by more."""
ALIKE: Final = 0.02
"""Spread of the energies of different networks, whose references differ by factors."""
SCALED: Final = 0.003
"""Spread of ratios to another device where too few are known to compute one; digits explain less."""
MANY: Final = 10
MANY_SCALED: Final = 0.05
"""Spread of as many ratios, of any networks or kernels; of two known devices it is at least twice that."""
FEWEST_DIGITS: Final = 3
LEAST_EQUAL: Final = 0.1
"""Share of energies that are those of other devices to the last digit; by chance it is one in hundreds."""
FEWEST_COPIED: Final = 3
FACTOR: Final = 2.0
"""Beyond all known devices, before a reviewer is asked."""
PAIR_SLACK: Final = 0.1
"""Share by which the ratio of two data types may fall below that of every known device."""
_SAME_DEVICE: Final = "Is it another measurement of this device, or theirs? A reviewer asks for the traces."
_OTHER_DEVICE: Final = "Is it the same device under another name? A reviewer asks for the traces."
_NARROW: Final = frozenset({"int8", "int4", "int16"})
Key = tuple[str, ...]


class _Places(NamedTuple):
    """Lowest energy of every rated system (rows) and network (columns), before the change and with it."""

    before: pd.DataFrame
    now: pd.DataFrame


def check_copies(change: Change) -> None:
    """Every rule of the subject `copies`."""
    energies = _Tables()
    for campaign in change.campaigns:
        with change.contained(campaign.submission_id):
            for level in LEVELS:
                _check_same_rows(campaign, level, energies, change)
    for edition in editions():
        known = known_of(edition, change.earlier)
        places = _Places(lowest_of(change.earlier, edition), lowest_of(change.now, edition))
        for campaign in change.campaigns:
            with change.contained(campaign.submission_id):
                rows = [cells for _, cells in rated_rows(change, campaign, edition)]
                if rows:
                    _check_rated(rows, campaign, known, places, change)


def _report(rule: str, campaign: Campaign, level: Level, change: Change, **words: Any) -> None:
    file = change.shown(f"{campaign.submission_id}/{level}.csv")
    change.faults.add(rule, file, column="energy_mj", is_value=False, **words)


def _check_same_rows(campaign: Campaign, level: Level, energies: "_Tables", change: Change) -> None:
    """rows-copied, rows-scaled: at any level, energies of others, by one factor or number by number.

    A second campaign of the same people on a device may hold rows of the first; `measured-again` and the repeats of
    validation are about those. Others who measure the same device may well find one factor, but not the same energies.
    """
    own = energies.of(campaign, level)
    if len(own) < FEWEST_COPIED:
        return
    equal: dict[Key, str] = {}
    for other in change.now.campaigns:
        is_same_device = other.device_id == campaign.device_id
        if other.submission_id == campaign.submission_id or level not in other.tables:
            continue
        if is_same_device and set(other.manifest.contributors) & set(campaign.manifest.contributors):
            continue
        theirs = energies.of(other, level)
        shared = [key for key in own if key in theirs]
        equal |= {key: other.submission_id for key in shared if own[key] == theirs[key] and _has_digits(own[key])}
        same = [key for key in shared if abs(own[key] / theirs[key] - 1) <= SAME]
        if len(same) >= FEWEST_COPIED and len(same) > len(shared) / 2:
            found = f"{len(same)} of {len(shared)} energies within {SAME:.0%} of those of {other.submission_id}"
            _report_copied(campaign, level, found, change, fix=_SAME_DEVICE if is_same_device else _OTHER_DEVICE)
            return
        if not is_same_device and _is_scaled(np.array([own[key] / theirs[key] for key in shared])):
            factor = np.exp(np.mean([np.log(own[key] / theirs[key]) for key in shared]))
            found = f"{len(shared)} energies that are {factor:.4g} times those of {other.submission_id}"
            _report_scaled(campaign, level, found, "ratios that differ", change)
            return
    if len(equal) >= max(FEWEST_COPIED, LEAST_EQUAL * len(own)):
        owners = sorted(set(equal.values()))
        shown = f"{', '.join(owners[:FEWEST_COPIED])}{' and others' if len(owners) > FEWEST_COPIED else ''}"
        _report_copied(campaign, level, f"{len(equal)} of {len(own)} energies, each that of {shown}", change)


def _report_copied(campaign: Campaign, level: Level, found: str, change: Change, *, fix: str = _OTHER_DEVICE) -> None:
    _report("rows-copied", campaign, level, change, found=found, expected="energies of its own", fix=fix)


def _report_scaled(campaign: Campaign, level: Level, found: str, expected: str, change: Change) -> None:
    fix = "No two known devices are as near. A reviewer asks for the traces."
    _report("rows-scaled", campaign, level, change, found=found, expected=expected, fix=fix)


def _is_scaled(ratios: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> bool:
    """Whether the energies of two devices differ by one factor; few of a family of networks may do so by chance."""
    if len(ratios) <= FEWEST_SHARED:
        return False
    spread = float(np.log(ratios).std(ddof=1))
    return spread <= (MANY_SCALED if len(ratios) >= MANY else SCALED)


def _has_digits(energy: float) -> bool:
    """Whether an energy has digits enough to be no other one's by chance.

    >>> _has_digits(171.5), _has_digits(20.0)
    (True, False)
    """
    return len(f"{energy:.12g}".partition("e")[0].replace(".", "").strip("0")) >= FEWEST_DIGITS


class _Tables:
    """Energies of campaigns, each read once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Level], dict[Key, float]] = {}

    def of(self, campaign: Campaign, level: Level) -> dict[Key, float]:
        """Energy of each configuration, without the delegate, whose name is the submitter's."""
        place = campaign.submission_id, level
        if place not in self._found:
            self._found[place] = _energies(campaign, level)
        return self._found[place]


def _energies(campaign: Campaign, level: Level) -> dict[Key, float]:
    table = campaign.tables.get(level)
    if table is None:
        return {}
    names = [name for name in (*KEYS[level], *SHARED_KEY) if name not in ("delegate", "dtype")]
    columns = [table.column(name).to_pylist() for name in names]
    energies = table.column("energy_mj").to_pylist()
    found: dict[Key, float] = {}
    for *key, energy in zip(*columns, energies, strict=True):
        found[tuple(map(str, key))] = min(energy, found.get(tuple(map(str, key)), energy))
    return found


def _check_rated(
    rows: list[dict[str, Any]], campaign: Campaign, known: Known, places: "_Places", change: Change
) -> None:
    """networks-alike, rows-scaled, network-ratio, class-percentile, dtype-ratio."""
    edition = known.edition
    cells = pd.DataFrame(rows)
    networks = [edition.network_of(row) for row in rows]
    energies = cells.groupby(networks)["energy_mj"].min().reindex(list(edition.references))
    if energies.count() >= FEWEST_SHARED:
        logs = np.log(energies.dropna())
        if float(logs.max() - logs.min()) <= ALIKE:
            _report(
                "networks-alike", campaign, edition.level, change,
                found=f"{len(logs)} networks between {energies.min():g} and {energies.max():g} mJ",
                expected="energies that differ as the networks do",
                fix="Is each figure that of its own network? A reviewer asks how it was measured.",
            )  # fmt: skip
        else:
            _check_factor(energies, campaign, known, places.now, change)
            _check_ratios(energies, campaign, known, change)
        _check_percentile(energies, campaign, edition, places.before, change)
    for found, expected in _narrow_pairs(cells, known, change):
        fix = "Was the wider one run as the narrower? A reviewer asks for the model file."
        _report("dtype-ratio", campaign, edition.level, change, found=found, expected=expected, fix=fix)


def _check_factor(
    energies: "pd.Series[float]", campaign: Campaign, known: Known, now: pd.DataFrame, change: Change
) -> None:
    """rows-scaled: one factor from another device, or from the references, to every network."""
    sources = now[now.index != campaign.system_id].copy()
    name_of_references = f"the references of {known.edition.edition}"
    sources.loc[name_of_references] = pd.Series(known.edition.references)
    ratios = -sources.div(energies, axis=1).map(np.log)
    means, spreads = ratios.mean(axis=1), ratios.std(axis=1)
    within = pd.Series(SCALED if known.alike_within is None else known.alike_within, index=sources.index)
    within[name_of_references] = SCALED if known.flat_within is None else known.flat_within
    # A copy without a factor is reported as one.
    is_plain = (means.abs() <= SAME) & (means.index != name_of_references)
    is_scaled = (ratios.count(axis=1) >= FEWEST_SHARED) & (spreads <= within) & ~is_plain
    if is_scaled.any():
        name = str(spreads[is_scaled].idxmin())
        found = f"{ratios.loc[name].count()} energies that are {np.exp(means[name]):.4g} times those of {name}, "
        found += f"within {spreads[name]:.1%}"
        _report_scaled(
            campaign, known.edition.level, found, f"ratios that differ by more than {within[name]:.1%}", change
        )


def _check_ratios(energies: "pd.Series[float]", campaign: Campaign, known: Known, change: Change) -> None:
    """network-ratio: one network far from the others, further than of any known device."""
    if len(known.energies) < FEWEST_SHARED:
        return
    ratios = np.log(energies / pd.Series(known.edition.references))
    own = ratios - ratios.median()
    slack = np.log(FACTOR)
    for network, deviation in own.dropna().items():
        least, most = known.bounds_of(str(network))
        low, high = least - slack, most + slack
        if low <= deviation <= high:
            continue
        _report(
            "network-ratio", campaign, known.edition.level, change,
            found=f"{network} at {np.exp(deviation):.3g} of the median network of this device",
            expected=f"{np.exp(low):.3g} to {np.exp(high):.3g}, a factor of {FACTOR:g} around the founding devices",
            fix="Is it the same network, delegate and batch as the others? A reviewer asks how it was measured.",
        )  # fmt: skip


def _check_percentile(
    energies: "pd.Series[float]", campaign: Campaign, edition: Edition, before: pd.DataFrame, change: Change
) -> None:
    """class-percentile: better than every published device by a factor over the suite."""
    others = before[before.index != campaign.system_id]
    if not len(others):
        return
    references = pd.Series(edition.references)
    own = float(np.log(energies / references).mean())
    best = np.log(others / references).mean(axis=1)
    if own >= float(best.min()) - np.log(FACTOR):
        return
    _report(
        "class-percentile", campaign, edition.level, change,
        found=f"{np.exp(own):.3g} of the references, mean over {energies.count()} networks",
        expected=f"at least half of {np.exp(best.min()):.3g}, of {best.idxmin()}, the best of {len(best)} devices",
        fix="A reviewer asks what makes it better than every device of its class; the rows stay.",
    )  # fmt: skip


def _narrow_pairs(cells: pd.DataFrame, known: Known, change: Change) -> Iterator[tuple[str, str]]:
    """Networks that need as little in fp32 as in int8, less than of any founding device."""
    edition = known.edition
    column = edition.network_column
    described = [name for name in DESCRIBING.get(edition.level, ()) if name != "dtype"]
    if edition.level != "applications":
        return
    founding = change.earlier.release.levels[edition.level].to_pandas()
    founding = founding[founding["submission_id"].isin(edition.founding)]
    names = cells.drop_duplicates(column)
    for (_, wide), (_, narrow) in combinations(names.iterrows(), 2):
        if {wide["dtype"], narrow["dtype"]} & _NARROW and narrow["dtype"] != wide["dtype"]:
            if any(wide[name] != narrow[name] for name in described):
                continue
            first, second = (wide, narrow) if narrow["dtype"] in _NARROW else (narrow, wide)
            least = _least_ratio(founding, column, str(first[column]), str(second[column]))
            own = _least_ratio(cells, column, str(first[column]), str(second[column]))
            if least is not None and own is not None and own < least * (1 - PAIR_SLACK):
                found = f"{first[column]} in {first['dtype']} at {own:.3g} times {second[column]} in {second['dtype']}"
                yield found, f"at least {least:.3g} times, as of the founding devices"


def _least_ratio(rows: pd.DataFrame, column: str, wide: str, narrow: str) -> float | None:
    """Lowest ratio of the energies of two networks on one delegate of one system."""
    keys = [name for name in ("system_id", "delegate") if name in rows]
    by_place = rows.groupby([*keys, column])["energy_mj"].min().unstack()
    if not {wide, narrow} <= set(by_place.columns):
        return None
    ratios = (by_place[wide] / by_place[narrow]).dropna()
    return float(ratios.min()) if len(ratios) else None
