"""Versions of the datasets: the changelog, and how a build differs from the newest version.

Versions are written by people in `dataset_cards/versions.yaml`. A build whose content is that of no version is marked
as a development version; nothing here raises a version.
"""

from pathlib import Path

from harness.errors import ReleaseError
from harness.issues import counted
from harness.packaging.manifest import read_manifest
from harness.packaging.release_plan import ReleasePlan
from harness.packaging.texts import Version
from harness.schema.export import escape_markdown
from harness.schema.vocabulary import Level


def difference(plan: ReleasePlan, level: Level, previous: Path) -> str:
    """How the content of a level differs from that of the newest version, in words; empty where it does not.

    Args:
        plan: the build.
        level: the level.
        previous: folder of an earlier build; the rows that differ are named where it holds the newest version.
    """
    recorded, found = plan.newest.content_sha256.get(level), plan.version.content_sha256.get(level)
    if recorded == found:
        return ""
    rows = plan.row_sha256.get(level, {})
    newest = f"version {plan.newest.version}"
    if recorded is None:
        return f"{counted(len(rows), 'row')}; {newest} records no content_sha256 of {level}"
    if found is None:
        return f"no rows; {newest} has some"
    return f"other content than {newest}: {_changed_rows(recorded, rows, previous)}"


def _changed_rows(recorded: str, rows: dict[str, str], previous: Path) -> str:
    """Rows added, removed and changed since an earlier build; without names where it is of other content."""
    try:
        manifest = read_manifest(previous)
    except ReleaseError:
        return f"{counted(len(rows), 'row')} now"
    if manifest.content_sha256 != recorded:
        return f"{counted(len(rows), 'row')} now"
    added, removed = sorted(rows.keys() - manifest.rows.keys()), sorted(manifest.rows.keys() - rows.keys())
    changed = sorted(key for key in rows.keys() & manifest.rows.keys() if rows[key] != manifest.rows[key])
    parts = [
        f"{counted(len(keys), 'row')} {verb} ({keys[0]}{', …' if len(keys) > 1 else ''})"
        for verb, keys in (("added", added), ("removed", removed), ("changed", changed))
        if keys
    ]
    return ", ".join(parts or ["the rows are the same; devices, submissions, errata or the split differ"])


def changelog(dataset: str, versions: tuple[Version, ...]) -> str:
    """Changelog of a dataset as Markdown, newest version first."""
    parts = [f"# Changelog of {dataset}"]
    for version in versions:
        lines = [f"- {escape_markdown(sentence)}" for sentence in version.summary]
        parts.append("\n".join([f"## {version.version} ({version.date_text})", "", *lines]))
    return "\n\n".join(parts) + "\n"
