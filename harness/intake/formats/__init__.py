"""Foreign formats, one module each; a module is found by being here.

A module holds `FORMAT`, an `IntakeFormat`. One that does not fails loudly for everyone.
"""

import sys
from collections.abc import Mapping
from functools import cache

from harness.discovery import declared_formats
from harness.intake.foreign import IntakeFormat
from harness.issues import unknown

__all__ = ["intake_format", "intake_formats"]


@cache
def intake_formats() -> Mapping[str, IntakeFormat]:
    """Every format by its name.

    Raises:
        TypeError: a module of this folder declares no format, or a name twice.
    """
    return declared_formats(sys.modules[__name__], IntakeFormat)


def intake_format(name: str) -> IntakeFormat:
    """Format of a name.

    Raises:
        UsageError: there is none; the message lists those there are.
    """
    formats = intake_formats()
    if name not in formats:
        raise unknown("intake format", name, formats)
    return formats[name]
