"""The closed word lists of the schema; it declares no quantities, and reads kernel types from `kernel_types`."""

from collections.abc import Collection, Mapping
from typing import Final, Literal, get_args

from harness.schema import kernel_costs, kernel_types

Level = Literal["kernels", "models", "applications"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)

Kernel = kernel_types.Kernel
Function = kernel_types.Function

Application = Literal[
    "image-detection",
    "image-classification",
    "super-resolution",
    "image-segmentation",
    "question-answering",
    "speech-recognition",
]

Dtype = Literal["fp32", "fp16", "bf16", "int16", "int8", "int4", "mixed", "unstated"]
DTYPES: Final[tuple[Dtype, ...]] = get_args(Dtype)
StoredDtype = Literal[
    "fp64", "fp32", "fp16", "bf16", "fp8e4m3fn", "fp8e4m3fnuz", "fp8e5m2", "fp8e5m2fnuz", "fp8e8m0", "fp4e2m1", "nf4",
    "int64", "uint64", "int32", "uint32", "int16", "uint16", "int8", "uint8", "int4", "uint4", "int2", "uint2", "bool",
]  # fmt: skip
"""Data types of the elements that a file stores; a kernel computes in one of `Dtype`."""
DTYPE_SYNONYMS: Final[Mapping[str, str]] = {
    "float64": "fp64", "f64": "fp64", "double": "fp64",
    "float32": "fp32", "f32": "fp32", "float": "fp32", "single": "fp32",
    "float16": "fp16", "f16": "fp16", "half": "fp16",
    "bfloat16": "bf16", "bfloat": "bf16",
    "int16t": "int16", "i16": "int16", "s16": "int16",
    "int8t": "int8", "i8": "int8", "s8": "int8",
    "uint8t": "uint8", "u8": "uint8",
    "int4t": "int4", "i4": "int4", "s4": "int4",
}  # fmt: skip
"""Names that frameworks, compilers and languages give the same data types, as `plain_word` has them.

Source:
    TensorFlow, PyTorch and NumPy data types; `stdint.h` of C; LLVM and Rust type names; IEEE 754 in common speech.
"""
Processor = Literal["cpu", "gpu", "npu", "dsp", "heterogeneous"]
DeviceClass = Literal[
    "phone", "tablet", "single-board-computer", "embedded-gpu", "microcontroller", "accelerator", "unstated"
]
DEVICE_NOUNS: Final[dict[DeviceClass, str]] = {
    "phone": "phone",
    "tablet": "tablet",
    "single-board-computer": "single-board computer",
    "embedded-gpu": "embedded GPU",
    "microcontroller": "microcontroller",
    "accelerator": "accelerator",
    "unstated": "device of unstated kind",
}
"""Device classes in prose."""
if set(DEVICE_NOUNS) != set(get_args(DeviceClass)):
    raise TypeError("every device class needs a noun in DEVICE_NOUNS")
Method = Literal["measured", "published", "simulated", "estimated"]
MeterKind = Literal["analyser", "rail", "counter", "battery-gauge"]
Tier = Literal["analyser", "rail", "counter", "published", "simulated"]
Boundary = Literal["rail", "sum-of-rails", "package", "module", "board", "battery", "wall", "unstated"]
BOUNDARY_TITLES: Final[dict[Boundary, str]] = {
    "rail": "one supply rail, which may feed a part of the device",
    "sum-of-rails": "the sum of several supply rails, which may leave out parts of the device",
    "package": "the package of the processor",
    "module": "the compute module without its carrier board",
    "board": "the whole board at its supply",
    "battery": "the whole device at its battery terminals",
    "wall": "the whole device with its power supply, at the socket",
    "unstated": "not stated",
}
"""What an energy is of; energies of different boundaries are never ranked together."""
if set(BOUNDARY_TITLES) != set(get_args(Boundary)):
    raise TypeError("every boundary needs a title in BOUNDARY_TITLES")
EnergyKind = Literal["absolute", "idle-subtracted", "dynamic-only"]
ENERGY_KIND_TITLES: Final[dict[EnergyKind, str]] = {
    "absolute": "all that is drawn within the boundary during the inference, idle power included",
    "idle-subtracted": "the same less the power of the idle device",
    "dynamic-only": "what arithmetic and memory accesses take, as simulators give it: without leakage, idle power and "
    "host",
}
"""Quantities that are called the energy of an inference; they are never ranked, summarised or trained on together."""
if set(ENERGY_KIND_TITLES) != set(get_args(EnergyKind)):
    raise TypeError("every kind of energy needs a title in ENERGY_KIND_TITLES")
