"""Builds the dataset folders of a release: aside, verified by reading back, then put in place in one step."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.packaging.card import dataset_card
from harness.packaging.croissant import croissant
from harness.packaging.manifest import describe_file, hash_rows, make_manifest, verify_dataset, write_manifest
from harness.packaging.parquet import write_parquet
from harness.packaging.plan import DatasetPlan, plan_dataset
from harness.packaging.texts import Version, read_texts
from harness.packaging.versions import changelog, check_frozen
from harness.releases import Release
from harness.schema.vocabulary import LEVELS, Level
from harness.swap import replacing

NAMESPACE: Final = "deepen"
"""Folder below `dist` that holds the datasets, so that `load_dataset("deepen/kernels")` finds them from there."""

Progress = Callable[[Level, str], None]


@dataclass(frozen=True, slots=True)
class BuiltDataset:
    """Outcome of one level.

    Attributes:
        level: the level.
        version: version that was built.
        folder: where it lies; None where the level has no rows and nothing was written.
        n_rows: rows of all splits.
        n_devices: devices that the rows belong to.
        content_sha256: digest of its content, as a version freezes it; None for an empty level.
    """

    level: Level
    version: str
    folder: Path | None
    n_rows: int
    n_devices: int
    content_sha256: str | None

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to write."""
        return self.folder is None


def build_datasets(
    release: Release, cards: Path, dist: Path, progress: Progress = lambda _level, _step: None
) -> list[BuiltDataset]:
    """Write `dist/deepen/<level>/` for every level that has rows; a level without rows leaves no folder.

    All levels are replaced together. Until everything is written and verified, and if the process dies, the
    previous build stays as it is.

    Args:
        release: the tables.
        cards: folder of card templates and texts.
        dist: folder of built things.
        progress: called with the level and a few words before each step.

    Returns:
        One outcome a level, in the order of the levels.

    Raises:
        ReleaseError: the texts are not as declared, a published version would change, or what was written does
            not read back.
    """
    texts = read_texts(cards)
    target = dist / NAMESPACE
    built = []
    with replacing(target) as fresh:
        for level in LEVELS:
            if release.levels[level].num_rows == 0:
                check_frozen(texts.versions[0], level, None, {}, target / level)
                built.append(_empty(level, texts.versions[0]))
                continue
            progress(level, "planning")
            plan = plan_dataset(release, level, texts)
            content = _write_dataset(plan, fresh / level, cards, target / level, progress)
            built.append(
                BuiltDataset(
                    level=level,
                    version=plan.version.version,
                    folder=target / level,
                    n_rows=plan.rows.num_rows,
                    n_devices=plan.release.devices.num_rows,
                    content_sha256=content,
                )
            )
    return built


def _empty(level: Level, version: Version) -> BuiltDataset:
    return BuiltDataset(level=level, version=version.version, folder=None, n_rows=0, n_devices=0, content_sha256=None)


def _write_dataset(plan: DatasetPlan, folder: Path, cards: Path, previous: Path, progress: Progress) -> str:
    """Write, verify, and return the digest of the content."""
    rows, content = hash_rows({file.path: file.table for file in plan.files})
    check_frozen(plan.version, plan.level, content, rows, previous)
    progress(plan.level, f"writing {len(plan.files)} Parquet files")
    entries = {}
    for file in plan.files:
        write_parquet(file, folder)
        entries[file.path] = describe_file(folder, file.path, file.table.num_rows)
    progress(plan.level, "writing card, changelog, Croissant and manifest")
    texts = {
        "README.md": dataset_card(plan, cards, folder),
        "CHANGELOG.md": changelog(plan.name, plan.versions),
        "croissant.json": croissant(plan, entries),
    }
    for path, text in texts.items():
        (folder / path).write_text(text, encoding="utf-8", newline="\n")
        entries[path] = describe_file(folder, path)
    write_manifest(make_manifest(plan, entries.values(), rows, content), folder)
    progress(plan.level, "reading back")
    return verify_dataset(folder).content_sha256
