"""Plans that `deepen plan` wrote: model files of kernels and networks, and the order to measure them in.

A plan is a folder, or a ZIP file of one. Its files are copied into the folder of the run, with the hashes of the plan.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from deepen_measure.errors import MeasureError
from deepen_measure.files import sha256_of

FILE = "plan.json"
SCHEMA_VERSION = 1
FORMATS = {"onnxruntime": "onnx", "litert": "tflite"}
"""Format of the files that each runtime runs; of runtimes that run as many, the first one is taken."""
_LARGEST_PLAN = 64 << 20
_PATH = re.compile(r"[a-z]+/[A-Za-z0-9_][A-Za-z0-9._-]*")
_FIX = "Copy what deepen plan wrote once more."


class Planned(NamedTuple):
    """What a run takes from a plan.

    Attributes:
        facts: the plan as `run.json` states it.
        entries: measurements in their order.
        skipped: measurements that cannot be made, each with its reason.
    """

    facts: dict[str, Any]
    entries: list[dict[str, Any]]
    skipped: list[dict[str, Any]]


def is_plan(path: Path) -> bool:
    """Whether a path is a plan and not a model: a folder, its plan.json, or a ZIP file."""
    return path.is_dir() or path.name == FILE or path.suffix == ".zip"


def take(path: Path, home: Path, runtime: str) -> Planned:
    """Copy the files of a plan that a runtime runs.

    Args:
        path: folder of the plan, its plan.json, or a ZIP file of it.
        home: folder that they are copied to, which is made.
        runtime: one of `FORMATS`.

    Raises:
        MeasureError: it is no plan, or a file is missing or another one.
    """
    with _opened(path) as source:
        plan = source.plan
        home.mkdir(parents=True)
        entries, skipped = [], []
        for item, is_anchor in _ordered(plan, path):
            file = next((each for each in item.pop("files") if each["format"] == FORMATS[runtime]), None)
            entry = {**item, "is_anchor": is_anchor}
            if file is None:
                skipped.append({**entry, "reason": f"the plan has no {FORMATS[runtime]} file of it"})
                continue
            facts = {name: file[name] for name in ("sha256", "fusion_rules", "inputs")}
            entries.append({**entry, "model": f"{home.name}/{file['path']}", **facts})
            _copy(source, file, home)
        (home / FILE).write_bytes(source.content)
    names = ("device_id", "delegate", "dtype", "seed")
    return Planned({name: plan[name] for name in names} | {"sha256": sha256_of(home / FILE)}, entries, skipped)


def n_files(path: Path, runtime: str) -> int:
    """Measurements of a plan that a runtime has a file for.

    Args:
        path: as for `take`.
        runtime: one of `FORMATS`.

    Raises:
        MeasureError: it is no plan.
    """
    with _opened(path) as source:
        formats = [[file["format"] for file in item["files"]] for item, _ in _ordered(source.plan, path)]
    return sum(FORMATS[runtime] in of_item for of_item in formats)


def with_anchors(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Measurements with numbers; where no anchor is left, the first one is measured in the middle and last as well.

    Args:
        entries: measurements that can be made, in their order; at least one.
    """
    ordered = list(entries)
    if not any(entry["is_anchor"] for entry in entries):
        first = {**entries[0], "is_anchor": True}
        middle = 1 + len(entries[1:]) // 2
        ordered = [first, *entries[1:middle], first, *entries[middle:], first]
    return [{**entry, "id": f"{number:03d}-{entry['id']}"} for number, entry in enumerate(ordered, 1)]


