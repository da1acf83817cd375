"""Single files, written aside and then put in place."""

import shutil
from pathlib import Path

from harness.files.faults import writing_errors
from harness.files.left_overs import NEW, remove_left_overs
from harness.files.locks import beside, only_writer


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file, its folders as needed; text in UTF-8. Until all is written, an earlier file stays as it is.

    A link is followed, and what is no ordinary file, such as a pipe, is written to directly.

    Raises:
        UsageError: it cannot be written there.
        ReleaseError: another run is writing it.
    """
    data = content.encode() if isinstance(content, str) else content
    with writing_errors(path):
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
    real = path.resolve()
    with only_writer(path), writing_errors(path):
        remove_left_overs(real.parent)
        fresh = beside(real, NEW)
        try:
            fresh.write_bytes(data)
            if real.exists():
                shutil.copymode(real, fresh)
            fresh.replace(real)
        finally:
            fresh.unlink(missing_ok=True)
