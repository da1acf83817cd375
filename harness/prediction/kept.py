"""Answers kept in the cache of the user, under a hash of all that they depend on, and sealed.

Nothing is read anew to find one: its key is a hash of the rows' files, of the program and of what was asked. So none is
stale, and one that somebody wrote or changed without the key of this user is not believed.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

from harness.errors import DeepenError, UsageError
from harness.files import write_file
from harness.predictor.package_files import CACHE, file_digest, package_folders
from harness.predictor.protocol import RESTS_ON, PredictorError
from harness.predictor.registry import HARNESS, PACKAGE
from harness.seal import is_sealed, seal_of, user_folder

_N_DIGITS: Final = 64
"""Length of a key; other names in the folder are those of files that are being written."""
_MOST_KEPT: Final = 64
"""Files beyond which the oldest are removed: of code or rows of before, none is ever asked for again."""


def key_of(data: Sequence[Path], device_id: str) -> str | None:
    """Hash of the rows' files of a device, and of the program; None where they are not in plain folders of its name.

    Args:
        data: trees, device folders or campaign folders.
        device_id: device.
    """
    digest = hashlib.sha256(device_id.encode(errors="surrogateescape"))
    for path in (each.absolute() for each in data):
        places = (path / device_id, path, path.parent)
        home = next((each for each in places if each.name == device_id and each.is_dir()), None)
        if home is None:
            return None
        # Beside the devices lie kernel lists that campaigns share.
        folders = [home, *sorted(home.parent.glob("_*"))]
        if any(each.is_symlink() for each in (path, *folders)):
            return None
        digest.update(f"\0{path.relative_to(home.parent)}\0".encode(errors="surrogateescape"))
        try:
            for folder in folders:
                _add(digest, folder)
        except PredictorError:
            # A file that cannot be read, which is said where the rows are.
            return None
    _add_program(digest)
    return digest.hexdigest()


def key_for(key: str, *asked: str | None) -> str:
    """Key of one question, from the hash of what all of them depend on."""
    return hashlib.sha256(json.dumps([key, *asked]).encode()).hexdigest()


def read_kept(key: str) -> bytes | None:
    """What is kept under a key; None where there is nothing, or nothing with the seal of this user."""
    try:
        seal, _, content = _file(key).read_bytes().partition(b"\n")
        return content if is_sealed(_sealed(key, content), seal.decode()) else None
    except (OSError, UnicodeDecodeError, UsageError):
        return None


def keep(key: str, content: bytes) -> None:
    """Keep something under a key; where nothing can be written, nothing is kept."""
    # The answer is given all the same, and found anew next time.
    with suppress(DeepenError):
        path = _file(key)
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_file(path, seal_of(_sealed(key, content)).encode() + b"\n" + content)
        _remove_oldest(path.parent)


def _sealed(key: str, content: bytes) -> bytes:
    """What is sealed: content with its key, so that it is not believed under another."""
    return f"{key}\n".encode() + content


def _file(key: str) -> Path:
    """File of a key, in the folder of caches of the user (XDG Base Directory Specification)."""
    return Path(user_folder("XDG_CACHE_HOME", ".cache"), "deepen", "fitted", key)


def _remove_oldest(folder: Path) -> None:
    with suppress(OSError):
        kept = (path for path in folder.iterdir() if len(path.name) == _N_DIGITS)
        for path in sorted(kept, key=lambda path: path.stat().st_mtime)[:-_MOST_KEPT]:
            path.unlink()


def _add_program(digest: "hashlib._Hash") -> None:
    """Add the code of the harness and of the predictors, and what both run on."""
    for package in (HARNESS, PACKAGE):
        for folder in package_folders(package):
            _add(digest, folder)
    digest.update(sys.version.encode())
    digest.update(json.dumps([[name, version(name)] for name in RESTS_ON]).encode())


def _add(digest: "hashlib._Hash", folder: Path) -> None:
    """Add every file below a folder, by its path and content; compiled code is no file of its own."""
    for path in _below(folder):
        digest.update(f"{path.relative_to(folder)}\0{file_digest(path)}\0".encode(errors="surrogateescape"))


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        folders[:] = sorted(set(folders) - {CACHE, *links})
        yield from (Path(parent, name) for name in sorted([*files, *links]))
