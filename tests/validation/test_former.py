"""A device is found under the names that its submissions had, and ids are of one submission and one device."""

import pytest
from pydantic import ValidationError

from harness.schema.systems import System
from harness.validation.faults import Faults
from harness.validation.former import device_of
from harness.validation.identity import Identities
from tests.campaigns import campaign

MANIFEST = """schema_version: 1
title: Networks of a board
contributors: [A. Tester]
date: "2026"
method: published
runtime: Runtime 1
licence: CC-BY-4.0
source: {{citation: "A paper, 2026."}}
{former}
"""


@pytest.fixture
def campaigns(tmp_path):
    """Campaign folders of a board, one of which had another name."""
    for name, former in (("one", "formerly: old-board/one"), ("two", "# formerly: rumoured-board/two")):
        (tmp_path / "board" / name).mkdir(parents=True)
        (tmp_path / "board" / name / "submission.yaml").write_text(MANIFEST.format(former=former))
    return sorted((tmp_path / "board").iterdir())


@pytest.mark.parametrize(
    ("asked", "found"),
    [("board", "board"), ("old-board", "board"), ("old", "old"), ("rumoured-board", "rumoured-board")],
)
def test_a_former_name_stands_for_the_device_of_today(campaigns, asked, found):
    assert device_of(asked, campaigns) == found


def found_with(first, other, device="board"):
    """Rules and messages about the second of two campaigns."""
    faults, identities = Faults(), Identities()
    manifests = [{"manifest": {} if former is None else {"formerly": former}} for former in (first, other)]
    assert identities.add(campaign("models", [], "board", name="one", **manifests[0]), {}, "one.yaml", faults)
    added = identities.add(campaign("models", [], device, name="two", **manifests[1]), {}, "two.yaml", faults)
    assert added == (not faults.issues)
    return [(issue.rule, issue.file, issue.found) for issue in faults.issues]


def test_a_campaign_that_another_one_states_it_was_is_reported():
    assert found_with(None, None) == []
    assert found_with("old/a", "old/b") == []
    rule, file = "submission-taken", "two.yaml"
    assert found_with("board/two", None) == [(rule, file, "not stated, and board/one states that it was board/two")]
    assert found_with("old/a", "old/a") == [(rule, file, "old/a, which board/one is or was already")]


def test_a_system_of_two_devices_is_reported():
    faults, identities = Faults(), Identities()
    stack = {"manifest": {"system": {"stack": "Acme 1"}}}
    assert identities.add(campaign("models", [], "board", **stack), {}, "one.yaml", faults)
    assert not identities.add(campaign("models", [], "board--acme-1"), {}, "two.yaml", faults)
    assert [issue.found for issue in faults.issues] == ["board--acme-1, a system of board already"]


def test_a_system_that_states_nothing_but_empty_fields_is_none():
    with pytest.raises(ValidationError, match="a system without any is the device itself"):
        System.model_validate({"stack": None, "fan": None})
