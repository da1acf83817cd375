"""Measures of a table of predictions, by kernel type; pure functions that know no predictor."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.arrays import Mask, Reals, Whole
from harness.evaluation.bootstrap import measures
from harness.evaluation.folds import numbered
from harness.evaluation.metrics import interval_coverage
from harness.evaluation.plans import COVERAGES, LEAST_COVERAGE
from harness.evaluation.result_layout import Score
from harness.predictor.protocol import KERNELS
from harness.schema.results import Track


class ScoredRows(NamedTuple):
    """Rows of one split and kernel type, each once.

    Attributes:
        row: record that was predicted, sorted, shape `(n,)`.
        groups: group that each row is resampled with, shape `(n,)`.
        actual_mj: shape `(n,)`.
        predicted_mj: shape `(n_repeats, n)`; NaN where a row is not scored.
    """

    row: npt.NDArray[np.str_]
    groups: "pd.Series[str]"
    actual_mj: Reals
    predicted_mj: Reals

    @property
    def is_scored(self) -> Mask:
        """Rows that are predicted in every repeat."""
        scored: Mask = np.logical_and.reduce(np.isfinite(self.predicted_mj))
        return scored

    def only(self, chosen: Mask) -> tuple[Reals, Reals, Whole]:
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
    """Rows of one split and kernel type, each with its predictions of all repeats.

    Every row is held out once in every repeat. The sum over the kernels of a network is scored only where it covers
    `LEAST_COVERAGE` of the FLOPs, because kernels that are not covered count as zero.

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
        track: track; networks have measures of their own.
        seed: seed of the resamples.
    """
    return [_score(kernel, part, track, seed) for kernel, part in by_kernel(rows)]


def _score(kernel: str, rows: pd.DataFrame, track: Track, seed: int) -> Score:
    predictions = scored_rows(rows)
    chosen = predictions.is_scored
    fields: dict[str, Any] = {"kernel": kernel, "n": int(chosen.sum()), "n_test": len(chosen)}
    fields["coverage"] = _weighted(rows["covered_kernels"], rows["n_kernels"])
    fields["coverage_flops"] = _weighted(rows["covered_flops"], rows["flops"])
    if chosen.any():
        of_chosen = measures(*predictions.only(chosen), seed)
        fields |= {"measures": of_chosen.values, "ci95": of_chosen.ci95}
        fields["interval_coverage"] = _interval_coverage(rows[rows["row"].isin(predictions.row[chosen])])
    if track == "models":
        fields |= _errors_of_sums(rows)
    return Score(**fields)


def _weighted(shares: "pd.Series[float]", weights: "pd.Series[float]") -> float | None:
    total = float(weights.sum())
    return min(float((shares.fillna(0) * weights).sum()) / total, 1.0) if total else None


def _interval_coverage(rows: pd.DataFrame) -> dict[str, float]:
    """Empirical coverage of the predictor's intervals, by nominal percentage; empty where it has none.

    Args:
        rows: rows that are scored.
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
    """Error of the covered kernels of networks, and energy of the other kernels, in percent of the networks' energy.

    With P the predicted sum over covered kernels, E the measured energy and M the energy that the other kernels are
    estimated to take, P / E - 1 = (P + M - E) / E - M / E: the error of the kernels that are covered, and the share of
    those that are not.
    """
    sums = rows.dropna(subset=["predicted_mj", "missing_mj"])
    if sums.empty:
        return {"kernel_error": None, "coverage_error": None}
    ratio, missing = sums["predicted_mj"] / sums["actual_mj"], sums["missing_mj"] / sums["actual_mj"]
    return {
        "kernel_error": 100 * float((ratio + missing - 1).abs().mean()),
        "coverage_error": 100 * float(missing.mean()),
    }
