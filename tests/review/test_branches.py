"""A submission on a branch of its own: files and index stay, and what cannot be submitted is refused."""

import shutil
import subprocess
import sys

import pytest

from harness import api
from harness.errors import InvalidSubmissionsError, UsageError
from tests.measure.packs import kernel, write_run

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

FC = {"kernel": "fc", "cin": 64, "cout": 10}
FACTS = {"contributors": ["A. Person"], "licence": "CC0-1.0", "device_class": "single-board-computer"}


def git(folder, *arguments):
    done = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with a file that is changed and one that is staged, and a submission that is neither."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "A. Person")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "a@example.org")
    top = tmp_path / "checkout"
    top.mkdir()
    git(top, "init", "--initial-branch", "main")
    for name in ("changed", "staged"):
        (top / name).write_text("before\n")
    git(top, "add", ".")
    git(top, "commit", "-m", "begin")
    for name in ("changed", "staged"):
        (top / name).write_text("after\n")
    git(top, "add", "staged")
    run = write_run(tmp_path / "run", [kernel(1, 2.0, FC)])
    monkeypatch.chdir(top)
    api.intake("measure", run, "my-board", "2026-11", out=top / "submissions", **FACTS)
    return top


def test_a_submission_is_the_only_change_of_its_branch(checkout):
    state = git(checkout, "status", "--porcelain")
    made = api.submit(checkout / "submissions/my-board/2026-11")
    assert set(git(checkout, "status", "--porcelain").splitlines()) == {*state.splitlines(), "?? dist/"}
    assert git(checkout, "branch", "--show-current") == "main"
    changed = git(checkout, "diff", "--name-only", "main", made.branch.name).splitlines()
    assert "submissions/my-board/device.yaml" in changed
    assert all(name.startswith("submissions/my-board/") for name in changed)
    assert (made.branch.name, made.title) == ("submission/my-board-2026-11", "Submission my-board/2026-11: 1 row")
    assert "Validation passed" in made.text.read_text()
    assert [step.split()[0] for step in made.steps] == ["git", "gh"]
    assert not made.is_sent


def test_a_second_call_finds_the_branch_and_other_files_are_refused(checkout):
    folder = checkout / "submissions/my-board/2026-11"
    first = api.submit(folder)
    again = api.submit(folder)
    assert (again.branch.commit, again.branch.is_new) == (first.branch.commit, False)
    (folder.parent / "device.yaml").write_text((folder.parent / "device.yaml").read_text() + "year: 2024\n")
    with pytest.raises(UsageError, match="is there with other files"):
        api.submit(folder)
    assert api.submit(folder, branch="other").branch.is_new


def test_what_cannot_be_submitted_is_refused(checkout, tmp_path):
    folder = checkout / "submissions/my-board/2026-11"
    with pytest.raises(UsageError, match=r"holds no submission.yaml"):
        api.submit(folder.parent)
    shutil.copytree(folder.parent, checkout / "elsewhere/my-board")
    with pytest.raises(UsageError, match="is not submissions/DEVICE/CAMPAIGN"):
        api.submit(checkout / "elsewhere/my-board/2026-11")
    shutil.copytree(folder.parent, tmp_path / "submissions/my-board")
    with pytest.raises(UsageError, match="git rev-parse"):
        api.submit(tmp_path / "submissions/my-board/2026-11")
    (folder / "kernels.csv").write_text("kernel\nfc\n")
    with pytest.raises(InvalidSubmissionsError):
        api.submit(folder)
    assert git(checkout, "branch", "--list", "submission/*") == ""


def test_what_is_there_already_is_nothing_to_submit(checkout):
    git(checkout, "add", "submissions")
    git(checkout, "commit", "-m", "there")
    with pytest.raises(UsageError, match="nothing to submit"):
        api.submit(checkout / "submissions/my-board/2026-11")


def test_push_sends_the_branch_and_opens_the_pull_request(checkout, tmp_path, monkeypatch):
    folder = checkout / "submissions/my-board/2026-11"
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "git").symlink_to(shutil.which("git"))
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(UsageError, match="gh, GitHub's command, is not installed"):
        api.submit(folder, push=True)
    gh = programs / "gh"
    gh.write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(tmp_path / 'said')!r}, 'w').write(' '.join(sys.argv[1:]))\n"
    )
    gh.chmod(0o755)
    with pytest.raises(UsageError, match=r"(?s)git push: .* go on by hand"):
        api.submit(folder, push=True)
    git(tmp_path, "init", "--bare", "origin.git")
    git(checkout, "remote", "add", "origin", str(tmp_path / "origin.git"))
    made = api.submit(folder, push=True)
    assert (made.is_sent, made.steps) == (True, ())
    assert git(tmp_path / "origin.git", "rev-parse", made.branch.name) == made.branch.commit
    assert f"pr create --head {made.branch.name} --title {made.title}" in (tmp_path / "said").read_text()
