"""Submission folders to campaigns and issues: finds the files, reads each, and runs every check on it.

It decides what is a submission; what is right in one is decided by the modules it calls.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel

from harness.errors import UsageError
from harness.issues import Report, quoted
from harness.schema.campaign import Campaign
from harness.schema.columns import arrow_schema, columns_of
from harness.schema.facts import Device, Manifest
from harness.schema.quantities import FOLDER_NAME
from harness.schema.records import RECORDS, ROWS
from harness.schema.vocabulary import LEVELS, Level
from harness.validation.cells import LIST_SEPARATOR, check_cells
from harness.validation.context import RowContext
from harness.validation.documents import Document, read_fact
from harness.validation.errata import check_device_errata, check_manifest_errata
from harness.validation.faults import Faults
from harness.validation.header import check_header
from harness.validation.rules import CHECKS
from harness.validation.table import QuoteError, RowTable, header_of, read_table
from harness.validation.text import read_bytes, report_long_lines, report_unreadable

DEVICE_FILE: Final = "device.yaml"
MANIFEST_FILE: Final = "submission.yaml"
LEVEL_FILES: Final[dict[str, Level]] = {f"{level}.csv": level for level in LEVELS}
QUARANTINE_FILE: Final = "quarantine.csv"
"""Rows that an intake could not use, kept beside those it could; nothing reads it as rows."""
MOST_YAML_BYTES: Final = 200_000
MOST_CSV_BYTES: Final = 2_000_000_000
Fact = TypeVar("Fact", bound=BaseModel)


@dataclass(slots=True)
class Validated:
    """What a validation found.

    Attributes:
        campaigns: submissions without errors, in order of their paths.
        report: every fault, sorted.
    """

    campaigns: list[Campaign]
    report: Report


@dataclass(slots=True)
class _Run:
    """State of one validation: faults, rows read, and devices read once."""

    faults: Faults = field(default_factory=Faults)
    n_rows: int = 0
    devices: dict[Path, Device | None] = field(default_factory=dict)


def validate(paths: Sequence[Path], on_campaign: Callable[[str], None] = lambda _: None) -> Validated:
    """Validate submission trees, device folders, campaign folders or single files of them.

    Args:
        paths: where to look; a file stands for its campaign.
        on_campaign: called with each campaign's path before it is read, for progress.

    Raises:
        UsageError: a path does not exist, or nothing like a submission is there.
    """
    run = _Run()
    campaigns = []
    for folder in dict.fromkeys(found for path in paths for found in _campaign_folders(path, run)):
        on_campaign(_shown(folder))
        campaign = _read_campaign(folder, run)
        if campaign is not None:
            campaigns.append(campaign)
    return Validated(campaigns, Report.of(run.n_rows, run.faults.issues))


def campaign_paths(paths: Sequence[Path]) -> list[Path]:
    """Campaign folders that a validation would read; how long it will take."""
    return list(dict.fromkeys(found for path in paths for found in _campaign_folders(path, _Run())))


def _shown(path: Path) -> str:
    """Path as the contributor knows it: relative to where they stand, where it lies below."""
    try:
        return path.absolute().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def _campaign_folders(path: Path, run: _Run) -> Iterator[Path]:
    path = path.absolute()
    if not _can_exist(path):
        raise UsageError(f"{quoted(_shown(path))} is no path")
    if path.is_symlink():
        _report_link(path, run.faults)
    elif path.is_file():
        if path.name == DEVICE_FILE:
            yield from _campaign_folders(path.parent, run)
        elif path.name == MANIFEST_FILE or path.name in LEVEL_FILES:
            yield path.parent
        else:
            raise UsageError(f"{_shown(path)} is no file of a submission; name a folder, or one of its files")
    elif not path.is_dir():
        raise UsageError(f"{_shown(path)} does not exist")
    elif _is_campaign(path):
        yield path
    elif _is_device(path, run.faults):
        yield from _campaigns_of_device(path, run)
    else:
        yield from _campaigns_of_tree(path, run)


def _can_exist(path: Path) -> bool:
    """Whether the file system can be asked for a path; it cannot for a name too long or with a NUL byte."""
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return True


def _is_campaign(folder: Path) -> bool:
    return any((folder / name).exists() for name in (MANIFEST_FILE, *LEVEL_FILES))


def _is_device(folder: Path, faults: Faults) -> bool:
    """Whether a folder is a device's, perhaps one whose device.yaml was forgotten."""
    if (folder / DEVICE_FILE).exists():
        return True
    entries = _entries(folder, faults)
    return any(map(_is_campaign, entries)) and not any((entry / DEVICE_FILE).exists() for entry in entries)


