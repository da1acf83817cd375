"""The file LICENSE: every licence with its rows, whom to name, and the texts."""

import pytest

from harness.packaging.build import build_datasets
from harness.packaging.licences import LICENCE_FILE, hub_header, licence_address
from harness.releases import assemble
from tests.campaigns import MLPERF, PAPER, board_campaign, phone_campaign
from tests.packaging.conftest import CARDS


def licence_text(release, folder, place):
    return (build_datasets(release, CARDS, folder)[place].folder / LICENCE_FILE).read_text()


def test_licence_file_lists_the_rows_of_each_licence_and_has_its_text(tmp_path):
    quoted = {"licence": "NOASSERTION", "source": PAPER}
    own = {"licence": "CC-BY-4.0", "source": PAPER}
    campaigns = [board_campaign(), board_campaign("b", manifest=quoted), board_campaign("c", manifest=own)]
    text = licence_text(assemble(campaigns), tmp_path, 1)
    head, *texts = text.split("\n\n" + "=" * 100 + "\n\n")
    assert "- 3 rows of 1 submission: Apache-2.0, https://spdx.org/licenses/Apache-2.0\n" in head
    assert "- 3 rows of 1 submission: CC-BY-4.0, https://spdx.org/licenses/CC-BY-4.0\n" in head
    assert "- 3 rows of 1 submission: NOASSERTION: facts quoted from the source, which states no licence\n" in head
    assert f"- {MLPERF['attribution']}\n" in text
    assert [each.splitlines()[0] for each in texts] == ["Apache-2.0", "CC-BY-4.0"]
    assert "9. Accepting Warranty or Additional Liability" in texts[0]
    assert "Section 8 -- Interpretation" in texts[1]


def test_licences_of_other_rows_are_not_in_the_file(tmp_path):
    release = assemble([board_campaign(), phone_campaign()])
    assert "CC-BY-4.0" not in licence_text(release, tmp_path, 1)
    assert "Apache" not in licence_text(release, tmp_path / "again", 2)


def test_a_licence_without_a_text_here_is_named_with_its_address(tmp_path):
    text = licence_text(assemble([phone_campaign(manifest={"licence": "MIT"})]), tmp_path, 2)
    assert "MIT, https://spdx.org/licenses/MIT\n" in text
    assert "=" * 100 not in text


@pytest.mark.parametrize(
    ("licences", "header"),
    [
        (["CC-BY-4.0"], {"license": "cc-by-4.0"}),
        (["NOASSERTION"], {"license": "unknown"}),
        (["LicenseRef-Lab"], {"license": "other", "license_name": "licenseref-lab", "license_link": "LICENSE"}),
        (
            ["CC-BY-4.0", "ODbL-1.0"],
            {"license": "other", "license_name": "cc-by-4.0-and-odbl", "license_link": "LICENSE"},
        ),
    ],
)
def test_header_has_one_licence_of_the_hub_or_other_with_a_link(licences, header):
    assert hub_header(licences) == header


def test_what_is_not_in_the_spdx_list_has_no_address():
    assert licence_address("NOASSERTION") is licence_address("LicenseRef-Lab") is None
