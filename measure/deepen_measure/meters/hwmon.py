"""INA sensors of a board in Linux hwmon: voltage and current of every rail, as Jetson modules and shields have them.

A value is the last conversion of the sensor, an instant. What a rail supplies is known from the boards' documentation
alone: the rails of other boards have to be named by whoever knows what is behind them.

Source:
    Rails of Jetson modules: NVIDIA Jetson Linux Developer Guide, Platform Power and Performance. Gain of the sensors:
    data sheets by Texas Instruments, SBOS576 (INA3221), SBOS448 (INA219), SBOS547 (INA226), SBOS743 (INA260); the shunt
    of a board adds its own tolerance, which these do not hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from deepen_measure.errors import MeasureError
from deepen_measure.files import number_of, text_of
from deepen_measure.meter import Meter, MeterFacts, Missing

_FOLDER = "sys/class/hwmon"
_SENSORS = ("ina3221", "ina219", "ina220", "ina226", "ina230", "ina231", "ina238", "ina260", "ina2xx")
_CURRENT = re.compile(r"curr([1-9])_input")
_TOTALS = {"VDD_IN": "module", "POM_5V_IN": "module", "VIN": "board"}
"""Rails that carry all that a Jetson module or board takes."""
_SUMS = {frozenset({"VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"}): "module"}
"""Rails that do so together."""


@dataclass(frozen=True)
class _Rail:
    name: str
    voltage: Path
    current: Path


class Ina(Meter):
    """Rails that are read together.

    Args:
        rails: rails, in the order of their columns.
        boundary: what their sum is of; None where that is not known.
    """

    def __init__(self, rails: list[_Rail], boundary: str | None) -> None:
        self._rails = rails
        numbers = range(1, len(rails) + 1)
        self.columns = tuple(name for n in numbers for name in (f"ch{n}_bus_voltage_mV", f"ch{n}_current_mA"))
        self.facts = MeterFacts(
            name="hwmon",
            title="INA sensors of the board",
            kind="sensor",
            evidence="rail",
            format="ina",
            boundary=boundary,
            rails=tuple(rail.name for rail in rails),
            gain_percent=None,
            offset_mw=None,
            accuracy_source="the shunts of the board are not documented; state --meter-gain-percent if yours are",
        )

    def read(self) -> tuple[str, ...]:
        """Voltage in mV and current in mA of every rail."""
        readings = []
        for rail in self._rails:
            for file in (rail.voltage, rail.current):
                value = number_of(file)
                if value is None:
                    raise MeasureError(f"{file} can no longer be read", "a whole number", "Look at dmesg.")
                readings.append(str(value))
        return tuple(readings)


def find(root: Path, rails: tuple[str, ...] = ()) -> tuple[list[Meter], list[Missing]]:
    """Sensors of this machine.

    Args:
        root: what `/` is.
        rails: rails to read; all that the board takes where empty, if its rails are known.
    """
    looked_for = f"/{_FOLDER}/hwmon*/name of {', '.join(_SENSORS[:4])} …"
    there = {rail.name: rail for rail in _rails(root / _FOLDER)}
    if not there:
        return [], [Missing("hwmon", looked_for, "not there")]
    unknown = [name for name in rails if name not in there]
    if unknown:
        return [], [Missing("hwmon", looked_for, f"no rail {unknown[0]!r}; there are {', '.join(there)}")]
    names, boundary = (list(rails), _boundary(rails)) if rails else _whole(there)
    if not names:
        fix = "Name those that carry all that the board takes with --rails A,B."
        return [], [Missing("hwmon", looked_for, f"rails {', '.join(there)}, of which no board is known", fix)]
    return [Ina([there[name] for name in names], boundary)], []


def _rails(folder: Path) -> list[_Rail]:
    found = []
    for device in sorted(folder.glob("hwmon*")):
        if text_of(device / "name") not in _SENSORS:
            continue
        for current in sorted(device.glob("curr*_input")):
            match = _CURRENT.fullmatch(current.name)
            # A voltage that the chip adds up from other channels has no current of its own.
            if match is None or not (device / f"in{match[1]}_input").exists():
                continue
            label = text_of(device / f"in{match[1]}_label") or f"{device.name}-{match[1]}"
            found.append(_Rail(label, device / f"in{match[1]}_input", current))
    return found


def _whole(there: dict[str, _Rail]) -> tuple[list[str], str | None]:
    """Rails that carry all that the board or module takes, and which of the two; none where they are not known."""
    for name, boundary in _TOTALS.items():
        if name in there:
            return [name], boundary
    for names, boundary in _SUMS.items():
        if names <= there.keys():
            return [name for name in there if name in names], boundary
    return [], None


def _boundary(rails: tuple[str, ...]) -> str | None:
    if len(rails) == 1:
        return _TOTALS.get(rails[0], "rail")
    return _SUMS.get(frozenset(rails), "sum-of-rails")
