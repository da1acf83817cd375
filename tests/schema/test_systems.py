"""Systems: what identifies one, and how it is named."""

import pytest
from pydantic import ValidationError

from harness.errors import ReleaseError
from harness.releases import assemble
from harness.schema.facts import Manifest
from harness.schema.system_names import system_names
from harness.schema.systems import System, system_id
from tests.campaigns import campaign

ROW = {
    "model": "net",
    "family": "Net",
    "dtype": "int8",
    "delegate": "CPU1",
    "energy_kind": "absolute",
    "energy_mj": 1.0,
}


def on(device_id="board", name="c", **manifest):
    return campaign("models", [ROW], device_id, name=name, manifest=manifest)


def test_a_campaign_without_a_system_ran_on_the_device_itself():
    found = on()
    assert found.system_id == "board"
    assert found.stack is None
    assert system_names([found]) == {"board": found.device.name}


def test_stack_settings_and_submitter_identify_a_system_and_the_round_does_not():
    ids = {
        system_id("board", System(**facts), "Runtime 1")
        for facts in (
            {"stack": "A 1"},
            {"stack": "A 1", "round": "v2"},
            {"stack": "A 2"},
            {"stack": "A 1", "threads": 4},
            {"stack": "A 1", "submitter": "Acme"},
        )
    }
    assert ids == {"board--a-1", "board--a-2", "board--a-1--4-threads", "board--a-1--acme"}


def test_a_system_without_a_stack_has_the_runtime():
    found = on(system={"submitter": "Acme"}, runtime="Runtime 1.5")
    assert (found.system_id, found.stack) == ("board--runtime-1.5--acme", "Runtime 1.5")


@pytest.mark.parametrize("system", [{}, {"stack": "<b>"}, {"stack": "-"}, {"clock_mhz": 0}, {"clock": 100}])
def test_a_system_that_states_nothing_or_what_nobody_knows_is_refused(system):
    with pytest.raises(ValidationError):
        System(**system) if system else System.model_validate(system)


def test_names_have_what_sets_systems_of_a_device_apart():
    campaigns = [
        on(name="a", system={"stack": "A", "clock_mhz": 100, "submitter": "Acme"}),
        on(name="b", system={"stack": "A", "clock_mhz": 200, "submitter": "Acme"}),
        on("other", name="a", system={"stack": "A", "clock_mhz": 100, "submitter": "Acme"}),
    ]
    names = system_names(campaigns)
    first, second = "board · A · CPU1 · 100 MHz", "board · A · CPU1 · 200 MHz"
    assert list(names.values()) == [first, second, "other · A · CPU1"]
    more = system_names([*campaigns, on(name="c", system={"stack": "A", "clock_mhz": 100, "submitter": "Other"})])
    assert f"{first} · Acme" in more.values()
    assert f"{first} · Other" in more.values()


def test_record_ids_are_those_of_the_former_folder():
    before, after = on("old", name="c"), on("board", name="c", formerly="old/c", system={"stack": "A"})
    ids = [assemble([each]).levels["models"].column("record_id").to_pylist() for each in (before, after)]
    assert ids[0] == ids[1]
    with pytest.raises(ReleaseError, match="old/c"):
        assemble([before, after])


def test_no_two_devices_have_systems_of_one_id():
    with pytest.raises(ReleaseError, match="board--a"):
        assemble([on(system={"stack": "A"}), on("board--a")])


def test_a_former_id_names_two_folders():
    with pytest.raises(ValidationError):
        Manifest.model_validate(on().manifest.model_dump() | {"formerly": "old"})