def _entries(folder: Path, faults: Faults) -> list[Path]:
    """What lies in a folder, in order; hidden files belong to nobody."""
    try:
        return [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]
    except OSError as error:
        report_unreadable(_shown(folder), error, faults)
        return []


def _campaigns_of_tree(root: Path, run: _Run) -> Iterator[Path]:
    n_before = len(run.faults.issues)
    devices = _entries(root, run.faults)
    folders = _plain_folders(devices, (), "a device folder", run)
    if not folders and not devices and len(run.faults.issues) == n_before:
        raise UsageError(f"{_shown(root)} holds no submission; `deepen new DEVICE/CAMPAIGN` makes one")
    for folder in folders:
        yield from _campaigns_of_device(folder, run)


def _campaigns_of_device(folder: Path, run: _Run) -> Iterator[Path]:
    entries = _entries(folder, run.faults)
    campaigns = _plain_folders(entries, (DEVICE_FILE,), f"{DEVICE_FILE} or a campaign folder", run)
    if not campaigns and not any(entry.is_symlink() for entry in entries):
        run.faults.add(
            "submission-missing",
            _shown(folder),
            found="no campaign folder",
            expected=f"a folder with {MANIFEST_FILE}",
            fix="Add a campaign, for example with deepen new.",
        )
    yield from campaigns


def _plain_folders(entries: Sequence[Path], files: Sequence[str], expected: str, run: _Run) -> list[Path]:
    """Folders among entries; links, stray files and clashing names are reported."""
    folders: list[Path] = []
    for entry in entries:
        if entry.is_symlink():
            _report_link(entry, run.faults)
        elif entry.is_dir():
            _check_name(entry, folders, run.faults)
            folders.append(entry)
        elif entry.name not in files:
            _report_stray(entry, expected, run.faults)
    return folders


def _check_name(folder: Path, earlier: Sequence[Path], faults: Faults) -> None:
    clash = next((other.name for other in earlier if other.name.lower() == folder.name.lower()), None)
    if clash is not None or not re.fullmatch(FOLDER_NAME, folder.name):
        faults.add(
            "folder-name",
            _shown(folder),
            found=folder.name,
            expected=f"a name unlike {clash} in more than case" if clash else "letters, digits and . _ -, at most 64",
            fix="Rename the folder.",
        )


def _report_link(path: Path, faults: Faults) -> None:
    faults.add(
        "path-symlink",
        _shown(path),
        found="a symbolic link",
        expected="a plain file or folder",
        fix="Put the file itself in its place.",
    )


def _report_stray(path: Path, expected: str, faults: Faults) -> None:
    near = difflib.get_close_matches(path.name.lower(), (DEVICE_FILE, MANIFEST_FILE, *LEVEL_FILES), n=1)
    near = [name for name in near if name in expected]
    faults.add(
        "path-unknown",
        _shown(path),
        found="a file or folder that nothing reads",
        expected=expected,
        fix=f"Rename it to {near[0]}." if near else "Rename or remove it.",
    )


def _read_campaign(folder: Path, run: _Run) -> Campaign | None:
    """Campaign of a folder, or None where anything in it is an error."""
    n_before = len(run.faults.issues)
    device = _read_device(folder.parent, run)
    _check_name(folder, (), run.faults)
    entries = _entries(folder, run.faults)
    files = [MANIFEST_FILE, *LEVEL_FILES]
    for entry in entries:
        if entry.is_symlink():
            _report_link(entry, run.faults)
        elif entry.name not in (*files, QUARANTINE_FILE):
            _report_stray(entry, "one of " + ", ".join(files), run.faults)
    names = {entry.name for entry in entries}
    document = _read_fact(folder, MANIFEST_FILE, Manifest, "submission-missing", run)
    manifest = None if document is None else document.fact
    tables = {
        level: table
        for file, level in LEVEL_FILES.items()
        if file in names
        and not (folder / file).is_symlink()
        and (table := _read_level(folder / file, level, device, manifest, run)) is not None
    }
    if not names & set(LEVEL_FILES):
        run.faults.add(
            "level-missing",
            _shown(folder),
            found="no table",
            expected="one of " + ", ".join(LEVEL_FILES),
            fix="Add the measured rows.",
        )
    if document is not None and len(tables) == len(names & set(LEVEL_FILES)):
        check_manifest_errata(document.fact, tables, document.lines, _shown(folder / MANIFEST_FILE), run.faults)
    is_sound = not any(issue.severity == "error" for issue in run.faults.issues[n_before:])
    if device is None or manifest is None or not is_sound:
        return None
    return Campaign(folder.parent.name, folder.name, device, manifest, tables)


