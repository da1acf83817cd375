"""Foreign formats: one module each in this folder, and every trace format that declares a folder of runs.

A module is found by being here and holds `FORMAT`, an `IntakeFormat`. A trace format declares `source`, a `RunSource`.
A missing declaration or a name that is taken is an error for every intake.
"""

import sys
from collections.abc import Mapping
from functools import cache

from harness.discovery import declared_formats
from harness.intake.foreign import IntakeFormat
from harness.intake.run_logs import log_intake
from harness.issues import unknown
from harness.traces.formats import trace_formats

__all__ = ["intake_format", "intake_formats"]


@cache
def intake_formats() -> Mapping[str, IntakeFormat]:
    """Every format by its name.

    Raises:
        TypeError: a module of this folder declares no format, or two declare one name.
    """
    own = declared_formats(sys.modules[__name__], IntakeFormat)
    logs = {name: log_intake(form, form.source) for name, form in trace_formats().items() if form.source is not None}
    if taken := own.keys() & logs.keys():
        raise TypeError(f"intake format {min(taken)!r} is declared twice: as a module and by a trace format")
    return dict(sorted({**own, **logs}.items()))


def intake_format(name: str) -> IntakeFormat:
    """Format of a name.

    Raises:
        UsageError: there is none; the message lists those there are.
    """
    formats = intake_formats()
    if name not in formats:
        raise unknown("intake format", name, formats)
    return formats[name]
