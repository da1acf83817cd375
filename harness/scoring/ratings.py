"""Ratings: every system of a release under every edition that rates it, or the reason why there is none."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import pandas as pd

from harness.releases import Release
from harness.schema.vocabulary import RATED_TIERS, Boundary, Tier
from harness.scoring.editions import Edition, editions
from harness.scoring.formulas import energy_index, iecs, pcs
from harness.scoring.suite import INTERVAL_TITLES, Interval, suites


@dataclass(frozen=True, slots=True)
class NetworkFigure:
    """Best energy of a system on one network of the suite.

    Attributes:
        energy_mj: lowest energy per inference over the delegates, in mJ.
        delegate: delegate that reached it.
        low_mj: energy less its expanded uncertainty, or its lowest run, in mJ; the energy itself where neither is
            known.
        high_mj: energy with its expanded uncertainty, or its highest run, in mJ.
        interval: what the two rest on; None where neither is known.
    """

    network: str
    title: str
    energy_mj: float
    delegate: str
    low_mj: float
    high_mj: float
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Rating:
    """Scores and class of one device under one edition; what is undefined is None.

    Attributes:
        device_id: device, such as a board.
        name: name of the device.
        system_id: system that is rated, the device with stack and settings; the device itself where none are declared.
        system: name of the system.
        edition: None where the system ran no edition's suite.
        pcs: power consumption score, unrounded.
        iecs: inferences per joule summed over the suite, unrounded.
        energy_index: 100 is the median device of the edition; lower is better.
        energy_index_low: index of all lower bounds; None where no network has an interval.
        energy_index_high: index of all upper bounds.
        intervals: what the intervals of the networks rest on.
        label: class letter.
        label_range: classes that the interval of the index touches, best first.
        boundary: what the energies are of; None where the device ran no edition's suite.
        rank: place by energy index among rated devices of the edition, tier and boundary; ties share it.
        reason: why the device has no class.
        networks: best figure of every network, in the order of the suite.
        record_ids: rows that the figures come from.
        submission_ids: submissions that those rows belong to.
    """

    device_id: str
    name: str
    system_id: str
    system: str
    edition: str | None
    tier: Tier | None
    boundary: Boundary | None = None
    reason: str | None = None
    pcs: float | None = None
    pcs_published: float | None = None
    iecs: float | None = None
    iecs_published: float | None = None
    energy_index: float | None = None
    energy_index_low: float | None = None
    energy_index_high: float | None = None
    intervals: tuple[Interval, ...] = ()
    label: str | None = None
    label_range: tuple[str, ...] = ()
    rank: int | None = None
    networks: tuple[NetworkFigure, ...] = ()
    record_ids: tuple[str, ...] = field(default=(), repr=False)
    submission_ids: tuple[str, ...] = field(default=(), repr=False)

    @property
    def label_text(self) -> str | None:
        """Class as printed: two classes where the interval straddles a border."""
        return "/".join(self.label_range) or None

    @property
    def interval_title(self) -> str | None:
        """What the interval of the index rests on, in words."""
        return INTERVAL_TITLES.get(self.intervals)

    def as_json(self) -> dict[str, Any]:
        """Figures as `deepen score --format json` and the static API give them.

        PCS is rounded to an integer and IECS and the energy index to one decimal, as they are printed;
        `unrounded` holds all digits.
        """
        return {
            "device_id": self.device_id,
            "name": self.name,
            "system_id": self.system_id,
            "system": self.system,
            "edition": self.edition,
            "tier": self.tier,
            "boundary": self.boundary,
            "pcs": None if self.pcs is None else round(self.pcs),
            "pcs_published": self.pcs_published,
            "iecs": _rounded(self.iecs, 1),
            "iecs_published": self.iecs_published,
            "energy_index": _rounded(self.energy_index, 1),
            "energy_index_low": _rounded(self.energy_index_low, 1),
            "energy_index_high": _rounded(self.energy_index_high, 1),
            "intervals": list(self.intervals),
            "label": self.label,
            "label_range": list(self.label_range),
            "rank": self.rank,
            "reason": self.reason,
            "unrounded": {"pcs": self.pcs, "iecs": self.iecs, "energy_index": self.energy_index},
        }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def rate(release: Release, places: Mapping[str, pd.DataFrame] | None = None) -> list[Rating]:
    """Rate every system of a release, in the order edition, rank, system; unrated systems last.

    Args:
        places: `suites` of the release, where they are known already.
    """
    places = suites(release) if places is None else places
    systems = _systems(release)
    ratings = [
        rating for edition in editions() for rating in _rate_edition(release, edition, places[edition.edition], systems)
    ]
    rated = {rating.system_id for rating in ratings}
    ratings += [
        system.rating(None, None, reason=_why_no_suite(system.device_class, system.tiers))
        for system_id, system in systems.items()
        if system_id not in rated
    ]
    return ratings


@dataclass(frozen=True, slots=True)
class _System:
    """Names of a system, what scores need of its device, and the tiers of its submissions."""

    device_id: str
    name: str
    system_id: str
    system: str
    device_class: str
    tdp_w: float | None
    tiers: set[Tier]

    def rating(self, edition: str | None, tier: Tier | None, reason: str | None = None) -> Rating:
        """Rating without figures."""
        return Rating(self.device_id, self.name, self.system_id, self.system, edition, tier, reason=reason)


def _systems(release: Release) -> dict[str, _System]:
    """Every system of a release, by id in their order."""
    devices = {device["device_id"]: device for device in release.devices.to_pylist()}
    found: dict[str, _System] = {}
    for row in release.submissions.sort_by("system_id").to_pylist():
        device, system_id = devices[row["device_id"]], row["system_id"]
        names = (row["device_id"], device["name"], system_id, row["system"])
        found.setdefault(system_id, _System(*names, device["device_class"], device["tdp_w"], set())).tiers.add(
            row["tier"]
        )
    return found


def _why_no_suite(device_class: str, tiers: Collection[Tier]) -> str:
    if not set(tiers) & set(RATED_TIERS):
        return "only simulated or estimated rows, which are never labelled"
    suites = [f"{edition.edition}: {edition.suite}" for edition in editions() if device_class in edition.device_classes]
    if not suites:
        return f"no edition rates a device of class {device_class}"
    return f"no absolute figure of a rated suite ({'; '.join(suites)})"


def _rate_edition(
    release: Release, edition: Edition, places: pd.DataFrame, systems: Mapping[str, _System]
) -> list[Rating]:
    published = {
        row["system_id"]: row for row in release.submissions.to_pylist() if row["scores_edition"] == edition.edition
    }
    ratings = [
        _rate_system(of_place, edition, systems[str(system_id)], published.get(str(system_id), {}))
        for (system_id, _, _), of_place in places.groupby(["system_id", "tier", "boundary"], sort=True)
    ]
    return _rank(ratings)


def _rate_system(rows: pd.DataFrame, edition: Edition, system: _System, published: Mapping[str, Any]) -> Rating:
    """Rating of the rows of one system, which are of one tier and boundary."""
    networks = tuple(_figures(rows, edition))
    unrated = replace(
        system.rating(edition.edition, rows["tier"].iloc[0]),
        boundary=rows["boundary"].iloc[0],
        pcs_published=published.get("pcs_published"),
        iecs_published=published.get("iecs_published"),
        networks=networks,
        record_ids=tuple(sorted(record for ids in rows["record_ids"] for record in ids)),
        submission_ids=tuple(sorted({submission for ids in rows["submission_ids"] for submission in ids})),
    )
    if len(networks) < edition.min_networks:
        n_suite = len(edition.networks)
        reason = f"{len(networks)} of {n_suite} networks have an absolute figure; {edition.min_networks} needed"
        return replace(unrated, reason=reason)
    index = energy_index({figure.network: figure.energy_mj for figure in networks}, edition.references)
    low, high = _interval(networks, edition)
    powers = rows["power_mw"].dropna()
    tdp_w = system.tdp_w
    has_scores = edition.has_pcs_and_iecs
    label = edition.class_of(index)
    return replace(
        unrated,
        pcs=pcs(powers, tdp_w) if has_scores and tdp_w is not None and len(powers) else None,
        iecs=iecs(rows["energy_mj"]) if has_scores else None,
        energy_index=index,
        energy_index_low=low,
        energy_index_high=high,
        intervals=tuple(kind for kind in get_args(Interval) if any(figure.interval == kind for figure in networks)),
        label=label,
        label_range=(label,) if low is None or high is None else _classes_between(edition, low, high),
    )


def _figures(rows: pd.DataFrame, edition: Edition) -> Iterable[NetworkFigure]:
    for network in edition.networks:
        of_network = rows[rows["network"] == network.id]
        if len(of_network):
            best = of_network.sort_values("energy_mj", kind="stable").iloc[0]
            yield NetworkFigure(
                network=network.id,
                title=network.title,
                energy_mj=float(best["energy_mj"]),
                delegate=str(best["delegate"]),
                low_mj=float(best["low_mj"]),
                high_mj=float(best["high_mj"]),
                interval=best["interval"] or None,
            )


def _interval(networks: Iterable[NetworkFigure], edition: Edition) -> tuple[float, float] | tuple[None, None]:
    """Index of all lower and of all upper bounds.

    It is the expanded uncertainty of the index where the errors of all networks are the same, as those of one meter
    are, and wider otherwise.

    Source:
        JCGM 100:2008, 5.2.2, correlation coefficients of 1.
    """
    if not any(figure.interval for figure in networks):
        return None, None
    lows = {figure.network: figure.low_mj for figure in networks}
    highs = {figure.network: figure.high_mj for figure in networks}
    return energy_index(lows, edition.references), energy_index(highs, edition.references)


def _classes_between(edition: Edition, low: float, high: float) -> tuple[str, ...]:
    classes = edition.classes
    first, last = classes.index(edition.class_of(low)), classes.index(edition.class_of(high))
    return classes[first : last + 1]


def _rank(ratings: list[Rating]) -> list[Rating]:
    """Ratings with ranks by energy index within tier and boundary, ordered by these, rank and system."""
    ranked = []
    for rating in ratings:
        rank = None
        if rating.energy_index is not None:
            peers = [peer for peer in ratings if _group(peer) == _group(rating)]
            rank = 1 + sum(peer.energy_index < rating.energy_index for peer in peers if peer.energy_index is not None)
        ranked.append(replace(rating, rank=rank))
    return sorted(ranked, key=lambda rating: (*_group(rating), rating.rank or len(ranked) + 1, rating.system_id))


def _group(rating: Rating) -> tuple[str, str]:
    return rating.tier or "", rating.boundary or ""
