"""Sizes of inputs and windows: which are learnt, how far others are from them, and folds that hold sizes out."""

from collections.abc import Iterator
from typing import Final, Self

import numpy as np

from harness.arrays import Mask, Reals
from predictors._rows import rows_of
from predictors.roofline_residual.features import Described

EXTENTS: Final = {"input size": slice(0, 2), "kernel size": slice(2, 4)}
"""Columns of `Described.sizes` of each extent whose values a runtime or an accelerator may treat one by one."""
LEAST_VALUES: Final = 3
"""Values of an extent from which errors at further ones can be told."""
_FOLDS: Final = 3
"""Folds that the values of an extent are held out in."""


class LearntSizes:
    """Sizes that the kernels of every type have.

    Attributes:
        values_: by kernel type and extent, logarithms of the distinct values, shape `(n_values, 2)`.
    """

    def fit(self, kernels: Described) -> Self:
        """Learn the sizes.

        Args:
            kernels: one row per kernel.
        """
        self.values_: dict[str, dict[str, Reals]] = {}
        for kernel, chosen in rows_of(kernels.kernel):
            found = {name: kernels.sizes[chosen, columns] for name, columns in EXTENTS.items()}
            self.values_[kernel] = {name: np.unique(_known(values), axis=0) for name, values in found.items()}
        return self

    def distance(self, kernels: Described) -> Reals:
        """Distance of each row to the nearest learnt sizes in log extent, shape `(n,)`; 0 where both were learnt.

        Args:
            kernels: one row per kernel, of types that were learnt.
        """
        apart: Reals = np.linalg.norm([self._of_extent(kernels, name)[0] for name in EXTENTS], axis=0)
        return apart

    def is_told(self, kernels: Described) -> Mask:
        """Whether enough values were learnt of every extent in which a row has an unseen one, shape `(n,)`.

        Args:
            kernels: as for `distance`.
        """
        found = [self._of_extent(kernels, name) for name in EXTENTS]
        told: Mask = np.logical_and.reduce([(far == 0) | (n_values >= LEAST_VALUES) for far, n_values in found])
        return told

    def _of_extent(self, kernels: Described, name: str) -> tuple[Reals, Reals]:
        """Distance in one extent, and the count of its learnt values."""
        far, n_values = np.zeros(len(kernels)), np.zeros(len(kernels))
        sizes = kernels.sizes[:, EXTENTS[name]]
        for kernel, chosen in rows_of(kernels.kernel):
            known = self.values_[kernel][name]
            places = np.flatnonzero(chosen & np.isfinite(sizes).all(axis=1))
            n_values[places] = len(known)
            apart = np.linalg.norm(sizes[places, None] - known[None], axis=2)
            far[places] = apart.min(axis=1, initial=np.inf)
        return far, n_values


def size_folds(kernels: Described, seed: int) -> Iterator[Mask]:
    """Rows of each fold of held-out sizes, one extent after the other; none of an extent with too few values.

    Args:
        kernels: one row per kernel.
        seed: seed of the draw of the values of a fold.
    """
    for columns in EXTENTS.values():
        sizes = kernels.sizes[:, columns]
        values, number = np.unique(_known(sizes), axis=0, return_inverse=True)
        if len(values) < LEAST_VALUES:
            continue
        fold_of = np.random.default_rng(seed).permutation(len(values)) % _FOLDS
        folds = np.full(len(kernels), -1)
        folds[np.isfinite(sizes).all(axis=1)] = fold_of[number.reshape(-1)]
        yield from (folds == fold for fold in range(_FOLDS))


def _known(sizes: Reals) -> Reals:
    """Sizes of the rows that have them."""
    found: Reals = sizes[np.isfinite(sizes).all(axis=1)]
    return found
