import shutil
import subprocess

import pytest

from harness.errors import UsageError
from harness.validation.since import changed_campaigns, submissions_at
from tests.validation.golden import lay_out

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
DEVICE = "acme-phone"


def git(folder, *arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def root(tmp_path):
    """Submissions of one device with two campaigns, committed."""
    root = lay_out(None, tmp_path)
    shutil.copytree(root / DEVICE / "2026-10", root / DEVICE / "2026-11")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "before")
    return root


def append(path):
    path.write_text(path.read_text() + "\n")


def test_nothing_has_changed_since_the_commit_itself(root):
    assert changed_campaigns(root, "HEAD") == []


def test_changed_campaign_is_found_alone(root):
    append(root / DEVICE / "2026-11" / "kernels.csv")
    assert changed_campaigns(root, "HEAD") == [root / DEVICE / "2026-11"]


def test_device_that_changed_with_a_campaign_stands_once(root):
    append(root / DEVICE / "device.yaml")
    append(root / DEVICE / "2026-11" / "kernels.csv")
    assert changed_campaigns(root, "HEAD") == [root / DEVICE]


def test_campaign_that_is_not_committed_yet_is_found(root):
    shutil.copytree(root / DEVICE / "2026-10", root / DEVICE / "2026-12")
    assert changed_campaigns(root, "HEAD") == [root / DEVICE / "2026-12"]


def test_campaign_that_was_removed_is_listed(root):
    shutil.rmtree(root / DEVICE / "2026-11")
    assert changed_campaigns(root, "HEAD") == [root / DEVICE / "2026-11"]


def test_file_beside_the_campaigns_changes_the_device(root):
    (root / DEVICE / "notes.txt").write_text("x")
    assert changed_campaigns(root, "HEAD") == [root / DEVICE]


def test_submissions_that_are_gone_have_all_changed(root):
    shutil.rmtree(root)
    assert changed_campaigns(root, "HEAD") == [root / DEVICE]


def test_submissions_that_are_a_link_are_those_of_the_checkout(root, tmp_path):
    root.rename(tmp_path / "elsewhere")
    root.symlink_to("elsewhere")
    assert root / DEVICE in changed_campaigns(root, "HEAD")
    assert (submissions_at(root, "HEAD", tmp_path / "then") / DEVICE / "device.yaml").is_file()


def test_submissions_of_a_commit_are_unpacked_as_they_were(root, tmp_path):
    before = (root / DEVICE / "2026-10" / "kernels.csv").read_bytes()
    append(root / DEVICE / "2026-10" / "kernels.csv")
    then = submissions_at(root, "HEAD", tmp_path / "then")
    assert (then / DEVICE / "2026-10" / "kernels.csv").read_bytes() == before


def test_commit_that_is_not_there_is_wrong_usage(root):
    with pytest.raises(UsageError, match="git merge-base: "):
        changed_campaigns(root, "no-such-branch")
