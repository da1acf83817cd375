"""Kernel types, each declared once: its extents, its cost, the operators that run as it, and how it is simulated.

Whatever else depends on the kernel type is derived from `KERNEL_TYPES`: the checks of configurations, FLOPs and
bytes, kernel lists, draws and simulations. A type that lacks a part stops the import. This module imports no NumPy,
because lists of predictors and the command's help read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, cast, get_args

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import numpy as np
    import numpy.typing as npt

    Reals = npt.NDArray[np.float64]

Kernel = Literal[
    "conv-bn-relu",
    "dwconv-bn-relu",
    "bnrelu",
    "relu",
    "avgpool",
    "maxpool",
    "fc",
    "concat",
    "add",
    "addrelu",
    "bn",
    "hswish",
    "se",
    "split",
    "channelshuffle",
    "global-avgpool",
]
"""Name of a kernel type; rows of kernels are written in this order."""

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
]
"""Configuration field of a kernel."""

LayerForm = Literal["convolution", "channel-convolution", "pooling", "mean", "addition", "squeeze-and-excitation"]
"""Layers that an estimator of accelerators has operations for."""

SE_REDUCTION: Final = 4


class Counts(NamedTuple):
    """Arithmetic of kernels of one type, one entry per row.

    Attributes:
        flops: FLOPs of one inference.
        params: trainable parameters.
        elements: elements of inputs and outputs.
    """

    flops: Reals
    params: Reals
    elements: Reals


class ExtentColumns(Protocol):
    """Extents of kernels, one entry per row; an absent extent is 0, an absent stride or number of groups is 1."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelType:
    """One kernel type.

    Attributes:
        requires: configuration fields without which a row of the type means nothing (paper, table of kernels).
        allows: fields that a row may state besides; every other field must be empty.
        cost: its arithmetic.
        is_product: whether its FLOPs are two for each multiply-accumulate with a weight.
        is_even: whether its channels must be even, because it halves them or deals them out in two groups.
        begins_with: operators that make a kernel of the type, whatever constants and activations are fused with them.
        operators: fused operators, joined by +, that as a whole make a kernel of the type.
        layers: what an estimator of accelerators runs for it; None where it has no such operations.
        n_drawn: configurations in a draw of the paper's size; None where the paper has no such type.
    """

    requires: tuple[Extent, ...]
    allows: tuple[Extent, ...] = ()
    cost: CostRule
    is_product: bool = False
    is_even: bool = False
    begins_with: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    layers: LayerForm | None
    n_drawn: int | None

    def __post_init__(self) -> None:
        if not (self.begins_with or self.operators):
            raise TypeError("a kernel type names the operators that run as it")
        if not callable(self.cost):
            raise TypeError("the cost of a kernel type is a rule")
        if self.layers is not None and self.layers not in get_args(LayerForm):
            raise TypeError(f"layers = {self.layers!r}; expected None, or one of {', '.join(get_args(LayerForm))}")
        if self.n_drawn is not None and self.n_drawn < 1:
            raise TypeError(f"n_drawn = {self.n_drawn}; expected None, or at least 1")
        # An extent that a row of the type cannot state would count as 0, and so would the cost.
        for name in _extents_read(self.cost):
            if name not in self.fields:
                raise TypeError(f"its cost reads {name}, which it neither requires nor allows")

    @property
    def fields(self) -> tuple[Extent, ...]:
        """Configuration fields that a row of the type may state."""
        return (*self.requires, *self.allows)

    @property
    def n_inputs(self) -> int:
        """Inputs of the same extents."""
        return self.cost.n_inputs if isinstance(self.cost, Elementwise) else 1


class _ReadExtents:
    """Records which extents a cost rule reads; each is 1."""

    def __init__(self) -> None:
        self.names: list[Extent] = []

    def __getitem__(self, name: Extent) -> float:
        self.names.append(name)
        return 1.0


def _extents_read(cost: CostRule) -> list[Extent]:
    read = _ReadExtents()
    cost(cast("ExtentColumns", read))
    return read.names


def squeezed(channels: Reals) -> Reals:
    """Channels between the two layers of squeeze and excitation: a quarter, rounded down, and at least 1."""
    return channels // SE_REDUCTION + (channels < SE_REDUCTION)


