"""Reading files of the system, and writing files that are whole at any moment."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path


def text_of(path: Path) -> str | None:
    """Text of a small file without white space around it; None where it is not there or cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0 \t\r\n")
    except OSError:
        return None


def number_of(path: Path) -> int | None:
    """Whole number that a file holds; None where it holds none."""
    text = text_of(path)
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def write_whole(path: Path, text: str) -> None:
    """Write a file that is there in full or not at all, also where the process is killed meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def write_json(path: Path, content: object) -> None:
    """Write a JSON file as `write_whole` does."""
    write_whole(path, json.dumps(content, indent=1, sort_keys=True) + "\n")


def sha256_of(path: Path) -> str:
    """SHA-256 of the bytes of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
