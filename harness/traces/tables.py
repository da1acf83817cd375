"""Tables of numbers as traces: a column of time, and columns whose product is a power or a counter of energy.

It knows no format; a format says which columns those are. A table of up to 64 MiB is checked when it is opened, and
read without its bad lines where it has at most 300,000 lines; in a larger one the first bad line ends the reading.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Unpack

import numpy as np
import pyarrow as pa

from harness.budget import LATEST_S, MOST_LOG_LINES
from harness.issues import quoted
from harness.traces.blocks import BLOCK_BYTES, csv_blocks, is_as_stored, is_at_most, opened, values_of
from harness.traces.columns import HEAD_BYTES, Row, TableColumns, first_rows
from harness.traces.counters import counter_power_mw
from harness.traces.logs import Log, TraceFacts, log_lines, log_text, peak_fault, refused
from harness.traces.stamps import late_fix
from harness.traces.trace import Chunk, PowerTrace, Reals, SampleKind, TraceFormatError

CHECKED_BYTES: Final = 1 << 26
"""Tables up to this size are checked when they are opened."""
_PIECES: Final = 16
_TOO_LARGE: Final = ("line-length", "file-size")
_MOST_STEPS: Final = 10_000
_YEAR_S: Final = 3.15576e7
_LOST_RANGE: Final = "Cut the log there, or read it by a layout that states the range of the counter."


def open_table(
    path: Path, columns: TableColumns, stated_hz: float | None = None, **facts: Unpack[TraceFacts]
) -> PowerTrace:
    """Trace of a table.

    Args:
        path: the file.
        columns: how its rows are read.
        stated_hz: sampling rate that the format states.
        facts: further attributes of the trace.

    Raises:
        TraceFormatError: the table has no sample, or a time is none in its unit.
    """
    first, step_s = _first_row(path, columns)
    kind: SampleKind = "instant" if columns.meaning == "instant" else "mean"
    known = TraceFacts(kind=kind, scale=first.scale, stamp_step_s=step_s)
    known.update(facts)
    if columns.per_second is None:
        return _line_by_line(path, columns, stated_hz, known)
    start = float(first.time)
    chunks = partial(_chunks, path, columns, start, columns.per_second)
    is_small = is_at_most(path, CHECKED_BYTES)
    try:
        peak = max(float(chunk.power_mw.max()) for chunk in chunks()) if is_small else _sampled_peak(path, columns)
    except TraceFormatError as error:
        if not is_small or error.fault.rule in _TOO_LARGE or _n_lines(path) > MOST_LOG_LINES:
            raise
        return _line_by_line(path, columns, stated_hz, known)
    unlikely = None if peak is None else peak_fault(peak, columns.peak_mw)
    faults = () if unlikely is None else (unlikely,)
    return PowerTrace(path.name, "device", chunks, stated_hz, start / columns.per_second, faults=faults, **known)


def _n_lines(path: Path) -> int:
    with opened(path) as file:
        return sum(data.count(b"\n") for data in iter(partial(file.read, BLOCK_BYTES), b""))


def _first_row(path: Path, columns: TableColumns) -> tuple[Row, float]:
    """First row, and the step in seconds in which the times of the first rows are written."""
    lines = first_rows(path, columns.n_header_lines)
    rows = [row for _, text in lines if (row := columns.row(text)) is not None]
    if not rows:
        if not lines:
            raise refused("no samples", "at least one", "Record the run again.")
        line, text = lines[0]
        raise refused(quoted(text.strip()), columns.expected, "Correct or delete the line.", line)
    per_second = columns.per_second
    if per_second is not None and abs(rows[0].time) / per_second > LATEST_S:
        years = rows[0].time / per_second / _YEAR_S
        found = f"{columns.time} = {rows[0].time:.17g}, which is {years:.4g} years"
        raise refused(found, "a time in the stated unit", late_fix(abs(rows[0].time)), rule="trace-time-unit")
    return rows[0], min(row.step_s for row in rows)


def _chunks(path: Path, columns: TableColumns, start: float, per_second: float) -> Iterator[Chunk]:
    """Samples, whatever a value means, as instants or as means since the stamp before."""
    read = _read(path, columns, start, per_second)
    if columns.meaning == "counter":
        return _differenced(read, columns.range_mj)
    return _closed(read) if columns.meaning == "mean-after" else read


def _read(path: Path, columns: TableColumns, start: float, per_second: float) -> Iterator[Chunk]:
    types = {name: pa.float64() for name in columns.wanted}
    n_before = 0
    for table in csv_blocks(
        path,
        columns.names,
        types,
        n_header_lines=columns.n_header_lines,
        separator=columns.separator,
        decimal=columns.decimal,
        clean=columns.clean,
    ):
        with np.errstate(over="ignore", invalid="ignore"):
            stamps = (values_of(table.column(columns.time)) - start) / per_second
            value = np.full(len(stamps), columns.factor)
            for name in columns.factors:
                value = value * values_of(table.column(name))
        good = (np.abs(stamps) <= LATEST_S) & np.isfinite(value)
        if not good.all():
            place = f"sample {n_before + int(np.flatnonzero(~good)[0]) + 1} without a time or a value"
            raise refused(place, "numbers in every row", "Delete the rows without numbers.")
        if len(stamps):
            yield Chunk(stamps, value)
        n_before += len(stamps)


def _differenced(chunks: Iterator[Chunk], range_mj: float | None) -> Iterator[Chunk]:
    """Mean power since the reading before, of a counter in mJ."""
    last: tuple[float, float] | None = None
    for chunk in chunks:
        stamps, energies = chunk.stamps_s, chunk.power_mw
        if last is not None:
            stamps, energies = np.concatenate([[last[0]], stamps]), np.concatenate([[last[1]], energies])
        power = _counter_power(stamps, energies, range_mj)
        yield Chunk(chunk.stamps_s, power if last is None else power[1:])
        last = float(stamps[-1]), float(energies[-1])


def _counter_power(stamps: Reals, energies: Reals, range_mj: float | None, lines: Sequence[int] | None = None) -> Reals:
    """Mean power of a counter; a fault has the line of its reading, where the lines are known."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            return counter_power_mw(stamps, energies, range_mj, None if lines is None else 0)
    except TraceFormatError as error:
        fault = error.fault
        line = None if lines is None or fault.line is None else lines[fault.line]
        fix = _LOST_RANGE if range_mj is None else fault.fix
        raise refused(fault.found, fault.expected, fix, line, fault.rule) from error


