"""Logs of nvidia-smi queries, `timestamp, power.draw [W]`, and tables with a column of watts for each GPU.

It never adds up GPUs unasked: where a log has several, a channel names one, perhaps with a column, as in
`0:power.draw.average`, or `total` is the sum of the columns of a table. The power is that of the graphics board alone,
without its host. Stamps without a zone are local time. A value without a unit is in the unit of its header, and in W
where the header states none, as nvidia-smi prints it. A log without a header is read where one cell of a row has a
power with its unit, and is otherwise refused, because its columns are not known.

By the documentation of nvidia-smi and of `nvmlDeviceGetPowerUsage`, `power.draw.average` is the mean of the last second
and `power.draw.instant` an instant; `power.draw` is the mean on Ampere and newer GPUs except GA100, and an instant on
GA100 and older ones. The column `name` says which. Without it `power.draw` is taken as the mean, unless the log itself
has a step that a mean over a second cannot make. Means are stamped at the middle of their second.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from harness.issues import quoted
from harness.numbers import number
from harness.traces.channels import channel_error, chosen_channels
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.logs import Log, log_lines, log_text, refused
from harness.traces.stamps import Stamp, any_stamp, zone_of
from harness.traces.trace import PowerTrace, TraceFault, TraceOptionError

TOTAL = "total"
_PEAK_MW = (500.0, 5e6)
"""Highest power of one GPU, in mW."""
_MILLIWATTS = {"W": 1e3, "mW": 1.0}
_HEADER_CELL = re.compile(r"([\w.]+)(?: ?\[(\w+)\])?", re.ASCII)
_GPU = re.compile(r"gpu[ _]?\d+(?:_power)?", re.IGNORECASE | re.ASCII)
_QUERY = "power.draw"
_AVERAGE, _INSTANT = "power.draw.average", "power.draw.instant"
_READINGS = (_QUERY, _INSTANT, _AVERAGE)
_NAMES = ("name", "gpu_name")
_DEVICES = ("index", "uuid", "gpu_uuid", "pci.bus_id", "gpu_bus_id", *_NAMES)
_NO_POWER = re.compile(r"\[?(?:N/A|Not Supported|Unknown Error|GPU is lost|No devices were found)\]?", re.IGNORECASE)
_STAMP = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{3}", re.ASCII)
_POWER_CELL = re.compile(r"\d+(?:\.\d+)? m?W", re.ASCII)
_MOST_BARE = 3
_CLOSE, _MOST = 0.25, 0.9
_MOST_GPUS = 16
_AVERAGING_S = 1.0
_ANSWERS_AT_ONCE = re.compile(
    r"\b(?:A100|A800|A30|V100S?|T4G?|T1000|T[46]00|T1200|P\d{1,4}|K\d{2,4}|M\d{1,4}|GTX|TITAN|MX\d+|RTX 20\d\d|"
    r"RTX [34568]000|Quadro|Tesla)\b(?! (?:SFF )?(?:Ada|Blackwell))",
    re.IGNORECASE,
)
"""Names of GPUs with GA100, or older than Ampere."""
_FAST_STEP_S = 0.35
_FAST_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class _Header:
    """Columns of a log by position; `units` are as stated, None where a column states none."""

    n_cells: int
    stamp: int
    powers: dict[str, int]
    units: dict[str, str | None]
    device: int | None
    name: int | None


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: list[str]


def _header(text: str) -> _Header | None:
    cells = [_HEADER_CELL.fullmatch(cell.strip()) for cell in text.split(",")]
    columns = [(match[1], match[2]) if match else ("", None) for match in cells]
    names = [name for name, _ in columns]
    if names.count("timestamp") != 1:
        return None
    powers = {name: place for place, name in enumerate(names) if name in _READINGS}
    powers = powers or {name: place for place, name in enumerate(names) if _GPU.fullmatch(name)}
    device, name = (next((names.index(one) for one in known if one in names), None) for known in (_DEVICES, _NAMES))
    units = {power: columns[place][1] for power, place in powers.items()}
    return _Header(len(cells), names.index("timestamp"), powers, units, device, name) if powers else None


def _bare_cells(text: str) -> list[str] | None:
    """Cells of a row of a log without a header; None where the line is none."""
    cells = [cell.strip() for cell in text.split(",")]
    is_row = len(cells) > 1 and any(_STAMP.fullmatch(cell) for cell in cells)
    return cells if is_row and any(number(cell.partition(" ")[0]) is not None for cell in cells) else None


def _bare_header(text: str) -> _Header | None:
    """Columns of a log without a header, by the only power in W of its first row; None where it has a header.

    Raises:
        TraceFormatError: it has none, and it is not known which cell is the power.
    """
    cells = _bare_cells(text)
    if cells is None:
        return None
    powers = [place for place, cell in enumerate(cells) if _POWER_CELL.fullmatch(cell)]
    if len(powers) != 1 or len(cells) > _MOST_BARE:
        fix = "Write the names of the query above the first line, in their order, such as: timestamp, power.draw [W]"
        raise refused(quoted(text), "a header, or one power with its unit", fix, 1)
    stamp = next(place for place, cell in enumerate(cells) if _STAMP.fullmatch(cell))
    device = next((place for place in range(len(cells)) if place not in (stamp, powers[0])), None)
    return _Header(len(cells), stamp, {_QUERY: powers[0]}, {_QUERY: None}, device, None)


def _looks_like(head: bytes) -> bool:
    first = log_text(head).split("\n", 1)[0].strip()
    return _header(first) is not None or _bare_cells(first) is not None


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    lines = log_lines(path)
    named = _header(lines[0][1]) if lines else None
    header = named or (_bare_header(lines[0][1]) if lines else None)
    if header is None:
        found = quoted(lines[0][1]) if lines else "an empty file"
        fix = "Log with nvidia-smi --query-gpu=timestamp,power.draw --format=csv."
        raise refused(found, "a header with timestamp and power.draw, or with timestamp and GPU0", fix, 1)
    for name, unit in header.units.items():
        if unit is not None and unit not in _MILLIWATTS:
            raise refused(f"{name} [{unit}]", "the unit W or mW", "State the unit of the values.", 1, "trace-unit")
    # Logs that were appended to repeat their header.
    kept = lines if named is None else [(line, text) for line, text in lines if text != lines[0][1]]
    rows = [_Row(line, [cell.strip() for cell in text.split(",")]) for line, text in kept]
    columns, device = _channel(header, [row.cells for row in rows], options.channel)
    log = Log(path.name, (_PEAK_MW[0], _PEAK_MW[1] * len(columns)))
    samples = _samples(log, [row for row in rows if _is_of(row, header, device)], header, columns, options)
    if header.device is None:
        _refuse_groups([stamp.us for _, stamp, _ in samples])
    averaging_s = _averaging_s(header, columns, rows, samples)
    for line, stamp, power in samples:
        log.add_at(line, replace(stamp, us=stamp.us - round(averaging_s / 2 * 1e6)), power)
    log.space_evenly()
    return log.trace(averaging_s=averaging_s, boundary="board", rails=tuple(columns))


def _is_of(row: _Row, header: _Header, device: str | None) -> bool:
    """Whether a row is one of the GPU, or cut."""
    is_cut = len(row.cells) != header.n_cells
    return is_cut or device is None or header.device is None or row.cells[header.device] == device


def _refuse_groups(stamps_us: Sequence[int]) -> None:
    """Refuse rows that come in groups, as where several GPUs answer each query and no column says which.

    Raises:
        TraceFormatError: rows come in groups.
    """
    steps = np.diff(stamps_us)
    for n in range(2, _MOST_GPUS + 1):
        groups = steps[: len(steps) // n * n].reshape(-1, n)
        if len(groups) < n:
            return
        within, between = groups[:, :-1], groups[:, -1]
        if np.quantile(within, _MOST) < _CLOSE * np.quantile(between, 1 - _MOST):
            found = f"rows in groups of {n} with almost the same time, without a column of GPUs"
            fix = "Query the index as well, --query-gpu=timestamp,index,power.draw, or one GPU with --id=0."
            raise refused(found, "the rows of one GPU, or a column that names it", fix, rule="trace-channel")


def _samples(
    log: Log, rows: Sequence[_Row], header: _Header, columns: Sequence[str], options: TraceOptions
) -> list[tuple[int, Stamp, float]]:
    """Line, time and power in mW of every row that has both; the others are noted."""
    zone = zone_of(options.timezone)
    samples: list[tuple[int, Stamp, float]] = []
    n_without = 0
    for row in rows:
        if len(row.cells) != header.n_cells:
            log.leave_out(
                row.line, quoted(",".join(row.cells)) or "a blank line", f"{header.n_cells} cells of a sample"
            )
            continue
        if any(_NO_POWER.fullmatch(row.cells[header.powers[column]]) for column in columns):
            n_without += 1
            continue
        power = _power(log, row, header, columns)
        stamp = any_stamp(row.cells[header.stamp], zone)
        if stamp is None:
            expected = "YYYY/MM/DD HH:MM:SS.mmm or seconds since the epoch"
            log.leave_out(row.line, f"timestamp = {quoted(row.cells[header.stamp])}", expected)
        elif power is not None:
            samples.append((row.line, stamp, power))
    if n_without:
        _note_missing(log, n_without, bool(samples), columns)
    return samples


def _note_missing(log: Log, n_without: int, has_others: bool, columns: Sequence[str]) -> None:
    """Note rows for which the driver had no power."""
    found = f"{n_without} {'row' if n_without == 1 else 'rows'} whose {columns[0]} is [N/A] or not supported"
    fix = "The other rows are read." if has_others else "Query power.draw.instant, or use a GPU that reports its power."
    rule = "trace-gap" if has_others else "trace-format"
    log.note(TraceFault(rule, found, "a power in every row", fix))


def _averaging_s(
    header: _Header, columns: Sequence[str], rows: Sequence[_Row], samples: Sequence[tuple[int, Stamp, float]]
) -> float:
    """Seconds over which the driver averages the values of a column."""
    if columns[0] not in (_QUERY, _AVERAGE):
        return 0.0
    if columns[0] == _AVERAGE:
        return _AVERAGING_S
    if header.name is not None:
        names = {row.cells[header.name] for row in rows if len(row.cells) == header.n_cells}
        return 0.0 if all(_ANSWERS_AT_ONCE.search(name) for name in names) else _AVERAGING_S
    return 0.0 if _has_fast_step([(stamp.us / 1e6, power) for _, stamp, power in samples]) else _AVERAGING_S


def _has_fast_step(samples: Sequence[tuple[float, float]]) -> bool:
    """Whether power goes most of its way from one row to the next, sooner than a mean over a second can."""
    powers = [power for _, power in samples]
    span = max(powers, default=0.0) - min(powers, default=0.0)
    return any(
        0 <= after[0] - before[0] <= _FAST_STEP_S and abs(after[1] - before[1]) > _FAST_SHARE * span
        for before, after in pairwise(samples)
    )


def _channel(header: _Header, rows: Sequence[Sequence[str]], channel: str | None) -> tuple[list[str], str | None]:
    """Columns to add up, and the GPU whose rows are read; None where all rows are."""
    columns = list(header.powers)
    is_query = columns[0] in _READINGS
    place = header.device
    devices = [] if place is None else list(dict.fromkeys(row[place] for row in rows if len(row) == header.n_cells))
    devices = [device for device in devices if device and not _NO_POWER.fullmatch(device)]
    default = next((known for known in (_INSTANT, _QUERY, _AVERAGE) if known in columns), columns[0])
    if is_query and len(devices) > 1:
        if channel in devices:
            return [default], channel
        device, _, column = (channel or "").rpartition(":")
        if device in devices and column in columns:
            return [column], device
        fault = channel_error(channel, devices).fault
        raise TraceOptionError(replace(fault, fix="Name the GPU whose power is to be read; GPUs are not added up."))
    if not is_query:
        chosen = chosen_channels(channel, [*columns, TOTAL], columns if len(columns) == 1 else [])
        return (columns if TOTAL in chosen else chosen), None
    if channel is None or channel in devices:
        return [default], None
    if channel in columns:
        return [channel], None
    raise channel_error(channel, [*columns, *devices])


def _power(log: Log, row: _Row, header: _Header, columns: Sequence[str]) -> float | None:
    """Power of a row in mW; None, and a note, where it has none."""
    total = 0.0
    for column in columns:
        cell, stated = row.cells[header.powers[column]], header.units[column]
        value, _, unit = cell.partition(" ")
        power = number(value)
        if power is None or (unit and unit not in _MILLIWATTS):
            log.leave_out(row.line, f"{column} = {quoted(cell)}", "a power in W or mW")
            return None
        if unit and stated and unit != stated:
            log.leave_out(row.line, f"{column} = {quoted(cell)}", f"{stated}, as the header states", "trace-unit")
            return None
        total += power * _MILLIWATTS[unit or stated or "W"]
    return total


FORMAT = TraceFormat(
    "nvidia-smi",
    "nvidia-smi queries, CSV log",
    "rail",
    "instant",
    _looks_like,
    _open,
    RunSource("runs with nvidia-smi logs, a folder", "nvidia-smi", (".csv", ".log", ".txt")),
)
