"""The card: readable by the Hub's own class, complete, and free of markup from data."""

import re
import shutil

import pytest
from huggingface_hub import DatasetCard

from harness.errors import ReleaseError
from harness.packaging.build import build_datasets
from harness.releases import assemble
from harness.schema.columns import flat_columns
from harness.schema.records import RECORDS
from harness.schema.vocabulary import LEVELS, TIER_TITLES
from harness.splits import split_version
from tests.campaigns import PAPER, board_campaign, kernel_campaign, phone_campaign, simulated_campaign
from tests.packaging.conftest import CARDS


@pytest.fixture(scope="module", params=LEVELS)
def level(request):
    return request.param


@pytest.fixture(scope="module")
def card(built, level):
    return DatasetCard.load(built / "deepen" / level / "README.md")


def test_field_table_names_every_column_with_its_unit_and_meaning(card, level):
    for name, column in flat_columns(RECORDS[level]):
        kind = {float: "float", int: "integer", bool: "boolean", str: "text"}.get(column.python_type, "record")
        kind = f"list of {kind}" if column.is_list else kind
        line = f"| `{name}` | {kind} | {column.quantity.unit} | {column.quantity.sentence} |"
        assert line in card.text.replace("\\", "")


def test_header_names_configurations_licence_size_and_features(card):
    header = card.data.to_dict()
    names = [config["config_name"] for config in header["configs"]]
    assert names[0] == "default"
    assert {"devices", "submissions", "columns"} <= set(names)
    assert sorted(names) == sorted(info["config_name"] for info in header["dataset_info"])
    assert header["size_categories"] == ["n<1K"]
    for info in header["dataset_info"]:
        assert info["features"]
        assert info["description"]
        assert info["license"]
        assert info["citation"]
        assert info["dataset_size"] > 0
        assert "splits" not in info


def test_body_states_splits_tiers_and_kinds_of_energy(card):
    assert f"Split version {split_version()}" in card.text
    assert "Leak report: 0 values" in card.text
    assert all(title in card.text for title in TIER_TITLES.values())
    assert "idle-subtracted" in card.text


def test_body_states_what_the_sides_share_and_how_earlier_splits_differ(built):
    texts = {level: (built / "deepen" / level / "README.md").read_text() for level in LEVELS}
    assert re.search(r"\d+ of the \d+ test rows \(\d+%\) are twins of a training row", texts["kernels"])
    assert "0 pairs of networks of two families, one on each side" in texts["models"]
    assert "MobileNetV3, ShuffleNetV2" in texts["models"]
    assert "is by family; test holds DS-CNN, GoogLeNet, ShuffleNetV2; harness" in texts["models"].replace("\\", "")
    assert all("same sides" in texts[level] for level in ("kernels", "applications"))


def test_leaks_through_the_kernels_of_networks_are_stated(built):
    models = (built / "deepen" / "models" / "README.md").read_text()
    assert (
        "2 kernel configurations occur in the kernel lists of networks of both sides, 67% of the 3 on the test"
        in models
    )
    kernels = (built / "deepen" / "kernels" / "README.md").read_text()
    assert "0 train configurations occur in the kernel lists of networks of the test families" in kernels


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    campaigns = [
        simulated_campaign(),
        simulated_campaign("acme-npu", "models"),
        kernel_campaign("gamma-phone", n_configurations=30),
        board_campaign(),
    ]
    dist = tmp_path_factory.mktemp("simulated")
    build_datasets(assemble(campaigns), CARDS, dist)
    return {level: (dist / "deepen" / level / "README.md").read_text() for level in ("kernels", "models")}


def test_simulated_rows_are_counted_and_their_limits_stated(simulated):
    assert "50 rows from 2 devices; 20 rows are simulated, not measured." in simulated["kernels"]
    assert "20 of the 23 rows are simulated" in simulated["models"]
    for card in simulated.values():
        assert "| simulated | simulated or estimated | 20 |" in card
        assert "never ranked with measured rows and never labelled" in card
        for limit in ("static power", "search for a mapping is restricted", "int8", "200 MHz"):
            assert limit in card


