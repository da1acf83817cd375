"""Standard splits of the three levels: which rows are the test side; stable under growth.

A split is decided by what was run, never by who ran it, so that adding a device moves no row.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Final

import pyarrow as pa

from harness.code_version import code_version
from harness.schema.network_names import begins_like, settled_name
from harness.schema.vocabulary import Level, Split

SALT: Final = "2026.1"
"""Salt of the hash; another salt moves rows."""
TEST_SHARE: Final = 0.2
TEST_FAMILIES: Final = frozenset({"DS-CNN", "GoogLeNet", "ShuffleNetV2"})
"""Families that no training row of the models level belongs to, by their settled spelling; unknown families train."""
TEST_REFERENCE_MODELS: Final = frozenset({"EfficientNet", "ESRGAN"})
"""Reference networks that no training row of the applications level runs, in whatever data type."""
HELD_OUT: Final[Mapping[Level, frozenset[str]]] = {
    "kernels": frozenset(),
    "models": TEST_FAMILIES,
    "applications": TEST_REFERENCE_MODELS,
}
"""Settled names that are the test side, per level; kernels are held out by their hash."""
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
    """Version of the published split: the salt, and the version of the code that decides."""
    return f"{SALT}-{code_version(DECIDING_MODULES)}"


def held_out_like(level: Level, name: str) -> str | None:
    """Held-out name that an unknown name begins with, and is taken for; None for a settled name, and for any other.

    >>> held_out_like("models", "ShuffleNetV2x05"), held_out_like("models", "ShuffleNetV1")
    ('ShuffleNetV2', None)
    """
    like = begins_like(level, name) if settled_name(level, name) is None else None
    return like if like in HELD_OUT[level] else None


def split_of(level: Level, group: str) -> Split:
    """Side of a row, from the value of its group column.

    A network is on one side under whatever name; an unknown name that begins with a held-out one is on the test side.

    Examples:
        >>> split_of("models", "GoogLeNet"), split_of("models", "inception-v1"), split_of("models", "an unknown family")
        ('test', 'test', 'train')
    """
    if level != "kernels":
        is_held_out = settled_name(level, group) in HELD_OUT[level] or held_out_like(level, group) is not None
        return "test" if is_held_out else "train"
    digest = hashlib.sha256(f"{SALT}/{group}".encode()).digest()
    return "test" if int.from_bytes(digest[:8], "big") < TEST_SHARE * 2**64 else "train"


def assign_splits(table: pa.Table, level: Level) -> list[Split]:
    """Side of every row of a release table."""
    return [split_of(level, group) for group in table.column(GROUPS[level]).to_pylist()]
