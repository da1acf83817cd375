import numpy as np
import pytest

from harness.traces.resolution import Changes


def changes_of(times, values, chunk=1000):
    found = Changes()
    for start in range(0, len(times), chunk):
        found.add(times[start : start + chunk], values[start : start + chunk])
    return found


TIMES = np.arange(0, 60, 0.002)
EDGES = np.arange(5.0, 55.0, 0.05)


@pytest.mark.parametrize("chunk", [7, 1000, 10**6])
def test_gauge_that_is_read_more_often_than_it_changes_is_as_slow_as_it_changes(chunk):
    rng = np.random.default_rng(0)
    values = rng.integers(100, 200, 601)[np.floor(TIMES / 0.1).astype(int)].astype(float)
    found = changes_of(TIMES, values, chunk)
    assert found.is_held
    assert found.resolution_s(0.002, EDGES) == pytest.approx(0.1, rel=0.05)


def test_value_that_changes_with_every_sample_is_as_fast_as_it_is_read():
    found = changes_of(TIMES, np.random.default_rng(0).normal(100, 1, len(TIMES)))
    assert not found.is_held
    assert found.resolution_s(0.002, EDGES) == 0.002


def test_value_that_is_constant_between_edges_and_follows_them_is_fast():
    starts = np.arange(5.0, 50.0, 10.0)
    is_load = np.searchsorted(starts, TIMES, side="right") > np.searchsorted(starts + 5, TIMES, side="right")
    found = changes_of(TIMES, np.where(is_load, 28_000.0, 6_000.0))
    assert found.resolution_s(0.002, np.concatenate([starts, starts + 5])) <= 0.004


def test_value_that_never_changes_says_nothing():
    found = changes_of(TIMES, np.full(len(TIMES), 5.0))
    assert found.resolution_s(0.002, EDGES) == 0.002
    assert found.quantum_mw == 0


@pytest.mark.parametrize(
    ("levels", "quantum"), [([6000.0, 28000.0], 1000), ([3100.0, 9200.0], 100), ([1.5, 2.25], 0.01), ([5.0, 7.0], 1)]
)
def test_quantum_of_few_levels_is_the_power_of_ten_that_divides_them(levels, quantum):
    found = changes_of(TIMES, np.array(levels)[np.arange(len(TIMES)) // 100 % len(levels)])
    assert found.quantum_mw == pytest.approx(quantum)


def test_quantum_of_many_levels_is_their_smallest_step():
    values = np.round(np.random.default_rng(1).normal(1000, 20, len(TIMES)) / 1.25) * 1.25
    assert changes_of(TIMES, values).quantum_mw == pytest.approx(1.25)