def test_card_without_simulated_rows_does_not_speak_of_their_limits(built):
    for level in LEVELS:
        text = (built / "deepen" / level / "README.md").read_text()
        assert "static power" not in text
        assert "simulated, not measured" not in text


def test_card_of_models_explains_the_kernel_list(built):
    text = (built / "deepen" / "models" / "README.md").read_text()
    assert "`kernel_runtime`\nnames the fusion rules" in text
    assert "| `kernels.bytes_moved` | integer | B |" in text


def test_card_of_kernels_says_how_local_rows_join(built):
    text = (built / "deepen" / "kernels" / "README.md").read_text()
    assert "deepen intake deepen2023" in text
    assert "deepen build" in text


def test_licence_and_attribution_follow_the_submissions(built):
    models = DatasetCard.load(built / "deepen" / "models" / "README.md")
    assert models.data.license == "apache-2.0"
    assert "MLPerf is a trademark of MLCommons; these figures are not verified by MLCommons." in models.text
    applications = DatasetCard.load(built / "deepen" / "applications" / "README.md")
    assert applications.data.license == "cc-by-4.0"
    assert "@inproceedings{tu2023unveiling," in applications.text
    assert "| `acme-phone` | `tdp_w` |  | 50.0 | 5.0 |" in applications.text


def test_mixed_licences_are_all_listed(cards, tmp_path):
    paper = {"licence": "CC-BY-4.0", "source": PAPER | {"url": None}}
    folder = build_datasets(assemble([board_campaign(), board_campaign("b", manifest=paper)]), cards, tmp_path)[
        1
    ].folder
    card = DatasetCard.load(folder / "README.md")
    infos = {info["config_name"]: info["license"] for info in card.data.dataset_info}
    header = card.data.to_dict()
    assert (header["license"], header["license_name"], header["license_link"]) == (
        "other", "apache-2.0-and-cc-by-4.0", "LICENSE",
    )  # fmt: skip
    assert set(infos) == {"default", "published", "devices", "submissions", "columns"}
    assert set(infos.values()) == {"Apache-2.0 AND CC-BY-4.0"}
    assert "@misc{deepen-source-" in card.text


def test_facts_of_a_source_without_a_licence_are_shown_as_such(cards, tmp_path):
    facts = {"licence": "NOASSERTION", "source": PAPER | {"url": None}}
    campaigns = [board_campaign(), board_campaign("b", manifest=facts)]
    card = DatasetCard.load(build_datasets(assemble(campaigns), cards, tmp_path)[1].folder / "README.md")
    words = "NOASSERTION: facts quoted from the source, which states no licence"
    assert (card.data.license, card.data.license_name) == ("other", "apache-2.0-and-unknown")
    assert {info["license"] for info in card.data.dataset_info} == {f"Apache-2.0; {words}"}
    assert card.text.count(f"| {words} |") == 2


def test_markup_in_data_is_escaped(cards, tmp_path):
    campaign = phone_campaign(
        manifest={
            "title": "a|b [x](y) `c` {{ 7 * 7 }}",
            "notes": "# Head\n\n| a | b |\n*bold* ``` {% raw %}",
        }
    )
    folder = build_datasets(assemble([campaign]), cards, tmp_path)[2].folder
    text = (folder / "README.md").read_text()
    assert r"| a\|b \[x\](y) \`c\` {{ 7 \* 7 }} |" in text
    assert r"\# Head \| a \| b \| \*bold\* \`\`\` {% raw %}" in text


def test_template_that_names_an_unknown_fact_is_refused(cards, tmp_path):
    (cards / "applications.md.j2").write_text('{% extends "base.md.j2" %}{% block content %}{{ typo }}{% endblock %}')
    with pytest.raises(ReleaseError, match=r"applications\.md\.j2: .*typo"):
        build_datasets(assemble([phone_campaign()]), cards, tmp_path)
    shutil.rmtree(cards / "applications.md.j2", ignore_errors=True)
