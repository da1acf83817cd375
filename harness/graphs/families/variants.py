"""Variants of the families: which network a family, a seed and a number stand for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import onnx

from harness.graphs.families.choices import Choices, Defaults, Drawn
from harness.graphs.families.phone import PHONE_FAMILIES
from harness.issues import unknown

INPUT_SHAPE: Final = "224x224x3"
"""Input of every variant, as records write it."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One network of a family.

    Attributes:
        family: settled name of the family.
        number: 0 is the network as published, every other one has drawn channels and windows.
        seed: seed of the draw.
    """

    family: str
    number: int
    seed: int

    @property
    def model(self) -> str:
        """Name of the network, which says its family and draw."""
        return self.family if self.number == 0 else f"{self.family}-{self.name}"

    @property
    def name(self) -> str:
        """Name within the family.

        >>> Variant("ResNet18", 0, 7).name, Variant("ResNet18", 3, 7).name
        ('base', 's7-3')
        """
        return "base" if self.number == 0 else f"s{self.seed}-{self.number}"

    @property
    def choices(self) -> Choices:
        """Channels and windows of the network."""
        return Defaults() if self.number == 0 else Drawn(f"{self.seed}/{self.family}/{self.number}")

    def build(self) -> onnx.ModelProto:
        """The network as an ONNX model without weights."""
        return PHONE_FAMILIES[self.family](self.model, self.choices)


def variants_of(families: Iterable[str], n_variants: int, seed: int) -> list[Variant]:
    """The first variants of families; more of them, or other families, change none.

    Args:
        families: names of families.
        n_variants: networks of each family, the published one among them.
        seed: seed of the draw.

    Raises:
        UsageError: a family is not known.
    """
    return [Variant(_known(family), number, seed) for family in families for number in range(n_variants)]


def _known(family: str) -> str:
    if family not in PHONE_FAMILIES:
        raise unknown("family", family, PHONE_FAMILIES)
    return family
