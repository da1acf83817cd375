"""Energy of a network as its measured latency times the mean power of networks of its data type on the system."""

import numpy as np
import pandas as pd

from harness.arrays import Reals
from predictors._networks import PerSystem, Words


class Model(PerSystem):
    """Geometric mean of power, by system and data type; of all data types where one was not measured."""

    def _columns(self, networks: pd.DataFrame) -> Reals:
        return networks[["latency_ms"]].to_numpy(dtype=np.float64)

    def _fit_system(self, columns: Reals, dtypes: Words, energy_mj: Reals) -> "dict[str, float]":
        logs = np.log(energy_mj / columns[:, 0])
        powers = {str(dtype): float(np.exp(logs[dtypes == dtype].mean())) for dtype in np.unique(dtypes)}
        return {"": float(np.exp(logs.mean()))} | powers

    def _predict_system(self, model: "dict[str, float]", columns: Reals, dtypes: Words) -> Reals:
        power_w = np.array([model.get(dtype, model[""]) for dtype in dtypes])
        energy_mj: Reals = power_w * columns[:, 0]
        return energy_mj
