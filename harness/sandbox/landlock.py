"""Has the kernel hold a process to its files by Landlock, at the highest version that the kernel has.

Source:
    Linux kernel documentation, Landlock: unprivileged access control, and include/uapi/linux/landlock.h: rights and
    scopes, with the version of the interface that brought them.
"""

import os
import struct
from collections.abc import Iterable
from typing import Final

from harness.sandbox.kernel import NO_NEW_PRIVILEGES, Kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION: Final = 1
_PATH_BENEATH: Final = 1

_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG, _MAKE_SYM = 1 << 4, 1 << 5, 1 << 7, 1 << 8, 1 << 12
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_RIGHTS: Final = ((1, (1 << 13) - 1), (2, _REFER), (3, _TRUNCATE), (5, 1 << 15))
"""Rights on files, by the version that brought them; the last is to control devices, which nobody is given."""
_OWN_FOLDER: Final = _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _MAKE_SYM | _READ_DIR | _REFER
_NETWORK_VERSION, _TCP = 4, 0b11
_SCOPE_VERSION, _SCOPES = 6, 0b11
"""To connect to abstract sockets of others, and to signal others."""


def landlock_version(kernel: Kernel) -> int:
    """Version of the interface that the kernel has; 0 where it has none, or has it switched off."""
    return max(kernel.call(_CREATE_RULESET, None, 0, _ASK_VERSION), 0)


def apply_landlock(
    kernel: Kernel, readable: Iterable[str], writable: Iterable[str], listable: Iterable[str]
) -> tuple[int, str]:
    """Hold this process to files, for good.

    Args:
        kernel: the kernel.
        readable: folders or files that may be read.
        writable: folders or files that may be read and written.
        listable: folders whose names may be read, and no more.

    Returns:
        The version that is in force, and what went wrong in words, empty where nothing did.
    """
    version = landlock_version(kernel)
    if not version:
        return 0, f"Landlock: {kernel.error()}"
    handled = sum(rights for since, rights in _RIGHTS if since <= version)
    attributes = struct.pack(
        "=QQQ", handled, _TCP * (version >= _NETWORK_VERSION), _SCOPES * (version >= _SCOPE_VERSION)
    )
    size = 8 * (1 + (version >= _NETWORK_VERSION) + (version >= _SCOPE_VERSION))
    ruleset = kernel.call(_CREATE_RULESET, attributes, size, 0)
    if ruleset < 0:
        return 0, f"Landlock: {kernel.error()}"
    try:
        rules = [(path, _READ_FILE | _READ_DIR) for path in readable]
        rules += [(path, _READ_FILE | _WRITE_FILE | _TRUNCATE | _OWN_FOLDER) for path in writable]
        rules += [(path, _READ_DIR) for path in listable]
        is_whole = all(_allow(kernel, ruleset, path, rights & handled) for path, rights in rules)
        kernel.control(NO_NEW_PRIVILEGES, 1)
        if not is_whole or kernel.call(_RESTRICT_SELF, ruleset, 0) != 0:
            return 0, f"Landlock: {kernel.error()}"
    finally:
        os.close(ruleset)
    return version, ""


def _allow(kernel: Kernel, ruleset: int, path: str, rights: int) -> bool:
    """Whether the rights are given; those that files cannot have are left out."""
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        # What is not there needs no rule.
        return True
    try:
        given = rights if os.path.isdir(path) else rights & (_READ_FILE | _WRITE_FILE | _TRUNCATE)  # noqa: PTH112
        return not given or kernel.call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", given, handle), 0) == 0
    finally:
        os.close(handle)
