"""A corrected roofline, calibrated on held-out rows: how much each method counts, and how wide intervals are."""

from typing import TYPE_CHECKING, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from harness.arrays import Reals, Whole
from harness.predictor.columns import Kernels
from predictors.roofline_residual.corrected import CorrectedRoofline
from predictors.roofline_residual.features import Described, described
from predictors.roofline_residual.intervals import LocalErrors

if TYPE_CHECKING:
    import pandas as pd

_FOLD_TREES: Final = 10
"""Extra trees of the models that predict folds: more would take most of all time, and find the same errors."""
_PRIOR_ROWS: Final = 5
"""Rows that the group's common share of the residual counts for in the share of one kernel type."""
_LEAST_ROWS: Final = 10
"""Held-out rows below which the roofline of a kernel type is not corrected: noise would look like a residual."""
_TINY: Final = 1e-12


class _HeldOut(NamedTuple):
    """Predictions of held-out rows; only rows whose kernel type was left to fit on."""

    kernel: npt.NDArray[np.str_]
    log_roofline: Reals
    residuals: Reals
    deviation: Reals
    actual: Reals

    @property
    def residual(self) -> Reals:
        """Residual that the methods should have predicted."""
        return self.actual - self.log_roofline


class CalibratedRoofline:
    """Kernel types that are fitted together, with weights and intervals from cross-validation grouped by configuration.

    Each method weighs the inverse square of its mean absolute error. Of the weighted residual, each kernel type takes
    the share that makes the squared error least, from none to all of it, so that the roofline stays as it is where
    there is nothing to correct.

    Args:
        has_boosting: whether histogram boosting is among the methods.
        random_state: seed of all draws.
    """

    def __init__(self, has_boosting: bool = False, random_state: int = 0) -> None:
        self.has_boosting = has_boosting
        self.random_state = random_state

    def fit(self, rows: "pd.DataFrame", energy_mj: Reals, rounding: Reals) -> Self:
        """Fit on all rows, and calibrate on how folds of them are predicted by the others.

        Args:
            rows: one row per kernel, range index.
            energy_mj: energy of each, shape `(n,)`.
            rounding: variance of its logarithm that comes of rounding, shape `(n,)`.
        """
        self.roofline_ = CorrectedRoofline(self.has_boosting, random_state=self.random_state)
        kernels = described(rows)
        self.roofline_.fit(kernels, energy_mj, rounding)
        held_out = self._held_out(kernels, _folds(rows, self.random_state), energy_mj, rounding)
        errors = np.abs(held_out.residuals - held_out.residual[:, None])
        weights = 1 / (errors.mean(axis=0) + _TINY) ** 2 if len(errors) else np.ones(errors.shape[1])
        self.weights_ = weights / weights.sum()
        self.shares_ = self._shares(held_out)
        log_energy = self._combined(held_out.kernel, held_out.log_roofline, held_out.residuals)
        self.errors_ = LocalErrors().fit(held_out.kernel, log_energy, held_out.deviation, held_out.actual - log_energy)
        return self

    def predict_log(self, rows: Kernels) -> Reals:
        """Logarithm of the energy in mJ, shape `(n,)`."""
        return self._log_energy(described(rows))

    def predict_log_interval(self, rows: Kernels, coverage: float) -> Reals:
        """Lower and upper bound of the logarithm of the energy in mJ, shape `(n, 2)`.

        Args:
            rows: one row per kernel.
            coverage: probability that the energy lies in the interval.
        """
        kernels = described(rows)
        log_energy = self._log_energy(kernels)
        deviation = self.roofline_.deviation(kernels, self.roofline_.log_roofline(kernels))
        half = self.errors_.half_width(kernels.kernel, log_energy, deviation, coverage)
        return np.column_stack([log_energy - half, log_energy + half])

    def _log_energy(self, kernels: Described) -> Reals:
        log_roofline = self.roofline_.log_roofline(kernels)
        return self._combined(kernels.kernel, log_roofline, self.roofline_.residuals(kernels, log_roofline))

    def _held_out(self, kernels: Described, folds: Whole, energy_mj: Reals, rounding: Reals) -> _HeldOut:
        parts = []
        for fold in range(int(folds.max()) + 1):
            train = folds != fold
            test = (folds == fold) & np.isin(kernels.kernel, kernels.kernel[train])
            if test.any():
                # Hyper-parameters are those of all rows: three numbers, which few rows sway.
                covariance = self.roofline_.covariance_
                model = CorrectedRoofline(self.has_boosting, _FOLD_TREES, covariance, self.random_state)
                model.fit(kernels.only(train), energy_mj[train], rounding[train])
                asked = kernels.only(test)
                log_roofline = model.log_roofline(asked)
                residuals = model.residuals(asked, log_roofline)
                deviation = model.deviation(asked, log_roofline)
                parts.append(_HeldOut(asked.kernel, log_roofline, residuals, deviation, np.log(energy_mj[test])))
        if not parts:
            none = np.empty(0)
            return _HeldOut(none.astype(str), none, np.empty((0, len(self.roofline_.methods_))), none, none)
        return _HeldOut(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def _shares(self, held_out: _HeldOut) -> dict[str, float]:
        """Share of the weighted residual that each kernel type takes; 0 where too few of its rows were held out."""
        predicted, residual = held_out.residuals @ self.weights_, held_out.residual
        common = _share(predicted, residual)
        shares = dict.fromkeys(self.roofline_.rooflines_, 0.0)
        for kernel in shares:
            chosen = held_out.kernel == kernel
            if chosen.sum() >= _LEAST_ROWS:
                prior = _PRIOR_ROWS * float(np.mean(residual[chosen] ** 2))
                shares[kernel] = _share(predicted[chosen], residual[chosen], prior, common)
        return shares

    def _combined(self, kernel: npt.NDArray[np.str_], log_roofline: Reals, residuals: Reals) -> Reals:
        shares = np.array([self.shares_[name] for name in kernel], dtype=np.float64)
        log_energy: Reals = log_roofline + shares * (residuals @ self.weights_)
        return log_energy


def _share(predicted: Reals, residual: Reals, prior: float = _TINY, expected: float = 1.0) -> float:
    """Factor from 0 to 1 that makes the squared error of the predicted residual least, drawn to an expected factor.

    >>> round(_share(np.array([1.0, -1.0]), np.array([0.5, -0.5])), 3), _share(np.array([1.0]), np.array([-1.0]))
    (0.5, 0.0)
    """
    return float(np.clip((predicted @ residual + prior * expected) / (predicted @ predicted + prior), 0, 1))


def _folds(rows: "pd.DataFrame", seed: int) -> Whole:
    """Fold of each row; one configuration is in one fold."""
    from harness.evaluation.folds import repeated_folds
    from harness.predictor.features import numbered_configurations

    folds: Whole = repeated_folds(numbered_configurations(rows), rows["kernel"], seed)[0]
    return folds
