"""Watches a job from the process that forked it, and ends it with all that it started.

What the kernel limits by itself is not watched: memory, the size of a file, and the number of open files.
"""

import contextlib
import os
import signal
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from multiprocessing.connection import wait
from pathlib import Path
from socket import socket
from typing import Final

MOST_THREADS: Final = 256
"""Threads of a job."""
MOST_FILES: Final = 10_000
"""Files and folders in the folder of a job."""
SIZES_IN_ALL: Final = 4
"""Largest files that the files of a job may come to together."""
_LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Watched:
    """A job that runs.

    Attributes:
        process: number of its process, a child of this one.
        loaded: descriptor of an event counter that is ready once the predictor is loaded.
        folder: its folder.
        load_seconds: most time to load the predictor.
        seconds: most time after that.
        file_mb: largest file.
    """

    process: int
    loaded: int
    folder: Path
    load_seconds: float
    seconds: float
    file_mb: int


def end_of(job: Watched, control: socket) -> tuple[int, str]:
    """How a job ended: its exit status (negative: a signal), and what it overran, if anything.

    Returns once the job and all that it started are gone.

    Args:
        job: the job.
        control: socket that is ready before the end of the job only where the parent is gone.
    """
    process = os.pidfd_open(job.process)
    try:
        overrun, has_ended = _overrun(job, process, control)
        if not has_ended:
            os.kill(job.process, signal.SIGKILL)
    finally:
        os.close(process)
    status = os.waitstatus_to_exitcode(os.waitpid(job.process, 0)[1])
    _end_all()
    return status, overrun


def _overrun(job: Watched, process: int, control: socket) -> tuple[str, bool]:
    """What a job overran, if anything, and whether it has ended by itself."""
    awaited: list[int | socket] = [process, control, job.loaded]
    start, most, deed = time.monotonic(), job.load_seconds, "took longer than {:g} s to load"
    while (left := start + most - time.monotonic()) > 0:
        ready = wait(awaited, min(left, _LOOK_SECONDS))
        if process in ready or control in ready:
            return "", process in ready
        if job.loaded in ready:
            awaited.remove(job.loaded)
            start, most, deed = time.monotonic(), job.seconds, "ran longer than {:g} s"
            continue
        overused = _overused(job)
        if overused:
            return overused, False
    return deed.format(most), False


def _overused(job: Watched) -> str:
    """What a job has too much of, in words; empty where nothing."""
    if len(_threads(job)) > MOST_THREADS:
        return f"started more than {MOST_THREADS} threads"
    n_bytes, most = 0, SIZES_IN_ALL * job.file_mb << 20
    for count, size in enumerate(chain(_sizes_of_named(job), _sizes_of_unlinked(job))):
        n_bytes += size
        if n_bytes > most:
            return f"wrote more than {SIZES_IN_ALL * job.file_mb} MB of files"
        if count >= MOST_FILES:
            return f"made more than {MOST_FILES} files"
    return ""


def _threads(job: Watched) -> list[Path]:
    """Folders of the threads of a job below /proc; none where it has ended."""
    try:
        return list(Path(f"/proc/{job.process}/task").iterdir())
    except OSError:
        return []


def _sizes_of_named(job: Watched) -> Iterator[int]:
    """Bytes that each file and folder in the folder of a job takes."""
    pending = [os.fspath(job.folder)]
    while pending:
        try:
            entries = os.scandir(pending.pop())
        except OSError:
            # It is gone, or its path is longer than the kernel takes.
            continue
        with entries:
            for entry in entries:
                try:
                    yield entry.stat(follow_symlinks=False).st_blocks * 512
                except OSError:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)


def _sizes_of_unlinked(job: Watched) -> Iterable[int]:
    """Bytes that each file takes that is unlinked but still open, or still mapped, in which case those mapped.

    All threads have the same files and memory; one that has ended, which the first may, has none to show.
    """
    for thread in _threads(job):
        found = _mapped(thread, job.folder) | _open(thread)
        if found:
            return found.values()
    return ()


def _open(thread: Path) -> dict[int, int]:
    """Bytes of each file that is open and unlinked, by its number in the file system."""
    found = {}
    with contextlib.suppress(OSError):
        for handle in (thread / "fd").iterdir():
            with contextlib.suppress(OSError):
                of_file = handle.stat()
                if of_file.st_nlink == 0 and stat.S_ISREG(of_file.st_mode):
                    found[of_file.st_ino] = of_file.st_blocks * 512
    return found


def _mapped(thread: Path, folder: Path) -> dict[int, int]:
    """Bytes mapped of each file that was in a folder and is unlinked, by its number in the file system."""
    found: dict[int, int] = {}
    inside = os.fsencode(f"{folder}/")
    with contextlib.suppress(OSError):
        # Libraries have a thousand lines, which a job is looked at many times.
        for line in (thread / "maps").read_bytes().split(b"\n"):
            if inside in line and line.endswith(b" (deleted)"):
                addresses, _, _, _, number, name = line.split(maxsplit=5)
                if name.startswith(inside):
                    first, last = (int(address, 16) for address in addresses.split(b"-"))
                    found[int(number)] = found.get(int(number), 0) + last - first
    return found


def _end_all() -> None:
    """End the processes that a job has left, which are children of this one since their parents ended."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while numbers := children.read_text(encoding="ascii").split():
        for number in map(int, numbers):
            os.kill(number, signal.SIGKILL)
            os.waitpid(number, 0)
