"""Pages and labels of devices that moved: short pages that lead to where their figures are now, and labels."""

from collections.abc import Mapping, Sequence
from typing import Final

from harness.pages.device_entries import DeviceEntry, SystemEntry
from harness.pages.markup import plain

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{name}</title>
<meta http-equiv="refresh" content="0; url={address}">
<link rel="canonical" href="{address}">
</head>
<body><p>This page moved to <a href="{address}">{name}</a>.</p></body>
</html>
"""


def moved_files(devices: Sequence[DeviceEntry], files: Mapping[str, str]) -> dict[str, str]:
    """Contents of the former addresses of devices whose figures are those of a system of a board now.

    Args:
        files: files of the site by address, with the labels of every system.

    Returns:
        A page that leads to the system, and its label under the former name, for every former device without a page;
        and the label that a board itself had.
    """
    found: dict[str, str] = {}
    for former, systems in sorted(_of_former(devices).items()):
        # A former device had one rating at most: its other submissions were of networks that are in no suite.
        system = next((each for each in systems if any(rating.label for rating in each.ratings)), systems[0])
        address = f"../../{system.path}"
        found[f"devices/{former}/index.html"] = _PAGE.format(name=plain(system.name), address=plain(address))
        label = files.get(f"labels/{system.system_id}.svg")
        if label is not None:
            found[f"labels/{former}.svg"] = label
    return found | _labels_of_boards(devices, files)


def _labels_of_boards(devices: Sequence[DeviceEntry], files: Mapping[str, str]) -> dict[str, str]:
    """Labels under the ids of boards that were rated themselves before they had systems."""
    found: dict[str, str] = {}
    for device in devices:
        address, kept = f"labels/{device.device_id}.svg", _rated_as_itself(device)
        if kept is not None and address not in files:
            found[address] = files[f"labels/{kept.system_id}.svg"]
    return found


def _rated_as_itself(device: DeviceEntry) -> SystemEntry | None:
    """System that has a label, and whose submissions were always those of its device.

    Of several it is the earliest of a board that others moved to. A board without any such move had its systems from
    the begin, so that none of several was the board.
    """
    since = {
        system.system_id: min(days)
        for system in device.systems
        if any(rating.label for rating in system.ratings) and (days := system.days_under_its_device)
    }
    if len(since) > 1 and not any(system.former_devices for system in device.systems):
        return None
    first = [system_id for system_id, day in since.items() if day == min(since.values())]
    return device.system(first[0]) if len(first) == 1 else None


def _of_former(devices: Sequence[DeviceEntry]) -> dict[str, list[SystemEntry]]:
    """Systems by the devices that their submissions were published under, which are none today."""
    known = {device.device_id for device in devices}
    found: dict[str, list[SystemEntry]] = {}
    for device in devices:
        for system in device.systems:
            for former in system.former_devices:
                if former not in known:
                    found.setdefault(former, []).append(system)
    return found
