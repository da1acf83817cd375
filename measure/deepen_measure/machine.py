"""What a machine says of itself: model, processor, system, clocks, temperatures, load. Nothing is guessed."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from deepen_measure import __version__
from deepen_measure.files import number_of, text_of

_CPU = "sys/devices/system/cpu"
_MODELS = ("proc/device-tree/model", "sys/firmware/devicetree/base/model", "sys/class/dmi/id/product_name")
_VENDORS = ("sys/class/dmi/id/sys_vendor", "sys/class/dmi/id/board_vendor")


def machine_facts(root: Path) -> dict[str, object]:
    """Facts that do not change while a network is measured.

    Args:
        root: what `/` is.
    """
    facts: dict[str, object] = {
        "name": _first(root, _MODELS),
        "vendor": _first(root, _VENDORS),
        "soc": _compatible(root),
        "processor": _processor(root),
        "n_cores": os.cpu_count(),
        "architecture": platform.machine(),
        "operating_system": _system(root),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "deepen_measure": __version__,
    }
    return {name: value for name, value in facts.items() if value is not None}


def state(root: Path) -> dict[str, object]:
    """What may change meanwhile: governor and clock of every core, temperatures in °C, load, throttling.

    Args:
        root: what `/` is.
    """
    cores = sorted((root / _CPU).glob("cpu[0-9]*"), key=lambda path: int(path.name[3:]))
    governors = [text_of(core / "cpufreq/scaling_governor") for core in cores]
    clocks = [number_of(core / "cpufreq/scaling_cur_freq") for core in cores]
    throttled = [number_of(core / "thermal_throttle/core_throttle_count") for core in cores]
    load = text_of(root / "proc/loadavg")
    return {
        "governors": sorted({name for name in governors if name}),
        "clocks_mhz": [clock / 1000 for clock in clocks if clock is not None],
        "throttle_count": sum(count for count in throttled if count is not None),
        "temperatures_c": temperatures(root),
        "load": float(load.split()[0]) if load else None,
    }


def temperatures(root: Path) -> dict[str, float]:
    """Temperature of every thermal zone in °C, by its type; zones of one type are numbered."""
    found: dict[str, float] = {}
    for zone in sorted((root / "sys/class/thermal").glob("thermal_zone*")):
        millidegrees, kind = number_of(zone / "temp"), text_of(zone / "type")
        if millidegrees is not None and kind is not None:
            found[kind if kind not in found else f"{kind}-{zone.name[12:]}"] = millidegrees / 1000
    return found


def command_line() -> list[str]:
    """The command as it was called."""
    return list(sys.argv[1:])


def _first(root: Path, paths: tuple[str, ...]) -> str | None:
    return next((text for text in (text_of(root / path) for path in paths) if text), None)


def _compatible(root: Path) -> str | None:
    """System on chip: the last name of the device tree's compatible names, as `brcm,bcm2712`."""
    text = text_of(root / "proc/device-tree/compatible")
    return None if not text else text.split("\0")[-1]


def _processor(root: Path) -> str | None:
    """Name of the processor as the kernel prints it."""
    for line in (text_of(root / "proc/cpuinfo") or "").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model", "Hardware"} and value.strip():
            return value.strip()
    return None


def _system(root: Path) -> str | None:
    for line in (text_of(root / "etc/os-release") or "").splitlines():
        name, _, value = line.partition("=")
        if name == "PRETTY_NAME":
            return value.strip('"')
    return None
