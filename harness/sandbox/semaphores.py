"""Semaphores of `multiprocessing` for a job, which is one process: its threads share them, and no file holds them.

Pools of threads make such semaphores, and Python's own lie in /dev/shm, which is closed to a job.
"""

import _multiprocessing  # type: ignore[import-not-found]
import threading
from typing import Final

_RECURSIVE: Final = 0
"""Kind of a lock that its owner may take again."""


class ThreadSemaphore:
    """What `multiprocessing.synchronize` expects of `_multiprocessing.SemLock`.

    Args:
        kind: whether it is a lock that its owner may take again.
        value: how often it can be taken.
        maxvalue: most that `value` may become.
        _name: name by which another process would find it; there is none.
        _unlink: whether the name goes at once.
    """

    SEM_VALUE_MAX = _multiprocessing.SemLock.SEM_VALUE_MAX

    def __init__(self, kind: int, value: int, maxvalue: int, _name: str, _unlink: bool) -> None:
        self.kind, self.maxvalue, self.name, self.handle = kind, maxvalue, None, 0
        self._free = threading.Semaphore(value)
        self._owner: int | None = None
        self._taken = 0

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take it; whether that came about in time."""
        if self.kind == _RECURSIVE and self._is_mine():
            self._taken += 1
            return True
        wait_s = max(timeout, 0) if block and timeout is not None else None
        has_it = self._free.acquire(block, wait_s)
        if has_it:
            self._owner = threading.get_ident()
            self._taken += 1
        return has_it

    def release(self) -> None:
        """Give it back.

        Raises:
            AssertionError: another thread holds it.
            ValueError: it was not taken.
        """
        if self.kind == _RECURSIVE:
            if not self._is_mine():
                raise AssertionError("attempt to release a recursive lock that another thread holds")
            if self._taken > 1:
                self._taken -= 1
                return
        elif self._get_value() >= self.maxvalue:
            raise ValueError("semaphore or lock released too many times")
        self._taken -= 1
        self._free.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _count(self) -> int:
        return self._taken

    def _is_mine(self) -> bool:
        return self._taken > 0 and self._owner == threading.get_ident()

    def _get_value(self) -> int:
        return self._free._value

    def _is_zero(self) -> bool:
        return self._get_value() == 0


def keep_semaphores_within() -> None:
    """Have every semaphore that this process makes from now on be one of its threads alone."""
    _multiprocessing.SemLock = ThreadSemaphore
