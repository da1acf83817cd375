"""Ranges of the kernels that a predictor was fitted on, and kernels of a network outside them; it predicts nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from harness.predictor.columns import Kernels
from harness.schema.cost import dtype_of_stored
from harness.schema.kernel_types import KERNEL_TYPES, Kernel
from harness.schema.networks import NetworkKernel
from harness.schema.vocabulary import Dtype

if TYPE_CHECKING:
    import pandas as pd

RANGED: Final = ("input_h", "input_w", "cin", "cout", "cin2", "cin3", "cin4", "flops")
"""Columns in which a predictor is trusted between the least and the greatest value that it was fitted on."""
EXACT: Final = {
    "kernel size": ("kernel_h", "kernel_w"),
    "stride": ("stride_h", "stride_w"),
    "groups": ("groups",),
}
"""Columns whose values together must be among those that it was fitted on, because runtimes have separate code for
each."""
_GROUPED: Final = tuple(name for name, kind in KERNEL_TYPES.items() if "groups" in kind.allows)
"""Kernel types that have groups; an empty cell means one group."""


class KernelRange(BaseModel):
    """Ranges of the kernels of one type that a predictor was fitted on.

    Attributes:
        n_rows: number of kernels.
        ranges: least and greatest value by column of `RANGED`; without columns that are empty.
        seen: values, in words, by name of `EXACT`; likewise.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    n_rows: Annotated[int, Field(gt=0)]
    ranges: dict[str, tuple[float, float]]
    seen: dict[str, tuple[str, ...]]


