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
        A page that leads to the system, and its label under the former name, for every former device without a page.
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
    return found


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
