"""The submissions before and after a change, and which of their files and campaigns differ; nothing is judged here."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import pandas as pd
from pydantic import BaseModel

from harness.budget import MOST_YAML_BYTES
from harness.releases import Release, assemble
from harness.schema.campaign import Campaign
from harness.schema.facts import Device, Manifest
from harness.schema.older_columns import in_columns_of_today, is_older
from harness.schema.vocabulary import Level
from harness.scoring.suite import suites
from harness.traces.store import sha256_of
from harness.validation.documents import Document, read_fact
from harness.validation.faults import Faults, contained
from harness.validation.layout import DEVICE_FILE, MANIFEST_FILE, shown_path

Fact = TypeVar("Fact", bound=BaseModel)

MOST_COMPARED_BYTES: Final = 20_000_000
"""Largest table whose cells are compared; of a larger one only the change itself is reported."""


@dataclass(frozen=True)
class Snapshot:
    """All submissions at one time.

    Attributes:
        folder: folder of all submissions; it may be empty.
        campaigns: campaigns without errors.
        doubted: campaigns whose errors are all about their traces; they are in no release.
    """

    folder: Path
    campaigns: Sequence[Campaign]
    doubted: Sequence[Campaign] = ()

    @cached_property
    def release(self) -> Release:
        """Tables of the campaigns."""
        return assemble(self.campaigns)

    @cached_property
    def suites(self) -> Mapping[str, pd.DataFrame]:
        """Rows that count under each edition, by its name."""
        return suites(self.release)

    @cached_property
    def by_id(self) -> Mapping[str, Campaign]:
        """Campaigns by `device/campaign`."""
        return {campaign.submission_id: campaign for campaign in self.campaigns}

    @cached_property
    def devices(self) -> Mapping[str, Device]:
        """Devices by folder."""
        return {campaign.device_id: campaign.device for campaign in (*self.campaigns, *self.doubted)}

    def files(self) -> dict[str, Path]:
        """Plain files by their path from the folder, hidden ones included; links are reported by validation."""
        if self.folder.is_symlink():
            return {}
        found = (path for path in sorted(self.folder.rglob("*")) if path.is_file() and not path.is_symlink())
        return {path.relative_to(self.folder).as_posix(): path for path in found}


class ChangedFile(NamedTuple):
    """One file that differs: where it was, and where it is; None where it was not or is not."""

    name: str
    before: Path | None
    after: Path | None


@dataclass(frozen=True)
class Change:
    """A pull request: the submissions before and after it.

    Attributes:
        earlier: the submissions as they are published.
        now: the submissions with the change.
        outside: changed files that are no submissions, such as the harness itself.
        faults: collects what is found.
    """

    earlier: Snapshot
    now: Snapshot
    outside: Sequence[str] = ()
    faults: Faults = field(default_factory=Faults)

    @cached_property
    def files(self) -> Sequence[ChangedFile]:
        """Files of the submissions that differ, by name."""
        before, after = self.earlier.files(), self.now.files()
        names = sorted({*before, *after})
        changed = (ChangedFile(name, before.get(name), after.get(name)) for name in names)
        return [file for file in changed if differs(file)]

    @cached_property
    def campaigns(self) -> Sequence[Campaign]:
        """Campaigns of which a file, or the device, is new or changed; those that cannot be read are left out."""
        folders = {tuple(file.name.split("/")[:2]) for file in self.files if file.after is not None}
        return [
            campaign
            for campaign in (*self.now.campaigns, *self.now.doubted)
            if (campaign.device_id, campaign.name) in folders or (campaign.device_id, DEVICE_FILE) in folders
        ]

    @cached_property
    def others(self) -> Sequence[Campaign]:
        """Campaigns that stay as they are."""
        changed = {campaign.submission_id for campaign in self.campaigns}
        return [campaign for campaign in self.now.campaigns if campaign.submission_id not in changed]

    @cached_property
    def new_devices(self) -> Sequence[str]:
        """Folders of devices that are new, or whose device.yaml changed."""
        return sorted(
            {file.name.split("/")[0] for file in self.files if file.name.endswith(f"/{DEVICE_FILE}")}
            & set(self.now.devices)
        )

    def shown(self, name: str) -> str:
        """Path of a file of the submissions in messages."""
        return shown_path(self.now.folder / name)

    def contained(self, name: str) -> AbstractContextManager[None]:
        """Report an exception as a fault of a campaign or device, so that everything else is still reviewed."""
        return contained(self.shown(name), self.faults)

    def manifest_of(self, campaign: Campaign) -> Document[Manifest]:
        """What a campaign declares, with its lines."""
        document = fact_of(self.now.folder / campaign.submission_id / MANIFEST_FILE, Manifest)
        return document or Document(campaign.manifest, {})

    def device_of(self, device_id: str) -> Document[Device]:
        """What is declared of a device, with its lines."""
        document = fact_of(self.now.folder / device_id / DEVICE_FILE, Device)
        return document or Document(self.now.devices[device_id], {})

    def rows_of(self, campaign: Campaign, level: Level) -> Iterator[tuple[int | None, dict[str, Any]]]:
        """Line and typed cells of every row of a table; a table too large to look for lines has none."""
        table = campaign.tables.get(level)
        if table is None:
            return
        lines = [line for line, _ in table_lines(self.now.folder / campaign.submission_id / f"{level}.csv")]
        for place, row in enumerate(table.to_pylist()):
            yield lines[place] if place < len(lines) else None, row


def table_lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Line and cells of every row of a CSV file, as written except for older columns; none if too large or no table."""
    if path.stat().st_size > MOST_COMPARED_BYTES:
        return []
    reader = csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig", "replace")))
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        header = next(reader, [])
        rows.extend((reader.line_num, dict(zip(header, cells, strict=False))) for cells in reader if cells)
        if is_older(header):
            rows = [(line, in_columns_of_today(cells)) for line, cells in rows]
    except csv.Error:
        # Validation reports what is wrong with the file.
        return []
    return rows


def fact_of(path: Path, model: type[Fact]) -> Document[Fact] | None:
    """Contents of a YAML file; None where it is not sound, which validation reports."""
    if not path.is_file() or path.is_symlink() or path.stat().st_size > MOST_YAML_BYTES:
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    return read_fact(text.encode(), model, path.name, Faults())


def differs(file: ChangedFile) -> bool:
    """Whether a file has other bytes than before, is new, or is gone."""
    if file.before is None or file.after is None:
        return True
    if file.before.stat().st_size != file.after.stat().st_size:
        return True
    return sha256_of(file.before) != sha256_of(file.after)