def _read_device(folder: Path, run: _Run) -> Device | None:
    if folder not in run.devices:
        _check_name(folder, (), run.faults)
        document = _read_fact(folder, DEVICE_FILE, Device, "device-missing", run)
        device = None if document is None else document.fact
        if document is not None:
            n_before = len(run.faults.issues)
            check_device_errata(document.fact, document.lines, _shown(folder / DEVICE_FILE), run.faults)
            device = device if len(run.faults.issues) == n_before else None
        run.devices[folder] = device
    return run.devices[folder]


def _read_fact(folder: Path, name: str, model: type[Fact], missing: str, run: _Run) -> Document[Fact] | None:
    path = folder / name
    if path.is_symlink():
        _report_link(path, run.faults)
        return None
    if not path.exists():
        run.faults.add(
            missing,
            _shown(path),
            found="no such file",
            expected=f"{name} in this folder",
            fix="Add the file; deepen new writes one to fill in.",
        )
        return None
    data = read_bytes(path, _shown(path), MOST_YAML_BYTES, run.faults)
    return None if data is None else read_fact(data, model, _shown(path), run.faults)


def _read_level(
    path: Path, level: Level, device: Device | None, manifest: Manifest | None, run: _Run
) -> pa.Table | None:
    """Rows of one level's file in the schema of its row model, or None where the file cannot be read at all."""
    shown = _shown(path)
    data = read_bytes(path, shown, MOST_CSV_BYTES, run.faults)
    if data is None:
        return None
    rows = check_rows(data, level, device=device, manifest=manifest, shown=shown, faults=run.faults)
    if rows is None:
        return None
    run.n_rows += rows.table.num_rows + rows.n_misfits
    return _as_schema(rows, level)


def check_rows(
    data: bytes,
    level: Level,
    *,
    device: Device | None,
    manifest: Manifest | None,
    shown: str,
    faults: Faults,
    is_each_row: bool = False,
) -> RowTable | None:
    """Typed rows of one level's CSV bytes after every check, or None where they cannot be taken apart.

    Args:
        data: the file, known to be UTF-8.
        level: record level of its rows.
        device: contents of device.yaml, None where it is broken.
        manifest: contents of submission.yaml, None where it is broken.
        shown: file name in messages.
        faults: collects what is wrong.
        is_each_row: whether a fault that many rows share is reported at each of them.
    """
    rows = _read_rows(data, level, shown, faults)
    if rows is None:
        return None
    context = RowContext(level, rows, device, manifest, faults, is_each_row)
    # Checks spend their time in Arrow and NumPy, which let other threads run; faults are sorted in the end.
    with ThreadPoolExecutor() as pool:
        for finished in [pool.submit(_run_check, check, context) for check in (_check_cells_of, *CHECKS)]:
            finished.result()
    return rows


def _run_check(check: Callable[[RowContext], None], context: RowContext) -> None:
    """Run one check; numbers out of bounds may overflow in it, because the check of cells reports them."""
    with np.errstate(all="ignore"):
        check(context)


def _check_cells_of(context: RowContext) -> None:
    check_cells(context.rows, context.faults)


def _read_rows(data: bytes, level: Level, shown: str, faults: Faults) -> RowTable | None:
    columns = columns_of(ROWS[level])
    if report_long_lines(data, shown, faults):
        return None
    try:
        names = header_of(data)
    except QuoteError as error:
        error.report(shown, faults)
        return None
    if not any(names):
        faults.add(
            "file-empty",
            shown,
            found="no line",
            expected="a header and rows",
            fix="Export the file again, or remove it.",
        )
        return None
    if not check_header(names, columns, columns_of(RECORDS[level]), shown, faults):
        return None
    rows = read_table(data, names, columns, shown, faults)
    if rows is not None and not rows.table.num_rows and not rows.n_misfits:
        faults.add(
            "header-only",
            shown,
            line=1,
            found="a header without rows",
            expected="at least one row",
            fix="Add the measured rows, or remove the file.",
        )
    return rows


def _as_schema(rows: RowTable, level: Level) -> pa.Table:
    """Checked rows in the Arrow schema of the row model; words decoded, lists taken apart."""
    arrays = []
    for target in arrow_schema(ROWS[level]):
        values = rows.table.column(target.name)
        if pa.types.is_list(target.type):
            values = pc.split_pattern(values.cast(pa.string()), LIST_SEPARATOR)
        arrays.append(values.cast(target.type))
    return pa.table(arrays, schema=arrow_schema(ROWS[level]))
