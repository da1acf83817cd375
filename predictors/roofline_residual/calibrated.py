"""A corrected roofline, calibrated on held-out rows: how much each method counts, and how wide intervals are."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from harness.arrays import Mask, Reals, Whole
from harness.predictor.columns import Kernels
from predictors.roofline_residual.corrected import CorrectedRoofline
from predictors.roofline_residual.features import Described, described
from predictors.roofline_residual.intervals import LocalErrors
from predictors.roofline_residual.unseen import LearntSizes, size_folds

if TYPE_CHECKING:
    import pandas as pd

_FOLD_TREES: Final = 6
"""Extra trees of the models that predict folds: more would take most of all time, and find the same errors."""
_FEWEST_TREES: Final = 3
"""Extra trees of the models that predict folds of whole sizes, where errors are much larger than what these add."""
_PRIOR_ROWS: Final = 5
"""Rows that the group's common share of the residual counts for in the share of one kernel type."""
_LEAST_ROWS: Final = 10
"""Held-out rows below which the roofline of a kernel type is not corrected: noise would look like a residual."""
_WIDEST: Final = float(np.log(1e9))
"""Half-width of log energy beyond which an interval says nothing, as those from a few rows may be."""
_ENOUGH_ROWS: Final = 400
"""Held-out rows from which more folds would tell no more about errors."""
_TINY: Final = 1e-12


class _HeldOut(NamedTuple):
    """Predictions of held-out rows; only rows whose kernel type was left to fit on."""

    kernel: npt.NDArray[np.str_]
    log_roofline: Reals
    residuals: Reals
    deviation: Reals
    actual: Reals
    distance: Reals

    @property
    def residual(self) -> Reals:
        """Residual that the methods should have predicted."""
        return self.actual - self.log_roofline


