"""Energy of a network as a constant and what its FLOPs take, for each system and data type."""

import numpy as np
import pandas as pd

from harness.arrays import Reals
from predictors._networks import PerSystem, Words, non_negative

_STRENGTH = 1e-9
"""How strongly coefficients are drawn to 0: enough for one row to have one line."""


class Model(PerSystem):
    """Non-negative `c0 + c1 * flops`, by least squares of the relative error.

    A data type that a system was not fitted on has the line of all its networks.
    """

    def _columns(self, networks: pd.DataFrame) -> Reals:
        return np.column_stack([np.ones(len(networks)), networks["flops"].to_numpy(dtype=np.float64)])

    def _fit_system(self, columns: Reals, dtypes: Words, energy_mj: Reals) -> "dict[str, Reals]":
        lines = {"": _line(columns, energy_mj)}
        return lines | {
            str(dtype): _line(columns[dtypes == dtype], energy_mj[dtypes == dtype]) for dtype in np.unique(dtypes)
        }

    def _predict_system(self, model: "dict[str, Reals]", columns: Reals, dtypes: Words) -> Reals:
        energy_mj: Reals = (columns * np.stack([model.get(dtype, model[""]) for dtype in dtypes])).sum(axis=1)
        return energy_mj


def _line(columns: Reals, energy_mj: Reals) -> Reals:
    """Constant in mJ and mJ per FLOP."""
    size = columns.max(axis=0) / energy_mj.mean()
    size[size == 0] = 1
    coefficients: Reals = non_negative(columns / size, energy_mj, np.full(2, _STRENGTH), np.zeros(2)) / size
    return coefficients
