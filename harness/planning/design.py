"""Kernels to measure first, chosen by how much they would say about those that will be asked; it needs no energy."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular

from harness.arrays import Reals, Whole
from harness.errors import UsageError
from harness.predictor.likeness import Placed, covariance, placed, variance

_NOISE: Final = 0.01
"""Variance of a measured log energy about the truth, beside the variances of the covariance below."""


def design(
    candidates: pd.DataFrame,
    targets: pd.DataFrame,
    n_rows: int,
    *,
    weights: Reals | None = None,
    measured: pd.DataFrame | None = None,
) -> Whole:
    """Kernels to measure, one after the other: each is the one that leaves least variance on the targets.

    Log energy is taken for a Gaussian process over costs and extents, in part shared by all kernel types and in part
    of the type. How certain a prediction is depends on which kernels were measured and not on their energies. Where
    rows are as many as kernel types among the targets, every type that has a candidate gets one.

    Args:
        candidates: kernels that can be measured, columns `harness.predictor.features.FEATURES`, one row each.
        targets: kernels that will be asked for, the same columns.
        n_rows: kernels to choose, at most as many as there are candidates.
        weights: how much each target counts, shape `(n_targets,)`, not negative; the same for all where left out.
        measured: kernels that were measured before, the same columns; none where left out.

    Returns:
        Positions of the chosen kernels in `candidates`, in the order in which to measure them, shape `(n_rows,)`.

    Raises:
        UsageError: more rows than candidates, no target, or weights that are none.

    Source:
        Cohn, Neural Network Exploration Using Optimal Experiment Design (1996), and Seo et al., Gaussian Process
        Regression: Active Data Selection and Test Point Rejection (2000): the mean variance of the targets (ALC).
        Greedy choice: Krause, Singh and Guestrin, Near-Optimal Sensor Placements in Gaussian Processes (JMLR 2008).
    """
    importance = _importance(candidates, targets, n_rows, weights)
    known, asked = placed(candidates), placed(targets)
    before = _explained(measured, known, asked)
    shared = covariance(asked, known) - before.targets.T @ before.candidates
    unsure = np.maximum(variance(known) - (before.candidates**2).sum(axis=0), 0)
    parts = np.vstack([before.candidates, np.empty((n_rows, len(known)))])
    types = known.kernel
    wanted = set(asked.kernel) & set(types) - before.types
    is_free = np.ones(len(candidates), dtype=np.bool_)
    chosen = np.empty(n_rows, dtype=np.int64)
    for place in range(n_rows):
        allowed = is_free & np.isin(types, sorted(wanted)) if 0 < len(wanted) == n_rows - place else is_free
        row = len(before.candidates) + place
        gain = importance @ shared**2 / (unsure + _NOISE)
        best = int(np.where(allowed, gain, -np.inf).argmax())
        column = covariance(known, known.only(best))[:, 0] - parts[:row].T @ parts[:row, best]
        deviation = np.sqrt(unsure[best] + _NOISE)
        parts[row] = column / deviation
        shared -= np.outer(shared[:, best] / deviation, parts[row])
        unsure = np.maximum(unsure - parts[row] ** 2, 0)
        chosen[place], is_free[best] = best, False
        wanted.discard(types[best])
    return chosen


def variance_left(measured: pd.DataFrame, targets: pd.DataFrame, weights: Reals) -> Reals:
    """Share of the variance of targets that is left when kernels are measured, one after the other.

    Args:
        measured: kernels in the order in which they are measured, columns `FEATURES`.
        targets: kernels that will be asked for, the same columns.
        weights: how much each target counts, shape `(n_targets,)`.

    Returns:
        Shares from 0 to 1 after none, one, and so on, to all of them, shape `(n_measured + 1,)`.
    """
    asked = placed(targets)
    parts = _explained(measured, asked, asked).targets
    left = 1 - np.cumsum(parts**2, axis=0) / variance(asked)
    shares: Reals = np.clip(np.vstack([np.ones(len(asked)), left]) @ (weights / weights.sum()), 0, 1)
    return shares


class _Explained(NamedTuple):
    """What measured kernels say about others.

    Attributes:
        candidates: what each says about candidates beyond those before it, shape `(n_measured, n_candidates)`.
        targets: the same about targets, shape `(n_measured, n_targets)`.
        types: their kernel types.
    """

    candidates: Reals
    targets: Reals
    types: set[str]


def _explained(measured: pd.DataFrame | None, candidates: Placed, targets: Placed) -> _Explained:
    if measured is None or measured.empty:
        return _Explained(np.empty((0, len(candidates))), np.empty((0, len(targets))), set())
    known = placed(measured)
    lower = np.linalg.cholesky(covariance(known, known) + _NOISE * np.eye(len(known)))
    of_candidates, of_targets = (
        solve_triangular(lower, covariance(known, others), lower=True) for others in (candidates, targets)
    )
    return _Explained(of_candidates, of_targets, set(known.kernel))


def _importance(candidates: pd.DataFrame, targets: pd.DataFrame, n_rows: int, weights: Reals | None) -> Reals:
    """Share of each target in what is reduced, shape `(n_targets,)`."""
    if not 0 < n_rows <= len(candidates):
        raise UsageError(f"{n_rows} rows to choose; expected 1 to {len(candidates)}, the kernels that can be measured")
    if targets.empty:
        raise UsageError("no kernel is asked for; expected at least one, so that there is something to measure for")
    importance = np.ones(len(targets)) if weights is None else np.asarray(weights, dtype=np.float64)
    if importance.shape != (len(targets),):
        raise UsageError(f"weights of shape {importance.shape}; expected one for each of {len(targets)} targets")
    if not (np.isfinite(importance).all() and (importance >= 0).all() and importance.any()):
        raise UsageError("weights that are negative, infinite or all 0; expected how much each target counts")
    shares: Reals = importance / importance.sum()
    return shares
