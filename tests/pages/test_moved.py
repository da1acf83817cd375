"""Former addresses of devices lead to the systems that their figures are of."""

import json
import re
from html import unescape

import pytest

from harness.pages.api import api_files
from harness.pages.board_rows import Boards
from harness.pages.device_entries import device_entries
from harness.pages.device_page import device_page
from harness.pages.device_tables import index_table, systems_table
from harness.pages.label import label_path
from harness.pages.moved import moved_files
from harness.releases import assemble
from harness.scoring.ratings import rate
from harness.scoring.suite import suites
from tests.scoring.suites import board


def entries_of(release):
    places = suites(release)
    return device_entries(release, rate(release, places), places)


def entries(*campaigns):
    return entries_of(assemble(list(campaigns)))


@pytest.fixture(scope="module")
def release():
    return assemble(
        [
            board("acme", name="one", manifest={"system": {"stack": "Old 1"}, "formerly": "acme_1/one"}),
            board("acme", name="two", manifest={"system": {"stack": "New", "clock_mhz": 60}}),
        ]
    )


@pytest.fixture(scope="module")
def devices(release):
    return entries_of(release)


def of_stack(stack, date="2026-01", **facts):
    """Campaign of the board `acme` under a stack."""
    return board("acme", name=stack, manifest={"system": {"stack": stack}, "date": date} | facts)


def label_of_the_board(*campaigns):
    labels = {f"labels/acme--{stack}.svg": f"<svg>{stack}</svg>" for stack in ("old", "new", "other")}
    return moved_files(entries(*campaigns), labels).get("labels/acme.svg")


def test_the_label_of_a_board_is_that_of_the_system_it_was():
    moved = of_stack("new", "2025-01", formerly="acme_1/new")
    assert label_of_the_board(of_stack("old")) == "<svg>old</svg>"
    assert label_of_the_board(of_stack("old"), moved) == "<svg>old</svg>"
    assert label_of_the_board(of_stack("old", formerly="acme/before"), moved) == "<svg>old</svg>"
    # What joins later takes no address over.
    assert label_of_the_board(of_stack("old"), moved, of_stack("other", "2026-02")) == "<svg>old</svg>"


def test_a_board_that_never_was_one_system_has_no_label_of_its_own():
    assert label_of_the_board(of_stack("old"), of_stack("new", "2026-02")) is None
    moved = of_stack("other", formerly="acme_1/other")
    assert label_of_the_board(moved) is None
    assert label_of_the_board(of_stack("old"), of_stack("new"), moved) is None


def test_the_label_of_a_device_that_is_rated_itself_stays():
    released = entries(board("acme"), of_stack("new", formerly="acme_1/new"))
    own = {"labels/acme.svg": "<svg/>", "labels/acme--new.svg": "<svg/>"}
    assert "labels/acme.svg" not in moved_files(released, own)


def test_a_board_has_one_label_and_one_place_on_its_page_for_every_system(devices):
    (entry,) = devices
    assert [label_path(entry, rating) for rating in entry.labelled] == [
        f"labels/{rating.system_id}.svg" for rating in entry.labelled
    ]
    parts = device_page(entry, "1.0.0").context["ratings"]
    assert {(part["name"], part["anchor"]) for part in parts} == {
        ("acme · Old 1 · CPU1", "system-acme--old-1"),
        ("acme · New · CPU1 · 60 MHz", "system-acme--new--60-mhz"),
    }
    assert len(systems_table(entry).rows) == len(index_table(devices, "").rows) == 2


def test_the_former_page_and_label_lead_to_the_system(devices):
    found = moved_files(devices, {"labels/acme--old-1.svg": "<svg/>", "labels/acme--new--60-mhz.svg": "<svg>new</svg>"})
    assert set(found) == {"devices/acme_1/index.html", "labels/acme_1.svg", "labels/acme.svg"}
    assert found["labels/acme_1.svg"] == "<svg/>"
    addresses = set(re.findall(r'(?:url=|href=")([^"]+)"', unescape(found["devices/acme_1/index.html"])))
    assert addresses == {"../../devices/acme/#system-acme--old-1"}


def test_the_api_lists_systems_with_what_they_were(release, devices):
    ratings = [rating for entry in devices for rating in entry.ratings]
    files = api_files(release, devices, ratings, "1.0.0", Boards())
    systems = {each["system_id"]: each for each in json.loads(files["api/v1/systems.json"])["systems"]}
    assert systems["acme--old-1"]["former_devices"] == ["acme_1"]
    assert systems["acme--new--60-mhz"]["clock_mhz"] == 60
    scores = json.loads(files["api/v1/scores.json"])["devices"]
    assert {(each["device_id"], each["system"]) for each in scores} == {
        ("acme", "acme · Old 1 · CPU1"),
        ("acme", "acme · New · CPU1 · 60 MHz"),
    }
