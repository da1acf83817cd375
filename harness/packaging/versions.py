"""Versions of the datasets: the changelog, and the promise that a published version never changes.

Which versions exist is written by people in `dataset_cards/versions.yaml`; nothing here invents one.
"""

from pathlib import Path

from harness.errors import ReleaseError
from harness.packaging.manifest import read_manifest
from harness.packaging.texts import Version
from harness.schema.export import escape_markdown
from harness.schema.vocabulary import Level


def check_frozen(version: Version, level: Level, content: str | None, rows: dict[str, str], previous: Path) -> None:
    """Hold the content of a level against what its version froze.

    Args:
        version: version that is being built.
        level: the level.
        content: digest of what would be written; None where the level has no rows.
        rows: digest of each row by record id.
        previous: folder of an earlier build, which may hold the frozen rows and so tell what changed.

    Raises:
        ReleaseError: they differ.
    """
    frozen = version.content_sha256.get(level)
    if frozen is None or frozen == content:
        return
    raise ReleaseError(
        f"deepen/{level}: version {version.version} is published with content {frozen}; found "
        f"{content or 'no rows'}{_what_changed(frozen, rows, previous)}. A published version never changes: "
        "add a new version at the top of versions.yaml."
    )


def _what_changed(frozen: str, rows: dict[str, str], previous: Path) -> str:
    try:
        manifest = read_manifest(previous)
    except ReleaseError:
        return f" in {len(rows)} rows"
    if manifest.content_sha256 != frozen:
        return f" in {len(rows)} rows"
    added, removed = sorted(rows.keys() - manifest.rows.keys()), sorted(manifest.rows.keys() - rows.keys())
    changed = sorted(key for key in rows.keys() & manifest.rows.keys() if rows[key] != manifest.rows[key])
    named = [
        f"{len(keys)} rows {what} ({keys[0]}{', …' if len(keys) > 1 else ''})"
        for what, keys in (("added", added), ("removed", removed), ("changed", changed))
        if keys
    ]
    return ": " + ", ".join(named or ["the rows are the same; devices, submissions, errata or the split differ"])


def changelog(dataset: str, versions: tuple[Version, ...]) -> str:
    """Changelog of a dataset as Markdown, newest version first."""
    parts = [f"# Changelog of {dataset}"]
    for version in versions:
        lines = [f"- {escape_markdown(sentence)}" for sentence in version.summary]
        parts.append("\n".join([f"## {version.version} ({version.date})", "", *lines]))
    return "\n\n".join(parts) + "\n"
