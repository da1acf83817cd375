"""The default predictor: roofline of each kernel type times the exponential of a predicted residual of log energy.

Kernel types with enough rows are fitted on their own; all others together, with a mark for each, because what
moves memory does so in the same way whatever it computes.
"""

from typing import Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from harness.arrays import Reals
from harness.predictor.columns import Kernels
from predictors._rows import energies, kernel_types, rows_of
from predictors.roofline_residual.calibrated import CalibratedRoofline
from predictors.roofline_residual.groups import Groups

OWN_ROWS: Final = 30
"""Rows from which a kernel type is fitted on its own."""
BOOSTED_ROWS: Final = 300
"""Rows from which histogram boosting joins the Gaussian process and the extra trees; with fewer it added error."""
_TOGETHER: Final = "others"
_MOST_DIGITS: Final = 9


class Model(Groups, BaseEstimator):
    """Corrected rooflines with intervals, all fitted on log energy.

    Args:
        random_state: seed of all draws.

    Attributes:
        groups_: kernel types that it was fitted on, each with the group that it is fitted in.
        models_: model of each group.
        kernels_: kernel types that it was fitted on, sorted.
    """

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, kernels: pd.DataFrame) -> Self:
        """Learn each group of kernel types.

        Args:
            kernels: one row per kernel, with its label `energy_mj`.

        Raises:
            ValueError: there is no row, or an energy that is not a positive number.
        """
        labels = energies(kernels)
        rounding = (resolution(labels) / labels) ** 2 / 12
        self.groups_ = {
            kernel: kernel if chosen.sum() >= OWN_ROWS else _TOGETHER
            for kernel, chosen in rows_of(kernel_types(kernels))
        }
        self.kernels_ = tuple(self.groups_)
        self.models_: dict[str, CalibratedRoofline] = {}
        for group, chosen in self._rows_of_groups(kernels):
            model = CalibratedRoofline(bool(chosen.sum() >= BOOSTED_ROWS), self.random_state)
            rows = kernels[chosen].reset_index(drop=True)
            self.models_[group] = model.fit(rows, labels[chosen], rounding[chosen])
        return self

    def predict(self, kernels: Kernels) -> Reals:
        """As `Groups.predict`."""
        check_is_fitted(self)
        return super().predict(kernels)

    def predict_interval(self, kernels: Kernels, coverage: float) -> Reals:
        """As `Groups.predict_interval`."""
        check_is_fitted(self)
        return super().predict_interval(kernels, coverage)

    def plain(self) -> Groups:
        """The same without what only a fit needs, which `harness.predictor.plain` makes arrays of."""
        return Groups(self.groups_, self.models_)


def resolution(labels: Reals) -> float:
    """Unit of the last decimal that energies are given to; 0 where they are given to more than nine.

    A kernel of 0.002 mJ in a table rounded to 0.001 mJ may be a quarter off, which no predictor can know.

    >>> resolution(np.array([0.002, 1.25])), resolution(np.array([1 / 3]))
    (0.001, 0.0)
    """
    for digits in range(_MOST_DIGITS + 1):
        if np.allclose(labels, labels.round(digits), rtol=1e-12, atol=0):
            return float(f"1e-{digits}")
    return 0.0
