"""Monsoon HVPM exports: current and voltage at about 5 kHz, stamped by the host as bursts arrive."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from harness.traces.blocks import csv_blocks
from harness.traces.formats.format import TraceFormat, TraceOptions
from harness.traces.trace import Chunk, PowerTrace, TraceFault, TraceFormatError

STATED_HZ = 5000.0
_NAMES = ("stamp", "current_ma", "voltage_v")
_TYPES = {"stamp": pa.int64(), "current_ma": pa.float64(), "voltage_v": pa.float64()}
_UNITS_PER_SECOND = ((1e14, 1e6), (1e11, 1e3), (0.0, 1.0))
"""Epochs of this century are above these many micro-, milli- and seconds; the header says ms of either."""


def _looks_like(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").startswith(b"Time(ms),Main(mA),Main Voltage(V)")


def _open(path: Path, _options: TraceOptions) -> PowerTrace:
    with path.open("rb") as file:
        header, first = file.readline(), file.readline()
    if not _looks_like(header):
        raise TraceFormatError(
            TraceFault(
                "trace-format",
                header[:80].decode("utf-8", "replace").strip() or "an empty file",
                "the header Time(ms),Main(mA),Main Voltage(V)",
                "Export main current and voltage from the Monsoon software.",
                1,
            )
        )
    # Lines of the vendor's export end with a comma, which makes one more, empty cell.
    names = (*_NAMES, *(f"empty_{position}" for position in range(first.count(b",") - 2)))
    try:
        start = int(first.split(b",")[0] or 0)
    except ValueError:
        start = 0
    per_second = next(factor for least, factor in _UNITS_PER_SECOND if start >= least)
    return PowerTrace(
        source=path.name,
        clock="host",
        chunks=partial(_chunks, path, names, start, per_second),
        stated_hz=STATED_HZ,
        start_s=start / per_second,
    )


def _chunks(path: Path, names: tuple[str, ...], start: int, per_second: float) -> Iterator[Chunk]:
    for table in csv_blocks(path, names, _TYPES, n_header_lines=1):
        # Whole microseconds are subtracted before they become seconds, so that no digit is lost.
        stamps = (table.column("stamp").to_numpy() - start).astype(np.float64) / per_second
        yield Chunk(stamps, table.column("current_ma").to_numpy() * table.column("voltage_v").to_numpy())


FORMAT = TraceFormat("monsoon", "Monsoon power monitor, CSV export", "analyser", _looks_like, _open)