def _closed(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Means over the interval after a stamp, stamped at its end; the last interval is taken to be a median one."""
    held: tuple[float, float] | None = None
    step_s = 0.0
    for chunk in chunks:
        stamps, power = chunk.stamps_s, chunk.power_mw
        if not step_s and len(stamps) > 1:
            step_s = float(np.median(np.diff(stamps[:_MOST_STEPS])))
        before = [] if held is None else [held[1]]
        held = float(stamps[-1]), float(power[-1])
        ends = stamps[1 - len(before) :]
        if len(ends):
            yield Chunk(ends, np.concatenate([before, power[:-1]]))
    if held is not None:
        yield Chunk(np.array([held[0] + step_s]), np.array([held[1]]))


def _sampled_peak(path: Path, columns: TableColumns) -> float | None:
    """Highest power in mW in pieces of a large file, at the beginning of a compressed one; None of a counter."""
    if columns.meaning == "counter":
        return None
    n_pieces = _PIECES if is_as_stored(path) else 1
    peak = -np.inf
    with opened(path) as file:
        for place in np.linspace(0, path.stat().st_size - HEAD_BYTES, _PIECES).astype(np.int64)[:n_pieces]:
            if place:
                file.seek(int(place))
            lines = log_text(file.read(HEAD_BYTES)).split("\n")[1:-1]
            values = (columns.value(line) for line in lines)
            peak = max(peak, max((value for value in values if value is not None), default=-np.inf))
    return peak


def _line_by_line(path: Path, columns: TableColumns, stated_hz: float | None, facts: TraceFacts) -> PowerTrace:
    """Trace of a table without its bad lines."""
    log = Log(path.name, columns.peak_mw)
    lines: list[int] = []
    rows: list[Row] = []
    for line, text in log_lines(path)[columns.n_header_lines :]:
        row = columns.row(text) if text else None
        if row is not None:
            lines.append(line)
            rows.append(row.after(rows[-1].time) if rows else row)
        elif text:
            log.leave_out(line, quoted(text), columns.expected)
    if rows:
        per_second = columns.per_second or 1e6
        # Differences of whole microseconds lose no digit of an epoch.
        stamps = np.array([(row.time - rows[0].time) / per_second for row in rows])
        chunk = _meant(columns, Chunk(stamps, np.array([row.value for row in rows])), lines)
        for line, row, late_s, power in zip(lines, rows, chunk.stamps_s - stamps, chunk.power_mw, strict=True):
            late = float(late_s) * per_second
            time = row.time + (late if columns.per_second is not None else round(late))
            log.add(line, time, float(power), per_second)
    return log.trace(stated_hz, **facts)


def _meant(columns: TableColumns, chunk: Chunk, lines: Sequence[int]) -> Chunk:
    """All rows of a table as instants or as means since the stamp before."""
    if columns.meaning == "counter":
        return Chunk(chunk.stamps_s, _counter_power(chunk.stamps_s, chunk.power_mw, columns.range_mj, lines))
    if columns.meaning != "mean-after":
        return chunk
    parts = list(_closed(iter((chunk,))))
    return Chunk(np.concatenate([part.stamps_s for part in parts]), np.concatenate([part.power_mw for part in parts]))
