"""Features of a kernel that the roofline leaves out: extents, tiles that do not fill, what is copied."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from harness.arrays import Reals
from harness.predictor.columns import Kernels
from predictors._roofline import roofline_terms
from predictors._rows import kernel_types, numbers

_LANES: Final = 8
"""Output channels that one pass of a matrix multiplication fills; a channel count between multiples wastes some."""
_POSITIONS: Final = 6
"""Output positions of one such pass."""


@dataclass(frozen=True, eq=False)
class Described:
    """Kernels as arrays, computed once; folds take their parts of them.

    Attributes:
        kernel: type of each, shape `(n,)`.
        terms: terms of its roofline, shape `(n, 3)`.
        features: its features, shape `(n, n_features)`.
        sizes: logarithms of height and width of its input and of its window, shape `(n, 4)`; NaN without one.
    """

    kernel: npt.NDArray[np.str_]
    terms: Reals
    features: Reals
    sizes: Reals

    def __len__(self) -> int:
        return len(self.kernel)

    def only(self, chosen: npt.NDArray[np.bool_]) -> Self:
        """Chosen rows."""
        return type(self)(self.kernel[chosen], self.terms[chosen], self.features[chosen], self.sizes[chosen])


def described(rows: Kernels) -> Described:
    """Kernels as arrays.

    Args:
        rows: one row per kernel.
    """
    sizes = np.log(numbers(rows, "input_h", "input_w", "kernel_h", "kernel_w")).T
    return Described(kernel_types(rows), roofline_terms(rows), features(rows), sizes)


def features(rows: Kernels) -> Reals:
    """Features of each row, shape `(n, n_features)`; an extent that a kernel type does not have is 1, an input 0.

    Args:
        rows: one row per kernel.

    Source:
        Extents and costs as in the paper and nn-Meter. Tiles of 6 x 8 as in the single-precision kernels of XNNPACK
        for 64-bit ARM, which TensorFlow Lite runs; other sizes of tiles change with them.
    """
    height, width, kernel_h, kernel_w, stride_h, stride_w, groups = np.nan_to_num(
        numbers(rows, "input_h", "input_w", "kernel_h", "kernel_w", "stride_h", "stride_w", "groups"), nan=1
    )
    inputs = numbers(rows, "cin", "cin2", "cin3", "cin4").T
    n_inputs = np.isfinite(inputs).sum(axis=1)
    cin = np.nan_to_num(inputs[:, 0], nan=1)
    total = np.nansum(inputs, axis=1)
    (cout,) = numbers(rows, "cout")
    cout = np.where(np.isnan(cout), cin, cout)
    flops, params, bytes_moved = numbers(rows, "flops", "params", "bytes_moved")
    positions = np.ceil(height / stride_h) * np.ceil(width / stride_w)
    window = kernel_h * kernel_w
    logs = [
        height, width, cin, cout, window, stride_h * stride_w, groups, positions, total,
        height * width * total, positions * cout, height * width * n_inputs, positions * window * cin / groups,
        1 + flops, 1 + params, 1 + bytes_moved, (1 + flops) / (1 + bytes_moved),
        _waste(cout, _LANES), _waste(positions, _POSITIONS), _waste(cin, _LANES // 2),
        *(1 + np.nan_to_num(inputs[:, 1:]).T),
    ]  # fmt: skip
    others = [n_inputs, cin % 4, cout % 4, window == 1]
    return np.column_stack([np.log(np.maximum(column, 1)) for column in logs] + others)


def _waste(extent: Reals, tile: int) -> Reals:
    """How many times more a kernel that works in tiles computes than is asked for.

    >>> _waste(np.array([8.0, 9.0]), 8).round(2).tolist()
    [1.0, 1.78]
    """
    return np.ceil(extent / tile) * tile / np.maximum(extent, 1)
