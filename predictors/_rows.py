"""Rows of kernels as arrays: their types, their labels, and their numbers; light, so that asking imports little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

    from harness.arrays import Mask, Reals
    from harness.predictor.columns import Kernels


def kernel_types(kernels: Kernels) -> npt.NDArray[np.str_]:
    """Type of each kernel, shape `(n,)`."""
    return np.asarray(kernels["kernel"], dtype=str)


def rows_of(types: npt.NDArray[np.str_]) -> list[tuple[str, Mask]]:
    """Kernel types in alphabetical order, each with a mask of its rows.

    Args:
        types: type of each kernel, shape `(n,)`.
    """
    return [(str(kernel), types == kernel) for kernel in np.unique(types)]


def numbers(kernels: Kernels, *names: str) -> Reals:
    """Columns of numbers, shape `(n_names, n)`."""
    return np.array([np.asarray(kernels[name], dtype=np.float64) for name in names])


def energies(kernels: pd.DataFrame) -> Reals:
    """Labels of a table to fit on, in mJ.

    Raises:
        ValueError: there is no row, or an energy that is not a positive number.
    """
    labels: Reals = kernels["energy_mj"].to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(~(np.isfinite(labels) & (labels > 0)))
    if wrong.size or not labels.size:
        found = f"energy_mj = {labels[wrong[0]]} in row {wrong[0]}" if wrong.size else "no row to fit on"
        raise ValueError(f"{found}; expected energies above 0")
    return labels
