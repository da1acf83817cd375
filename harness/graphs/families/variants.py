"""Variants of the families: the network that a family, a seed and a number identify."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import onnx

from harness.errors import UsageError
from harness.graphs.families.choices import Choices, DefaultChoices, RandomChoices
from harness.graphs.families.kernel_lists import built_network
from harness.graphs.families.phone import PHONE_FAMILIES
from harness.issues import quoted, unknown
from harness.schema.networks import Network
from harness.schema.vocabulary import Dtype

INPUT_SHAPE: Final = "224x224x3"
"""Input of every variant, as records write it."""
_NAME: Final = re.compile(r"s(?P<seed>-?\d{1,9})-(?P<number>[1-9]\d{0,8})")


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

    @classmethod
    def named(cls, family: str, name: str) -> "Variant":
        """Variant of a family by its name within the family.

        Raises:
            UsageError: there is no such family, or the name is not one of a variant.

        >>> Variant.named("ResNet18", "s7-3")
        Variant(family='ResNet18', number=3, seed=7)
        """
        if name == "base":
            return cls(_known(family), 0, 0)
        numbers = _NAME.fullmatch(name)
        if numbers is None:
            raise UsageError(f"{quoted(name)!r} is no variant of {family}; expected base, or a name such as s0-3")
        return cls(_known(family), int(numbers["number"]), int(numbers["seed"]))

    @property
    def model(self) -> str:
        """Name of the network, which states its family and draw."""
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
        return DefaultChoices() if self.number == 0 else RandomChoices(f"{self.seed}/{self.family}/{self.number}")

    def build(self) -> onnx.ModelProto:
        """The network as an ONNX model without weights."""
        return PHONE_FAMILIES[self.family](self.model, self.choices)


def variants_of(families: Iterable[str], n_variants: int, seed: int) -> list[Variant]:
    """The first variants of families; the number of variants and the other families change none of them.

    Args:
        families: names of families.
        n_variants: networks of each family, the published one among them.
        seed: seed of the draw.

    Raises:
        UsageError: a family is unknown.
    """
    return [Variant(_known(family), number, seed) for family in families for number in range(n_variants)]


def variant_network(variant: Variant, dtype: Dtype) -> Network:
    """Kernel list of a variant, as simulated campaigns have it in `graphs/`.

    Args:
        variant: network of a family.
        dtype: data type of the kernels.
    """
    return built_network(variant.build(), variant.model, dtype)


def _known(family: str) -> str:
    if family not in PHONE_FAMILIES:
        raise unknown("family", family, PHONE_FAMILIES)
    return family
