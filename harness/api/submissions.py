"""Submissions: validated, and read as the tables of a release."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness import __version__
from harness.api.arguments import OnStep, Paths, as_paths, check_known, silent
from harness.defaults import SUBMISSIONS
from harness.errors import InvalidSubmissionsError, UsageError
from harness.issues import Report, as_sarif, as_text
from harness.releases import Release, assemble
from harness.review import Change, Snapshot, review
from harness.validation import RULES, Validation
from harness.validation import validate as validate_campaigns
from harness.validation.since import changed_campaigns, changed_outside, submissions_at
from harness.validation.tree import campaign_paths


def validate(paths: Paths = SUBMISSIONS, *, since: str | None = None, on_step: OnStep = silent) -> Validation:
    """Check submissions against every rule; faults are collected in the report, never raised.

    Args:
        paths: submission trees, device folders, campaign folders or single files of them.
        since: commit, branch or tag; only what changed in the one folder of submissions since then is checked, and
            compared with what is published there.
        on_step: called with each campaign's path before it is read, and with the number of campaigns.

    Returns:
        Campaigns without errors, and the report of all faults.

    Raises:
        UsageError: a path does not exist, nothing like a submission is there, or git knows no such commit.

    Examples:
        >>> from harness import api
        >>> found = api.validate("submissions/acme-phone")
        >>> found.report.n_rows, found.report.n_errors
        (10, 0)
    """
    chosen = as_paths(paths)
    if since is not None:
        return _reviewed(chosen, since, on_step)
    n_campaigns = len(campaign_paths(chosen))
    return validate_campaigns(chosen, lambda name: on_step(name, n_campaigns))


def _reviewed(folders: Sequence[Path], since: str, on_step: OnStep) -> Validation:
    """Validation of what changed in the only folder of submissions, with the findings of its review."""
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


def read_release(paths: Paths = SUBMISSIONS, *, on_step: OnStep = silent) -> Release:
    """Tables of all submissions in some folders, validated.

    Args:
        paths: submission trees, device folders, campaign folders or single files of them.
        on_step: called with each campaign's path before it is read, and with the number of campaigns.

    Returns:
        One Arrow table per level, and those of devices, submissions and errata. Energies are in mJ, times in ms,
        powers in mW.

    Raises:
        InvalidSubmissionsError: a submission has an error; the message lists all errors.
        UsageError: a path does not exist, or nothing like a submission is there.

    Examples:
        >>> from harness import api
        >>> release = api.read_release("submissions")
        >>> release.levels["kernels"].select(["kernel", "energy_mj"]).to_pylist()[0]
        {'kernel': 'bnrelu', 'energy_mj': 0.625}
    """
    validated = validate(paths, on_step=on_step)
    if validated.report.n_errors:
        raise InvalidSubmissionsError(as_text(validated.report))
    return assemble(validated.campaigns)


def sarif(report: Report) -> str:
    """Report of a validation as a SARIF log, as code scanning reads it.

    Examples:
        >>> from harness import api
        >>> '"version": "2.1.0"' in api.sarif(api.validate("submissions").report)
        True
    """
    return as_sarif(report, {rule.rule: rule.summary for rule in RULES.values()}, __version__)


def severity_of(rule: str) -> str:
    """Severity of a validation rule: `error` keeps a row or submission out, `warning` is for the reader.

    Raises:
        UsageError: there is no such rule.

    Examples:
        >>> from harness import api
        >>> api.severity_of("energy-positive")
        'error'
    """
    check_known("rule", [rule], list(RULES))
    return RULES[rule].severity


def release_of(source: Release | Paths, on_step: OnStep = silent) -> Release:
    """A release as it is given, or read from folders."""
    return source if isinstance(source, Release) else read_release(source, on_step=on_step)
