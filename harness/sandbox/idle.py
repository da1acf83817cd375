"""Workers between two series of jobs: the next series of the same predictor takes one, and need not start its own.

A worker holds nothing of the jobs that it has served, so it makes no difference to a job which one serves it.
"""

import threading
from contextlib import AbstractContextManager
from types import TracebackType

from harness.sandbox.processes import Limits, WorkerProcess

_Asked = tuple[str, str, Limits]
"""What a worker serves: predictor, package and limits."""


class IdleWorkers(AbstractContextManager["IdleWorkers"]):
    """Workers for whatever was asked for last; those for anything else are ended, as all are at the end.

    Threads may share it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: _Asked | None = None
        self._workers: list[WorkerProcess] = []

    def take(self, key: str, package: str, limits: Limits) -> WorkerProcess:
        """Worker of a predictor, which is the caller's until it is kept here again.

        Args:
            key: predictor.
            package: package that it is in.
            limits: of each job.

        Raises:
            DeathError: a fresh one ended or was not ready in time.
            UnconfinedError: a part of the confinement cannot be applied here, and the limits do not allow that.
        """
        asked = key, package, limits
        with self._lock:
            others = [] if asked == self._asked else self._workers
            self._asked, self._workers = asked, [] if others else self._workers
            found = self._workers.pop() if self._workers else None
        for other in others:
            other.close()
        return found or WorkerProcess(key, package, limits)

    def keep(self, worker: WorkerProcess, key: str, package: str, limits: Limits) -> None:
        """Take back a worker that waits for a job, or end it where another predictor has been asked for since."""
        with self._lock:
            is_kept = (key, package, limits) == self._asked
            if is_kept:
                self._workers.append(worker)
        if not is_kept:
            worker.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all that wait, and those that are given back later."""
        with self._lock:
            others, self._asked, self._workers = self._workers, None, []
        for other in others:
            other.close()
