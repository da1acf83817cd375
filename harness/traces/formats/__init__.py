"""Formats of power traces, one module each; a module is found by being here.

A module holds `FORMAT`, a `TraceFormat`. A module that does not is an error for every user.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from harness.budget import LATEST_S
from harness.discovery import declared_formats
from harness.errors import UsageError
from harness.issues import unknown
from harness.traces.blocks import opened
from harness.traces.format import TraceFormat, TraceOptions
from harness.traces.logs import refused
from harness.traces.trace import Chunk, PowerTrace, TraceFormatError, TraceOptionError

__all__ = ["TraceFormat", "TraceOptions", "open_trace", "trace_formats"]

_SNIFFED_BYTES = 65_536
_ABSURD_MW = 1e15


@cache
def trace_formats() -> Mapping[str, TraceFormat]:
    """Every format by its name.

    Raises:
        TypeError: a module of this folder declares no format, or a name twice.
    """
    return declared_formats(sys.modules[__name__], TraceFormat)


_NO_OPTIONS = TraceOptions()


def open_trace(path: Path, name: str | None = None, options: TraceOptions = _NO_OPTIONS) -> PowerTrace:
    """Trace in a file, of a named format or of the one its first bytes look like; a table where a layout is given.

    Raises:
        UsageError: the format is not known, or none fits.
        TraceFormatError: the file is not of that format.
        TraceOptionError: the file lacks what the options ask for.
    """
    formats = trace_formats()
    if name is None:
        name = _recognised(path) if options.layout is None else "table"
        if name is None:
            raise UsageError(f"{path.as_posix()} looks like none of {', '.join(formats)}; name its format")
    if name not in formats:
        raise unknown("trace format", name, formats)
    try:
        trace = formats[name].open(path, options)
        _refuse_late(trace)
    except TraceOptionError:
        raise
    except TraceFormatError as error:
        fault, other = error.fault, _recognised(path)
        if other is not None and other != name and not formats[name].looks_like(_head(path)):
            fault = replace(fault, fix=f"The file looks like {other}: name that format, or bring the right file.")
        raise TraceFormatError(fault.at(path.name)) from error
    faults = tuple(fault.at(path.name) for fault in trace.faults)
    return replace(trace, chunks=partial(_chunks, trace.chunks, path.name), faults=faults)


def _refuse_late(trace: PowerTrace) -> None:
    """Refuse a trace whose times are none of this century, whatever its format."""
    if not abs(trace.start_s) <= LATEST_S:
        fix = "Find out the unit of the times; a number that counts microseconds is none of seconds."
        raise refused(f"a first time of {trace.start_s:.6g} s", "times until 2096", fix, rule="trace-time-unit")


def _refuse_absurd(chunk: Chunk) -> None:
    """Refuse powers with which nothing can be computed; of merely implausible ones the formats know more."""
    if not len(chunk.power_mw):
        return
    lowest, highest = float(chunk.power_mw.min()), float(chunk.power_mw.max())
    if not (lowest >= -_ABSURD_MW and highest <= _ABSURD_MW):
        worst = highest if lowest >= -_ABSURD_MW else lowest
        fix = "Find out the unit of the values, and look at the lines with such ones; delete those that are damaged."
        raise refused(f"a power of {worst:.6g} mW", f"within {_ABSURD_MW:.0e} mW", fix, rule="trace-unit")


def _head(path: Path) -> bytes:
    try:
        with opened(path) as file:
            return file.read(_SNIFFED_BYTES)
    except TraceFormatError as error:
        raise TraceFormatError(error.fault.at(path.name)) from error


def _recognised(path: Path) -> str | None:
    """Name of the first format that a file looks like."""
    head = _head(path)
    return next((known.name for known in trace_formats().values() if known.looks_like(head)), None)


def _chunks(chunks: Callable[[], Iterator[Chunk]], source: str) -> Iterator[Chunk]:
    """Chunks of a trace; an error of its reader names the file."""
    try:
        for chunk in chunks():
            _refuse_absurd(chunk)
            yield chunk
    except TraceFormatError as error:
        raise TraceFormatError(error.fault.at(source)) from error
