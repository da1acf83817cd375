"""Confines a process to its own files and a share of the machine, from within.

It guards against accidents and casual peeking: Python's own `open`, sockets and new processes are refused with words,
and where the kernel has Landlock, so is every other way of opening a file. It is no sandbox against an attacker, who
may, for example, write to the memory of the process.
"""

import ctypes
import os
import resource
import signal
import struct
import sys
import sysconfig
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

SYSTEM_FILES: Final = ("/proc", "/sys", "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/etc")
"""Where the dynamic linker, the clock and the count of cores are read from."""
DEVICES: Final = ("/dev/null", "/dev/urandom", "/dev/random", "/dev/zero", "/dev/shm")  # noqa: S108
"""Devices open to everyone; semaphores of joblib lie in the last."""
ADDRESS_SLACK_MB: Final = 2048
"""Addresses beyond the limit on memory: libraries and arenas reserve them without using them."""

STARTS: Final = ("os.system", "os.exec", "os.posix_spawn", "os.forkpty", "subprocess.Popen")
"""Audit events that start another program; what else does so forks first."""
FORKS: Final = ("os.fork",)


class RefusedError(PermissionError):
    """Something that a confined process may not do; the message says what it did."""


def limit_resources(memory_mb: int, file_mb: int) -> None:
    """Limit this process and those that it forks, each on its own.

    `RLIMIT_DATA` counts what a process writes to, so the limit is close to what it uses; shared memory is not in it,
    and `RLIMIT_AS` bounds that.

    Args:
        memory_mb: most memory, libraries included.
        file_mb: largest file.
    """
    limits = {
        resource.RLIMIT_DATA: memory_mb << 20,
        resource.RLIMIT_AS: (memory_mb + ADDRESS_SLACK_MB) << 20,
        resource.RLIMIT_FSIZE: file_mb << 20,
        resource.RLIMIT_CORE: 0,
    }
    for kind, limit in limits.items():
        resource.setrlimit(kind, (limit, limit))


def die_with_parent() -> None:
    """Have the kernel end this process when its parent ends, or the thread of it that started this one.

    Source:
        prctl(2), PR_SET_PDEATHSIG = 1.
    """
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def adopt_orphans() -> None:
    """Make this process the parent of every process below it whose own parent ends.

    Source:
        prctl(2), PR_SET_CHILD_SUBREAPER = 36.
    """
    ctypes.CDLL(None).prctl(36, 1)


def python_folders() -> list[str]:
    """Folders of the Python installation and its libraries, without those that are only a checkout's."""
    installed = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    found = {path for path in sys.path if "site-packages" in path or "dist-packages" in path or "lib-dynload" in path}
    return sorted({os.path.realpath(path) for path in installed | found if path})


def refuse_files(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Refuse to open any file outside these folders, from now on.

    Args:
        readable: folders or files that may be read.
        writable: folders or files that may be read and written.
    """
    written = _real(writable)
    read = (*_real(readable), *written)

    def check(path: Any, _: Any, flags: int) -> None:
        if not isinstance(path, (str, bytes)):
            return
        name = os.fsdecode(path)
        is_write = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        real = os.path.realpath(name)
        if not any(real == folder or real.startswith(f"{folder}/") for folder in (written if is_write else read)):
            raise RefusedError(f"{'wrote' if is_write else 'read'} {name}")

    _on_event(lambda event: event == "open", check)
    _landlock(read, written)


def refuse_network() -> None:
    """Refuse sockets, from now on."""

    def check(*_: Any) -> None:
        raise RefusedError("opened a network connection")

    _on_event(lambda event: event.startswith("socket.") and event != "socket.gethostname", check)


def refuse_processes(events: Iterable[str]) -> None:
    """Refuse to start other processes, from now on.

    Args:
        events: audit events to refuse, of `STARTS` and `FORKS`.
    """
    refused = frozenset(events)

    def check(*_: Any) -> None:
        raise RefusedError("started another process")

    _on_event(refused.__contains__, check)


def _on_event(is_meant: Callable[[str], bool], check: Callable[..., None]) -> None:
    sys.addaudithook(lambda event, arguments: check(*arguments) if is_meant(event) else None)


def _real(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(os.path.realpath(path) for path in paths)


_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION: Final = 1
_PATH_BENEATH: Final = 1
_NO_NEW_PRIVILEGES: Final = 38
_WRITE_FILE, _READ_FILE = 1 << 1, 1 << 2
_CHANGE_FOLDER: Final = sum(1 << bit for bit in range(4, 13))
"""Rights to remove and make entries of a folder."""


def has_landlock() -> bool:
    """Whether the kernel can hold a process to its files."""
    version: int = _system_calls().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    return version >= 1


def _system_calls() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc


def _landlock(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Have the kernel hold this process to the same files, where it can; names of folders stay readable.

    Source:
        Linux kernel documentation, Landlock: unprivileged access control; rights of ABI version 1.
    """
    if not has_landlock():
        return
    libc = _system_calls()
    handled = struct.pack("Q", _READ_FILE | _WRITE_FILE | _CHANGE_FOLDER)
    ruleset = libc.syscall(_CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), 0)
    if ruleset < 0:
        return
    try:
        for path in readable:
            _allow(libc, ruleset, path, _READ_FILE)
        for path in writable:
            rights = _READ_FILE | _WRITE_FILE
            _allow(libc, ruleset, path, rights | _CHANGE_FOLDER if Path(path).is_dir() else rights)
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        libc.syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, handle), 0)
    finally:
        os.close(handle)
