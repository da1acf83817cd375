"""Which files and configurations one dataset will hold; it writes nothing."""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from harness.errors import ReleaseError
from harness.leaks import LeakReport, leak_report
from harness.packaging.texts import DatasetText, Texts, Version
from harness.releases import Release
from harness.schema.vocabulary import Level, Split
from harness.splits import assign_splits

SIDE_TABLES: Final = {
    "devices": "One row per device that occurs in the rows: maker, processor, clock, thermal design power.",
    "submissions": "One row per submission: who measured, when, how, under which licence.",
    "errata": "One row per figure whose printed value is not the used one, with the reason.",
}
"""Tables beside the rows; each is a configuration of its own."""
DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file.

    Attributes:
        path: place in the dataset folder.
        config: configuration that the file alone makes up, or is a split of.
        split: side of the split; `train` for a table that is not split.
        table: its rows.
    """

    path: str
    config: str
    split: Split
    table: pa.Table


@dataclass(frozen=True, slots=True)
class Config:
    """One configuration of a dataset, as `load_dataset` names it.

    Attributes:
        name: second argument of `load_dataset`.
        description: one sentence.
        patterns: glob pattern of each split that has rows.
        files: files that the patterns match.
    """

    name: str
    description: str
    patterns: dict[Split, str]
    files: tuple[DataFile, ...]

    @property
    def tables(self) -> dict[Split, pa.Table]:
        """Rows of each split."""
        return {
            split: pa.concat_tables([file.table for file in self.files if file.split == split])
            for split in self.patterns
        }


@dataclass(frozen=True, slots=True)
class DatasetPlan:
    """One dataset before it is written.

    Attributes:
        level: its level.
        text: its name and description.
        version: its version.
        versions: all versions, newest first.
        citations: BibTeX of a source, by its address.
        release: its rows, and the devices, submissions and errata that they belong to.
        splits: side of every row.
        leaks: what both sides of the split share.
        files: its Parquet files.
        configs: its configurations, `default` first.
    """

    level: Level
    text: DatasetText
    version: Version
    versions: tuple[Version, ...]
    citations: dict[str, str]
    release: Release
    splits: list[Split]
    leaks: LeakReport
    files: tuple[DataFile, ...]
    configs: tuple[Config, ...]

    @property
    def name(self) -> str:
        """First argument of `load_dataset`."""
        return f"deepen/{self.level}"

    @property
    def rows(self) -> pa.Table:
        """Rows of all splits and devices."""
        return self.release.levels[self.level]


def plan_dataset(release: Release, level: Level, texts: Texts) -> DatasetPlan:
    """Plan of one level.

    Raises:
        ReleaseError: two rows share their id, both sides share a group, or a device has a reserved name.
    """
    only = release.only_of(level)
    rows = only.levels[level]
    _check_ids(rows, level)
    splits = assign_splits(rows, level)
    leaks = leak_report(rows, level, splits, release.levels["models"])
    if leaks.shared_groups or leaks.shared_record_ids:
        raise ReleaseError(f"deepen/{level}: train and test share {', '.join(leaks.shared_groups[:5])}.")
    files = _files(only, rows, splits)
    return DatasetPlan(
        level=level,
        text=texts.datasets[level],
        version=texts.versions[0],
        versions=tuple(texts.versions),
        citations=texts.citations,
        release=only,
        splits=splits,
        leaks=leaks,
        files=files,
        configs=_configs(files, only, texts.datasets[level]),
    )


def _check_ids(rows: pa.Table, level: Level) -> None:
    counts = rows.group_by("record_id").aggregate([([], "count_all")])
    repeated = counts.filter(pc.greater(counts.column("count_all"), 1)).column("record_id")
    if len(repeated) > 0:
        example = rows.filter(pc.equal(rows.column("record_id"), repeated[0]))
        raise ReleaseError(
            f"deepen/{level}: {len(repeated)} record ids name several rows, for example {repeated[0]} in "
            f"{example.column('submission_id')[0]} ({example.num_rows} rows). "
            "Give each repeated measurement a source_id of its own."
        )


def _files(release: Release, rows: pa.Table, splits: list[Split]) -> tuple[DataFile, ...]:
    files = []
    sides = pa.array(splits, pa.string())
    for device_id in sorted(pc.unique(rows.column("device_id")).to_pylist()):
        if device_id in (*SIDE_TABLES, DEFAULT):
            raise ReleaseError(f"{device_id}: this is the name of a table of the dataset. Rename the device folder.")
        of_device = pc.equal(rows.column("device_id"), device_id)
        for split in ("train", "test"):
            part = rows.filter(pc.and_(of_device, pc.equal(sides, split)))
            if part.num_rows:
                files.append(DataFile(f"data/{split}-{device_id}.parquet", device_id, split, part))
    for name in SIDE_TABLES:
        table = getattr(release, name)
        if table.num_rows:
            files.append(DataFile(f"data/{name}.parquet", name, "train", table))
    return tuple(files)


def _configs(files: tuple[DataFile, ...], release: Release, text: DatasetText) -> tuple[Config, ...]:
    names = pairs_of(release.devices, "device_id", "name")
    row_files = tuple(file for file in files if file.config in names)
    patterns: dict[Split, str] = {file.split: f"data/{file.split}-*.parquet" for file in row_files}
    everything = Config(DEFAULT, text.description, _in_order(patterns), row_files)
    configs = [everything]
    for name in dict.fromkeys(file.config for file in files):
        own = tuple(file for file in files if file.config == name)
        sentence = SIDE_TABLES.get(name) or f"{text.description} Only the rows of {names[name]}."
        configs.append(Config(name, sentence, _in_order({file.split: file.path for file in own}), own))
    return tuple(configs)


def pairs_of(table: pa.Table, key: str, value: str) -> dict[str, str]:
    """Values of one column by those of another."""
    return dict(zip(table.column(key).to_pylist(), table.column(value).to_pylist(), strict=True))


def _in_order(patterns: dict[Split, str]) -> dict[Split, str]:
    return {split: patterns[split] for split in ("train", "test") if split in patterns}
