"""One run at a time writes to a place; a second is refused and told who is there.

The lock is a file beside the place, held with flock(2). The kernel releases it when its holder ends, however that
happens, so that a file which a dead run has left blocks nobody.
"""

import fcntl
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Final

from harness.errors import ReleaseError
from harness.files.faults import writing_errors

LOCK: Final = "deepen-lock"
_LONGEST_COMMAND: Final = 80
"""Characters of a command line that a message shows."""
_held: dict[Path, int] = {}
"""Places that this process writes to, each with the thread that does."""


@contextmanager
def only_writer(target: Path) -> Iterator[None]:
    """Be the only run that writes to a file or folder; the same thread may ask again inside.

    Args:
        target: the file or folder, which need not exist.

    Raises:
        ReleaseError: another run, or another thread of this one, is writing there.
        UsageError: nothing can be written there.
    """
    place = Path(os.path.realpath(target))
    if _held.get(place) == threading.get_ident():
        yield
        return
    made: list[Path] = []
    with writing_errors(target):
        handle = _taken(place, made)
    if handle is None:
        raise ReleaseError(f"{target.as_posix()}: {_holder(beside(place, LOCK))} is writing here; wait until it ends")
    with handle:
        _held[place] = threading.get_ident()
        # On a full disk the lock is held all the same, without a name.
        with suppress(OSError):
            handle.write(_this_run().encode(errors="replace"))
        try:
            yield
        finally:
            del _held[place]
            with suppress(OSError):
                beside(place, LOCK).unlink()
                for folder in reversed(made):
                    folder.rmdir()


def _taken(place: Path, made: list[Path]) -> FileIO | None:
    """Lock of a place, as `take` gives it, in folders that are made as needed and listed, outermost first."""
    while True:
        missing = [folder for folder in reversed(place.parents) if not folder.exists()]
        place.parent.mkdir(parents=True, exist_ok=True)
        made[:] = missing
        # Another run may end just now, and remove the folder that it had made.
        with suppress(FileNotFoundError):
            return take(beside(place, LOCK))


def beside(target: Path, state: str) -> Path:
    """Hidden name next to a file or folder: `.<name>.<state>`."""
    return target.with_name(f".{target.name}.{state}")


def take(lock: Path) -> FileIO | None:
    """The lock, emptied and held until it is closed; None where another run holds it.

    Raises:
        OSError: the file cannot be made.
    """
    while True:
        handle = FileIO(lock, "a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A holder removes the file as it ends; what was locked then is no file any more.
            if is_at(handle.fileno(), lock):
                handle.truncate(0)
                return handle
        except BlockingIOError:
            handle.close()
            return None
        except BaseException:
            handle.close()
            raise
        handle.close()


def is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file or folder is still the one of a name."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat(follow_symlinks=False))
    return False


def _this_run() -> str:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    if len(command) > _LONGEST_COMMAND:
        command = f"{command[:_LONGEST_COMMAND]}…"
    return f"`{command}` (process {os.getpid()} on {os.uname().nodename}, since {time.strftime('%H:%M:%S')})"


def _holder(lock: Path) -> str:
    """Who holds a lock, in words."""
    text = ""
    with suppress(OSError):
        text = lock.read_text(encoding="utf-8", errors="replace")
    return "".join(filter(str.isprintable, text[: 3 * _LONGEST_COMMAND])) or "another run"
