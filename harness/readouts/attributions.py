"""Sentences that owners of figures ask for wherever their figures are shown."""

from collections.abc import Collection

from harness.releases import Release


def attributions_of(release: Release, submission_ids: Collection[str] | None = None) -> list[str]:
    """Sentences that the owners of figures ask for, sorted.

    Args:
        release: the release.
        submission_ids: submissions that the figures are from; None for all.
    """
    rows = release.submissions.select(["submission_id", "attribution"]).to_pylist()
    wanted = [row for row in rows if submission_ids is None or row["submission_id"] in submission_ids]
    return sorted({row["attribution"] for row in wanted if row["attribution"] is not None})
