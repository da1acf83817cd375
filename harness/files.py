"""Files that a user names for the harness to write."""

from pathlib import Path

from harness.errors import UsageError


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file, its folders as needed; text in UTF-8.

    Raises:
        UsageError: it cannot be written there.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{path.as_posix()} cannot be written: {error.strerror}") from error
