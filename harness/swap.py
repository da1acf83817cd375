"""Replaces a folder in one step, so that a death at any moment leaves the old one or the new one whole.

It does not look at the contents of the folder.
"""

import ctypes
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from harness.errors import ReleaseError

_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
_CANNOT_EXCHANGE: Final = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Empty folder beside `target` that takes its place when the block ends without an exception.

    It uses three names next to the target: `.<name>.lock` (one writer at a time), `.<name>.new` (what is being
    built) and `.<name>.old` (the previous folder, where the system cannot exchange two folders at once). A writer
    that dies leaves them behind; the next one moves `.old` back if the target is missing, and removes the rest.

    Raises:
        ReleaseError: another process is building the same folder.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh, old = (target.with_name(f".{target.name}.{state}") for state in ("new", "old"))
    with _only_writer(target.with_name(f".{target.name}.lock")):
        if old.exists() and not target.exists():
            old.rename(target)
        _remove(fresh, old)
        fresh.mkdir()
        try:
            yield fresh
            _put_in_place(fresh, target, old)
        finally:
            _remove(fresh, old)


@contextmanager
def _only_writer(lock: Path) -> Iterator[None]:
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ReleaseError(f"{lock.parent}: another build is writing here. Wait until it has ended.") from error
        yield


def _put_in_place(fresh: Path, target: Path, old: Path) -> None:
    if not target.exists():
        fresh.rename(target)
    elif not _exchange(fresh, target):
        target.rename(old)
        fresh.rename(target)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders atomically; False where the system or the file system cannot."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number), str(other))


def _remove(*folders: Path) -> None:
    for folder in folders:
        if folder.exists():
            shutil.rmtree(folder)
