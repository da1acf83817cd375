"""Monsoon exports: current and voltage at about 5 kHz, by PyMonsoon and other scripts, or by PowerTool.

PyMonsoon heads its stamps `Time(ms)` whatever their unit is. Stamps as large as an epoch are one; others have the unit
in which the meter's 5 kHz come out. A bad line ends the reading; the first rows are checked when a file is opened.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial, reduce
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from harness.issues import quoted
from harness.numbers import decimal_of, number
from harness.traces.agreement import product_fault
from harness.traces.blocks import csv_blocks, opened, values_of
from harness.traces.channels import chosen_channels
from harness.traces.columns import TableColumns, refuse_voltage, supply_voltage
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.logs import PEAK_MW, log_text, peak_fault, refused
from harness.traces.meter_ranges import MONSOON
from harness.traces.monsoon_clock import timing_of
from harness.traces.trace import Chunk, PowerTrace, Reals, TraceFault

_MAIN: Final = "Main"
_OF_POWERTOOL: Final = "Time (s)"
_TIMES: Final = {_OF_POWERTOOL: "s", "Time(ms)": "ms", "Time(s)": "s", "Time(us)": "us"}
"""Header of the time by PowerTool, by PyMonsoon and by scripts that mend it, and the unit that it states."""
_COLUMN: Final = re.compile(r"(Main|USB|Aux)(?: Voltage|(?: Avg)? (?:Current|Voltage|Power) )?\((mA|V|mW)\)", re.ASCII)
_EXPECTED: Final = (
    "a header with Time(ms), Main(mA) and Main Voltage(V), or Time (s), Main Avg Current (mA) and Main Avg Voltage (V)"
)
_HEAD_BYTES: Final = 1 << 18
_WHOLE: Final = Decimal(1)
_MOST_DIGITS: Final = 18
_WRAPPER: Final = re.compile(rb"(?:np|numpy)\.\w+\(|[)\"]")
"""What some versions of NumPy and of spreadsheets write around a number, as in np.float64(4.0)."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Cells of a header, and the columns of each channel by their unit: mA, V or mW."""

    cells: tuple[str, ...]
    time: str
    channels: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class _Reading:
    """How rows become samples: the power is a sum of terms, each a factor times a product of columns."""

    names: tuple[str, ...]
    time: str
    is_whole: bool
    terms: tuple[tuple[float, tuple[str, ...]], ...]
    is_wrapped: bool

    @property
    def types(self) -> dict[str, pa.DataType]:
        """Arrow types of the columns that are read."""
        return {self.time: pa.int64() if self.is_whole else pa.float64(), **dict.fromkeys(self.factors, pa.float64())}

    @property
    def factors(self) -> tuple[str, ...]:
        """Columns that the power is made of."""
        return tuple(dict.fromkeys(name for _, columns in self.terms for name in columns))

    def power_mw(self, values: Mapping[str, Reals]) -> Reals:
        """Power in mW of rows, of the values of their columns; not finite where they hold none."""
        with np.errstate(over="ignore", invalid="ignore"):
            products = (_product(factor, *(values[name] for name in columns)) for factor, columns in self.terms)
            return reduce(np.add, products)


def _layout(header: str) -> _Layout | None:
    """Layout of a header; None where it is none of a Monsoon."""
    # Lines of PyMonsoon end with a comma.
    cells = tuple(cell.strip().strip('"') for cell in header.strip().rstrip(",").split(","))
    times = [cell for cell in cells if cell in _TIMES]
    channels: dict[str, dict[str, str]] = {}
    for cell in cells:
        if (match := _COLUMN.fullmatch(cell)) and cells.count(cell) == 1:
            channels.setdefault(match[1], {})[match[2]] = cell
    channels = {name: columns for name, columns in channels.items() if columns.keys() & {"mA", "mW"}}
    return _Layout(cells, times[0], channels) if channels and len(times) == 1 else None


def _looks_like(head: bytes) -> bool:
    return _layout(log_text(head.split(b"\n", 1)[0])) is not None


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    with opened(path) as file:
        head = file.read(_HEAD_BYTES)
    header, *rows = head.split(b"\n")
    layout = _layout(log_text(header))
    if layout is None:
        found = quoted(log_text(header[:80]).strip()) or "an empty file"
        raise refused(found, _EXPECTED, "Keep the header that PyMonsoon or PowerTool wrote.", 1)
    default = [_MAIN] if _MAIN in layout.channels else list(layout.channels) if len(layout.channels) == 1 else []
    channels = chosen_channels(options.channel, list(layout.channels), default)
    is_wrapped = _WRAPPER.search(head, len(header)) is not None
    # The last row may be cut off.
    kept = rows if len(head) < _HEAD_BYTES else rows[:-1]
    texts = log_text(_clean(b"\n".join(kept))).split("\n")
    lines = {line: text for line, (row, text) in enumerate(zip(kept, texts, strict=False), start=2) if row.strip()}
    if not lines:
        raise refused("no samples", "at least one", "Record the run again.")
    names = _names(layout, next(iter(lines.values())).count(",") + 1)
    cells = [row.split(",") for row in lines.values()]
    stamps = _stamps(cells, names.index(layout.time), next(iter(lines)))
    timing = timing_of(stamps, _TIMES[layout.time], is_certain=layout.time == _OF_POWERTOOL)
    is_whole = all(stamp.same_quantum(_WHOLE) for stamp in stamps)
    start = int(stamps[0]) if is_whole else float(stamps[0])
    reading = _Reading(names, layout.time, is_whole, _terms(layout, channels, options), is_wrapped)
    stated = [layout.channels[channel] for channel in channels]
    return PowerTrace(
        source=path.name,
        clock=timing.clock,
        chunks=partial(_chunks, path, reading, start, timing.per_second),
        stated_hz=timing.stated_hz,
        start_s=start / timing.per_second + timing.late_s,
        scale=timing.scale,
        stamp_step_s=timing.step_s,
        rails=tuple(channels),
        faults=_faults(path, reading, stated, cells),
    )


