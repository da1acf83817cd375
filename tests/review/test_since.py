"""A review since a commit reports whatever a pull request does to the folder of submissions; nothing ends it."""

import shutil

import pytest

from harness import api
from tests.validation.golden import lay_out
from tests.validation.test_since import DEVICE, git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def root(tmp_path):
    """Submissions of two devices, committed."""
    root = lay_out(None, tmp_path)
    shutil.copytree(root / DEVICE, root / "other-phone")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "before")
    return root


def found(root):
    return {(issue.rule, issue.file.removeprefix(f"{root.as_posix()}/")) for issue in reported(root).issues}


def reported(root):
    return api.validate(root, since="HEAD").report


@pytest.mark.parametrize("name", ["notes.txt", "a\n## Verdict", "x.csv"])
def test_stray_file_hides_no_deletion(root, name):
    (root / name).write_text("x")
    (root / DEVICE / name).write_text("x")
    shutil.rmtree(root / "other-phone")
    rules = {rule for rule, _ in found(root)}
    assert {"path-unknown", "published-removed"} <= rules


def test_hidden_file_among_the_devices_is_reported(root):
    (root / ".gitattributes").write_text("*.csv eol=crlf")
    assert ("path-hidden", ".gitattributes") in found(root)


def test_campaign_that_differs_from_an_unchanged_one_in_case_is_reported(root):
    (campaign,) = (path for path in (root / DEVICE).iterdir() if path.is_dir())
    shutil.copytree(campaign, campaign.with_name("A"))
    git(root.parent, "add", ".")
    git(root.parent, "commit", "-m", "a")
    shutil.copytree(campaign, campaign.with_name("a"))
    assert "folder-name" in {rule for rule, _ in found(root)}


def test_submissions_that_are_gone_are_reported_one_by_one(root):
    shutil.rmtree(root)
    assert {("published-removed", DEVICE), ("published-removed", "other-phone")} <= found(root)


def test_submissions_that_are_a_link_are_gone(root, tmp_path):
    root.rename(tmp_path / "elsewhere")
    root.symlink_to("elsewhere")
    rules = {issue.rule for issue in reported(root).issues}
    assert {"path-symlink", "published-removed"} <= rules


def test_kind_of_energy_under_the_name_of_today_is_no_change_of_a_figure(root):
    path = root / DEVICE / "2026-10" / "applications.csv"
    text = path.read_text().replace("is_idle_subtracted", "energy_kind")
    path.write_text(text.replace(",false,", ",absolute,"))
    assert "published-figure" not in {issue.rule for issue in reported(root).issues}
    path.write_text(text.replace(",false,", ",idle-subtracted,"))
    assert "published-figure" in {issue.rule for issue in reported(root).issues}


def test_folder_without_a_campaign_ends_nothing(root):
    (root / "empty").mkdir()
    (root / "empty" / ".x").touch()
    assert ("submission-missing", "empty") in found(root)
