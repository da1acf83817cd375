"""A corrected roofline that has been tried on rows that it had not seen: how much of each method to believe."""

from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator

from harness.evaluation.folds import Rows, repeated_folds
from harness.schema.vocabulary import CONFIGURATION_FIELDS
from predictors.roofline_residual.corrected import CorrectedRoofline
from predictors.roofline_residual.intervals import LocalErrors

Reals = npt.NDArray[np.float64]

_FOLD_TREES: Final = 10
"""Extra trees of the models that predict folds: more would take most of all time, and find the same errors."""
_PRIOR_ROWS: Final = 5
"""Rows that the group's common share of the residual counts for in the share of one kernel type."""
_LEAST_ROWS: Final = 10
"""Rows of a kernel type below which noise cannot be told from a residual, and the roofline stands as it is."""
_TINY: Final = 1e-12


class _HeldOut(NamedTuple):
    """What was predicted for rows that were held out; only rows whose kernel type was left to learn from."""

    kernel: npt.NDArray[np.str_]
    log_roofline: Reals
    residuals: Reals
    actual: Reals

    @property
    def residual(self) -> Reals:
        """What the methods should have said."""
        return self.actual - self.log_roofline


class CalibratedRoofline(BaseEstimator):
    """Kernel types that learn together, with weights and intervals from cross-validation grouped by configuration.

    Each method weighs the inverse square of its mean absolute error. Of the weighted residual, each kernel type takes
    the share that makes the squared error least, from none to all of it, so that what is not there to be learnt
    leaves the roofline as it is.

    Args:
        has_boosting: whether histogram boosting is among the methods.
        random_state: seed of all draws.
    """

    def __init__(self, has_boosting: bool = False, random_state: int = 0) -> None:
        self.has_boosting = has_boosting
        self.random_state = random_state

    def fit(self, rows: pd.DataFrame, energy_mj: Reals, rounding: Reals) -> Self:
        """Learn from all rows, and from how folds of them are predicted by the others.

        Args:
            rows: one row a kernel, range index.
            energy_mj: energy of each, shape `(n,)`.
            rounding: variance of its logarithm that comes of rounding, shape `(n,)`.
        """
        self.roofline_ = CorrectedRoofline(self.has_boosting, random_state=self.random_state)
        self.roofline_.fit(rows, energy_mj, rounding)
        held_out = self._held_out(rows, energy_mj, rounding)
        errors = np.abs(held_out.residuals - held_out.residual[:, None])
        weights = 1 / (errors.mean(axis=0) + _TINY) ** 2 if len(errors) else np.ones(errors.shape[1])
        self.weights_ = weights / weights.sum()
        n_rows = rows["kernel"].value_counts()
        self.shares_ = self._shares(held_out, {str(kernel) for kernel in n_rows.index[n_rows >= _LEAST_ROWS]})
        log_energy, spread = self._combined(held_out.kernel, held_out.log_roofline, held_out.residuals)
        self.errors_ = LocalErrors().fit(held_out.kernel, log_energy, spread, held_out.actual - log_energy)
        return self

    def predict_log(self, rows: pd.DataFrame) -> tuple[Reals, Reals]:
        """Logarithm of the energy in mJ, and how far the methods disagree about it, shape `(n,)` each."""
        log_roofline = self.roofline_.log_roofline(rows)
        residuals = self.roofline_.residuals(rows, log_roofline)
        return self._combined(rows["kernel"].to_numpy(dtype=str), log_roofline, residuals)

    def _held_out(self, rows: pd.DataFrame, energy_mj: Reals, rounding: Reals) -> _HeldOut:
        folds = _folds(rows, self.random_state)
        parts = []
        for fold in range(int(folds.max()) + 1):
            train = folds != fold
            test = (folds == fold) & rows["kernel"].isin(rows["kernel"][train]).to_numpy()
            if test.any():
                # Hyper-parameters are those of all rows: three numbers, which few rows sway.
                covariance = self.roofline_.covariance_
                model = CorrectedRoofline(self.has_boosting, _FOLD_TREES, covariance, self.random_state)
                model.fit(rows[train], energy_mj[train], rounding[train])
                log_roofline = model.log_roofline(rows[test])
                residuals = model.residuals(rows[test], log_roofline)
                kernel = rows["kernel"][test].to_numpy(dtype=str)
                parts.append(_HeldOut(kernel, log_roofline, residuals, np.log(energy_mj[test])))
        if not parts:
            n_methods = len(self.roofline_.methods_)
            return _HeldOut(np.empty(0, dtype=str), np.empty(0), np.empty((0, n_methods)), np.empty(0))
        return _HeldOut(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def _shares(self, held_out: _HeldOut, trusted: set[str]) -> dict[str, float]:
        """Share of the weighted residual that each kernel type takes; nothing where a type has too few rows."""
        said, residual = held_out.residuals @ self.weights_, held_out.residual
        common = _share(said, residual)
        shares = dict.fromkeys(self.roofline_.rooflines_, 0.0)
        for kernel in trusted:
            chosen = held_out.kernel == kernel
            prior = _PRIOR_ROWS * float(np.mean(residual[chosen] ** 2)) if chosen.any() else _TINY
            shares[kernel] = _share(said[chosen], residual[chosen], prior, common)
        return shares

    def _combined(self, kernel: npt.NDArray[np.str_], log_roofline: Reals, residuals: Reals) -> tuple[Reals, Reals]:
        shares = np.array([self.shares_[name] for name in kernel], dtype=np.float64)
        spread = shares * (residuals[:, :2].max(axis=1, initial=-np.inf) - residuals[:, :2].min(axis=1, initial=np.inf))
        return log_roofline + shares * (residuals @ self.weights_), spread


def _share(said: Reals, residual: Reals, prior: float = _TINY, expected: float = 1.0) -> float:
    """Factor from 0 to 1 that makes the squared error of what was said least, drawn to what is expected.

    >>> round(_share(np.array([1.0, -1.0]), np.array([0.5, -0.5])), 3), _share(np.array([1.0]), np.array([-1.0]))
    (0.5, 0.0)
    """
    return float(np.clip((said @ residual + prior * expected) / (said @ said + prior), 0, 1))


def _folds(rows: pd.DataFrame, seed: int) -> Rows:
    """Fold of each row; one configuration is in one fold."""
    groups: Rows = rows.groupby(["kernel", *CONFIGURATION_FIELDS], dropna=False).ngroup().to_numpy().astype(np.int64)
    folds: Rows = repeated_folds(groups, rows["kernel"], seed)[0]
    return folds