def _positions(extents: ExtentColumns) -> Reals:
    """Places of a window; padding is "same", so that an extent is divided by the stride and rounded up."""
    return -(-extents["input_h"] // extents["stride_h"]) * -(-extents["input_w"] // extents["stride_w"])


def _inputs(extents: ExtentColumns) -> Reals:
    return extents["input_h"] * extents["input_w"] * extents["cin"]


def _convolution(extents: ExtentColumns, /) -> Counts:
    cout = extents["cout"]
    weights = extents["kernel_h"] * extents["kernel_w"] * (extents["cin"] // extents["groups"]) * cout
    return _of_window(extents, weights, cout)


def _channel_convolution(extents: ExtentColumns, /) -> Counts:
    cout = extents["cout"] + (extents["cout"] == 0) * extents["cin"]
    return _of_window(extents, extents["kernel_h"] * extents["kernel_w"] * cout, cout)


def _of_window(extents: ExtentColumns, weights: Reals, cout: Reals) -> Counts:
    positions = _positions(extents)
    return Counts(2 * positions * weights, weights + cout, _inputs(extents) + positions * cout)


def _dense(extents: ExtentColumns, /) -> Counts:
    cin, cout = extents["cin"], extents["cout"]
    return Counts(2 * (cin * cout), cin * cout + cout, cin + cout)


def pooling_cost(extents: ExtentColumns, /) -> Counts:
    """Arithmetic of a pooling: one FLOP for each element of each window."""
    made = _positions(extents) * extents["cin"]
    return Counts(made * (extents["kernel_h"] * extents["kernel_w"]), 0 * made, _inputs(extents) + made)


def _mean(extents: ExtentColumns, /) -> Counts:
    inputs = _inputs(extents)
    return Counts(inputs, 0 * inputs, inputs + extents["cin"])


def _squeeze_and_excitation(extents: ExtentColumns, /) -> Counts:
    inputs, cin = _inputs(extents), extents["cin"]
    inner = squeezed(cin)
    return Counts(2 * inputs + 4 * cin * inner, 2 * cin * inner + cin + inner, 2 * inputs)


_PLANE: Final = ("input_h", "input_w", "cin")
_WINDOW: Final = ("kernel_h", "kernel_w", "stride_h", "stride_w")

KERNEL_TYPES: Final[Mapping[Kernel, KernelType]] = {
    "conv-bn-relu": KernelType(
        requires=(*_PLANE, "cout", *_WINDOW),
        allows=("groups",),
        cost=_convolution,
        is_product=True,
        begins_with=("conv", "conv1d"),
        layers="convolution",
        n_drawn=1032,
    ),
    "dwconv-bn-relu": KernelType(
        requires=(*_PLANE, *_WINDOW),
        allows=("cout",),
        cost=_channel_convolution,
        is_product=True,
        begins_with=("dwconv", "dwconv1d"),
        layers="channel-convolution",
        n_drawn=349,
    ),
    "fc": KernelType(
        requires=("cin", "cout"),
        cost=_dense,
        is_product=True,
        begins_with=("fc",),
        layers="convolution",
        n_drawn=24,
    ),
    "maxpool": KernelType(
        requires=(*_PLANE, *_WINDOW), cost=pooling_cost, begins_with=("maxpool",), layers="pooling", n_drawn=28
    ),
    "avgpool": KernelType(
        requires=(*_PLANE, *_WINDOW), cost=pooling_cost, begins_with=("avgpool",), layers="pooling", n_drawn=28
    ),
    "global-avgpool": KernelType(
        requires=_PLANE, cost=_mean, begins_with=("global-avgpool",), layers="mean", n_drawn=8
    ),
    "add": KernelType(
        requires=_PLANE, cost=Elementwise(1, n_inputs=2), operators=("add",), layers="addition", n_drawn=24
    ),
    "addrelu": KernelType(
        requires=_PLANE,
        cost=Elementwise(2, n_inputs=2),
        operators=("add+relu", "add+relu6"),
        layers="addition",
        n_drawn=14,
    ),
    # Scale and shift.
    "bn": KernelType(
        requires=_PLANE,
        cost=Elementwise(2, params=2),
        operators=("bn", "scale", "scale+bias"),
        layers="channel-convolution",
        n_drawn=14,
    ),
    "bnrelu": KernelType(
        requires=_PLANE,
        cost=Elementwise(3, params=2),
        operators=tuple(f"{scale}+{clamp}" for scale in ("bn", "scale", "scale+bias") for clamp in ("relu", "relu6")),
        layers="channel-convolution",
        n_drawn=100,
    ),
    "se": KernelType(
        requires=_PLANE,
        cost=_squeeze_and_excitation,
        begins_with=("se",),
        layers="squeeze-and-excitation",
        n_drawn=14,
    ),
    "relu": KernelType(requires=_PLANE, cost=Elementwise(1), operators=("relu", "relu6"), layers=None, n_drawn=46),
    # The product of x and clip(x + 3, 0, 6), divided by 6.
    "hswish": KernelType(requires=_PLANE, cost=Elementwise(4), operators=("hswish",), layers=None, n_drawn=14),
    # The last three move data and calculate nothing.
    "concat": KernelType(
        requires=(*_PLANE, "cin2"),
        allows=("cin3", "cin4"),
        cost=Elementwise(0, channels=("cin", "cin2", "cin3", "cin4")),
        operators=("concat",),
        layers=None,
        n_drawn=142,
    ),
    "split": KernelType(
        requires=_PLANE, cost=Elementwise(0), is_even=True, operators=("split",), layers=None, n_drawn=14
    ),
    "channelshuffle": KernelType(
        requires=_PLANE, cost=Elementwise(0), is_even=True, operators=("channelshuffle",), layers=None, n_drawn=14
    ),
}
"""Every kernel type.

Source:
    SEC 2023 (arXiv 2310.18329), table of kernels: extents, and the numbers that it measures of each type; types that
    it prints together as DeepEn2023 counts them. FLOPs as in Sze et al., Efficient Processing of Deep Neural Networks
    (2020), chapter 2: one multiply-accumulate is two FLOPs.
"""


def require_each(names: Collection[str], declared: Collection[str], what: str) -> None:
    """Stop the import where a table does not have exactly one entry for each name.

    Args:
        names: names that there are.
        declared: names that the table has.
        what: an entry of the table, as the message calls it.

    Raises:
        TypeError: a name without an entry, or an entry for no name.

    >>> require_each(("relu", "softmax"), ("relu",), "kernel type")
    Traceback (most recent call last):
    TypeError: no kernel type is declared for softmax
    """
    missing, surplus = sorted(set(names) - set(declared)), sorted(set(declared) - set(names))
    if missing:
        raise TypeError(f"no {what} is declared for {', '.join(missing)}")
    if surplus:
        raise TypeError(f"{what} declared for {', '.join(surplus)}, which is not listed")


require_each(get_args(Kernel), KERNEL_TYPES, "kernel type")
