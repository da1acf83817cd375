"""Has the kernel refuse a process every system call but those of `harness.sandbox.system_calls`.

Source:
    seccomp(2) and Linux, include/uapi/linux/filter.h and seccomp.h: instructions, and the layout of what they read.
"""

import ctypes
import errno
import struct
from collections.abc import Iterator
from typing import Final

from harness.sandbox.kernel import Kernel
from harness.sandbox.system_calls import CLONE3, Condition, Machine

_LOAD: Final = 0x20
_AND: Final = 0x54
_JUMP_EQUAL: Final = 0x15
_JUMP_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06
_ALLOW: Final = 0x7FFF0000
_ERROR: Final = 0x00050000
_KILL: Final = 0x80000000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Offsets in `struct seccomp_data`; the lower half of an argument comes first on both architectures."""
_X32: Final = 0x40000000
"""First number of the calls of x86-64 with pointers of 32 bits."""
_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2
_REFUSED: Final = _ERROR | errno.EPERM
_UNKNOWN: Final = _ERROR | errno.ENOSYS

Instruction = tuple[int, int, int, int]


def apply_filter(kernel: Kernel, machine: Machine) -> str:
    """Install the filter in this process, for good; what went wrong in words, empty where nothing did."""
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in filter_of(machine))
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    if kernel.control(_SET_SECCOMP, _MODE_FILTER, program) != 0:
        return f"seccomp: {kernel.error()}"
    return ""


def filter_of(machine: Machine) -> list[Instruction]:
    """Instructions: code, places to jump if true and if false, and operand."""
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _REFUSED),
        (_JUMP_EQUAL, 0, 1, CLONE3),
        (_RETURN, 0, 0, _UNKNOWN),
    ]
    for number in machine.free:
        program += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    for number, condition in machine.narrowed.items():
        block = list(_block(condition))
        program += [(_JUMP_EQUAL, 0, len(block), number), *block]
    return [*program, (_RETURN, 0, 0, _REFUSED)]


def _block(condition: Condition) -> Iterator[Instruction]:
    listed, other = (_REFUSED, _ALLOW) if condition.is_refused else (_ALLOW, _REFUSED)
    yield _LOAD, 0, 0, _ARGUMENTS + 8 * condition.argument
    yield _AND, 0, 0, condition.mask
    for value in condition.values:
        yield _JUMP_EQUAL, 0, 1, value
        yield _RETURN, 0, 0, listed
    yield _RETURN, 0, 0, other
