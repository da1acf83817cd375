"""Facts of the datasets page: what is split how, what the sides share, and under which licences figures are."""

from harness.pages.reading_pages import datasets_context
from harness.releases import assemble
from tests.campaigns import board_campaign, phone_campaign, simulated_campaign


def facts_by_level(release):
    return {part["level"]: dict(part["facts"]) for part in datasets_context(release, "1.2.3")["parts"]}


def test_splits_are_stated_with_those_before_and_with_twins():
    facts = facts_by_level(assemble([simulated_campaign(n_rows=60), board_campaign()]))
    assert "test holds DS-CNN, EfficientNet-Lite, GoogLeNet, MobileNetV3, ShuffleNetV2" in facts["models"]["Split"]
    assert "test holds DS-CNN, GoogLeNet, ShuffleNetV2" in facts["models"]["Earlier splits"]
    assert facts["kernels"]["Earlier splits"] == "Version 2026.1 has the same sides."
    n_twins, _, n_near = facts["kernels"]["Twins"].partition(" test rows (")
    assert int(n_twins) > 0
    assert n_near.endswith("pairs of configurations do by at most 10 %")
    assert "Twins" not in facts["models"]


def test_figures_without_a_licence_are_facts_of_their_source():
    release = assemble([board_campaign(), phone_campaign("b", manifest={"licence": "NOASSERTION"})])
    words = "NOASSERTION: facts quoted from the source, which states no licence"
    assert datasets_context(release, "1.2.3")["licences"] == [("Apache-2.0", 1), (words, 1)]
