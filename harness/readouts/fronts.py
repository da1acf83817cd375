"""Fronts of accuracy, energy and latency: networks of a series that no other network of it dominates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from harness.readouts.points import Point, Series, all_series, by_dataset
from harness.readouts.uncertain import are_tied
from harness.releases import Release
from harness.schema.readouts import FrontRecord

LEAST_NETWORKS: Final = 2
"""Networks that a published front compares at least."""

Costs = Callable[[Point], tuple[float, ...]]
"""What a point costs; lower is better in each, and an accuracy counts as what lacks."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A network with its place among those of its series.

    Attributes:
        point: the network.
        is_on_energy_front: whether none is at least as accurate for as little energy, and better in one of the two.
        is_on_latency_front: the same of accuracy and latency; None where the latency is unknown.
        is_on_front: the same of accuracy, energy and latency; None where the latency is unknown.
        is_tied: whether it is off the energy front only by energies within the uncertainty of their difference; None
            where it is off and an uncertainty is unknown.
    """

    point: Point
    is_on_energy_front: bool
    is_on_latency_front: bool | None
    is_on_front: bool | None
    is_tied: bool | None

    @property
    def is_shown(self) -> bool:
        """Whether it is on a front, or tied with one."""
        return bool(self.is_on_energy_front or self.is_on_latency_front or self.is_on_front or self.is_tied)


def dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether costs are nowhere higher than others and somewhere lower.

    >>> dominates((1, 2), (1, 3)), dominates((1, 2), (1, 2)), dominates((1, 2), (2, 1))
    (True, False, False)
    """
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def placed(points: Sequence[Point]) -> list[Placed]:
    """Every network with its place, most accurate first, of the equally accurate ones the cheapest.

    Args:
        points: networks of one series, whose accuracies are on the same data set.

    Source:
        Miettinen, Nonlinear Multiobjective Optimization, 1999, definition 2.2.1: Pareto optimality.
    """
    timed = [point for point in points if point.latency_ms is not None]
    on_energy = _undominated(points, _accuracy_energy)
    on_latency, on_all = _undominated(timed, _accuracy_latency), _undominated(timed, _all_costs)
    result = [
        Placed(
            point=point,
            is_on_energy_front=point.record_id in on_energy,
            is_on_latency_front=None if point.latency_ms is None else point.record_id in on_latency,
            is_on_front=None if point.latency_ms is None else point.record_id in on_all,
            is_tied=False if point.record_id in on_energy else _is_tied(point, points),
        )
        for point in points
    ]
    return sorted(result, key=lambda place: (*_accuracy_energy(place.point), place.point.record_id))


def _undominated(points: Sequence[Point], costs: Costs) -> set[str]:
    """Record ids of the points that none dominates."""
    front: list[tuple[tuple[float, ...], str]] = []
    # What dominates a point comes before it in this order, and is on the front or dominated by a point of it.
    for own, record_id in sorted((costs(point), point.record_id) for point in points):
        if not any(dominates(other, own) for other, _ in front):
            front.append((own, record_id))
    return {record_id for _, record_id in front}


def _accuracy_energy(point: Point) -> tuple[float, ...]:
    return -_known(point.accuracy_percent), point.energy_mj


def _accuracy_latency(point: Point) -> tuple[float, ...]:
    return -_known(point.accuracy_percent), _known(point.latency_ms)


def _all_costs(point: Point) -> tuple[float, ...]:
    return *_accuracy_energy(point), _known(point.latency_ms)


def _known(value: float | None) -> float:
    if value is None:
        raise ValueError("a front needs points with an accuracy, and one of latencies points with a latency")
    return value


def _is_tied(point: Point, points: Sequence[Point]) -> bool | None:
    """Whether every network that dominates a point in accuracy and energy is tied with it."""
    accuracy, energy_mj = _known(point.accuracy_percent), point.energy_mj
    as_good = (other for other in points if other.energy_mj <= energy_mj and _known(other.accuracy_percent) >= accuracy)
    own = _accuracy_energy(point)
    ties = {are_tied(point, other) for other in as_good if _accuracy_energy(other) != own}
    return False if False in ties else None if None in ties else True


def fronts(release: Release) -> list[FrontRecord]:
    """Networks on a front of their series, or tied with one, by series, data set and accuracy."""
    return [
        _record(series, dataset, len(points), place)
        for series, of_series in all_series(release).items()
        for dataset, points in by_dataset(of_series)
        if len(points) >= LEAST_NETWORKS
        for place in placed(points)
        if place.is_shown
    ]


def _record(series: Series, dataset: str, n_networks: int, place: Placed) -> FrontRecord:
    point = place.point
    return FrontRecord(
        **series._asdict(),
        **point.network._asdict(),
        accuracy_dataset=dataset,
        n_networks=n_networks,
        record_id=point.record_id,
        family=point.family,
        accuracy_percent=_known(point.accuracy_percent),
        energy_mj=point.energy_mj,
        energy_u_mj=point.energy_u_mj,
        latency_ms=point.latency_ms,
        is_on_energy_front=place.is_on_energy_front,
        is_on_latency_front=place.is_on_latency_front,
        is_on_front=place.is_on_front,
        is_tied=place.is_tied,
    )
