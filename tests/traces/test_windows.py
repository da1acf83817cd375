import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.traces.windows import EnergyAt

POWERS = st.lists(st.floats(0, 1e5), min_size=2, max_size=60)


def energies(times, power, edges, chunk):
    at = EnergyAt(np.asarray(edges, dtype=float))
    for start in range(0, len(times), chunk):
        at.add(times[start : start + chunk], power[start : start + chunk])
    return at


def test_constant_power_gives_power_times_time():
    times = np.linspace(0, 2, 21)
    at = energies(times, np.full(21, 300.0), [0.25, 1.75], 7)
    assert at.energies_mj[1] - at.energies_mj[0] == pytest.approx(450)
    assert at.total_mj == pytest.approx(600)


def test_rising_power_is_integrated_within_a_sample():
    at = energies(np.array([0.0, 1.0]), np.array([0.0, 10.0]), [0.5], 2)
    assert at.energies_mj[0] == pytest.approx(1.25)


def test_edges_outside_the_trace_have_nothing_and_everything():
    at = energies(np.array([1.0, 2.0]), np.array([5.0, 5.0]), [9.0, 0.0], 2)
    assert list(at.energies_mj) == [5.0, 0.0]


@given(POWERS, st.integers(1, 61), st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_energy_does_not_depend_on_chunk_size(power, chunk, places):
    power = np.array(power)
    times = np.arange(len(power)) * 0.01
    edges = np.array(places) * times[-1]
    whole = energies(times, power, edges, len(power)).energies_mj
    assert energies(times, power, edges, chunk).energies_mj == pytest.approx(whole, rel=1e-9, abs=1e-9)


@given(POWERS, st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)))
def test_energy_is_additive_over_adjacent_windows(power, places):
    power = np.array(power)
    times = np.arange(len(power)) * 0.01
    a, b, c = energies(times, power, np.sort(places) * times[-1], 13).energies_mj
    assert (b - a) + (c - b) == pytest.approx(c - a, rel=1e-9, abs=1e-9)
    assert a <= b + 1e-9
    assert b <= c + 1e-9


@given(POWERS, st.floats(0.01, 100), st.floats(0, 1))
def test_energy_scales_with_current(power, factor, place):
    power = np.array(power)
    times = np.arange(len(power)) * 0.01
    one = energies(times, power, [place * times[-1]], 10).energies_mj[0]
    assert energies(times, power * factor, [place * times[-1]], 10).energies_mj[0] == pytest.approx(one * factor)