Split = Literal["train", "test"]
Track = Literal["kernels", "models", "devices"]

TIER_TITLES: Final[dict[Tier, str]] = {
    "analyser": "measured with a power analyser",
    "rail": "measured on an on-board rail",
    "counter": "measured with a counter or battery gauge",
    "published": "taken from a publication",
    "simulated": "simulated or estimated",
}
RATED_TIERS: Final[tuple[Tier, ...]] = ("analyser", "rail", "counter", "published")
Evidence = Literal["measured", "published", "simulated"]
EVIDENCE_TIERS: Final[dict[Evidence, tuple[Tier, ...]]] = {
    "measured": ("analyser", "rail", "counter"),
    "published": ("published",),
    "simulated": ("simulated",),
}
"""Tiers by what stands behind a row: a meter, a publication, or an estimator."""
if sorted(tier for tiers in EVIDENCE_TIERS.values() for tier in tiers) != sorted(get_args(Tier)):
    raise TypeError("every tier needs one entry of EVIDENCE_TIERS")

EXTENTS: Final[tuple[str, ...]] = get_args(kernel_costs.Extent)
"""Configuration fields that are numbers."""
CONFIGURATION_FIELDS: Final[tuple[str, ...]] = ("function", *EXTENTS)

KERNEL_REQUIRES: Final[dict[Kernel, tuple[str, ...]]] = {
    name: (*(("function",) if kind.functions else ()), *kind.requires)
    for name, kind in kernel_types.KERNEL_TYPES.items()
}
"""Configuration fields without which a kernel of that type means nothing."""

KERNEL_ALLOWS: Final[dict[Kernel, tuple[str, ...]]] = {
    name: kind.allows for name, kind in kernel_types.KERNEL_TYPES.items()
}
"""Configuration fields that may be given besides the required ones; every other one must stay empty."""

KERNEL_FUNCTIONS: Final[dict[Kernel, tuple[Function, ...]]] = {
    name: kind.functions for name, kind in kernel_types.KERNEL_TYPES.items() if kind.functions
}
"""What kernels of a type compute, where the type has several functions."""

UNSTATED_LICENCE: Final = "NOASSERTION"
"""SPDX's word for a licence that nobody has stated."""
UNSTATED_LICENCE_MEANING: Final = "facts quoted from the source, which states no licence"
"""What a published figure without a licence is; nobody licenses a fact, and its source is cited."""


def tier_of(method: Method, meter_kind: MeterKind | None) -> Tier:
    """Evidence tier of a row, which follows from how its figure was obtained.

    Args:
        method: `measured`, `published`, `simulated` or `estimated`.
        meter_kind: what measured it; needed when the method is `measured`.

    Raises:
        ValueError: a measured figure without a meter kind.

    >>> tier_of("measured", "battery-gauge")
    'counter'
    """
    if method == "published":
        return "published"
    if method in ("simulated", "estimated"):
        return "simulated"
    if meter_kind is None:
        raise ValueError("a measured figure needs a meter kind")
    return "counter" if meter_kind == "battery-gauge" else meter_kind


def evidence_of(tier: Tier) -> Evidence:
    """What stands behind a row of a tier.

    >>> evidence_of("rail")
    'measured'
    """
    return next(evidence for evidence, tiers in EVIDENCE_TIERS.items() if tier in tiers)


def default_evidences(present: Collection[Evidence]) -> tuple[Evidence, ...]:
    """Evidence of the rows that a dataset gives where none is asked for; simulated ones only where there are no others.

    >>> default_evidences(["simulated", "published"]), default_evidences(["simulated"])
    (('published',), ('simulated',))
    """
    real = tuple(evidence for evidence in EVIDENCE_TIERS if evidence in present and evidence != "simulated")
    return real or tuple(present)


def plain_word(word: str) -> str:
    """Letters and digits of a word in small letters, without what joins its parts.

    >>> plain_word("Conv_BN_ReLU") == plain_word("conv-bn-relu")
    True
    """
    return "".join(letter for letter in word.casefold() if letter.isalnum())


def same_word(word: str, known: Collection[str]) -> str | None:
    """Known word that another one spells otherwise, or is a synonym of; None where there is none.

    >>> same_word("FP32", DTYPES), same_word("float32", DTYPES), same_word("uint8", DTYPES)
    ('fp32', 'fp32', None)
    """
    plain = plain_word(word)
    synonym = DTYPE_SYNONYMS.get(plain)
    return next((each for each in known if plain_word(each) == plain), synonym if synonym in known else None)
