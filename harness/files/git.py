"""What git says of a checkout, and does to it."""

import os
import subprocess
from pathlib import Path

from harness.errors import UsageError


def git(folder: Path, *arguments: str, purpose: str = "", **environment: str) -> bytes:
    """What a command of git prints.

    Args:
        folder: folder of a checkout.
        arguments: command with its arguments.
        purpose: what it is needed for and what helps without it, as the message says where it is not installed.
        environment: variables of the environment besides those of this process.

    Raises:
        UsageError: git is not installed, or fails; the message has its words.
    """
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False, env={**os.environ, **environment})  # noqa: S603
    except FileNotFoundError as error:
        raise UsageError(f"git is needed{purpose}") from error
    if done.returncode:
        raise UsageError(f"git {arguments[0]}: {done.stderr.decode('utf-8', 'replace').strip() or 'failed'}")
    return done.stdout
