"""The facts of an energy label: all that it shows, and all that its verification hash covers.

A label is drawn from these facts and from nothing else; what they are in the drawing is decided elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.schema.vocabulary import BOUNDARY_TITLES, TIER_TITLES, Boundary, Tier
from harness.scoring.editions import Edition, SuiteNetwork, edition_named
from harness.scoring.ratings import NetworkFigure, Rating
from harness.scoring.suite import Interval


@dataclass(frozen=True, slots=True)
class NetworkFact:
    """One network of the suite; energies and delegate are None where it was not measured.

    Attributes:
        energy_mj: lowest energy per inference over the delegates, in mJ.
        energy_low_mj: energy less its expanded uncertainty, or its lowest run, in mJ; the energy itself where neither
            is known.
        energy_high_mj: energy with its expanded uncertainty, or its highest run, in mJ.
        interval: what the two rest on, `uncertainty` or `spread`; None where neither is known.
    """

    id: str
    title: str
    energy_mj: float | None = None
    energy_low_mj: float | None = None
    energy_high_mj: float | None = None
    interval: Interval | None = None
    delegate: str | None = None


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """One label.

    Attributes:
        device_id: device, such as a board.
        system_id: system that is rated.
        name: name of the system.
        note: maker, chip, clock and, for a system, its software.
        boundary: what the energies are of.
        boundary_title: the same in words, as the label prints it.
        rails: supply rails that were measured, where the boundary is rail or sum-of-rails.
        methods: how the submissions behind the figures got them.
        meters: meters that they name.
        scale: where networks, references and borders of the edition come from.
        label: class, or the classes that the interval of the index touches, best first and joined by `/`.
        energy_index_low: index of all lower bounds; None where no network has an interval.
        interval_title: what the interval of the index rests on, in words.
        borders: class to its inclusive upper border of the energy index, best class first.
        min_networks: networks that a device needs to be rated.
        record_ids: rows of the dataset that the figures come from, sorted.
    """

    device_id: str
    system_id: str
    name: str
    note: str
    tier: Tier
    tier_title: str
    boundary: Boundary
    boundary_title: str
    rails: tuple[str, ...]
    methods: tuple[str, ...]
    meters: tuple[str, ...]
    dataset_version: str
    edition: str
    edition_title: str
    scale: str
    borders: dict[str, float]
    last_class: str
    min_networks: int
    has_pcs_and_iecs: bool
    label: str
    energy_index: float
    energy_index_low: float | None
    energy_index_high: float | None
    interval_title: str | None
    pcs: float | None
    pcs_published: float | None
    iecs: float | None
    iecs_published: float | None
    networks: tuple[NetworkFact, ...]
    record_ids: tuple[str, ...] = field(repr=False)

    @property
    def signed(self) -> dict[str, Any]:
        """Every fact, as the API gives them and the verification hash covers them."""
        return asdict(self)

    @property
    def verification_hash(self) -> str:
        """Twelve hexadecimal digits of the SHA-256 of what is signed, as canonical JSON."""
        canonical = json.dumps(self.signed, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def label_facts(
    rating: Rating, note: str, submissions: Iterable[Mapping[str, Any]], dataset_version: str
) -> LabelFacts:
    """Facts of the label of a rating.

    Args:
        rating: a rating with a class.
        note: maker, chip, clock and software of the device in one line.
        submissions: rows of the submission table; those that the rating has no row of are passed over.
        dataset_version: version of the dataset that the rating was computed from.

    Raises:
        ValueError: the rating has no class.
    """
    if rating.edition is None or rating.tier is None or rating.energy_index is None or rating.label_text is None:
        raise ValueError(f"{rating.system_id} has no class, so it has no label")
    edition, boundary = edition_named(rating.edition), rating.boundary or "unstated"
    rated = [entry for entry in submissions if entry["submission_id"] in rating.submission_ids]
    return LabelFacts(
        device_id=rating.device_id,
        system_id=rating.system_id,
        name=rating.system,
        note=note,
        tier=rating.tier,
        tier_title=TIER_TITLES[rating.tier],
        boundary=boundary,
        boundary_title=BOUNDARY_TITLES[boundary],
        rails=tuple(sorted({rail for entry in rated for rail in entry["rails"]})),
        methods=tuple(sorted({entry["method"] for entry in rated})),
        meters=tuple(sorted({entry["meter"] for entry in rated if entry["meter"]})),
        dataset_version=dataset_version,
        edition=edition.edition,
        edition_title=edition.title,
        scale=edition.source,
        borders=edition.borders,
        last_class=edition.last_class,
        min_networks=edition.min_networks,
        has_pcs_and_iecs=edition.has_pcs_and_iecs,
        label=rating.label_text,
        energy_index=round(rating.energy_index, 6),
        energy_index_low=_rounded(rating.energy_index_low, 6),
        energy_index_high=_rounded(rating.energy_index_high, 6),
        interval_title=rating.interval_title,
        pcs=_rounded(rating.pcs, 6),
        pcs_published=rating.pcs_published,
        iecs=_rounded(rating.iecs, 6),
        iecs_published=rating.iecs_published,
        networks=_network_facts(rating, edition),
        record_ids=tuple(sorted(rating.record_ids)),
    )


def _network_facts(rating: Rating, edition: Edition) -> tuple[NetworkFact, ...]:
    figures = {figure.network: figure for figure in rating.networks}
    return tuple(_network_fact(network, figures.get(network.id)) for network in edition.networks)


def _network_fact(network: SuiteNetwork, figure: NetworkFigure | None) -> NetworkFact:
    if figure is None:
        return NetworkFact(network.id, network.title)
    return NetworkFact(
        id=network.id,
        title=network.title,
        energy_mj=round(figure.energy_mj, 9),
        energy_low_mj=round(figure.low_mj, 9),
        energy_high_mj=round(figure.high_mj, 9),
        interval=figure.interval,
        delegate=figure.delegate,
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
