"""Measures of predictions of measured networks: over all systems, by family and by system; pure functions.

A row that is predicted in several repeats counts once: its hits and errors are averaged. All networks of a name are
drawn together in resamples, in all data types and on all systems, because they are not independent.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from harness.arrays import Reals
from harness.evaluation.bootstrap import Means, interval_of_share, resampled_shares
from harness.evaluation.folds import numbered
from harness.evaluation.metrics import is_within
from harness.evaluation.network_results import NetworkEvaluation
from harness.evaluation.network_splits import SCOPES, SPLITS, Scope
from harness.evaluation.network_track import NetworkPlan
from harness.issues import quoted
from harness.predictor.protocol import PredictorInfo
from harness.schema.results import Interval

PERCENTS: Final = (5, 10)
"""Errors that predictions are counted within, in percent of the measured energy."""


@dataclass(frozen=True)
class Share:
    """Share of rows within ±10 %.

    Attributes:
        name: family, or name of the system.
        value: share, 0 to 1; of a family, the mean of its shares on the systems.
        ci95: its interval over resamples of networks; None where there are too few.
        n: count of rows.
    """

    name: str
    value: float
    ci95: Interval | None
    n: int


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
    families: Sequence[Share] = ()
    systems: Sequence[Share] = ()

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
    facts = plan.networks[["network", "family", "system_id"]].assign(
        row=plan.rows["record_id"], actual_mj=plan.rows["energy_mj"]
    )
    found = [score for one in evaluations for score in _scores(one, facts, plan, infos[one.predictor].uses_latency)]
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


def _scores(
    evaluation: NetworkEvaluation, facts: pd.DataFrame, plan: NetworkPlan, uses_latency: bool
) -> Iterator[NetworkScore]:
    rows = evaluation.predictions.merge(facts, on="row", validate="many_to_one")
    parts = dict(iter(rows.groupby(["split", "scope"])))
    for outcome in evaluation.result.outcomes:
        head = (outcome.split, outcome.scope, evaluation.predictor, uses_latency)
        part = parts.get((outcome.split, outcome.scope))
        if outcome.status == "failed" or part is None:
            yield NetworkScore(*head, reason=outcome.reason)
        else:
            yield NetworkScore(*head, **_measures(part, plan))


def _measures(rows: pd.DataFrame, plan: NetworkPlan) -> dict[str, Any]:
    """Fields of a score.

    Args:
        rows: one row per repeat, network and system: `row`, `network`, `family`, `system_id`, `actual_mj` and
            `predicted_mj`.
        plan: measured networks.
    """
    actual, predicted = (rows[name].to_numpy(dtype=np.float64) for name in ("actual_mj", "predicted_mj"))
    hits = {f"within_{percent}": is_within(actual, predicted, percent) for percent in PERCENTS}
    errors = 100 * np.abs(predicted - actual) / actual
    once = rows.assign(**hits, error=errors).groupby("row", sort=False)
    each = once[["network", "family", "system_id"]].first().join(once[[*hits, "error"]].mean()).reset_index()
    systems, groups = numbered(each["system_id"]), numbered(each["network"])
    of_system = {
        name: resampled_shares(each[name].to_numpy(dtype=np.float64), systems, groups, plan.seed) for name in hits
    }
    close = of_system["within_10"]
    errors_of = each.groupby(systems)["error"].median()
    return {
        "within_5": float(np.median(of_system["within_5"].value)),
        "within_10": float(np.median(close.value)),
        "within_10_ci95": interval_of_share(np.median(close.resamples, axis=1), close.n_groups),
        "mean_within_5": float(of_system["within_5"].value.mean()),
        "mean_within_10": float(close.value.mean()),
        "median_ape": float(errors_of.median()),
        "n_systems": len(close.value),
        "n": len(each),
        "families": [_of_family(part, plan.seed) for _, part in each.groupby("family")],
        "systems": list(_of_systems(each["system_id"], close, plan.names)),
    }


def _of_family(rows: pd.DataFrame, seed: int) -> Share:
    """Mean over the systems of the share of one family, with resamples of its networks."""
    hits = rows["within_10"].to_numpy(dtype=np.float64)
    means = resampled_shares(hits, numbered(rows["system_id"]), numbered(rows["network"]), seed)
    value, resamples = float(means.value.mean()), _known_means(means.resamples)
    return Share(str(rows["family"].iloc[0]), value, interval_of_share(resamples, means.n_groups), len(rows))


def _known_means(resamples: Reals) -> Reals:
    """Mean over the systems that have a row in a resample."""
    known: Reals = np.nanmean(resamples, axis=1) if len(resamples) else np.empty(0)
    return known


def _of_systems(systems: "pd.Series[str]", means: Means, names: Mapping[str, str]) -> Iterator[Share]:
    for number, system in enumerate(sorted(set(systems))):
        interval = interval_of_share(means.resamples[:, number], means.n_groups) if len(means.resamples) else None
        yield Share(names.get(system, system), float(means.value[number]), interval, int((systems == system).sum()))
