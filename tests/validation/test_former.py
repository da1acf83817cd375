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
    for name, former in (
        ("one", "formerly: old-board/one"),
        ("two", "# formerly: rumoured-board/two"),
        ("three", "formerly:   'older-board/three'"),
    ):
        (tmp_path / "board" / name).mkdir(parents=True)
        (tmp_path / "board" / name / "submission.yaml").write_text(MANIFEST.format(former=former))
    return sorted((tmp_path / "board").iterdir())


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("board", "board"),
        ("old-board", "board"),
        ("older-board", "board"),
        ("old", "old"),
        ("rumoured-board", "rumoured-board"),
    ],
)
def test_a_former_name_stands_for_the_device_of_today(campaigns, asked, found):
    assert device_of(asked, campaigns) == found


def found_with(first, other):
    """What is reported of two campaigns of a board, by the former id that each states."""
    faults, identities = Faults(), Identities({"board/one", "board/two"})
    for name, former in (("one", first), ("two", other)):
        stated = {} if former is None else {"formerly": former}
        n_before = len(faults.issues)
        added = identities.add(campaign("models", [], "board", name=name, manifest=stated), {}, f"{name}.yaml", faults)
        assert added == (len(faults.issues) == n_before)
    return [(issue.rule, issue.file, issue.found) for issue in faults.issues]


def test_whoever_claims_a_submission_that_is_there_or_claimed_is_reported():
    assert found_with(None, None) == []
    assert found_with("old/a", "old/b") == []
    assert found_with("board/one", "board/two") == []
    rule = "submission-taken"
    assert found_with("board/two", None) == [(rule, "one.yaml", "board/two, which is there still")]
    assert found_with(None, "board/one") == [(rule, "two.yaml", "board/one, which is there still")]
    assert found_with("old/a", "old/a") == [(rule, "two.yaml", "old/a, which board/one states already")]


def test_a_system_of_two_devices_is_reported():
    faults, identities = Faults(), Identities()
    stack = {"manifest": {"system": {"stack": "Acme 1"}}}
    assert identities.add(campaign("models", [], "board", **stack), {}, "one.yaml", faults)
    assert not identities.add(campaign("models", [], "board--acme-1"), {}, "two.yaml", faults)
    assert [issue.found for issue in faults.issues] == ["board--acme-1, a system of board already"]


@pytest.mark.parametrize(
    ("first", "other", "found"),
    [
        ({"stack": "C 1"}, {"stack": "C++ 1"}, [("system.stack", "C++ 1")]),
        ({"stack": "A", "submitter": "B"}, {"stack": "A", "fan": None, "operating_system": "B"},
         [("system.operating_system", "B"), ("system.submitter", "nothing")]),
        ({"stack": "A", "round": "v1"}, {"stack": "A", "round": "v2"}, []),
        ({"stack": "A"}, {"stack": "B"}, []),
    ],
)  # fmt: skip
def test_two_systems_of_a_device_that_have_one_id_are_reported(first, other, found):
    faults, identities = Faults(), Identities()
    assert identities.add(campaign("models", [], "board", name="one", manifest={"system": first}), {}, "1", faults)
    added = identities.add(campaign("models", [], "board", name="two", manifest={"system": other}), {}, "2", faults)
    assert added == (not found)
    assert sorted((issue.column, issue.found) for issue in faults.issues) == found


def test_a_system_that_states_nothing_but_empty_fields_is_none():
    with pytest.raises(ValidationError, match="a system without any is the device itself"):
        System.model_validate({"stack": None, "fan": None})
