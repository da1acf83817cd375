"""Plain CSV traces whose header states the units, such as `time_s,power_mw`.

Units are taken from the header and never guessed; values that contradict them are a fault. Stamps are taken to be the
sampling clock's. A file of up to 64 MiB is checked when it is opened and read without its bad lines; in a larger one
the first bad line ends the reading.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from harness.issues import quoted
from harness.numbers import number
from harness.traces.blocks import csv_blocks
from harness.traces.format import TraceFormat, TraceOptions
from harness.traces.logs import LATEST_S, PEAK_MW, Log, log_lines, log_text, peak_fault, refuse_channel, refused
from harness.traces.trace import Chunk, PowerTrace, TraceFormatError

CHECKED_BYTES = 1 << 26
"""Files up to this size are checked when they are opened."""
_PER_SECOND = {"time_s": 1.0, "time_ms": 1e3, "time_us": 1e6, "time_ns": 1e9}
_POWERS = {"power_uw": 1e-3, "power_mw": 1.0, "power_w": 1e3}
_CURRENTS = {"current_ua": 1e-3, "current_ma": 1.0, "current_a": 1e3}
_VOLTAGES = {"voltage_mv": 1e-3, "voltage_v": 1.0}
_EXPECTED = "time_s (or _ms, _us, _ns) with power_mw (or _uw, _w), or with current_ma and voltage_v"
_FIX = "Head the columns with quantity and unit."
_PIECES, _PIECE_BYTES = 16, 1 << 16


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a row holds what: power is `factor` times the product of the columns `factors`."""

    names: tuple[str, ...]
    time: str
    factors: tuple[str, ...]
    factor: float

    @property
    def types(self) -> dict[str, pa.DataType]:
        return {name: pa.float64() for name in (self.time, *self.factors)}

    @property
    def per_second(self) -> float:
        return _PER_SECOND[self.time]

    @property
    def peak_mw(self) -> tuple[float, float]:
        """Bounds of the highest power; a header in the smallest unit admits power below 1 mW."""
        return (1e-6 if self.factor < 1 else PEAK_MW[0]), PEAK_MW[1]

    def sample(self, line: str) -> tuple[float, float] | None:
        """Time in the file's unit and power in mW of a line; None where it is no row of this layout."""
        cells = line.split(",")
        if len(cells) != len(self.names):
            return None
        time = number(cells[self.names.index(self.time)])
        power: float | None = self.factor
        for name in self.factors:
            value = number(cells[self.names.index(name)])
            power = None if power is None or value is None else power * value
        return None if time is None or power is None or not np.isfinite(power) else (time, power)


def _layout(header: str) -> _Layout | None:
    cells = [cell.strip().lower() for cell in header.split(",")]
    found = [[name for name in kind if cells.count(name)] for kind in (_PER_SECOND, _POWERS, _CURRENTS, _VOLTAGES)]
    times, powers, currents, voltages = found
    if len(times) != 1 or any(cells.count(name) > 1 for kind in found for name in kind):
        return None
    # Cells that are not wanted get names of their own, since some headers leave them empty.
    wanted = {name for kind in found for name in kind}
    names = tuple(cell if cell in wanted else f"other_{position}" for position, cell in enumerate(cells))
    if len(powers) == 1:
        return _Layout(names, times[0], (powers[0],), _POWERS[powers[0]])
    if not powers and len(currents) == 1 and len(voltages) == 1:
        factor = _CURRENTS[currents[0]] * _VOLTAGES[voltages[0]]
        return _Layout(names, times[0], (currents[0], voltages[0]), factor)
    return None


def _first_line(data: bytes) -> str:
    return log_text(data.split(b"\n", 1)[0]).strip()


def _looks_like(head: bytes) -> bool:
    return _layout(_first_line(head)) is not None


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    refuse_channel(options)
    with path.open("rb") as file:
        header = _first_line(file.readline(_PIECE_BYTES))
    layout = _layout(header)
    if layout is None:
        raise refused(quoted(header) or "an empty file", f"a header with {_EXPECTED}", _FIX, 1)
    is_small = path.stat().st_size <= CHECKED_BYTES
    try:
        start = _first_time(path, layout)
        chunks = partial(_chunks, path, layout, start)
        peak = max(float(chunk.power_mw.max()) for chunk in chunks()) if is_small else _sampled_peak(path, layout)
    except TraceFormatError:
        if not is_small:
            raise
        return _line_by_line(path, layout)
    unlikely = peak_fault(peak, layout.peak_mw)
    faults = () if unlikely is None else (unlikely,)
    return PowerTrace(path.name, "device", chunks, start_s=start / layout.per_second, faults=faults)


def _first_time(path: Path, layout: _Layout) -> float:
    with path.open("rb") as file:
        for line, raw in enumerate(file, start=1):
            if line == 1 or not raw.strip():
                continue
            sample = layout.sample(log_text(raw))
            if sample is None or abs(sample[0]) / layout.per_second > LATEST_S:
                raise refused(quoted(log_text(raw).strip()), "a row of numbers", "Correct or delete the line.", line)
            return sample[0]
    raise refused("no samples", "at least one sample", "Record the run again.")


def _chunks(path: Path, layout: _Layout, start: float) -> Iterator[Chunk]:
    n_before = 0
    for table in csv_blocks(path, layout.names, layout.types, n_header_lines=1):
        with np.errstate(over="ignore", invalid="ignore"):
            stamps = (table.column(layout.time).to_numpy() - start) / layout.per_second
            power = np.full(len(stamps), layout.factor)
            for name in layout.factors:
                power = power * table.column(name).to_numpy()
        good = (np.abs(stamps) <= LATEST_S) & np.isfinite(power)
        if not good.all():
            place = f"sample {n_before + int(np.flatnonzero(~good)[0]) + 1} without a time or a power"
            raise refused(place, "numbers in every row", "Delete the rows without numbers.")
        if len(stamps):
            yield Chunk(stamps, power)
        n_before += len(stamps)


def _sampled_peak(path: Path, layout: _Layout) -> float:
    """Highest power in mW in pieces spread over a large file."""
    peak = -np.inf
    with path.open("rb") as file:
        for place in np.linspace(0, path.stat().st_size - _PIECE_BYTES, _PIECES).astype(np.int64):
            file.seek(int(place))
            lines = log_text(file.read(_PIECE_BYTES)).split("\n")[1:-1]
            peak = max(peak, max((sample[1] for line in lines if (sample := layout.sample(line))), default=-np.inf))
    return peak


def _line_by_line(path: Path, layout: _Layout) -> PowerTrace:
    """Trace of a file with bad lines, without them."""
    log = Log(path.name, layout.peak_mw)
    expected = f"{len(layout.names)} cells, with numbers for {', '.join(layout.types)}"
    for line, text in log_lines(path)[1:]:
        sample = layout.sample(text)
        if sample is not None:
            log.add(line, *sample, per_second=layout.per_second)
        elif text:
            log.leave_out(line, quoted(text), expected)
    return log.trace()


FORMAT = TraceFormat("plain", "CSV with quantity and unit in the header", "analyser", "instant", _looks_like, _open)
