"""A submission as a branch with the text of its pull request."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.api.arguments import AnyPath, OnStep, silent
from harness.api.ratings import changed_ratings
from harness.api.submissions import validate
from harness.defaults import SUBMISSIONS
from harness.errors import InvalidSubmissionsError, UsageError
from harness.files import write_file
from harness.issues import as_text, counted
from harness.pages.report import pull_request_report
from harness.review.branches import Branch, checkout_of, put_on_branch
from harness.validation.layout import DEVICE_FILE, MANIFEST_FILE

TEXT: Final = Path("dist", "submit")
"""Folder of the texts of pull requests, below the top of the checkout."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submission that is ready for a pull request.

    Attributes:
        branch: branch with the submission.
        title: title of the pull request.
        text: file with its text.
        n_rows: rows of the submission.
        is_sent: whether branch and pull request were sent.
        steps: commands that send them; none where they were.
    """

    branch: Branch
    title: str
    text: Path
    n_rows: int
    is_sent: bool
    steps: tuple[str, ...]


def submit(folder: AnyPath, *, branch: str | None = None, push: bool = False, on_step: OnStep = silent) -> Submitted:
    """Validate a campaign folder and put it on a git branch of its own, with the text of its pull request.

    Neither the index nor any file of the checkout is touched, and nothing is sent unless that is asked for.

    Args:
        folder: campaign folder, `submissions/DEVICE/CAMPAIGN` of a checkout.
        branch: name of the branch; `submission/DEVICE-CAMPAIGN` by default.
        push: whether to push the branch to `origin` and to open the pull request by GitHub's command `gh`.
        on_step: called with each campaign's path before it is read, and with the number of campaigns.

    Raises:
        UsageError: the folder is none of a campaign in a checkout, nothing of it is new, there is a branch of this name
            with other files, or `gh` is asked for and not there or fails.
        InvalidSubmissionsError: the submission has an error.
    """
    place = Path(folder)
    if not (place / MANIFEST_FILE).is_file():
        raise UsageError(f"{place.as_posix()} holds no {MANIFEST_FILE}; expected {SUBMISSIONS}/DEVICE/CAMPAIGN")
    top = checkout_of(place)
    inner = Path(os.path.relpath(place.resolve(), top.resolve()))
    if inner.parts[:-2] != (SUBMISSIONS.as_posix(),):
        raise UsageError(f"{inner.as_posix()} is not {SUBMISSIONS}/DEVICE/CAMPAIGN of the checkout; take it in there")
    gh = shutil.which("gh")
    if push and gh is None:
        raise UsageError("gh, GitHub's command, is not installed; leave --push out, which prints the steps")
    validated = validate(place, on_step=on_step)
    if validated.report.n_errors:
        raise InvalidSubmissionsError(as_text(validated.report))
    device, campaign = inner.parts[-2:]
    title = f"Submission {device}/{campaign}: {counted(validated.report.n_rows, 'row')}"
    name = branch or f"submission/{device}-{campaign}"
    made = put_on_branch(top, [place, place.parent / DEVICE_FILE], name, title)
    text = top / TEXT / f"{device}-{campaign}.md"
    write_file(text, pull_request_report(validated.report, changed_ratings(validated)))
    steps = (
        ("git", "push", "--set-upstream", "origin", made.name),
        ("gh", "pr", "create", "--head", made.name, "--title", title, "--body-file", str(text)),
    )
    if push:
        for step in steps:
            _run(step, top)
    shown = () if push else tuple(_in_words(step) for step in steps)
    return Submitted(made, title, text, validated.report.n_rows, push, shown)


def _run(command: tuple[str, ...], top: Path) -> None:
    done = subprocess.run(command, cwd=top, capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise UsageError(f"{' '.join(command[:2])}: {said or 'failed'}; the branch is there, so go on by hand")


def _in_words(command: tuple[str, ...]) -> str:
    return " ".join(f'"{word}"' if " " in word else word for word in command)
