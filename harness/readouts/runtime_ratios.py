"""Energy of one runtime over that of another, for the networks that both ran on one board."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Any, Final, NamedTuple

from harness.readouts.points import Point, Series, all_series
from harness.readouts.uncertain import are_tied
from harness.releases import Release
from harness.schema.readouts import RuntimeRatioRecord
from harness.schema.vocabulary import Boundary, Dtype, Tier

LEAST_COMMON: Final = 3
"""Networks that two runtimes must have in common, so that a median and extremes are of several."""
_SETTINGS: Final = ("submitter", "clock_mhz", "core_mv", "power_mode", "fan", "threads")
"""What two systems must have in common so that their stacks are what differs."""


class Place(NamedTuple):
    """What two runtimes have in common that are compared; the settings are those of the submissions."""

    device_id: str
    round: str
    tier: Tier
    boundary: Boundary
    settings: tuple[Any, ...]


class _Pair(NamedTuple):
    """One network by two runtimes."""

    a: Point
    b: Point

    @property
    def energy_ratio(self) -> float:
        return self.b.energy_mj / self.a.energy_mj

    @property
    def latency_ratio(self) -> float | None:
        if self.a.latency_ms is None or self.b.latency_ms is None:
            return None
        return self.b.latency_ms / self.a.latency_ms


@dataclass(frozen=True, slots=True)
class Ratio:
    """Energy by runtime b over that by runtime a, over the networks of one data type that both ran.

    Attributes:
        n_networks: the networks.
        median: median of the ratios.
        lowest: lowest ratio.
        highest: highest ratio.
        lowest_model: network of the lowest ratio.
        highest_model: network of the highest ratio.
        latency_median: median of the ratios of the latencies; None where a latency is unknown.
        share_b_better: share of the networks that take less energy by b.
        share_tied: share of the networks whose energies differ by no more than their uncertainty; None where one is
            unknown.
        share_disagreeing: share of the networks of which one runtime takes less energy and the other is as fast or
            faster; None where a latency is unknown.
    """

    n_networks: int
    median: float
    lowest: float
    highest: float
    lowest_model: str
    highest_model: str
    latency_median: float | None
    share_b_better: float
    share_tied: float | None
    share_disagreeing: float | None


def ratio(a: Iterable[Point], b: Iterable[Point]) -> Ratio | None:
    """Ratio of the energies of the networks that two series share; None where they share fewer than `LEAST_COMMON`.

    A network whose supply voltage differs is not shared.

    Args:
        a: points of one data type.
        b: points of the same data type by another runtime.
    """
    of_b = {point.network: point for point in b}
    pairs = [_Pair(point, of_b[point.network]) for point in a if point.network in of_b]
    pairs = sorted((pair for pair in pairs if pair.a.supply_mv == pair.b.supply_mv), key=lambda pair: pair.energy_ratio)
    if len(pairs) < LEAST_COMMON:
        return None
    energies = [pair.energy_ratio for pair in pairs]
    latencies = [pair.latency_ratio for pair in pairs]
    timed = [(energy, latency) for energy, latency in zip(energies, latencies, strict=True) if latency is not None]
    is_timed = len(timed) == len(pairs)
    ties = [are_tied(pair.a, pair.b) for pair in pairs]
    return Ratio(
        n_networks=len(pairs),
        median=median(energies),
        lowest=energies[0],
        highest=energies[-1],
        lowest_model=pairs[0].a.network.model,
        highest_model=pairs[-1].a.network.model,
        latency_median=median(latency for _, latency in timed) if is_timed else None,
        share_b_better=_share([energy < 1 for energy in energies]),
        share_tied=None if None in ties else _share([bool(tie) for tie in ties]),
        share_disagreeing=_share([(energy < 1) != (latency < 1) for energy, latency in timed]) if is_timed else None,
    )


def _share(truths: Sequence[bool]) -> float:
    return sum(truths) / len(truths)


def runtime_ratios(release: Release) -> list[RuntimeRatioRecord]:
    """Ratio of every pair of runtimes on one board, by board, round and data type.

    Two runtimes are compared within one publication round only, by one submitter, with the same clock, voltage, power
    mode, fan and threads as far as these are stated: rounds differ by all of them. Rows without a round are in none.
    """
    found = []
    for place, runtimes in _by_place(release).items():
        for a, b in combinations(runtimes, 2):
            for dtype in sorted({point.network.dtype for point in runtimes[a]}):
                between = ratio(_of_dtype(runtimes[a], dtype), _of_dtype(runtimes[b], dtype))
                if between is not None:
                    found.append(_record(place, a, b, dtype, between))
    return found


def _of_dtype(points: Iterable[Point], dtype: Dtype) -> list[Point]:
    return [point for point in points if point.network.dtype == dtype]


def _by_place(release: Release) -> dict[Place, dict[Series, list[Point]]]:
    """Points of each series by what they have in common with those of other runtimes."""
    columns = ("submission_id", *_SETTINGS)
    settings = {row["submission_id"]: tuple(row[name] for name in _SETTINGS)
                for row in release.submissions.select(columns).to_pylist()}  # fmt: skip
    places: dict[Place, dict[Series, list[Point]]] = defaultdict(lambda: defaultdict(list))
    for series, points in all_series(release).items():
        if series.round is None:
            continue
        for point in points:
            place = Place(series.device_id, series.round, series.tier, series.boundary, settings[point.submission_id])
            places[place][series].append(point)
    return places


def _record(place: Place, a: Series, b: Series, dtype: Dtype, between: Ratio) -> RuntimeRatioRecord:
    return RuntimeRatioRecord(
        device_id=place.device_id,
        round=place.round,
        tier=place.tier,
        boundary=place.boundary,
        dtype=dtype,
        system_id_a=a.system_id,
        runtime_a=a.runtime,
        delegate_a=a.delegate,
        system_id_b=b.system_id,
        runtime_b=b.runtime,
        delegate_b=b.delegate,
        n_networks=between.n_networks,
        energy_ratio_median=between.median,
        energy_ratio_lowest=between.lowest,
        energy_ratio_highest=between.highest,
        lowest_model=between.lowest_model,
        highest_model=between.highest_model,
        latency_ratio_median=between.latency_median,
        share_b_better=between.share_b_better,
        share_tied=between.share_tied,
        share_disagreeing=between.share_disagreeing,
    )
