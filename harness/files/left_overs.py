"""What runs that were killed have left: removed by the next run that writes to the same folder or needs a scratch one.

Only what no living run holds is removed.
"""

import fcntl
import os
import re
import shutil
import tempfile
import weakref
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from harness.files.locks import LOCK, beside, is_at, take

NEW: Final = "deepen-new"
OLD: Final = "deepen-old"
_ASIDE: Final = re.compile(rf"\.(?P<name>.+)\.(?:{NEW}|{OLD}|{LOCK})")
_SCRATCH: Final = "deepen-scratch-"
_SCRATCH_NAME: Final = re.compile(rf"{_SCRATCH}[a-z0-9_]{{8}}")


def remove_left_overs(folder: Path) -> None:
    """Remove what is beside the files and folders of a folder and no run is writing.

    A previous folder that was on its way out is put back where nothing has taken its place.

    Raises:
        OSError: something cannot be removed.
    """
    found = {match["name"] for entry in os.scandir(folder) if (match := _ASIDE.fullmatch(entry.name))}
    for target in (folder / name for name in sorted(found)):
        lock = take(beside(target, LOCK))
        if lock is None:
            continue
        with lock:
            clear_beside(target)
            beside(target, LOCK).unlink()


def is_left_over(name: str) -> bool:
    """Whether a name is one that a writer uses beside its target."""
    return _ASIDE.fullmatch(name) is not None


def clear_beside(target: Path) -> None:
    """Remove what a dead writer has left of a file or folder; the caller is its only writer.

    Raises:
        OSError: something cannot be removed.
    """
    old = beside(target, OLD)
    if old.exists() and not target.exists():
        old.rename(target)
    for path in (beside(target, NEW), old):
        remove(path)


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with everything in it; nothing where nothing is there.

    Raises:
        OSError: it cannot be removed.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """Temporary folder, locked for as long as this process lives and keeps the object.

    The first one of a process removes those that dead runs of the same user have left.

    Raises:
        OSError: there is no place for it.
    """
    _remove_scratch(Path(tempfile.gettempdir()))
    while True:
        folder = tempfile.TemporaryDirectory(prefix=_SCRATCH, ignore_cleanup_errors=True)
        mark = os.open(folder.name, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(mark, fcntl.LOCK_EX)
        if is_at(mark, Path(folder.name)):
            weakref.finalize(folder, os.close, mark)
            return folder
        # Another run took it for a left-over in the moment before it was locked.
        os.close(mark)


@cache
def _remove_scratch(place: Path) -> None:
    for path in place.glob(f"{_SCRATCH}*"):
        if not _SCRATCH_NAME.fullmatch(path.name):
            continue
        with suppress(OSError):
            mark = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(mark).st_uid == os.geteuid():
                    fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    _remove_closed(path)
            finally:
                os.close(mark)


def _remove_closed(folder: Path) -> None:
    """Remove a folder of our own, even where what ran in it closed folders for everybody."""
    for parent, names, _ in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
