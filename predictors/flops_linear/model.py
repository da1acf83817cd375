"""Energy as a line over FLOPs, for each kernel type: what is assumed wherever FLOPs stand in for energy."""

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from predictors._per_kernel import PerKernel, Reals


class Model(PerKernel):
    """Non-negative line `a + b * flops`, by least squares of the relative error.

    Every row weighs the inverse of its energy squared, so that a row counts by how far off it is in percent; without
    weights, the few kernels that take most energy would decide alone. Types whose FLOPs are all zero get a constant.
    """

    def _fit_kernel(self, kernel: str, rows: pd.DataFrame, energy_mj: Reals) -> Reals:  # noqa: ARG002
        weighted = _columns(rows) / energy_mj[:, None]
        # Columns of one size, because FLOPs are up to twelve orders of magnitude above 1.
        size = weighted.max(axis=0)
        size[size == 0] = 1
        line: Reals = nnls(weighted / size, np.ones(len(rows)))[0] / size
        return np.append(line, energy_mj.min())

    def _predict_kernel(self, model: Reals, rows: pd.DataFrame) -> Reals:
        predicted = _columns(rows) @ model[:2]
        # A line through the origin says nothing about a kernel without FLOPs.
        return np.where(predicted > 0, predicted, model[2])


def _columns(rows: pd.DataFrame) -> Reals:
    flops = rows["flops"].to_numpy(dtype=np.float64)
    return np.column_stack([np.ones_like(flops), flops])
