"""Runs the tests of the rooms that changed: `python -m tests.changed`, or `make fast`.

Rooms above a changed one are left to the whole run.
"""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
ALWAYS = ("tests/test_architecture.py", "tests/test_layers.py")
TESTS_OF = {
    "__init__": ("tests/cli",),
    "api": ("tests/api", "tests/cli"),
    "arrays": ("tests/evaluation",),
    "budget": ("tests/fuzz", "tests/validation"),
    "children": ("tests/test_kills.py",),
    "code_version": ("tests/test_versions.py",),
    "defaults": ("tests/api", "tests/cli"),
    "errors": ("tests/test_issues.py", "tests/cli"),
    "files": ("tests/test_files.py", "tests/test_kills.py"),
    "numbers": ("tests/traces", "tests/validation"),
    "seal": ("tests/evaluation", "tests/prediction"),
    "split_statements": ("tests/test_splits.py",),
}
"""Tests of rooms that have none of their own name."""
EVERYTHING = ("tests", "deepen", "harness", "predictors")
SHARED = ("Makefile", "conftest.py", "pyproject.toml", "requirements.lock")
"""Files that concern every test."""
BESIDE = {
    "dataset_cards": "tests/packaging",
    "predictors": "tests/predictors",
    "site": "tests/pages",
    "mkdocs.yml": "tests/pages",
    "submissions": "tests/scoring",
}
"""Tests of what has no room of its own, by its first folder."""


def affected_tests(paths: Iterable[str]) -> list[str]:
    """Test files and folders, and changed modules with their doctests, for paths of changed files.

    Args:
        paths: relative to the root of the repository.

    >>> affected_tests(["harness/traces/clock.py", "tests/intake/test_csv.py", "LICENSE"])
    ['harness/traces/clock.py', 'tests/intake/test_csv.py', 'tests/traces']
    """
    found: set[str] = set()
    for path in map(PurePosixPath, paths):
        first, *rest = path.parts
        if path.as_posix() in SHARED or (first == "tests" and len(rest) == 1 and not rest[0].startswith("test_")):
            return list(EVERYTHING)
        if path.suffix == ".py" and first in EVERYTHING[1:]:
            found.add(path.as_posix())
        if path.suffix == ".md":
            found.add("tests/test_docs.py")
        if first == "harness":
            room = path.stem if len(rest) == 1 else rest[0]
            found.update(TESTS_OF.get(room, (f"tests/test_{room}.py" if len(rest) == 1 else f"tests/{room}",)))
        elif first == "tests":
            found.add(_beside(path))
        elif first in BESIDE:
            found.add(BESIDE[first])
    return sorted(found)


def _beside(path: PurePosixPath) -> str:
    """A test file itself; the folder of anything else below `tests/`, and `tests/validation` for its golden cases."""
    folder = path.parts[1] if len(path.parts) > 2 else ""
    if folder.startswith("golden"):
        return "tests/validation"
    return path.as_posix() if path.name.startswith("test_") or not folder else f"tests/{folder}"


def changed_paths() -> list[str]:
    """Files that differ from where this branch left main, and files that git does not know yet."""
    base = _git("merge-base", "HEAD", "origin/main") or _git("merge-base", "HEAD", "main") or ["HEAD"]
    return [*_git("diff", "--name-only", base[0]), *_git("ls-files", "--others", "--exclude-standard")]


def _git(*arguments: str) -> list[str]:
    finished = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return finished.stdout.splitlines()


def main() -> int:
    """Run what changed; the exit code is that of pytest."""
    chosen = [path for path in dict.fromkeys([*affected_tests(changed_paths()), *ALWAYS]) if (ROOT / path).exists()]
    sys.stdout.write(f"tests of {' '.join(chosen)}\n")
    sys.stdout.flush()
    return subprocess.call([sys.executable, "-m", "pytest", "-x", "--ff", *chosen], cwd=ROOT)


if __name__ == "__main__":
    raise SystemExit(main())
