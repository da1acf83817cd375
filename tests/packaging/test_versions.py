"""Versions: a published one never changes, and the texts of the cards are held to their form."""

import pytest
import yaml

from harness.errors import ReleaseError
from harness.packaging.build import build_datasets
from harness.packaging.texts import read_texts
from harness.releases import assemble
from tests.campaigns import kernel_campaign, phone_campaign


def set_versions(cards, *versions):
    """Write versions, newest first, with whatever content they freeze."""
    entries = [
        {"version": number, "date": "2026-01-02", "summary": [f"Version {number}."], "content_sha256": frozen}
        for number, frozen in versions
    ]
    (cards / "versions.yaml").write_text(yaml.safe_dump(entries))


def test_frozen_version_builds_again_from_the_same_content(cards, tmp_path):
    release = assemble([phone_campaign()])
    outcome = build_datasets(release, cards, tmp_path)[2]
    set_versions(cards, ("1.0.0", {"applications": outcome.content_sha256}))
    assert build_datasets(release, cards, tmp_path)[2].content_sha256 == outcome.content_sha256


@pytest.mark.parametrize(
    ("campaign", "change"),
    [
        (phone_campaign(energy_mj=1.0), "3 rows changed"),
        (phone_campaign("beta-phone"), "4 rows added .*4 rows removed"),
        (phone_campaign(device={"soc": "Acme 2"}), "the rows are the same"),
    ],
)
def test_frozen_version_refuses_other_content_and_tells_what_changed(cards, tmp_path, campaign, change):
    outcome = build_datasets(assemble([phone_campaign()]), cards, tmp_path)[2]
    set_versions(cards, ("1.0.0", {"applications": outcome.content_sha256}))
    with pytest.raises(ReleaseError, match=f"{change}.*add a new version"):
        build_datasets(assemble([campaign]), cards, tmp_path)
    set_versions(cards, ("1.0.1", {}), ("1.0.0", {"applications": outcome.content_sha256}))
    assert build_datasets(assemble([campaign]), cards, tmp_path)[2].version == "1.0.1"


def test_frozen_level_must_not_become_empty(cards, tmp_path):
    set_versions(cards, ("1.0.0", {"kernels": "0" * 64}))
    with pytest.raises(ReleaseError, match=r"deepen/kernels: .*no rows"):
        build_datasets(assemble([phone_campaign()]), cards, tmp_path)
    with pytest.raises(ReleaseError, match="in 20 rows"):
        build_datasets(assemble([kernel_campaign()]), cards, tmp_path)


def test_changelog_lists_versions_newest_first(cards, tmp_path):
    set_versions(cards, ("1.1.0", {}), ("1.0.0", {}))
    folder = build_datasets(assemble([phone_campaign()]), cards, tmp_path)[2].folder
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
    with pytest.raises(ReleaseError, match=r"1\.9\.0 stands above 1\.10\.0"):
        read_texts(cards)
