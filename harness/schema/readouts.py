"""Rows of the read-outs: what `harness.readouts` gives, with the unit and meaning of every field."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict

from harness.schema import quantities as q
from harness.schema import run_quantities as run
from harness.schema.quantity import Quantity
from harness.schema.systems import RoundName

_RULE: Final = "derived"
_FIX: Final = "Derived; leave it out."


def _truth(sentence: str) -> Quantity:
    return Quantity("", sentence, _RULE, _FIX)


def _count(sentence: str) -> Quantity:
    return Quantity("", sentence, _RULE, _FIX, ge=0, le=10**9)


def _ratio(sentence: str) -> Quantity:
    return Quantity("", sentence, _RULE, _FIX, gt=0, le=1e9)


def _share(sentence: str) -> Quantity:
    return Quantity("", f"{sentence}, from 0 to 1.", _RULE, _FIX, ge=0, le=1)


def _idle_part(sentence: str) -> Quantity:
    return Quantity("", f"{sentence}; above 1 where the board drew more than during the inference.", _RULE, _FIX, gt=0)


IsTied = Annotated[
    bool,
    _truth(
        "Whether two energies differ by no more than the expanded uncertainty of their difference; null where one "
        "states no uncertainty, or there is nothing to compare."
    ),
]


class ReadOut(BaseModel):
    """One row of a read-out."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)


class SeriesReadOut(ReadOut):
    """What is said of one system in one round."""

    device_id: q.DeviceId
    system_id: q.SystemId
    runtime: q.RuntimeName
    delegate: q.Delegate
    round: RoundName | None = None
    tier: q.TierName
    boundary: q.BoundaryName


class NetworkReadOut(SeriesReadOut):
    """What is said of one network on one system in one round."""

    accuracy_dataset: run.AccuracyDataset
    n_networks: Annotated[int, _count("Networks that it is compared with, itself included.")]
    record_id: q.RecordId
    model: q.ModelName
    family: q.FamilyName
    variant: q.VariantName | None = None
    input_shape: q.InputShape | None = None
    dtype: q.DtypeName
    accuracy_percent: run.AccuracyPercent
    energy_mj: q.EnergyMj
    energy_u_mj: q.EnergyUMj | None = None
    latency_ms: q.LatencyMs | None = None


class FrontRecord(NetworkReadOut):
    """One row per network on a front of accuracy, energy and latency of its system, or tied with one that is."""

    is_on_energy_front: Annotated[
        bool, _truth("Whether no network is as accurate for as little energy, and better in one of the two.")
    ]
    is_on_latency_front: (
        Annotated[bool, _truth("The same of accuracy and latency; null where its latency is unknown.")] | None
    ) = None
    is_on_front: (
        Annotated[bool, _truth("The same of accuracy, energy and latency; null where its latency is unknown.")] | None
    ) = None
    is_tied: (
        Annotated[
            bool,
            _truth(
                "Whether it is off the front of accuracy and energy only by energies within the expanded uncertainty "
                "of their difference; null where an uncertainty is unknown."
            ),
        ]
        | None
    ) = None


class CheapestRecord(NetworkReadOut):
    """One row per system and minimum accuracy: the network that takes the least energy."""

    min_accuracy_percent: Annotated[
        float, Quantity("%", "Least accuracy that was asked for.", _RULE, _FIX, ge=0, le=100)
    ]
    is_tied: IsTied | None = None
    runner_up_record_id: Annotated[str, _truth("Row of the next network in energy, where the two are tied.")] | None = (
        None
    )
    runner_up_model: Annotated[str, _truth("Name of that network.")] | None = None
    runner_up_dtype: Annotated[str, _truth("Data type of that network.")] | None = None
    runner_up_energy_mj: Annotated[float, Quantity("mJ", "Energy of that network.", _RULE, _FIX, gt=0)] | None = None


class RuntimeRatioRecord(ReadOut):
    """One row per pair of runtimes on one board, round and data type: the ratio of their energies for networks."""

    device_id: q.DeviceId
    round: RoundName
    tier: q.TierName
    boundary: q.BoundaryName
    dtype: q.DtypeName
    system_id_a: q.SystemId
    runtime_a: q.RuntimeName
    delegate_a: q.Delegate
    system_id_b: q.SystemId
    runtime_b: q.RuntimeName
    delegate_b: q.Delegate
    n_networks: Annotated[int, _count("Networks that both ran.")]
    energy_ratio_median: Annotated[float, _ratio("Median of energy by b over energy by a.")]
    energy_ratio_lowest: Annotated[float, _ratio("Lowest energy by b over energy by a.")]
    energy_ratio_highest: Annotated[float, _ratio("Highest energy by b over energy by a.")]
    lowest_model: Annotated[str, _truth("Network of the lowest ratio.")]
    highest_model: Annotated[str, _truth("Network of the highest ratio.")]
    latency_ratio_median: (
        Annotated[float, _ratio("Median of latency by b over latency by a; null where one is unknown.")] | None
    ) = None
    share_b_better: Annotated[float, _share("Share of the networks that take less energy by b")]
    share_tied: (
        Annotated[
            float,
            _share(
                "Share of the networks whose energies differ by no more than the expanded uncertainty of their "
                "difference, null where one is unknown"
            ),
        ]
        | None
    ) = None
    share_disagreeing: (
        Annotated[
            float,
            _share(
                "Share of the networks that take less energy by one runtime and no more time by the other, null where "
                "a latency is unknown"
            ),
        ]
        | None
    ) = None


class IdleShareRecord(SeriesReadOut):
    """One row per system: the share of the energy of its inferences that the idle board would have drawn as well."""

    n_networks: Annotated[int, _count("Networks whose idle power is known.")]
    n_without_idle: Annotated[
        int, _count("Networks left out: a power is unknown, or the idle power is not below that of the inference.")
    ]
    idle_mw: Annotated[
        float, Quantity("mW", "Median over the networks of the mean idle power before and after.", _RULE, _FIX, gt=0)
    ]
    share_median: Annotated[float, _share("Median of mean idle power over power during the inference")]
    share_before_median: Annotated[float, _idle_part("Median of idle power before over power during the inference")]
    share_after_median: Annotated[float, _idle_part("Median of idle power after over power during the inference")]
    share_lowest: Annotated[float, _share("Lowest share of a network")]
    lowest_model: Annotated[str, _truth("Network of the lowest share.")]
    lowest_dtype: q.DtypeName
    share_highest: Annotated[float, _share("Highest share of a network")]
    highest_model: Annotated[str, _truth("Network of the highest share.")]
    highest_dtype: q.DtypeName


READ_OUTS: Final[dict[str, type[ReadOut]]] = {
    "fronts": FrontRecord,
    "runtime_ratios": RuntimeRatioRecord,
    "cheapest": CheapestRecord,
    "idle_shares": IdleShareRecord,
}
"""Rows of each read-out, by the name of its table."""
