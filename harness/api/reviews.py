"""Submissions compared with what is published at a commit."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.api.arguments import OnStep
from harness.errors import UsageError
from harness.issues import Report
from harness.review import Change, Snapshot, review
from harness.validation import Validation
from harness.validation import validate as validate_campaigns
from harness.validation.since import changed_campaigns, changed_outside, submissions_at
from harness.validation.tree import campaign_paths


def reviewed(folders: Sequence[Path], since: str, on_step: OnStep) -> Validation:
    """Validation of what changed in the only folder of submissions, with the findings of its review.

    Args:
        folders: the folder of submissions.
        since: commit, branch or tag.
        on_step: called with each campaign's path before it is read, and with the number of campaigns.

    Raises:
        UsageError: there are several folders, or git knows no such commit.
    """
    if len(folders) != 1:
        raise UsageError("name one folder of submissions to compare with a commit")
    folder = folders[0]
    changed = changed_campaigns(folder, since)
    # A folder that is gone or empty is no wrong usage here: everything that was published is gone as well.
    paths = [folder] if folder.is_symlink() or _is_tree(folder) else []
    n_campaigns = len(campaign_paths(paths, changed))
    validated = validate_campaigns(paths, lambda name: on_step(name, n_campaigns), only=changed)
    with tempfile.TemporaryDirectory() as scratch:
        earlier = _snapshot(submissions_at(folder, since, Path(scratch)))
        change = Change(earlier, _snapshot(folder), changed_outside(folder, since))
        return review(validated, change)


def _is_tree(folder: Path) -> bool:
    """Whether a folder holds anything that a validation looks at."""
    is_folder = folder.is_dir() and not folder.is_symlink()
    return is_folder and any(not entry.name.startswith(".") for entry in folder.iterdir())


def _snapshot(folder: Path) -> Snapshot:
    found = validate_campaigns([folder]) if _is_tree(folder) else Validation([], Report(0, ()))
    return Snapshot(folder, found.campaigns, found.doubted)
