"""Plain CSV traces whose header states the units, such as `time_s,power_mw`, the layout that DeepEn itself defines.

Units are taken from the header and never guessed; values that contradict them are a fault. Stamps are taken to be the
sampling clock's. Where there is a power, other columns are passed over.
"""

from dataclasses import replace
from pathlib import Path
from typing import Final

from harness.issues import quoted
from harness.schema.facts import Meaning
from harness.traces.columns import (
    SMALL_PEAK_MW,
    TableColumns,
    first_line_of,
    first_rows,
    refuse_voltage,
    supply_voltage,
)
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.log_table import cells_of, first_line, separator_of
from harness.traces.logs import PEAK_MW, refuse_channel, refused
from harness.traces.tables import open_table
from harness.traces.trace import PowerTrace

_TIMES: Final = {"time_s": 1.0, "time_ms": 1e3, "time_us": 1e6, "time_ns": 1e9}
"""Units of each time in a second."""
_POWERS: Final = {"power_uw": 1e-3, "power_mw": 1.0, "power_w": 1e3}
_CURRENTS: Final = {"current_ua": 1e-3, "current_ma": 1.0, "current_a": 1e3}
_VOLTAGES: Final = {"voltage_mv": 1e-3, "voltage_v": 1.0}
_ENERGIES: Final = {"energy_mj": 1.0, "energy_j": 1e3}
"""mW or mJ of each power, current at 1 V, voltage at 1 mA and energy."""
_EXPECTED: Final = (
    "a header with time_s (or _ms, _us, _ns) and power_mw (or _uw, _w), current_ma with voltage_v, "
    "or the cumulative energy_mj (or _uj, _j)"
)
_FIX: Final = "Head the columns with quantity and unit."


def _columns(header: str) -> TableColumns | None:
    """Columns of a header; current alone has its voltage still to be stated."""
    separator = separator_of(header)
    cells = [cell.lower() for cell in cells_of(header, separator)]
    kinds = (_TIMES, _POWERS, _CURRENTS, _VOLTAGES, _ENERGIES)
    found = [[name for name in kind if cells.count(name)] for kind in kinds]
    times, powers, currents, voltages, energies = found
    if len(times) != 1 or any(cells.count(name) > 1 for kind in found for name in kind):
        return None
    # Cells that are not wanted get names of their own, since some headers leave them empty.
    wanted = {name for kind in found for name in kind}
    names = tuple(cell if cell in wanted else f"other_{position}" for position, cell in enumerate(cells))
    factors: tuple[str, ...]
    if len(powers) == 1:
        factors, factor = (powers[0],), _POWERS[powers[0]]
    elif not powers and len(currents) == 1 and len(voltages) <= 1:
        factors, factor = (currents[0], *voltages), _CURRENTS[currents[0]]
        factor *= _VOLTAGES[voltages[0]] if voltages else 1.0
    elif not powers and not currents and len(energies) == 1:
        factors, factor = (energies[0],), _ENERGIES[energies[0]]
    else:
        return None
    # A header in the smallest unit admits power below 1 mW.
    peak_mw = SMALL_PEAK_MW if factor < 1 else PEAK_MW
    meaning: Meaning = "counter" if factors[0] in _ENERGIES else "instant"
    return TableColumns(
        names, times[0], _TIMES[times[0]], factors, factor, meaning, separator=separator, peak_mw=peak_mw
    )


def _looks_like(head: bytes) -> bool:
    return _columns(first_line(head.replace(b"\r", b"\n"))) is not None


def _with_decimals(path: Path, columns: TableColumns) -> TableColumns:
    """Columns with the decimal sign of the first rows; where no comma separates cells, one in a number is that."""
    if columns.separator == ",":
        return columns
    has_comma = any("," in text for _, text in first_rows(path, columns.n_header_lines))
    return replace(columns, decimal=",") if has_comma else columns


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    refuse_channel(options)
    header = first_line_of(path)
    if "\r" in header:
        fix = "Convert the line ends, such as by tr '\\r' '\\n' < FILE > NEW."
        raise refused("lines that end in a carriage return alone", "line feeds", fix, 1)
    columns = _columns(header)
    if columns is None:
        raise refused(quoted(header) or "an empty file", _EXPECTED, _FIX, 1)
    if columns.factors[0] in _CURRENTS and len(columns.factors) == 1:
        columns = replace(columns, factor=columns.factor * supply_voltage(options, columns.factors[0]))
    else:
        refuse_voltage(options)
    return open_table(path, _with_decimals(path, columns))


FORMAT = TraceFormat(
    "plain",
    "CSV with quantity and unit in the header",
    "analyser",
    "instant",
    _looks_like,
    _open,
    RunSource("runs with traces in CSV, quantity and unit in the header, a folder or one trace", "", ("_power.csv",)),
)
