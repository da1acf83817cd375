"""Puts folders on a branch of their own, by a commit that touches neither the index nor the files of the checkout."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from harness.errors import UsageError
from harness.files.git import git

_BASES: Final = ("origin/main", "origin/master", "HEAD")
"""What a branch begins at: where pull requests go, or where the checkout is."""


class Branch(NamedTuple):
    """A branch with one commit beyond its base.

    Attributes:
        name: name of the branch.
        commit: hash of the commit.
        is_new: whether it was made now; it was there with the same files otherwise.
    """

    name: str
    commit: str
    is_new: bool


def checkout_of(path: Path) -> Path:
    """Top of the git checkout that a path is in.

    Raises:
        UsageError: it is in none, or git is not installed.
    """
    return Path(_git(path if path.is_dir() else path.parent, "rev-parse", "--show-toplevel").decode().rstrip("\n"))


def put_on_branch(top: Path, paths: Sequence[Path], name: str, message: str) -> Branch:
    """Commit files as they lie there on a branch of their own, which begins at the main branch.

    Args:
        top: top of the checkout.
        paths: folders and files of it.
        name: name of the branch.
        message: message of the commit.

    Raises:
        UsageError: nothing of them is new, or there is a branch of this name with other files.
    """
    base = next(found for ref in _BASES if (found := _commit_of(top, ref)) is not None)
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch, "index"))}
        _git(top, "read-tree", base, **index)
        _git(top, "add", "--force", "--", *(os.path.relpath(path.resolve(), top.resolve()) for path in paths), **index)
        tree = _git(top, "write-tree", **index).decode().strip()
    if tree == _tree_of(top, base):
        raise UsageError(f"all of it is in {base[:12]} already, so there is nothing to submit")
    there = _commit_of(top, f"refs/heads/{name}")
    if there is not None:
        if _tree_of(top, there) == tree:
            return Branch(name, there, is_new=False)
        raise UsageError(f"branch {name} is there with other files; delete it (git branch -D {name}), or name another")
    commit = _git(top, "commit-tree", tree, "-p", base, "-m", message).decode().strip()
    _git(top, "update-ref", f"refs/heads/{name}", commit, "")
    return Branch(name, commit, is_new=True)


def _commit_of(top: Path, ref: str) -> str | None:
    try:
        return _git(top, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").decode().strip()
    except UsageError:
        return None


def _tree_of(top: Path, commit: str) -> str:
    return _git(top, "rev-parse", f"{commit}^{{tree}}").decode().strip()


def _git(folder: Path, *arguments: str, **environment: str) -> bytes:
    return git(folder, *arguments, purpose=" to put a submission on a branch; install it", **environment)
