"""The worker process of one predictor as its parent holds it: started, given jobs as bytes, ended with all it started.

It knows nothing of tables; `harness.sandbox.jobs` describes what is asked and what an answer means.
"""

import contextlib
import importlib.util
import json
import os
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
from harness.predictor.registry import names_imported, predictor_info
from harness.sandbox.worker import LONGEST_MESSAGE

START_SECONDS: Final = 120.0
"""Time to import libraries, and again to load the predictor, which may import more; much, for a busy machine."""
_END_SECONDS: Final = 5.0
"""Time for a worker to end what is left of a job, after which it is ended with its group."""
ANSWER_LENGTH: Final = 2
"""Messages of an answer: a header and the figures."""
_THREAD_LIMITS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT")
_ENDED: Final = "its process was ended from outside, perhaps for want of memory"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use.

    Attributes:
        seconds: wall-clock time of a job, fit and predictions together.
        memory_mb: most memory of its process, libraries included (about 200 MB).
        file_mb: largest file in its temporary folder.
    """

    seconds: float = 60.0
    memory_mb: int = 2048
    file_mb: int = 64


class DeathError(Exception):
    """The worker has ended, or has to be."""


class WorkerProcess:
    """A worker and its temporary folder, in which every job has one of its own.

    Args:
        key: predictor.
        package: package that it is in.
        limits: of each job.

    Raises:
        DeathError: the worker ended, or was not ready in time.
    """

    def __init__(self, key: str, package: str, limits: Limits) -> None:
        self._folder = scratch_folder()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            setup = {
                "key": key,
                "package": package,
                "libraries": _libraries_of(key, package),
                "control": theirs.fileno(),
                "readable": [*_folders_of("harness"), *_folders_of(package)],
                "load_seconds": START_SECONDS,
                **asdict(limits),
            }
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                [sys.executable, "-P", "-s", "-m", "harness.sandbox.worker", json.dumps(setup)],
                cwd=self._folder.name,
                env=_environment(package, self._folder.name),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        try:
            self._message(START_SECONDS)
        except BaseException:
            self.close()
            raise

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

    def run(self, request: Sequence[bytes], longest: int) -> tuple[list[bytes], int]:
        """The messages of a child that is given a job, and its exit status (negative: the signal that ended it).

        Once it has returned, every process of the job is gone, and so is its folder.

        Args:
            request: what the child reads.
            longest: bytes beyond which a message is not read.

        Raises:
            DeathError: the job overran its time or sent what is no answer, or the worker ended.
        """
        with tempfile.TemporaryDirectory(dir=self._folder.name, ignore_cleanup_errors=True) as folder:
            ours, theirs = Pipe()
            with ours:
                with theirs, contextlib.suppress(OSError):
                    # Where the worker has ended, there is no message either.
                    socket.send_fds(self._control, [os.fsencode(folder)], [theirs.fileno()])
                answer = self._exchange(ours, request, longest)
            ending = json.loads(self._message())
        if ending["overrun"]:
            raise DeathError(ending["overrun"])
        return answer, ending["status"]

    def _exchange(self, job: Connection, request: Sequence[bytes], longest: int) -> list[bytes]:
        """The messages of a child; fewer than `ANSWER_LENGTH` where it has ended before.

        The worker ends a child that overruns its time, and with it the wait for it here.
        """
        answer: list[bytes] = []
        try:
            for part in request:
                job.send_bytes(part)
            # Where the worker itself has ended, what the child started may still hold the connection open.
            while len(answer) < ANSWER_LENGTH and job in wait([job, self._control]):
                answer.append(job.recv_bytes(longest))
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


def _folders_of(package: str) -> list[str]:
    spec = importlib.util.find_spec(package)
    return list(spec.submodule_search_locations or ()) if spec else []


def _libraries_of(key: str, package: str) -> list[str]:
    """What a predictor's code imports from outside its package; found without running it."""
    own = predictor_info(key, package).folder
    homes = [Path(folder, home) for folder in _folders_of(package) for home in (".", own)]
    names: set[str] = set()
    for path in (path for home in homes for path in home.glob("*.py")):
        # What is no Python is reported when it is loaded.
        with contextlib.suppress(SyntaxError):
            names.update(names_imported(path.read_bytes()))
    return sorted(name for name in names if not f"{name}.".startswith(f"{package}."))


def _environment(package: str, folder: str) -> dict[str, str]:
    """Environment of a worker: where its code is, one thread, and nothing of the parent's."""
    names = ("harness", package)
    roots = [str(Path(found).parents[name.count(".")]) for name in names for found in _folders_of(name)]
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    own = {
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "HOME": folder,
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(roots)),
        "TMPDIR": folder,
    }
    return kept | dict.fromkeys(_THREAD_LIMITS, "1") | own
