"""Kernel types, each declared once: its extents, its cost, the operators that run as it, and how it is simulated.

Whatever else depends on the kernel type is derived from `KERNEL_TYPES`: the checks of configurations, FLOPs and
bytes, kernel lists, draws and simulations. A type that lacks a part stops the import.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, cast, get_args

from harness.schema.kernel_costs import (
    CostRule,
    Elementwise,
    Extent,
    ExtentColumns,
    Recurrent,
    RowWise,
    attention_cost,
    channel_convolution_cost,
    convolution_cost,
    dense_cost,
    lookup_cost,
    mean_cost,
    pooling_cost,
    product_cost,
    resize_cost,
    squeeze_and_excitation_cost,
    transposed_convolution_cost,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

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
    "matmul",
    "attention",
    "norm",
    "softmax",
    "elementwise",
    "embedding",
    "lstm",
    "gru",
    "conv-transpose",
    "resize",
]
"""Name of a kernel type; rows of kernels are written in this order. The first sixteen are those of SEC 2023."""

Function = Literal[
    "layer-norm",
    "rms-norm",
    "group-norm",
    "instance-norm",
    "abs",
    "add",
    "clip",
    "div",
    "elu",
    "erf",
    "exp",
    "gelu",
    "hsigmoid",
    "leaky-relu",
    "log",
    "max",
    "min",
    "mul",
    "neg",
    "pow",
    "prelu",
    "sigmoid",
    "sqrt",
    "sub",
    "swish",
    "tanh",
]
"""What a kernel computes whose type has several functions."""

_SECOND: Final = ("add", "div", "max", "min", "mul", "pow", "sub")
"""Functions of two operands."""
OPERAND_FORMS: Final = ("", "-broadcast", "-constant", "-self")
"""Endings of the names of operators of two operands; the first has two of the same extents."""

LayerForm = Literal[
    "convolution", "channel-convolution", "pooling", "mean", "addition", "squeeze-and-excitation", "product",
    "attention",
]  # fmt: skip
"""Layers that an estimator of accelerators has operations for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelType:
    """One kernel type.

    Attributes:
        requires: extents without which a row of the type means nothing (paper, table of kernels).
        allows: extents that a row may state besides; every other one must be empty.
        functions: what kernels of the type compute, of which a row must state one; none where the type says it.
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
    functions: tuple[Function, ...] = ()
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


_PLANE: Final = ("input_h", "input_w", "cin")
_WINDOW: Final = ("kernel_h", "kernel_w", "stride_h", "stride_w")
_DILATION: Final = ("dilation_h", "dilation_w")
_NORMS: Final[tuple[Function, ...]] = ("layer-norm", "rms-norm", "group-norm", "instance-norm")
_MAPS: Final[tuple[Function, ...]] = tuple(name for name in get_args(Function) if name not in _NORMS)
_MAP_OPERATORS: Final = (
    "bias",
    "scale",
    *(name for name in _MAPS if name not in _SECOND),
    # The sum of two tensors of the same extents is a type of SEC 2023.
    *(name + form for name in _SECOND for form in OPERAND_FORMS if name + form != "add"),
)

KERNEL_TYPES: Final[Mapping[Kernel, KernelType]] = {
    "conv-bn-relu": KernelType(
        requires=(*_PLANE, "cout", *_WINDOW),
        allows=("groups", *_DILATION),
        cost=convolution_cost,
        is_product=True,
        begins_with=("conv", "conv1d", "conv-dilated"),
        layers="convolution",
        n_drawn=1032,
    ),
    "dwconv-bn-relu": KernelType(
        requires=(*_PLANE, *_WINDOW),
        allows=("cout", *_DILATION),
        cost=channel_convolution_cost,
        is_product=True,
        begins_with=("dwconv", "dwconv1d", "dwconv-dilated"),
        layers="channel-convolution",
        n_drawn=349,
    ),
    "fc": KernelType(
        requires=("cin", "cout"),
        cost=dense_cost,
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
        requires=_PLANE, cost=mean_cost, begins_with=("global-avgpool",), layers="mean", n_drawn=8
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
        operators=("bn", "scale+bias"),
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
        cost=squeeze_and_excitation_cost,
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
    # The types below are those of networks since 2023; nobody has drawn a number of them.
    "matmul": KernelType(
        requires=("rows", "cin", "cout"),
        allows=("batch",),
        cost=product_cost,
        is_product=True,
        begins_with=("matmul", "einsum"),
        layers="product",
        n_drawn=None,
    ),
    "attention": KernelType(
        requires=("q_len", "kv_len", "heads", "kv_heads", "head_size"),
        cost=attention_cost,
        begins_with=("attention",),
        layers="attention",
        n_drawn=None,
    ),
    # Scale and shift.
    "norm": KernelType(
        requires=("rows", "cin"),
        allows=("cin2",),
        functions=_NORMS,
        cost=RowWise(params=2, has_second=True),
        operators=(*_NORMS, "skip-layer-norm"),
        layers=None,
        n_drawn=None,
    ),
    "softmax": KernelType(requires=("rows", "cin"), cost=RowWise(), operators=("softmax",), layers=None, n_drawn=None),
    "elementwise": KernelType(
        requires=("rows", "cin"),
        allows=("cin2",),
        functions=_MAPS,
        cost=RowWise(has_second=True),
        operators=_MAP_OPERATORS,
        layers=None,
        n_drawn=None,
    ),
    "embedding": KernelType(
        requires=("rows", "entries", "cout"), cost=lookup_cost, operators=("embedding",), layers=None, n_drawn=None
    ),
    "lstm": KernelType(
        requires=("rows", "cin", "cout"),
        allows=("directions",),
        cost=Recurrent(gates=4),
        is_product=True,
        operators=("lstm",),
        layers=None,
        n_drawn=None,
    ),
    "gru": KernelType(
        requires=("rows", "cin", "cout"),
        allows=("directions",),
        cost=Recurrent(gates=3),
        is_product=True,
        operators=("gru",),
        layers=None,
        n_drawn=None,
    ),
    "conv-transpose": KernelType(
        requires=(*_PLANE, "cout", *_WINDOW),
        allows=("groups",),
        cost=transposed_convolution_cost,
        is_product=True,
        begins_with=("conv-transpose",),
        layers=None,
        n_drawn=None,
    ),
    "resize": KernelType(
        requires=(*_PLANE, "output_h", "output_w"), cost=resize_cost, operators=("resize",), layers=None, n_drawn=None
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
