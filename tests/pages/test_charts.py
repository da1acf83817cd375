import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from altair import LayerChart

from harness.pages.charts import VEGALITE, chart_bundle, chart_files, device_charts, ranking_chart, series_names
from harness.pages.device_entries import DeviceEntry, device_entries, rankings
from harness.pages.device_page import device_page
from harness.pages.palette import SERIES, contrast
from harness.releases import Release, assemble
from harness.scoring.editions import edition_named
from harness.scoring.ratings import rate
from harness.scoring.suite import suites
from tests.pages.conftest import rated_phone
from tests.scoring.suites import board


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
    (chart,) = device_charts(device, edition_named("phone-2023"))
    points = points_of(chart)
    assert points["encoding"]["shape"]["field"] == points["encoding"]["color"]["field"] == "series"
    assert points["encoding"]["color"]["scale"]["domain"] == ["CPU1", "GPU"]


def points_of(chart: LayerChart) -> dict[str, Any]:
    """Layer of the points of a chart."""
    return next(layer for layer in chart.to_dict()["layer"] if layer["mark"]["type"] == "point")


def points_drawn(chart: LayerChart) -> list[dict[str, Any]]:
    """What the points of a chart stand for."""
    spec = chart.to_dict()
    return spec["datasets"][points_of(chart)["data"]["name"]]


def device_of(*stacks: str, submitter: str | None = None) -> DeviceEntry:
    """Board with a system for every stack."""
    shared = {} if submitter is None else {"submitter": submitter}
    boards = [board("acme", name=f"c{n}", manifest={"system": {"stack": s} | shared}) for n, s in enumerate(stacks)]
    release = assemble(boards)
    (entry,) = device_entries(release, rate(release), suites(release))
    return entry


@pytest.mark.parametrize(("n_systems", "parts"), [(1, [1]), (8, [8]), (9, [8, 1]), (17, [8, 8, 1])])
def test_no_two_series_of_a_chart_look_alike(n_systems: int, parts: list[int]) -> None:
    device = device_of(*(f"Stack {number:02}" for number in range(n_systems)))
    charts = device_charts(device, edition_named("mcu-2025"))
    domains = [points_of(chart)["encoding"]["color"]["scale"]["domain"] for chart in charts]
    assert [len(domain) for domain in domains] == parts
    assert max(parts) <= len(SERIES["light"])
    axes = [points_of(chart)["encoding"]["x"]["scale"]["domain"] for chart in charts]
    assert all(axis == axes[0] for axis in axes)
    # Every figure of the table is in one of the charts, under its own series.
    drawn = [row["series"] for chart in charts for row in points_drawn(chart)]
    assert len(drawn) == len(device.places["mcu-2025"])
    assert set(drawn) == {name for domain in domains for name in domain}


def test_page_holds_every_chart_of_a_device_with_many_systems() -> None:
    page = device_page(device_of(*(f"Stack {number:02}" for number in range(9))), "1.0.0")
    assert [chart.path.rpartition("/")[2] for chart in page.charts] == ["acme-mcu-2025-1", "acme-mcu-2025-2"]
    assert [chart.caption.rpartition(", ")[2] for chart in page.charts] == ["chart 1 of 2", "chart 2 of 2"]
    for chart, names in zip(page.charts, (range(8), range(8, 9)), strict=True):
        drawn = "".join(ElementTree.fromstring(chart.files[".light.svg"]).itertext())
        assert [name for name in range(9) if f"Stack {name:02}" in drawn] == list(names)


def test_series_are_named_by_what_sets_them_apart() -> None:
    device = device_of("Old 1", "New 2", submitter="Krai")
    places = device.places["mcu-2025"].to_dict("records")
    assert set(series_names(device, places).values()) == {"Old 1", "New 2"}
    # A figure of one system alone shares nothing with another.
    alone = [place for place in places if place["system_id"].startswith("acme--old")]
    (name,) = series_names(device, alone).values()
    assert "Old 1" in name


def test_legend_of_long_names_fits_on_a_phone() -> None:
    (chart,) = device_charts(device_of("A stack of a long name, 1.0", "Another stack, 2.0"), edition_named("mcu-2025"))
    legend = points_of(chart)["encoding"]["color"]["legend"]
    assert (legend["columns"], legend["title"]) == (1, "System")
    (chart,) = device_charts(device_of("A", "B"), edition_named("mcu-2025"))
    assert points_of(chart)["encoding"]["color"]["legend"]["columns"] == 4


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
