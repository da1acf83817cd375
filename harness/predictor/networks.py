"""Tables of measured networks as predictors see them: what a network is made of, and the system that it ran on.

A system is a device with its software and settings. The label is a column that only training tables have.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from harness.predictor.features import network_frame
from harness.predictor.protocol import KERNELS

LATENCY: Final = "latency_ms"
"""Column of the measured latency, which only predictors with `uses_latency` are given."""
POINTWISE: Final = "pointwise"
"""Convolutions with windows of 1 x 1, which are among their kernel type too."""
COSTS: Final = ("n", "flops", "bytes_moved", "params")
NETWORK_COSTS: Final = (
    *COSTS, *(f"{cost}:{kernel}" for kernel in (*KERNELS, POINTWISE) for cost in COSTS[:3]),
)  # fmt: skip
"""Columns of numbers: kernels, FLOPs, bytes moved and parameters of the network, and the first three by kernel type."""
LIST_COLUMNS: Final = ("network", "family", "dtype", *NETWORK_COSTS)
"""Columns of a network in one data type; it has one name in all of them."""
SYSTEM_COLUMNS: Final = ("system_id", "device_id")
"""Columns of the system that a network ran on, and of the board that it is of."""
NETWORK_FEATURES: Final = (*LIST_COLUMNS[:3], *SYSTEM_COLUMNS, *NETWORK_COSTS)
"""Columns of a table of networks, in order."""


def networks_on_systems(lists: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Networks as predictors see them, one row per network and system.

    Args:
        lists: networks by data type, columns `LIST_COLUMNS`.
        rows: number of the network in `list`, `SYSTEM_COLUMNS`, and any other columns, such as the label.

    Returns:
        Columns `NETWORK_FEATURES` and those other columns, in the order of the rows, range index.
    """
    networks = lists.take(rows["list"].to_numpy()).reset_index(drop=True)
    whole = pd.concat([networks, rows.drop(columns="list").reset_index(drop=True)], axis=1)
    others = [name for name in rows.columns if name not in ("list", *SYSTEM_COLUMNS)]
    return whole[[*NETWORK_FEATURES, *others]]


def network_lists(models: pa.Table) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Networks by data type and what they are made of, and which of them each row is.

    Rows of one network in one data type have one kernel list; where they differ, that of the first one counts.

    Args:
        models: rows of the models level of a release that have a kernel list.

    Returns:
        Columns `LIST_COLUMNS`, sorted by network and data type; and the number of each row's network, shape `(n,)`.
    """
    words = {name: models.column("model" if name == "network" else name).to_pylist() for name in LIST_COLUMNS[:3]}
    named = pd.DataFrame(words, dtype="str")
    groups = named.groupby(["network", "dtype"])
    number = groups.ngroup().to_numpy().astype(np.int64)
    first = np.sort(np.unique(number, return_index=True)[1])
    first = first[np.argsort(number[first])]
    kernels, place = network_frame(models.take(pa.array(first)))
    costs = network_costs(kernels, place, len(first))
    return pd.concat([named.iloc[first].reset_index(drop=True), costs], axis=1), number


def network_costs(kernels: pd.DataFrame, place: npt.NDArray[np.int64], n_networks: int) -> pd.DataFrame:
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
