"""The build: same input, same bytes; whole or not at all."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from harness.errors import ReleaseError
from harness.packaging import build
from harness.packaging.build import build_datasets
from harness.packaging.manifest import read_manifest
from harness.releases import assemble
from tests.campaigns import board_campaign, kernel_campaign, phone_campaign, simulated_campaign
from tests.packaging.conftest import CARDS, replace_datasets

SPLITS = ("train", "test")


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
        assert names == {"README.md", "data", "tables", "croissant.json", "CHANGELOG.md", "LICENSE", "manifest.json"}


def test_outcome_has_rows_and_empty_levels(tmp_path):
    outcome = build_datasets(assemble([phone_campaign()]), CARDS, tmp_path)
    assert [(one.level, one.n_rows, one.is_empty) for one in outcome] == [
        ("kernels", 0, True),
        ("models", 0, True),
        ("applications", 4, False),
    ]
    assert [path.name for path in (tmp_path / "deepen").iterdir()] == ["applications"]


def test_folder_of_a_level_that_became_empty_is_removed(tmp_path):
    replace_datasets(assemble([phone_campaign(), kernel_campaign()]), CARDS, tmp_path)
    replace_datasets(assemble([phone_campaign()]), CARDS, tmp_path)
    assert not (tmp_path / "deepen" / "kernels").exists()


def test_failure_in_the_middle_leaves_the_previous_build_whole(tmp_path, monkeypatch):
    replace_datasets(assemble([phone_campaign()]), CARDS, tmp_path)
    before = contents(tmp_path / "deepen")
    monkeypatch.setattr(build, "changelog", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        replace_datasets(assemble([phone_campaign("beta-phone")]), CARDS, tmp_path)
    assert contents(tmp_path / "deepen") == before


def test_rows_that_share_their_id_are_refused(tmp_path):
    campaign = board_campaign()
    doubled = {"models": campaign.tables["models"].take([0, 0])}
    release = assemble([type(campaign)(campaign.device_id, "twice", campaign.device, campaign.manifest, doubled)])
    with pytest.raises(ReleaseError, match="Give each repeated measurement a source_id"):
        build_datasets(release, CARDS, tmp_path)


def test_files_are_one_per_evidence_and_split_whatever_the_number_of_devices(tmp_path):
    campaigns = [simulated_campaign(f"npu-{n}", n_rows=40) for n in range(3)]
    campaigns += [kernel_campaign(f"phone-{n}", n_configurations=40) for n in range(5)]
    build_datasets(assemble(campaigns), CARDS, tmp_path)
    kernels = tmp_path / "deepen" / "kernels"
    rows = {path.relative_to(kernels).as_posix() for path in (kernels / "data").rglob("*.parquet")}
    assert rows == {f"data/{evidence}/{split}.parquet" for evidence in ("measured", "simulated") for split in SPLITS}
    tables = {path.name for path in (kernels / "tables").iterdir()}
    assert tables == {"devices.parquet", "submissions.parquet", "columns.parquet"}
    for path in rows:
        devices = pq.read_table(kernels / path, columns=["device_id"], partitioning=None).column(0).to_pylist()
        assert devices == sorted(devices)


def test_a_device_may_be_named_like_a_configuration(tmp_path):
    build_datasets(assemble([phone_campaign(name) for name in ("default", "devices", "simulated")]), CARDS, tmp_path)
    assert read_manifest(tmp_path / "deepen" / "applications").n_rows == 12
