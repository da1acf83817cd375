"""Submissions that a command works on, validated."""

from collections.abc import Sequence
from pathlib import Path

from harness.cli.printing import steps
from harness.errors import InvalidSubmissionsError
from harness.issues import as_text
from harness.releases import Release, assemble
from harness.validation import validate
from harness.validation.tree import campaign_paths


def validated_release(paths: Sequence[Path]) -> Release:
    """Release of all submissions in some folders.

    Raises:
        InvalidSubmissionsError: any of them holds an error; the message lists all.
        UsageError: a folder does not exist, or nothing like a submission is there.
    """
    with steps("Reading", len(campaign_paths(paths))) as step:
        validated = validate(paths, step)
    if validated.report.n_errors:
        raise InvalidSubmissionsError(as_text(validated.report))
    return assemble(validated.campaigns)
