"""Replaces folders in one step, so that a death at any moment leaves the old ones or the new ones whole.

It does not look at the contents of a folder.
"""

import ctypes
import errno
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from harness.errors import UsageError
from harness.files.faults import disk_errors, writing_errors
from harness.files.left_overs import NEW, OLD, clear_beside, is_left_over, remove, remove_left_overs
from harness.files.locks import beside, only_writer

PUBLISHED: Final = "published"
"""Folder that holds the parts which are replaced together."""
_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
_CANNOT_EXCHANGE: Final = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


def _nothing(_name: str) -> bool:
    return False


@contextmanager
def replacing(target: Path, keeps: Callable[[str], bool] = _nothing) -> Iterator[Path]:
    """Folder beside `target` that takes its place when the block ends without an exception.

    It uses three names next to the target: `.<name>.deepen-lock` (one writer at a time), `.<name>.deepen-new` (what is
    being built) and `.<name>.deepen-old` (the previous folder, where the system cannot exchange two folders at once).
    A writer that dies leaves them behind, and the next one removes them.

    Args:
        target: the folder.
        keeps: whether an entry of the previous folder, by its name, is in the new one from the start. Its files are
            those of the previous folder (hard links), so that they must be removed before they are written.

    Raises:
        ReleaseError: another run is writing to the same folder.
        UsageError: it cannot be written, or the disk is full.
    """
    fresh, old = beside(target, NEW), beside(target, OLD)
    with only_writer(target):
        with writing_errors(target):
            clear_beside(target)
            remove_left_overs(target.parent)
        try:
            with writing_errors(target):
                fresh.mkdir()
                for entry in sorted(target.iterdir()) if target.exists() else ():
                    if keeps(entry.name) and not is_left_over(entry.name):
                        _link(entry, fresh / entry.name)
            with disk_errors(target):
                yield fresh
            with writing_errors(target):
                _put_in_place(fresh, target, old)
        finally:
            with writing_errors(target):
                remove(fresh)
                remove(old)


@contextmanager
def replacing_parts(folder: Path, parts: Collection[str]) -> Iterator[Path]:
    """Folder whose entries become those of `folder`, all in one step when the block ends without an exception.

    The parts lie in `folder/published`, which is replaced as a whole, and `folder` has a link to each. A part that the
    block does not write is there no more; other parts stay.

    Args:
        folder: where the parts are seen.
        parts: names of the files and folders that are replaced.

    Raises:
        ReleaseError: another run is writing parts.
        UsageError: they cannot be written, or one is a link to another place.
    """
    home = folder / PUBLISHED
    with only_writer(home):
        with writing_errors(folder):
            for part in parts:
                _adopt(folder / part, home / part)
        try:
            with replacing(home, lambda name: name not in parts) as fresh:
                yield fresh
                with writing_errors(folder):
                    for part in parts:
                        if (fresh / part).exists() and not (folder / part).is_symlink():
                            (folder / part).symlink_to(Path(PUBLISHED, part))
        finally:
            for part in parts:
                if (folder / part).is_symlink() and not (folder / part).exists():
                    (folder / part).unlink()


def write_folder(folder: Path, files: Mapping[str, bytes], beside_it: Mapping[str, bytes] | None = None) -> None:
    """Replace a folder by files, and in the same step those beside it, where they change.

    Args:
        folder: the folder.
        files: contents by path in it.
        beside_it: contents by name in its parent, which keeps everything else.

    Raises:
        ReleaseError: another run is writing there.
        UsageError: it cannot be written.
    """
    others = beside_it or {}
    with only_writer(folder.parent):
        if all(_has(folder.parent / name, content) for name, content in others.items()):
            with replacing(folder) as fresh:
                lay_down(files, fresh)
        else:
            with replacing(folder.parent, lambda name: name not in (folder.name, *others)) as fresh:
                lay_down(others, fresh)
                lay_down(files, fresh / folder.name)


def _has(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def lay_down(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files, by path in a folder, which is made as needed."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _adopt(seen: Path, part: Path) -> None:
    """Move what is seen into the place of the part, and leave the link there, in one step.

    Raises:
        UsageError: it is a link to another place.
    """
    link = Path(PUBLISHED, part.name)
    if seen.is_symlink():
        if seen.readlink() != link:
            raise UsageError(f"{seen.as_posix()} is a link to {seen.readlink()}; remove it, and run this again")
    elif seen.exists():
        part.parent.mkdir(exist_ok=True)
        remove(part)
        part.symlink_to(link)
        if not _exchange(part, seen):
            part.unlink()
            seen.rename(part)
            seen.symlink_to(link)


def _link(source: Path, copy: Path) -> None:
    """Copy a file or folder without its bytes, where the file system can."""
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, copy, symlinks=True, copy_function=_link_file)
    elif source.is_symlink():
        copy.symlink_to(source.readlink())
    else:
        _link_file(source, copy)


def _link_file(source: str | Path, copy: str | Path) -> None:
    try:
        os.link(source, copy)
    except OSError:
        shutil.copy2(source, copy)


def _put_in_place(fresh: Path, target: Path, old: Path) -> None:
    if not target.exists():
        fresh.rename(target)
    elif not _exchange(fresh, target):
        target.rename(old)
        fresh.rename(target)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two files or folders atomically; False where the system or the file system cannot."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number), str(other))
