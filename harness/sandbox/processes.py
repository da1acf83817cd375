"""The worker process of one predictor as its parent holds it: started, given jobs as bytes, ended with all it started.

It knows nothing of tables; `harness.sandbox.jobs` describes what is asked and what an answer means.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Final

from harness.files.left_overs import scratch_folder
from harness.issues import printable
from harness.predictor.package_files import package_folders
from harness.predictor.registry import libraries_of, readable_files
from harness.sandbox.confinement import Confinement, check_confined
from harness.sandbox.worker import LONGEST_MESSAGE

START_SECONDS: Final = 120.0
"""Time to import libraries, and again to load the predictor, which may import more; much, for a busy machine."""
_END_SECONDS: Final = 5.0
"""Time for a worker to end what is left of a job, after which it is ended with its group."""
ANSWER_LENGTH: Final = 2
"""Messages of an answer: a header and the figures."""
_THREAD_LIMITS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT")
_ALLOCATION: Final = {"MALLOC_MMAP_THRESHOLD_": str(1 << 25), "MALLOC_TRIM_THRESHOLD_": str(1 << 28)}
"""Bytes from which an array is mapped on its own, and from which free memory goes back to the system: as much as the C
library allows, and more than most jobs hold, because pages that come back are faulted in and cleared again.

Source:
    mallopt(3), which gives the greatest threshold, 4 MiB times the size of a long.
"""
_ENDED: Final = "its process was ended from outside, perhaps for want of memory"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use.

    Attributes:
        seconds: wall-clock time of a job, fit and predictions together.
        memory_mb: most memory of its process, libraries included (about 200 MB).
        file_mb: largest file in its temporary folder; all together may be `watch.SIZES_IN_ALL` times as large.
        is_unconfined_allowed: whether it may run where a part of the confinement cannot be applied.
    """

    seconds: float = 60.0
    memory_mb: int = 2048
    file_mb: int = 64
    is_unconfined_allowed: bool = False


class DeathError(Exception):
    """The worker has ended, or has to be."""


class WorkerProcess:
    """A worker and its temporary folder, in which every job has one of its own.

    Args:
        key: predictor.
        package: package that it is in.
        limits: of each job.

    Attributes:
        confinement: what confines its jobs.

    Raises:
        DeathError: the worker ended, was not ready in time, or holds memory that its jobs would share.
        UnconfinedError: a part of the confinement cannot be applied here, and the limits do not allow that.
    """

    def __init__(self, key: str, package: str, limits: Limits) -> None:
        self._folder = scratch_folder()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            setup = {
                "key": key,
                "package": package,
                "libraries": libraries_of(key, package),
                "control": theirs.fileno(),
                "readable": [str(path) for path in (*package_folders("harness"), *readable_files(key, package))],
                "roots": _roots_of(package),
                "listable": [str(path) for path in package_folders(package)],
                "load_seconds": START_SECONDS,
                **asdict(limits),
            }
            # In a file, because the arguments of a program are limited; the worker removes it before any job.
            setup_file = Path(self._folder.name, "setup.json")
            setup_file.write_text(json.dumps(setup), encoding="utf-8")
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                [sys.executable, "-P", "-s", "-m", "harness.sandbox.worker", str(setup_file)],
                cwd=self._folder.name,
                env=_environment(self._folder.name),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        try:
            self.confinement = self._ready(limits)
        except BaseException:
            self.close()
            raise

    def _ready(self, limits: Limits) -> Confinement:
        """What confines the jobs of the worker, once it is ready.

        Raises:
            DeathError: the worker ended, was not ready in time, or holds memory that its jobs would share.
            UnconfinedError: a part of the confinement cannot be applied here, and the limits do not allow that.
        """
        said = json.loads(self._message(START_SECONDS))
        found = Confinement(**{name: tuple(values) for name, values in said["confinement"].items()})
        check_confined(found, limits.is_unconfined_allowed)
        if said["shared"]:
            raise DeathError(f"imports a library that shares memory between processes ({printable(said['shared'])})")
        return found

    def close(self) -> None:
        """End the worker and everything that it started."""
        with contextlib.suppress(OSError, DeathError):
            # The worker ends what is left of a job, and then itself.
            self._control.shutdown(socket.SHUT_WR)
            while True:
                self._message(_END_SECONDS)
        self._control.close()
        # Nobody has waited for the process, so its number is still its own, and that of its group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._folder.cleanup()

    def run(self, request: Sequence[bytes], longest: Sequence[int]) -> tuple[list[bytes], int]:
        """The messages of a child that is given a job, and its exit status (negative: the signal that ended it).

        Once it has returned, every process of the job is gone, and so is its folder.

        Args:
            request: what the child reads.
            longest: bytes beyond which each message is not read.

        Raises:
            DeathError: the job overran what it may use, sent what is no answer, or left a folder that stays; or the
                worker ended.
        """
        folder = tempfile.mkdtemp(dir=self._folder.name)
        try:
            ours, theirs = Pipe()
            with ours:
                with theirs, contextlib.suppress(OSError):
                    # Where the worker has ended, there is no message either.
                    socket.send_fds(self._control, [os.fsencode(folder)], [theirs.fileno()])
                answer = self._exchange(ours, request, longest)
            ending = json.loads(self._message())
        finally:
            is_gone = _remove(folder)
        if not is_gone:
            raise DeathError("left files that cannot be removed")
        if ending["overrun"]:
            raise DeathError(ending["overrun"])
        return answer, ending["status"]

    def _exchange(self, job: Connection, request: Sequence[bytes], longest: Sequence[int]) -> list[bytes]:
        """The messages of a child; fewer than `ANSWER_LENGTH` where it has ended before.

        The worker ends a child that overruns its time, and with it the wait for it here.
        """
        answer: list[bytes] = []
        try:
            for part in request:
                job.send_bytes(part)
            # Where the worker itself has ended, what the child started may still hold the connection open.
            while len(answer) < ANSWER_LENGTH and job in wait([job, self._control]):
                answer.append(job.recv_bytes(longest[len(answer)]))
        except (EOFError, ConnectionError):
            pass
        except OSError as error:
            raise DeathError("garbled its answer") from error
        return answer

    def _message(self, seconds: float | None = None) -> bytes:
        """Next message of the worker."""
        self._control.settimeout(seconds)
        try:
            content = self._control.recv(LONGEST_MESSAGE)
        except TimeoutError:
            raise DeathError(f"took longer than {START_SECONDS:g} s to load") from None
        except ConnectionResetError:
            content = b""
        if not content:
            raise DeathError(_ENDED)
        return content


def _remove(folder: str) -> bool:
    """Remove a folder, whatever a job has made of it; whether it is gone."""
    with contextlib.suppress(OSError, RecursionError):
        shutil.rmtree(folder)
    if os.path.lexists(folder):
        # Folders within folders can be nested deeper than Python follows.
        subprocess.run(["rm", "-rf", "--", folder], stderr=subprocess.DEVNULL, check=False)  # noqa: S603, S607
    return not os.path.lexists(folder)


def _roots_of(package: str) -> list[str]:
    """Folders that a package is imported from."""
    return list(dict.fromkeys(str(folder.parents[package.count(".")]) for folder in package_folders(package)))


def _environment(folder: str) -> dict[str, str]:
    """Environment of a worker: where the harness is, one thread, and nothing of the parent's.

    Where the predictor is follows only once the libraries are imported, so that nothing beside it stands in for them.
    """
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    own = {
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "HOME": folder,
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(_roots_of("harness")),
        "TMPDIR": folder,
    }
    return kept | dict.fromkeys(_THREAD_LIMITS, "1") | _ALLOCATION | own
