"""Measured runs of one system of MLPerf Inference as rows and facts of a campaign; no file is read here."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from harness.intake.foreign import ForeignRow, ForeignTable
from harness.intake.mlperf_defects import defects_of
from harness.intake.mlperf_meters import accuracy_of
from harness.intake.mlperf_networks import NETWORKS
from harness.intake.mlperf_runs import RunFigures
from harness.intake.mlperf_systems import EdgeSystem, safe_name
from harness.intake.mlperf_uncertainty import FEWEST, UNSTABLE, Repeated, expanded_energy_mj, repeatability
from harness.intake.stated import UNKNOWN
from harness.schema.facts import MeterAccuracy

ROUND_DATES: Final = {"v1.0": "2021-04", "v1.1": "2021-09", "v2.0": "2022-04", "v2.1": "2022-09", "v3.0": "2023-04"}
"""Publication of each round, where no run states when it was made."""
_LONGEST_NAME: Final = 64
_DIGEST: Final = 8
_DECIMALS: Final = {"mj": 6, "ms": 6, "mw": 3}
"""Decimals of a cell by the unit at the end of its column: nanojoule, nanosecond and microwatt."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where results stand.

    Attributes:
        round: round of the benchmark, such as v2.0; None where it is unknown.
        division: closed, open or network.
        submitter: name of the submitter's folder.
    """

    round: str | None
    division: str | None
    submitter: str | None

    @property
    def edition(self) -> str:
        """Benchmark with its round."""
        return f"MLPerf Inference {self.round}" if self.round else "MLPerf Inference"


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """What a run measured.

    Attributes:
        benchmark: name of its folder, one of `NETWORKS`.
        source_id: path of its power log from the division on.
        figures: its energy, latency and powers.
        repeat_energy_mj: energy of one inference of the ranging run in mJ; None where it gives none.
        repeat_latency_ms: its mean latency in ms, as before.
        meter: name of the meter.
        accuracy_percent: Top-1 as the accuracy run prints it; None where it prints another measure.
    """

    benchmark: str
    source_id: str
    figures: RunFigures
    repeat_energy_mj: float | None
    repeat_latency_ms: float | None
    meter: str
    accuracy_percent: str | None

    @property
    def repeated(self) -> Repeated:
        """The run with the energy of its repeat."""
        return Repeated(self.figures, self.repeat_energy_mj)


def campaign_name(place: Place, system: str, benchmark: str = "mlperf-inference") -> str:
    """Name of the campaign folder of a system."""
    parts = (benchmark, place.round, place.division, place.submitter, system)
    name = safe_name("-".join(part for part in parts if part), most=1000)
    if len(name) <= _LONGEST_NAME:
        return name
    # Systems differ in their last words, such as the runtime, which a cut alone would lose.
    digest = sha256(name.encode()).hexdigest()[:_DIGEST]
    return f"{safe_name(name, _LONGEST_NAME - _DIGEST - 1)}-{digest}"


def campaign_table(
    runs: Sequence[MeasuredRun],
    faulty: Sequence[ForeignRow],
    system: EdgeSystem,
    place: Place,
    *,
    day: str,
    identifier: str | None,
) -> ForeignTable:
    """Rows and facts of a campaign.

    Args:
        runs: what was measured.
        faulty: rows of runs that cannot be used.
        system: the system.
        place: where its results stand.
        day: day, month or year of the runs or of their publication.
        identifier: commit of the results; None where it is unknown.
    """
    meter = _meter(runs)
    accuracy = MeterAccuracy.model_validate(meter["accuracy"]) if "accuracy" in meter else None
    pooled = repeatability([run.repeated for run in runs])
    rows = [_row(run, expanded_energy_mj(run.repeated, pooled, accuracy), system, place) for run in runs]
    submission = _submission(system, place, day, identifier) | {"meter": meter}
    defects = defects_of(place.round, system.folder)
    notes = [_METHOD, *_budget(runs, pooled, accuracy), *_remarks(runs), *defects, system.notes()]
    submission["notes"] = " ".join(notes)
    return ForeignTable(
        level="models",
        rows=sorted([*rows, *faulty], key=lambda row: row.source_id),
        submission=submission,
        device=system.device(),
    )


def _row(run: MeasuredRun, uncertainty_mj: float | None, system: EdgeSystem, place: Place) -> ForeignRow:
    figures = run.figures
    numbers = {
        "energy_mj": figures.energy_mj,
        "latency_ms": figures.latency_ms,
        "power_mw": figures.power_mw,
        "latency_p90_ms": figures.latency_p90_ms,
        "idle_before_mw": figures.idle_before_mw,
        "idle_after_mw": figures.idle_after_mw,
        "repeat_energy_mj": run.repeat_energy_mj,
        "repeat_latency_ms": run.repeat_latency_ms,
    }
    network = NETWORKS[run.benchmark]
    cells = {
        **network.cells,
        "delegate": system.delegate[0],
        "energy_kind": "absolute",
        **{name: _text(name, value) for name, value in numbers.items() if value is not None},
        **({} if uncertainty_mj is None else {"energy_u_mj": f"{uncertainty_mj:.3g}"}),
        **_accuracy(run.accuracy_percent, network.dataset),
        **({"rounds": place.round} if place.round else {}),
    }
    return ForeignRow(run.source_id, run.source_id, cells)


def _accuracy(percent: str | None, dataset: str | None) -> dict[str, str]:
    """Cells of an accuracy and of the data set that it is on, where they are known."""
    cells = {"accuracy_percent": percent, "accuracy_dataset": dataset}
    return {} if percent is None else {name: cell for name, cell in cells.items() if cell is not None}


def _text(name: str, value: float) -> str:
    return f"{round(value, _DECIMALS[name.rpartition('_')[2]]):.9g}"


def _submission(system: EdgeSystem, place: Place, day: str, identifier: str | None) -> dict[str, Any]:
    """Contents of submission.yaml, without meter and notes."""
    submitter = system.submitter or place.submitter or UNKNOWN
    division = f", {place.division} division" if place.division else ""
    source = {
        "citation": f"MLCommons, {place.edition} results{division}, submitted by {submitter} for {system.name}.",
        "url": f"https://github.com/mlcommons/inference_results_{place.round}" if place.round else None,
        "identifier": identifier,
        "attribution": f"Figures from the results repository of MLCommons, {place.edition} (Apache-2.0). MLPerf is a "
        "trademark of MLCommons; figures derived from these results are not verified by MLCommons.",
    }
    return {
        "title": f"{place.edition}{division}, single stream with power, {system.runtime}",
        "contributors": [submitter],
        "date": day,
        "method": "measured",
        "runtime": system.runtime,
        "boundary": "wall",
        "licence": "Apache-2.0",
        "source": {key: text for key, text in source.items() if text is not None},
        "system": system.settings()
        | ({} if submitter == UNKNOWN else {"submitter": submitter})
        | ({} if place.round is None else {"round": place.round}),
        **({} if system.kernel_lists is None else {"kernel_lists": system.kernel_lists}),
        "untraced": "The power logs are kept in the source repository, at the path that is the source id of each row.",
    }


def _meter(runs: Sequence[MeasuredRun]) -> dict[str, Any]:
    """Meter of the runs, with its limits of error where one meter measured all of them."""
    meters = list(dict.fromkeys(run.meter for run in runs))
    meter: dict[str, Any] = {"name": " and ".join(meters) or UNKNOWN, "kind": "analyser"}
    rates = {f"{1 / run.figures.step_s:.4g}" for run in runs}
    if len(rates) == 1:
        meter["sampling_hz"] = float(rates.pop())
    accuracy = accuracy_of(meters[0], max(run.figures.highest_mw for run in runs)) if len(meters) == 1 else None
    return meter if accuracy is None else meter | {"accuracy": accuracy}


_METHOD: Final = (
    "Energy is the mean power inside the window of LoadGen times the duration over the queries, or times the mean "
    "latency where they are not counted; idle power of the whole system is in it. Idle powers are medians before and "
    "after the window. The repeat is the ranging run of the same command, whose samples that the meter missed are left "
    "out."
)


def _budget(runs: Sequence[MeasuredRun], pooled: float | None, accuracy: MeterAccuracy | None) -> list[str]:
    """What the uncertainty is made of, or why there is none."""
    if pooled is None:
        return ["No run has a repeat, so energy_u_mj is empty."]
    n_stable = sum(run.repeat_energy_mj is not None and not run.repeated.is_unstable for run in runs)
    pool = f"pooled over {n_stable} repeats" if n_stable >= FEWEST else "as known of all results, or of its repeats"
    meter = "the limits of the meter" if accuracy is not None else "no limits of the meter, which are unknown"
    return [
        f"energy_u_mj (k = 2) has in it the repeatability of one run ({100 * pooled:.2g} %, {pool}), {meter}, and the "
        "edges of the window."
    ]


def _remarks(runs: Sequence[MeasuredRun]) -> list[str]:
    """Runs without a repeat, runs whose repeat differs, and runs that stand under several benchmarks."""
    remarks = []
    alone = [run.benchmark for run in runs if run.repeat_energy_mj is None]
    if alone:
        remarks.append(f"The ranging run gives no energy for {', '.join(alone)}.")
    unstable = [
        f"{run.benchmark} ({100 * difference:+.0f} %)"
        for run in runs
        if (difference := run.repeated.difference) is not None and run.repeated.is_unstable
    ]
    if unstable:
        remarks.append(
            f"The energy of the repeat differs by more than {100 * UNSTABLE:g} % for {', '.join(unstable)}; the "
            "uncertainty of these rows has the difference in it, and that of others does not."
        )
    same = defaultdict(list)
    for run in runs:
        same[run.figures].append(run.benchmark)
    remarks += [f"{' and '.join(names)} are one run under several names." for names in same.values() if len(names) > 1]
    return remarks
