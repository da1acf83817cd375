"""Confines a process to its own files and a share of the machine, from within, and says what is in force.

The kernel does it: Landlock for files, a filter of system calls for everything else, no capabilities, and limits of
resources. Audit hooks say in words what Python code was refused; they hold nothing back that the kernel would let pass.
What is contained, and what is not, is listed in `docs/confinement.md`.
"""

import os
import resource
import struct
import sys
import sysconfig
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from harness.errors import DeepenError
from harness.sandbox.kernel import NO_NEW_PRIVILEGES, Kernel
from harness.sandbox.landlock import apply_landlock
from harness.sandbox.seccomp import apply_filter
from harness.sandbox.system_calls import machine

SYSTEM_FILES: Final = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/etc/ld.so.cache",
    "/etc/localtime", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/self", "/sys/devices/system/cpu",
    "/sys/devices/system/node", "/sys/fs/cgroup", "/sys/kernel/mm/transparent_hugepage",
)  # fmt: skip
"""Where the dynamic linker, the clock, and the counts of cores and memory are read from."""
DEVICES: Final = ("/dev/null", "/dev/urandom", "/dev/random", "/dev/zero")
"""Devices open to everyone."""
ADDRESS_SLACK_MB: Final = 2048
"""Addresses beyond the limit on memory: libraries and arenas reserve them without using them."""
MOST_OPEN_FILES: Final = 64
"""Files that a job may have open: those that are unlinked take space until they are closed."""
_NO_CAPABILITIES: Final = struct.pack("=Ii", 0x20080522, 0), bytes(24)
"""Header of the third version, for this process, and empty sets.

Source:
    capset(2) and Linux, include/uapi/linux/capability.h.
"""

_REFUSED_EVENTS: Final = {
    "os.system": "started another process", "os.exec": "started another process",
    "os.posix_spawn": "started another process", "os.forkpty": "started another process",
    "subprocess.Popen": "started another process", "os.fork": "started another process",
    "os.chmod": "changed the rights of a file", "os.chown": "changed the owner of a file",
    "os.utime": "changed the times of a file", "os.setxattr": "changed the attributes of a file",
    "os.killpg": "signalled other processes",
}  # fmt: skip
"""Audit events that are refused, with what the predictor did."""


class RefusedError(PermissionError):
    """Something that a confined process may not do; the message says what it did."""


class UnconfinedError(DeepenError):
    """A part of the confinement cannot be applied here, and nobody has allowed to go on without it."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """What confines a job.

    Attributes:
        parts: parts in force, each in a word or two.
        missing: parts that could not be applied, each with the reason.
    """

    parts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """What is in force, and first of all what is not."""
        mark = f"not confined ({'; '.join(self.missing)}); only " if self.missing else ""
        return mark + ", ".join(self.parts)


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
        resource.RLIMIT_NOFILE: MOST_OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }
    for kind, limit in limits.items():
        resource.setrlimit(kind, (limit, limit))


def python_folders() -> list[str]:
    """Folders of the Python installation and its libraries, without those that are only a checkout's."""
    found = {path for path in sys.path if "site-packages" in path or "dist-packages" in path or "lib-dynload" in path}
    return sorted({os.path.realpath(path) for path in _installed() | found if path})


@cache
def _installed() -> frozenset[str]:
    """Folders of this Python, which every job would ask for again."""
    return frozenset(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))


def is_within(path: str, folders: Iterable[str]) -> bool:
    """Whether a real path is one of these folders or lies in one."""
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def confine(
    readable: Iterable[str], folder: str, kernel: Kernel | None = None, listable: Iterable[str] = ()
) -> Confinement:
    """Confine this process for good: to these files, to no other process, to no network, and to no privilege.

    Args:
        readable: folders or files that may be read, besides those of Python and of the system.
        folder: the folder that may be written to.
        kernel: what the parts are asked of; the kernel of this machine where None.
        listable: folders whose names may be read, besides those that Python finds modules in.
    """
    kernel = kernel or Kernel()
    read = _real((*readable, *python_folders(), *SYSTEM_FILES))
    written = _real((folder, *DEVICES))
    listed = [*filter(None, sys.path), *listable]
    calls = machine(kernel.machine(), os.getpid())
    found: dict[str, str] = {}
    kernel.control(NO_NEW_PRIVILEGES, 1)
    version, fault = apply_landlock(kernel, read, written, listed)
    found[f"Landlock {version}"] = fault
    if calls is None:
        fault = f"seccomp: no list of the system calls of {kernel.machine()}"
        found |= {"no capabilities": fault, "seccomp": fault}
    else:
        gave_up = kernel.call(calls.capset, *_NO_CAPABILITIES) == 0
        found["no capabilities"] = "" if gave_up else f"capabilities: {kernel.error()}"
        found["seccomp"] = apply_filter(kernel, calls)
    _refuse_in_words((*read, *written), written)
    missing = tuple(dict.fromkeys(fault for fault in found.values() if fault))
    return Confinement((*(part for part, fault in found.items() if not fault), "limits"), missing)


def check_confined(confinement: Confinement, is_unconfined_allowed: bool) -> None:
    """Refuse to go on where a part is missing and nobody has allowed that.

    Raises:
        UnconfinedError: the message names what is missing and what helps.
    """
    if confinement.missing and not is_unconfined_allowed:
        raise UnconfinedError(
            f"predictors cannot be confined here ({'; '.join(confinement.missing)}), so none is run. Use Linux 5.13 or "
            "newer with Landlock switched on, on x86-64 or AArch64 and outside other sandboxes; or run `deepen "
            "evaluate --allow-unconfined`, which trusts every predictor with this machine and says so in its results"
        )


def _refuse_in_words(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Have Python code told in words what it may not do."""
    read, written = tuple(readable), tuple(writable)

    def check_open(path: Any, _: Any, flags: int) -> None:
        if not isinstance(path, (str, bytes)):
            return
        name = os.fsdecode(path)
        is_write = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        if not is_within(os.path.realpath(name), written if is_write else read):
            raise RefusedError(f"{'wrote' if is_write else 'read'} {name}")

    def check_kill(process: int, _: int) -> None:
        if process != os.getpid():
            raise RefusedError("signalled another process")

    checks: dict[str, Callable[..., None]] = {"open": check_open, "os.kill": check_kill}
    checks |= {event: _refusal(deed) for event, deed in _REFUSED_EVENTS.items()}
    network = _refusal("opened a network connection")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        check = checks.get(event)
        if check is not None:
            check(*arguments)
        elif event.startswith("socket.") and event != "socket.gethostname":
            network()

    sys.addaudithook(hook)


def _refusal(deed: str) -> Callable[..., None]:
    def refuse(*_: Any) -> None:
        raise RefusedError(deed)

    return refuse


def _real(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(os.path.realpath(path) for path in paths)
