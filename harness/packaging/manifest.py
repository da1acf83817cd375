"""The manifest of a dataset: SHA-256 of every file and row, and the check of a folder against it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness import __version__
from harness.errors import ReleaseError
from harness.packaging.plan import DataFile, DatasetPlan
from harness.packaging.texts import Sha256
from harness.schema.vocabulary import Level, Split
from harness.splits import split_version

MANIFEST: Final = "manifest.json"
_ROWS: Final = "data/"
"""Folder of the rows; tables beside them are in another."""


class FileEntry(BaseModel):
    """One file of a dataset; `n_rows` is for Parquet files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Annotated[str, Field(pattern=r"^((data/[a-z]+|tables)/)?[A-Za-z0-9][A-Za-z0-9._-]*$")]
    sha256: Sha256
    n_bytes: int
    n_rows: int | None


class DatasetManifest(BaseModel):
    """Contents of one dataset, with a digest of every file and row.

    Attributes:
        dataset: first argument of `load_dataset`.
        level: its level.
        version: its version.
        split_version: version of the split.
        harness_version: version of the program that wrote it.
        content_sha256: digest of all rows with their evidence and split, and of the tables beside them.
        n_rows: rows of all splits.
        configs: files of every configuration by split, as `load_dataset` reads them.
        files: every file except the manifest itself.
        rows: SHA-256 of every row by its record id.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    level: Level
    version: str
    split_version: str
    harness_version: str
    content_sha256: Sha256
    n_rows: int
    configs: dict[str, dict[Split, list[str]]]
    files: list[FileEntry]
    rows: dict[str, Sha256]


def row_sha256(row: Mapping[str, Any]) -> str:
    """SHA-256 of a row's canonical JSON; absent and null count alike, so that a new optional field changes no row.

    >>> row_sha256({"a": 1.5, "b": None}) == row_sha256({"a": 1.5})
    True
    >>> row_sha256({"a": [{"b": 1, "c": None}]}) == row_sha256({"a": [{"b": 1}]})
    True
    """
    canonical = json.dumps(
        _given(dict(row)), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def _given(value: Any) -> Any:
    """Value without the fields that are null, in nested records as well."""
    if isinstance(value, dict):
        return {name: _given(inner) for name, inner in value.items() if inner is not None}
    return [_given(item) for item in value] if isinstance(value, list) else value


def hash_rows(tables: Mapping[str, pa.Table]) -> tuple[dict[str, str], str]:
    """Digest of every row of the level by record id, and of all content with the evidence and split of each row.

    What a file is called after a hyphen, and the order of rows, change no digest.

    Args:
        tables: rows of every Parquet file, by its path in the dataset folder.
    """
    rows, lines = {}, []
    for path, table in tables.items():
        place = f"{Path(path).parent.as_posix()}/{Path(path).stem.partition('-')[0]}"
        for row in table.to_pylist():
            digest = row_sha256(row)
            lines.append(f"{place} {digest}")
            # Tables of read-outs name rows as well, and are none.
            if path.startswith(_ROWS):
                rows[row["record_id"]] = digest
    content = hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
    return dict(sorted(rows.items())), content


def describe_file(folder: Path, path: str, n_rows: int | None = None) -> FileEntry:
    """Entry of a file that has been written."""
    content = (folder / path).read_bytes()
    return FileEntry(path=path, sha256=hashlib.sha256(content).hexdigest(), n_bytes=len(content), n_rows=n_rows)


def make_manifest(plan: DatasetPlan, files: Iterable[FileEntry], rows: dict[str, str], content: str) -> DatasetManifest:
    """Manifest of a dataset whose files have been written."""
    return DatasetManifest(
        dataset=plan.name,
        level=plan.level,
        version=plan.version.version,
        split_version=split_version(),
        harness_version=__version__,
        content_sha256=content,
        n_rows=plan.rows.num_rows,
        configs={config.name: config.paths for config in plan.configs},
        files=sorted(files, key=lambda entry: entry.path),
        rows=rows,
    )


def write_manifest(manifest: DatasetManifest, folder: Path) -> None:
    """Write it as JSON with sorted keys."""
    text = json.dumps(manifest.model_dump(), sort_keys=True, indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> DatasetManifest:
    """Manifest of a dataset folder.

    Raises:
        ReleaseError: it is missing or not a manifest.
    """
    path = folder / MANIFEST
    try:
        return DatasetManifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ReleaseError(f"{path}: {error.strerror}; expected the manifest of a dataset. Build it again.") from error
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise ReleaseError(f"{path}: {where}: {fault['msg']}. Build the dataset again.") from error


def verify_dataset(folder: Path) -> DatasetManifest:
    """Read every file of a dataset and check it against the manifest, and every row against its digest.

    Raises:
        ReleaseError: a file is missing, not listed or altered, or has other rows; the message names the file.
    """
    manifest = read_manifest(folder)
    rows, content = hash_rows(_verified_tables(folder, manifest))
    _expect(folder / MANIFEST, "rows", len(rows), manifest.n_rows)
    _expect(folder / MANIFEST, "content_sha256", content, manifest.content_sha256)
    if rows != manifest.rows:
        record_id = min(set(rows.items()) ^ set(manifest.rows.items()))[0]
        raise ReleaseError(f"{folder / MANIFEST}: row {record_id} is not as listed. Build the dataset again.")
    return manifest


def verify_written(folder: Path, files: Iterable[DataFile]) -> None:
    """Read every file of a dataset that was just written, and compare its rows with those that were to be written.

    Raises:
        ReleaseError: a file is not as the manifest lists it, or has other rows than it should; the message names it.
    """
    found = _verified_tables(folder, read_manifest(folder))
    for file in files:
        _expect(folder / file.path, "rows as planned", found[file.path].equals(file.table), expected=True)


def _verified_tables(folder: Path, manifest: DatasetManifest) -> dict[str, pa.Table]:
    """Table of every Parquet file, by its path; all files are there and as listed."""
    listed = {entry.path for entry in manifest.files}
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST}
    for path in sorted(listed ^ found):
        state = "missing" if path in listed else "not listed in the manifest"
        raise ReleaseError(f"{folder / path}: {state}. Build the dataset again.")
    for path in sorted({path for sides in manifest.configs.values() for paths in sides.values() for path in paths}):
        _expect(folder / path, "listed among files", path in listed, expected=True)
    tables: dict[str, pa.Table] = {}
    for entry in manifest.files:
        actual = describe_file(folder, entry.path, entry.n_rows)
        _expect(folder / entry.path, "SHA-256", actual.sha256, entry.sha256)
        _expect(folder / entry.path, "bytes", actual.n_bytes, entry.n_bytes)
        if entry.path.endswith(".parquet"):
            tables[entry.path] = pq.read_table(folder / entry.path, partitioning=None)
            _expect(folder / entry.path, "rows", tables[entry.path].num_rows, entry.n_rows)
    return tables


def _expect(path: Path, what: str, found: object, expected: object) -> None:
    if found != expected:
        raise ReleaseError(f"{path}: {what} = {found}; expected {expected}. Build the dataset again.")
