"""Monsoon HVPM exports: current and voltage at about 5 kHz, stamped by the host as bursts arrive.

It does not correct the stamps, and a bad line ends the reading; the first row is checked when a file is opened.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from harness.issues import quoted
from harness.numbers import number
from harness.traces.blocks import csv_blocks
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.logs import log_text, peak_fault, refuse_channel, refused
from harness.traces.trace import Chunk, PowerTrace

STATED_HZ = 5000.0
_NAMES = ("stamp", "current_ma", "voltage_v")
_TYPES = {"stamp": pa.int64(), "current_ma": pa.float64(), "voltage_v": pa.float64()}
_UNITS_PER_SECOND = ((1e14, 1e6), (1e11, 1e3), (0.0, 1.0))
"""Epochs of this century are above these many micro-, milli- and seconds; the header states ms for all of them."""
_MOST_DIGITS = 18
_HEAD_BYTES = 1 << 16


def _looks_like(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").startswith(b"Time(ms),Main(mA),Main Voltage(V)")


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    refuse_channel(options)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    header, *rows = head.split(b"\n")
    if not _looks_like(header):
        found = quoted(log_text(header[:80]).strip()) or "an empty file"
        fix = "Export main current and voltage from the Monsoon software."
        raise refused(found, "the header Time(ms),Main(mA),Main Voltage(V)", fix, 1)
    line, first = next(((line, row) for line, row in enumerate(rows, start=2) if row.strip()), (2, b""))
    if not first:
        raise refused("no samples", "at least one", "Record the run again.")
    stamp = first.split(b",")[0].strip()
    if not stamp.isdigit() or len(stamp) > _MOST_DIGITS:
        expected = "a whole number of micro-, milli- or seconds since the epoch"
        raise refused(f"the stamp {quoted(log_text(stamp))}", expected, "Export the trace again.", line)
    start = int(stamp)
    per_second = next(factor for least, factor in _UNITS_PER_SECOND if start >= least)
    # Lines of the vendor's export end with a comma, which makes one more, empty cell.
    names = (*_NAMES, *(f"empty_{position}" for position in range(first.count(b",") - 2)))
    unlikely = peak_fault(_peak_mw(rows))
    return PowerTrace(
        source=path.name,
        clock="host",
        chunks=partial(_chunks, path, names, start, per_second),
        stated_hz=STATED_HZ,
        start_s=start / per_second,
        faults=() if unlikely is None else (unlikely,),
    )


def _peak_mw(rows: list[bytes]) -> float:
    """Highest power in mW of the first rows, the last of which may be cut off."""
    peak = -np.inf
    for row in rows[:-1] or rows:
        cells = [number(cell) for cell in log_text(row).split(",")[1:3]]
        if len(cells) == 2 and cells[0] is not None and cells[1] is not None:
            peak = max(peak, cells[0] * cells[1])
    return peak


def _chunks(path: Path, names: tuple[str, ...], start: int, per_second: float) -> Iterator[Chunk]:
    n_before = 0
    for table in csv_blocks(path, names, _TYPES, n_header_lines=1):
        # Whole microseconds are subtracted before they become seconds, so that no digit is lost.
        stamps = (table.column("stamp").to_numpy() - start).astype(np.float64) / per_second
        with np.errstate(over="ignore", invalid="ignore"):
            power = table.column("current_ma").to_numpy() * table.column("voltage_v").to_numpy()
        bad = np.flatnonzero(~(np.isfinite(stamps) & np.isfinite(power)))
        if len(bad):
            place = f"sample {n_before + int(bad[0]) + 1} without a stamp or a power"
            raise refused(place, "numbers in every row", "Delete the rows without numbers.")
        n_before += len(stamps)
        yield Chunk(stamps, power)


FORMAT = TraceFormat(
    "monsoon",
    "Monsoon power monitor, CSV export",
    "analyser",
    "instant",
    _looks_like,
    _open,
    RunSource("runs with Monsoon power traces, a folder", "Monsoon power monitor", ("_power.csv",)),
)
