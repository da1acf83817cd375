"""CSV logs of scripts that read an INA219, INA226, INA260 or INA3221: bus voltage, current and power.

A value is the last conversion of the sensor when it is read, an instant (data sheets of the sensors by Texas
Instruments). What hangs behind the shunt is not stated, and so no boundary is. Units are those of the header. A header
without units is settled by consistency: bus voltage times current is the power in few combinations of units, of which
libraries use two: V, mA and W (Adafruit CircuitPython, `adafruit_ina219`) and V, mA and mW (pi-ina219, Arduino
libraries). Where more than one fits, or none, the log is refused. Channels of an INA3221 are columns with the number
1, 2 or 3.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.issues import quoted
from harness.numbers import number
from harness.traces.channels import chosen_channels
from harness.traces.format import RunSource, TraceFormat, TraceOptions
from harness.traces.log_table import TimeColumn, add_rows, first_line, header_cells, table_rows, time_column
from harness.traces.logs import Log, log_lines, refused
from harness.traces.stamps import zone_of
from harness.traces.trace import PowerTrace, TraceFormatError

_COLUMN = re.compile(
    r"(?:ina(?:219|226|260|3221)[ _]?)?(?:ch(?:annel)?[ _]?)?([123])?[ _]?"
    r"(bus|load|shunt)?[ _]?(voltage|current|power)[ _]?([123])?[ _]?[\[(]?(uv|mv|v|ua|ma|a|uw|mw|w)?[\])]?",
    re.IGNORECASE,
)
_SI = {"uv": 1e-6, "mv": 1e-3, "v": 1.0, "ua": 1e-6, "ma": 1e-3, "a": 1.0, "uw": 1e-6, "mw": 1e-3, "w": 1.0}
_PEAK_MW = (1e-3, 1e6)
_MOST_VOLTS = 40.0
"""Bus voltages end at 36 V, and no supply is below 40 mV: larger numbers are millivolts."""
_MOST_AMPERES, _LEAST_MILLIAMPERES = 20.0, 40.0
"""Without a shunt of a few milliohms no current is above 20 A: a peak above 40 is milliamperes."""
_TOLERANCE = 0.05
_LEAST_SHARE = 0.05
_FIX = (
    "Name the units in the header, as in bus_voltage_V,current_mA,power_W, or read the file as the format table with a "
    "layout that states them."
)


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    place: int
    unit: str | None


@dataclass(frozen=True, slots=True)
class _Sensor:
    """Columns of one channel."""

    voltage: _Column | None
    current: _Column | None
    power: _Column | None


@dataclass(frozen=True, slots=True)
class _Header:
    time: TimeColumn
    sensors: Mapping[str, _Sensor]


def _header(text: str) -> _Header | None:
    names = header_cells(text)
    time = time_column(names)
    found: dict[str, dict[str, _Column]] = {}
    has_ina, has_milliamperes = "ina2" in text.lower() or "ina3" in text.lower(), False
    for place, name in enumerate(names):
        match = _COLUMN.fullmatch(name)
        if match is None:
            continue
        where, quantity, unit = (match[2] or "").lower(), match[3].lower(), (match[5] or "").lower() or None
        has_ina = has_ina or bool(where)
        has_milliamperes = has_milliamperes or (quantity == "current" and unit == "ma")
        key = f"shunt {quantity}" if where == "shunt" else quantity
        columns = found.setdefault(match[1] or match[4] or "", {})
        if key not in columns or where == "load":
            columns[key] = _Column(name, place, unit)
    sensors = {
        channel: _Sensor(columns.get("voltage"), columns.get("current"), columns.get("power"))
        for channel, columns in found.items()
        if "power" in columns or {"voltage", "current"} <= set(columns)
    }
    has_voltage = any(sensor.voltage is not None for sensor in sensors.values())
    has_no_unit = any(_has_no_unit(sensor) for sensor in sensors.values())
    # Voltage, current and power alone are written by other meters too; those have SI units, or units in their time.
    is_ours = has_ina or ((has_milliamperes or has_no_unit) and time is not None and time.unit is None)
    return _Header(time, sensors) if time is not None and sensors and has_voltage and is_ours else None


def _has_no_unit(sensor: _Sensor) -> bool:
    """Whether a channel has voltage, current and power, and no unit of any."""
    columns = (sensor.voltage, sensor.current, sensor.power)
    return all(column is not None and column.unit is None for column in columns)


def _looks_like(head: bytes) -> bool:
    return _header(first_line(head)) is not None


def _open(path: Path, options: TraceOptions) -> PowerTrace:
    lines = log_lines(path)
    header = _header(lines[0][1]) if lines else None
    if header is None:
        found = quoted(lines[0][1]) if lines else "an empty file"
        raise refused(found, "a header with time, bus_voltage, current and power", _FIX, 1)
    known = list(header.sensors)
    wanted = [""] if known == [""] and options.channel is None else []
    wanted = wanted or chosen_channels(options.channel, known, known if len(known) == 1 else [])
    log = Log(path.name, _PEAK_MW)
    rows = list(table_rows(lines, log))
    powers = [_power_of(header.sensors[channel], [cells for _, cells in rows]) for channel in wanted]

    def power_mw(line: int, cells: list[str]) -> float | None:
        values = [power(cells) for power in powers]
        if any(value is None for value in values):
            log.leave_out(line, quoted(",".join(cells)), "numbers for voltage, current and power")
            return None
        return sum(value for value in values if value is not None) * 1e3

    add_rows(log, iter(rows), header.time, zone_of(options.timezone), power_mw)
    log.space_evenly()
    rails = tuple(_rail(header.sensors[channel]) for channel in wanted)
    return log.trace(rails=rails, boundary="sum-of-rails" if len(rails) > 1 else None)


def _rail(sensor: _Sensor) -> str:
    column = sensor.power or sensor.current
    return "" if column is None else column.name


def _power_of(sensor: _Sensor, rows: Sequence[Sequence[str]]) -> Callable[[Sequence[str]], float | None]:
    """How the power in W follows from the cells of a row.

    Raises:
        TraceFormatError: the units cannot be told, or power is not voltage times current.
    """
    voltage, current, power = sensor.voltage, sensor.current, sensor.power
    if power is not None and power.unit is not None:
        _check_stated(sensor, rows)
        return lambda cells: _scaled(cells, power, _SI[power.unit or "w"])
    if voltage is None or current is None:
        raise _no_units(f"{_rail(sensor)} without a unit, and without voltage and current to compare with")
    if voltage.unit is not None and current.unit is not None and power is None:
        factor = _SI[voltage.unit] * _SI[current.unit]
    else:
        factor = _settled(voltage, current, power, rows)

    def product(cells: Sequence[str]) -> float | None:
        volts, amperes = number(cells[voltage.place]), number(cells[current.place])
        return None if volts is None or amperes is None else volts * amperes * factor

    return product


def _scaled(cells: Sequence[str], column: _Column, factor: float) -> float | None:
    value = number(cells[column.place])
    return None if value is None else value * factor


def _settled(voltage: _Column, current: _Column, power: _Column | None, rows: Sequence[Sequence[str]]) -> float:
    """Factor from voltage times current to W, from the units that fit the values."""
    volts, amperes = _values(rows, voltage), _values(rows, current)
    volt = _SI[voltage.unit] if voltage.unit else _volt(volts)
    if current.unit:
        ampere = _SI[current.unit]
        if power is not None:
            _check_bare(_ratio(rows, voltage, current, power) / (volt * ampere))
        return volt * ampere
    if power is None:
        raise _no_units("a current without a unit, and no power to compare with")
    ratio = _ratio(rows, voltage, current, power) / volt
    if _is_near(ratio, 1e-3):
        return volt * 1e-3
    peak = max(np.abs(amperes), default=0.0)
    if _is_near(ratio, 1.0) and peak > _LEAST_MILLIAMPERES:
        return volt * 1e-3
    raise _no_units(f"voltage, current and power with power = {ratio:.4g} times their product in V, without units")


def _volt(volts: Sequence[float]) -> float:
    """Unit of a bus voltage in V, by the range of the sensors."""
    peak = max(volts, default=0.0)
    if not 0 < peak <= _MOST_VOLTS and not peak > _MOST_VOLTS * 10:
        raise _no_units(f"a bus voltage of up to {peak:.4g} without a unit")
    return 1.0 if peak <= _MOST_VOLTS else 1e-3


def _ratio(rows: Sequence[Sequence[str]], voltage: _Column, current: _Column, power: _Column) -> float:
    """Median of power over voltage times current, as numbers, where the power is not near zero."""
    triples = []
    for cells in rows:
        values = [number(cells[column.place]) for column in (voltage, current, power)]
        if None not in values:
            triples.append([value for value in values if value is not None])
    table = np.array(triples).reshape(-1, 3)
    product = table[:, 0] * table[:, 1]
    large = np.abs(product) > _LEAST_SHARE * np.abs(product).max(initial=0.0)
    return float(np.median(table[large, 2] / product[large])) if large.any() else 0.0


def _check_stated(sensor: _Sensor, rows: Sequence[Sequence[str]]) -> None:
    """Compare stated units with each other."""
    voltage, current, power = sensor.voltage, sensor.current, sensor.power
    if voltage is None or current is None or power is None:
        return
    if voltage.unit is None or current.unit is None or power.unit is None:
        return
    ratio = _ratio(rows, voltage, current, power)
    _compared(ratio * _SI[power.unit], _SI[voltage.unit] * _SI[current.unit])


def _compared(found: float, expected: float) -> None:
    if found and not _is_near(found / expected, 1.0):
        text = f"a power of {found / expected:.4g} times voltage and current in the units of the header"
        raise refused(text, "their product", "Correct the units in the header.", 1, "trace-unit")


def _check_bare(ratio: float) -> None:
    """Compare a power without a unit, which may be in any, with the product of voltage and current in W."""
    if ratio and not any(_is_near(ratio, per_watt) for per_watt in (1.0, 1e3, 1e6)):
        text = f"a power of {ratio:.4g} times voltage and current in the units of the header"
        raise refused(text, "their product in W, mW or uW", "Correct the units in the header.", 1, "trace-unit")


def _is_near(value: float, expected: float) -> bool:
    return abs(value / expected - 1) <= _TOLERANCE


def _values(rows: Sequence[Sequence[str]], column: _Column) -> list[float]:
    return [value for cells in rows if (value := number(cells[column.place])) is not None]


def _no_units(found: str) -> TraceFormatError:
    return refused(found, "units in the header", _FIX, 1, "trace-unit")


FORMAT = TraceFormat(
    "ina",
    "INA219, INA226, INA260 or INA3221, CSV log of a script",
    "rail",
    "instant",
    _looks_like,
    _open,
    RunSource("runs with logs of an INA sensor, a folder", "INA power sensor", (".csv", ".log", ".txt")),
)
