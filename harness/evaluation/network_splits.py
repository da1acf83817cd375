"""Which measured networks are held out, and where else they may be known; it depends on no energy.

A network is one in all its data types, which are held out together; an unseen board is all systems of a board.
What a predictor knows of a tested network on other systems is its scope:

- `nowhere`: no energy of the tested networks, on any system;
- `other-boards`: their energies on other boards, and none on any system of the tested board;
- `other-systems`: their energies on all other systems, the tested board with other software or settings among them.

Splits that take many fits are not evaluated where other systems of the tested board are known, which is the easiest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

from harness.arrays import Mask, Reals, Whole
from harness.evaluation.folds import numbered
from harness.predictor.networks import POINTWISE

Scope = Literal["nowhere", "other-boards", "other-systems"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
FIVE_FOLD: Final = "5-fold"
ONE_FAMILY: Final = "leave-one-family-out"
ONE_NETWORK: Final = "leave-one-network-out"
UNSEEN_BOARD: Final = "unseen-board"
N_MEASURED: Final = (5, 10, 20)
"""Counts of measurements on the tested system that few-shot splits train on: networks in one data type."""
N_DRAWS: Final = 2
"""Draws of the random few-shot splits, which are repeats of each other."""
_N_FOLDS: Final = 5
_TYPE_WEIGHT: Final = 2.0
"""Distance of two data types of one network, in standard deviations of the other features."""


@dataclass(frozen=True)
class NetworkFold:
    """One fit, and the rows to predict after it.

    Attributes:
        split: split that it belongs to.
        scope: what is known of the tested networks elsewhere.
        repeat: number of the draw.
        test: rows that are predicted, shape `(n,)`.
    """

    split: str
    scope: Scope
    repeat: int
    test: Mask

    @property
    def train(self) -> Mask:
        """Rows that are fitted on: all others."""
        return ~self.test


def few_shot(count: int, way: Literal["random", "designed"]) -> str:
    """Name of a few-shot split.

    >>> few_shot(10, "designed")
    'few-shot-10-designed'
    """
    return f"few-shot-{count}-{way}"


SPLITS: Final = (
    FIVE_FOLD,
    ONE_FAMILY,
    ONE_NETWORK,
    *(few_shot(count, way) for count in N_MEASURED for way in ("random", "designed")),
    UNSEEN_BOARD,
)
"""Names of all splits, in order."""


def folds_of(networks: pd.DataFrame, scope: Scope, seed: int) -> Iterator[NetworkFold]:
    """Folds of every split in one scope, in the order in which they are run.

    Args:
        networks: one row per network and system, columns `harness.predictor.networks.NETWORK_FEATURES`.
        scope: what is known of the tested networks elsewhere.
        seed: seed of the draws.
    """
    parts = _parts(networks, scope)
    for split, repeat, asked in _asked(networks, seed):
        if scope == "other-systems" and split.endswith("random"):
            continue
        for part in range(int(parts.max()) + 1):
            test = asked & (parts == part)
            if test.any():
                yield NetworkFold(split, scope, repeat, test)
    if scope != "other-systems":
        for test in _one_network(networks, scope):
            yield NetworkFold(ONE_NETWORK, scope, 0, test)
    if scope == "other-boards":
        boards = _numbers(networks, "device_id")
        for board in range(int(boards.max()) + 1):
            yield NetworkFold(UNSEEN_BOARD, scope, 0, boards == board)


def _numbers(networks: pd.DataFrame, column: str) -> Whole:
    return numbered(networks[column].to_numpy(dtype=str))


def _parts(networks: pd.DataFrame, scope: Scope) -> Whole:
    """Rows that may be held out together, as a number, shape `(n,)`.

    All rows, those of a board, or those of the first, second and so on system of every board: what one fit for several
    boards holds out on them is missing among what is known of the others, and changes nothing of the scope.
    """
    boards, systems = (
        _numbers(networks, "device_id"),
        numbered(networks["system_id"].to_numpy(dtype=str)),
    )
    if scope == "nowhere":
        return np.zeros(len(networks), dtype=np.int64)
    if scope == "other-boards":
        return boards
    place = np.empty(len(networks), dtype=np.int64)
    for board in np.unique(boards):
        place[boards == board] = np.unique(systems[boards == board], return_inverse=True)[1]
    return place


def _asked(networks: pd.DataFrame, seed: int) -> Iterator[tuple[str, int, Mask]]:
    """Rows that are asked for on every system: split, repeat, and rows."""
    names, families = (
        _numbers(networks, "network"),
        numbered(networks["family"].to_numpy(dtype=str)),
    )
    fold = np.empty(int(names.max()) + 1, dtype=np.int64)
    fold[np.random.default_rng((seed, _N_FOLDS)).permutation(len(fold))] = np.arange(len(fold)) % _N_FOLDS
    for number in range(_N_FOLDS):
        yield FIVE_FOLD, 0, fold[names] == number
    for family in range(int(families.max()) + 1):
        yield ONE_FAMILY, 0, families == family
    candidates = candidates_of(networks)
    of_row = pd.MultiIndex.from_frame(networks[["network", "dtype"]])
    for count in N_MEASURED:
        if count >= len(candidates):
            continue
        for draw in range(N_DRAWS):
            chosen = np.random.default_rng((seed, count, draw)).choice(len(candidates), count, replace=False)
            yield few_shot(count, "random"), draw, _are_not(of_row, candidates, chosen)
        yield few_shot(count, "designed"), 0, _are_not(of_row, candidates, designed(candidates, count))


def _are_not(of_row: pd.MultiIndex, candidates: pd.DataFrame, chosen: Whole) -> Mask:
    """Rows of all networks but some."""
    measured = pd.MultiIndex.from_frame(candidates.iloc[chosen][["network", "dtype"]])
    asked: Mask = ~of_row.isin(measured)
    return asked


def candidates_of(networks: pd.DataFrame) -> pd.DataFrame:
    """Networks by data type that every system has, one row each, in order of their names."""
    n_systems = networks["system_id"].nunique()
    size = networks.groupby(["network", "dtype"])["system_id"].transform("nunique")
    of_all = networks[size == n_systems].drop_duplicates(["network", "dtype"])
    return of_all.sort_values(["network", "dtype"], ignore_index=True)


def designed(candidates: pd.DataFrame, count: int) -> Whole:
    """Networks to measure first: spread over what networks are made of, as far from each other as can be.

    The first is the nearest to the mean, and each further one the farthest from all before it. Features are the
    logarithms of FLOPs, of those of depthwise and of larger convolutions, of bytes moved, parameters and kernels.

    Args:
        candidates: networks to choose from, columns `NETWORK_FEATURES`, one row each.
        count: networks to choose, fewer than there are.

    Returns:
        Their places, shape `(count,)`.

    Source:
        Kennard and Stone, Computer Aided Design of Experiments (Technometrics 1969).
    """
    features = _design_features(candidates)
    distance = np.linalg.norm(features[:, None] - features[None], axis=-1)
    chosen = [int(np.linalg.norm(features - features.mean(axis=0), axis=1).argmin())]
    while len(chosen) < count:
        chosen.append(int(distance[:, chosen].min(axis=1).argmax()))
    return np.array(chosen, dtype=np.int64)


def _design_features(candidates: pd.DataFrame) -> Reals:
    large = candidates["flops:conv-bn-relu"] - candidates[f"flops:{POINTWISE}"]
    costs = [candidates[name] for name in ("flops", "bytes_moved", "params", "n", "flops:dwconv-bn-relu")]
    logs = np.log1p(np.column_stack([*costs, large]))
    spread = logs.std(axis=0)
    scaled = (logs - logs.mean(axis=0)) / np.where(spread > 0, spread, 1)
    types = _numbers(candidates, "dtype")
    return np.column_stack([scaled, _TYPE_WEIGHT * types])


def _one_network(networks: pd.DataFrame, scope: Scope) -> Iterator[Mask]:
    """One fold per network; where energies on other boards are known, it holds out another network on every board.

    So one fit does for all boards, and what it tests on one of them is known on the others.
    """
    names = _numbers(networks, "network")
    n = int(names.max()) + 1
    boards = _numbers(networks, "device_id") if scope == "other-boards" else np.zeros_like(names)
    shift = boards * n // (int(boards.max()) + 1)
    for number in range(n):
        yield (number + shift) % n == names
