"""Standard splits of the three levels: which rows are the test side; stable under growth.

A split is decided by what was run, never by who ran it, so that adding a device moves no row.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Final

import pyarrow as pa

from harness.code_version import code_version
from harness.schema.vocabulary import Level, Split

SALT: Final = "2026.1"
"""Salt of the hash; another salt moves rows."""
TEST_SHARE: Final = 0.2
TEST_FAMILIES: Final = frozenset({"DS-CNN", "GoogLeNet", "ShuffleNetV2"})
"""Families that no training row of the models level belongs to; unknown families train."""
TEST_REFERENCE_MODELS: Final = frozenset({"EfficientNet", "ESRGAN"})
"""Reference networks that no training row of the applications level runs, in whatever data type."""
GROUPS: Final[Mapping[Level, str]] = {
    "kernels": "configuration_id",
    "models": "family",
    "applications": "reference_model",
}
"""Column whose values are each wholly on one side."""
DECIDING_MODULES: Final = ("harness.schema.identity", "harness.splits")
"""Modules whose code decides the side of a row."""


@cache
def split_version() -> str:
    """Version of the published split: the salt, and the version of the code that decides."""
    return f"{SALT}-{code_version(DECIDING_MODULES)}"


def split_of(level: Level, group: str) -> Split:
    """Side of a row, from the value of its group column.

    Examples:
        >>> split_of("models", "GoogLeNet"), split_of("models", "an unknown family")
        ('test', 'train')
    """
    if level == "models":
        return "test" if group in TEST_FAMILIES else "train"
    if level == "applications":
        return "test" if group in TEST_REFERENCE_MODELS else "train"
    digest = hashlib.sha256(f"{SALT}/{group}".encode()).digest()
    return "test" if int.from_bytes(digest[:8], "big") < TEST_SHARE * 2**64 else "train"


def assign_splits(table: pa.Table, level: Level) -> list[Split]:
    """Side of every row of a release table."""
    return [split_of(level, group) for group in table.column(GROUPS[level]).to_pylist()]