class Ranges(BaseModel):
    """Ranges by kernel type; the contents of the file beside a saved predictor."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = Field(1, description="Version of this layout.")
    processor: str = Field(description="Processor that the kernels ran on.")
    runtime: str | None = Field(None, description="Fusion rules that the kernels go with; null where unknown.")
    kernels: dict[Kernel, KernelRange] = Field(description="Ranges by kernel type.")


@dataclass(frozen=True)
class Extrapolation:
    """Kernels of one type whose values in one field are outside those that the predictor was fitted on.

    Attributes:
        kernel: kernel type.
        field: column of `RANGED`, name of `EXACT`, or `weight_dtype`.
        found: values of the network outside of them.
        learnt: values that the predictor was fitted on.
        places: positions of those kernels in the table.
    """

    kernel: Kernel
    field: str
    found: str
    learnt: str
    places: tuple[int, ...]

    @property
    def in_words(self) -> str:
        """Kernel type, field, and the values found and fitted on.

        >>> Extrapolation("fc", "cin", "960", "14 to 200", (1,)).in_words
        'fc with cin 960, fitted on 14 to 200'
        """
        return f"{self.kernel} with {self.field} {self.found}, fitted on {self.learnt}"


def ranges_of(kernels: "pd.DataFrame", runtime: str | None = None) -> Ranges:
    """Ranges of kernels to fit on.

    Args:
        kernels: columns `harness.predictor.features.FEATURES`, at least; of one processor.
        runtime: fusion rules that they go with; None where these are unknown.
    """
    of_kernel = {kernel: _range_of(rows) for kernel, rows in kernels.groupby("kernel")}
    return Ranges.model_validate({"processor": kernels["processor"].iloc[0], "runtime": runtime, "kernels": of_kernel})


def _range_of(rows: "pd.DataFrame") -> KernelRange:
    given = rows[list(RANGED)].dropna(axis="columns", how="all")
    bounds = {str(name): (float(values.min()), float(values.max())) for name, values in given.items()}
    seen = {name: tuple(sorted(set(_in_words(rows, name).values()), key=_numbers)) for name in EXACT}
    return KernelRange(n_rows=len(rows), ranges=bounds, seen={name: values for name, values in seen.items() if values})


def extrapolations(kernels: Kernels, ranges: Ranges) -> list[Extrapolation]:
    """Kernels outside the ranges that a predictor was fitted on, by kernel type and field.

    Args:
        kernels: columns `harness.predictor.features.FEATURES`; types that the predictor was not fitted on are
            left out.
        ranges: ranges of the kernels that it was fitted on.
    """
    found: list[Extrapolation] = []
    types = np.asarray(kernels["kernel"], dtype=str)
    for kernel, fitted in ranges.kernels.items():
        places = np.flatnonzero(types == kernel)
        rows = kernels[types == kernel]
        checked = (*(_unseen(rows, name, fitted) for name in EXACT), *(_outside(rows, name, fitted) for name in RANGED))
        for name, (values, known) in zip((*EXACT, *RANGED), checked, strict=True):
            if values:
                words = _as_list(sorted(set(values.values()), key=_numbers))
                found.append(Extrapolation(kernel, name, words, known, tuple(int(places[row]) for row in values)))
    return found


def other_weights(kernels: Sequence[NetworkKernel], dtype: Dtype) -> list[Extrapolation]:
    """Kernels whose weights are stored in another data type than rows have, by kernel type.

    Args:
        kernels: entries of a kernel list that have a type.
        dtype: data type of the rows, which is that of their weights and activations.
    """
    found: dict[Kernel, dict[int, str]] = {}
    for place, kernel in enumerate(kernels):
        stored = kernel.weight_dtype
        if kernel.kernel is not None and stored is not None and dtype_of_stored(stored) != dtype:
            found.setdefault(kernel.kernel, {})[place] = stored
    return [
        Extrapolation(name, "weight_dtype", ", ".join(sorted(set(of.values()))), dtype, tuple(of))
        for name, of in found.items()
    ]


def without_interval(
    kernels: Kernels, has_none: npt.NDArray[np.bool_], known: Sequence[Extrapolation]
) -> list[Extrapolation]:
    """Kernels that the predictor gives no interval for, by kernel type, besides those that are known to be outside.

    Args:
        kernels: columns `harness.predictor.features.FEATURES`.
        has_none: which of them have no interval, shape `(n,)`.
        known: kernels outside the ranges.
    """
    others = np.setdiff1d(np.flatnonzero(has_none), [place for each in known for place in each.places])
    types = np.asarray(kernels["kernel"], dtype=str)[others]
    words = ("size", "that no row has", "too few sizes to tell its error by")
    return [
        Extrapolation(kernel, *words, tuple(others[types == kernel].tolist()))
        for kernel in KERNEL_TYPES
        if kernel in types
    ]


def _unseen(rows: Kernels, name: str, fitted: KernelRange) -> tuple[dict[int, str], str]:
    """Values that were not seen, by the number of the row; and those that were."""
    seen = fitted.seen.get(name, ())
    return {row: word for row, word in _in_words(rows, name).items() if word not in seen}, _as_list(seen) or "none"


def _outside(rows: Kernels, name: str, fitted: KernelRange) -> tuple[dict[int, str], str]:
    """Values out of the range, by the number of the row; and the range."""
    least, most = fitted.ranges.get(name, (np.inf, -np.inf))
    values = np.asarray(rows[name], dtype=np.float64)
    outside = np.flatnonzero((values < least) | (values > most))
    known = f"{least:.0f} to {most:.0f}" if least <= most else "none"
    return {int(row): str(int(values[row])) for row in outside}, known


def _in_words(rows: Kernels, name: str) -> dict[int, str]:
    """Values of columns of `EXACT` joined by x, by the number of the row, where a row has them."""
    values = np.column_stack([np.asarray(rows[column], dtype=np.float64) for column in EXACT[name]])
    if name == "groups":
        values[np.isnan(values[:, 0]) & np.isin(np.asarray(rows["kernel"], dtype=str), _GROUPED), 0] = 1
    given = np.flatnonzero(np.isfinite(values).all(axis=1))
    return {int(row): "x".join(str(int(value)) for value in values[row]) for row in given}


def _numbers(words: str) -> tuple[int, ...]:
    return tuple(int(part) for part in words.split("x"))


_MOST_NAMED: Final = 8


def _as_list(values: Sequence[str]) -> str:
    """Values with commas between them, the middle ones left out where they are many."""
    if len(values) > _MOST_NAMED:
        return f"{', '.join(values[: _MOST_NAMED - 1])} … {values[-1]}"
    return ", ".join(values)
