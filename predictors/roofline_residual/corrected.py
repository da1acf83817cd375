"""Rooflines of kernel types that are fitted together, and several methods that predict the residual."""

from copy import copy
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from harness.arrays import Reals
from predictors._roofline import fit_roofline
from predictors._rows import rows_of
from predictors._tree_arrays import TreeArrays
from predictors.roofline_residual.features import Described

if TYPE_CHECKING:
    from sklearn.gaussian_process.kernels import Kernel

_BOOSTING: Final = {
    "max_iter": 30, "learning_rate": 0.3, "max_leaf_nodes": 8, "min_samples_leaf": 8, "early_stopping": False
}  # fmt: skip
_SPREAD: Final = 0.05
"""Deviation of log energy that rows have besides their rounding, in the weights of the trees."""


class CorrectedRoofline:
    """A roofline for each kernel type, and residuals of log(energy / roofline) by several methods over all of them.

    Args:
        has_boosting: whether histogram boosting is among the methods, besides a Gaussian process and extra trees.
        n_trees: number of extra trees.
        covariance: covariance of the Gaussian process with settled hyper-parameters; None to settle them.
        random_state: seed of all draws.

    Attributes:
        rooflines_: coefficients of each kernel type.
        ranges_: least and greatest residual of each kernel type.
        covariance_: covariance of the Gaussian process with settled hyper-parameters.
    """

    def __init__(
        self,
        has_boosting: bool = False,
        n_trees: int = 30,
        covariance: "Kernel | None" = None,
        random_state: int = 0,
    ) -> None:
        self.has_boosting = has_boosting
        self.n_trees = n_trees
        self.covariance = covariance
        self.random_state = random_state

    def fit(self, rows: Described, energy_mj: Reals, rounding: Reals) -> Self:
        """Learn rooflines and residuals.

        Args:
            rows: one row per kernel.
            energy_mj: energy of each, shape `(n,)`.
            rounding: variance of its logarithm that comes of rounding, shape `(n,)`.
        """
        from sklearn.ensemble import HistGradientBoostingRegressor

        from predictors._trees import MeanOfTrees
        from predictors.roofline_residual.matern import MaternProcess

        self.rooflines_ = {
            kernel: fit_roofline(rows.terms[chosen], energy_mj[chosen]) for kernel, chosen in rows_of(rows.kernel)
        }
        log_roofline = self.log_roofline(rows)
        residual = np.log(energy_mj) - log_roofline
        self.ranges_ = {
            kernel: (float(residual[chosen].min()), float(residual[chosen].max()))
            for kernel, chosen in rows_of(rows.kernel)
        }
        given = self._given(rows, log_roofline)
        process = MaternProcess(self.covariance, random_state=self.random_state).fit(given, residual, rounding)
        self.covariance_ = process.kernel_
        trees = MeanOfTrees(self.n_trees, is_extra=True, random_state=self.random_state)
        trees.fit(given, residual, sample_weight=1 / (1 + rounding / _SPREAD**2))
        self.methods_: list[Any] = [process, trees]
        if self.has_boosting:
            boosting = HistGradientBoostingRegressor(**_BOOSTING, random_state=self.random_state)
            self.methods_.append(boosting.fit(given, residual))
        return self

    def plain(self) -> Self:
        """The same without estimators of scikit-learn, to predict."""
        process, trees, *boosting = self.methods_
        found = copy(self)
        found.methods_ = [process.plain(), trees.plain(), *map(TreeArrays.of_boosting, boosting)]
        del found.covariance, found.covariance_
        return found

    def log_roofline(self, rows: Described) -> Reals:
        """Natural logarithm of the energy in mJ by the roofline, shape `(n,)`."""
        energy_mj = np.empty(len(rows))
        for kernel, chosen in rows_of(rows.kernel):
            energy_mj[chosen] = rows.terms[chosen] @ self.rooflines_[kernel]
        return np.log(energy_mj)

    def residuals(self, rows: Described, log_roofline: Reals) -> Reals:
        """Residual by each method, shape `(n, n_methods)`, clipped to what the row's kernel type had in training."""
        given = self._given(rows, log_roofline)
        found = np.column_stack([method.predict(given) for method in self.methods_])
        for kernel, chosen in rows_of(rows.kernel):
            found[chosen] = found[chosen].clip(*self.ranges_[kernel])
        return found

    def deviation(self, rows: Described, log_roofline: Reals) -> Reals:
        """Standard deviation of log energy by the Gaussian process, larger the less alike any row was, shape `(n,)`."""
        deviation: Reals = self.methods_[0].deviation(self._given(rows, log_roofline))
        return deviation

    def _given(self, rows: Described, log_roofline: Reals) -> Reals:
        """Features, the roofline, and where there are several kernel types, a mark of each."""
        marks = [rows.kernel == kernel for kernel in self.rooflines_] if len(self.rooflines_) > 1 else []
        return np.column_stack([rows.features, log_roofline, *marks])
