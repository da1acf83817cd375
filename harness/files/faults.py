"""Faults of the system in writing, as one line for the person who asked for it."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from harness.errors import UsageError

_DISK: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


@contextmanager
def writing_errors(target: Path) -> Iterator[None]:
    """Report every fault of the system in the block as one of writing to a place.

    Raises:
        UsageError: the system refused.
    """
    try:
        yield
    except OSError as error:
        raise cannot_write(target, error) from error


def cannot_write(target: Path, error: OSError) -> UsageError:
    """The fault that a place cannot be written, with the reason of the system."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    return UsageError(f"{target.as_posix()} cannot be written: {reason}")


@contextmanager
def disk_errors(target: Path) -> Iterator[None]:
    """Report faults of the disk in the block, such as a full one; any other may be one of reading.

    Raises:
        UsageError: the disk is full or read-only, or a file would be larger than it may be.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK:
            raise
        raise cannot_write(target, error) from error
