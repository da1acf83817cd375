"""Kernel configurations as the layers that the estimator knows: convolutions, window reductions and additions.

It estimates nothing. A configuration without such layers is not simulated, which is not the same as costing nothing.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from harness.schema.vocabulary import KERNEL_REQUIRES, Kernel

Operation = Literal["conv", "pool", "add"]
Configuration = Mapping[str, str | int]
"""Kernel type and extents, without the fields that are empty."""

SIMULATED: Final[tuple[Kernel, ...]] = (
    "conv-bn-relu",
    "dwconv-bn-relu",
    "fc",
    "maxpool",
    "avgpool",
    "global-avgpool",
    "add",
    "addrelu",
    "bn",
    "bnrelu",
    "se",
)
"""Kernel types that the estimator has operations for; activations and moves of data it has none for."""

_SE_REDUCTION: Final = 4


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

    Batch normalisation and activations that a convolution absorbs cost nothing; batch normalisation on its own is a
    multiply-accumulate an element, and the activation behind it or behind an addition costs nothing. Squeeze and
    excitation is a global average, two fully connected layers around a quarter of the channels, and a product.

    Raises:
        ValueError: the configuration lacks an extent, or its groups do not divide its channels.

    >>> layers_of({"kernel": "fc", "cin": 8, "cout": 2}) == (Layer("conv", 1, 1, 8, 2),)
    True
    >>> layers_of({"kernel": "split", "input_h": 7, "input_w": 7, "cin": 8})
    ()
    """
    kernel = next((name for name in SIMULATED if name == configuration.get("kernel")), None)
    if kernel is None:
        return ()
    extents = _extents(configuration, KERNEL_REQUIRES[kernel])
    cin, height, width = extents["cin"], extents.get("input_h", 1), extents.get("input_w", 1)
    if kernel == "se":
        squeezed = max(cin // _SE_REDUCTION, 1)
        dense = (Layer("conv", 1, 1, cin, squeezed), Layer("conv", 1, 1, squeezed, cin))
        return (_mean(height, width, cin), *dense, Layer("conv", height, width, 1, 1, cin))
    return (_layer(kernel, configuration, extents, (height, width, cin)),)


def _layer(kernel: Kernel, given: Configuration, extents: Mapping[str, int], shape: tuple[int, int, int]) -> Layer:
    """Layer of a kernel type that is one layer."""
    height, width, cin = shape
    if kernel in ("add", "addrelu"):
        return Layer("add", height, width, 1, 1, cin)
    if kernel == "global-avgpool":
        return _mean(height, width, cin)
    window = tuple(extents.get(name, 1) for name in ("kernel_h", "kernel_w", "stride_h", "stride_w"))
    if kernel in ("maxpool", "avgpool"):
        return Layer("pool", height, width, 1, 1, cin, *window)
    is_per_channel = kernel in ("dwconv-bn-relu", "bn", "bnrelu")
    groups = cin if is_per_channel else int(given.get("groups", 1))
    cout = int(given.get("cout", cin))
    if cin % groups or cout % groups:
        raise ValueError(f"{groups} groups do not divide {cin} input and {cout} output channels")
    return Layer("conv", height, width, cin // groups, cout // groups, groups, *window)


def _extents(configuration: Configuration, required: tuple[str, ...]) -> dict[str, int]:
    missing = [name for name in required if not configuration.get(name)]
    if missing:
        raise ValueError(f"{configuration['kernel']} lacks {', '.join(missing)}")
    return {name: int(configuration[name]) for name in required}


def _mean(height: int, width: int, channels: int) -> Layer:
    return Layer("pool", height, width, 1, 1, channels, height, width, height, width)
