"""What differs between the variants of a family: channels and windows of each layer, by its name, and the padding."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

CHANNEL_TENTHS: Final = range(2, 18)
"""Tenths of the default channels that a variant may have, rounded down: 0.2 to 1.7 times."""
WINDOWS: Final = (1, 3, 5, 7)
"""Windows that a variant may have besides the default one; a 1 x 1 convolution stays one."""


class Choices(Protocol):
    """Channels, windows and padding of one variant."""

    def zeros(self, published: int) -> int | None:
        """Zeros at each edge of a layer that is published with some number of them; None pads to "same"."""
        ...

    @property
    def has_biases(self) -> bool:
        """Whether convolutions without batch normalisation have the biases that they are published with."""
        ...

    def channels(self, layer: str, default: int) -> int:
        """Output channels of a layer."""
        ...

    def window(self, layer: str, default: int) -> int:
        """Height and width of the square window of a layer."""
        ...


class DefaultChoices:
    """The network as its authors published it."""

    has_biases: Final = True

    def zeros(self, published: int) -> int | None:
        """Published zeros."""
        return published

    def channels(self, layer: str, default: int) -> int:  # noqa: ARG002  the protocol's signature
        """Default channels."""
        return default

    def window(self, layer: str, default: int) -> int:  # noqa: ARG002
        """Default window."""
        return default


class _SamePadding:
    """Every window pads to "same", whatever its size, and no convolution has a bias."""

    __slots__ = ()

    @property
    def has_biases(self) -> bool:
        """False: the logs and draws have none."""
        return False

    def zeros(self, published: int) -> int | None:  # noqa: ARG002  the protocol's signature
        """None."""
        return None


@dataclass(frozen=True, slots=True)
class LoggedChoices(_SamePadding):
    """Channels and windows from a log; a layer that the log does not have keeps its default.

    Attributes:
        of_channels: output channels by layer.
        of_window: window by layer.
    """

    of_channels: Mapping[str, int] = field(default_factory=dict)
    of_window: Mapping[str, int] = field(default_factory=dict)

    def channels(self, layer: str, default: int) -> int:
        """Logged channels, or the default ones."""
        return self.of_channels.get(layer, default)

    def window(self, layer: str, default: int) -> int:
        """Logged window, or the default one."""
        return self.of_window.get(layer, default)


@dataclass(frozen=True, slots=True)
class RandomChoices(_SamePadding):
    """Random channels and windows; the same seed gives the same network, whichever others are drawn.

    Attributes:
        seed: identifies the draw, for example `0/ResNet18/3`.

    Source:
        Ratios and windows as they occur in the released log of MobileNetV1 variants of DeepEn2023: 16 tenths of the
        default channels, and windows 1, 3, 5 and 7 equally often.
    """

    seed: str

    def channels(self, layer: str, default: int) -> int:
        """Default channels times a drawn tenth, at least 1."""
        tenths = random.Random(f"{self.seed}/{layer}/channels").choice(CHANNEL_TENTHS)  # noqa: S311  no secret
        return max(default * tenths // 10, 1)

    def window(self, layer: str, default: int) -> int:
        """A drawn window; 1 where the default is 1."""
        if default == 1:
            return 1
        windows = sorted({*WINDOWS, default})
        return random.Random(f"{self.seed}/{layer}/window").choice(windows)  # noqa: S311  no secret
