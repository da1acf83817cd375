"""Joulescope CSV: samples exported by the user interface, and its statistics, which are means over an interval.

The header of samples states units, `#time (s),current (A),voltage (V)`, and may have a power. That of statistics,
`#time,current,voltage,power,charge,energy`, states none; all are SI units. A row of statistics is stamped at the end of
its interval. Its energy counts from the first row on and is compared with the power.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from harness.issues import quoted
from harness.numbers import number
from harness.schema.facts import Meaning
from harness.traces.agreement import energy_fault, product_fault
from harness.traces.columns import TableColumns, first_line_of, refuse_voltage, supply_voltage
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.logs import log_text, refuse_channel, refused
from harness.traces.meter_ranges import JOULESCOPE, within_range
from harness.traces.tables import open_table
from harness.traces.trace import PowerTrace

_STATISTICS: Final = ("time", "current", "voltage", "power", "charge", "energy")
_SAMPLES: Final = ("time", "current", "voltage")
_CELL: Final = re.compile(r"(time|current|voltage|power|charge|energy) ?[(\[](s|A|V|W|C|J)[)\]]", re.ASCII)
_UNITS: Final = {"time": "s", "current": "A", "voltage": "V", "power": "W", "charge": "C", "energy": "J"}
_MILLI: Final = 1e3
_EXPECTED: Final = "a header such as #time (s),current (A),voltage (V) or #time,current,voltage,power,charge,energy"


def _names(header: str) -> tuple[str, ...] | None:
    """Quantities of a header that is Joulescope's; None of another."""
    is_marked = header.startswith("#")
    cells = [cell.strip() for cell in header.removeprefix("#").split(",")]
    if is_marked and tuple(cells) == _STATISTICS:
        return _STATISTICS
    matches = [_CELL.fullmatch(cell) for cell in cells]
    names = tuple(match[1] for match in matches if match is not None and _UNITS[match[1]] == match[2])
    is_whole = len(names) == len(cells) == len(set(names))
    return names if is_whole and names[0] == "time" and {"current", "power"} & set(names) else None


def _looks_like(head: bytes) -> bool:
    return _names(log_text(head.split(b"\n", 1)[0]).strip()) is not None


def _columns(names: tuple[str, ...], n_header_lines: int, options: TraceOptions) -> TableColumns:
    meaning: Meaning = "mean-before" if names == _STATISTICS else "instant"
    factor = _MILLI
    factors: tuple[str, ...] = ("power",)
    if "power" not in names:
        factors = ("current", "voltage") if "voltage" in names else ("current",)
    if factors == ("current",):
        factor *= supply_voltage(options, "current")
    else:
        refuse_voltage(options)
    return TableColumns(names, "time", 1.0, factors, factor, meaning, n_header_lines=n_header_lines)


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    refuse_channel(options)
    header = first_line_of(path)
    names, n_header_lines = _names(header), 1
    if (
        names is None
        and len(cells := header.split(",")) == len(_SAMPLES)
        and all(number(each) is not None for each in cells)
    ):
        # Versions before 1.0 export samples without a header unless it is asked for.
        names, n_header_lines = _SAMPLES, 0
    if names is None:
        raise refused(quoted(header) or "an empty file", _EXPECTED, "Export with the header that Joulescope writes.", 1)
    columns = _columns(names, n_header_lines, options)
    voltage = "voltage" if "voltage" in names else None
    columns = within_range(path, columns, JOULESCOPE, voltage, options.voltage_v)
    trace = open_table(path, columns)
    found = []
    if "energy" in names:
        found.append(energy_fault(path, columns, "energy", _MILLI))
    if {"power", "current", "voltage"} <= set(names) and columns.meaning == "instant":
        product = replace(columns, factors=("current", "voltage"))
        found.append(product_fault(path, product, "power", _MILLI))
    return replace(trace, faults=(*trace.faults, *(fault for fault in found if fault is not None)))


FORMAT = TraceFormat(
    "joulescope",
    "Joulescope, CSV of samples or statistics",
    "analyser",
    "instant",
    _looks_like,
    _open,
    RunSource("runs with Joulescope power traces, a folder", "Joulescope", (".csv", ".csv.gz")),
)
