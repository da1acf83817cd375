"""Measures of the rows that came of a plan, by kernel type; a pure function of them, which knows no predictor."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.evaluation.bootstrap import Groups, measured
from harness.evaluation.folds import numbered
from harness.evaluation.metrics import Reals, interval_coverage
from harness.evaluation.plans import COVERAGES, LEAST_COVERAGE
from harness.predictor.protocol import KERNELS
from harness.schema.results import Score, Track


class ScoredRows(NamedTuple):
    """Rows of one split and kernel type, each once.

    Attributes:
        row: what was predicted, sorted, shape `(n,)`.
        groups: what each row is resampled with, shape `(n,)`.
        actual_mj: shape `(n,)`.
        predicted_mj: shape `(n_repeats, n)`; NaN where a row is not scored.
    """

    row: npt.NDArray[np.str_]
    groups: "pd.Series[str]"
    actual_mj: Reals
    predicted_mj: Reals

    @property
    def is_scored(self) -> npt.NDArray[np.bool_]:
        """Rows that are predicted in every repeat."""
        scored: npt.NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(self.predicted_mj))
        return scored

    def only(self, chosen: npt.NDArray[np.bool_]) -> tuple[Reals, Reals, Groups]:
        """Actual and predicted energies and numbered groups of chosen rows."""
        return self.actual_mj[chosen], self.predicted_mj[:, chosen], numbered(self.groups[chosen])


def by_kernel(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Rows of all kernel types under the name `all`, then of each type."""
    yield "all", rows
    found = set(rows["kernel"])
    for kernel in KERNELS:
        if kernel in found:
            yield kernel, rows[rows["kernel"] == kernel]


def scored_rows(rows: pd.DataFrame) -> ScoredRows:
    """Rows of one split and kernel type, with the repeats of each beside each other.

    Every row is held out once in every repeat. The sum over the kernels of a network is scored only where it covers
    `LEAST_COVERAGE` of the FLOPs, because what is not covered counts as zero.

    Args:
        rows: columns `ROWS`.
    """
    ordered = rows.sort_values(["repeat", "row"], kind="stable")
    n_repeats = ordered["repeat"].nunique()
    scored = ordered["predicted_mj"].where(ordered["covered_flops"] >= LEAST_COVERAGE)
    first = ordered.head(len(ordered) // n_repeats).reset_index(drop=True)
    return ScoredRows(
        first["row"].to_numpy(dtype=str),
        first["group"],
        first["actual_mj"].to_numpy(dtype=np.float64),
        scored.to_numpy(dtype=np.float64).reshape(n_repeats, -1),
    )


def scores(rows: pd.DataFrame, track: Track, seed: int) -> list[Score]:
    """Measures of one split, over all rows and over those of each kernel type.

    Args:
        rows: columns `ROWS`, of one split.
        track: track, because networks have measures of their own.
        seed: seed of the resamples.
    """
    return [_score(kernel, part, track, seed) for kernel, part in by_kernel(rows)]


def _score(kernel: str, rows: pd.DataFrame, track: Track, seed: int) -> Score:
    of_rows = scored_rows(rows)
    chosen = of_rows.is_scored
    fields: dict[str, Any] = {"kernel": kernel, "n": int(chosen.sum()), "n_test": len(chosen)}
    fields["coverage"] = _weighted(rows["covered_kernels"], rows["n_kernels"])
    fields["coverage_flops"] = _weighted(rows["covered_flops"], rows["flops"])
    if chosen.any():
        of_predictor = measured(*of_rows.only(chosen), seed)
        fields |= of_predictor.measures | {"ci95": of_predictor.ci95}
        fields["interval_coverage"] = _interval_coverage(rows[rows["row"].isin(of_rows.row[chosen])])
    if track == "models":
        fields |= _errors_of_sums(rows)
    return Score(**fields)


def _weighted(shares: "pd.Series[float]", weights: "pd.Series[float]") -> float | None:
    total = float(weights.sum())
    return min(float((shares.fillna(0) * weights).sum()) / total, 1.0) if total else None


def _interval_coverage(rows: pd.DataFrame) -> dict[str, float]:
    """Share of energies within the predictor's intervals, by nominal percentage; none where it has no intervals.

    Args:
        rows: those that are scored.
    """
    found = {}
    actual = rows["actual_mj"].to_numpy(dtype=np.float64)
    for coverage in COVERAGES:
        bounds = np.column_stack([rows[f"{side}_{coverage}"].to_numpy(dtype=np.float64) for side in ("low", "high")])
        known = np.isfinite(bounds).all(axis=1)
        if known.any():
            found[str(coverage)] = interval_coverage(actual[known], bounds[known])
    return found


def _errors_of_sums(rows: pd.DataFrame) -> dict[str, float | None]:
    """What the kernels add to the error of a network and what missing kernels take, both in percent of its energy.

    With P the predicted sum over covered kernels, E the measured energy and M what the missing kernels are estimated to
    take, P / E - 1 = (P + M - E) / E - M / E: the first is the error of the kernels that are covered, the second what
    is not covered.
    """
    sums = rows.dropna(subset=["predicted_mj", "missing_mj"])
    if sums.empty:
        return {"kernel_error": None, "coverage_error": None}
    ratio, missing = sums["predicted_mj"] / sums["actual_mj"], sums["missing_mj"] / sums["actual_mj"]
    return {
        "kernel_error": 100 * float((ratio + missing - 1).abs().mean()),
        "coverage_error": 100 * float(missing.mean()),
    }
