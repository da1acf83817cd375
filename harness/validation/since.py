"""What changed in the submissions since a commit, according to git; nothing is checked here."""

import io
import tarfile
from pathlib import Path
from typing import NamedTuple

from harness.files.git import git


class _Place(NamedTuple):
    """Where the submissions are in their checkout: its top, and their path from there, with a slash at the end."""

    top: Path
    prefix: str

    def git(self, *arguments: str) -> bytes:
        """What a command of git prints at the top of the checkout."""
        return _git(self.top, *arguments)


def changed_campaigns(submissions: Path, ref: str) -> list[Path]:
    """Campaign folders of which a file differs from a commit, and devices of which one beside them does.

    Files that are not yet committed count. What was removed is listed as well, and a file directly among the devices
    stands for itself.

    Args:
        submissions: folder of all submissions, in a git checkout; it need not be there any more.
        ref: commit, branch or tag; its merge base with the checkout counts, as in a pull request.

    Raises:
        UsageError: there is no such commit, or no git checkout.
    """
    place = _place_of(submissions)
    listed = place.git("diff", "--name-only", "--no-renames", "-z", _base(place, ref), "--", f":/{place.prefix}")
    listed += place.git("ls-files", "--others", "--exclude-standard", "-z", "--", f":/{place.prefix}")
    names = filter(None, listed.decode("utf-8", "surrogateescape").split("\0"))
    folders: set[Path] = set()
    for name in names:
        device, *inner = Path(name.removeprefix(place.prefix)).parts
        # What lies beside the campaigns is the device's.
        folder = submissions / device
        folders.add(folder / inner[0] if len(inner) > 1 else folder)
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
    place = _place_of(submissions)
    listed = place.git("diff", "--name-only", "--no-renames", "-z", _base(place, ref), "--", ":/")
    names = filter(None, listed.decode("utf-8", "surrogateescape").split("\0"))
    return [name for name in names if not f"{name}/".startswith(place.prefix)] if place.prefix else []


def submissions_at(submissions: Path, ref: str, into: Path) -> Path:
    """Unpack the submissions of a commit, merged up to where the checkout left it.

    Args:
        submissions: folder of all submissions, in a git checkout.
        ref: commit, branch or tag.
        into: empty folder.

    Returns:
        Folder of the submissions as they were; empty where there were none.
    """
    place = _place_of(submissions)
    base = _base(place, ref)
    # From the top of the checkout, because a folder below it is looked for inside the archived one.
    if not place.prefix or place.git("ls-tree", base, "--", place.prefix):
        archive = place.git("archive", "--format=tar", f"{base}:{place.prefix}")
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(into, filter="data")
    return into


def _place_of(submissions: Path) -> _Place:
    """Checkout of the submissions, found from what holds them, since they may be gone or a link to another place."""
    if (submissions / ".git").exists() and not submissions.is_symlink():
        return _Place(submissions, "")
    folder = submissions.absolute()
    while not folder.parent.is_dir():
        folder = folder.parent
    top, inner = (
        _git(folder.parent, "rev-parse", f"--show-{part}").decode().removesuffix("\n")
        for part in ("toplevel", "prefix")
    )
    return _Place(Path(top), f"{inner}{submissions.absolute().relative_to(folder.parent).as_posix()}/")


def _base(place: _Place, ref: str) -> str:
    return place.git("merge-base", ref, "HEAD").decode().strip()


def _git(folder: Path, *arguments: str) -> bytes:
    return git(folder, *arguments, purpose=" to find what changed; name the folders instead")
