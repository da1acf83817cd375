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


def test_the_uncertainty_of_a_run_that_throttles_covers_both_of_its_parts():
    power = loaded(STARTS, STARTS + LENGTH, 500.0) * np.where(STARTS[10] - 0.01 < GRID, 0.7, 1.0)
    found = reduce_trace(trace_of(GRID, power), inferences_of(STARTS, STARTS + LENGTH))
    assert "trace-unsteady" in rules(found)
    assert found.energy_mj == pytest.approx(500 * LENGTH * 0.85, rel=0.001)
    for part in (1.0, 0.7):
        assert abs(found.energy_mj - 500 * LENGTH * part) <= found.energy_u_mj < 0.3 * found.energy_mj


def test_one_part_of_a_run_that_throttles_is_as_certain_as_a_steady_run():
    power = loaded(STARTS, STARTS + LENGTH, 500.0) * np.where(STARTS[10] - 0.01 < GRID, 0.7, 1.0)
    found = reduce_trace(trace_of(GRID, power), inferences_of(STARTS, STARTS + LENGTH))
    assert "cut the log of the inferences to one part" in found.faults[-2].fix
    cut = slice(int(np.searchsorted(GRID, STARTS[10] - 0.01)))
    part = reduce_trace(trace_of(GRID[cut], power[cut]), inferences_of(STARTS[:10], STARTS[:10] + LENGTH))
    assert abs(part.energy_mj - 500 * LENGTH) <= part.energy_u_mj < 0.02 * part.energy_mj


def test_windows_that_scatter_widely_are_named_with_how_many_would_do():
    share = np.where(np.arange(20) % 2, 1.6, 0.4)
    power = loaded(STARTS, STARTS + LENGTH, 500.0)
    for start, factor in zip(STARTS, share, strict=True):
        power[(start <= GRID) & (start + LENGTH > GRID)] *= factor
    found = reduce_trace(trace_of(GRID, power), inferences_of(STARTS, STARTS + LENGTH))
    fault = next(fault for fault in found.faults if fault.rule == "trace-unsteady")
    assert found.energy_u_mj > 0.1 * found.energy_mj
    assert "most of it from repeatability" in fault.found
    assert "Log more windows, about " in fault.fix


@pytest.mark.parametrize("n", [3, 5, 25])
@pytest.mark.parametrize("shape", [lambda x: x, lambda x: x > 0.3, lambda x: np.sin(6 * x)])
def test_a_zero_that_walks_by_a_third_of_the_idle_power_is_covered_or_refused(n, shape):
    starts = 0.3 + 3.4 / n * np.arange(n)
    length = 1.7 / n
    power = loaded(starts, starts + length, 500.0) + 33 * shape(GRID / 4)
    found = reduce_trace(trace_of(GRID, power), inferences_of(starts, starts + length))
    assert found.energy_mj is None or abs(found.energy_mj - 500 * length) <= found.energy_u_mj


def test_zeros_that_walk_over_few_windows_are_mostly_covered():
    n_given = n_covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        n, first = int(rng.integers(3, 6)), float(rng.uniform(0.3, 1.0))
        every = (4 - 2 * first) / n
        starts, length = first + every * np.arange(n), every / (1 + float(rng.uniform(0.3, 1.5)))
        walk = np.cumsum(rng.standard_normal(len(GRID)))
        walk = 1.0 * (rng.uniform(0.1, 0.9) < GRID / 4) if rng.random() < 0.5 else walk
        walk = rng.uniform(5, 40) * (walk - walk[0]) / np.abs(walk).max()
        noise = 1 + 0.01 * rng.standard_normal(len(GRID))
        trace = trace_of(GRID, loaded(starts, starts + length, 500.0) * noise + walk)
        found = reduce_trace(trace, inferences_of(starts, starts + length))
        if found.energy_mj is not None:
            n_given += 1
            n_covered += abs(found.energy_mj - 500 * length) <= found.energy_u_mj
    assert n_given > 50
    assert n_covered / n_given > 0.9


def test_a_pause_with_other_work_is_no_zero_that_walks():
    power = loaded(np.append(STARTS, 3.9), np.append(STARTS + LENGTH, 3.95), 500.0)
    kept = np.delete(STARTS, 7)
    found = reduce_trace(trace_of(GRID, power), inferences_of(kept, kept + LENGTH))
    components = {each.component: each.standard_mj for each in found.uncertainty}
    assert components["baseline"] < 0.001 * found.energy_mj


def test_work_that_fills_the_pauses_may_be_counted_in_by_one_window():
    ends = STARTS + 0.1 * LENGTH
    refused, whole = (
        found_for(*windows, load=([STARTS[0]], [STARTS[-1] + LENGTH]))
        for windows in ((STARTS, ends), (STARTS[:1], STARTS[-1:] + LENGTH))
    )
    assert refused.energy_mj is None
    assert "count it in: log one window from the first start to the last end" in refused.faults[-1].fix
    true_mj = 500 * (STARTS[-1] + LENGTH - STARTS[0])
    assert abs(whole.energy_mj - true_mj) <= whole.energy_u_mj < 0.1 * true_mj
