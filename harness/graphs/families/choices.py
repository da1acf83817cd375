"""What differs between the variants of a family: output channels and windows of each layer, by the layer's name."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

CHANNEL_TENTHS: Final = range(2, 18)
"""Tenths of the default channels that a variant may have, rounded down: 0.2 to 1.7 times."""
WINDOWS: Final = (1, 3, 5, 7)
"""Windows that a variant may have besides the default one; a 1 x 1 convolution stays one."""


class Choices(Protocol):
    """Channels and windows of one variant."""

    def channels(self, layer: str, default: int) -> int:
        """Output channels of a layer."""
        ...

    def window(self, layer: str, default: int) -> int:
        """Height and width of the square window of a layer."""
        ...


class DefaultChoices:
    """The network as its authors published it."""

    def channels(self, layer: str, default: int) -> int:  # noqa: ARG002  the protocol's signature
        """Default channels."""
        return default

    def window(self, layer: str, default: int) -> int:  # noqa: ARG002
        """Default window."""
        return default


@dataclass(frozen=True, slots=True)
class LoggedChoices:
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
class RandomChoices:
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