class _Source:
    """Files of a plan, in a folder or a ZIP file."""

    def __init__(self, path: Path, archive: zipfile.ZipFile | None) -> None:
        self.path, self.archive, self.prefix = path, archive, ""
        if archive is not None:
            found = [name for name in archive.namelist() if name.rpartition("/")[2] == FILE]
            self.prefix = min(found, key=len, default=FILE)[: -len(FILE)]
        self.content = self.read(FILE, _LARGEST_PLAN)
        self.plan = _checked(self.content, path)

    def read(self, name: str, most: int) -> bytes:
        """Content of a file of the plan, by its path in it; of one that is longer, one byte more than may be.

        Raises:
            MeasureError: it is not there, or damaged.
        """
        try:
            opened = (self.path / name).open("rb") if self.archive is None else self.archive.open(self.prefix + name)
            with opened as file:
                return file.read(most + 1)
        except KeyError as error:
            raise MeasureError(f"{self.path}: {name} is not there", "a file of the plan", _FIX) from error
        except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            raise MeasureError(f"{self.path}: {name}: {error}", "a file of the plan", _FIX) from error


@contextmanager
def _opened(path: Path) -> Iterator[_Source]:
    folder = path.parent if path.name == FILE else path
    if folder.is_dir():
        yield _Source(folder, None)
        return
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise MeasureError(f"{path}: {error}", "what deepen plan wrote, or a ZIP file of it", _FIX) from error
    with archive:
        yield _Source(path, archive)


def _checked(content: bytes, path: Path) -> dict[str, Any]:
    """Contents of plan.json.

    Raises:
        MeasureError: it is none, or of another layout.
    """
    try:
        plan = json.loads(content)
        version = plan["schema_version"]
    except (ValueError, TypeError, KeyError) as error:
        raise MeasureError(f"{path}: {FILE} is none ({error})", "what deepen plan wrote", _FIX) from error
    if version != SCHEMA_VERSION:
        fix = "Use the deepen-measure of the same release as the deepen that planned."
        raise MeasureError(f"{path}: {FILE} of layout {version!r}", f"layout {SCHEMA_VERSION}", fix)
    return dict(plan)


def _ordered(plan: Mapping[str, Any], path: Path) -> list[tuple[dict[str, Any], bool]]:
    """Kernels and networks in the order to measure them, each with its files, and whether it is an anchor.

    Raises:
        MeasureError: a part of the plan is missing.
    """
    try:
        items = {
            kernel["id"]: {
                "id": kernel["id"], "level": "kernels", "dtype": plan["dtype"], "files": kernel["files"],
                "planned": {name: value for name, value in kernel.items() if name not in ("id", "files")},
            }
            for kernel in plan["kernels"]
        }  # fmt: skip
        items |= {
            network["id"]: {
                "id": network["id"], "level": "models", "dtype": network["dtype"], "files": [network["file"]],
                "planned": {"model": network["model"]},
            }
            for network in plan["networks"]
            if network["file"] is not None
        }  # fmt: skip
        for item in items.values():
            item["files"] = [_file(file) for file in item["files"]]
        return [(dict(items[each["id"]]), bool(each["is_anchor"])) for each in plan["order"]]
    except (AttributeError, TypeError, ValueError, KeyError) as error:
        raise MeasureError(f"{path}: {FILE} is not whole ({error})", "what deepen plan wrote", _FIX) from error


def _file(file: Mapping[str, Any]) -> dict[str, Any]:
    """A file as the plan states it."""
    inputs = {str(each["name"]): [float(each["low"]), float(each["high"])] for each in file["inputs"]}
    words = {name: str(file[name]) for name in ("format", "path", "sha256", "fusion_rules")}
    return {**words, "n_bytes": int(file["n_bytes"]), "inputs": inputs}


def _copy(source: _Source, file: Mapping[str, Any], home: Path) -> None:
    """Copy one file, no more bytes of it than the plan states.

    Raises:
        MeasureError: its path leads elsewhere, or it is another file.
    """
    name, target = file["path"], home / file["path"]
    if not _PATH.fullmatch(name):
        raise MeasureError(f"{source.path}: {name!r}", "a path within the plan", _FIX)
    if target.exists():
        return
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(source.read(name, file["n_bytes"]))
    if sha256_of(target) != file["sha256"]:
        raise MeasureError(f"{source.path}: {name} is another file than was planned", file["sha256"], _FIX)
