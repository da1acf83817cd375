"""Versions: a build of other content than the newest version is marked, and the texts of the cards are checked."""

import json
import re

import pyarrow as pa
import pytest
import yaml

from harness.errors import ReleaseError
from harness.packaging.manifest import read_manifest
from harness.packaging.release_plan import plan_release
from harness.packaging.texts import read_texts
from harness.releases import assemble
from tests.campaigns import kernel_campaign, phone_campaign
from tests.packaging.conftest import replace_datasets

DEV = r"1\.0\.0\+dev\.[0-9a-f]{8}"


def set_versions(cards, *versions):
    """Write versions, newest first, with the content that they record."""
    entries = [
        {"version": number, "date": "2026-01-02", "summary": [f"Version {number}."], "content_sha256": recorded}
        for number, recorded in versions
    ]
    (cards / "versions.yaml").write_text(yaml.safe_dump(entries))


def contents_of(built):
    return {dataset.level: dataset.content_sha256 for dataset in built if dataset.content_sha256}


def build(cards, dist, *campaigns):
    return replace_datasets(assemble(campaigns), cards, dist)


@pytest.fixture
def released(cards, tmp_path):
    """Cards whose newest version, 1.0.0, records the content of one phone, with that version built beside them."""
    set_versions(cards, ("1.0.0", contents_of(build(cards, tmp_path, phone_campaign()))))
    build(cards, tmp_path, phone_campaign())
    return cards


def test_build_of_the_recorded_content_is_that_version(released, tmp_path):
    built = build(released, tmp_path, phone_campaign())
    assert {(dataset.version, dataset.is_dev, dataset.difference) for dataset in built} == {("1.0.0", False, "")}


@pytest.mark.parametrize(
    ("campaign", "change"),
    [
        (phone_campaign(energy_mj=1.0), r"3 rows changed \([0-9a-f]+, …\)"),
        (phone_campaign("beta-phone"), "4 rows added .*4 rows removed"),
        (phone_campaign(device={"soc": "Acme 2"}), "the rows are the same; devices, submissions, errata or the split"),
    ],
)
def test_build_of_other_content_is_marked_and_states_what_changed(released, tmp_path, campaign, change):
    dataset = build(released, tmp_path, campaign)[2]
    assert re.fullmatch(DEV, dataset.version)
    assert dataset.is_dev
    assert re.match(rf"other content than version 1\.0\.0: {change}", dataset.difference)
    set_versions(released, ("1.0.1", contents_of([dataset])), ("1.0.0", {}))
    again = build(released, tmp_path, campaign)[2]
    assert (again.version, again.difference) == ("1.0.1", "")


def test_marked_version_follows_from_the_content_alone(released, tmp_path):
    campaigns = [phone_campaign(), phone_campaign("beta-phone")]
    version = build(released, tmp_path / "one", *campaigns)[0].version
    assert build(released, tmp_path / "other", *campaigns[::-1])[0].version == version
    assert build(released, tmp_path / "third", phone_campaign("gamma-phone"))[0].version != version


def test_every_dataset_of_a_build_has_the_same_version(released, tmp_path):
    built = build(released, tmp_path, phone_campaign(), kernel_campaign("beta-phone"))
    (version,) = {dataset.version for dataset in built}
    assert re.fullmatch(DEV, version)
    unrecorded = "20 rows; version 1.0.0 records no content_sha256 of kernels"
    assert [dataset.difference for dataset in built] == [unrecorded, "", ""]
    for level in ("kernels", "applications"):
        folder = tmp_path / "deepen" / level
        assert read_manifest(folder).version == version
        assert json.loads((folder / "croissant.json").read_text())["version"] == version
        assert f"Version {version} (not released), see" in (folder / "README.md").read_text()
        headings = [line for line in (folder / "CHANGELOG.md").read_text().splitlines() if line.startswith("##")]
        assert headings == [f"## {version} (not released)", "## 1.0.0 (2026-01-02)"]


def test_level_that_lost_all_rows_marks_the_build(released, tmp_path):
    built = build(released, tmp_path, kernel_campaign())
    assert built[2].difference == "no rows; version 1.0.0 has some"
    assert all(dataset.is_dev for dataset in built)


def test_version_without_recorded_content_marks_the_build(cards, tmp_path):
    set_versions(cards, ("1.0.0", {}))
    dataset = build(cards, tmp_path, phone_campaign())[2]
    assert re.fullmatch(DEV, dataset.version)
    assert dataset.difference == "4 rows; version 1.0.0 records no content_sha256 of applications"


def test_rows_are_only_counted_where_the_earlier_build_is_not_the_version(released, tmp_path):
    build(released, tmp_path, phone_campaign("beta-phone"))
    dataset = build(released, tmp_path, phone_campaign("beta-phone"))[2]
    assert dataset.difference == "other content than version 1.0.0: 4 rows now"


def test_new_field_that_no_row_has_does_not_mark_the_build(released):
    release = assemble([phone_campaign()])
    table = release.levels["applications"]
    release.levels["applications"] = table.append_column("later_field", pa.nulls(table.num_rows, pa.float64()))
    assert plan_release(release, read_texts(released)).version.version == "1.0.0"


def test_changelog_lists_versions_newest_first(cards, tmp_path):
    release = assemble([phone_campaign()])
    contents = contents_of(replace_datasets(release, cards, tmp_path))
    set_versions(cards, ("1.1.0", contents), ("1.0.0", {}))
    folder = replace_datasets(release, cards, tmp_path)[2].folder
    headings = [line for line in (folder / "CHANGELOG.md").read_text().splitlines() if line.startswith("#")]
    assert headings == ["# Changelog of deepen/applications", "## 1.1.0 (2026-01-02)", "## 1.0.0 (2026-01-02)"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("versions", "- {version: v1, date: '2026-01-02', summary: [x]}", r"versions\.yaml: 0\.version = 'v1'"),
        ("versions", "[]", r"versions\.yaml: "),
        ("datasets", "kernels: {pretty_name: x}", r"datasets\.yaml: kernels\.description"),
        ("datasets", "{}", r"datasets\.yaml: .*kernels"),
        ("citations", "a: [", r"citations\.yaml: not YAML"),
    ],
)
def test_faulty_text_is_named_with_file_and_key(cards, name, text, message):
    (cards / f"{name}.yaml").write_text(text)
    with pytest.raises(ReleaseError, match=message):
        read_texts(cards)


def test_missing_text_file_is_named(cards):
    (cards / "citations.yaml").unlink()
    with pytest.raises(ReleaseError, match=r"citations\.yaml: No such file"):
        read_texts(cards)


def test_versions_must_be_newest_first(cards):
    set_versions(cards, ("1.9.0", {}), ("1.10.0", {}))
    with pytest.raises(ReleaseError, match=r"1\.9\.0 is above 1\.10\.0"):
        read_texts(cards)


def test_one_changed_row_is_named_without_a_sign_that_there_are_more(released, tmp_path):
    campaign = phone_campaign()
    campaign.tables["applications"] = campaign.tables["applications"].slice(0, 3)
    difference = build(released, tmp_path, campaign)[2].difference
    assert re.fullmatch(r"other content than version 1\.0\.0: 1 row removed \([0-9a-f]{20}\)", difference)
