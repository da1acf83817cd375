"""How alike kernels are: the covariance of their log energies on a device of which nothing was measured.

It depends on costs and extents alone. What it holds for certain of any device is little: energies of kernels that are
near each other in all of these are near, and kernels of one type are more alike than those of several.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.arrays import Reals

_LENGTHS: Final = {
    "flops": 3.0,
    "bytes_moved": 3.0,
    "params": 4.0,
    "cin": 3.0,
    "cout": 3.0,
    "positions": 3.0,
    "window": 2.0,
    "stride": 2.0,
}
"""Distance over which each feature changes log energy, in natural logarithms of the feature; costs come first."""
_COSTS: Final = ("flops", "bytes_moved", "params")
_SLOPE: Final = 0.1
"""Deviation of what log energy changes by with the logarithm of each cost, the same for all kernel types."""
_TYPICAL: Final = np.log(1e6)
"""Logarithm of a cost from which these changes count."""
_SHARED: Final = 1.0
_OF_TYPE: Final = 1.0


@dataclass(frozen=True, eq=False)
class Placed:
    """Kernels as points of a space in which near ones are alike.

    Attributes:
        kernel: type of each, shape `(n,)`.
        features: logarithms of costs and extents in units of the length over which they matter, shape
            `(n, n_features)`.
        costs: logarithms of FLOPs, bytes moved and parameters beyond a typical one, shape `(n, 3)`.
    """

    kernel: npt.NDArray[np.str_]
    features: Reals
    costs: Reals

    def __len__(self) -> int:
        return len(self.kernel)

    def only(self, place: int) -> "Placed":
        """One kernel of them."""
        chosen = slice(place, place + 1)
        return Placed(self.kernel[chosen], self.features[chosen], self.costs[chosen])


def placed(kernels: pd.DataFrame) -> Placed:
    """Kernels as points.

    Args:
        kernels: columns `FEATURES`, one row each; an extent that a type does not have counts as 1.
    """
    extents = {name: kernels[name].fillna(1).to_numpy(dtype=np.float64) for name in _EXTENTS}
    positions = np.ceil(extents["input_h"] / extents["stride_h"]) * np.ceil(extents["input_w"] / extents["stride_w"])
    columns = {name: kernels[name].to_numpy(dtype=np.float64) for name in _COSTS}
    columns |= {
        "cin": kernels[["cin", "cin2", "cin3", "cin4"]].sum(axis=1).to_numpy(dtype=np.float64),
        "cout": kernels["cout"].fillna(kernels["cin"]).fillna(1).to_numpy(dtype=np.float64),
        "positions": positions,
        "window": extents["kernel_h"] * extents["kernel_w"],
        "stride": extents["stride_h"] * extents["stride_w"],
    }
    logs = np.column_stack([np.log(np.maximum(columns[name], 1)) for name in _LENGTHS])
    features = logs / list(_LENGTHS.values())
    return Placed(kernels["kernel"].to_numpy(dtype=str), features, logs[:, : len(_COSTS)] - _TYPICAL)


_EXTENTS: Final = ("input_h", "input_w", "kernel_h", "kernel_w", "stride_h", "stride_w")


def variance(kernels: Placed) -> Reals:
    """Variance of the log energy of kernels of which nothing is known, shape `(n,)`."""
    of_slopes: Reals = _SLOPE**2 * (kernels.costs**2).sum(axis=1)
    return _SHARED + _OF_TYPE + of_slopes


def covariance(one: Placed, other: Placed) -> Reals:
    """Covariance of the log energies of kernels, shape `(len(one), len(other))`.

    Source:
        Matérn covariance of smoothness 3/2: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006),
        equation 4.17.
    """
    squared = (one.features**2).sum(axis=1)[:, None] + (other.features**2).sum(axis=1)[None]
    distance = np.sqrt(3 * np.maximum(squared - 2 * one.features @ other.features.T, 0))
    alike = (1 + distance) * np.exp(-distance)
    same = one.kernel[:, None] == other.kernel[None]
    shared: Reals = alike * (_SHARED + _OF_TYPE * same) + _SLOPE**2 * one.costs @ other.costs.T
    return shared
