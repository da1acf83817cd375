import numpy as np
import pytest

from harness.traces.steadiness import change, quietest, warm_up, whole
from harness.traces.windows import WindowEnergies

RNG = np.random.default_rng(0)
STEADY = 100 + RNG.normal(0, 1, 100)


@pytest.mark.parametrize("n_early", [0, 1, 5, 20])
def test_warm_up_is_the_windows_before_the_first_in_line(n_early):
    energies = STEADY.copy()
    energies[:n_early] += np.linspace(40, 20, n_early)
    assert warm_up(energies) == n_early


def test_few_windows_and_most_windows_are_no_warm_up():
    assert warm_up(np.array([9.0, 5, 5, 5, 5])) == 0
    energies = STEADY.copy()
    energies[:30] += 50
    assert warm_up(energies) == 0


@pytest.mark.parametrize("place", [20, 50, 85])
def test_a_change_is_named_with_its_place(place):
    values = STEADY.copy()
    values[place:] *= 1.15
    found = change(values)
    assert found.window == pytest.approx(place, abs=2)
    assert found.relative == pytest.approx(0.15, abs=0.02)


def test_steady_values_and_small_changes_are_none():
    assert change(STEADY) is None
    assert change(np.where(np.arange(100) < 50, STEADY, STEADY * 1.04)) is None
    assert change(STEADY[:10]) is None


def curve_of(power):
    found = WindowEnergies(np.empty(0), np.empty(0))
    found.add(np.arange(len(power)) * 0.01, power)
    found.finish()
    return found.curve


def test_quietest_half_leaves_out_what_loads_a_model():
    power = np.concatenate([np.full(300, 100.0), np.full(300, 900.0)]) + RNG.normal(0, 2, 600)
    quiet = quietest(curve_of(power), 0.0, 5.99)
    assert quiet.power_mw == pytest.approx(100, abs=3 * quiet.u_mw + 0.5)
    assert quiet.seconds == pytest.approx(3.0, rel=0.01)
    assert quiet.range_share < 0.1


def test_a_baseline_that_is_not_steady_shows_its_range():
    quiet = whole(curve_of(np.linspace(100, 200, 1000)))
    assert quiet.range_share > 0.5
    assert quiet.u_mw > 10


def test_an_empty_stretch_has_no_power():
    curve = curve_of(np.full(100, 5.0))
    assert quietest(curve, 1.0, 1.0) is None
    assert whole(curve_of(np.full(1, 5.0))) is None
