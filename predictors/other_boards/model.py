"""Energy of a network as on other systems: the geometric mean of these, times one factor of the system.

A network that was measured on none has the energy of the mean network of the system.
"""

from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from harness.arrays import Reals
from predictors._elsewhere import Asked, Elsewhere, completed, elsewhere
from predictors._networks import Words, words_of


class Model(BaseEstimator):
    """Geometric mean of the energies on other systems, times the factor that its own networks and data type have.

    Attributes:
        known_: energies that it was fitted on.
    """

    def fit(self, kernels: pd.DataFrame, networks: pd.DataFrame) -> Self:  # noqa: ARG002
        """Keep the energies of all systems.

        Args:
            kernels: measured kernels, which it does not use.
            networks: one row per network and system, with its label `energy_mj`.

        Raises:
            ValueError: there is no row, or an energy that is not a positive number.
        """
        self.known_: Elsewhere = elsewhere(networks)
        return self

    def predict_networks(self, networks: pd.DataFrame) -> Reals:
        """Energy of every network on the system of its row in mJ, shape `(n,)`."""
        check_is_fitted(self)
        dtypes = words_of(networks, "dtype")
        predicted = np.empty(len(networks))
        for asked in self.known_.asked(networks):
            predicted[asked.rows] = np.exp(self._logs(asked, dtypes[asked.rows]))
        return predicted

    def _logs(self, asked: Asked, dtypes: Words) -> Reals:
        """Log energies of networks, by their data types."""
        known = self.known_
        own = known.of(asked.system)
        is_own = np.isfinite(own)
        if not asked.donors.size:
            return np.full(len(dtypes), own[is_own].mean() if is_own.any() else np.nanmean(known.logs))
        ratios = (own - completed(known.logs[:, asked.donors]).mean(axis=1))[is_own]
        types = words_of(known.networks, "dtype")[is_own]
        factor = ratios.mean() if ratios.size else 0.0
        of_type = {dtype: ratios[types == dtype].mean() for dtype in np.unique(types)}
        found: Reals = asked.logs.mean(axis=1) + np.array([of_type.get(dtype, factor) for dtype in dtypes])
        return found
