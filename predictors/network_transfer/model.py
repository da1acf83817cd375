"""Energy of a network as a non-negative sum of its energies on other systems and of what its kernels cost.

Energies of networks are sums over what they run, on any system. So the energy on one system is near a sum of those on
others, with a remainder for each kind of cost. The parts of the sum are no energies of kernels: many others fit the
networks equally well.
"""

from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from harness.arrays import Reals
from predictors._elsewhere import Asked, Elsewhere, completed, elsewhere
from predictors._networks import Words, by_type, non_negative, terms_of, words_of

SHARED = 0.01
"""How strongly the share of each other system is drawn to the mean of all, in squared relative errors of a row."""
OF_TYPE = 0.1
"""How strongly what a share has more for one data type is drawn to 0."""
COSTS = 0.01
"""How strongly the coefficient of each cost is drawn to 0."""
COSTS_ALONE = 1e-3
"""The same where a network was measured on no other system."""


class Model(BaseEstimator):
    """Non-negative least squares of the relative error, for each system and each set of other systems.

    Attributes:
        known_: energies that it was fitted on.
        terms_: costs of these networks, shape `(n, n_terms)`.
        dtypes_: their data types, shape `(n,)`.
    """

    def fit(self, kernels: pd.DataFrame, networks: pd.DataFrame) -> Self:  # noqa: ARG002
        """Keep the energies of all systems; which of them are of use, only the networks to predict show.

        Args:
            kernels: measured kernels, which it does not use.
            networks: one row per network and system, with its label `energy_mj`.

        Raises:
            ValueError: there is no row, or an energy that is not a positive number.
        """
        self.known_: Elsewhere = elsewhere(networks)
        self.terms_ = terms_of(self.known_.networks)
        self.dtypes_ = words_of(self.known_.networks, "dtype")
        return self

    def predict_networks(self, networks: pd.DataFrame) -> Reals:
        """Energy of every network on the system of its row in mJ, shape `(n,)`."""
        check_is_fitted(self)
        terms, dtypes = terms_of(networks), words_of(networks, "dtype")
        predicted = np.empty(len(networks))
        for asked in self.known_.asked(networks):
            predicted[asked.rows] = self._energies(asked, terms[asked.rows], dtypes[asked.rows])
        return predicted

    def _energies(self, asked: Asked, terms: Reals, dtypes: Words) -> Reals:
        """Energy in mJ of networks of these costs and data types."""
        known, donors = self.known_, asked.donors
        own = known.of(asked.system)
        rows = np.flatnonzero(np.isfinite(own))
        if not rows.size:
            # Nothing is known of the system: it is taken to be as the others are.
            typical = np.exp(np.nanmean(known.logs))
            return np.exp(asked.logs.mean(axis=1)) if donors.size else np.full(len(terms), typical)
        own_mj = np.exp(own[rows])
        of_donors = completed(known.logs[:, donors])[rows] if donors.size else np.empty((len(rows), 0))
        # Every other system is scaled to this one, so that the mean of all is the first guess.
        factors = (own[rows, None] - of_donors).mean(axis=0)
        types = sorted({*self.dtypes_[rows], *dtypes})
        size = self.terms_.max(axis=0) / np.median(own_mj)
        size[size == 0] = np.inf
        columns, asked_columns = (
            np.hstack([energies, by_type(energies, words, types), by_type(costs / size, words, types)])
            for energies, words, costs in (
                (np.exp(of_donors + factors), self.dtypes_[rows], self.terms_[rows]),
                (np.exp(asked.logs + factors), dtypes, terms),
            )
        )
        found = non_negative(columns, own_mj, *_priors(donors.size, len(types), columns.shape[1]))
        energy_mj: Reals = np.maximum(asked_columns @ found, _LEAST_SHARE * own_mj.min())
        return energy_mj


def _priors(n_donors: int, n_types: int, n: int) -> tuple[Reals, Reals]:
    """How strongly coefficients are drawn to expected ones, and these, both of shape `(n,)`."""
    strength = np.full(n, COSTS if n_donors else COSTS_ALONE)
    strength[:n_donors] = SHARED
    strength[n_donors : n_donors * (1 + n_types)] = OF_TYPE
    expected = np.zeros(n)
    expected[:n_donors] = 1 / max(n_donors, 1)
    return strength, expected


_LEAST_SHARE = 0.01
"""A network without any of the costs that take energy takes this share of the least one, for energies are above 0."""
