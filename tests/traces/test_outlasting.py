"""Load that the windows leave out is refused where it matters; other work is told from it where that is possible."""

import numpy as np
import pytest

from harness.traces.reduction import reduce_trace
from harness.traces.settings import ReductionSettings
from tests.traces.test_reduction import AS_IT_IS, GRID, inferences_of, loaded, rules, trace_of

STARTS = 1.2 + 0.12 * np.arange(20)
LENGTH = 0.06


def found_for(starts, ends, load=(STARTS, STARTS + LENGTH), settings=AS_IT_IS):
    noise = 1 + 0.01 * np.random.default_rng(0).standard_normal(len(GRID))
    return reduce_trace(
        trace_of(GRID, loaded(*load, 500.0) * noise), inferences_of(list(starts), list(ends)), None, settings
    )


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_ends_that_are_logged_at_the_launch_are_refused(share):
    found = found_for(STARTS, STARTS + share * LENGTH, settings=ReductionSettings(is_aligned=True))
    assert found.energy_mj is None
    assert "when the device has finished it" in found.faults[-1].fix


def test_a_queue_that_is_filled_at_once_is_refused():
    launches = 1.0 + 0.01 * np.arange(20)
    found = found_for(launches, launches + 0.01, load=([1.0], [3.0]))
    assert rules(found)[-1] == "trace-uncertain"
    assert "load outside windows" in found.faults[-1].found


def test_what_is_cut_off_the_trace_counts_no_more():
    grid = GRID[GRID < 2.02]
    trace = trace_of(grid, loaded([1.0], [3.0], 500.0, grid=grid))
    found = reduce_trace(trace, inferences_of(1.0 + 0.05 * np.arange(20), 1.05 + 0.05 * np.arange(20)))
    assert found.energy_mj == pytest.approx(25, abs=found.energy_u_mj + 1e-9)


def test_work_between_inferences_is_not_theirs():
    found = found_for(STARTS, STARTS + 0.08, load=([STARTS[0]], [STARTS[-1] + 0.08]))
    assert found.energy_mj == pytest.approx(40, abs=found.energy_u_mj)


def test_windows_over_the_load_leave_none_out():
    components = {each.component: each.standard_mj for each in found_for(STARTS, STARTS + LENGTH).uncertainty}
    assert components["load outside windows"] == 0


def test_scatter_of_a_single_window_is_part_of_its_uncertainty():
    errors = []
    for seed in range(40):
        power = loaded([1.0], [2.0], 500.0) * (1 + 0.05 * np.random.default_rng(seed).standard_normal(len(GRID)))
        found = reduce_trace(trace_of(GRID, power), inferences_of([1.0], [2.0]))
        errors.append(abs(found.energy_mj - 500) / found.energy_u_mj)
    assert np.mean(np.array(errors) <= 1) > 0.85


def test_a_run_that_throttles_has_the_scatter_of_its_parts():
    power = loaded(STARTS, STARTS + LENGTH, 500.0) * np.where(STARTS[10] - 0.01 < GRID, 0.7, 1.0)
    found = reduce_trace(trace_of(GRID, power), inferences_of(STARTS, STARTS + LENGTH))
    assert "trace-unsteady" in rules(found)
    assert abs(found.energy_mj - 500 * LENGTH * 0.85) <= found.energy_u_mj + 1e-9 < 0.3 * found.energy_mj
    components = {each.component: each.standard_mj for each in found.uncertainty}
    assert components["repeatability"] < 0.01 * found.energy_mj


@pytest.mark.parametrize("n", [5, 25])
@pytest.mark.parametrize("shape", [lambda x: x, lambda x: x > 0.3, lambda x: np.sin(6 * x)])
def test_a_zero_that_walks_by_a_third_of_the_idle_power_is_covered_or_refused(n, shape):
    starts = 0.3 + 3.4 / n * np.arange(n)
    length = 1.7 / n
    power = loaded(starts, starts + length, 500.0) + 33 * shape(GRID / 4)
    found = reduce_trace(trace_of(GRID, power), inferences_of(starts, starts + length))
    assert found.energy_mj is None or abs(found.energy_mj - 500 * length) <= found.energy_u_mj


def test_a_pause_with_other_work_is_no_zero_that_walks():
    power = loaded(np.append(STARTS, 3.9), np.append(STARTS + LENGTH, 3.95), 500.0)
    kept = np.delete(STARTS, 7)
    found = reduce_trace(trace_of(GRID, power), inferences_of(kept, kept + LENGTH))
    components = {each.component: each.standard_mj for each in found.uncertainty}
    assert components["baseline"] < 0.001 * found.energy_mj
