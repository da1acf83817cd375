"""System calls that a job may make: everything that computes, and nothing that reaches beyond its process and files.

What is not listed is refused, so that a call that a later kernel brings is refused too.

Source:
    Linux, arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h: the numbers; include/uapi/linux
    (fcntl.h, fadvise.h, sched.h, prctl.h) and include/uapi/asm-generic (ioctls.h, mman-common.h): the values of
    arguments.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_BOTH: Final[Mapping[str, tuple[int, int]]] = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80), "newfstatat": (262, 79),
    "statx": (332, 291), "lseek": (8, 62), "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215),
    "brk": (12, 214), "mremap": (25, 216), "msync": (26, 227),
    "pread64": (17, 67), "pwrite64": (18, 68), "readv": (19, 65), "writev": (20, 66), "preadv": (295, 69),
    "pwritev": (296, 70), "faccessat": (269, 48),
    "faccessat2": (439, 439), "pipe2": (293, 59), "pselect6": (270, 72), "ppoll": (271, 73), "sched_yield": (24, 124),
    "dup": (32, 23), "dup3": (292, 24), "nanosleep": (35, 101), "clock_nanosleep": (230, 115),
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "gettimeofday": (96, 169), "times": (100, 153),
    "getpid": (39, 172), "getppid": (110, 173), "gettid": (186, 178), "getuid": (102, 174), "geteuid": (107, 175),
    "getgid": (104, 176), "getegid": (108, 177), "getresuid": (118, 148), "getresgid": (120, 150),
    "getgroups": (115, 158), "getpgid": (121, 155), "getsid": (124, 156), "fsync": (74, 82),
    "fdatasync": (75, 83), "ftruncate": (77, 46), "getdents64": (217, 61), "getcwd": (79, 17), "chdir": (80, 49),
    "fchdir": (81, 50), "renameat": (264, 38), "renameat2": (316, 276), "mkdirat": (258, 34), "unlinkat": (263, 35),
    "linkat": (265, 37), "symlinkat": (266, 36), "readlinkat": (267, 78), "umask": (95, 166), "uname": (63, 160),
    "sysinfo": (99, 179), "getrusage": (98, 165), "getrlimit": (97, 163), "setrlimit": (160, 164),
    "set_tid_address": (218, 96), "set_robust_list": (273, 99), "rseq": (334, 293), "futex": (202, 98),
    "exit": (60, 93), "exit_group": (231, 94), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "rt_sigpending": (127, 136), "rt_sigtimedwait": (128, 137),
    "rt_sigsuspend": (130, 133), "sigaltstack": (131, 132), "setitimer": (38, 103), "getitimer": (36, 102),
    "timer_create": (222, 107), "timer_settime": (223, 110), "timer_gettime": (224, 108),
    "timer_getoverrun": (225, 109), "timer_delete": (226, 111), "timerfd_create": (283, 85),
    "timerfd_settime": (286, 86), "timerfd_gettime": (287, 87), "eventfd2": (290, 19), "epoll_create1": (291, 20),
    "epoll_ctl": (233, 21), "epoll_pwait": (281, 22), "getrandom": (318, 278), "sched_getaffinity": (204, 123),
    "sched_getparam": (143, 121), "sched_getscheduler": (145, 120), "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126), "getcpu": (309, 168), "membarrier": (324, 283),
    "restart_syscall": (219, 128), "copy_file_range": (326, 285),
    "sendfile": (40, 71), "getpriority": (140, 141), "statfs": (137, 43), "fstatfs": (138, 44),
}  # fmt: skip
"""Calls by name, with their numbers on x86-64 and on AArch64."""
_X86_64_ONLY: Final[Mapping[str, int]] = {
    "stat": 4, "lstat": 6, "access": 21, "pipe": 22, "select": 23, "poll": 7, "dup2": 33, "time": 201, "getpgrp": 111,
    "getdents": 78, "rename": 82, "mkdir": 83, "rmdir": 84, "unlink": 87, "link": 86, "symlink": 88, "readlink": 89,
    "arch_prctl": 158, "pause": 34, "alarm": 37, "eventfd": 284, "epoll_create": 213, "epoll_wait": 232,
}  # fmt: skip
"""Calls that AArch64 has under later names alone."""
_NARROWED: Final[Mapping[str, tuple[int, int]]] = {
    "openat": (257, 56), "fcntl": (72, 25), "ioctl": (16, 29), "clone": (56, 220), "kill": (62, 129),
    "tgkill": (234, 131), "prctl": (157, 167), "prlimit64": (302, 261), "sched_setaffinity": (203, 122),
    "madvise": (28, 233), "fadvise64": (221, 223),
}  # fmt: skip
"""Calls that are allowed with some arguments only."""
_OPEN_X86_64: Final = 2
CLONE3: Final = 435
"""Its arguments lie in memory, where a filter cannot see them: answered as unknown, and libraries then call `clone`."""

_COMMANDS_OF_FCNTL: Final = (0, 1, 2, 3, 4, 1030, 1031, 1032)
"""Duplicates, flags and the size of a pipe: none that others notice, such as locks, or that has signals sent."""
_COMMANDS_OF_IOCTL: Final = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""Whether it is a terminal and how large, bytes that wait, blocking, and closing when another program starts."""
_OPTIONS_OF_PRCTL: Final = (3, 15, 16, 41, 42, 0x53564D41)
"""Names of threads and of memory, and huge pages."""
_CLONE_THREAD: Final = 0x10000 | 0x400 | 0x200
"""A thread that shares the open files of its process, which are watched, and its folder."""
_KEEPS_CACHED: Final = (0, 1, 2, 3)
"""Advice on a file that drops nothing of it from memory, where another job would notice."""
_MERGES_OR_DROPS: Final = (12, 20, 21)
"""Advice on memory by which pages are merged with equal ones of other processes, or dropped for all."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What an argument has to be; only its lower 32 bits are compared, which is all that the kernel reads of these.

    Attributes:
        argument: its place, from 0.
        values: what it may be, once `mask` is applied; or may not be.
        mask: bits that are compared.
        is_refused: whether these are the values that are refused.
    """

    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """A processor architecture.

    Attributes:
        audit: its number in `struct seccomp_data`.
        free: numbers of the calls that are allowed as they come.
        narrowed: numbers of the calls that are allowed on a condition.
        capset: number of the call that gives up capabilities, before the filter.
    """

    audit: int
    free: tuple[int, ...]
    narrowed: Mapping[int, Condition]
    capset: int


