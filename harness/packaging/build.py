"""Builds the dataset folders of a release and verifies them; who calls it puts them in place of the old ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.packaging.card import dataset_card
from harness.packaging.croissant import croissant
from harness.packaging.licences import LICENCE_FILE, licence_file
from harness.packaging.manifest import describe_file, make_manifest, verify_written, write_manifest
from harness.packaging.parquet import write_parquet
from harness.packaging.plan import DatasetPlan
from harness.packaging.release_plan import Progress, ReleasePlan, plan_release
from harness.packaging.texts import DevVersion, read_texts
from harness.packaging.versions import changelog, difference
from harness.releases import Release
from harness.schema.vocabulary import LEVELS, Level

NAMESPACE: Final = "deepen"
"""Folder below `dist` that holds the datasets, so that `load_dataset("deepen/kernels")` finds them from there."""


@dataclass(frozen=True, slots=True)
class BuiltDataset:
    """Outcome of one level.

    Attributes:
        level: the level.
        version: version that was built.
        is_dev: whether it is a development version, because the content of the build is that of no version.
        folder: the dataset folder; None where the level has no rows and nothing was written.
        n_rows: rows of all splits.
        n_devices: devices that the rows belong to.
        content_sha256: digest of its content, as a version records it; None for an empty level.
        difference: how the content differs from that of the newest version, in words; empty where it does not.
    """

    level: Level
    version: str
    is_dev: bool
    folder: Path | None
    n_rows: int
    n_devices: int
    content_sha256: str | None
    difference: str

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to write."""
        return self.folder is None


def build_datasets(
    release: Release,
    cards: Path,
    dist: Path,
    progress: Progress = lambda _level, _step: None,
    *,
    previous: Path | None = None,
) -> list[BuiltDataset]:
    """Write `dist/deepen/<level>/` for every level that has rows; a level without rows leaves no folder.

    Args:
        release: the tables.
        cards: folder of card templates and texts.
        dist: folder to write into, which has no datasets yet.
        progress: called with the level and a few words before each step.
        previous: folder with the datasets of the build before, whose place these take.

    Returns:
        One outcome per level, in the order of the levels. Its folder is the one that the dataset will have.

    Raises:
        ReleaseError: the texts are not as declared, or what was written does not read back.
    """
    texts = read_texts(cards)
    plan = plan_release(release, texts, progress)
    place = (previous or dist) / NAMESPACE
    (dist / NAMESPACE).mkdir(parents=True)
    for level, dataset in plan.datasets.items():
        _write_dataset(dataset, plan.row_sha256[level], dist / NAMESPACE / level, cards, progress)
    return [_outcome(plan, level, place / level) for level in LEVELS]


def _outcome(plan: ReleasePlan, level: Level, folder: Path) -> BuiltDataset:
    dataset = plan.datasets.get(level)
    return BuiltDataset(
        level=level,
        version=plan.version.version,
        is_dev=isinstance(plan.version, DevVersion),
        folder=folder if dataset else None,
        n_rows=dataset.rows.num_rows if dataset else 0,
        n_devices=dataset.release.devices.num_rows if dataset else 0,
        content_sha256=plan.version.content_sha256.get(level),
        difference=difference(plan, level, folder),
    )


def _write_dataset(
    plan: DatasetPlan, row_sha256: dict[str, str], folder: Path, cards: Path, progress: Progress
) -> None:
    """Write the files of a dataset, then read them back and verify them."""
    content = plan.version.content_sha256[plan.level]
    progress(plan.level, f"writing {len(plan.files)} Parquet files")
    entries = {}
    for file in plan.files:
        write_parquet(file, folder)
        entries[file.path] = describe_file(folder, file.path, file.table.num_rows)
    progress(plan.level, "writing card, changelog, licences, Croissant and manifest")
    texts = {
        "README.md": dataset_card(plan, cards, folder),
        "CHANGELOG.md": changelog(plan.name, plan.versions),
        LICENCE_FILE: licence_file(plan.name, plan.release.submissions, plan.rows, cards),
        "croissant.json": croissant(plan, entries),
    }
    for path, text in texts.items():
        (folder / path).write_text(text, encoding="utf-8", newline="\n")
        entries[path] = describe_file(folder, path)
    write_manifest(make_manifest(plan, entries.values(), row_sha256, content), folder)
    progress(plan.level, "reading back")
    verify_written(folder, plan.files)
