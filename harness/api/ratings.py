"""Ratings of devices: scores, and what new submissions change in them."""

from pathlib import Path

from harness.api.arguments import AnyPath, OnStep, Paths, silent
from harness.api.submissions import release_of, validate
from harness.defaults import SUBMISSIONS
from harness.files.left_overs import scratch_folder
from harness.issues import Report
from harness.releases import Release, assemble
from harness.scoring.changes import RatingChange, rating_changes
from harness.scoring.ratings import Rating, rate
from harness.validation import Validation
from harness.validation.since import submissions_at


def score(source: Release | Paths = SUBMISSIONS, *, on_step: OnStep = silent) -> list[Rating]:
    """Score every device under every edition whose suite it ran.

    Args:
        source: release, or folders of submissions.
        on_step: called with each campaign's path before it is read, and with the number of campaigns.

    Returns:
        Ratings by edition, tier and rank; a device that is not rated has the reason.

    Raises:
        InvalidSubmissionsError: a submission has an error.
        UsageError: a path does not exist, or nothing like a submission is there.

    Examples:
        >>> from harness import api
        >>> [(rating.device_id, rating.energy_index) for rating in api.score("submissions")]
        [('acme-phone', None)]
    """
    return rate(release_of(source, on_step))


def changed_ratings(
    validated: Validation, since: str | None = None, submissions: AnyPath = SUBMISSIONS
) -> list[RatingChange] | None:
    """What validated campaigns change in the ratings of all submissions.

    Args:
        validated: new or changed campaigns.
        since: commit, branch or tag to compare with; where None, all other submissions as they are now.
        submissions: folder of all submissions.

    Returns:
        Devices whose rating differs; None where errors keep the ratings from being computed.

    Raises:
        UsageError: git knows no such commit.

    Examples:
        >>> from harness import api
        >>> [change.before for change in api.changed_ratings(api.validate("submissions"))]
        [None]
    """
    if validated.report.n_errors:
        return None
    folder, campaigns = Path(submissions), validated.campaigns
    now = validate(folder) if folder.is_dir() else Validation([], Report(0, ()))
    new = {campaign.submission_id for campaign in campaigns}
    others = [known for known in now.campaigns if known.submission_id not in new]
    if since is None:
        earlier = Validation(others, now.report)
    else:
        with scratch_folder() as scratch:
            then = submissions_at(folder, since, Path(scratch))
            earlier = validate(then) if any(then.iterdir()) else Validation([], Report(0, ()))
    if now.report.n_errors or earlier.report.n_errors:
        return None
    return rating_changes(rate(assemble(earlier.campaigns)), rate(assemble([*others, *campaigns])))
