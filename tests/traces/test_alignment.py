import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.traces.alignment import align
from harness.traces.bursts import Bursts, Lag, bursts_of
from harness.traces.inferences import Inferences
from harness.traces.reduction import reduce_trace
from harness.traces.settings import ReductionSettings
from harness.traces.trace import Chunk, PowerTrace
from harness.traces.windows import WindowEnergies

STEP = 0.001


def curve_of(power, step=STEP):
    found = WindowEnergies(np.empty(0), np.empty(0))
    found.add(np.arange(len(power)) * step, power)
    found.finish()
    return found.curve


def runs(starts, ends, last, step=STEP, seed=0, noise=5.0):
    """Power of a device that draws 100 mW, and 500 mW between starts and ends."""
    times = np.arange(0, last, step)
    is_load = np.searchsorted(starts, times, side="right") > np.searchsorted(ends, times, side="right")
    return np.where(is_load, 500.0, 100.0) + np.random.default_rng(seed).normal(0, noise, len(times))


STARTS = 2.0 + np.cumsum(np.random.default_rng(3).uniform(0.1, 0.14, 60))
ENDS = STARTS + 0.05
LAST = float(ENDS[-1]) + 3


def found_for(lag_s, drift=0.0, starts=STARTS, ends=ENDS, power=None):
    middle = float(starts[0] + ends[-1]) / 2
    shift = Lag(-lag_s, -drift, middle)
    logged = Bursts(starts, ends).moved(shift)
    power = runs(starts, ends, LAST) if power is None else power
    return align(curve_of(power), logged, STEP)


def test_clocks_that_agree_have_no_lag():
    found = found_for(0.0)
    assert found.is_told
    assert abs(found.offset_s) < 3 * found.offset_u_s < 0.001
    assert found.drift == 0
    assert found.share_under_load == 1
    assert found.contrast_mw == pytest.approx(400, rel=0.02)


@given(st.floats(-30, 30))
def test_any_lag_is_found(lag_s):
    assert found_for(lag_s).offset_s == pytest.approx(lag_s, abs=0.001)


@pytest.mark.parametrize("lag_s", [3600.0, -7200.0, 1.7e9])
def test_a_time_zone_and_another_epoch_are_found(lag_s):
    assert found_for(lag_s).offset_s == pytest.approx(lag_s, abs=0.001)


@pytest.mark.parametrize("drift", [200e-6, -400e-6])
def test_drift_of_a_long_run_is_found(drift):
    starts = 2.0 + np.cumsum(np.random.default_rng(4).uniform(0.4, 0.6, 200))
    power = runs(starts, starts + 0.2, float(starts[-1]) + 3)
    found = found_for(0.3, drift, starts, starts + 0.2, power)
    assert found.offset_s == pytest.approx(0.3, abs=0.002)
    assert found.drift == pytest.approx(drift, rel=0.1)


def test_a_pattern_that_repeats_is_not_taken_for_one_a_period_later():
    starts = 2.0 + 0.1 * np.arange(50)
    power = runs(starts, starts + 0.05, 10.0)
    assert abs(found_for(0.0, starts=starts, ends=starts + 0.05, power=power).offset_s) < 0.001
    assert found_for(0.3, starts=starts, ends=starts + 0.05, power=power).offset_s == pytest.approx(0.3, abs=0.001)


def test_loading_of_a_model_before_the_first_inference_is_no_lag():
    starts = 2.0 + 0.1 * np.arange(50)
    power = runs(starts, starts + 0.05, 10.0)
    power[1900:1950] = 900.0
    assert abs(found_for(0.0, starts=starts, ends=starts + 0.05, power=power).offset_s) < 0.001


def test_back_to_back_windows_are_one_burst_with_two_edges():
    starts = 2.0 + 0.05 * np.arange(100)
    bursts = bursts_of(starts, starts + 0.0499, STEP)
    assert len(bursts) == 1
    power = runs(np.array([2.0]), np.array([7.0]), 10.0)
    found = align(curve_of(power), Bursts(starts, starts + 0.0499), STEP)
    assert found.is_told
    assert abs(found.offset_s) < 0.002


@pytest.mark.parametrize("lag_s", [-0.05, 0.03, 0.1])
def test_long_windows_with_short_gaps_are_found_by_their_edges(lag_s):
    starts = 2.0 + np.cumsum(np.random.default_rng(1).uniform(0.125, 0.128, 40))
    power = runs(starts, starts + 0.12, float(starts[-1]) + 2, step=0.0002)
    middle = float(starts[0] + starts[-1] + 0.12) / 2
    found = align(curve_of(power, 0.0002), Bursts(starts, starts + 0.12).moved(Lag(-lag_s, 0.0, middle)), 0.0002)
    assert found.is_told
    assert found.offset_s == pytest.approx(lag_s, abs=0.0005)


def test_a_rise_without_a_fall_leaves_the_lag_open():
    power = runs(np.array([2.3]), np.array([9.0]), 7.1)
    found = align(curve_of(power), Bursts(np.array([2.0]), np.array([7.0])), STEP)
    assert not found.is_told


def test_no_power_outside_the_windows_tells_nothing():
    power = runs(np.array([-1.0]), np.array([9.0]), 5.0)
    assert align(curve_of(power), Bursts(np.array([0.0]), np.array([5.0])), STEP) is None


def test_power_that_never_changes_has_no_contrast():
    noise = 100 + np.random.default_rng(0).normal(0, 5, 5000)
    starts = 1.0 + 0.1 * np.arange(20)
    for power in (np.full(5000, 100.0), noise):
        assert not align(curve_of(power), Bursts(starts, starts + 0.03), STEP).is_above


def test_power_a_little_above_is_above():
    starts = 1.0 + 0.1 * np.arange(20)
    power = runs(starts, starts + 0.03, 5.0) / 400 * 12
    assert align(curve_of(power), Bursts(starts, starts + 0.03), STEP).is_above


def test_power_that_stays_the_same_leaves_the_lag_open():
    found = align(curve_of(np.full(5000, 100.0)), Bursts(np.array([1.0]), np.array([2.0])), STEP)
    assert not found.is_told
    assert found.contrast_mw == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("drift", [200e-6, -300e-6])
def test_drift_that_loses_load_is_refused_and_align_undoes_it(drift):
    starts = 2.0 + np.cumsum(np.random.default_rng(4).uniform(0.4, 0.6, 200))
    last = float(starts[-1]) + 3
    power = runs(starts, starts + 0.2, last)
    middle = float(starts[0] + starts[-1] + 0.2) / 2
    logged = [np.round((edges - drift * (edges - middle)) * 1e9).astype(np.int64) for edges in (starts, starts + 0.2)]
    trace = PowerTrace("t", "device", lambda: iter((Chunk(np.arange(len(power)) * STEP, power),)))
    refused, aligned = (
        reduce_trace(trace, Inferences("w", *logged), None, ReductionSettings(is_aligned=is_aligned))
        for is_aligned in (False, True)
    )
    fault = next(fault for fault in refused.faults if fault.rule == "trace-alignment")
    assert refused.energy_mj is None
    assert "ppm" in fault.found
    assert "--align" in fault.fix
    assert abs(aligned.energy_mj - 100) <= aligned.energy_u_mj < 2
    assert aligned.applied_drift_ppm == pytest.approx(drift * 1e6, rel=0.1)
