"""The largest current and voltage of meters: a reading beyond them is in another unit than its header states.

A reading that a meter can report may be in another unit as well; that is for the limits of the device to find.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from harness.traces.columns import SMALL_PEAK_MW, TableColumns, first_rows
from harness.traces.logs import refused

_MARGIN: Final = 1.25
"""Share of its range up to which a meter may report before it clips; another unit is a thousand away."""
_FIX: Final = "Find out the unit of the voltages; correct the header or the option that states another."


@dataclass(frozen=True, slots=True)
class MeterRange:
    """What a meter measures at most, in its largest model.

    Attributes:
        current_a: largest current in A.
        voltage_v: largest voltage in V.
    """

    current_a: float
    voltage_v: float

    def highest_mw(self, voltages_v: Iterable[float] = ()) -> float:
        """Highest power in mW that it can report, of the voltages that it measured where they are known.

        Raises:
            TraceFormatError: a voltage is beyond its range.

        >>> MeterRange(6.0, 13.5).highest_mw([4.0]), MeterRange(6.0, 13.5).highest_mw()
        (30000.0, 101250.0)
        """
        voltage_v = max(voltages_v, default=0.0)
        if voltage_v > _MARGIN * self.voltage_v:
            expected = f"at most {self.voltage_v:g} V, which the meter measures"
            raise refused(f"a voltage of {voltage_v:.6g} V", expected, _FIX, rule="trace-unit")
        return _MARGIN * 1e3 * self.current_a * (voltage_v if voltage_v > 0 else self.voltage_v)


JOULESCOPE: Final = MeterRange(10.4, 16.8)
"""forum.joulescope.com, topic 175: the largest ranges of a JS110. The guide of the JS220 has 10 A and 15 V."""
POWER_PROFILER: Final = MeterRange(1.0, 5.0)
"""Power Profiler Kit II: 0.8 to 5 V is `vddRange` in src/device/serialDevice.ts of Nordic Semiconductor's own
application (NordicSemiconductor/pc-nrfconnect-ppk). 1 A is what it is sold for; its user guide was not compared."""
OTII: Final = MeterRange(5.0, 25.0)
"""An Otii Arc measures up to 5 A, at up to 5 V (elektormagazine.com, Otii - Power Consumption Optimizer for Wearables
and IoT devices). 25 V is what an Otii Ace is sold for; its data sheet was not compared."""
MONSOON: Final = MeterRange(6.0, 13.5)
"""High Voltage Power Monitor: 6 A, at 0.8 to 13.5 V, is what it is sold for; its manual was not compared. The manual of
the Low Voltage Power Monitor (version 1.15) has up to 4.55 V."""


def within_range(
    path: Path, columns: TableColumns, meter: MeterRange, voltage: str | None = None, stated_v: float | None = None
) -> TableColumns:
    """Columns whose highest power is bounded by what a meter measures.

    Args:
        path: the table.
        columns: how its rows are read.
        meter: the meter.
        voltage: column of the voltage in V, whose first rows are looked at; None where there is none.
        stated_v: voltage of the options.

    Raises:
        TraceFormatError: a voltage is beyond its range.
    """
    voltages = [] if stated_v is None else [stated_v]
    if voltage is not None:
        one = replace(columns, factors=(voltage,), factor=1.0)
        read = (one.value(line) for _, line in first_rows(path, columns.n_header_lines))
        voltages = [value for value in read if value is not None]
    return replace(columns, peak_mw=(SMALL_PEAK_MW[0], meter.highest_mw(voltages)))
