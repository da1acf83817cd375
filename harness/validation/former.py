"""Devices that submissions moved away from: where they are now."""

from collections.abc import Sequence
from pathlib import Path

from harness.schema.facts import Manifest
from harness.validation.documents import read_fact
from harness.validation.faults import Faults
from harness.validation.layout import MANIFEST_FILE


def device_of(device_id: str, campaigns: Sequence[Path]) -> str:
    """Device that an id stands for: itself, or the one that submissions of a device of that name moved to.

    Args:
        device_id: device that was asked for.
        campaigns: all campaign folders.
    """
    if any(path.parent.name == device_id for path in campaigns):
        return device_id
    for path in campaigns:
        file = path / MANIFEST_FILE
        # Most files state none, and parsing all of them takes seconds.
        if file.is_file() and b"formerly" in (data := file.read_bytes()) and f"{device_id}/".encode() in data:
            document = read_fact(data, Manifest, MANIFEST_FILE, Faults())
            if document is not None and (document.fact.formerly or "").split("/")[0] == device_id:
                return path.parent.name
    return device_id
