"""Formats of power traces, one module each; a module is found by being here.

A module holds `FORMAT`, a `TraceFormat`. One that does not fails loudly for everyone.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from harness.errors import UsageError
from harness.traces.formats.format import TraceFormat, TraceOptions
from harness.traces.trace import PowerTrace

__all__ = ["TraceFormat", "TraceOptions", "open_trace", "trace_formats"]

_SNIFFED_BYTES = 65_536


@cache
def trace_formats() -> Mapping[str, TraceFormat]:
    """Every format by its name.

    Raises:
        TypeError: a module of this folder declares no format, or a name twice.
    """
    formats: dict[str, TraceFormat] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name == "format":
            continue
        found = getattr(importlib.import_module(f"{__name__}.{module.name}"), "FORMAT", None)
        if not isinstance(found, TraceFormat) or found.name in formats:
            raise TypeError(f"harness/traces/formats/{module.name}.py must hold a FORMAT with a name of its own")
        formats[found.name] = found
    return formats


_NO_OPTIONS = TraceOptions()


def open_trace(path: Path, name: str | None = None, options: TraceOptions = _NO_OPTIONS) -> PowerTrace:
    """Trace in a file, of a named format or of the one its first bytes look like.

    Raises:
        UsageError: the format is not known, or none fits.
        TraceFormatError: the file is not of that format.
    """
    formats = trace_formats()
    if name is None:
        with path.open("rb") as file:
            head = file.read(_SNIFFED_BYTES)
        name = next((known.name for known in formats.values() if known.looks_like(head)), None)
        if name is None:
            raise UsageError(f"{path.as_posix()} looks like none of {', '.join(formats)}; name its format")
    if name not in formats:
        raise UsageError(f"trace format {name!r} is not known; there are {', '.join(formats)}")
    return formats[name].open(path, options)
