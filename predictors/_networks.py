"""Predictors of networks with a separate model for each system, and what their models are fitted on."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import nnls
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from harness.arrays import Reals
from predictors._rows import energies

Words = npt.NDArray[np.str_]


class PerSystem(BaseEstimator, ABC):
    """Estimator with one model for every system that it was fitted on, and one of all systems for any other.

    Attributes:
        models_: fitted model, by system.
        shared_: model of the rows of all systems.
    """

    def fit(self, kernels: pd.DataFrame, networks: pd.DataFrame) -> Self:  # noqa: ARG002
        """Fit every system on its networks.

        Args:
            kernels: measured kernels, which it does not use.
            networks: one row per network and system, with its label `energy_mj`.

        Raises:
            ValueError: there is no row, or an energy that is not a positive number.
        """
        labels = energies(networks)
        columns, dtypes, systems = self._columns(networks), words_of(networks, "dtype"), words_of(networks, "system_id")
        self.models_: dict[str, Any] = {}
        for system in np.unique(systems):
            rows = systems == system
            self.models_[str(system)] = self._fit_system(columns[rows], dtypes[rows], labels[rows])
        self.shared_: Any = self._fit_system(columns, dtypes, labels)
        return self

    def predict_networks(self, networks: pd.DataFrame) -> Reals:
        """Energy of every network on the system of its row.

        Returns:
            Energy in mJ, shape `(n,)`.
        """
        check_is_fitted(self)
        columns, dtypes, systems = self._columns(networks), words_of(networks, "dtype"), words_of(networks, "system_id")
        predicted = np.empty(len(networks))
        for system in np.unique(systems):
            rows = systems == system
            model = self.models_.get(str(system), self.shared_)
            predicted[rows] = self._predict_system(model, columns[rows], dtypes[rows])
        return predicted

    @abstractmethod
    def _columns(self, networks: pd.DataFrame) -> Reals:
        """What a network is judged by, shape `(n, n_columns)`."""

    @abstractmethod
    def _fit_system(self, columns: Reals, dtypes: Words, energy_mj: Reals) -> Any:
        """Model of one system, fitted on the columns, data types and energies of its networks."""

    @abstractmethod
    def _predict_system(self, model: Any, columns: Reals, dtypes: Words) -> Reals:
        """Energy of networks on the system of a model."""


def words_of(networks: pd.DataFrame, name: str) -> Words:
    """Words of a column, shape `(n,)`."""
    return networks[name].to_numpy(dtype=str)


def terms_of(networks: pd.DataFrame) -> Reals:
    """Costs that energies are sums of, none negative, shape `(n, 9)`.

    FLOPs of pointwise convolutions, of larger ones, of depthwise ones and of all other kernels; bytes moved by
    pointwise and by depthwise convolutions and by all others; parameters; kernels.
    """
    costs = {name: networks[name].to_numpy(dtype=np.float64) for name in _COSTS}
    flops = [
        costs["flops:pointwise"],
        costs["flops:conv-bn-relu"] - costs["flops:pointwise"],
        costs["flops:dwconv-bn-relu"],
        costs["flops"] - costs["flops:conv-bn-relu"] - costs["flops:dwconv-bn-relu"],
    ]
    moved = [costs["bytes_moved:pointwise"], costs["bytes_moved:dwconv-bn-relu"]]
    others = costs["bytes_moved"] - moved[0] - moved[1]
    terms: Reals = np.maximum(np.column_stack([*flops, *moved, others, costs["params"], costs["n"]]), 0.0)
    return terms


_COSTS = (
    "n", "flops", "bytes_moved", "params", "flops:pointwise", "flops:conv-bn-relu", "flops:dwconv-bn-relu",
    "bytes_moved:pointwise", "bytes_moved:dwconv-bn-relu",
)  # fmt: skip


def by_type(columns: Reals, dtypes: Words, types: Sequence[str]) -> Reals:
    """Columns once for each data type, 0 in the rows of the others, shape `(n, n_columns * n_types)`."""
    return np.hstack([columns * (dtypes == dtype)[:, None] for dtype in types])


def non_negative(columns: Reals, energy_mj: Reals, strength: Reals, expected: Reals) -> Reals:
    """Non-negative coefficients of columns that make the squared relative error least, drawn to expected values.

    Args:
        columns: shape `(n, m)`, in mJ for a coefficient of 1.
        energy_mj: energy of each row, shape `(n,)`.
        strength: how strongly each coefficient is drawn to its expected value, in squared relative errors of a row,
            shape `(m,)`.
        expected: expected coefficients, shape `(m,)`.

    Source:
        Lawson and Hanson, Solving Least Squares Problems (1974), chapter 23, with the rows of a ridge regression.
    """
    roots = np.sqrt(strength)
    rows = np.vstack([columns / energy_mj[:, None], np.diag(roots)])
    found: Reals = nnls(rows, np.concatenate([np.ones(len(energy_mj)), roots * expected]))[0]
    return found
