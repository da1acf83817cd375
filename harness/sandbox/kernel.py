"""Calls of the kernel that Python's library lacks; a test puts another kernel in its place."""

import ctypes
import os
from typing import Final

_PARENT_DEATH_SIGNAL: Final = 1
_CHILD_SUBREAPER: Final = 36
NO_NEW_PRIVILEGES: Final = 38


class Kernel:
    """The kernel that this process runs on."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.syscall.restype = ctypes.c_long

    def call(self, number: int, *arguments: int | bytes | None) -> int:
        """Result of a system call; negative where it failed.

        Args:
            number: number of the call.
            arguments: numbers, content that is read, or nothing.
        """
        result: int = self._libc.syscall(ctypes.c_long(number), *map(_argument, arguments))
        return result

    def control(self, option: int, *arguments: int | bytes) -> int:
        """Result of prctl(2); negative where it failed."""
        filled = (*arguments, 0, 0, 0, 0)[:4]
        result: int = self._libc.prctl(option, *map(_argument, filled))
        return result

    def error(self) -> str:
        """Why the last call failed, in the kernel's words."""
        return os.strerror(ctypes.get_errno())

    def machine(self) -> str:
        """Name of the processor architecture."""
        return os.uname().machine


def _argument(value: int | bytes | None) -> ctypes.c_long | ctypes.c_char_p | None:
    if isinstance(value, int):
        return ctypes.c_long(value)
    return None if value is None else ctypes.c_char_p(value)


def die_with_parent(kernel: Kernel, signal: int) -> None:
    """Have the kernel end this process when its parent ends, or the thread of it that started this one.

    Source:
        prctl(2), PR_SET_PDEATHSIG.
    """
    kernel.control(_PARENT_DEATH_SIGNAL, signal)


def adopt_orphans(kernel: Kernel) -> None:
    """Make this process the parent of every process below it whose own parent ends.

    Source:
        prctl(2), PR_SET_CHILD_SUBREAPER.
    """
    kernel.control(_CHILD_SUBREAPER, 1)
