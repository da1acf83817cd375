"""Golden cases: broken submissions as what differs from a sound one, each with the report that it must get."""

import shutil
from pathlib import Path

HERE = Path(__file__).parents[1]
BASE = HERE / "golden_base"
CASES = sorted(folder for folder in (HERE / "golden").iterdir() if folder.is_dir())


def lay_out(case: Path | None, root: Path) -> Path:
    """Copy the sound submission, overlay the case's files and delete what its remove.txt lists."""
    submissions = root / "submissions"
    shutil.copytree(BASE, submissions)
    if case is None:
        return submissions
    removals = case / "remove.txt"
    for name in removals.read_text().splitlines() if removals.exists() else ():
        target = submissions / name
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink()
    if (case / "files").exists():
        shutil.copytree(case / "files", submissions, dirs_exist_ok=True)
    return submissions


def expected_text(case: Path) -> str:
    return (case / "expected.txt").read_text(encoding="utf-8")
