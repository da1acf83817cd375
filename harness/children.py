"""Processes that end with the one that started them, even where that one is killed."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_START: Final = f"""
import ctypes, os, runpy, sys
ctypes.CDLL(None).prctl({_PR_SET_PDEATHSIG}, {int(signal.SIGKILL)})
if os.getppid() != int(sys.argv[1]):
    os._exit(1)
sys.argv[:] = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
"""The child asks for its end first, and then looks whether its parent has ended before it asked."""


def end_with(parent: int) -> None:
    """Have the kernel end this process when its parent ends, if that is the process of a number.

    Source:
        prctl(2), PR_SET_PDEATHSIG.
    """
    if os.getppid() == parent:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def run_module(
    module: str, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a module of Python as a program, in a process that ends with this one.

    Args:
        module: name of the module, as after `python -m`.
        arguments: its arguments.
        folder: working directory, where modules are looked for first.
        environment: its environment.

    Returns:
        Exit status and what it printed.
    """
    command = [sys.executable, "-c", _START, str(os.getpid()), module, *arguments]
    return subprocess.run(  # noqa: S603 - our own interpreter
        command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace", check=False
    )
