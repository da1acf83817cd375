"""Submission folders to campaigns and issues: finds the files, reads each, and runs every check on it.

It decides what is a submission; the modules it calls decide what is right in one.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
from pydantic import BaseModel

from harness.budget import MOST_TABLE_BYTES, MOST_YAML_BYTES
from harness.errors import UsageError
from harness.issues import Report, quoted
from harness.schema.campaign import Campaign
from harness.schema.facts import Device, Manifest
from harness.schema.vocabulary import Level
from harness.traces.store import ReductionStore
from harness.validation.boundary import check_accuracy, check_boundary
from harness.validation.documents import Document, read_fact
from harness.validation.errata import check_device_errata, check_manifest_errata
from harness.validation.faults import Faults, contained
from harness.validation.identity import Identities
from harness.validation.layout import (
    DEVICE_FILE,
    LEVEL_FILES,
    MANIFEST_FILE,
    NETWORKS_FOLDER,
    QUARANTINE_FILE,
    SHARED_FOLDER,
    TRACES_FOLDER,
    check_name,
    entries_of,
    report_link,
    report_stray,
    shown_path,
)
from harness.validation.levels import as_schema, check_rows
from harness.validation.networks import read_networks
from harness.validation.provenance import check_provenance
from harness.validation.registry import RULES
from harness.validation.shared_networks import SharedNetworks
from harness.validation.text import read_bytes
from harness.validation.traces import TraceContext, check_traces

Fact = TypeVar("Fact", bound=BaseModel)


@dataclass(slots=True)
class Validation:
    """What a validation found.

    Attributes:
        campaigns: submissions without errors, in order of their paths.
        report: every fault, sorted.
        doubted: submissions whose errors are all about their traces, so that the rest of them can be reviewed.
    """

    campaigns: list[Campaign]
    report: Report
    doubted: list[Campaign] = field(default_factory=list)


@dataclass(slots=True)
class _Run:
    """State of one validation: what was found, what was read or reduced once, and where each trace was met first."""

    faults: Faults = field(default_factory=Faults)
    n_rows: int = 0
    devices: dict[Path, Device | None] = field(default_factory=dict)
    doubted: list[Campaign] = field(default_factory=list)
    seen_traces: dict[str, str] = field(default_factory=dict)
    identities: Identities = field(default_factory=Identities)
    reductions: ReductionStore = field(default_factory=ReductionStore)
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    shared: SharedNetworks = field(init=False)

    def __post_init__(self) -> None:
        self.shared = SharedNetworks(self.faults)


def validate(
    paths: Sequence[Path],
    on_campaign: Callable[[str], None] = lambda _: None,
    *,
    only: Collection[Path] | None = None,
    reductions: ReductionStore | None = None,
    shared: Path | None = None,
) -> Validation:
    """Validate submission trees, device folders, campaign folders or single files of them.

    Args:
        paths: where to look; a file stands for its campaign.
        on_campaign: called with each campaign's path before it is read, for progress.
        only: folders of devices and campaigns that are read; of others, names alone are looked at. None for all.
        reductions: reductions made already, by the content of their files; further ones are added.
        shared: folder of shared kernel lists; None for the one beside the devices.

    Raises:
        UsageError: a path does not exist, or nothing like a submission is there.
    """
    run = _Run(reductions=reductions or ReductionStore())
    run.shared.root = shared
    campaigns = []
    for folder in _chosen(paths, only, run):
        on_campaign(shown_path(folder))
        campaign = None
        with contained(shown_path(folder), run.faults):
            campaign = _read_campaign(folder, run)
        if campaign is not None:
            campaigns.append(campaign)
    return Validation(campaigns, Report.of(run.n_rows, run.faults.issues), run.doubted)


def campaign_paths(paths: Sequence[Path], only: Collection[Path] | None = None) -> list[Path]:
    """Campaign folders that a validation would read; how long it will take."""
    return _chosen(paths, only, _Run())


def _chosen(paths: Sequence[Path], only: Collection[Path] | None, run: _Run) -> list[Path]:
    """Campaign folders to read, each once; everything that is wrong with names is reported."""
    folders = dict.fromkeys(found for path in paths for found in _campaign_folders(path, run))
    run.identities.there = {f"{folder.parent.name}/{folder.name}" for folder in folders}
    wanted = None if only is None else {path.absolute() for path in only}
    return [folder for folder in folders if wanted is None or {folder, folder.parent} & wanted]


def _campaign_folders(path: Path, run: _Run) -> Iterator[Path]:
    path = path.absolute()
    if not _can_exist(path):
        raise UsageError(f"{quoted(shown_path(path))} is no path")
    if path.is_symlink():
        report_link(path, run.faults)
    elif path.is_file():
        if path.name == DEVICE_FILE:
            yield from _campaign_folders(path.parent, run)
        elif path.name == MANIFEST_FILE or path.name in LEVEL_FILES:
            yield path.parent
        else:
            raise UsageError(f"{shown_path(path)} is no file of a submission; name a folder, or one of its files")
    elif not path.is_dir():
        raise UsageError(f"{shown_path(path)} does not exist")
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
    entries = entries_of(folder, faults)
    return any(map(_is_campaign, entries)) and not any((entry / DEVICE_FILE).exists() for entry in entries)


def _campaigns_of_tree(root: Path, run: _Run) -> Iterator[Path]:
    n_before = run.faults.n
    devices = entries_of(root, run.faults)
    lists = next((entry for entry in devices if entry.name == SHARED_FOLDER and not entry.is_symlink()), None)
    if lists is not None and lists.is_dir():
        run.shared.check(lists)
        devices.remove(lists)
    folders = _plain_folders(devices, (), "a device folder", run)
    if not folders and not devices and run.faults.n == n_before:
        raise UsageError(f"{shown_path(root)} holds no submission; `deepen new DEVICE/CAMPAIGN` makes one")
    for folder in folders:
        yield from _campaigns_of_device(folder, run)


def _campaigns_of_device(folder: Path, run: _Run) -> Iterator[Path]:
    entries = entries_of(folder, run.faults)
    campaigns = _plain_folders(entries, (DEVICE_FILE,), f"{DEVICE_FILE} or a campaign folder", run)
    if not campaigns and not any(entry.is_symlink() for entry in entries):
        run.faults.add(
            "submission-missing",
            shown_path(folder),
            found="no campaign folder",
            expected=f"a folder with {MANIFEST_FILE}",
            fix="Add a campaign with deepen new, or restore the one that was here.",
        )
    yield from campaigns


def _plain_folders(entries: Sequence[Path], files: Sequence[str], expected: str, run: _Run) -> list[Path]:
    """Folders among entries; links, stray files and clashing names are reported."""
    folders: list[Path] = []
    for entry in entries:
        if entry.is_symlink():
            report_link(entry, run.faults)
        elif entry.is_dir():
            check_name(entry, folders, run.faults)
            folders.append(entry)
        elif entry.name not in files:
            report_stray(entry, expected, run.faults)
    return folders


def _read_campaign(folder: Path, run: _Run) -> Campaign | None:
    """Campaign of a folder, or None where anything in it is an error."""
    before = run.faults.errors.copy()
    device = _read_device(folder.parent, run)
    check_name(folder, (), run.faults)
    names = _campaign_entries(folder, run)
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
            shown_path(folder),
            found="no table",
            expected="one of " + ", ".join(LEVEL_FILES),
            fix="Add the measured rows.",
        )
    if document is not None:
        _check_manifest(folder, document, tables, run, n_files=len(names & set(LEVEL_FILES)))
    models = tables.get("models")
    networks = read_networks(folder, models, run.faults)
    shared = {}
    if document is not None:
        shared = run.shared.of_campaign(folder, document.fact, document.lines, models, networks)
    subjects = {RULES[rule].subject for rule in run.faults.errors - before}
    if device is None or document is None or subjects - {"traces"}:
        return None
    campaign = Campaign(folder.parent.name, folder.name, device, document.fact, tables, networks, shared)
    if not run.identities.add(campaign, document.lines, shown_path(folder / MANIFEST_FILE), run.faults):
        return None
    if subjects:
        run.doubted.append(campaign)
        return None
    return campaign


def _check_manifest(
    folder: Path,
    document: Document[Manifest],
    tables: Mapping[Level, pa.Table],
    run: _Run,
    *,
    n_files: int,
) -> None:
    """Everything that a campaign declares, against itself, its rows and its traces."""
    device = run.devices[folder.parent]
    shown, manifest, lines = shown_path(folder / MANIFEST_FILE), document.fact, document.lines
    if len(tables) == n_files:
        check_manifest_errata(manifest, tables, lines, shown, run.faults)
    check_provenance(document, device, run.today, shown, run.faults)
    check_boundary(manifest, lines, shown, run.faults)
    check_accuracy(manifest, lines, shown, run.faults)
    check_traces(manifest, TraceContext(folder, shown, lines, tables, run.seen_traces, run.reductions, run.faults))


def _campaign_entries(folder: Path, run: _Run) -> set[str]:
    """Names of what lies in a campaign folder; links and files that nothing reads are reported."""
    entries = entries_of(folder, run.faults)
    files, folders = (MANIFEST_FILE, *LEVEL_FILES), (NETWORKS_FOLDER, TRACES_FOLDER)
    for entry in entries:
        if entry.is_symlink():
            report_link(entry, run.faults)
        elif entry.name not in (*files, *folders, QUARANTINE_FILE):
            report_stray(entry, "one of " + ", ".join((*files, *folders)), run.faults)
    return {entry.name for entry in entries}


def _read_device(folder: Path, run: _Run) -> Device | None:
    if folder not in run.devices:
        check_name(folder, (), run.faults)
        document = _read_fact(folder, DEVICE_FILE, Device, "device-missing", run)
        device = None if document is None else document.fact
        if document is not None:
            n_before = run.faults.n
            check_device_errata(document.fact, document.lines, shown_path(folder / DEVICE_FILE), run.faults)
            device = device if run.faults.n == n_before else None
        run.devices[folder] = device
    return run.devices[folder]


def _read_fact(folder: Path, name: str, model: type[Fact], missing: str, run: _Run) -> Document[Fact] | None:
    path = folder / name
    if path.is_symlink():
        report_link(path, run.faults)
        return None
    if not path.exists():
        run.faults.add(
            missing,
            shown_path(path),
            found="no such file",
            expected=f"{name} in this folder",
            fix="Add the file; deepen new writes one to fill in.",
        )
        return None
    shown = shown_path(path)
    with contained(shown, run.faults):
        data = read_bytes(path, shown, MOST_YAML_BYTES, run.faults)
        return None if data is None else read_fact(data, model, shown, run.faults)
    return None


def _read_level(
    path: Path, level: Level, device: Device | None, manifest: Manifest | None, run: _Run
) -> pa.Table | None:
    """Rows of one level's file in the schema of its row model, or None where the file cannot be read at all."""
    shown = shown_path(path)
    with contained(shown, run.faults):
        data = read_bytes(path, shown, MOST_TABLE_BYTES, run.faults)
        if data is None:
            return None
        rows = check_rows(data, level, device=device, manifest=manifest, shown=shown, faults=run.faults)
        if rows is None:
            return None
        run.n_rows += rows.table.num_rows + rows.n_misfits
        return as_schema(rows, level)
    return None