class CalibratedRoofline:
    """Kernel types that are fitted together, with weights and intervals from cross-validation grouped by configuration.

    Each method weighs the inverse square of its mean absolute error. Of the weighted residual, each kernel type takes
    the share that makes the squared error least, from none to all of it, so that the roofline stays as it is where
    there is nothing to correct.

    Intervals of rows with a value of input or kernel size that was not learnt are those of rows whose values were held
    out, or those of other rows where these are wider.

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
        self.sizes_ = LearntSizes().fit(kernels)
        folds = _folds(rows, self.random_state)
        held_out = self._held_out(kernels, _enough(folds), energy_mj, rounding)
        errors = np.abs(held_out.residuals - held_out.residual[:, None])
        weights = 1 / (errors.mean(axis=0) + _TINY) ** 2 if len(errors) else np.ones(errors.shape[1])
        self.weights_ = weights / weights.sum()
        self.shares_ = self._shares(held_out)
        log_energy = self._combined(held_out.kernel, held_out.log_roofline, held_out.residuals)
        self.errors_ = LocalErrors().fit(held_out.kernel, log_energy, held_out.deviation, held_out.actual - log_energy)
        apart = list(size_folds(kernels, self.random_state))
        self._calibrate_unseen(self._held_out(kernels, apart, energy_mj, rounding, is_short=True))
        return self

    def _calibrate_unseen(self, held_out: _HeldOut) -> None:
        """Learn errors at unseen values; the deviation of a row has in it how far the nearest learnt values are."""
        far = held_out.distance > 0
        kernel, distance = held_out.kernel[far], held_out.distance[far]
        log_energy = self._combined(kernel, held_out.log_roofline[far], held_out.residuals[far])
        error = held_out.actual[far] - log_energy
        self.error_of_distance_ = float(np.abs(error).mean() / distance.mean()) if len(error) else 0.0
        deviation = np.hypot(held_out.deviation[far], self.error_of_distance_ * distance)
        self.errors_unseen_ = LocalErrors().fit(kernel, log_energy, deviation, error)

    def predict_log(self, rows: Kernels) -> Reals:
        """Logarithm of the energy in mJ, shape `(n,)`."""
        return self._log_energy(described(rows))

    def predict_log_interval(self, rows: Kernels, coverage: float) -> Reals:
        """Lower and upper bound of the logarithm of the energy in mJ, shape `(n, 2)`.

        NaN for a row with an unseen value of an extent of which too few were learnt to tell its error.

        Args:
            rows: one row per kernel.
            coverage: probability that the energy lies in the interval.
        """
        kernels = described(rows)
        log_energy = self._log_energy(kernels)
        deviation = self.roofline_.deviation(kernels, self.roofline_.log_roofline(kernels))
        half = self.errors_.half_width(kernels.kernel, log_energy, deviation, coverage)
        distance = self.sizes_.distance(kernels)
        if (distance > 0).any():
            of_both = np.hypot(deviation, self.error_of_distance_ * distance)
            unseen = self.errors_unseen_.half_width(kernels.kernel, log_energy, of_both, coverage)
            half = np.where(distance > 0, np.maximum(half, unseen), half)
            half[~self.sizes_.is_told(kernels)] = np.nan
        half = np.minimum(half, _WIDEST)
        return np.column_stack([log_energy - half, log_energy + half])

    def _log_energy(self, kernels: Described) -> Reals:
        log_roofline = self.roofline_.log_roofline(kernels)
        return self._combined(kernels.kernel, log_roofline, self.roofline_.residuals(kernels, log_roofline))

    def _held_out(
        self,
        kernels: Described,
        folds: Iterable[Mask],
        energy_mj: Reals,
        rounding: Reals,
        *,
        is_short: bool = False,
    ) -> _HeldOut:
        """Predictions of the rows of each fold by models of the others.

        Args:
            kernels: one row per kernel.
            folds: rows of each fold.
            energy_mj: energy of each row.
            rounding: variance of its logarithm that comes of rounding.
            is_short: whether there are fewer trees, which stand in for boosting as well.
        """
        parts = []
        for fold in folds:
            test = fold & np.isin(kernels.kernel, kernels.kernel[~fold])
            if test.any():
                # Hyper-parameters are those of all rows: three numbers, which few rows sway.
                covariance, has_boosting = self.roofline_.covariance_, self.has_boosting and not is_short
                n_trees = _FEWEST_TREES if is_short else _FOLD_TREES
                model = CorrectedRoofline(has_boosting, n_trees, covariance, self.random_state)
                learnt, asked = kernels.only(~fold), kernels.only(test)
                model.fit(learnt, energy_mj[~fold], rounding[~fold])
                log_roofline = model.log_roofline(asked)
                residuals = model.residuals(asked, log_roofline)
                if self.has_boosting and is_short:
                    residuals = np.column_stack([residuals, residuals[:, -1]])
                deviation = model.deviation(asked, log_roofline)
                distance = LearntSizes().fit(learnt).distance(asked)
                actual = np.log(energy_mj[test])
                parts.append(_HeldOut(asked.kernel, log_roofline, residuals, deviation, actual, distance))
        if not parts:
            none, of_methods = np.empty(0), np.empty((0, len(self.roofline_.methods_)))
            return _HeldOut(none.astype(str), none, of_methods, none, none, none)
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


def _enough(folds: Whole) -> Iterator[Mask]:
    """Rows of each fold, as many folds as hold out enough rows.

    Args:
        folds: fold of each row, shape `(n,)`.
    """
    n_rows = np.cumsum(np.bincount(folds))
    yield from (folds == fold for fold in range(1 + int((n_rows < _ENOUGH_ROWS)[:-1].sum())))


def _folds(rows: "pd.DataFrame", seed: int) -> Whole:
    """Fold of each row; one configuration is in one fold."""
    from harness.evaluation.folds import repeated_folds
    from harness.predictor.features import numbered_configurations

    folds: Whole = repeated_folds(numbered_configurations(rows), rows["kernel"], seed)[0]
    return folds
