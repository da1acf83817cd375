"""Ratings of devices: scores, and what new submissions change in them."""

from pathlib import Path

from harness.api.arguments import AnyPath, OnStep, Paths, silent
from harness.api.submissions import release_of, validate
from harness.defaults import SUBMISSIONS
from harness.releases import Release, assemble
from harness.review import Reviewed
from harness.scoring.changes import RatingChange, rating_changes
from harness.scoring.ratings import Rating, rate
from harness.validation import Validation


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


def changed_ratings(validated: Validation, submissions: AnyPath = SUBMISSIONS) -> list[RatingChange]:
    """What validated campaigns change in the ratings of all submissions; those with errors count nowhere.

    Args:
        validated: new or changed campaigns; where they were validated since a commit, its ratings are compared with.
        submissions: folder of all submissions.

    Returns:
        Devices whose rating differs.

    Examples:
        >>> from harness import api
        >>> [change.before for change in api.changed_ratings(api.validate("submissions"))]
        [None]
    """
    if isinstance(validated, Reviewed):
        return rating_changes(rate(validated.earlier.release), rate(validated.now.release))
    folder, campaigns = Path(submissions), validated.campaigns
    new = {campaign.submission_id for campaign in campaigns}
    known = validate(folder).campaigns if folder.is_dir() else []
    others = [campaign for campaign in known if campaign.submission_id not in new]
    return rating_changes(rate(assemble(others)), rate(assemble([*others, *campaigns])))
