"""Which rows are held out: repeated cross-validation by group, and splits that require extrapolation.

They depend on configurations, never on energies.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.arrays import Mask, Whole

N_FOLDS: Final = 5
N_REPEATS: Final = 5
DECILE: Final = 10
HELD_OUT: Final = 0.2
MOST_HELD_OUT: Final = 0.4
"""A value that would make the test side a larger share of the rows than this is trained on."""
UNSEEN: Final[Mapping[str, tuple[str, ...]]] = {
    "unseen-channels": ("cin", "cout", "cin2", "cin3", "cin4"),
    "unseen-input-size": ("input_h", "input_w"),
    "unseen-kernel-size": ("kernel_h", "kernel_w"),
}
"""Columns of each split by unseen values: each combination of their values is wholly on one side."""


def numbered(groups: npt.NDArray[Any]) -> Whole:
    """Group of each row as a number, in the order of the groups.

    Args:
        groups: names or numbers, shape `(n,)`.

    >>> numbered(np.array(["b", "a", "b"])).tolist(), numbered(np.array([7, 4, 7])).tolist()
    ([1, 0, 1], [1, 0, 1])
    """
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def repeated_folds(groups: Whole, strata: "pd.Series[str]", seed: int) -> Whole:
    """Fold of every row in every repeat: groups are whole, and each stratum is spread evenly over the folds.

    Args:
        groups: group of each row as a number, shape `(n,)`; a group is within one stratum.
        strata: stratum of each row, shape `(n,)`.
        seed: seed of the draw.

    Returns:
        Fold numbers, shape `(N_REPEATS, n)`, below `N_FOLDS`, or below the count of groups where that is less.
    """
    n_groups = int(groups.max(initial=-1)) + 1
    stratum = np.zeros(n_groups, dtype=np.int64)
    stratum[groups] = numbered(strata.to_numpy(dtype=str))
    folds = np.empty((N_REPEATS, len(groups)), dtype=np.int64)
    for repeat in range(N_REPEATS):
        shuffled = np.random.default_rng((seed, repeat)).permutation(n_groups)
        in_strata = shuffled[np.argsort(stratum[shuffled], kind="stable")]
        of_group = np.empty(n_groups, dtype=np.int64)
        of_group[in_strata] = np.arange(n_groups) % min(N_FOLDS, max(n_groups, 1))
        folds[repeat] = of_group[groups]
    return folds


def largest_flops(kernels: pd.DataFrame, groups: Whole) -> Mask:
    """Rows of the tenth of each kernel type's configurations with most FLOPs; ties are broken by bytes moved.

    All configurations of a type with fewer than ten are trained on.

    Args:
        kernels: columns `kernel`, `flops`, `bytes_moved`.
        groups: configuration of each row as a number.
    """
    of_group = kernels[["kernel", "flops", "bytes_moved"]].assign(group=groups).drop_duplicates("group")
    ordered = of_group.sort_values(["kernel", "flops", "bytes_moved", "group"], ascending=[True, False, False, True])
    position = ordered.groupby("kernel").cumcount()
    size = ordered.groupby("kernel")["group"].transform("size")
    held_out = ordered["group"][position < size // DECILE]
    return np.isin(groups, held_out.to_numpy())


def unseen(kernels: pd.DataFrame, columns: tuple[str, ...], seed: int) -> Mask:
    """Rows whose values in some columns are held out: about a fifth of those that have values there.

    Values are held out in the order of a hash, each with all its rows, whatever their kernel type; one that would
    make the test side too large is trained on, and so are rows without values.

    Args:
        kernels: one row per kernel.
        columns: columns of the values.
        seed: seed of the order.
    """
    values = np.nan_to_num(kernels[list(columns)].to_numpy()).astype(np.int64)
    has_any = (values > 0).any(axis=1)
    distinct, place, counts = np.unique(values[has_any], axis=0, return_inverse=True, return_counts=True)
    wanted, most = (share * has_any.sum() for share in (HELD_OUT, MOST_HELD_OUT))
    names = [f"{seed}/{'x'.join(map(str, value))}" for value in distinct.tolist()]
    is_chosen = np.zeros(len(distinct), dtype=np.bool_)
    for number in sorted(range(len(distinct)), key=lambda number: hashlib.sha256(names[number].encode()).digest()):
        n_chosen = counts[is_chosen].sum()
        is_chosen[number] = n_chosen < wanted and n_chosen + counts[number] <= most
    held_out = np.zeros(len(kernels), dtype=np.bool_)
    held_out[has_any] = is_chosen[place]
    return held_out
