"""Names of folders that a command may not take as they come; nothing here looks at files."""

import re

from harness.errors import UsageError
from harness.schema.quantities import FOLDER_NAME


def require_folder_names(*names: str) -> None:
    """Refuse names that cannot be a device or campaign folder's.

    Raises:
        UsageError: one of them cannot.
    """
    for name in names:
        if not re.fullmatch(FOLDER_NAME, name):
            raise UsageError(f"{name!r} cannot name a folder; use up to 64 letters, digits and . _ -")
