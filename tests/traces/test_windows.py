import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.traces import windows
from harness.traces.windows import WindowEnergies

POWERS = st.lists(st.floats(0, 1e5), min_size=8, max_size=60)


def reduced(times, power, starts, ends, chunk=7, kind="instant"):
    found = WindowEnergies(np.asarray(starts, dtype=float), np.asarray(ends, dtype=float), kind)
    times, power = np.asarray(times, dtype=float), np.asarray(power, dtype=float)
    for start in range(0, len(times), chunk):
        found.add(times[start : start + chunk], power[start : start + chunk])
    found.finish()
    return found


@pytest.mark.parametrize("kind", ["instant", "mean"])
def test_constant_power_gives_power_times_time(kind):
    found = reduced(np.linspace(0, 2, 21), np.full(21, 300.0), [0.25, 1.0], [1.75, 1.2], kind=kind)
    assert found.energies_mj == pytest.approx([450, 60])
    assert found.total_mj == pytest.approx(600)


@pytest.mark.parametrize("phase", [0.0, 0.013, 0.05, 0.087])
def test_instants_give_a_step_of_power_at_the_edges_exactly(phase):
    times = np.arange(0, 3, 0.1) + phase
    power = np.where((times >= 1) & (times < 2), 500.0, 50.0)
    assert reduced(times, power, [1.0], [2.0]).energies_mj == pytest.approx([500])


def test_instants_that_rise_and_fall_outside_the_window_are_joined_by_trapezoids():
    times = np.arange(0, 3, 0.1)
    power = 100 + 10 * times
    assert reduced(times, power, [1.03], [2.06]).energies_mj == pytest.approx([1.03 * (100 + 10 * 1.545)])


@pytest.mark.parametrize("phase", [0.0, 0.013, 0.05, 0.087])
def test_means_give_a_step_of_power_inside_an_interval_exactly(phase):
    times = np.arange(0, 3, 0.1) + phase
    load = np.clip(times, 1.0, 2.0) - 1.0
    power = 50 + 450 * np.diff(load, prepend=0.0) / 0.1
    assert reduced(times, power, [1.0], [2.0], kind="mean").energies_mj == pytest.approx([500])


def test_a_mean_that_two_windows_share_is_divided_by_time():
    found = reduced([0.0, 1, 2, 3], [0.0, 100, 100, 100], [0.5, 1.4], [1.4, 2.5], kind="mean")
    assert found.energies_mj == pytest.approx([90, 110])


def test_samples_inside_a_window_are_counted_from_its_start_until_before_its_end():
    found = reduced(np.arange(10.0), np.ones(10), [2.0, 2.5, 4.1], [4.0, 4.5, 4.9])
    assert list(found.n_inside) == [2, 2, 0]


@pytest.mark.parametrize("kind", ["instant", "mean"])
@given(POWERS, st.integers(1, 61), st.lists(st.floats(0, 1), min_size=2, max_size=8))
def test_energy_does_not_depend_on_chunk_size(kind, power, chunk, places):
    times = np.arange(len(power)) * 0.01
    edges = np.sort(places)[: len(places) // 2 * 2] * times[-1]
    whole = reduced(times, power, edges[::2], edges[1::2], len(power), kind)
    parts = reduced(times, power, edges[::2], edges[1::2], chunk, kind)
    assert parts.energies_mj == pytest.approx(whole.energies_mj, rel=1e-9, abs=1e-6)
    assert list(parts.n_inside) == list(whole.n_inside)
    assert parts.curve.energies_mj == pytest.approx(whole.curve.energies_mj, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("n_samples", [2**15 - 1, 2**15 + 1, 2**15 + 2, 150_001])
def test_energy_of_a_long_chunk_is_that_of_short_ones(n_samples):
    times, power = np.arange(n_samples) * 2e-4, np.random.default_rng(7).uniform(0, 1e4, n_samples)
    edges = times[-1] * np.array([0.1, 0.2, 0.55, 0.9999])
    whole, parts = (reduced(times, power, edges[::2], edges[1::2], chunk) for chunk in (n_samples, 1000))
    exact = np.concatenate([[0.0], np.cumsum((power[1:] + power[:-1]) * 1e-4)])
    assert whole.curve.energies_mj == pytest.approx(exact, rel=1e-9)
    assert whole.curve.energies_mj == pytest.approx(parts.curve.energies_mj, rel=1e-12)
    assert whole.energies_mj == pytest.approx(parts.energies_mj, rel=1e-11)


@given(POWERS, st.floats(0.01, 100))
def test_energy_scales_with_power(power, factor):
    times = np.arange(len(power)) * 0.01
    one = reduced(times, power, [0.013], [0.047]).energies_mj[0]
    other = reduced(times, np.array(power) * factor, [0.013], [0.047]).energies_mj[0]
    assert other == pytest.approx(one * factor, rel=1e-6, abs=1e-6)


def test_curve_keeps_a_bounded_number_of_exact_points(monkeypatch):
    monkeypatch.setattr(windows, "MOST_POINTS", 16)
    times = np.arange(1000) * 0.01
    found = reduced(times, 100 + times, [], [], 37)
    assert 16 <= len(found.curve.times_s) <= 34
    exact = 100 * found.curve.times_s + found.curve.times_s**2 / 2
    assert found.curve.energies_mj == pytest.approx(exact)
    assert found.curve.times_s[[0, -1]] == pytest.approx([0, 9.99])


def test_no_samples_give_no_energy():
    found = reduced([], [], [1.0], [2.0])
    assert (found.first_s, found.last_s, found.total_mj) == (None, None, 0.0)
    assert list(found.n_inside) == [0]
