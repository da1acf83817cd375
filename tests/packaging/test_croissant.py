"""Croissant: licences as addresses."""

import json

from harness.packaging.build import build_datasets
from harness.releases import assemble
from tests.campaigns import phone_campaign


def test_licences_are_addresses_of_spdx_and_no_assertion_is_none(cards, tmp_path):
    unknown = phone_campaign("beta-phone", manifest={"licence": "NOASSERTION"})
    folder = build_datasets(assemble([phone_campaign(), unknown]), cards, tmp_path)[2].folder
    licences = json.loads((folder / "croissant.json").read_text())["license"]
    assert licences == ["https://spdx.org/licenses/CC-BY-4.0", "NOASSERTION"]
