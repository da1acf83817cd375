"""The manifest: it names what was altered, and rows keep their digest across builds."""

import json
import shutil

import pytest

from harness.errors import ReleaseError
from harness.packaging.build import build_datasets
from harness.packaging.manifest import read_manifest, row_sha256, verify_dataset
from harness.releases import assemble
from tests.campaigns import phone_campaign
from tests.packaging.conftest import CARDS


@pytest.fixture
def folder(built, tmp_path):
    """Copy of a dataset that a test may damage."""
    return shutil.copytree(built / "deepen" / "applications", tmp_path / "applications")


def test_untouched_dataset_verifies(folder):
    manifest = verify_dataset(folder)
    assert (manifest.dataset, manifest.n_rows, len(manifest.rows)) == ("deepen/applications", 8, 8)


@pytest.mark.parametrize("name", ["README.md", "croissant.json", "data/test-acme-phone.parquet", "data/errata.parquet"])
def test_tampered_file_is_named(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ReleaseError, match=name):
        verify_dataset(folder)


def test_missing_and_unlisted_files_are_named(folder):
    (folder / "data" / "extra.parquet").touch()
    with pytest.raises(ReleaseError, match=r"data/extra\.parquet: not listed"):
        verify_dataset(folder)
    (folder / "data" / "extra.parquet").unlink()
    (folder / "CHANGELOG.md").unlink()
    with pytest.raises(ReleaseError, match=r"CHANGELOG\.md: missing"):
        verify_dataset(folder)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("content_sha256", "0" * 64, "content_sha256"),
        ("n_rows", 9, "rows = 8; expected 9"),
        ("rows", {}, "not as listed"),
        ("files", [{"path": "../x", "sha256": "0" * 64, "n_bytes": 1, "n_rows": None}], "files.0.path"),
    ],
)
def test_altered_manifest_is_named(folder, key, value, message):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(ReleaseError, match=message):
        verify_dataset(folder)


def test_folder_without_a_manifest_is_named(tmp_path):
    with pytest.raises(ReleaseError, match=r"manifest\.json"):
        read_manifest(tmp_path)


def test_row_digest_ignores_the_order_and_absence_of_columns():
    assert row_sha256({"a": 1.5, "b": None, "c": ["x"]}) == row_sha256({"c": ["x"], "a": 1.5})
    assert row_sha256({"a": 1.5}) != row_sha256({"a": 1.25})


def test_rows_keep_id_and_digest_when_a_device_is_added(built, tmp_path):
    build_datasets(assemble([phone_campaign()]), CARDS, tmp_path)
    few = read_manifest(tmp_path / "deepen" / "applications")
    many = read_manifest(built / "deepen" / "applications")
    assert few.rows.items() <= many.rows.items()
    assert few.content_sha256 != many.content_sha256


def test_changed_figure_changes_one_digest_and_no_id(tmp_path):
    manifests = []
    for name, energy_mj in (("before", 442.1), ("after", 442.2)):
        build_datasets(assemble([phone_campaign(energy_mj=energy_mj)]), CARDS, tmp_path / name)
        manifests.append(read_manifest(tmp_path / name / "deepen" / "applications"))
    before, after = manifests
    assert before.rows.keys() == after.rows.keys()
    assert sum(before.rows[key] != after.rows[key] for key in before.rows) == 3


def test_altered_number_of_rows_of_a_file_is_named(folder):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    entry = next(entry for entry in manifest["files"] if entry["path"] == "data/errata.parquet")
    entry["n_rows"] += 1
    path.write_text(json.dumps(manifest))
    with pytest.raises(ReleaseError, match=rf"errata\.parquet: rows = {entry['n_rows'] - 1}; expected"):
        verify_dataset(folder)
