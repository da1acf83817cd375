"""Meters that a machine may have: each module finds its own below a root, and says what it looked for."""

from __future__ import annotations

from pathlib import Path

from deepen_measure.errors import MeasureError
from deepen_measure.meter import Meter, Missing
from deepen_measure.meters import battery, hwmon, nvml, pmic, powercap

_KINDS = (hwmon, pmic, nvml, powercap, battery)
"""In the order of preference: what measures the board first, then what measures a chip, then the battery's gauge."""


def find_meters(root: Path, rails: tuple[str, ...] = ()) -> tuple[list[Meter], list[Missing]]:
    """Meters of this machine, and those that were looked for in vain.

    Args:
        root: what `/` is; another folder in tests.
        rails: rails to read, where the meter has several; its own choice where empty.
    """
    found: list[Meter] = []
    missing: list[Missing] = []
    for kind in _KINDS:
        meters, others = kind.find(root, rails)
        found += meters
        missing += others
    return found, missing


def the_meter(root: Path, name: str | None, rails: tuple[str, ...] = ()) -> Meter:
    """The meter of a name, or the first that there is.

    Raises:
        MeasureError: there is none; the message lists what was looked for.
    """
    found, missing = find_meters(root, rails)
    chosen = [meter for meter in found if name in {None, meter.facts.name}]
    if chosen:
        return chosen[0]
    looked = "\n".join(f"  {one.name}: {one.looked_for}: {one.reason}. {one.fix}".rstrip() for one in missing)
    there = ", ".join(meter.facts.name for meter in found)
    wanted = "no meter" if name is None else f"no meter {name!r}"
    raise MeasureError(
        wanted,
        f"one of {there}" if there else "one of those below",
        f"No energy is estimated without a meter. Looked for:\n{looked}",
    )
