"""Energy counters of processors in Linux powercap: packages, and beside them cores, memory and the platform.

The same counter is shown several times: below its package and at the top, and as `intel-rapl-mmio` once more. Only the
zones at the top of `intel-rapl` are read. A counter begins again at 0 after `max_energy_range_uj`, which is logged
beside it.

Source:
    Linux kernel documentation, "Power Capping Framework". Intel states no accuracy of the counters.
"""

from __future__ import annotations

import re
from pathlib import Path

from deepen_measure.errors import MeasureError
from deepen_measure.files import number_of, text_of
from deepen_measure.meter import Meter, MeterFacts, Missing

_FOLDER = "sys/class/powercap"
_ZONE = re.compile(r"intel-rapl:\d+(?::\d+)?")
_RANGE = "max_energy_range_uj"


class Powercap(Meter):
    """Counters of the zones of one machine; the energy is that of its packages.

    Args:
        zones: folder of every zone by the name of its column, packages first.
    """

    def __init__(self, zones: dict[str, Path]) -> None:
        self._files = [folder / "energy_uj" for folder in zones.values()]
        packages = tuple(name for name in zones if name.startswith("package"))
        self._range = number_of(zones[packages[0]] / _RANGE)
        self.columns = (*(f"{name}_energy_uj" for name in zones), _RANGE)
        self.facts = MeterFacts(
            name="powercap",
            title="RAPL energy counters",
            kind="counter",
            evidence="counter",
            format="powercap",
            boundary="package",
            rails=packages,
            gain_percent=None,
            offset_mw=None,
            accuracy_source="Intel and AMD state no accuracy of these counters",
        )

    def read(self) -> tuple[str, ...]:
        """Counters in µJ, and the range of the packages' counters."""
        readings = []
        for file in self._files:
            value = number_of(file)
            if value is None:
                raise MeasureError(f"{file} can no longer be read", "an energy in microjoules", _grant([file]))
            readings.append(str(value))
        return (*readings, "" if self._range is None else str(self._range))


def find(root: Path, rails: tuple[str, ...] = ()) -> tuple[list[Meter], list[Missing]]:  # noqa: ARG001 - packages
    """Counters of this machine.

    Args:
        root: what `/` is.
        rails: not asked for, because packages are summed.
    """
    folder = root / _FOLDER
    zones: dict[str, Path] = {}
    closed: list[Path] = []
    for zone in sorted(folder.glob("intel-rapl:*")):
        name = text_of(zone / "name")
        if not _ZONE.fullmatch(zone.name) or name is None:
            continue
        # Zones inside a package are named alike in every package.
        parent = text_of(folder / zone.name.rpartition(":")[0] / "name") if zone.name.count(":") > 1 else None
        column = name if parent is None else f"{name}-{parent}"
        if column in zones:
            continue
        if number_of(zone / "energy_uj") is None:
            closed.append(zone / "energy_uj")
            continue
        zones[column] = zone
    packages = {name: path for name, path in zones.items() if name.startswith("package")}
    if packages:
        return [Powercap({**packages, **zones})], []
    if closed:
        reason = f"{len(closed)} counters, none of which this user may read"
        return [], [Missing("powercap", f"/{_FOLDER}/intel-rapl:*/energy_uj", reason, _grant(closed))]
    return [], [Missing("powercap", f"/{_FOLDER}/intel-rapl:*/energy_uj", "not there")]


def _grant(files: list[Path]) -> str:
    return f"To grant it until the next start: sudo chmod a+r {' '.join(map(str, files))}"
