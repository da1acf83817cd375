"""What predictors share that learn each kernel type on its own; what they learn of a type is theirs to say."""

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

Reals = npt.NDArray[np.float64]


class PerKernel(BaseEstimator, ABC):
    """Estimator with one model for every kernel type.

    Attributes:
        models_: what was learnt, by kernel type.
        kernels_: kernel types that it can speak for, sorted.
    """

    def fit(self, kernels: pd.DataFrame) -> Self:
        """Learn every kernel type from its rows.

        Args:
            kernels: one row a kernel, with its label `energy_mj`.

        Raises:
            ValueError: there is no row, or an energy that is not a positive number.
        """
        labels = energies(kernels)
        self.models_: dict[str, Any] = {
            kernel: self._fit_kernel(kernel, kernels.loc[rows], labels[rows]) for kernel, rows in rows_of(kernels)
        }
        self.kernels_ = tuple(self.models_)
        return self

    def predict(self, kernels: pd.DataFrame) -> Reals:
        """Energy of every kernel.

        Args:
            kernels: one row a kernel, of types that it was fitted on.

        Returns:
            Energy in mJ, shape `(n,)`.

        Raises:
            ValueError: a kernel type that it was not fitted on.
        """
        predicted = np.empty(len(kernels))
        for kernel, rows in self._known_rows(kernels):
            predicted[rows] = self._predict_kernel(self.models_[kernel], kernels.loc[rows])
        return predicted

    def _known_rows(self, kernels: pd.DataFrame) -> "list[tuple[str, npt.NDArray[np.bool_]]]":
        """Kernel types with their rows; types that it was not fitted on are refused."""
        check_is_fitted(self)
        of_type = rows_of(kernels)
        unknown = sorted({kernel for kernel, _ in of_type} - self.models_.keys())
        if unknown:
            raise ValueError(f"kernel {unknown[0]!r} was not fitted; expected one of {', '.join(self.kernels_)}")
        return of_type

    @abstractmethod
    def _fit_kernel(self, kernel: str, rows: pd.DataFrame, energy_mj: Reals) -> Any:
        """What is learnt of one kernel type from its rows."""

    @abstractmethod
    def _predict_kernel(self, model: Any, rows: pd.DataFrame) -> Reals:
        """Energy of rows of the kernel type that was learnt."""


def rows_of(kernels: pd.DataFrame) -> "list[tuple[str, npt.NDArray[np.bool_]]]":
    """Kernel types in alphabetical order, each with a mask of its rows."""
    types = kernels["kernel"].to_numpy(dtype=str)
    return [(str(kernel), types == kernel) for kernel in np.unique(types)]


def energies(kernels: pd.DataFrame) -> Reals:
    """Labels of a table to fit on, in mJ.

    Raises:
        ValueError: there is no row, or an energy that is not a positive number.
    """
    labels: Reals = kernels["energy_mj"].to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(~(np.isfinite(labels) & (labels > 0)))
    if wrong.size or not labels.size:
        found = f"energy_mj = {labels[wrong[0]]} in row {wrong[0]}" if wrong.size else "no row to fit on"
        raise ValueError(f"{found}; expected energies above 0")
    return labels
