"""The worker process of one predictor as its parent holds it: started, given jobs as bytes, ended with all it started.

It knows nothing of tables; `harness.sandbox.jobs` says what is asked and what an answer means.
"""

import contextlib
import importlib.util
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.sandbox.worker import EXIT_STATUS, MESSAGE_LENGTH

START_SECONDS: Final = 120.0
"""Time to import libraries, and again to load the predictor, which may import more; much, for a busy machine."""
_THREAD_LIMITS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT")
_SOON: Final = 0.001
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


class LoadError(Exception):
    """The predictor cannot be loaded."""


class DeathError(Exception):
    """The worker has ended, or has to be."""


class WorkerProcess:
    """A worker and its temporary folder.

    Args:
        key: predictor.
        package: package that it is in.
        limits: of each job.

    Raises:
        LoadError: the predictor cannot be loaded.
        DeathError: the worker ended, or did not come up in time.
    """

    def __init__(self, key: str, package: str, limits: Limits) -> None:
        self._limits = limits
        self._folder = tempfile.TemporaryDirectory(prefix="deepen-", ignore_cleanup_errors=True)
        self._control, theirs = socket.socketpair()
        with theirs:
            setup = {
                "key": key,
                "package": package,
                "control": theirs.fileno(),
                "readable": [*_folders_of("harness"), *_folders_of(package)],
                "memory_mb": limits.memory_mb,
                "file_mb": limits.file_mb,
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
            self._wait_until_loaded()
        except BaseException:
            self.close()
            raise

    def _wait_until_loaded(self) -> None:
        self._said()
        reason = self._said()["reason"]
        if reason is not None:
            raise LoadError(reason)

    def close(self) -> None:
        """End the worker and everything that it started."""
        self._control.close()
        # Nobody has waited for the process, so its number is still its own, and that of its group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._folder.cleanup()

    def run(self, request: bytes, longest_answer: int) -> tuple[bytes, int]:
        """What a child wrote when given a job, and its exit status (negative: the signal that ended it).

        Args:
            request: what the child reads.
            longest_answer: bytes beyond which an answer is not read.

        Raises:
            DeathError: the job overran its time, or the worker ended.
        """
        deadline = time.monotonic() + self._limits.seconds
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                try:
                    socket.send_fds(self._control, [b"j"], [theirs.fileno()])
                except OSError:
                    raise DeathError(_ENDED) from None
            ours.settimeout(self._limits.seconds)
            try:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    # Where the child has ended, its exit status says how.
                    ours.sendall(request)
                answer = self._answer(ours, longest_answer, deadline)
            except TimeoutError:
                raise DeathError(f"ran longer than {self._limits.seconds:g} s") from None
        self._empty_folder()
        return answer

    def _answer(self, ours: socket.socket, longest: int, deadline: float) -> tuple[bytes, int]:
        """All that arrives until the worker says that the child has ended.

        The end of the stream would not do: what the child started may hold it open.

        Raises:
            TimeoutError: the worker has not said so in time.
        """
        content = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(ours, selectors.EVENT_READ)
            selector.register(self._control, selectors.EVENT_READ)
            while len(content) <= longest:
                ready = {key.fileobj for key, _ in selector.select(max(deadline - time.monotonic(), _SOON))}
                if ours in ready:
                    chunk = _received(ours)
                    content += chunk
                    if not chunk:
                        selector.unregister(ours)
                elif ready:
                    return bytes(content), EXIT_STATUS.unpack(self._exactly(EXIT_STATUS.size, deadline))[0]
                if time.monotonic() >= deadline:
                    raise TimeoutError
        raise DeathError("garbled its answer")

    def _said(self) -> Any:
        """Next message of the worker, which is loading."""
        deadline = time.monotonic() + START_SECONDS
        try:
            length = MESSAGE_LENGTH.unpack(self._exactly(MESSAGE_LENGTH.size, deadline))[0]
            return json.loads(self._exactly(length, deadline))
        except TimeoutError:
            raise DeathError(f"took longer than {START_SECONDS:g} s to load") from None

    def _exactly(self, length: int, deadline: float) -> bytes:
        content = b""
        while len(content) < length:
            self._control.settimeout(max(deadline - time.monotonic(), _SOON))
            chunk = self._control.recv(length - len(content))
            if not chunk:
                raise DeathError(_ENDED)
            content += chunk
        return content

    def _empty_folder(self) -> None:
        """Remove what the job left, which the next one may not read."""
        for path in Path(self._folder.name).iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _received(ours: socket.socket) -> bytes:
    try:
        return ours.recv(1 << 20)
    except ConnectionResetError:
        return b""


def _folders_of(package: str) -> list[str]:
    spec = importlib.util.find_spec(package)
    return list(spec.submodule_search_locations or ()) if spec else []


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
