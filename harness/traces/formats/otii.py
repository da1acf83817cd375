"""CSV exports of Otii by Qoitech: one file for each channel, or one table of several.

A file of a channel has the columns `Timestamp` and `Value` in SI units, and its name says which channel it is: `Main
power - Arc.csv`. It is read alone: a power as it is, a current at a stated voltage. A table has a time and columns such
as `Arc Main Current (A)`; an energy counts from the start. A value holds until the next one.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from harness.issues import quoted
from harness.schema.facts import Meaning
from harness.traces.agreement import energy_fault
from harness.traces.channels import chosen_channels
from harness.traces.columns import TableColumns, first_line_of, refuse_voltage, supply_voltage
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.logs import log_text, refused
from harness.traces.meter_ranges import OTII, within_range
from harness.traces.stamps import zone_of
from harness.traces.tables import open_table
from harness.traces.trace import PowerTrace, TraceFault, TraceOptionError

_ONE: Final = ("Timestamp", "Value")
_POWER: Final = "power"
_CURRENT: Final = "current"
_TIMES: Final = ("timestamp (s)", "relative time (s)", "wall-clock time (utc)")
_WALL_CLOCK: Final = _TIMES[-1]
_COLUMN: Final = re.compile(r"(.+) (Current|Voltage|Power|Energy) \((A|V|W|J)\)", re.ASCII)
_FILE: Final = re.compile(r"(main|adc) (current|voltage|power)\b", re.ASCII | re.IGNORECASE)
_MILLI: Final = 1e3


def _cells(header: str) -> tuple[str, ...]:
    return tuple(cell.strip().strip('"').strip() for cell in header.split(","))


def _channels(cells: Sequence[str]) -> dict[str, dict[str, str]]:
    """Columns of a table by channel, such as `Arc Main`, and unit; empty where it is none of Otii."""
    if len(set(cells)) < len(cells) or cells[0].lower() not in _TIMES:
        return {}
    channels: dict[str, dict[str, str]] = {}
    for cell in cells[1:]:
        if match := _COLUMN.fullmatch(cell):
            channels.setdefault(match[1], {})[match[3]] = cell
    return {name: columns for name, columns in channels.items() if columns.keys() & {"A", "W", "J"}}


def _looks_like(head: bytes) -> bool:
    cells = _cells(log_text(head.split(b"\n", 1)[0]).strip())
    return cells == _ONE or bool(_channels(cells))


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    cells = _cells(first_line_of(path))
    if cells == _ONE:
        return _open_channel(path, options)
    channels = _channels(cells)
    if not channels:
        found = quoted(",".join(cells)) or "an empty file"
        expected = "the header Timestamp,Value, or a time with columns such as Arc Main Current (A)"
        raise refused(found, expected, "Export the recording from Otii as CSV.", 1)
    mains = [name for name in channels if name.split()[-1] == "Main"]
    default = mains if len(mains) == 1 else list(channels) if len(channels) == 1 else []
    chosen = chosen_channels(options.channel, list(channels), default)
    if len(chosen) > 1:
        found, fix = f"channels {quoted(options.channel)}", "Name one channel, and reduce each alone."
        raise TraceOptionError(TraceFault("trace-channel", found, "one channel of Otii", fix))
    return _open_merged(path, cells, channels[chosen[0]], chosen[0], options)


def _open_channel(path: Path, options: TraceOptions) -> PowerTrace:
    """Trace of a file of one channel, named by the file or by the options."""
    match = _FILE.match(options.channel if options.channel is not None else path.name)
    quantity = match[2].lower() if match else None
    if quantity == _POWER:
        refuse_voltage(options)
        factor = _MILLI
    elif quantity == _CURRENT:
        factor = _MILLI * supply_voltage(options, "a current of Otii")
    else:
        found = f"channel {quoted(options.channel)}" if options.channel is not None else f"the file name {path.name}"
        fix = "Export Main power, or Main current and give --voltage; name the channel where the file does not."
        expected = "a name that begins with Main power or Main current, since the file itself states no unit"
        raise TraceOptionError(TraceFault("trace-channel", found, expected, fix))
    columns = TableColumns(_ONE, _ONE[0], 1.0, (_ONE[1],), factor, "mean-after", has_quotes=True)
    columns = within_range(path, columns, OTII, stated_v=options.voltage_v)
    return open_table(path, columns, rails=(f"{match[1].capitalize()} {quantity}" if match else "",))


def _open_merged(
    path: Path, cells: tuple[str, ...], columns: dict[str, str], channel: str, options: TraceOptions
) -> PowerTrace:
    """Trace of one channel of a table."""
    meaning: Meaning = "mean-after"
    factor = _MILLI
    factors: tuple[str, ...] = (columns.get("W", ""),)
    needs_voltage = False
    if "W" not in columns and "A" in columns:
        needs_voltage = "V" not in columns
        factors = (columns["A"],) if needs_voltage else (columns["A"], columns["V"])
    elif "W" not in columns:
        meaning, factors = "counter", (columns["J"],)
    if needs_voltage:
        factor *= supply_voltage(options, columns["A"])
    else:
        refuse_voltage(options)
    is_calendar = cells[0].lower() == _WALL_CLOCK
    table = TableColumns(
        cells,
        cells[0],
        None if is_calendar else 1.0,
        factors,
        factor,
        meaning,
        zone=zone_of("UTC") if is_calendar else None,
        has_quotes=True,
    )
    table = within_range(path, table, OTII, columns.get("V"), options.voltage_v)
    trace = open_table(path, table, rails=(channel,))
    fault = energy_fault(path, table, columns["J"], _MILLI) if "J" in columns and meaning != "counter" else None
    return trace if fault is None else replace(trace, faults=(*trace.faults, fault))


FORMAT = TraceFormat(
    "otii",
    "Otii by Qoitech, CSV of a channel or of several",
    "analyser",
    "mean-after",
    _looks_like,
    _open,
    RunSource("runs with Otii power traces, a folder", "Otii", (".csv", ".csv.gz")),
)
