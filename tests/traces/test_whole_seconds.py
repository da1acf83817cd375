import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.traces.whole_seconds import even_times


def floor_of(times):
    return np.floor(times).astype(np.int64).tolist()


@given(st.floats(0.05, 5), st.floats(0, 1), st.integers(30, 500))
def test_true_times_lie_within_the_stated_half_width(period_s, start_s, n_lines):
    places = np.arange(float(n_lines))
    times = start_s + period_s * places
    assume(n_lines * period_s > 4)
    even = even_times(floor_of(times), places)
    assert even is not None
    assert np.abs(even.times_s - times).max() <= even.u_s * math.sqrt(3) + 1e-6
    assert abs(even.period_s - period_s) <= even.half_period_s + 1e-6
    assert even.has_period(period_s)


@given(st.floats(0.05, 2), st.data())
def test_lines_that_are_missing_do_not_matter(period_s, data):
    kept = np.array(sorted(data.draw(st.sets(st.integers(0, 299), min_size=150))), dtype=np.float64)
    times = 0.4 + period_s * kept
    even = even_times(floor_of(times), kept)
    assert even is not None
    assert np.abs(even.times_s - times).max() <= even.u_s * math.sqrt(3) + 1e-6


def test_stamps_of_2026_lose_no_digits():
    even = even_times([1_778_061_600 + k // 4 for k in range(40)], np.arange(40.0))
    assert np.diff(even.times_s) == pytest.approx(0.25, abs=1e-3)


def test_break_begins_a_new_run_with_the_same_spacing():
    times = np.concatenate([np.arange(100) * 0.1, 60.3 + np.arange(50) * 0.1])
    even = even_times(floor_of(times), np.arange(150.0))
    assert np.abs(even.times_s - times).max() <= even.u_s * math.sqrt(3) + 1e-6


def test_step_back_begins_a_new_run():
    times = np.concatenate([50 + np.arange(100) * 0.1, np.arange(50) * 0.1])
    even = even_times(floor_of(times), np.arange(150.0))
    assert np.abs(even.times_s - times).max() <= even.u_s * math.sqrt(3) + 1e-6


def test_jitter_of_some_milliseconds_is_within_the_uncertainty():
    rng = np.random.default_rng(0)
    times = 0.3 + np.arange(2000) * 0.1003 + rng.uniform(0, 0.02, 2000)
    even = even_times(floor_of(times), np.arange(2000.0))
    assert np.abs(even.times_s - times).max() <= 0.05
    assert even.u_s < 0.02


@pytest.mark.parametrize("stamps", [[5], [5, 5, 5], [5, 5, 6, 6]])
def test_too_few_stamps_give_no_spacing(stamps):
    assert even_times(stamps, np.arange(float(len(stamps)))) is None


def test_uneven_lines_give_no_spacing():
    times = np.concatenate([np.arange(100) * 0.1, 10 + np.arange(100) * 0.3])
    assert even_times(floor_of(times), np.arange(200.0)) is None


def test_known_period_is_kept():
    even = even_times([0, 0, 1, 1], np.arange(4.0), 0.5)
    assert even.period_s == 0.5
    assert even.times_s.tolist() == [0.25, 0.75, 1.25, 1.75]
    assert not even.has_period(0.51)
