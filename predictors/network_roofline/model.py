"""Energy of a network as what the costs of its kernels take, by kernel type and data type, for each system.

The sum predicts networks; its parts are no energies of kernels, for many others fit the networks equally well.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.arrays import Reals
from predictors._networks import PerSystem, Words, by_type, non_negative, terms_of

STRENGTH = 1e-3
"""How strongly coefficients are drawn to 0, in squared relative errors of a row."""


class Model(PerSystem):
    """Non-negative coefficients of FLOPs, bytes, parameters and kernels, by least squares of the relative error."""

    def _columns(self, networks: pd.DataFrame) -> Reals:
        return terms_of(networks)

    def _fit_system(self, columns: Reals, dtypes: Words, energy_mj: Reals) -> "Sums":
        types = sorted(set(dtypes.tolist()))
        terms = by_type(columns, dtypes, types)
        size = terms.max(axis=0) / np.median(energy_mj)
        size[size == 0] = np.inf
        n = terms.shape[1]
        found = non_negative(terms / size, energy_mj, np.full(n, STRENGTH), np.zeros(n)) / size
        return Sums(dict(zip(types, found.reshape(len(types), -1), strict=True)), float(energy_mj.min()))

    def _predict_system(self, model: "Sums", columns: Reals, dtypes: Words) -> Reals:
        every: Reals = np.mean(list(model.coefficients.values()), axis=0)
        of_row = np.stack([model.coefficients.get(str(dtype), every) for dtype in dtypes])
        energy_mj: Reals = np.maximum((columns * of_row).sum(axis=1), _LEAST_SHARE * model.least_mj)
        return energy_mj


class Sums(NamedTuple):
    """Energies of one unit of each cost in mJ, by data type, and the least energy that it was fitted on."""

    coefficients: "dict[str, Reals]"
    least_mj: float


_LEAST_SHARE = 0.01
"""A network without any of the costs that take energy takes this share of the least one, for energies are above 0."""