def machine(name: str, process: int) -> Machine | None:
    """Calls of an architecture that a process may make; None where the architecture is not known.

    Args:
        name: as `os.uname` gives it.
        process: number of the process, the only one that it may signal.
    """
    place = {"x86_64": 0, "aarch64": 1}.get(name)
    if place is None:
        return None
    conditions = _conditions(process)
    narrowed = {numbers[place]: conditions[call] for call, numbers in _NARROWED.items()}
    free = [numbers[place] for numbers in _BOTH.values()]
    if name == "x86_64":
        free += _X86_64_ONLY.values()
        narrowed[_OPEN_X86_64] = _no_truncation(1)
    audit, capset = ((0xC000003E, 126), (0xC00000B7, 91))[place]
    return Machine(audit, tuple(sorted(free)), narrowed, capset)


def _conditions(process: int) -> Mapping[str, Condition]:
    itself = Condition(0, (process,))
    return {
        "openat": _no_truncation(2),
        "fcntl": Condition(1, _COMMANDS_OF_FCNTL),
        "ioctl": Condition(1, _COMMANDS_OF_IOCTL),
        "clone": Condition(0, (_CLONE_THREAD,), mask=_CLONE_THREAD),
        "kill": itself,
        "tgkill": itself,
        "prctl": Condition(0, _OPTIONS_OF_PRCTL),
        "prlimit64": Condition(0, (0, process)),
        "sched_setaffinity": Condition(0, (0, process)),
        "madvise": Condition(2, _MERGES_OR_DROPS, is_refused=True),
        "fadvise64": Condition(3, _KEEPS_CACHED),
    }


def _no_truncation(argument: int) -> Condition:
    """Flags that do not empty a file that is opened for reading, which Landlock passes before its third version."""
    return Condition(argument, (os.O_TRUNC,), mask=os.O_TRUNC | os.O_ACCMODE, is_refused=True)