def _names(layout: _Layout, n_cells: int) -> tuple[str, ...]:
    """Name of every cell of a row, which may have one more than the header."""
    known = {layout.time, *(name for columns in layout.channels.values() for name in columns.values())}
    cells = [*layout.cells, *[""] * (n_cells - len(layout.cells))]
    return tuple(cell if cell in known else f"other_{position}" for position, cell in enumerate(cells))


def _stamps(rows: Sequence[Sequence[str]], place: int, first_line: int) -> list[Decimal]:
    """Stamps of the first rows; a later row without one is found when it is read."""
    stamps = [decimal_of(cells[place]) if place < len(cells) else None for cells in rows]
    first = stamps[0]
    if first is None or first.adjusted() >= _MOST_DIGITS:
        found = rows[0][place].strip() if place < len(rows[0]) else ",".join(rows[0])
        expected = "a number of seconds, milli- or microseconds"
        raise refused(f"the stamp {quoted(found)}", expected, "Export the trace again.", first_line)
    return [stamp for stamp in stamps if stamp is not None and stamp.adjusted() < _MOST_DIGITS]


def _terms(
    layout: _Layout, channels: Sequence[str], options: TraceOptions
) -> tuple[tuple[float, tuple[str, ...]], ...]:
    """Terms of the power of the channels; the meter's own power is taken where it has one."""
    terms: list[tuple[float, tuple[str, ...]]] = []
    needs_voltage = False
    for channel in channels:
        columns = layout.channels[channel]
        if "mW" in columns:
            terms.append((1.0, (columns["mW"],)))
        elif "V" in columns:
            terms.append((1.0, (columns["mA"], columns["V"])))
        else:
            needs_voltage = True
            terms.append((supply_voltage(options, columns["mA"]), (columns["mA"],)))
    if not needs_voltage:
        refuse_voltage(options)
    return tuple(terms)


def _faults(
    path: Path, reading: _Reading, channels: Sequence[dict[str, str]], rows: Sequence[Sequence[str]]
) -> tuple[TraceFault, ...]:
    """Findings of the first rows: a power that is none, or one that is not current times voltage."""
    whole = [cells for cells in rows if len(cells) == len(reading.names)]
    wanted = {*reading.factors}.union(columns["V"] for columns in channels if "V" in columns)
    values = {name: _numbers(whole, reading.names.index(name)) for name in wanted}
    voltages = [values[columns["V"]] if "V" in columns else np.empty(0) for columns in channels]
    highest_mw = sum(MONSOON.highest_mw(each[np.isfinite(each)].tolist()) for each in voltages)
    powers = reading.power_mw(values)
    peak_mw = float(powers[np.isfinite(powers)].max(initial=-np.inf))
    found = [peak_fault(peak_mw, (PEAK_MW[0], highest_mw))]
    for columns in channels:
        if columns.keys() == {"mA", "V", "mW"}:
            product = TableColumns(
                reading.names, reading.time, 1.0, (columns["mA"], columns["V"]), 1.0, has_quotes=True
            )
            found.append(product_fault(path, product, columns["mW"], 1.0))
    return tuple(fault for fault in found if fault is not None)


def _numbers(rows: Sequence[Sequence[str]], place: int) -> Reals:
    """Column of rows; NaN where it holds no number."""
    values = (number(cells[place]) for cells in rows)
    return np.array([math.nan if value is None else value for value in values])


def _clean(data: bytes) -> bytes:
    """Rows without what stands around numbers."""
    return _WRAPPER.sub(b"", data)


def _chunks(path: Path, reading: _Reading, start: float, per_second: float) -> Iterator[Chunk]:
    n_before = 0
    clean = _clean if reading.is_wrapped else None
    for table in csv_blocks(path, reading.names, reading.types, n_header_lines=1, clean=clean):
        # Whole microseconds are subtracted before they become seconds, so that no digit is lost.
        values = {name: values_of(table.column(name)) for name in reading.types}
        stamps = (values[reading.time] - start).astype(np.float64, copy=False)
        stamps /= per_second
        with np.errstate(over="ignore", invalid="ignore"):
            power = reading.power_mw(values)
            # Only a value that is not finite makes the sum so, or values that a look at each then finds finite.
            is_suspect = not np.isfinite(stamps.sum() + power.sum())
        bad = np.flatnonzero(~(np.isfinite(stamps) & np.isfinite(power)) if is_suspect else [])
        if len(bad):
            place = f"sample {n_before + int(bad[0]) + 1} without a stamp or a power"
            raise refused(place, "numbers in every row", "Delete the rows without numbers.")
        n_before += len(stamps)
        if len(stamps):
            yield Chunk(stamps, power)


def _product(factor: float, first: Reals, *others: Reals) -> Reals:
    return reduce(np.multiply, others, first if factor == 1 else first * factor)


FORMAT = TraceFormat(
    "monsoon",
    "Monsoon power monitor, export of PyMonsoon or PowerTool",
    "analyser",
    "instant",
    _looks_like,
    _open,
    RunSource("runs with Monsoon power traces, a folder", "Monsoon power monitor", ("_power.csv",)),
)
