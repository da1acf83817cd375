"""What the standard splits hold out, in words for cards and pages; it decides nothing."""

from collections.abc import Mapping
from typing import Final

from harness.schema.vocabulary import LEVELS, Level
from harness.splits import CURRENT, HELD_OUT_BY_VERSION, TEST_SHARE


def split_statement(level: Level, version: str = CURRENT) -> str:
    """What a version of the split holds out at a level.

    >>> split_statement("models", "2026.1")
    'by family; test holds DS-CNN, GoogLeNet, ShuffleNetV2'
    """
    held_out = ", ".join(sorted(HELD_OUT_BY_VERSION[version][level]))
    if level == "kernels":
        return (
            f"by hash of the configuration alone (about {TEST_SHARE:.0%} test); one configuration is on one side for "
            "every device, delegate and data type"
        )
    return f"by {'family' if level == 'models' else 'reference network'}; test holds {held_out}"


STATEMENTS: Final[Mapping[Level, str]] = {level: split_statement(level) for level in LEVELS}
"""What the version in force holds out, per level."""


def earlier_splits(level: Level) -> list[str]:
    """How each earlier version of the split differs from the one in force at a level, a sentence each.

    >>> earlier_splits("kernels")
    ['Version 2026.1 has the same sides.']
    """
    return [
        f"Version {version} has the same sides."
        if held_out[level] == HELD_OUT_BY_VERSION[CURRENT][level]
        else f"Version {version}, of the datasets before 2.0, is {split_statement(level, version)}; "
        f'harness.splits.assign_splits(table, "{level}", version="{version}") gives its sides.'
        for version, held_out in HELD_OUT_BY_VERSION.items()
        if version != CURRENT
    ]
