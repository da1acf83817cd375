"""Which rows are held out, and when: repeated cross-validation by group, and splits that require extrapolation.

They depend on configurations, never on energies.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.arrays import Mask, Whole

N_FOLDS: Final = 5
N_REPEATS: Final = 3
DECILE: Final = 10
MOST_FOLDS: Final = 8
"""Values up to which each has a fold of its own; more are spread over `N_FOLDS`."""
ALWAYS_TRAINED: Final = -1
"""Fold of a row that no fold holds out."""
UNSEEN: Final[Mapping[str, tuple[str, ...]]] = {
    "unseen-channels": ("cin", "cout", "cin2", "cin3", "cin4"),
    "unseen-input-size": ("input_h", "input_w"),
    "unseen-kernel-size": ("kernel_h", "kernel_w"),
}
"""Columns of each split by unseen values: every combination of their values is held out once, wholly."""


class ValueFolds(NamedTuple):
    """Folds of a split by unseen values.

    Attributes:
        fold: fold in which each row is held out, shape `(n,)`; `ALWAYS_TRAINED` where it has none of the columns.
        value: the values of each row as text, such as `3x3`, shape `(n,)`.
        n_values: count of distinct values.
    """

    fold: Whole
    value: npt.NDArray[np.str_]
    n_values: int


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


def unseen(kernels: pd.DataFrame, columns: tuple[str, ...], seed: int) -> ValueFolds:
    """Folds that hold out every value of some columns once, each with all its rows, whatever their kernel type.

    With up to `MOST_FOLDS` values, each has a fold of its own. More are spread over `N_FOLDS`: those of most rows
    first, and of equal ones in the order of a hash, each goes to the fold that has fewest rows so far.

    Args:
        kernels: one row per kernel.
        columns: columns of the values; 0 stands for one that a row does not have.
        seed: seed of the order.
    """
    values = np.nan_to_num(kernels[list(columns)].to_numpy()).astype(np.int64)
    has_any = (values > 0).any(axis=1)
    distinct, place, counts = np.unique(values, axis=0, return_inverse=True, return_counts=True)
    names = ["x".join(map(str, value)) for value in distinct.tolist()]
    known = [number for number, value in enumerate(distinct) if value.any()]
    of_value = np.full(len(distinct), ALWAYS_TRAINED)
    n_rows = np.zeros(len(known) if len(known) <= MOST_FOLDS else N_FOLDS, dtype=np.int64)
    for number in sorted(known, key=lambda number: (-counts[number], _digest(f"{seed}/{names[number]}"))):
        of_value[number] = fold = int(n_rows.argmin())
        n_rows[fold] += counts[number]
    place = place.reshape(-1)
    return ValueFolds(np.where(has_any, of_value[place], ALWAYS_TRAINED), np.array(names, dtype=str)[place], len(known))


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
