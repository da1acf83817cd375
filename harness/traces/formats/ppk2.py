"""CSV export of Nordic's Power Profiler: current in µA, with the levels of digital channels where they were exported.

The meter logs no voltage, so it must be stated. The digital channels are no power; `read_inferences` reads them as
windows.
"""

from pathlib import Path
from typing import Final

from harness.issues import quoted
from harness.traces.columns import TableColumns, first_line_of, supply_voltage
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.logs import log_text, refuse_channel, refused
from harness.traces.meter_ranges import POWER_PROFILER, within_range
from harness.traces.ppk2_header import CURRENT, MILLISECONDS, TIME, ppk2_names
from harness.traces.tables import open_table
from harness.traces.trace import PowerTrace

_MW_OF_UA: Final = 1e-3
"""mW of 1 µA at 1 V."""


def _looks_like(head: bytes) -> bool:
    names = ppk2_names(log_text(head.split(b"\n", 1)[0]).strip())
    return names is not None and CURRENT in names


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    refuse_channel(options)
    header = first_line_of(path)
    names = ppk2_names(header)
    if names is None or CURRENT not in names:
        expected = f"a header that begins with {TIME},{CURRENT}"
        fix = "Export the time and the current from the Power Profiler."
        raise refused(quoted(header) or "an empty file", expected, fix, 1)
    factor = _MW_OF_UA * supply_voltage(options, CURRENT)
    columns = TableColumns(names, TIME, MILLISECONDS, (CURRENT,), factor)
    return open_table(path, within_range(path, columns, POWER_PROFILER, stated_v=options.voltage_v))


FORMAT = TraceFormat(
    "ppk2",
    "Nordic Power Profiler Kit, CSV export",
    "analyser",
    "instant",
    _looks_like,
    _open,
    RunSource("runs with traces of a Power Profiler, a folder", "Nordic Power Profiler Kit II", (".csv", ".csv.gz")),
)
