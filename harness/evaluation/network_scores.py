"""Measures of predictions of measured networks: over all systems, by family and by system; pure functions.

A row that is predicted in several repeats counts once: its hits and errors are averaged. All networks of a name are
drawn together in resamples, in all data types and on all systems, because they are not independent.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from harness.arrays import Reals, Whole
from harness.evaluation.bootstrap import Means, interval_of_share, resampled_shares
from harness.evaluation.folds import numbered
from harness.evaluation.metrics import FEWEST_FOR_PERCENT, in_count, is_within
from harness.evaluation.network_results import NetworkEvaluation
from harness.evaluation.network_splits import ONE_FAMILY, SCOPES, SPLITS, Scope
from harness.evaluation.network_track import NetworkPlan
from harness.issues import quoted
from harness.predictor.protocol import PredictorInfo
from harness.schema.results import Interval


@dataclass(frozen=True)
class NetworkShare:
    """Share of rows within ±10 %.

    Attributes:
        name: family, or name of the system.
        value: share, 0 to 1; of a family, the mean of its shares on the systems.
        ci95: its interval over resamples of networks; None where there are too few.
        n: count of rows.
        n_within: count of the rows within; of rows that are predicted in several repeats, a mean over these.
    """

    name: str
    value: float
    ci95: Interval | None
    n: int
    n_within: float

    @property
    def count(self) -> str:
        """Rows within and rows, where these are so few that percent would say more than is known; otherwise empty."""
        return in_count(self.n_within / self.n, self.n) if self.n < FEWEST_FOR_PERCENT else ""


@dataclass(frozen=True)
class NetworkScore:
    """One predictor in one split and scope; measures are None where it failed.

    Attributes:
        split: split.
        scope: what was known of the tested networks elsewhere.
        predictor: its key.
        uses_latency: whether it was given the measured latency of the networks.
        reason: why it failed; empty where it did not.
        within_5: median over the systems of the share within ±5 %.
        within_10: the same within ±10 %.
        within_10_ci95: its interval over resamples of networks.
        mean_within_5: mean over the systems of the share within ±5 %.
        mean_within_10: the same within ±10 %.
        median_ape: median over the systems of the median absolute error in percent of the energy.
        n_systems: systems.
        n: rows.
        families: shares within ±10 % by family.
        systems: shares within ±10 % by system.
    """

    split: str
    scope: Scope
    predictor: str
    uses_latency: bool
    reason: str = ""
    within_5: float | None = None
    within_10: float | None = None
    within_10_ci95: Interval | None = None
    mean_within_5: float | None = None
    mean_within_10: float | None = None
    median_ape: float | None = None
    n_systems: int = 0
    n: int = 0
    families: Sequence[NetworkShare] = ()
    systems: Sequence[NetworkShare] = ()

    @property
    def is_headline(self) -> bool:
        """Whether it is of the split that is shown where only one is: families that are left out."""
        return self.split == ONE_FAMILY

    def as_json(self) -> dict[str, Any]:
        """Score as `deepen evaluate --format json` prints it; shares from 0 to 1, null where undefined."""
        return asdict(self)


def network_scores(
    evaluations: Sequence[NetworkEvaluation], plan: NetworkPlan, infos: Mapping[str, PredictorInfo]
) -> list[NetworkScore]:
    """Scores of all predictors, by split and scope; those without latency first, then the best.

    Args:
        evaluations: results on the plan.
        plan: measured networks.
        infos: predictors, by key.
    """
    rows = _Rows.of(plan)
    found = [score for one in evaluations for score in _scores(one, rows, infos[one.predictor].uses_latency)]
    return sorted(
        found,
        key=lambda score: (
            SPLITS.index(score.split), SCOPES.index(score.scope), score.uses_latency, -(score.within_10 or 0),
            score.predictor,
        ),
    )  # fmt: skip


def network_notes(evaluations: Sequence[NetworkEvaluation]) -> list[str]:
    """Sentences about what a reader has to know of runs and files."""
    notes = []
    for one in evaluations:
        confinement = one.result.confinement
        if confinement is not None and confinement.missing:
            notes.append(f"{one.predictor} on measured networks ran {confinement.in_words}")
        for name, count in one.result.label_files.items():
            notes.append(
                f"measured networks: file {quoted(name)} of {one.predictor} holds {count} of the energies that it is "
                "tested on"
            )
    return notes


class _Rows(NamedTuple):
    """Rows of a plan as numbers.

    Attributes:
        place: place of each record, by its id.
        actual_mj: measured energy, shape `(n,)`.
        networks: number of the network, which is the group that is resampled, shape `(n,)`.
        families: number of the family, shape `(n,)`.
        systems: number of the system, shape `(n,)`.
        family_names: name of each family.
        system_names: name of each system.
        seed: seed of the resamples.
    """

    place: "pd.Series[int]"
    actual_mj: Reals
    networks: Whole
    families: Whole
    systems: Whole
    family_names: Sequence[str]
    system_names: Sequence[str]
    seed: int

    @classmethod
    def of(cls, plan: NetworkPlan) -> "_Rows":
        of_rows, facts = plan.rows, plan.networks
        families, systems = sorted(set(facts["family"])), sorted(set(facts["system_id"]))
        return cls(
            pd.Series(np.arange(len(of_rows)), index=of_rows["record_id"]),
            of_rows["energy_mj"].to_numpy(dtype=np.float64),
            numbered(facts["network"].to_numpy(dtype=str)),
            numbered(facts["family"].to_numpy(dtype=str)),
            numbered(facts["system_id"].to_numpy(dtype=str)),
            families,
            [plan.names.get(system, system) for system in systems],
            plan.seed,
        )


def _scores(evaluation: NetworkEvaluation, rows: _Rows, uses_latency: bool) -> Iterator[NetworkScore]:
    parts = dict(iter(evaluation.predictions.groupby(["split", "scope"])))
    for outcome in evaluation.result.outcomes:
        head = (outcome.split, outcome.scope, evaluation.predictor, uses_latency)
        part = parts.get((outcome.split, outcome.scope))
        if outcome.status == "failed" or part is None:
            yield NetworkScore(*head, reason=outcome.reason)
        else:
            place: Whole = rows.place.loc[part["row"]].to_numpy().astype(np.int64)
            yield NetworkScore(*head, **_measures(part["predicted_mj"].to_numpy(dtype=np.float64), place, rows))


def _measures(predicted_mj: Reals, place: Whole, rows: _Rows) -> dict[str, Any]:
    """Fields of a score.

    Args:
        predicted_mj: predictions of all repeats, shape `(m,)`.
        place: place of the row of each, shape `(m,)`.
        rows: rows of the plan.
    """
    actual = rows.actual_mj[place]
    each, once = np.unique(place, return_inverse=True)
    count = np.bincount(once)
    hits = {percent: np.bincount(once, is_within(actual, predicted_mj, percent)) / count for percent in (5, 10)}
    error = np.bincount(once, 100 * np.abs(predicted_mj - actual) / actual) / count
    tested, systems = np.unique(rows.systems[each], return_inverse=True)
    groups = np.unique(rows.networks[each], return_inverse=True)[1]
    closest = np.bincount(systems, hits[5]) / np.bincount(systems)
    close = resampled_shares(hits[10], systems, groups, rows.seed)
    names = [rows.system_names[system] for system in tested]
    return {
        "within_5": float(np.median(closest)),
        "within_10": float(np.median(close.value)),
        "within_10_ci95": interval_of_share(np.median(close.resamples, axis=1), close.n_groups),
        "mean_within_5": float(closest.mean()),
        "mean_within_10": float(close.value.mean()),
        "median_ape": float(np.median([np.median(error[systems == system]) for system in range(len(tested))])),
        "n_systems": len(tested),
        "n": len(each),
        "families": [_of_family(family, hits[10], each, rows) for family in np.unique(rows.families[each])],
        "systems": list(_of_systems(names, np.bincount(systems), close)),
    }


def _of_family(family: int, hits: Reals, each: Whole, rows: _Rows) -> NetworkShare:
    """Mean over the systems of the share of one family, with resamples of its networks."""
    is_own = rows.families[each] == family
    own = each[is_own]
    systems, groups = (np.unique(numbers[own], return_inverse=True)[1] for numbers in (rows.systems, rows.networks))
    means = resampled_shares(hits[is_own], systems, groups, rows.seed)
    interval = interval_of_share(_known_means(means.resamples), means.n_groups)
    n_within = float(hits[is_own].sum())
    return NetworkShare(rows.family_names[family], float(means.value.mean()), interval, len(own), n_within)


def _known_means(resamples: Reals) -> Reals:
    """Mean over the systems that have a row in a resample."""
    known: Reals = np.nanmean(resamples, axis=1) if len(resamples) else np.empty(0)
    return known


def _of_systems(names: Sequence[str], counts: Whole, means: Means) -> Iterator[NetworkShare]:
    for number, name in enumerate(names):
        interval = interval_of_share(means.resamples[:, number], means.n_groups)
        share, n = float(means.value[number]), int(counts[number])
        yield NetworkShare(name, share, interval, n, share * n)
