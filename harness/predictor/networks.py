"""Tables of measured networks as predictors see them: what a network is made of, and the system that it ran on.

A system is a device with its software and settings. The label is a column that only training tables have.
"""

from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from harness.predictor.features import LABEL, network_frame
from harness.predictor.protocol import KERNELS

LATENCY: Final = "latency_ms"
"""Column of the measured latency, which only predictors with `uses_latency` are given."""
POINTWISE: Final = "pointwise"
"""Convolutions with windows of 1 x 1, which are among their kernel type too."""
COSTS: Final = ("n", "flops", "bytes_moved", "params")
NETWORK_WORDS: Final = ("network", "family", "dtype", "system_id", "device_id")
"""Columns of words: `network` has one name in all data types, and `device_id` is the board of the system."""
NETWORK_COSTS: Final = (
    *COSTS, *(f"{cost}:{kernel}" for kernel in (*KERNELS, POINTWISE) for cost in COSTS[:3]),
)  # fmt: skip
"""Columns of numbers: kernels, FLOPs, bytes moved and parameters of the network, and the first three by kernel type."""
NETWORK_FEATURES: Final = (*NETWORK_WORDS, *NETWORK_COSTS)
"""Columns of a table of networks, in order."""


def labelled_networks(models: pa.Table) -> pd.DataFrame:
    """Networks with their labels and latencies.

    Args:
        models: rows of the models level of a release that have a kernel list.

    Returns:
        Columns `NETWORK_FEATURES`, `latency_ms` (NaN where it was not measured) and `energy_mj`, one row per network
        in the order of the table, range index.
    """
    kernels, place = network_frame(models)
    costs = network_costs(kernels, place, models.num_rows)
    words = {name: models.column("model" if name == "network" else name).to_pylist() for name in NETWORK_WORDS}
    labels = {name: models.column(name).to_numpy().astype(np.float64) for name in (LATENCY, LABEL)}
    return pd.concat([pd.DataFrame(words, dtype="str"), costs, pd.DataFrame(labels)], axis=1)


def network_costs(kernels: pd.DataFrame, place: "np.ndarray", n_networks: int) -> pd.DataFrame:
    """Costs of networks: sums over all kernels, over those of each kernel type, and over pointwise convolutions.

    Args:
        kernels: kernels of the networks, columns `harness.predictor.features.FEATURES`.
        place: number of the network of each kernel, shape `(n,)`.
        n_networks: count of networks.

    Returns:
        Columns `NETWORK_COSTS`, one row per network.
    """
    counted = kernels[list(COSTS[1:])].fillna(0).assign(n=1.0)
    types = kernels["kernel"].to_numpy(dtype=str)
    is_pointwise = (kernels[["kernel_h", "kernel_w"]] == 1).all(axis=1).to_numpy() & (types == "conv-bn-relu")
    parts = {"": np.ones(len(kernels), dtype=bool), f":{POINTWISE}": is_pointwise}
    parts |= {f":{kernel}": types == kernel for kernel in KERNELS}
    columns = {
        f"{cost}{ending}": np.bincount(place[chosen], counted.loc[chosen, cost], minlength=n_networks)
        for ending, chosen in parts.items()
        for cost in COSTS
        if f"{cost}{ending}" in NETWORK_COSTS
    }
    return pd.DataFrame(columns)[list(NETWORK_COSTS)]
