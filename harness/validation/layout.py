"""The layout of a submission: names of its files, and the faults of names that do not belong there.

What is in the files is read elsewhere.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from harness.issues import nearest
from harness.schema.quantities import FOLDER_NAME
from harness.schema.vocabulary import LEVELS, Level
from harness.validation.faults import Faults
from harness.validation.text import report_unreadable

DEVICE_FILE: Final = "device.yaml"
MANIFEST_FILE: Final = "submission.yaml"
LEVEL_FILES: Final[dict[str, Level]] = {f"{level}.csv": level for level in LEVELS}
QUARANTINE_FILE: Final = "quarantine.csv"
"""Rows that an intake could not use, kept beside those it could; nothing reads it as rows."""
TRACES_FOLDER: Final = "traces"
"""Raw traces that submission.yaml binds to rows."""
NETWORKS_FOLDER: Final = "graphs"
"""Kernel lists, one file a model of models.csv."""
SHARED_FOLDER: Final = "_graphs"
"""Kernel lists that campaigns share, beside the devices: a folder a fusion runtime, a file a model."""


def shown_path(path: Path) -> str:
    """Path as the contributor knows it: relative to where they stand, where it lies below."""
    try:
        return path.absolute().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def entries_of(folder: Path, faults: Faults) -> list[Path]:
    """What lies in a folder, in order; hidden files belong to nobody."""
    try:
        return [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]
    except OSError as error:
        report_unreadable(shown_path(folder), error, faults)
        return []


def check_name(folder: Path, earlier: Sequence[Path], faults: Faults) -> None:
    """Report a folder name that cannot be an id, or that differs from another's in case only."""
    clash = next((other.name for other in earlier if other.name.lower() == folder.name.lower()), None)
    if clash is not None or not re.fullmatch(FOLDER_NAME, folder.name):
        faults.add(
            "folder-name",
            shown_path(folder),
            found=folder.name,
            expected=f"a name unlike {clash} in more than case" if clash else "letters, digits and . _ -, at most 64",
            fix="Rename the folder.",
        )


def report_link(path: Path, faults: Faults) -> None:
    """Report a symbolic link."""
    faults.add(
        "path-symlink",
        shown_path(path),
        found="a symbolic link",
        expected="a plain file or folder",
        fix="Put the file itself in its place.",
    )


def report_stray(path: Path, expected: str, faults: Faults) -> None:
    """Report a file or folder that nothing reads."""
    near = nearest(path.name.lower(), (DEVICE_FILE, MANIFEST_FILE, *LEVEL_FILES))
    faults.add(
        "path-unknown",
        shown_path(path),
        found="a file or folder that nothing reads",
        expected=expected,
        fix=f"Rename it to {near}." if near is not None and near in expected else "Rename or remove it.",
    )
