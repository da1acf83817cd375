"""Names that may not be taken as they come: of folders, and unknown ones; nothing here looks at files."""

import re
from collections.abc import Collection

from harness.errors import UsageError
from harness.issues import nearest
from harness.schema.quantities import FOLDER_NAME


def require_folder_names(*names: str) -> None:
    """Refuse names that cannot be a device or campaign folder's.

    Raises:
        UsageError: one of them cannot.
    """
    for name in names:
        if not re.fullmatch(FOLDER_NAME, name):
            raise UsageError(f"{name!r} cannot name a folder; use up to 64 letters, digits and . _ -")


def question(name: str, known: Collection[str], fix: str) -> str:
    """How to fix an unknown name, after the question whether the most similar known one was meant.

    Names that look alike may mean something else, so the similar one is never an instruction.

    >>> question("modl", ["model", "energy_mj"], "Rename or remove it.")
    'Did you mean model? Rename or remove it.'
    """
    near = nearest(name, list(known))
    return fix if near is None else f"Did you mean {near}? {fix}"
