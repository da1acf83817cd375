"""Variants of the families: the network that a family and a name within it identify."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import onnx

from harness.errors import UsageError
from harness.graphs.families.choices import RandomChoices
from harness.graphs.families.kernel_lists import RUNTIME, built_network
from harness.graphs.families.named import NAMED
from harness.graphs.families.phone import PHONE_FAMILIES
from harness.issues import quoted, unknown
from harness.schema.networks import Network
from harness.schema.vocabulary import Dtype

INPUT_SHAPE: Final = "224x224x3"
"""Input of every drawn variant and of what it varies, as records write it."""
BASE: Final = "base"
"""Name of the network that the name of the family alone means, as its authors published it."""
_VARIED: Final = {"AlexNet": "same", "ShuffleNetV2": "x1.5", "SqueezeNet": "same"}
"""Network whose channels and windows drawn variants vary, where that is not the base."""
_NAME: Final = re.compile(r"s(?P<seed>-?\d{1,9})-(?P<number>[1-9]\d{0,8})")


@dataclass(frozen=True, slots=True)
class Variant:
    """One network of a family; construct by `named`, which knows what there is.

    Attributes:
        family: settled name of the family.
        name: name within the family: `base`, another name of `NAMED`, or that of a draw, such as `s0-3`.
    """

    family: str
    name: str

    @classmethod
    def named(cls, family: str, name: str) -> "Variant":
        """Variant of a family by its name within the family.

        A drawn one has the seed and the number of the draw in its name, and draws its channels and windows.

        Raises:
            UsageError: there is no such family, or the name is not one of a variant.

        >>> Variant.named("ResNet18", "s7-3").model, Variant.named("MobileNetV2", "alpha-0.5-96").model
        ('ResNet18-s7-3', 'MobileNetV2-alpha-0.5-96')
        """
        families = {each for each, _ in NAMED}
        if family not in families:
            raise unknown("family", family, sorted(families))
        if (family, name) not in NAMED and not (family in PHONE_FAMILIES and _NAME.fullmatch(name)):
            also = ", or a name such as s0-3" if family in PHONE_FAMILIES else ""
            names = ", ".join(each for of_family, each in NAMED if of_family == family)
            raise UsageError(f"{quoted(name)!r} is no variant of {family}; expected {names}{also}")
        return cls(family, name)

    @classmethod
    def parsed(cls, text: str) -> "Variant":
        """Variant by its family and its name within that, as `EfficientNet-Lite/lite0`; the base where it has no name.

        Raises:
            UsageError: as in `named`.

        >>> Variant.parsed("AlexNet") == Variant.parsed("AlexNet/base")
        True
        """
        family, _, name = text.partition("/")
        return cls.named(family, name or BASE)

    @property
    def model(self) -> str:
        """Name of the network, which states its family and its name within that."""
        return self.family if self.name == BASE else f"{self.family}-{self.name}"

    def build(self) -> onnx.ModelProto:
        """The network as an ONNX model without weights."""
        if (self.family, self.name) in NAMED:
            return NAMED[self.family, self.name](self.model)
        drawn = _NAME.fullmatch(self.name)
        if drawn is None:
            raise ValueError(f"{self.name} is no draw")
        choices = RandomChoices(f"{drawn['seed']}/{self.family}/{drawn['number']}")
        return PHONE_FAMILIES[self.family](self.model, choices)


def variants_of(families: Iterable[str], n_variants: int, seed: int) -> list[Variant]:
    """The first variants of families; the number of variants and the other families change none of them.

    Args:
        families: names of families that variants are drawn of.
        n_variants: networks of each family, the published one among them.
        seed: seed of the draw.

    Raises:
        UsageError: a family is unknown.
    """
    return _after(families, {}, n_variants, seed)


def varied_of(families: Iterable[str], n_variants: int, seed: int) -> list[Variant]:
    """Drawn variants after the network whose channels and windows they vary, all padded to "same".

    This is `variants_of` with that network in place of the base, where the two differ in padding or in width.

    Args:
        families: names of families that variants are drawn of.
        n_variants: networks of each family, the varied one among them.
        seed: seed of the draw.

    Raises:
        UsageError: a family is unknown.
    """
    return _after(families, _VARIED, n_variants, seed)


def variant_network(variant: Variant, dtype: Dtype, runtime_name: str = RUNTIME) -> Network:
    """Kernel list of a variant, as campaigns have it in `graphs/`.

    Args:
        variant: network of a family.
        dtype: data type of the kernels.
        runtime_name: runtime whose fusion rules make them.
    """
    return built_network(variant.build(), variant.model, dtype, runtime_name)


def _after(families: Iterable[str], firsts: Mapping[str, str], n_variants: int, seed: int) -> list[Variant]:
    """The first network of each family, which is the base where none is stated, and drawn ones after it."""
    drawn = [f"s{seed}-{number}" for number in range(1, n_variants)]
    return [
        Variant(_known(family), name) for family in families for name in (firsts.get(family, BASE), *drawn)[:n_variants]
    ]


def _known(family: str) -> str:
    if family not in PHONE_FAMILIES:
        raise unknown("family", family, PHONE_FAMILIES)
    return family
