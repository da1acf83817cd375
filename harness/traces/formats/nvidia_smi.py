"""Logs of nvidia-smi queries, `timestamp, power.draw [W]`, and tables with a column of watts for each GPU.

It never adds up GPUs unasked: where a log has several, a channel names one, or `total` the sum of the columns. Stamps
without a zone are local time and are taken as UTC; numbers are seconds since the epoch, or milli-, micro- or
nanoseconds where they are too large for that. A value without a unit is in the unit of its header, and in W where
the header states none, as nvidia-smi prints it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.issues import quoted
from harness.numbers import number
from harness.traces.channels import channel_error
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.logs import Log, log_lines, log_text, refused
from harness.traces.trace import PowerTrace

TOTAL = "total"
_PEAK_MW = (500.0, 5e6)
"""Highest power of one GPU, in mW."""
_MILLIWATTS = {"W": 1e3, "mW": 1.0}
_HEADER_CELL = re.compile(r"([\w.]+)(?: ?\[(\w+)\])?", re.ASCII)
_GPU = re.compile(r"gpu[ _]?\d+(?:_power)?", re.IGNORECASE | re.ASCII)
_QUERY = "power.draw"
_DEVICES = ("index", "uuid", "gpu_uuid", "pci.bus_id", "gpu_bus_id", "name", "gpu_name")
_STAMP = re.compile(r"(\d{4})[/-](\d\d)[/-](\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)?", re.ASCII)
_PER_SECOND = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3), (0.0, 1.0))


@dataclass(frozen=True, slots=True)
class _Header:
    """Columns of a log by position; `units` are as stated, None where a column states none."""

    n_cells: int
    stamp: int
    powers: dict[str, int]
    units: dict[str, str | None]
    device: int | None


def _header(text: str) -> _Header | None:
    cells = [_HEADER_CELL.fullmatch(cell.strip()) for cell in text.split(",")]
    columns = [(match[1], match[2]) if match else ("", None) for match in cells]
    names = [name for name, _ in columns]
    if names.count("timestamp") != 1:
        return None
    powers = {name: place for place, name in enumerate(names) if name.startswith(_QUERY)}
    powers = powers or {name: place for place, name in enumerate(names) if _GPU.fullmatch(name)}
    device = next((names.index(name) for name in _DEVICES if name in names), None)
    units = {name: columns[place][1] for name, place in powers.items()}
    return _Header(len(cells), names.index("timestamp"), powers, units, device) if powers else None


def _looks_like(head: bytes) -> bool:
    return _header(log_text(head).split("\n", 1)[0].strip()) is not None


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    lines = log_lines(path)
    header = _header(lines[0][1]) if lines else None
    if header is None:
        found = quoted(lines[0][1]) if lines else "an empty file"
        fix = "Log with nvidia-smi --query-gpu=timestamp,power.draw --format=csv."
        raise refused(found, "a header with timestamp and power.draw, or with timestamp and GPU0", fix, 1)
    for name, unit in header.units.items():
        if unit is not None and unit not in _MILLIWATTS:
            raise refused(f"{name} [{unit}]", "the unit W or mW", "State the unit of the values.", 1, "trace-unit")
    rows = [(line, text, [cell.strip() for cell in text.split(",")]) for line, text in lines[1:]]
    columns, device = _channel(header, [cells for _, _, cells in rows], options.channel)
    log = Log(path.name, (_PEAK_MW[0], _PEAK_MW[1] * len(columns)))
    for line, text, cells in rows:
        if len(cells) != header.n_cells or text == lines[0][1]:
            log.leave_out(line, quoted(text) or "a blank line", f"{header.n_cells} cells of a sample")
        elif device is None or (header.device is not None and cells[header.device] == device):
            _add(log, line, cells, header, columns)
    return log.trace()


def _channel(header: _Header, rows: Sequence[Sequence[str]], channel: str | None) -> tuple[list[str], str | None]:
    """Columns to add up, and the GPU whose rows are read; None where all rows are."""
    columns = list(header.powers)
    is_query = columns[0].startswith(_QUERY)
    place = header.device
    devices = [] if place is None else list(dict.fromkeys(row[place] for row in rows if len(row) == header.n_cells))
    devices = [device for device in devices if device and device != "[N/A]"]
    default = _QUERY if _QUERY in columns else columns[0]
    if is_query and len(devices) > 1:
        if channel in devices:
            return [default], channel
        raise channel_error(channel, devices)
    if channel is None and (len(columns) == 1 or _QUERY in columns):
        return [default], None
    if channel == TOTAL and not is_query:
        return columns, None
    if channel in columns or channel in devices:
        return [default if channel in devices else str(channel)], None
    raise channel_error(channel, [*columns, *devices] if is_query else [*columns, TOTAL])


def _add(log: Log, line: int, cells: Sequence[str], header: _Header, columns: Sequence[str]) -> None:
    """Add the sample of a row, or note why it has none."""
    total = 0.0
    for column in columns:
        cell, stated = cells[header.powers[column]], header.units[column]
        value, _, unit = cell.partition(" ")
        power = number(value)
        if power is None or (unit and unit not in _MILLIWATTS):
            log.leave_out(line, f"{column} = {quoted(cell)}", "a power in W or mW")
            return
        if unit and stated and unit != stated:
            log.leave_out(line, f"{column} = {quoted(cell)}", f"{stated}, as the header states", "trace-unit")
            return
        total += power * _MILLIWATTS[unit or stated or "W"]
    stamp = _stamp_us(cells[header.stamp])
    if stamp is None:
        expected = "YYYY/MM/DD HH:MM:SS.mmm or seconds since the epoch"
        log.leave_out(line, f"timestamp = {quoted(cells[header.stamp])}", expected)
    else:
        log.add(line, stamp, total, per_second=1e6)


def _stamp_us(cell: str) -> int | None:
    """Microseconds since the epoch; None where a cell holds no time."""
    if match := _STAMP.fullmatch(cell):
        year, month, day, hour, minute, second = map(int, match.groups()[:6])
        try:
            moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            return None
        return int(moment.timestamp()) * 1_000_000 + int((match[7] or "").ljust(6, "0"))
    value = number(cell)
    if value is None:
        return None
    per_second = next(factor for least, factor in _PER_SECOND if abs(value) >= least)
    return round(value * (1e6 / per_second))


FORMAT = TraceFormat(
    "nvidia-smi",
    "nvidia-smi queries, CSV log",
    "rail",
    "instant",
    _looks_like,
    _open,
    RunSource("runs with nvidia-smi logs, a folder", "nvidia-smi", (".csv", ".log", ".txt")),
)
