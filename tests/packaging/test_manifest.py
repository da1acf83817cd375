"""The manifest: it names what was altered, and rows keep their digest across builds."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import ReleaseError
from harness.packaging.build import build_datasets
from harness.packaging.manifest import hash_rows, read_manifest, row_sha256, verify_dataset, verify_written
from harness.packaging.plan import DataFile
from harness.releases import assemble
from tests.campaigns import phone_campaign
from tests.packaging.conftest import CARDS

FILES = ("data/published/train.parquet", "data/published/test.parquet")


@pytest.fixture
def folder(built, tmp_path):
    """Copy of a dataset that a test may damage."""
    return shutil.copytree(built / "deepen" / "applications", tmp_path / "applications")


def test_untouched_dataset_verifies(folder):
    manifest = verify_dataset(folder)
    assert (manifest.dataset, manifest.n_rows, len(manifest.rows)) == ("deepen/applications", 8, 8)


@pytest.mark.parametrize(
    "name", ["README.md", "LICENSE", "croissant.json", "data/published/test.parquet", "tables/errata.parquet"]
)
def test_tampered_file_is_named(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ReleaseError, match=name):
        verify_dataset(folder)


def test_missing_and_unlisted_files_are_named(folder):
    (folder / "data" / "published" / "extra.parquet").touch()
    with pytest.raises(ReleaseError, match=r"data/published/extra\.parquet: not listed"):
        verify_dataset(folder)
    (folder / "data" / "published" / "extra.parquet").unlink()
    (folder / "CHANGELOG.md").unlink()
    with pytest.raises(ReleaseError, match=r"CHANGELOG\.md: missing"):
        verify_dataset(folder)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("content_sha256", "0" * 64, "content_sha256"),
        ("n_rows", 9, "rows = 8; expected 9"),
        ("rows", {}, "not as listed"),
        (
            "configs",
            {"default": {"train": ["data/published/gone.parquet"]}},
            r"gone\.parquet: listed among files = False",
        ),
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
    entry = next(entry for entry in manifest["files"] if entry["path"] == "tables/errata.parquet")
    entry["n_rows"] += 1
    path.write_text(json.dumps(manifest))
    with pytest.raises(ReleaseError, match=rf"errata\.parquet: rows = {entry['n_rows'] - 1}; expected"):
        verify_dataset(folder)


def test_files_of_every_configuration_are_listed(built):
    manifest = read_manifest(built / "deepen" / "applications")
    assert manifest.configs["default"] == manifest.configs["published"]
    assert manifest.configs["published"] == {
        "train": ["data/published/train.parquet"],
        "test": ["data/published/test.parquet"],
    }
    assert manifest.configs["errata"] == {"train": ["tables/errata.parquet"]}


def test_content_does_not_depend_on_the_number_of_files_that_rows_are_in():
    table = pa.table({"record_id": ["a", "b"], "energy_mj": [1.0, 2.0]})
    whole = hash_rows({"data/measured/train.parquet": table})
    parts = {f"data/measured/train-{n}-of-2.parquet": table.slice(n, 1) for n in range(2)}
    assert hash_rows(parts) == whole
    assert hash_rows({"data/published/train.parquet": table})[1] != whole[1]
    assert hash_rows({"data/measured/test.parquet": table})[1] != whole[1]


def test_file_with_other_rows_than_were_to_be_written_is_named(built):
    folder = built / "deepen" / "applications"
    tables = {path: pq.read_table(folder / path, partitioning=None) for path in FILES}
    files = [DataFile(path, "published", "train", table) for path, table in tables.items()]
    verify_written(folder, files)
    other = DataFile(FILES[1], "published", "test", tables[FILES[1]].slice(1))
    with pytest.raises(ReleaseError, match=r"published/test\.parquet: rows as planned = False"):
        verify_written(folder, [files[0], other])
