"""Arithmetic of kernels by type: FLOPs, parameters and elements, from their extents.

One multiply-accumulate is two FLOPs; what is no product counts one for each element that it makes. This module imports
no NumPy, because lists of predictors and the command's help read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Reals = npt.NDArray[np.float64]

Extent = Literal[
    "input_h",
    "input_w",
    "cin",
    "cout",
    "kernel_h",
    "kernel_w",
    "stride_h",
    "stride_w",
    "groups",
    "cin2",
    "cin3",
    "cin4",
    "dilation_h",
    "dilation_w",
    "output_h",
    "output_w",
    "rows",
    "batch",
    "q_len",
    "kv_len",
    "heads",
    "kv_heads",
    "head_size",
    "entries",
    "directions",
]
"""Configuration field of a kernel that is a number."""

AT_LEAST_ONE: Final[frozenset[Extent]] = frozenset(
    {"stride_h", "stride_w", "groups", "dilation_h", "dilation_w", "directions"}
)
"""Extents that are 1 where a configuration leaves them out."""

SE_REDUCTION: Final = 4


class Counts(NamedTuple):
    """Arithmetic of kernels of one type, one entry per row.

    Attributes:
        flops: FLOPs of one inference.
        params: trainable parameters.
        elements: elements of inputs and outputs.
        params_read: parameters that one inference reads, where that is not each of them once.
    """

    flops: Reals
    params: Reals
    elements: Reals
    params_read: Reals | None = None


class ExtentColumns(Protocol):
    """Extents of kernels, one entry per row; an absent extent is 0, one of `AT_LEAST_ONE` is 1."""

    def __getitem__(self, name: Extent) -> Reals:
        """Values of one extent."""
        ...


class CostRule(Protocol):
    """Arithmetic of the kernels of a type."""

    def __call__(self, extents: ExtentColumns, /) -> Counts:
        """FLOPs, parameters and elements of kernels with these extents."""
        ...


@dataclass(frozen=True, slots=True)
class Elementwise:
    """Cost of a type that gives one output element for each element of its input.

    Attributes:
        flops: FLOPs per output element.
        params: parameters per channel.
        n_inputs: inputs of the same extents.
        channels: extents that are the channels of its inputs.
    """

    flops: int
    params: int = 0
    n_inputs: int = 1
    channels: tuple[Extent, ...] = ("cin",)

    def __call__(self, extents: ExtentColumns, /) -> Counts:
        """FLOPs, parameters and elements of kernels with these extents."""
        first, *others = (extents[name] for name in self.channels)
        elements = extents["input_h"] * extents["input_w"] * sum(others, start=first)
        return Counts(self.flops * elements, self.params * extents["cin"], (self.n_inputs + 1) * elements)


def squeezed(channels: Reals) -> Reals:
    """Channels between the two layers of squeeze and excitation: a quarter, rounded down, and at least 1."""
    return channels // SE_REDUCTION + (channels < SE_REDUCTION)


def _positions(extents: ExtentColumns) -> Reals:
    """Places of a window; padding is "same", so that an extent is divided by the stride and rounded up."""
    return -(-extents["input_h"] // extents["stride_h"]) * -(-extents["input_w"] // extents["stride_w"])


def _inputs(extents: ExtentColumns) -> Reals:
    return extents["input_h"] * extents["input_w"] * extents["cin"]


def convolution_cost(extents: ExtentColumns, /) -> Counts:
    """Arithmetic of a convolution, with a bias for each output channel."""
    cout = extents["cout"]
    weights = extents["kernel_h"] * extents["kernel_w"] * (extents["cin"] // extents["groups"]) * cout
    return _of_window(extents, weights, cout)


def channel_convolution_cost(extents: ExtentColumns, /) -> Counts:
    """Arithmetic of a convolution of each channel by itself, with a bias for each output channel."""
    cout = extents["cout"] + (extents["cout"] == 0) * extents["cin"]
    return _of_window(extents, extents["kernel_h"] * extents["kernel_w"] * cout, cout)


def _of_window(extents: ExtentColumns, weights: Reals, cout: Reals) -> Counts:
    positions = _positions(extents)
    return Counts(2 * positions * weights, weights + cout, _inputs(extents) + positions * cout)


def dense_cost(extents: ExtentColumns, /) -> Counts:
    """Arithmetic of a fully connected layer on one row, with a bias."""
    cin, cout = extents["cin"], extents["cout"]
    return Counts(2 * (cin * cout), cin * cout + cout, cin + cout)


def pooling_cost(extents: ExtentColumns, /) -> Counts:
    """Arithmetic of a pooling: one FLOP for each element of each window."""
    made = _positions(extents) * extents["cin"]
    return Counts(made * (extents["kernel_h"] * extents["kernel_w"]), 0 * made, _inputs(extents) + made)


def mean_cost(extents: ExtentColumns, /) -> Counts:
    """Arithmetic of a mean over the plane: one FLOP for each element that it reads."""
    inputs = _inputs(extents)
    return Counts(inputs, 0 * inputs, inputs + extents["cin"])


def squeeze_and_excitation_cost(extents: ExtentColumns, /) -> Counts:
    """Arithmetic of a mean, two layers around a quarter of the channels, and a product."""
    inputs, cin = _inputs(extents), extents["cin"]
    inner = squeezed(cin)
    return Counts(2 * inputs + 4 * cin * inner, 2 * cin * inner + cin + inner, 2 * inputs)


def transposed_convolution_cost(extents: ExtentColumns, /) -> Counts:
    """Arithmetic of a transposed convolution: every weight meets each place of the input once."""
    places, cin, cout = extents["input_h"] * extents["input_w"], extents["cin"], extents["cout"]
    weights = extents["kernel_h"] * extents["kernel_w"] * (cin // extents["groups"]) * cout
    made = places * extents["stride_h"] * extents["stride_w"] * cout
    return Counts(2 * places * weights, weights + cout, places * cin + made)


def product_cost(extents: ExtentColumns, /) -> Counts:
    """Arithmetic of a matrix product: with one matrix of weights, or of `batch` pairs of activations."""
    rows, cin, cout, batch = (extents[name] for name in ("rows", "cin", "cout", "batch"))
    has_weights = batch == 0
    n_products = batch + has_weights
    matrix = cin * cout
    ends = n_products * rows * (cin + cout)
    return Counts(2 * n_products * rows * matrix, has_weights * matrix, ends + batch * matrix)


def attention_cost(extents: ExtentColumns, /) -> Counts:
    """Arithmetic of attention: every query of every head meets each key, then each value."""
    queries = extents["q_len"] * extents["heads"] * extents["head_size"]
    kept = extents["kv_len"] * extents["kv_heads"] * extents["head_size"]
    return Counts(4 * queries * extents["kv_len"], 0 * queries, 2 * queries + 2 * kept)


def lookup_cost(extents: ExtentColumns, /) -> Counts:
    """Arithmetic of an embedding: none; one row of the table is read and written for each index."""
    made = extents["rows"] * extents["cout"]
    return Counts(0 * made, extents["entries"] * extents["cout"], made, made)


def resize_cost(extents: ExtentColumns, /) -> Counts:
    """Arithmetic of a change of the plane: one FLOP for each element that it makes."""
    made = extents["output_h"] * extents["output_w"] * extents["cin"]
    return Counts(made, 0 * made, _inputs(extents) + made)


@dataclass(frozen=True, slots=True)
class RowWise:
    """Cost of a type that gives one output element for each element of its rows.

    Attributes:
        params: parameters for each element of a row.
        has_second: whether the extent `cin2` says that there is a second input.
    """

    params: int = 0
    has_second: bool = False

    def __call__(self, extents: ExtentColumns, /) -> Counts:
        """FLOPs, parameters and elements of kernels with these extents."""
        rows, cin = extents["rows"], extents["cin"]
        read = cin + extents["cin2"] if self.has_second else cin
        return Counts(rows * cin, self.params * cin, rows * (read + cin))


@dataclass(frozen=True, slots=True)
class Recurrent:
    """Cost of a recurrent type: every step multiplies the input and the state by the matrices of its gates.

    Attributes:
        gates: gates of a cell; each has a bias for the input and one for the state.
    """

    gates: int

    def __call__(self, extents: ExtentColumns, /) -> Counts:
        """FLOPs, parameters and elements of kernels with these extents."""
        rows, cin, cout, directions = (extents[name] for name in ("rows", "cin", "cout", "directions"))
        matrices = self.gates * directions * cout * (cin + cout)
        params = matrices + 2 * self.gates * directions * cout
        return Counts(2 * rows * matrices, params, rows * (cin + directions * cout))
