"""The card: readable by the Hub's own class, complete, and free of markup from data."""

import shutil

import pytest
from huggingface_hub import DatasetCard

from harness.errors import ReleaseError
from harness.packaging.build import build_datasets
from harness.releases import assemble
from harness.schema.columns import columns_of
from harness.schema.records import RECORDS
from harness.schema.vocabulary import LEVELS, TIER_TITLES
from harness.splits import SPLIT_VERSION
from tests.campaigns import PAPER, board_campaign, phone_campaign


@pytest.fixture(scope="module", params=LEVELS)
def level(request):
    return request.param


@pytest.fixture(scope="module")
def card(built, level):
    return DatasetCard.load(built / "deepen" / level / "README.md")


def test_field_table_names_every_column_with_its_unit_and_meaning(card, level):
    for column in columns_of(RECORDS[level]).values():
        kind = {float: "float", int: "integer", bool: "boolean", str: "text"}[column.python_type]
        kind = f"list of {kind}" if column.is_list else kind
        line = f"| `{column.name}` | {kind} | {column.quantity.unit} | {column.quantity.sentence} |"
        assert line in card.text.replace("\\", "")


def test_header_names_configurations_licence_size_and_features(card):
    header = card.data.to_dict()
    names = [config["config_name"] for config in header["configs"]]
    assert names[0] == "default"
    assert {"devices", "submissions"} <= set(names)
    assert sorted(names) == sorted(info["config_name"] for info in header["dataset_info"])
    assert header["size_categories"] == ["n<1K"]
    for info in header["dataset_info"]:
        assert info["features"]
        assert info["description"]
        assert info["license"]
        assert info["citation"]
        assert info["dataset_size"] == sum(split["num_bytes"] for split in info["splits"])


def test_body_states_splits_tiers_and_kinds_of_energy(card):
    assert f"Split version {SPLIT_VERSION}" in card.text
    assert "Leak report: 0 values" in card.text
    assert all(title in card.text for title in TIER_TITLES.values())
    assert "idle-subtracted" in card.text


def test_licence_and_attribution_follow_the_submissions(built):
    models = DatasetCard.load(built / "deepen" / "models" / "README.md")
    assert models.data.license == ["apache-2.0"]
    assert "MLPerf is a trademark of MLCommons; these figures are not verified by MLCommons." in models.text
    applications = DatasetCard.load(built / "deepen" / "applications" / "README.md")
    assert applications.data.license == ["cc-by-4.0"]
    assert "@inproceedings{tu2023unveiling," in applications.text
    assert "| `acme-phone` | `tdp_w` |  | 50.0 | 5.0 |" in applications.text


def test_mixed_licences_are_all_listed(cards, tmp_path):
    paper = {"licence": "CC-BY-4.0", "source": PAPER | {"url": None}}
    folder = build_datasets(assemble([board_campaign(), board_campaign("b", manifest=paper)]), cards, tmp_path)[
        1
    ].folder
    card = DatasetCard.load(folder / "README.md")
    infos = {info["config_name"]: info["license"] for info in card.data.dataset_info}
    assert card.data.license == ["apache-2.0", "cc-by-4.0"]
    assert infos == {
        "default": "Apache-2.0 AND CC-BY-4.0",
        "ACME-M4.rev_2": "Apache-2.0",
        "b": "CC-BY-4.0",
        "devices": "Apache-2.0 AND CC-BY-4.0",
        "submissions": "Apache-2.0 AND CC-BY-4.0",
    }
    assert "@misc{deepen-source-" in card.text


def test_markup_in_data_is_escaped(cards, tmp_path):
    campaign = phone_campaign(
        device={"name": "a|b [x](y) `c` {{ 7 * 7 }}"}, manifest={"notes": "# Head\n\n| a | b |\n*bold* ``` {% raw %}"}
    )
    folder = build_datasets(assemble([campaign]), cards, tmp_path)[2].folder
    text = (folder / "README.md").read_text()
    assert r"| `acme-phone` | a\|b \[x\](y) \`c\` {{ 7 \* 7 }} |" in text
    assert r"\# Head \| a \| b \| \*bold\* \`\`\` {% raw %}" in text


def test_template_that_names_an_unknown_fact_is_refused(cards, tmp_path):
    (cards / "applications.md.j2").write_text('{% extends "base.md.j2" %}{% block content %}{{ typo }}{% endblock %}')
    with pytest.raises(ReleaseError, match=r"applications\.md\.j2: .*typo"):
        build_datasets(assemble([phone_campaign()]), cards, tmp_path)
    shutil.rmtree(cards / "applications.md.j2", ignore_errors=True)
