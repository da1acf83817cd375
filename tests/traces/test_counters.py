import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.traces.counters import RAPL_RANGES_MJ, counter_power_mw, likely_range_mj
from harness.traces.trace import TraceFormatError


@given(st.sampled_from(RAPL_RANGES_MJ), st.floats(0, 1), st.lists(st.floats(1, 50), min_size=5, max_size=60))
def test_wrap_around_of_a_known_range_is_undone_wherever_it_is(range_mj, share, powers_w):
    stamps = np.arange(len(powers_w) + 1.0)
    true = range_mj * share + 1e3 * np.concatenate([[0.0], np.cumsum(powers_w)])
    counter = np.where(true > range_mj, true - range_mj, true)
    if max(powers_w) * 8 < sum(powers_w) or (np.diff(counter) >= 0).sum() > len(powers_w) - 2:
        found = likely_range_mj(stamps, counter)
        if (np.diff(counter) < 0).any() and found is not None:
            assert found == range_mj
            assert counter_power_mw(stamps, counter, found)[1:] == pytest.approx(1e3 * np.array(powers_w), abs=1e-3)


@pytest.mark.parametrize("fall_mj", [500.0, 60_000.0])
def test_fall_far_from_the_end_of_any_range_is_no_wrap_around(fall_mj):
    assert likely_range_mj(np.arange(4.0), np.array([100_000, 110_000, 110_000 - fall_mj, 120_000])) is None


def test_counter_that_does_nothing_but_fall_is_no_wrap_around():
    assert likely_range_mj(np.arange(2.0), np.array([65_532_610.0, 1.0])) is None


def test_fall_without_a_range_is_refused_with_its_line():
    with pytest.raises(TraceFormatError, match="falls from 9 to 2 mJ") as caught:
        counter_power_mw(np.arange(3.0), np.array([8.0, 9.0, 2.0]), first_line=2)
    assert (caught.value.fault.rule, caught.value.fault.line) == ("trace-counter", 4)


def test_counter_above_its_range_is_refused():
    with pytest.raises(TraceFormatError, match="at most its range, 5 mJ"):
        counter_power_mw(np.arange(2.0), np.array([8.0, 9.0]), 5.0)


def test_one_reading_has_no_power():
    assert counter_power_mw(np.zeros(1), np.ones(1)).tolist() == [0.0]
