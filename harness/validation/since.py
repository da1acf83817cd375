"""What changed in the submissions since a commit, according to git; nothing is checked here."""

import io
import subprocess
import tarfile
from pathlib import Path

from harness.errors import UsageError
from harness.validation.layout import DEVICE_FILE


def changed_campaigns(submissions: Path, ref: str) -> list[Path]:
    """Campaign folders that differ from a commit, those not yet committed included; all of a changed device.

    Args:
        submissions: folder of all submissions, in a git checkout.
        ref: commit, branch or tag; its merge base with the checkout counts, as in a pull request.

    Raises:
        UsageError: there is no such commit, or no git checkout.
    """
    base = _git(submissions, "merge-base", ref, "HEAD").decode().strip()
    listed = _git(submissions, "diff", "--name-only", "--no-renames", "-z", "--relative", base, "--", ".")
    listed += _git(submissions, "ls-files", "--others", "--exclude-standard", "-z", "--", ".")
    folders: set[Path] = set()
    for name in filter(None, listed.decode("utf-8", "surrogateescape").split("\0")):
        device, *inner = Path(name).parts
        if inner and inner[0] != DEVICE_FILE and (submissions / device / inner[0]).exists():
            folders.add(submissions / device / inner[0])
        elif (submissions / device).exists():
            folders.add(submissions / device)
    # A campaign of a device that is validated as a whole would be listed twice.
    return sorted(folder for folder in folders if folder.parent not in folders)


def changed_outside(submissions: Path, ref: str) -> list[str]:
    """Files of the checkout outside the submissions that differ from a commit, by their path from its top.

    Args:
        submissions: folder of all submissions, in a git checkout.
        ref: commit, branch or tag; its merge base with the checkout counts.

    Raises:
        UsageError: there is no such commit, or no git checkout.
    """
    base = _git(submissions, "merge-base", ref, "HEAD").decode().strip()
    prefix = _git(submissions, "rev-parse", "--show-prefix").decode().strip()
    listed = _git(submissions, "diff", "--name-only", "--no-renames", "-z", base, "--", ":/")
    names = filter(None, listed.decode("utf-8", "surrogateescape").split("\0"))
    return [name for name in names if not name.startswith(prefix)] if prefix else []


def submissions_at(submissions: Path, ref: str, into: Path) -> Path:
    """Unpack the submissions of a commit, merged up to where the checkout left it.

    Args:
        submissions: folder of all submissions, in a git checkout.
        ref: commit, branch or tag.
        into: empty folder.

    Returns:
        Folder of the submissions as they were; empty where there were none.
    """
    base = _git(submissions, "merge-base", ref, "HEAD").decode().strip()
    prefix = _git(submissions, "rev-parse", "--show-prefix").decode().strip()
    if _git(submissions, "ls-tree", base, "--", "."):
        # From the top of the checkout, because a folder below it is looked for inside the archived one.
        top = Path(_git(submissions, "rev-parse", "--show-toplevel").decode().strip())
        archive = _git(top, "archive", "--format=tar", f"{base}:{prefix}")
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(into, filter="data")
    return into


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False)  # noqa: S603, S607
    except FileNotFoundError as error:
        raise UsageError("git is needed to find what changed; name the folders instead") from error
    if done.returncode:
        raise UsageError(f"git {arguments[0]}: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout
