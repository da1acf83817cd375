import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from harness.traces.plot import _MOST_BINS, _bins, trace_svg
from harness.traces.reduction import reduce_trace
from tests.traces.synthetic import burst_stamped, inferences_of, trace_of

GRID = np.arange(0, 4, 0.001)
SVG = "{http://www.w3.org/2000/svg}"
SHADE = "#f2b134"


def shades(svg):
    return [path for path in ElementTree.fromstring(svg).iter(f"{SVG}path") if path.get("fill") == SHADE]


def test_picture_is_svg_with_a_shade_for_every_window():
    svg = trace_svg(trace_of(GRID, 100 + 50 * np.sin(GRID)), inferences_of([1.0, 2.0, 3.0], [1.5, 2.25, 3.1]))
    assert ElementTree.fromstring(svg).tag == f"{SVG}svg"
    widths = [float(re.match(r"M\S+h([0-9.]+)", path.get("d"))[1]) for path in shades(svg)]
    assert np.array(widths) / widths[0] == pytest.approx([1, 0.5, 0.2], rel=0.01)
    assert "3 windows" in svg
    assert "time (s)" in svg
    assert "power (mW)" in svg


def test_of_very_many_windows_some_are_shaded_and_that_is_said():
    starts = np.arange(0, 3.9, 0.004)
    svg = trace_svg(trace_of(GRID, np.full(4000, 9.0)), inferences_of(starts, starts + 0.002))
    assert len(shades(svg)) == 400
    assert "975 windows, 400 of them shaded" in svg


def test_picture_states_the_energy_with_its_uncertainty_and_how_windows_were_moved():
    trace, windows = trace_of(GRID, 100 + 50 * np.sin(GRID)), inferences_of([1.0, 2.0, 3.0], [1.5, 2.25, 3.1])
    reduction = replace(
        reduce_trace(trace, windows), energy_mj=62.5, energy_u_mj=1.25, applied_offset_s=-0.25, n_skipped=1
    )
    svg = trace_svg(trace, windows, reduction)
    assert (
        "62.5 ± 1.2 mJ (k = 2) per inference; windows moved by -0.25 s; 1 left out at the beginning; 2 windows" in svg
    )
    assert len(shades(svg)) == 2
    assert "no energy; 2 windows" in trace_svg(trace, windows, replace(reduction, energy_mj=None))


def test_trace_without_windows_is_drawn():
    svg = trace_svg(trace_of(GRID, np.full(4000, 9.0)), inferences_of([], []))
    assert shades(svg) == []
    assert "0 windows" in svg


def test_name_of_the_file_is_text_and_no_markup():
    svg = trace_svg(trace_of(GRID, np.full(4000, 9.0), source="<script>&\"'.csv"), inferences_of([1.0], [2.0]))
    assert "<script" not in svg
    assert "<script>&\"'.csv" in "".join(ElementTree.fromstring(svg).itertext())


def test_same_trace_gives_the_same_picture():
    pictures = {trace_svg(*burst_stamped(0, seconds=3.0)[:2]) for _ in range(2)}
    assert len(pictures) == 1


@pytest.mark.parametrize("chunk", [1, 100, 2500, 10**6])
@pytest.mark.parametrize("n_samples", [1, 7, 3999, 4001, 50_000])
def test_no_sample_is_lost_from_the_band(n_samples, chunk):
    if n_samples / chunk > 10_000:
        chunk = 10
    power = np.random.default_rng(n_samples).normal(1000, 100, n_samples)
    bins = _bins(trace_of(np.arange(n_samples) / 1000, power, chunk=chunk))
    assert bins["low"].min() == power.min()
    assert bins["high"].max() == power.max()
    assert len(bins) <= 2 * _MOST_BINS + 1
    assert bins["time"].is_monotonic_increasing
    assert (bins["low"] <= bins["mean"]).all()
    assert (bins["mean"] <= bins["high"]).all()


def test_band_of_a_long_trace_shows_each_part_where_it_is():
    # One chunk of a million samples: a quiet half, then a loud one.
    power = np.where(np.arange(1_000_000) < 500_000, 100.0, 900.0)
    bins = _bins(trace_of(np.arange(1_000_000) / 5000, power, chunk=1_000_000))
    quiet, loud = bins[bins["time"] < 99.9], bins[bins["time"] >= 100]
    assert (quiet["high"] == 100).all()
    assert (loud["low"] == 900).all()
    assert len(quiet) == pytest.approx(len(loud), rel=0.01)
    assert len(bins) > _MOST_BINS / 2
