"""Kernel configurations as layers of the estimator: convolutions, window reductions and additions.

It estimates nothing. A configuration without such layers is not simulated; that does not mean that it costs nothing.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple, get_args

from harness.schema.kernel_costs import SE_REDUCTION
from harness.schema.kernel_types import KERNEL_TYPES, Kernel, LayerForm, require_each
from harness.schema.networks import Configuration

Operation = Literal["conv", "pool", "add"]

SIMULATED: Final[tuple[Kernel, ...]] = tuple(name for name, kind in KERNEL_TYPES.items() if kind.layers is not None)
"""Kernel types that the estimator has operations for; it has none for activations and moves of data."""


class Layer(NamedTuple):
    """One layer on one input, padded to "same"; kernels of equal work are equal layers.

    Attributes:
        operation: `conv` multiplies by weights and accumulates, `pool` accumulates a window, `add` adds two tensors.
        input_h: height of the input.
        input_w: width of the input.
        cin: input channels of a group.
        cout: output channels of a group.
        groups: groups, each with its own channels.
        kernel_h: height of the window.
        kernel_w: width of the window.
        stride_h: vertical stride.
        stride_w: horizontal stride.
    """

    operation: Operation
    input_h: int
    input_w: int
    cin: int
    cout: int
    groups: int = 1
    kernel_h: int = 1
    kernel_w: int = 1
    stride_h: int = 1
    stride_w: int = 1

    @property
    def output_h(self) -> int:
        """Height of the output."""
        return -(-self.input_h // self.stride_h)

    @property
    def output_w(self) -> int:
        """Width of the output."""
        return -(-self.input_w // self.stride_w)

    @property
    def n_operations(self) -> int:
        """Multiply-accumulates of a convolution, additions of the others.

        >>> Layer("conv", 8, 8, 4, 16, kernel_h=3, kernel_w=3, stride_h=2, stride_w=2).n_operations
        9216
        """
        window = self.kernel_h * self.kernel_w
        return self.output_h * self.output_w * self.groups * self.cin * self.cout * window


def layers_of(configuration: Configuration) -> tuple[Layer, ...]:
    """Layers whose costs make up a kernel's cost; empty where the estimator has no operations for its type.

    Batch normalisation and activations that are fused with a convolution cost nothing; batch normalisation on its own
    is one multiply-accumulate per element, and the activation after it or after an addition costs nothing. Squeeze and
    excitation is a global average, two fully connected layers around a quarter of the channels, and a product.
    Attention is the products of queries by keys and of weights by values. A window with gaps has no layer.

    Raises:
        ValueError: the configuration lacks an extent, or its groups do not divide its channels.

    >>> layers_of({"kernel": "fc", "cin": 8, "cout": 2}) == (Layer("conv", 1, 1, 8, 2),)
    True
    >>> layers_of({"kernel": "split", "input_h": 7, "input_w": 7, "cin": 8})
    ()
    """
    kind = next((kind for name, kind in KERNEL_TYPES.items() if name == configuration.get("kernel")), None)
    if kind is None or kind.layers is None or any(configuration.get(name) for name in ("dilation_h", "dilation_w")):
        return ()
    missing = [name for name in kind.requires if not configuration.get(name)]
    if missing:
        raise ValueError(f"{configuration['kernel']} lacks {', '.join(missing)}")
    extents: dict[str, int] = {name: int(configuration[name]) for name in kind.fields if configuration.get(name)}
    return _FORMS[kind.layers](extents)


def _convolution(extents: Mapping[str, int]) -> tuple[Layer, ...]:
    cin, cout, groups = extents["cin"], extents["cout"], extents.get("groups", 1)
    return (_grouped(extents, cin, cout, groups),)


def _channel_convolution(extents: Mapping[str, int]) -> tuple[Layer, ...]:
    cin = extents["cin"]
    return (_grouped(extents, cin, extents.get("cout", cin), cin),)


def _grouped(extents: Mapping[str, int], cin: int, cout: int, groups: int) -> Layer:
    if cin % groups or cout % groups:
        raise ValueError(f"{groups} groups do not divide {cin} input and {cout} output channels")
    return Layer("conv", *_plane(extents), cin // groups, cout // groups, groups, *_window(extents))


def _pooling(extents: Mapping[str, int]) -> tuple[Layer, ...]:
    return (Layer("pool", *_plane(extents), 1, 1, extents["cin"], *_window(extents)),)


def _mean(extents: Mapping[str, int]) -> tuple[Layer, ...]:
    plane = _plane(extents)
    return (Layer("pool", *plane, 1, 1, extents["cin"], *plane, *plane),)


def _addition(extents: Mapping[str, int]) -> tuple[Layer, ...]:
    return (Layer("add", *_plane(extents), 1, 1, extents["cin"]),)


def _squeeze_and_excitation(extents: Mapping[str, int]) -> tuple[Layer, ...]:
    cin = extents["cin"]
    inner = max(cin // SE_REDUCTION, 1)
    dense = (Layer("conv", 1, 1, cin, inner), Layer("conv", 1, 1, inner, cin))
    return (*_mean(extents), *dense, Layer("conv", *_plane(extents), 1, 1, cin))


def _product(extents: Mapping[str, int]) -> tuple[Layer, ...]:
    """Rows as places of a plane; every product of two activations is a group of its own."""
    batch = extents.get("batch", 1)
    return (Layer("conv", extents["rows"], 1, extents["cin"], extents["cout"], batch),)


def _attention(extents: Mapping[str, int]) -> tuple[Layer, ...]:
    queries, keys, heads, size = (extents[name] for name in ("q_len", "kv_len", "heads", "head_size"))
    return (Layer("conv", queries, 1, size, keys, heads), Layer("conv", queries, 1, keys, size, heads))


def _plane(extents: Mapping[str, int]) -> tuple[int, int]:
    """Height and width; a fully connected layer has one element of each."""
    return extents.get("input_h", 1), extents.get("input_w", 1)


def _window(extents: Mapping[str, int]) -> tuple[int, ...]:
    """Window and strides; 1 where the kernel type has none."""
    return tuple(extents.get(name, 1) for name in ("kernel_h", "kernel_w", "stride_h", "stride_w"))


_FORMS: Final[Mapping[LayerForm, Callable[[Mapping[str, int]], tuple[Layer, ...]]]] = {
    "convolution": _convolution,
    "channel-convolution": _channel_convolution,
    "pooling": _pooling,
    "mean": _mean,
    "addition": _addition,
    "squeeze-and-excitation": _squeeze_and_excitation,
    "product": _product,
    "attention": _attention,
}
require_each(get_args(LayerForm), _FORMS, "form of layers")
