"""What `deepen-measure` leaves of a run: a folder, or the ZIP file that it packs, with the hash of every file checked.

Nothing of a pack is believed: members lead nowhere else, are those of its manifest, and have a bound on their size.
"""

import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from harness.files.left_overs import scratch_folder
from harness.intake.foreign import ForeignSourceError
from harness.traces.store import sha256_of
from harness.validation.faults import Faults

RUN: Final = "run.json"
ENTRY: Final = "entry.json"
MANIFEST: Final = "manifest.json"
SCHEMA_VERSION: Final = 1
_MOST_BYTES: Final = 4 << 30
"""Bytes of a pack, unpacked."""
_MOST_JSON_BYTES: Final = 64 << 20
_MEMBER: Final = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]*/)?[A-Za-z0-9][A-Za-z0-9._-]*")
_TAKE_AGAIN: Final = "Pack the run again with deepen-measure pack, and copy the file whole."


@dataclass(frozen=True, slots=True)
class Pack:
    """A run that was measured.

    Attributes:
        home: folder of its files.
        run: what `run.json` states.
        entries: what every `entry.json` states, in the order of the run.
        scratch: folder that it was unpacked into, which goes with this object; None where it was a folder before.
    """

    home: Path
    run: Mapping[str, Any]
    entries: tuple[Mapping[str, Any], ...]
    scratch: TemporaryDirectory[str] | None

    def close(self) -> None:
        """Remove what was unpacked."""
        if self.scratch is not None:
            self.scratch.cleanup()


def open_pack(source: Path) -> Pack:
    """A run in a folder or a ZIP file, to be closed.

    Raises:
        ForeignSourceError: it is none, was not measured to its end, or a file is not as it was written.
    """
    scratch = None if source.is_dir() else scratch_folder()
    try:
        if scratch is not None:
            _unpack(source, Path(scratch.name))
        return _read_pack(source, source if scratch is None else Path(scratch.name), scratch)
    except BaseException:
        if scratch is not None:
            scratch.cleanup()
        raise


def _read_pack(source: Path, home: Path, scratch: TemporaryDirectory[str] | None) -> Pack:
    run = read_json(home / RUN, source)
    if run.get("schema_version") != SCHEMA_VERSION:
        fix = "Use the deepen of the same release as the deepen-measure that measured."
        found = f"schema_version {run.get('schema_version')!r}"
        raise refused(source, RUN, found, f"schema_version {SCHEMA_VERSION}", fix)
    try:
        names = [str(entry["id"]) for entry in run["entries"]]
    except (TypeError, KeyError) as error:
        raise refused(source, RUN, f"no {error}", "what deepen-measure wrote", _TAKE_AGAIN) from error
    if not names or any(not _MEMBER.fullmatch(f"{name}/{ENTRY}") for name in names):
        raise refused(source, RUN, f"entries {', '.join(names[:3]) or 'none'}", "names of folders", _TAKE_AGAIN)
    for name in names:
        if not (home / name / ENTRY).is_file():
            fix = f"End the run on the device: deepen-measure resume {source.name}"
            raise refused(source, f"{name}/{ENTRY}", "it is not measured yet", "a run to its end", fix)
    entries = tuple(read_json(home / name / ENTRY, source) for name in names)
    for name, entry in zip(names, entries, strict=True):
        _check_files(home / name, name, entry, source)
    return Pack(home, run, entries, scratch)


def read_json(path: Path, source: Path) -> dict[str, Any]:
    """Object of a JSON file.

    Args:
        path: the file.
        source: what messages name.

    Raises:
        ForeignSourceError: it is not there, or holds none.
    """
    shown = path.name if path.name == RUN else f"{path.parent.name}/{path.name}"
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_JSON_BYTES + 1)
        found = json.loads(content) if len(content) <= _MOST_JSON_BYTES else None
    except FileNotFoundError as error:
        raise refused(source, shown, "it is not there", "a run of deepen-measure", _TAKE_AGAIN) from error
    except (ValueError, RecursionError) as error:
        raise refused(source, shown, f"no JSON ({error})", "what deepen-measure wrote", _TAKE_AGAIN) from error
    if not isinstance(found, dict):
        raise refused(source, shown, "no object", "what deepen-measure wrote", _TAKE_AGAIN)
    return found


def refused(source: Path, name: str, found: str, expected: str, fix: str) -> ForeignSourceError:
    """Error of a pack that cannot be used, with the file in it."""
    faults = Faults()
    place = f"{source.as_posix()}/{name}".rstrip("/")
    faults.add("foreign-file", place, found=found, expected=expected, fix=fix, is_value=False)
    return ForeignSourceError(faults.issues)


def _check_files(home: Path, name: str, entry: Mapping[str, Any], source: Path) -> None:
    """Check that every file of an entry is as it was written.

    Raises:
        ForeignSourceError: one is not.
    """
    stated = entry.get("files")
    if not isinstance(stated, dict) or not stated:
        raise refused(source, f"{name}/{ENTRY}", "no files", "the hash of every file", _TAKE_AGAIN)
    for file, digest in stated.items():
        path = home / str(file)
        if not _MEMBER.fullmatch(f"{name}/{file}") or path.is_symlink() or not path.is_file():
            raise refused(source, f"{name}/{file}", "it is not there", "a file of the run", _TAKE_AGAIN)
        if sha256_of(path) != digest:
            raise refused(source, f"{name}/{file}", "other bytes than were measured", f"SHA-256 {digest}", _TAKE_AGAIN)


def _unpack(source: Path, home: Path) -> None:
    """Unpack the files of a ZIP file, those of its manifest and no others.

    Raises:
        ForeignSourceError: it is none, or a file is missing or another one.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            _unpack_members(archive, home, source)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise refused(source, "", str(error), "what deepen-measure pack wrote", _TAKE_AGAIN) from error


def _unpack_members(archive: zipfile.ZipFile, home: Path, source: Path) -> None:
    members = {info.filename: info for info in archive.infolist()}
    if MANIFEST not in members:
        raise refused(source, MANIFEST, "it is not there", "what deepen-measure pack wrote", _TAKE_AGAIN)
    with archive.open(MANIFEST) as file:
        content = file.read(_MOST_JSON_BYTES + 1)
    (home / MANIFEST).write_bytes(content)
    manifest = read_json(home / MANIFEST, source)
    left = _MOST_BYTES
    for name, digest in manifest.items():
        if not _MEMBER.fullmatch(name) or name not in members:
            raise refused(source, name, "it is not there, or leads elsewhere", "a file of the run", _TAKE_AGAIN)
        path = home / name
        path.parent.mkdir(exist_ok=True)
        left -= _copied(archive, members[name], path, left, source)
        if sha256_of(path) != digest:
            raise refused(source, name, "other bytes than were packed", f"SHA-256 {digest}", _TAKE_AGAIN)


def _copied(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, most: int, source: Path) -> int:
    """Unpack one file; its bytes.

    Raises:
        ForeignSourceError: it has more than may be.
    """
    n_bytes = 0
    with archive.open(member) as packed, path.open("wb") as target:
        while block := packed.read(1 << 20):
            n_bytes += len(block)
            if n_bytes > most:
                fix = "Pack fewer networks at a time."
                expected = f"at most {_MOST_BYTES} bytes in all"
                raise refused(source, member.filename, "more bytes than may be", expected, fix)
            target.write(block)
    return n_bytes
