"""Estimates in a file of JSON lines, one per layer and accelerator, which stays readable if a run is killed.

One process writes it; the workers give their results to that process.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import UsageError
from harness.simulation.accelerators import Accelerator, estimator_version
from harness.simulation.estimator import Estimate, settings_version
from harness.simulation.layers import Layer


class Entry(NamedTuple):
    """Outcome of one estimation.

    Attributes:
        estimate: what the layer costs; None where it has no mapping.
        failure: reason why it has none; None where it has one.
        seconds: time that the estimation took on one core.
    """

    estimate: Estimate | None
    failure: str | None
    seconds: float


def entry_key(layer: Layer, accelerator: Accelerator) -> str:
    """Content hash of everything that an estimate depends on."""
    parts = {
        "accelerator": accelerator.id,
        "files": accelerator.files_sha256,
        "estimator": estimator_version(),
        "settings": settings_version(),
        "orders": accelerator.orders,
        "layer": layer,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Cache:
    """Estimates by their key, and their file.

    Attributes:
        path: file of JSON lines.
        entries: outcomes by key.
        n_torn: lines that could not be read; a writer that was killed leaves at most one.
    """

    path: Path
    entries: dict[str, Entry]
    n_torn: int

    def add(self, layer: Layer, accelerator: Accelerator, entry: Entry) -> None:
        """Store an outcome, in memory and on disk."""
        key = entry_key(layer, accelerator)
        self.entries[key] = entry
        line: dict[str, Any] = {"key": key, "accelerator": accelerator.id, "layer": list(layer)}
        if entry.estimate is not None:
            line |= entry.estimate._asdict()
        line |= {"failure": entry.failure, "seconds": round(entry.seconds, 3)}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def get(self, layer: Layer, accelerator: Accelerator) -> Entry | None:
        """Outcome for a layer, where there is one."""
        return self.entries.get(entry_key(layer, accelerator))


def open_cache(path: Path) -> Cache:
    """Read a cache, which may not exist yet; a line that was cut short is removed.

    Raises:
        UsageError: the path is not a file, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = path.read_bytes() if path.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        entries, n_torn = _read(whole.splitlines())
        if len(whole) < len(data):
            n_torn += 1
            with path.open("r+b") as file:
                file.truncate(len(whole))
                os.fsync(file.fileno())
    except OSError as error:
        raise UsageError(f"{path.as_posix()} cannot be used as a cache: {error.strerror}") from error
    return Cache(path, entries, n_torn)


def _read(lines: Iterable[bytes]) -> tuple[dict[str, Entry], int]:
    """Outcomes by key, and the number of lines without one."""
    entries: dict[str, Entry] = {}
    n_torn = 0
    for line in lines:
        try:
            fields = json.loads(line)
            failure = fields["failure"]
            estimate = None if failure else Estimate(fields["energy_pj"], fields["cycles"])
            entries[fields["key"]] = Entry(estimate, failure, fields["seconds"])
        except (ValueError, KeyError, TypeError):
            n_torn += 1
    return entries, n_torn
