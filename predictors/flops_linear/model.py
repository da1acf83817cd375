"""Energy as a line over FLOPs, for each kernel type: what is assumed wherever FLOPs stand in for energy."""

import pandas as pd

from harness.arrays import Reals
from predictors._per_kernel import PerKernel
from predictors._roofline import fit_roofline, roofline_terms


class Model(PerKernel):
    """Non-negative line `a + b * flops`, by least squares of log energy.

    The logarithm makes a row count by how far off it is in relation to its energy; without it the few kernels that take
    most energy would decide alone. Weights of 1 / energy squared do so too, but draw the line far below the middle
    where energies scatter. Types whose FLOPs are all zero get a constant.
    """

    def _fit_kernel(self, kernel: str, rows: pd.DataFrame, energy_mj: Reals) -> Reals:  # noqa: ARG002
        return fit_roofline(_line(rows), energy_mj)

    def _predict_kernel(self, model: Reals, rows: pd.DataFrame) -> Reals:
        energy_mj: Reals = _line(rows) @ model
        return energy_mj


def _line(rows: pd.DataFrame) -> Reals:
    """1 and FLOPs of each row, shape `(n, 2)`."""
    terms: Reals = roofline_terms(rows)[:, :2]
    return terms
