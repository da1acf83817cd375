"""The datasets of one build with the version that follows from their content; it writes nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from harness.packaging.manifest import hash_rows
from harness.packaging.plan import DatasetPlan, plan_dataset
from harness.packaging.texts import DevVersion, Texts, Version
from harness.releases import Release
from harness.schema.vocabulary import LEVELS, Level

Progress = Callable[[Level, str], None]


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """All datasets of one build.

    Attributes:
        version: version of all of them.
        newest: newest version of `versions.yaml`.
        datasets: plan of each level that has rows.
        row_sha256: per level, the digest of each row by record id.
    """

    version: Version
    newest: Version
    datasets: dict[Level, DatasetPlan]
    row_sha256: dict[Level, dict[str, str]]


def plan_release(release: Release, texts: Texts, progress: Progress = lambda _level, _step: None) -> ReleasePlan:
    """Plan every dataset of a release.

    The build is of the newest version where every level has the content that this version records; otherwise it is
    a development version of its own.

    Args:
        progress: called with the level and a few words before each step.

    Raises:
        ReleaseError: a level cannot be planned.
    """
    plans, row_sha256, contents = {}, {}, {}
    for level in LEVELS:
        if release.levels[level].num_rows:
            progress(level, "planning")
            plans[level] = plan_dataset(release, level, texts)
            row_sha256[level], contents[level] = hash_rows({file.path: file.table for file in plans[level].files})
    newest = texts.versions[0]
    version = newest if newest.content_sha256 == contents else DevVersion.after(newest, contents)
    versions = tuple(texts.versions) if version == newest else (version, *texts.versions)
    return ReleasePlan(
        version=version,
        newest=newest,
        datasets={level: replace(plan, version=version, versions=versions) for level, plan in plans.items()},
        row_sha256=row_sha256,
    )
