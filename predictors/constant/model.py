"""The geometric mean energy of each kernel type, whatever the configuration: the baseline of all predictors."""

import numpy as np
import pandas as pd

from harness.arrays import Reals
from predictors._per_kernel import PerKernel


class Model(PerKernel):
    """Geometric mean of the energies of a kernel type, which makes the squared error of the logarithm least."""

    def _fit_kernel(self, kernel: str, rows: pd.DataFrame, energy_mj: Reals) -> float:  # noqa: ARG002
        return float(np.exp(np.mean(np.log(energy_mj))))

    def _predict_kernel(self, model: float, rows: pd.DataFrame) -> Reals:
        return np.full(len(rows), model)
