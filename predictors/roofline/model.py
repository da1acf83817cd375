"""Energy of each kernel type as a constant, what its FLOPs take and what the bytes that it moves take."""

import pandas as pd

from harness.arrays import Reals
from predictors._per_kernel import PerKernel
from predictors._roofline import fit_roofline, roofline_terms


class Model(PerKernel):
    """Non-negative `c0 + c1 * flops + c2 * bytes_moved`, by least squares of log energy."""

    def _fit_kernel(self, kernel: str, rows: pd.DataFrame, energy_mj: Reals) -> Reals:  # noqa: ARG002
        return fit_roofline(roofline_terms(rows), energy_mj)

    def _predict_kernel(self, model: Reals, rows: pd.DataFrame) -> Reals:
        energy_mj: Reals = roofline_terms(rows) @ model
        return energy_mj
