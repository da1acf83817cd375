"""The rows of networks that read-outs compare: one point per network in each series of rows that belong together.

It selects; it compares nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from harness.releases import Release
from harness.schema.vocabulary import RATED_TIERS, Boundary, Dtype, Tier


class Series(NamedTuple):
    """What networks have in common that are compared: one system in one round, evidence and boundary.

    The runtime is part of the system, and keeps rows apart also where their submissions declare no system.

    Attributes:
        device_id: board or phone.
        system_id: the device with its stack and settings.
        runtime: runtime as the submissions state it.
        delegate: what ran the networks.
        round: publication round; None where the rows state none.
        tier: evidence.
        boundary: what the energies are of.
    """

    device_id: str
    system_id: str
    runtime: str
    delegate: str
    round: str | None
    tier: Tier
    boundary: Boundary

    @property
    def order(self) -> tuple[str, ...]:
        """What series are sorted by."""
        return tuple(part or "" for part in self)


class Network(NamedTuple):
    """What was run: the same on another system is the same network."""

    model: str
    variant: str | None
    input_shape: str | None
    dtype: Dtype


@dataclass(frozen=True, slots=True)
class Point:
    """One published row of a network; what it does not state is None.

    Attributes:
        record_id: the row.
        submission_id: submission that it belongs to.
        network: what was run.
        family: family of the network.
        energy_mj: energy of one inference, idle power included.
        energy_u_mj: its expanded uncertainty (k = 2).
        latency_ms: duration of one inference.
        power_mw: mean power during one inference.
        supply_mv: supply voltage at the meter.
        accuracy_percent: share of right answers.
        accuracy_dataset: data set that it is the share on.
        idle_before_mw: idle power before the inferences.
        idle_after_mw: idle power after them.
    """

    record_id: str
    submission_id: str
    network: Network
    family: str
    energy_mj: float
    energy_u_mj: float | None = None
    latency_ms: float | None = None
    power_mw: float | None = None
    supply_mv: float | None = None
    accuracy_percent: float | None = None
    accuracy_dataset: str | None = None
    idle_before_mw: float | None = None
    idle_after_mw: float | None = None


_OF_POINT: Final = tuple(name for name in Point.__dataclass_fields__ if name != "network")


def all_series(release: Release) -> dict[Series, tuple[Point, ...]]:
    """Points of a release by series, both sorted.

    Only absolute energies of one inference at batch size 1 count, from measured or published tiers. A row that was
    published in several rounds is a point of each. Of repeats of a network in one series the one with the median
    energy counts, the lower of two.
    """
    table = release.levels["models"]
    wanted = pc.and_(
        pc.and_(pc.equal(table.column("energy_kind"), "absolute"), pc.equal(table.column("batch_size"), 1)),
        pc.is_in(table.column("tier"), value_set=pa.array(RATED_TIERS, pa.string())),
    )
    columns = {*Series._fields, *Network._fields, *_OF_POINT, "rounds"} - {"round"}
    found: dict[Series, dict[Network, list[Point]]] = defaultdict(lambda: defaultdict(list))
    rounds = dict(
        zip(*(release.submissions.column(name).to_pylist() for name in ("submission_id", "round")), strict=True)
    )
    for row in table.filter(wanted).select(sorted(columns)).to_pylist():
        point = _point(row)
        for each in row["rounds"] or [rounds[point.submission_id]]:
            series = Series(**{name: row[name] for name in Series._fields if name != "round"}, round=each)
            found[series][point.network].append(point)
    return {
        series: tuple(_median(repeats) for _, repeats in sorted(found[series].items(), key=_in_order))
        for series in sorted(found, key=lambda series: series.order)
    }


def _point(row: Mapping[str, Any]) -> Point:
    network = Network(**{name: row[name] for name in Network._fields})
    return Point(network=network, **{name: row[name] for name in _OF_POINT})


def _in_order(entry: tuple[Network, Sequence[Point]]) -> tuple[str, ...]:
    return tuple(part or "" for part in entry[0])


def _median(repeats: Sequence[Point]) -> Point:
    """Repeat with the median energy; of equal ones, the one with the first record id."""
    energy_mj = median_low(point.energy_mj for point in repeats)
    return min((point for point in repeats if point.energy_mj == energy_mj), key=lambda point: point.record_id)


def by_dataset(points: Iterable[Point]) -> Iterator[tuple[str, tuple[Point, ...]]]:
    """Points whose accuracies are shares on the same data set, by its name.

    Accuracies on different data sets answer different questions, so a row that does not state its data set is in none.
    """
    groups: dict[str, list[Point]] = defaultdict(list)
    for point in points:
        if point.accuracy_percent is not None and point.accuracy_dataset is not None:
            groups[point.accuracy_dataset].append(point)
    for dataset in sorted(groups):
        yield dataset, tuple(groups[dataset])
