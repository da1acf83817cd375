"""Names that a command may not take as they come: folders, formats, fixes; nothing here looks at files."""

import difflib
import re
from collections.abc import Iterable

from harness.errors import UsageError
from harness.issues import quoted
from harness.schema.quantities import FOLDER_NAME


def require_folder_names(*names: str) -> None:
    """Refuse names that cannot be a device or campaign folder's.

    Raises:
        UsageError: one of them cannot.
    """
    for name in names:
        if not re.fullmatch(FOLDER_NAME, name):
            raise UsageError(f"{name!r} cannot name a folder; use up to 64 letters, digits and . _ -")


def unknown(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """Exception about a name that is not among those there are, with the nearest of them.

    >>> str(unknown("fix", "unit-slp", ["unit-slip"]))
    "'unit-slp' is no fix; did you mean unit-slip? Known: unit-slip"
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    meant = f" did you mean {near[0]}?" if near else ""
    there = f"Known: {', '.join(names)}" if names else "None is known"
    return UsageError(f"'{quoted(name)}' is no {kind};{meant} {there}")
