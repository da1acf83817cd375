"""Tables of kernels as predictors see them; the label is a column that only training tables have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from harness.schema.vocabulary import EXTENTS

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

LABEL: Final = "energy_mj"
"""Column of the energy, which is predicted."""
COST_FEATURES: Final = ("flops", "params", "bytes_moved")
NUMBERS: Final = (*EXTENTS, *COST_FEATURES)
"""Columns of numbers, all float64; an extent that a kernel type does not have is NaN, and `groups` NaN means 1."""
WORDS: Final = ("function", "dtype", "delegate", "processor", "device_id")
"""Columns of words besides the kernel type; `function` is missing where the type says what it computes."""
FEATURES: Final = ("kernel", *NUMBERS, *WORDS)
"""Columns of a table of kernels, in order."""


def kernel_frame(table: pa.Table) -> pd.DataFrame:
    """Kernels without their labels.

    Args:
        table: rows of the kernels level of a release.

    Returns:
        Columns `FEATURES`, one row per kernel in the order of the table, range index.
    """
    import pandas as pd

    return pd.DataFrame({name: _column(table.column(name), name) for name in FEATURES})


def labelled_frame(table: pa.Table) -> pd.DataFrame:
    """Kernels with their labels, to fit on.

    Args:
        table: rows of the kernels level of a release.

    Returns:
        Columns `FEATURES` and `energy_mj`, one row per kernel in the order of the table, range index.
    """
    return kernel_frame(table).assign(**{LABEL: table.column(LABEL).to_numpy().astype(np.float64)})


def network_frame(models: pa.Table) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Kernels of networks, from their kernel lists.

    Args:
        models: rows of the models level of a release; those without a kernel list add no kernels.

    Returns:
        Columns `FEATURES`, one row per kernel in order of execution, `kernel` missing where it has no type; and the
        position of each kernel's network in `models`.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    lists = models.column("kernels").combine_chunks()
    rows = pc.list_parent_indices(lists)
    kernels = pc.list_flatten(lists)
    flat = pa.table(kernels.flatten(), names=[field.name for field in kernels.type])
    of_model = {name: models.column(name).take(rows) for name in WORDS if name not in flat.column_names}
    columns = {name: of_model[name] if name in of_model else flat.column(name) for name in FEATURES}
    frame = pd.DataFrame({name: _column(column, name) for name, column in columns.items()})
    return frame, rows.to_numpy().astype(np.int64)


def numbered_configurations(kernels: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Configuration of each kernel as a number below the count of configurations, shape `(n,)`.

    Args:
        kernels: columns `FEATURES`, of one data type.
    """
    # Groups of pandas over so many columns take ten times as long.
    words = [kernels[name].fillna("").to_numpy(dtype=str) for name in ("kernel", "function")]
    numbered = [np.unique(column, return_inverse=True)[1] for column in words]
    columns = np.column_stack([*numbered, np.nan_to_num(kernels[list(EXTENTS)].to_numpy(dtype=np.float64), nan=np.inf)])
    return np.unique(columns, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _column(column: pa.ChunkedArray, name: str) -> pd.Series[str] | npt.NDArray[np.float64]:
    import pyarrow as pa

    if name in NUMBERS:
        numbers: npt.NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy()
        return numbers
    words: pd.Series[str] = column.cast(pa.string()).to_pandas().astype("str")
    return words
