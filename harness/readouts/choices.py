"""What to run on a device: per system the cheapest network that is accurate enough, with its front."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from harness.errors import UsageError
from harness.issues import counted, unknown
from harness.readouts.attributions import attributions_of
from harness.readouts.cheapest import cheapest
from harness.readouts.fronts import Placed, placed
from harness.readouts.idle_shares import idle_share
from harness.readouts.points import Point, Series, all_series, by_dataset
from harness.releases import Release
from harness.schema.outputs import ChoiceOutput, ChosenNetwork, FrontNetwork, LeftOut, SystemChoice
from harness.schema.vocabulary import RATED_TIERS, Dtype


class Wish(NamedTuple):
    """What is asked of a network.

    Attributes:
        device_id: board or phone that it runs on.
        system_id: the only system that counts; None for all of the device.
        min_accuracy: least accuracy in percent.
        max_latency_ms: longest duration of one inference; None for any.
        dtype: data type; None for any.
        family: family; None for any.
    """

    device_id: str
    system_id: str | None
    min_accuracy: float
    max_latency_ms: float | None = None
    dtype: Dtype | None = None
    family: str | None = None

    def admits(self, point: Point) -> bool:
        """Whether a network may be chosen, whatever its accuracy."""
        is_fast = self.max_latency_ms is None or (
            point.latency_ms is not None and point.latency_ms <= self.max_latency_ms
        )
        return (
            is_fast
            and (self.dtype is None or point.network.dtype == self.dtype)
            and (self.family is None or point.family == self.family)
        )


_REASONS: Final[Mapping[str, Callable[[Mapping[str, Any]], bool]]] = {
    "simulated or estimated": lambda row: row["tier"] not in RATED_TIERS,
    "not of absolute energy (column energy_kind)": lambda row: row["energy_kind"] != "absolute",
    "of more than one input at a time (column batch_size)": lambda row: row["batch_size"] != 1,
    "without an accuracy (column accuracy_percent)": lambda row: row["accuracy_percent"] is None,
    "without the data set of their accuracy (column accuracy_dataset)": lambda row: row["accuracy_dataset"] is None,
}
"""Why a row is in no choice; the first reason that applies counts."""


def choose(release: Release, wish: Wish) -> ChoiceOutput:
    """Cheapest network on every system of a device, of those that are accurate enough.

    Systems with such a network come first, by tier, boundary and energy.

    Args:
        release: release with the rows of the device.
        wish: what is asked for.

    Raises:
        UsageError: the system or family is unknown, no row of a network can be chosen, or none is as wished; the
            message states what is missing.
    """
    rows = [row for row in _rows(release) if row["device_id"] == wish.device_id]
    if not rows:
        raise UsageError(f"{wish.device_id} has no rows of networks, which a choice is made of")
    rows = _of_system(rows, wish)
    left_out = _left_out(rows)
    found = {
        (series, dataset): points
        for series, of_series in all_series(release).items()
        if series.device_id == wish.device_id and wish.system_id in (None, series.system_id)
        for dataset, points in by_dataset(of_series)
    }
    if not found:
        missing = "; ".join(f"{counted(part.n_rows, 'row')} {part.reason}" for part in left_out)
        raise UsageError(f"{wish.system_id or wish.device_id} has no network to choose: {missing}")
    admitted = {key: admitted for key, points in found.items() if (admitted := tuple(filter(wish.admits, points)))}
    if not admitted:
        raise _nothing_as_wished([point for points in found.values() for point in points], wish)
    names = _system_names(release)
    systems = [_choice(series, dataset, names, points, wish) for (series, dataset), points in admitted.items()]
    return ChoiceOutput(
        device_id=wish.device_id,
        min_accuracy_percent=wish.min_accuracy,
        max_latency_ms=wish.max_latency_ms,
        dtype=wish.dtype,
        family=wish.family,
        systems=sorted(systems, key=_order),
        left_out=left_out,
        attributions=attributions_of(
            release, {point.submission_id for points in admitted.values() for point in points}
        ),
    )


def _rows(release: Release) -> list[dict[str, Any]]:
    columns = ("device_id", "system_id", "tier", "energy_kind", "batch_size", "accuracy_percent", "accuracy_dataset")
    rows: list[dict[str, Any]] = release.levels["models"].select(columns).to_pylist()
    return rows


def _of_system(rows: Sequence[dict[str, Any]], wish: Wish) -> list[dict[str, Any]]:
    """Rows of the system that is asked for.

    Raises:
        UsageError: the device has no such system.
    """
    if wish.system_id is None:
        return list(rows)
    if wish.system_id not in (known := {row["system_id"] for row in rows}):
        raise unknown(f"system of {wish.device_id}", wish.system_id, known)
    return [row for row in rows if row["system_id"] == wish.system_id]


def _left_out(rows: Iterable[Mapping[str, Any]]) -> list[LeftOut]:
    """Rows that are in no choice, by reason."""
    reasons = (next((reason for reason, applies in _REASONS.items() if applies(row)), None) for row in rows)
    counts = Counter(reason for reason in reasons if reason is not None)
    return [LeftOut(reason=reason, n_rows=counts[reason]) for reason in _REASONS if reason in counts]


def _nothing_as_wished(points: Sequence[Point], wish: Wish) -> UsageError:
    """Exception about wishes that no network meets, whatever its accuracy: the nearest name, or what there is."""
    families = {point.family for point in points}
    if wish.family is not None and wish.family not in families:
        return unknown(f"family of {wish.device_id}", wish.family, families)
    dtypes = {point.network.dtype for point in points if wish.family in (None, point.family)}
    if wish.dtype is not None and wish.dtype not in dtypes:
        return unknown(f"data type of these networks of {wish.device_id}", wish.dtype, dtypes)
    latencies = [point.latency_ms for point in points
                 if point.latency_ms is not None and wish._replace(max_latency_ms=None).admits(point)]  # fmt: skip
    if not latencies:
        return UsageError(f"no such network of {wish.device_id} states its latency (column latency_ms)")
    return UsageError(
        f"no such network of {wish.device_id} runs within {wish.max_latency_ms:g} ms; the fastest takes "
        f"{min(latencies):.4g} ms"
    )


def _system_names(release: Release) -> dict[str, str]:
    columns = (release.submissions.column(name).to_pylist() for name in ("system_id", "system"))
    return dict(zip(*columns, strict=True))


def _choice(
    series: Series, dataset: str, names: Mapping[str, str], points: Sequence[Point], wish: Wish
) -> SystemChoice:
    places = placed(points)
    found = cheapest(points, wish.min_accuracy)
    return SystemChoice(
        system_id=series.system_id,
        system=names[series.system_id],
        runtime=series.runtime,
        delegate=series.delegate,
        round=series.round,
        tier=series.tier,
        boundary=series.boundary,
        accuracy_dataset=dataset,
        n_networks=len(points),
        n_accurate=found.n_networks if found else 0,
        cheapest=_chosen(found.point) if found else None,
        runner_up=_chosen(found.runner_up) if found and found.runner_up else None,
        is_tied=found.is_tied if found else None,
        most_accurate=_chosen(places[0].point),
        front=[_on_front(place) for place in places if place.is_on_energy_front or place.is_tied],
    )


def _facts(point: Point) -> dict[str, Any]:
    idle = idle_share(point)
    return {
        **point.network._asdict(),
        "record_id": point.record_id,
        "family": point.family,
        "accuracy_percent": point.accuracy_percent,
        "energy_mj": point.energy_mj,
        "energy_u_mj": point.energy_u_mj,
        "latency_ms": point.latency_ms,
        "idle_share": None if idle is None else idle.share,
    }


def _chosen(point: Point) -> ChosenNetwork:
    return ChosenNetwork(**_facts(point))


def _on_front(place: Placed) -> FrontNetwork:
    return FrontNetwork(**_facts(place.point), is_on_front=place.is_on_energy_front, is_tied=place.is_tied)


def _order(choice: SystemChoice) -> tuple[Any, ...]:
    """Tier, boundary and data set, which are never compared, and the energy within them; systems without last."""
    energy = choice.most_accurate.energy_mj if choice.cheapest is None else choice.cheapest.energy_mj
    evidence = RATED_TIERS.index(choice.tier), choice.boundary, choice.accuracy_dataset
    return choice.cheapest is None, *evidence, energy, choice.system_id, choice.round or "", choice.delegate
