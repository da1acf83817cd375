"""Measures of a table of predictions, by kernel type; pure functions that know no predictor."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.arrays import Mask, Reals, Whole
from harness.evaluation.bootstrap import Measures, measures
from harness.evaluation.folds import numbered
from harness.evaluation.metrics import METRIC, METRICS, PredictedRows, RowsOf, interval_coverage
from harness.evaluation.plans import COVERAGES, LEAST_COVERAGE
from harness.evaluation.result_layout import Score
from harness.predictor.protocol import KERNELS
from harness.schema.results import Interval, Track

_READ: Final = (
    "repeat", "row", "kernel", "group", "actual_mj", "predicted_mj", "n_kernels", "flops", "covered_kernels",
    "covered_flops", "missing_mj", "is_twin",
    *(f"{side}_{coverage}" for coverage in COVERAGES for side in ("low", "high")),
)  # fmt: skip
"""Columns that measures are of."""
_NUMBERED: Final = ("row", "kernel", "group")
"""Columns of text, of which only what is equal and what comes first matters."""


class ScoredRows(NamedTuple):
    """Rows of one split and kernel type, each once, sorted by the record that was predicted.

    Attributes:
        columns: every column of the rows of all repeats, one repeat after the other, shape `(n_repeats * n,)`.
        groups: group that each row is resampled with, as a number in the order of all groups of the split, shape
            `(n,)`.
        actual_mj: shape `(n,)`.
        predicted_mj: shape `(n_repeats, n)`; NaN where a row is not scored.
    """

    columns: Mapping[str, npt.NDArray[Any]]
    groups: Whole
    actual_mj: Reals
    predicted_mj: Reals

    @property
    def is_scored(self) -> Mask:
        """Rows that are predicted in every repeat."""
        scored: Mask = np.logical_and.reduce(np.isfinite(self.predicted_mj))
        return scored

    @property
    def is_twin(self) -> Reals:
        """Whether the fit of each repeat had a row one extent apart, shape `(n_repeats, n)`; NaN where not defined."""
        twins: Reals = self.columns["is_twin"].reshape(self.predicted_mj.shape)
        return twins

    def only(self, chosen: Mask, track: Track, resolution_mj: float) -> tuple[list[PredictedRows], Whole]:
        """Chosen rows with the predictions of each repeat, and their numbered groups.

        Args:
            chosen: shape `(n,)`.
            track: track; networks have no kernel type.
            resolution_mj: unit of the last digit that the energies are given to; 0 where they are exact.
        """
        actual, types = self.actual_mj[chosen], self.columns["kernel"][: len(chosen)][chosen]
        types = np.full_like(types, -1) if track == "models" else types
        repeats = [
            PredictedRows(actual, once[chosen], resolution_mj, types, twins[chosen])
            for once, twins in zip(self.predicted_mj, self.is_twin, strict=True)
        ]
        return repeats, numbered(self.groups[chosen])


def by_kernel(rows: pd.DataFrame) -> Iterator[tuple[str, ScoredRows]]:
    """Rows of all kernel types under the name `all`, then of each type.

    Args:
        rows: columns `ROWS`, of one split.
    """
    kernels = rows["kernel"].to_numpy(dtype=str)
    columns = {name: _as_array(rows[name], name) for name in _READ}
    order = np.lexsort((columns["row"], columns["repeat"]))
    columns = {name: column[order] for name, column in columns.items()}
    yield "all", _scored(columns)
    names, places = np.unique(kernels, return_index=True)
    number = dict(zip(names.tolist(), numbered(kernels)[places].tolist(), strict=True))
    for kernel in KERNELS:
        if kernel in number:
            chosen = np.flatnonzero(columns["kernel"] == number[kernel])
            yield kernel, _scored({name: column[chosen] for name, column in columns.items()})


def _as_array(column: "pd.Series[Any]", name: str) -> npt.NDArray[Any]:
    """Column as numbers; text as the number of each word in alphabetical order."""
    return numbered(column.to_numpy(dtype=str)) if name in _NUMBERED else column.to_numpy(dtype=np.float64)


def _scored(columns: Mapping[str, npt.NDArray[Any]]) -> ScoredRows:
    """Rows of one split and kernel type, each with its predictions of all repeats.

    Every row is held out once in every repeat. The sum over the kernels of a network is scored only where it covers
    `LEAST_COVERAGE` of the FLOPs, because kernels that are not covered count as zero.

    Args:
        columns: `_READ`, in the order of repeats and records.
    """
    n_repeats = len(np.unique(columns["repeat"]))
    n = len(columns["row"]) // max(n_repeats, 1)
    scored = np.where(columns["covered_flops"] >= LEAST_COVERAGE, columns["predicted_mj"], np.nan)
    return ScoredRows(columns, columns["group"][:n], columns["actual_mj"][:n], scored.reshape(n_repeats, n))


def scores(rows: pd.DataFrame, track: Track, seed: int, resolution_mj: float = 0.0) -> list[Score]:
    """Measures of one split, over all rows and over those of each kernel type.

    Args:
        rows: columns `ROWS`, of one split.
        track: track; networks have measures of their own.
        seed: seed of the resamples.
        resolution_mj: unit of the last digit that the subject's energies are given to; 0 where they are exact.
    """
    return [_score(kernel, part, track, seed, resolution_mj) for kernel, part in by_kernel(rows)]


def _score(kernel: str, rows: ScoredRows, track: Track, seed: int, resolution_mj: float) -> Score:
    columns = rows.columns
    chosen = rows.is_scored
    fields: dict[str, Any] = {"kernel": kernel, "n": int(chosen.sum()), "n_test": len(chosen)}
    if np.isfinite(rows.is_twin).any():
        fields["n_twin_free"] = float(np.equal(rows.is_twin, 0).sum(axis=1).mean())
    fields["coverage"] = _weighted(columns["covered_kernels"], columns["n_kernels"])
    fields["coverage_flops"] = _weighted(columns["covered_flops"], columns["flops"])
    if len(chosen):
        found = _measures(rows, track, seed, resolution_mj)
        fields |= {"measures": found.values, "ci95": found.ci95}
    if chosen.any():
        fields["interval_coverage"] = _interval_coverage(columns, np.tile(chosen, len(rows.predicted_mj)))
    if track == "models":
        fields |= _errors_of_sums(columns)
    return Score(**fields)


def _measures(rows: ScoredRows, track: Track, seed: int, resolution_mj: float) -> Measures:
    """Every metric over the rows that it is of; where no row is covered, shares are 0 without an interval."""
    is_scored = rows.is_scored
    is_twin_free = np.logical_or.reduce(np.equal(rows.is_twin, 0))
    of_rows: dict[RowsOf, Mask] = {
        "held-out": np.ones_like(is_scored), "twin-free": is_twin_free, "covered": is_scored
    }  # fmt: skip
    values: dict[str, float | None] = dict.fromkeys(METRIC)
    intervals: dict[str, Interval | None] = dict.fromkeys(METRIC)
    for name, chosen in of_rows.items():
        if chosen.any():
            metrics = [metric for metric in METRICS if metric.rows == name]
            found = measures(*rows.only(chosen, track, resolution_mj), seed, metrics)
            values |= found.values
            intervals |= found.ci95 if is_scored.any() else {}
    return Measures(values, intervals)


def _weighted(shares: Reals, weights: Reals) -> float | None:
    total = float(weights.sum())
    return min(float((np.nan_to_num(shares) * weights).sum()) / total, 1.0) if total else None


def _interval_coverage(columns: Mapping[str, npt.NDArray[Any]], chosen: Mask) -> dict[str, float]:
    """Empirical coverage of the predictor's intervals, by nominal percentage; empty where it has none.

    Args:
        columns: rows of all repeats.
        chosen: which of them are scored.
    """
    found = {}
    for coverage in COVERAGES:
        bounds = np.column_stack([columns[f"{side}_{coverage}"] for side in ("low", "high")])
        known = chosen & np.isfinite(bounds).all(axis=1)
        if known.any():
            found[str(coverage)] = interval_coverage(columns["actual_mj"][known], bounds[known])
    return found


def _errors_of_sums(columns: Mapping[str, npt.NDArray[Any]]) -> dict[str, float | None]:
    """Error of the covered kernels of networks, and energy of the other kernels, in percent of the networks' energy.

    With P the predicted sum over covered kernels, E the measured energy and M the energy that the other kernels are
    estimated to take, P / E - 1 = (P + M - E) / E - M / E: the error of the kernels that are covered, and the share of
    those that are not.
    """
    predicted, missing = columns["predicted_mj"], columns["missing_mj"]
    known = np.isfinite(predicted) & np.isfinite(missing)
    if not known.any():
        return {"kernel_error": None, "coverage_error": None}
    ratio, share = (part[known] / columns["actual_mj"][known] for part in (predicted, missing))
    return {
        "kernel_error": 100 * float(np.abs(ratio + share - 1).mean()),
        "coverage_error": 100 * float(share.mean()),
    }
