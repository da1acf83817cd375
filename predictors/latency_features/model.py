"""Energy of a network as its measured latency times a power that depends on what the network is made of."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge

from harness.arrays import Reals
from predictors._networks import PerSystem, Words

ALPHA = 0.1
"""Strength of the regression; features have mean 0 and standard deviation 1 on the networks of a system."""


class Model(PerSystem):
    """Ridge regression of log power, for each system.

    Features are logarithms of FLOPs, bytes per FLOP, parameters, kernels and latency, the shares of depthwise and of
    larger convolutions in the FLOPs, the data type, and the logarithm of FLOPs within each data type.
    """

    def _columns(self, networks: pd.DataFrame) -> Reals:
        costs = {name: networks[name].to_numpy(dtype=np.float64) for name in _COSTS}
        flops = np.maximum(costs["flops"], 1)
        larger = costs["flops:conv-bn-relu"] - costs["flops:pointwise"]
        return np.column_stack(
            [
                np.log(costs["latency_ms"]), np.log(flops), np.log1p(costs["bytes_moved"]) - np.log(flops),
                np.log1p(costs["params"]), np.log1p(costs["n"]), costs["flops:dwconv-bn-relu"] / flops, larger / flops,
            ]
        )  # fmt: skip

    def _fit_system(self, columns: Reals, dtypes: Words, energy_mj: Reals) -> "Power":
        types = sorted(set(dtypes.tolist()))
        features = _with_types(columns, dtypes, types)
        mean, spread = features.mean(axis=0), features.std(axis=0)
        spread[spread < _LEAST_SPREAD] = 1
        logs = np.log(energy_mj) - columns[:, 0]
        ridge = Ridge(alpha=ALPHA).fit((features - mean) / spread, logs)
        bounds = (float(logs.min()) - _MARGIN, float(logs.max()) + _MARGIN)
        return Power(types, mean, spread, ridge.coef_, float(ridge.intercept_), bounds)

    def _predict_system(self, model: "Power", columns: Reals, dtypes: Words) -> Reals:
        features = (_with_types(columns, dtypes, model.types) - model.mean) / model.spread
        energy_mj: Reals = np.exp(np.clip(model.intercept + features @ model.slopes, *model.bounds) + columns[:, 0])
        return energy_mj


class Power(NamedTuple):
    """Log power in W as a linear function of features, within bounds."""

    types: list[str]
    mean: Reals
    spread: Reals
    slopes: Reals
    intercept: float
    bounds: tuple[float, float]


_LEAST_SPREAD = 1e-9
_MARGIN = float(np.log(2))
"""Power stays within a factor of 2 of what the system was measured at."""


def _with_types(columns: Reals, dtypes: Words, types: list[str]) -> Reals:
    """Columns, data types, and the second column, which is the logarithm of FLOPs, within each data type."""
    is_type = (dtypes[:, None] == np.array(types)[None]).astype(np.float64)
    return np.hstack([columns, is_type, is_type * columns[:, 1:2]])


_COSTS = (
    "n", "flops", "bytes_moved", "params", "flops:pointwise", "flops:conv-bn-relu", "flops:dwconv-bn-relu",
    "latency_ms",
)  # fmt: skip
