"""Kernels as named arrays: what predictors are asked about where a data frame would take longer than the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

    from harness.arrays import Mask

Column = npt.NDArray[Any]


class KernelColumns:
    """One row per kernel; a column is read and rows are chosen as in a data frame.

    Args:
        columns: columns by name, each of shape `(n,)`: float64, or words as objects with None where there is none.

    >>> kernels = KernelColumns({"kernel": np.array(["relu", "fc"], object), "cin": np.array([3.0, 8.0])})
    >>> len(kernels), kernels["cin"].tolist(), kernels[kernels["cin"] > 4]["kernel"].tolist()
    (2, [3.0, 8.0], ['fc'])
    """

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = columns

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self._columns)

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    @overload
    def __getitem__(self, chosen: str) -> Column: ...

    @overload
    def __getitem__(self, chosen: Mask) -> KernelColumns: ...

    def __getitem__(self, chosen: str | Mask) -> Column | KernelColumns:
        if isinstance(chosen, str):
            return self._columns[chosen]
        return KernelColumns({name: column[chosen] for name, column in self._columns.items()})

    def as_frame(self) -> pd.DataFrame:
        """The same as a data frame, range index."""
        import pandas as pd

        columns = {
            name: column if column.dtype == np.float64 else pd.Series(column, dtype="str")
            for name, column in self._columns.items()
        }
        return pd.DataFrame(columns)


Kernels: TypeAlias = "pd.DataFrame | KernelColumns"
