"""The read-outs of the static JSON API."""

import json

import pytest

from harness.pages.api import api_files
from harness.pages.board_rows import Boards
from harness.readouts.tables import read_outs
from harness.schema.columns import columns_of
from harness.schema.readouts import READ_OUTS
from tests.campaigns import kernel_campaign
from tests.pages.conftest import ROOT, VERSION
from tests.readouts.boards import board, release, row

SENTENCE = "MLPerf is a trademark of MLCommons; these figures are not verified by MLCommons."


def boards(*others):
    idle = {"power_mw": 5000.0, "idle_before_mw": 2200.0, "idle_after_mw": 1800.0, "latency_ms": 2.0}
    rows = [row(name, 1.0 + number, 60.0 + 5 * number, **idle) for number, name in enumerate("abc")]
    source = {"citation": "A work.", "attribution": SENTENCE}
    return release(
        *(board(rows, name=name, runtime=name, system={"stack": name}, source=source) for name in ("armnn", "tflite")),
        *others,
    )


def files(of):
    return {path: json.loads(text) for path, text in api_files(of, [], [], VERSION, Boards()).items()}


@pytest.mark.parametrize("name", READ_OUTS)
def test_every_read_out_is_a_file_with_its_rows_version_and_attributions(name):
    found = files(boards())[f"api/v1/{name}.json"]
    assert found[name] == [each.model_dump(mode="json") for each in read_outs(boards())[name]]
    assert len(found[name]) > 0
    assert set(found[name][0]) == set(columns_of(READ_OUTS[name]))
    assert (found["dataset_version"], found["attributions"]) == (VERSION, [SENTENCE])


@pytest.mark.parametrize("name", READ_OUTS)
def test_a_release_without_networks_has_empty_files(name):
    found = files(release(kernel_campaign()))[f"api/v1/{name}.json"]
    assert (found[name], found["attributions"]) == ([], [])


def test_every_file_of_the_api_is_on_its_page():
    page = (ROOT / "site" / "api.md").read_text(encoding="utf-8")
    assert [path for path in files(boards()) if f"`/{path}`" not in page] == []
