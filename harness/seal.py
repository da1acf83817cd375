"""A seal on results: a code of their content under a key of this user, which no predictor can read.

Who edits a result cannot seal it again without the key. It is made at first use, outside the folders of results.
"""

import hashlib
import hmac
import os
import secrets
from functools import cache
from pathlib import Path
from typing import Final

from harness.errors import UsageError

_N_BYTES: Final = 32


def seal_of(content: bytes) -> str:
    """Seal of content: 64 hexadecimal digits.

    Raises:
        UsageError: there is no key, and none can be written.
    """
    return hmac.new(_key(_key_path()), content, hashlib.sha256).hexdigest()


def is_sealed(content: bytes, seal: str) -> bool:
    """Whether content has this seal.

    Raises:
        UsageError: there is no key, and none can be written.
    """
    return hmac.compare_digest(seal_of(content).encode(), seal.encode())


def _key_path() -> Path:
    """File of the key, in the folder of state of the user (XDG Base Directory Specification)."""
    return Path(user_folder("XDG_STATE_HOME", ".local/state"), "deepen", "results.key")


def user_folder(variable: str, inside: str) -> Path:
    """A folder of the user: that of a variable of the environment, or one in the home.

    Raises:
        UsageError: the variable is not set, and the user has no home.
    """
    stated = os.environ.get(variable)
    try:
        return Path(stated) if stated else Path.home() / inside
    except RuntimeError as error:
        raise UsageError(f"this user has no home folder; expected one, or {variable}. Set {variable}") from error


@cache
def _key(path: Path) -> bytes:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The key appears under its name when it is whole; who comes second takes the one that is there.
        fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
        if not path.exists():
            fresh.touch(mode=0o600)
            fresh.write_bytes(secrets.token_bytes(_N_BYTES))
            try:
                os.link(fresh, path)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        key = path.read_bytes()
    except (OSError, RuntimeError) as error:
        raise UsageError(
            f"{path}: the key that results are sealed with cannot be read or written ({error}); expected a file of "
            f"{_N_BYTES} bytes. Set XDG_STATE_HOME to a folder that you can write to"
        ) from error
    if len(key) != _N_BYTES:
        raise UsageError(f"{path}: {len(key)} bytes; expected a key of {_N_BYTES} bytes. Remove the file")
    return key
