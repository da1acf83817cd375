"""Tables of any tool, read by a layout that states which columns hold time and power, and what their values mean.

Nothing is guessed: without a layout it reads no file. Lines before the header and columns that the layout does not name
are passed over. A mean over the interval after its stamp is stamped at the end of that interval, and the last interval
is taken to be as long as the median one.
"""

from dataclasses import replace
from pathlib import Path
from typing import Final

from harness.budget import MOST_LINE_BYTES
from harness.issues import quoted
from harness.schema.facts import TableLayout
from harness.traces.agreement import part_fault
from harness.traces.blocks import opened
from harness.traces.boards import turbostat_parts
from harness.traces.columns import (
    HEAD_BYTES,
    SMALL_PEAK_MW,
    TableColumns,
    first_rows,
    refuse_voltage,
    supply_voltage,
)
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.logs import PEAK_MW, log_text, refuse_channel
from harness.traces.stamps import zone_of
from harness.traces.tables import open_table
from harness.traces.trace import PowerTrace, TraceFault, TraceOptionError

_PER_SECOND: Final = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_POWERS: Final = {"uW": 1e-3, "mW": 1.0, "W": 1e3}
_ENERGIES: Final = {"uJ": 1e-3, "mJ": 1.0, "J": 1e3, "mWh": 3.6e3, "Wh": 3.6e6}
_CURRENTS: Final = {"uA": 1e-3, "mA": 1.0, "A": 1e3}
_VOLTAGES: Final = {"mV": 1e-3, "V": 1.0}
"""mW, mJ, mW at 1 V, and mW at 1 mA."""
_MOST_LISTED: Final = 20
_SEPARATORS: Final = {",": ",", ";": ";", "tab": "\t", "space": " "}


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    refuse_channel(options)
    if options.layout is None:
        fix = "Give --layout a file that names the columns of the table, their units and what a value means."
        fault = TraceFault("trace-format", "a table without a layout", "a layout of its columns", fix)
        raise TraceOptionError(fault)
    columns = _columns(path, options.layout, options)
    trace = open_table(path, columns)
    return replace(trace, faults=(*trace.faults, *_part_faults(path, columns)))


def _part_faults(path: Path, columns: TableColumns) -> list[TraceFault]:
    """Findings of the first rows of a table with columns of turbostat of which one is read."""
    found = []
    rows = [columns.cells(line) for _, line in first_rows(path, columns.n_header_lines)]
    for whole, part in turbostat_parts(columns.names):
        places = columns.names.index(whole), columns.names.index(part)
        pairs = [(cells[places[0]], cells[places[1]]) for cells in rows if len(cells) == len(columns.names)]
        found.append(part_fault(whole, part, pairs))
    return [fault for fault in found if fault is not None]


def _columns(path: Path, layout: TableLayout, options: TraceOptions) -> TableColumns:
    """How the rows of a table are read by a layout."""
    if layout.separator == layout.decimal:
        raise _bad_layout("one sign for both cells and decimals", "another separator, such as ;")
    factor, factors = _product(layout, options)
    names, has_quotes = _names(path, layout, factors)
    is_counter = layout.meaning == "counter"
    return TableColumns(
        names,
        layout.time,
        None if layout.time_unit == "date" else _PER_SECOND[layout.time_unit],
        factors,
        factor,
        layout.meaning,
        range_mj=layout.counter_range * factor if is_counter and layout.counter_range is not None else None,
        n_header_lines=layout.skip_lines + 1,
        separator=_SEPARATORS[layout.separator],
        decimal=layout.decimal,
        zone=zone_of(options.timezone),
        has_quotes=has_quotes,
        peak_mw=SMALL_PEAK_MW if factor < 1 else PEAK_MW,
    )


def _product(layout: TableLayout, options: TraceOptions) -> tuple[float, tuple[str, ...]]:
    """Columns whose product is the power or the counter, and mW or mJ of a product of 1."""
    if layout.power is not None:
        refuse_voltage(options)
        units = _ENERGIES if layout.meaning == "counter" else _POWERS
        if layout.power_unit not in units:
            found = f"power_unit {layout.power_unit or 'not stated'} of a value that is {layout.meaning}"
            raise _bad_layout(found, f"one of {', '.join(units)}")
        return units[layout.power_unit], (layout.power,)
    if layout.meaning == "counter":
        raise _bad_layout(
            "a counter without its column", "the column under power, with power_unit uJ, mJ, J, mWh or Wh"
        )
    if layout.current is None or layout.current_unit is None:
        raise _bad_layout(
            "neither power nor current with its unit", "power with power_unit, or current with current_unit"
        )
    factor = _CURRENTS[layout.current_unit]
    if layout.voltage is None:
        return factor * supply_voltage(options, layout.current), (layout.current,)
    refuse_voltage(options)
    if layout.voltage_unit is None:
        raise _bad_layout("a voltage without its unit", "voltage_unit mV or V")
    return factor * _VOLTAGES[layout.voltage_unit], (layout.current, layout.voltage)


def _names(path: Path, layout: TableLayout, factors: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """Name of every cell of a row, from the header, and whether there are quotation marks."""
    with opened(path) as file:
        for _ in range(layout.skip_lines):
            file.readline(MOST_LINE_BYTES)
        header = log_text(file.readline(HEAD_BYTES)).strip("\r\n")
        has_quotes = b'"' in file.read(HEAD_BYTES)
    separator = _SEPARATORS[layout.separator]
    parts = header.split() if separator == " " else header.split(separator)
    cells = [cell.strip().strip('"').strip() for cell in parts]
    for name in (layout.time, *factors):
        if cells.count(name) != 1:
            found = f"{cells.count(name) or 'no'} column{'s' if cells.count(name) > 1 else ''} {quoted(name)}"
            listed = ", ".join(quoted(cell) for cell in cells[:_MOST_LISTED])
            expected = f"one of the columns {listed}" if cells.count(name) == 0 else "one column of that name"
            fix = "Correct the layout: its columns, its separator, or the lines to skip before the header."
            raise TraceOptionError(TraceFault("trace-format", found, expected, fix, layout.skip_lines + 1, path.name))
    wanted = {layout.time, *factors}
    # Columns that one that is read is compared with keep their names too.
    for pair in turbostat_parts(cells):
        wanted |= {*pair} if wanted.intersection(pair) else set()
    wanted = {name for name in wanted if cells.count(name) == 1}
    names = tuple(cell if cell in wanted else f"other_{position}" for position, cell in enumerate(cells))
    return names, has_quotes


def _bad_layout(found: str, expected: str) -> TraceOptionError:
    return TraceOptionError(TraceFault("trace-format", f"a layout with {found}", expected, "Correct the layout."))


FORMAT = TraceFormat(
    "table",
    "table of any tool, by a layout of its columns",
    "analyser",
    "instant",
    lambda _: False,
    _open,
    RunSource(
        "runs with tables of any tool, by --layout or a mapping, a folder or one table",
        "",
        ("_power.csv", "_power.txt"),
    ),
)
