"""Windows from a digital channel of Nordic's Power Profiler: a window is a period in which the channel is high.

A period that began before the recording or did not end in it is no window. A level that the export marks as unknown
counts as low.
"""

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.traces.blocks import csv_blocks, values_of
from harness.traces.inference_reading import Reading
from harness.traces.ppk2_header import BITS, DIGITAL, MILLISECONDS, TIME
from harness.traces.trace import Reals, TraceFault, TraceFormatError

DEFAULT: Final = DIGITAL[0]
_NS_OF_MS: Final = 1e6
_LATEST_MS: Final = 9e12
_MOST_STEPS: Final = 10_000


def read_digital(path: Path, names: tuple[str, ...], reading: Reading) -> None:
    """Read the high periods of D0, or of the one channel that has any.

    Args:
        path: export with digital channels.
        names: its columns.
        reading: takes the windows.

    Raises:
        TraceFormatError: there are no digital channels, or it is not clear which of them marks inferences.
    """
    channels = DIGITAL if BITS in names else tuple(name for name in DIGITAL if name in names)
    if not channels:
        fix = "Export the digital channels too, or log start_us and end_us of every inference in a file of its own."
        expected = f"digital channels, {DIGITAL[0]} to {DIGITAL[-1]}"
        raise TraceFormatError(TraceFault("trace-format", ",".join(names), expected, fix, 1))
    chosen = DEFAULT if DEFAULT in channels else channels[0]
    periods = _periods(path, names, chosen, reading)
    if not len(periods):
        others = {name: high for name in channels if len(high := _periods(path, names, name, reading))}
        if len(others) != 1:
            shown = f"no high period of {chosen}" + (f", and some of {', '.join(others)}" if others else "")
            fix = f"Connect {DEFAULT} to a pin that is high during inferences, or log them in a file of their own."
            expected = "one channel that is high during inferences"
            raise TraceFormatError(TraceFault("trace-no-inference", shown, expected, fix))
        (periods,) = others.values()
    for start_ms, end_ms in periods:
        start_ns, end_ns = round(start_ms * _NS_OF_MS), round(end_ms * _NS_OF_MS)
        reading.add(start_ns, end_ns, (f"{start_ms:.10g} ms", f"{end_ms:.10g} ms"), None)


def _periods(path: Path, names: tuple[str, ...], channel: str, reading: Reading) -> Reals:
    """Start and end in ms of every high period of a channel, one row each."""
    column, place = (channel, 0) if channel in names else (BITS, DIGITAL.index(channel))
    edges: list[Reals] = []
    was_high: bool | None = None
    for table in csv_blocks(path, names, {TIME: pa.float64(), column: pa.string()}, n_header_lines=1):
        levels = pc.utf8_slice_codeunits(table.column(column), start=place, stop=place + 1)
        is_high = values_of(pc.equal(levels, "1").cast(pa.int8())) == 1
        times = values_of(table.column(TIME))
        if not (np.abs(times) <= _LATEST_MS).all():
            fault = TraceFault("trace-format", f"{TIME} without a time", "a time in every row", "Export again.")
            raise TraceFormatError(fault)
        if not len(times):
            continue
        if len(times) > 1:
            reading.step(TIME, float(np.median(np.diff(times[:_MOST_STEPS]))) / MILLISECONDS)
        before = np.concatenate([[is_high[0] if was_high is None else was_high], is_high[:-1]])
        is_edge = before != is_high
        # The first edge must rise; one that falls ends a period that began before the recording.
        edges.append(np.column_stack([times[is_edge], is_high[is_edge]]))
        was_high = bool(is_high[-1])
    all_edges = np.concatenate([np.empty((0, 2)), *edges])
    if len(all_edges) and not all_edges[0, 1]:
        all_edges = all_edges[1:]
    whole = all_edges[: len(all_edges) // 2 * 2, 0]
    return whole.reshape(-1, 2)
