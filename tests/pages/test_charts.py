import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.pages.charts import VEGALITE, chart_bundle, chart_files, device_chart, ranking_chart
from harness.pages.device_entries import DeviceEntry, device_entries, rankings
from harness.pages.palette import SERIES, contrast
from harness.releases import Release, assemble
from harness.scoring.editions import edition_named
from harness.scoring.ratings import rate
from harness.scoring.suite import suites
from tests.pages.conftest import rated_phone


@pytest.fixture(scope="module")
def devices(release: Release) -> list[DeviceEntry]:
    return device_entries(release, rate(release), suites(release))


def test_drawing_twice_gives_the_same_bytes(devices: list[DeviceEntry]) -> None:
    ranking = rankings(devices)[0]
    assert chart_files(ranking_chart(ranking), "t") == chart_files(ranking_chart(ranking), "t")


def test_ranking_chart_shows_every_rated_device(devices: list[DeviceEntry]) -> None:
    for ranking in rankings(devices):
        files = chart_files(ranking_chart(ranking), "t")
        drawn = "".join(ElementTree.fromstring(files[".light.svg"]).itertext())
        for rating in ranking.ratings:
            assert rating.name in drawn
            assert f"{rating.energy_index:.1f}" in drawn


def test_microcontrollers_have_a_logarithmic_axis_and_no_bars(devices: list[DeviceEntry]) -> None:
    specs = {ranking.edition.edition: ranking_chart(ranking).to_dict() for ranking in rankings(devices)}
    marks = {name: {layer["mark"]["type"] for layer in spec["layer"]} for name, spec in specs.items()}
    assert "bar" in marks["phone-2023"]
    assert "bar" not in marks["mcu-2025"]


def test_device_chart_tells_delegates_by_shape_as_well_as_colour(devices: list[DeviceEntry]) -> None:
    device = next(device for device in devices if device.device_id == "rated-phone")
    spec = device_chart(device, edition_named("phone-2023")).to_dict()
    points = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "point")
    assert points["encoding"]["shape"]["field"] == points["encoding"]["color"]["field"] == "delegate"


def test_specification_needs_no_other_file(written: Path) -> None:
    specs = list((written / "assets" / "generated" / "charts").rglob("*.json"))
    assert specs
    for path in specs:
        spec = json.loads(path.read_text(encoding="utf-8"))
        assert '"url"' not in json.dumps({key: value for key, value in spec.items() if key != "$schema"})
        assert set(spec["usermeta"]["themes"]) == {"light", "dark"}
        assert f"/v{VEGALITE}" in spec["$schema"]


def test_bundle_holds_the_embedder() -> None:
    assert "vegaEmbed" in chart_bundle()


def test_delegate_colours_stand_out_from_the_page() -> None:
    assert min(contrast(colour, "#ffffff") for colour in SERIES["light"]) >= 3
    assert min(contrast(colour, "#141d21") for colour in SERIES["dark"]) >= 3


def test_axis_of_bars_reaches_beyond_the_last_device() -> None:
    release = assemble([rated_phone("far-phone", 40.0)])
    (ranking,) = rankings(device_entries(release, rate(release), suites(release)))
    (index,) = [rating.energy_index for rating in ranking.ratings]
    assert index is not None
    assert index > max(ranking.edition.borders.values())
    layers = ranking_chart(ranking).to_dict()["layer"]
    bars = next(layer for layer in layers if layer["mark"]["type"] == "bar")
    low, high = bars["encoding"]["x"]["scale"]["domain"]
    assert low == 0
    assert high > index
