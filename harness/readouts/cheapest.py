"""The network of a series that takes the least energy of those that are accurate enough."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from harness.readouts.fronts import LEAST_NETWORKS
from harness.readouts.points import Point, Series, all_series, by_dataset
from harness.readouts.uncertain import are_tied
from harness.releases import Release
from harness.schema.readouts import CheapestRecord

STEP_PERCENT: Final = 5
"""Between the minimum accuracies that are published; every other one is read from the front."""


@dataclass(frozen=True, slots=True)
class Cheapest:
    """The cheapest network at a minimum accuracy.

    Attributes:
        point: the network.
        runner_up: the next one in energy; None where no other is accurate enough.
        is_tied: whether the energies of the two differ by no more than their uncertainty; None where one is unknown
            or there is no other.
        n_networks: networks that are accurate enough.
    """

    point: Point
    runner_up: Point | None
    is_tied: bool | None
    n_networks: int


def cheapest(points: Sequence[Point], min_accuracy: float, max_latency_ms: float | None = None) -> Cheapest | None:
    """Cheapest network of at least an accuracy, and of at most a latency; None where there is none.

    Of equal energies the more accurate one counts.

    Args:
        points: networks of one series, whose accuracies are on the same data set.
        min_accuracy: least accuracy in percent.
        max_latency_ms: longest duration of one inference; a network of unknown latency is then left out.
    """
    enough = sorted(
        (
            point
            for point in points
            if point.accuracy_percent is not None
            and point.accuracy_percent >= min_accuracy
            and (max_latency_ms is None or (point.latency_ms is not None and point.latency_ms <= max_latency_ms))
        ),
        key=lambda point: (point.energy_mj, -(point.accuracy_percent or 0), point.record_id),
    )
    if not enough:
        return None
    best, *others = enough
    runner_up = others[0] if others else None
    return Cheapest(best, runner_up, None if runner_up is None else are_tied(best, runner_up), len(enough))


def minimum_accuracies(points: Sequence[Point]) -> tuple[int, ...]:
    """Multiples of `STEP_PERCENT` from the last that all networks reach to the last that any reaches, in percent.

    >>> from harness.readouts.points import Network
    >>> point = Point("a", "b/c", Network("m", None, None, "int8"), "f", 1.0, accuracy_percent=62.5)
    >>> minimum_accuracies([point])
    (60,)
    """
    accuracies = [point.accuracy_percent for point in points if point.accuracy_percent is not None]
    if not accuracies:
        return ()
    lowest, highest = (math.floor(of(accuracies) / STEP_PERCENT) * STEP_PERCENT for of in (min, max))
    return tuple(range(lowest, highest + 1, STEP_PERCENT))


def cheapest_networks(release: Release) -> list[CheapestRecord]:
    """Cheapest network at each minimum accuracy, by series, data set and accuracy."""
    return [
        _record(series, dataset, min_accuracy, found)
        for series, of_series in all_series(release).items()
        for dataset, points in by_dataset(of_series)
        if len(points) >= LEAST_NETWORKS
        for min_accuracy, found in _steps(points)
    ]


def _steps(points: Sequence[Point]) -> Iterator[tuple[int, Cheapest]]:
    for min_accuracy in minimum_accuracies(points):
        found = cheapest(points, min_accuracy)
        if found is not None:
            yield min_accuracy, found


def _record(series: Series, dataset: str, min_accuracy: int, found: Cheapest) -> CheapestRecord:
    point = found.point
    tied = found.runner_up if found.is_tied else None
    return CheapestRecord(
        **series._asdict(),
        **point.network._asdict(),
        accuracy_dataset=dataset,
        min_accuracy_percent=min_accuracy,
        n_networks=found.n_networks,
        record_id=point.record_id,
        family=point.family,
        accuracy_percent=point.accuracy_percent,
        energy_mj=point.energy_mj,
        energy_u_mj=point.energy_u_mj,
        latency_ms=point.latency_ms,
        is_tied=found.is_tied,
        runner_up_record_id=None if tied is None else tied.record_id,
        runner_up_model=None if tied is None else tied.network.model,
        runner_up_dtype=None if tied is None else tied.network.dtype,
        runner_up_energy_mj=None if tied is None else tied.energy_mj,
    )
