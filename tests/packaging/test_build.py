"""The build: same input, same bytes; whole or not at all."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness import swap
from harness.errors import ReleaseError
from harness.packaging import build, release_plan
from harness.packaging.build import build_datasets
from harness.packaging.manifest import verify_dataset
from harness.releases import assemble
from tests.campaigns import board_campaign, kernel_campaign, phone_campaign
from tests.packaging.conftest import CARDS


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes of every file below a folder, by relative path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_built_twice_it_is_byte_identical(release, built, tmp_path):
    build_datasets(release, CARDS, tmp_path)
    assert contents(tmp_path / "deepen") == contents(built / "deepen")


def test_order_of_campaigns_does_not_change_a_byte(tmp_path):
    campaigns = [phone_campaign(), phone_campaign("beta-phone", 7.5), board_campaign()]
    build_datasets(assemble(campaigns), CARDS, tmp_path / "one")
    build_datasets(assemble(campaigns[::-1]), CARDS, tmp_path / "other")
    assert contents(tmp_path / "one") == contents(tmp_path / "other")


def test_no_file_names_the_folder_it_was_built_in(built):
    for path, content in contents(built / "deepen").items():
        assert str(built).encode() not in content, path


def test_each_dataset_holds_card_data_croissant_changelog_and_manifest(built):
    for level in ("kernels", "models", "applications"):
        names = {path.name for path in (built / "deepen" / level).iterdir()}
        assert names == {"README.md", "data", "croissant.json", "CHANGELOG.md", "manifest.json"}


def test_outcome_has_rows_and_empty_levels(tmp_path):
    outcome = build_datasets(assemble([phone_campaign()]), CARDS, tmp_path)
    assert [(one.level, one.n_rows, one.is_empty) for one in outcome] == [
        ("kernels", 0, True),
        ("models", 0, True),
        ("applications", 4, False),
    ]
    assert [path.name for path in (tmp_path / "deepen").iterdir()] == ["applications"]


def test_folder_of_a_level_that_became_empty_is_removed(tmp_path):
    build_datasets(assemble([phone_campaign(), kernel_campaign()]), CARDS, tmp_path)
    build_datasets(assemble([phone_campaign()]), CARDS, tmp_path)
    assert not (tmp_path / "deepen" / "kernels").exists()


def test_failure_in_the_middle_leaves_the_previous_build_whole(tmp_path, monkeypatch):
    build_datasets(assemble([phone_campaign()]), CARDS, tmp_path)
    before = contents(tmp_path)
    monkeypatch.setattr(build, "changelog", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        build_datasets(assemble([phone_campaign("beta-phone")]), CARDS, tmp_path)
    assert contents(tmp_path) == before


KILLED = """
import os, signal, sys
from pathlib import Path
from harness.packaging import build
from harness.releases import assemble
from tests.campaigns import phone_campaign

def die_at(level, step):
    if step.startswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

build.build_datasets(assemble([phone_campaign("beta-phone")]), Path(sys.argv[3]), Path(sys.argv[1]), die_at)
"""


@pytest.mark.parametrize("step", ["writing card", "reading back"])
def test_kill_in_the_middle_leaves_the_previous_build_whole_and_the_next_one_removes_the_rest(tmp_path, step):
    build_datasets(assemble([phone_campaign()]), CARDS, tmp_path)
    before = contents(tmp_path / "deepen")
    command = [sys.executable, "-c", KILLED, str(tmp_path), step, str(CARDS)]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert contents(tmp_path / "deepen") == before
    assert (tmp_path / ".deepen.new").exists()
    build_datasets(assemble([phone_campaign("beta-phone")]), CARDS, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"deepen", ".deepen.lock"}
    assert "data/train-beta-phone.parquet" in contents(tmp_path / "deepen" / "applications")


def test_system_that_cannot_exchange_folders_still_replaces_them(tmp_path, monkeypatch):
    monkeypatch.setattr(swap, "_exchange", lambda *_: False)
    build_datasets(assemble([phone_campaign()]), CARDS, tmp_path)
    build_datasets(assemble([board_campaign()]), CARDS, tmp_path)
    assert [path.name for path in (tmp_path / "deepen").iterdir()] == ["models"]
    assert not (tmp_path / ".deepen.old").exists()


def test_death_between_the_two_renames_is_repaired_by_the_next_build(tmp_path, monkeypatch):
    build_datasets(assemble([phone_campaign()]), CARDS, tmp_path)
    (tmp_path / "deepen").rename(tmp_path / ".deepen.old")
    monkeypatch.setattr(release_plan, "plan_dataset", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        build_datasets(assemble([phone_campaign()]), CARDS, tmp_path)
    assert verify_dataset(tmp_path / "deepen" / "applications").n_rows == 4


def test_exchange_is_atomic_where_the_system_offers_it(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / folder.name).touch()
    if not swap._exchange(one, other):
        pytest.skip("the file system cannot exchange two folders")
    assert [path.name for folder in (one, other) for path in folder.iterdir()] == ["other", "one"]


def test_second_writer_is_refused(tmp_path):
    with swap.replacing(tmp_path / "deepen"), pytest.raises(ReleaseError, match="another build"):
        build_datasets(assemble([phone_campaign()]), CARDS, tmp_path)


def test_rows_that_share_their_id_are_refused(tmp_path):
    campaign = board_campaign()
    doubled = {"models": campaign.tables["models"].take([0, 0])}
    release = assemble([type(campaign)(campaign.device_id, "twice", campaign.device, campaign.manifest, doubled)])
    with pytest.raises(ReleaseError, match="Give each repeated measurement a source_id"):
        build_datasets(release, CARDS, tmp_path)


@pytest.mark.parametrize("name", ["devices", "submissions", "errata", "default"])
def test_device_named_like_a_configuration_is_refused(name, tmp_path):
    with pytest.raises(ReleaseError, match="Rename the device folder"):
        build_datasets(assemble([phone_campaign(name)]), CARDS, tmp_path)


def test_previous_folder_that_a_dead_writer_left_beside_a_whole_one_is_removed(tmp_path):
    build_datasets(assemble([phone_campaign()]), CARDS, tmp_path)
    (tmp_path / ".deepen.old").mkdir()
    (tmp_path / ".deepen.old" / "README.md").touch()
    build_datasets(assemble([board_campaign()]), CARDS, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"deepen", ".deepen.lock"}
    assert [path.name for path in (tmp_path / "deepen").iterdir()] == ["models"]
