"""Folder of a run: it is whole at any moment, and what is not measured yet is measured by `resume`.

`run.json` states machine, meter, protocol and the entries to measure. Each entry has a folder with the log of the
meter and the windows, and `entry.json`, which is written last: an entry without it is measured again.
"""

from __future__ import annotations

import json
import shutil
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deepen_measure.errors import MeasureError
from deepen_measure.files import sha256_of, write_json

SCHEMA_VERSION = 1
_DRIFT = 0.03
RUN, ENTRY, MANIFEST, PLAN = "run.json", "entry.json", "manifest.json", "plan"


def require_empty(folder: Path) -> None:
    """Refuse a folder that holds something; what a run that ended before it began left of its plan is removed.

    Raises:
        MeasureError: the folder holds something.
    """
    held = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if held - {PLAN}:
        fix = f"Continue it with deepen-measure resume {folder}, or name another folder."
        raise MeasureError(f"{folder} holds something", "an empty folder", fix)
    if held:
        shutil.rmtree(folder / PLAN)


def begin(folder: Path, facts: dict[str, Any]) -> None:
    """Write what a run is to measure, from when on it can be resumed."""
    zone = time.strftime("%z")
    write_json(folder / RUN, {"schema_version": SCHEMA_VERSION, "zone": zone, "started_s": time.time(), **facts})


def read_run(folder: Path) -> dict[str, Any]:
    """What `run.json` states.

    Raises:
        MeasureError: the folder is no run of this program.
    """
    path = folder / RUN
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MeasureError(f"{path}: {error}", "the folder of a run", "Name the folder that run wrote.") from error
    if not isinstance(found, dict) or found.get("schema_version") != SCHEMA_VERSION:
        raise MeasureError(
            f"{path} is of another layout", f"schema_version {SCHEMA_VERSION}", "Use the version of then."
        )
    return found


def left_over(folder: Path, run: dict[str, Any]) -> list[dict[str, Any]]:
    """Entries that are not measured yet, in their order; what an end in between left of them is removed."""
    waiting = [entry for entry in run["entries"] if not (folder / entry["id"] / ENTRY).is_file()]
    for entry in waiting:
        shutil.rmtree(folder / entry["id"], ignore_errors=True)
    return waiting


def drift(folder: Path, run: dict[str, Any], entry: dict[str, Any], latency_ms: float) -> list[str]:
    """A sentence where the latency of an anchor has moved since it was measured first; none where it has not.

    Args:
        folder: folder of the run.
        run: what `run.json` states.
        entry: measurement that has ended.
        latency_ms: its latency.
    """
    alike = [each for each in run["entries"] if each.get("is_anchor") and each["model"] == entry.get("model")]
    if not entry.get("is_anchor") or alike[0]["id"] == entry["id"]:
        return []
    first = json.loads((folder / alike[0]["id"] / ENTRY).read_text(encoding="utf-8"))["latency_ms"]
    moved = latency_ms / first - 1
    return [f"the latency of the anchor moved by {moved:+.1%} since {alike[0]['id']}"] if abs(moved) > _DRIFT else []


def end_entry(folder: Path, entry: dict[str, Any], observed: dict[str, Any]) -> None:
    """Write that an entry is measured, with the hashes of its files."""
    home = folder / entry["id"]
    files = {path.name: sha256_of(path) for path in sorted(home.iterdir()) if path.name != ENTRY}
    write_json(home / ENTRY, {**entry, **observed, "files": files})


def pack(folder: Path, target: Path) -> int:
    """Pack a run that is measured into a ZIP file with the hash of every file; number of its entries.

    Raises:
        MeasureError: something is not measured yet, or a file is not as it was written.
    """
    run = read_run(folder)
    waiting = [entry["id"] for entry in run["entries"] if not (folder / entry["id"] / ENTRY).is_file()]
    if waiting:
        fix = f"End it with deepen-measure resume {folder}."
        raise MeasureError(
            f"{len(waiting)} entries of {folder} are not measured, {waiting[0]} first", "a whole run", fix
        )
    planned = [f"{PLAN}/plan.json"] if (folder / PLAN).is_dir() else []
    measured = [f"{entry['id']}/{name}" for entry in run["entries"] for name in _files_of(folder / entry["id"])]
    names = [RUN, *planned, *measured]
    manifest = {name: sha256_of(folder / name) for name in names}
    part = target.with_name(f".{target.name}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.write(folder / name, name)
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    part.replace(target)
    return len(run["entries"])


def _files_of(home: Path) -> Iterable[str]:
    """Files of an entry that is measured.

    Raises:
        MeasureError: one is not as it was written.
    """
    stated: dict[str, str] = json.loads((home / ENTRY).read_text(encoding="utf-8"))["files"]
    for name, digest in stated.items():
        if not (home / name).is_file() or sha256_of(home / name) != digest:
            raise MeasureError(f"{home / name} is not as it was written", digest, f"Delete {home} and resume the run.")
    return [ENTRY, *stated]
