"""Gauge of a battery in Linux: current and voltage of the cells while nothing charges them.

A gauge gives a new value every second or less often, so that windows of minutes are needed.

Source:
    Linux kernel documentation, "Linux power supply class".
"""

from __future__ import annotations

from pathlib import Path

from deepen_measure.errors import MeasureError
from deepen_measure.files import number_of, text_of
from deepen_measure.meter import Meter, MeterFacts, Missing

_FOLDER = "sys/class/power_supply"
_FIX = "Unplug the charger and wait until the gauge reports Discharging."


class Battery(Meter):
    """Gauge of one battery.

    Args:
        folder: its folder in sysfs.
    """

    columns = ("current_ua", "voltage_mv")

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.facts = MeterFacts(
            name="battery",
            title="Gauge of the battery",
            kind="sensor",
            evidence="battery-gauge",
            format="plain",
            boundary="battery",
            rails=(folder.name,),
            gain_percent=None,
            offset_mw=None,
            accuracy_source="gauges are not documented",
        )

    def read(self) -> tuple[str, ...]:
        """Current in µA, positive whatever the driver's sign, and voltage in mV."""
        status = text_of(self._folder / "status")
        if status != "Discharging":
            raise MeasureError(f"{self._folder / 'status'} is {status}", "Discharging", _FIX)
        current, voltage = (number_of(self._folder / name) for name in ("current_now", "voltage_now"))
        if current is None or voltage is None:
            raise MeasureError(f"{self._folder} can no longer be read", "current_now and voltage_now", "Look at dmesg.")
        return str(abs(current)), f"{voltage / 1000:.3f}"


def find(root: Path, rails: tuple[str, ...] = ()) -> tuple[list[Meter], list[Missing]]:  # noqa: ARG001 - one battery
    """Gauge of this machine.

    Args:
        root: what `/` is.
        rails: not asked for, because there is one battery.
    """
    looked_for = f"/{_FOLDER}/*/current_now of a battery"
    for folder in sorted((root / _FOLDER).glob("*")):
        if text_of(folder / "type") != "Battery" or number_of(folder / "current_now") is None:
            continue
        status = text_of(folder / "status")
        if status != "Discharging":
            return [], [Missing("battery", looked_for, f"{folder.name} is {status}", _FIX)]
        return [Battery(folder)], []
    return [], [Missing("battery", looked_for, "not there")]
