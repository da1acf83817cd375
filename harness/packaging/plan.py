"""Which files and configurations one dataset will hold; it writes nothing.

Rows are in one file per evidence and split, sorted by device; a configuration lists files and never one of a device. A
file that becomes too large may become several, whose names begin alike.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from harness.errors import ReleaseError
from harness.leaks import LeakReport, leak_report
from harness.packaging.side_tables import COLUMN_TABLE, TABLES, column_table, sentence_of
from harness.packaging.texts import DatasetText, Texts, Version
from harness.readouts.tables import read_out_tables
from harness.releases import Release
from harness.schema.facts import SIDE_RECORDS
from harness.schema.records import RECORDS
from harness.schema.vocabulary import EVIDENCE_TIERS, Evidence, Level, Split, default_evidences
from harness.splits import assign_splits

DEFAULT: Final = "default"
_SPLITS: Final[tuple[Split, ...]] = ("train", "test")
_EVIDENCE_SENTENCES: Final[dict[Evidence, str]] = {
    "measured": "Rows measured with a power analyser, an on-board rail, a counter or a battery gauge.",
    "published": "Rows taken from a publication.",
    "simulated": "Rows that an estimator computed and nobody measured.",
}


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file.

    Attributes:
        path: place in the dataset folder.
        config: configuration that its rows belong to: their evidence, or the name of a table.
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
        description: what its rows are, in a sentence or two.
        files: its files.
    """

    name: str
    description: str
    files: tuple[DataFile, ...]

    @property
    def paths(self) -> dict[Split, list[str]]:
        """Files of each split that has rows, `train` first."""
        found = {split: [file.path for file in self.files if file.split == split] for split in _SPLITS}
        return {split: paths for split, paths in found.items() if paths}

    @property
    def n_rows(self) -> dict[Split, int]:
        """Rows of each split; 0 where it has none."""
        return {split: sum(file.table.num_rows for file in self.files if file.split == split) for split in _SPLITS}


@dataclass(frozen=True, slots=True)
class DatasetPlan:
    """One dataset before it is written.

    Attributes:
        level: its level.
        text: its name and description.
        version: its version.
        versions: all versions, newest first.
        texts: every text of the cards.
        release: its rows, and the devices, submissions and errata that they belong to.
        splits: side of every row.
        leaks: what both sides of the split share.
        files: its Parquet files.
        configs: its configurations, `default` first, those of rows before those of tables.
    """

    level: Level
    text: DatasetText
    version: Version
    versions: tuple[Version, ...]
    texts: Texts
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

    @property
    def tables(self) -> tuple[Config, ...]:
        """Configurations of the tables beside the rows."""
        return tuple(config for config in self.configs if config.name in TABLES)

    @property
    def evidences(self) -> tuple[Config, ...]:
        """Configurations of rows of one evidence, without `default`, which repeats them."""
        return tuple(config for config in self.configs if config.name in EVIDENCE_TIERS)


def plan_dataset(release: Release, level: Level, texts: Texts) -> DatasetPlan:
    """Plan of one level.

    Raises:
        ReleaseError: two rows share their id, or both sides of the split share a group.
    """
    only = release.only_of(level)
    rows = only.levels[level]
    _check_ids(rows, level)
    splits = assign_splits(rows, level)
    leaks = leak_report(rows, level, splits, release.levels["models"])
    if leaks.shared_groups or leaks.shared_record_ids:
        raise ReleaseError(f"deepen/{level}: train and test share {', '.join(leaks.shared_groups[:5])}.")
    row_files, side_files = tuple(_row_files(rows, splits)), tuple(_side_files(only, level))
    return DatasetPlan(
        level=level,
        text=texts.datasets[level],
        version=texts.versions[0],
        versions=tuple(texts.versions),
        texts=texts,
        release=only,
        splits=splits,
        leaks=leaks,
        files=(*row_files, *side_files),
        configs=(*_row_configs(row_files, texts.datasets[level]), *_side_configs(side_files)),
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


def _row_files(rows: pa.Table, splits: list[Split]) -> Iterable[DataFile]:
    sides = pa.array(splits, pa.string())
    for evidence, tiers in EVIDENCE_TIERS.items():
        is_of_tiers = pc.is_in(rows.column("tier"), value_set=pa.array(tiers, pa.string()))
        for split in _SPLITS:
            part = rows.filter(pc.and_(is_of_tiers, pc.equal(sides, split)))
            if part.num_rows:
                yield DataFile(f"data/{evidence}/{split}.parquet", evidence, split, part)


def _side_files(release: Release, level: Level) -> Iterable[DataFile]:
    tables = {name: getattr(release, name) for name in SIDE_RECORDS}
    tables |= read_out_tables(release) if level == "models" else {}
    present = {name: table for name, table in tables.items() if table.num_rows}
    columns = column_table({"rows": RECORDS[level], **{name: TABLES[name] for name in present}})
    for name, table in (present | {COLUMN_TABLE: columns}).items():
        yield DataFile(f"tables/{name}.parquet", name, "train", table)


def _row_configs(files: tuple[DataFile, ...], text: DatasetText) -> Iterable[Config]:
    own = {evidence: tuple(file for file in files if file.config == evidence) for evidence in EVIDENCE_TIERS}
    present = [evidence for evidence, found in own.items() if found]
    chosen = default_evidences(present)
    sentences = {evidence: _EVIDENCE_SENTENCES[evidence] for evidence in present}
    of_default = " ".join(sentences[evidence] for evidence in chosen)
    yield Config(DEFAULT, f"{text.description} {of_default}", tuple(file for each in chosen for file in own[each]))
    for evidence, sentence in sentences.items():
        yield Config(evidence, f"{text.description} {sentence}", own[evidence])


def _side_configs(files: tuple[DataFile, ...]) -> Iterable[Config]:
    for file in files:
        yield Config(file.config, sentence_of(file.config), (file,))
