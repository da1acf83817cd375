"""Standard splits of the three levels: which rows are the test side; stable under growth.

A split is decided by what was run, never by who ran it, so that adding a device moves no row. A version of the split
stays available when another one is in force.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Final

import pyarrow as pa

from harness.code_version import code_version
from harness.issues import unknown
from harness.schema.network_names import begins_like, like_one_of, settled_name
from harness.schema.vocabulary import Level, Split

CURRENT: Final = "2026.2"
"""Version of the split that is in force."""
SALT: Final = "2026.1"
"""Salt of the hash; another salt moves rows. Both versions have it, so that kernels keep their side."""
TEST_SHARE: Final = 0.2
TEST_REFERENCE_MODELS: Final = frozenset({"EfficientNet", "ESRGAN"})
"""Reference networks that no training row of the applications level runs, in whatever data type."""
_SIMULATED_OR_TINY: Final = frozenset({"DS-CNN", "GoogLeNet", "ShuffleNetV2"})
TEST_FAMILIES: Final = _SIMULATED_OR_TINY | {"EfficientNet-Lite", "MobileNetV3"}
"""Families that no training row of the models level belongs to, by their settled spelling; unknown families train.

MobileNetV3 and the whole size series of EfficientNet-Lite are measured on boards, beside MobileNetV1 and MobileNetV2
that train; DS-CNN is measured on microcontrollers; GoogLeNet and ShuffleNetV2 are simulated.
"""
HELD_OUT_BY_VERSION: Final[Mapping[str, Mapping[Level, frozenset[str]]]] = {
    "2026.1": {
        "kernels": frozenset(),
        "models": _SIMULATED_OR_TINY,
        "applications": TEST_REFERENCE_MODELS,
    },
    CURRENT: {
        "kernels": frozenset(),
        "models": TEST_FAMILIES,
        "applications": TEST_REFERENCE_MODELS,
    },
}
"""Settled names that are the test side, per version and level; kernels are held out by their hash.

Version 2026.1 is that of the datasets before 2.0.
"""
HELD_OUT: Final = HELD_OUT_BY_VERSION[CURRENT]
"""Settled names that are the test side by the version in force."""
GROUPS: Final[Mapping[Level, str]] = {
    "kernels": "configuration_id",
    "models": "family",
    "applications": "reference_model",
}
"""Column whose values are each wholly on one side."""
DECIDING_MODULES: Final = ("harness.schema.identity", "harness.schema.network_names", "harness.splits")
"""Modules whose code decides the side of a row."""


@cache
def split_version() -> str:
    """Version of the published split: the version in force, and the version of the code that decides."""
    return f"{CURRENT}-{code_version(DECIDING_MODULES)}"


def held_out_like(level: Level, name: str, version: str = CURRENT) -> str | None:
    """Held-out name that an unknown name is taken for; None for a settled name, and for any other.

    A name is taken for a held-out one if it begins with a name of it, or has all its parts in their order. One that
    begins with another settled name is of that network.

    Args:
        level: level of the name.
        name: name of a family or reference network.
        version: version of the split, one of `HELD_OUT_BY_VERSION`.

    Raises:
        UsageError: no split has that version.

    >>> held_out_like("models", "ShuffleNetV2x05"), held_out_like("models", "ShuffleNetV1")
    ('ShuffleNetV2', None)
    >>> held_out_like("models", "tf_efficientnet_b0_lite"), held_out_like("models", "EfficientNetB0")
    ('EfficientNet-Lite', None)
    """
    if settled_name(level, name) is not None:
        return None
    held_out = _held_out(level, version)
    begins = begins_like(level, name)
    if begins in held_out:
        return begins
    # A name that begins like another network may hold a longer one, as EfficientNet-B0-lite does.
    like = like_one_of(level, held_out, name)
    return like if like is not None and (begins is None or like.startswith(begins)) else None


def _held_out(level: Level, version: str) -> frozenset[str]:
    """Settled names that a version holds out.

    Raises:
        UsageError: no split has that version.
    """
    if version not in HELD_OUT_BY_VERSION:
        raise unknown("version of the split", version, HELD_OUT_BY_VERSION)
    return HELD_OUT_BY_VERSION[version][level]


def split_of(level: Level, group: str, version: str = CURRENT) -> Split:
    """Side of a row, from the value of its group column.

    A network is on one side under whatever name; an unknown name that is like a held-out one is on the test side.

    Args:
        level: level of the row.
        group: value of the column that `GROUPS` names.
        version: version of the split, one of `HELD_OUT_BY_VERSION`.

    Raises:
        UsageError: no split has that version.

    Examples:
        >>> split_of("models", "GoogLeNet"), split_of("models", "inception-v1"), split_of("models", "an unknown family")
        ('test', 'test', 'train')
        >>> split_of("models", "mobilenet_v3_large"), split_of("models", "mobilenet_v3_large", version="2026.1")
        ('test', 'train')
    """
    held_out = _held_out(level, version)
    if level != "kernels":
        is_held_out = settled_name(level, group) in held_out or held_out_like(level, group, version) is not None
        return "test" if is_held_out else "train"
    digest = hashlib.sha256(f"{SALT}/{group}".encode()).digest()
    return "test" if int.from_bytes(digest[:8], "big") < TEST_SHARE * 2**64 else "train"


def assign_splits(table: pa.Table, level: Level, version: str = CURRENT) -> list[Split]:
    """Side of every row of a release table.

    Args:
        table: rows of the level, such as a Parquet file of the datasets holds them.
        level: level of the rows.
        version: version of the split; "2026.1" gives the sides of the datasets before 2.0.

    Raises:
        UsageError: no split has that version.
    """
    return [split_of(level, group, version) for group in table.column(GROUPS[level]).to_pylist()]
