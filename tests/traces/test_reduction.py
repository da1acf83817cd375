from dataclasses import replace

import numpy as np
import pytest

from harness.schema.facts import MeterAccuracy
from harness.traces.clocked import with_clock
from harness.traces.idle import idle_power
from harness.traces.reduction import reduce_trace
from harness.traces.settings import ReductionSettings
from harness.traces.trace import REFUSING
from harness.traces.windows import WindowEnergies
from harness.validation.registry import RULES
from tests.traces.synthetic import burst_stamped, inferences_of, trace_of

GRID = np.arange(0, 4, 0.001)
AS_IT_IS = ReductionSettings()


def rules(reduction):
    return [fault.rule for fault in reduction.faults]


def loaded(starts, ends, load_mw=200.0, idle_mw=100.0, grid=GRID):
    """Power that never repeats itself, 1 mW around the idle power, or around that of the load."""
    is_load = np.searchsorted(starts, grid + 1e-9, side="right") > np.searchsorted(ends, grid + 1e-9, side="right")
    return np.where(is_load, load_mw, idle_mw) + np.where(np.arange(len(grid)) % 2, 1.0, -1.0)


def reduced(starts, ends, grid=GRID, settings=AS_IT_IS, **how):
    power = loaded(starts, ends, grid=grid)
    return reduce_trace(trace_of(grid, power, **how), inferences_of(starts, ends), None, settings)


def test_load_above_idle_power_is_reduced_exactly():
    reduction = reduced([1.5, 2.5], [2.0, 2.75])
    assert reduction.n_samples == 4000
    assert reduction.sampling_hz == pytest.approx(1000)
    assert (reduction.n_inferences, reduction.n_used) == (2, 2)
    assert reduction.energies_mj == pytest.approx([100, 50], rel=1e-4)
    assert reduction.energy_mj == pytest.approx(75, rel=1e-4)
    assert reduction.energy_median_mj == pytest.approx(75, rel=1e-4)
    assert reduction.energy_std_mj == pytest.approx(np.std([100, 50], ddof=1), rel=1e-3)
    assert reduction.latency_ms == pytest.approx(375)
    assert reduction.power_mw == pytest.approx(200, rel=1e-4)
    assert reduction.idle_power_mw == pytest.approx(100, rel=1e-3)
    assert reduction.energy_idle_subtracted_mj == pytest.approx(37.5, rel=1e-3)
    # Two windows of which one has twice the energy of the other.
    assert [(fault.rule, fault.found) for fault in reduction.faults] == [
        ("trace-unsteady", f"75.001 ± {reduction.energy_u_mj:.2g} mJ, most of it from repeatability")
    ]


def test_energy_has_an_expanded_uncertainty_from_its_components():
    reduction = reduced([1.5, 2.5, 3.1], [2.0, 3.0, 3.6])
    known = [each.standard_mj for each in reduction.uncertainty if each.standard_mj is not None]
    assert reduction.energy_u_mj == pytest.approx(2 * np.hypot.reduce(known))
    assert 0 < reduction.energy_u_mj < 0.01 * reduction.energy_mj
    assert reduction.energy_idle_subtracted_u_mj >= reduction.energy_u_mj


def test_accuracy_that_is_not_known_is_left_out_and_named():
    by_name = {each.component: each.standard_mj for each in reduced([1.5], [2.5]).uncertainty}
    assert by_name["meter gain"] is by_name["meter offset"] is by_name["repeatability"] is None
    accuracy = MeterAccuracy(gain_percent=1, offset_mw=3, stated_by="Data sheet.")
    known = reduced([1.5], [2.5], settings=ReductionSettings(accuracy)).uncertainty
    by_name = {each.component: each.standard_mj for each in known}
    assert by_name["meter gain"] == pytest.approx(200 * 0.01 / 3**0.5, rel=1e-3)
    assert by_name["meter offset"] == pytest.approx(3 / 3**0.5)


def test_windows_of_many_inferences_are_shared_out():
    power = loaded([1.0], [2.0])
    reduction = reduce_trace(trace_of(GRID, power), inferences_of([1.0], [2.0], n_each=10))
    assert reduction.energy_mj == pytest.approx(20, rel=1e-3)
    assert reduction.latency_ms == pytest.approx(100)
    assert (reduction.n_inferences, reduction.n_used) == (10, 10)


def test_baseline_gives_the_idle_power():
    baseline = trace_of(GRID, np.full(4000, 50.0))
    power = loaded([1.0], [2.0])
    reduction = reduce_trace(trace_of(GRID, power), inferences_of([1.0], [2.0]), idle_power(baseline))
    assert reduction.idle_power_mw == pytest.approx(50)
    assert reduction.energy_idle_subtracted_mj == pytest.approx(150, rel=1e-3)
    assert idle_power(baseline).power_mw == pytest.approx(50)


def test_idle_power_comes_from_the_quietest_half_before_the_first_inference():
    power = np.where(GRID < 0.5, 900.0, np.where(GRID < 2.0, 100.0, 1000.0))
    reduction = reduce_trace(trace_of(GRID, power), inferences_of([2.0], [3.99]))
    assert reduction.idle_power_mw == pytest.approx(100, rel=1e-3)


def test_idle_power_under_load_or_too_short_is_refused():
    busy = loaded([0.0, 2.0], [1.9, 3.0])
    reduction = reduce_trace(trace_of(GRID, busy), inferences_of([2.0], [3.0]))
    assert reduction.idle_power_mw is None
    assert "trace-idle" in rules(reduction)
    reduction = reduced([0.5], [1.5])
    assert reduction.idle_power_mw is reduction.energy_idle_subtracted_mj is None
    assert "0.5 s before the first inference" in next(f.found for f in reduction.faults if f.rule == "trace-idle")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("trouble", [{}, {"n_stalls": 6}, {"burst": 16}, {"burst": 512}, {"jitter_s": 0.0005}], ids=str)
def test_burst_stamps_give_the_known_energy(seed, trouble):
    trace, inferences, true_mj = burst_stamped(seed, **trouble)
    reduction = reduce_trace(trace, inferences)
    assert reduction.sampling_hz == pytest.approx(4992.3, rel=1e-4)
    assert reduction.energy_mj == pytest.approx(true_mj, rel=0.003)
    assert reduction.clock_residual_ms < 1
    assert rules(reduction) == []


def test_raw_burst_stamps_would_not_give_it():
    trace, inferences, true_mj = burst_stamped(0)
    starts, ends = inferences.relative_to(trace.start_s)
    at = WindowEnergies(starts, ends)
    for chunk in trace.chunks():
        at.add(chunk.stamps_s, chunk.power_mw)
    at.finish()
    assert abs(at.energies_mj - true_mj).mean() > 0.1 * true_mj


def test_lost_samples_move_the_clock_and_are_told():
    trace, inferences, true_mj = burst_stamped(1, n_lost=25, seconds=20.0)
    reduction = reduce_trace(trace, inferences)
    assert reduction.energy_mj == pytest.approx(true_mj, rel=0.003)
    assert rules(reduction) == ["trace-gap"]
    assert "a gap of 0.005" in reduction.faults[0].found


@pytest.mark.parametrize("chunk", [137, 4096, 10**6])
def test_host_clock_does_not_depend_on_chunk_size(chunk):
    reference = reduce_trace(*burst_stamped(2)[:2])
    trace, inferences, _ = burst_stamped(2, chunk=chunk)
    reduction = reduce_trace(trace, inferences)
    # The first chunk alone tells roughly how long a period is.
    assert reduction.energy_mj == pytest.approx(reference.energy_mj, rel=2e-4)


def test_long_traces_are_read_again_and_give_the_same(monkeypatch):
    trace, inferences, _ = burst_stamped(3)
    kept = reduce_trace(trace, inferences)
    monkeypatch.setattr("harness.traces.clocked.MOST_KEPT_SAMPLES", 100)
    assert with_clock(trace).kept is None
    assert reduce_trace(trace, inferences).energies_mj == pytest.approx(kept.energies_mj, rel=1e-12)


def test_faults_name_what_is_wrong():
    power = loaded([1.0], [2.0])
    one = inferences_of([1.0], [2.0])
    cases = {
        "trace-no-inference": reduce_trace(trace_of(GRID, power), inferences_of([], [])),
        "trace-window": reduce_trace(trace_of(GRID, power), inferences_of([1.0, 3.9], [2.0, 4.5])),
        "trace-resolution": reduce_trace(trace_of(GRID, power), inferences_of([1.0], [1.0015])),
        "trace-short": reduce_trace(trace_of(GRID[:20], power[:20]), inferences_of([0.001], [0.012])),
        "trace-negative": reduce_trace(trace_of(GRID, power - 250 * (GRID == 2)), one),
        "trace-rate": reduce_trace(trace_of(GRID, power, stated_hz=2000), one),
        "trace-time-unit": reduce_trace(trace_of(GRID, power, stated_hz=1e6), one),
        "trace-order": reduce_trace(trace_of(np.where(GRID == 2, 1.9, GRID), power), one),
        "trace-gap": reduce_trace(trace_of(GRID + (GRID > 2), power), inferences_of([1.0, 1.9], [1.5, 3.2])),
        "trace-alignment": reduce_trace(trace_of(GRID, power), inferences_of([2.5], [3.5])),
    }
    for rule, reduction in cases.items():
        assert rule in rules(reduction), rule
        if rule in REFUSING:
            assert reduction.energy_mj is reduction.energy_u_mj is None
    assert cases["trace-window"].n_used == 1
    assert cases["trace-gap"].n_used == 1


def test_refusing_rules_are_the_errors_of_the_registry():
    of_rows = {"trace-skipped", "trace-missing", "trace-hash", "trace-unbound", "trace-row", "trace-shared"}
    of_traces = {rule for rule in RULES if rule.startswith(("trace-", "inference-"))} - of_rows
    assert {rule for rule in of_traces if RULES[rule].severity == "error"} >= REFUSING
    assert not {rule for rule in of_traces if RULES[rule].severity == "warning"} & REFUSING


@pytest.mark.parametrize("offset_s", [0.005, -0.02, 0.5, -0.75])
def test_windows_that_are_off_are_refused_with_their_offset_and_align_undoes_it(offset_s):
    starts = 1.2 + 0.12 * np.arange(20)
    power = loaded(starts, starts + 0.06, 500.0)
    logged = inferences_of(starts - offset_s, starts + 0.06 - offset_s)
    refused = reduce_trace(trace_of(GRID, power), logged)
    assert refused.energy_mj is None
    fault = next(fault for fault in refused.faults if fault.rule == "trace-alignment")
    assert "--align" in fault.fix
    assert refused.offset_s == pytest.approx(offset_s, abs=0.001)
    aligned = reduce_trace(trace_of(GRID, power), logged, None, ReductionSettings(is_aligned=True))
    assert aligned.energy_mj == pytest.approx(30, rel=0.02)
    assert abs(aligned.energy_mj - 30) <= aligned.energy_u_mj
    assert aligned.applied_offset_s == pytest.approx(offset_s, abs=0.001)
    recorded = ReductionSettings(offset_s=aligned.applied_offset_s, drift_ppm=aligned.applied_drift_ppm)
    assert reduce_trace(trace_of(GRID, power), logged, None, recorded).energy_mj == aligned.energy_mj


def test_windows_that_scatter_around_the_load_are_refused():
    starts = 1.2 + 0.12 * np.arange(20)
    power = loaded(starts, starts + 0.06, 500.0)
    jitter = np.random.default_rng(0).uniform(-0.02, 0.02, 20)
    jitter -= jitter.mean()
    found = reduce_trace(trace_of(GRID, power), inferences_of(starts + jitter, starts + 0.06 + jitter))
    assert "trace-uncertain" in rules(found)


def test_a_zero_that_drifts_is_part_of_the_uncertainty():
    starts = 1.1 + 0.09 * np.arange(30)
    power = loaded(starts, starts + 0.045, 500.0) + 20 * GRID
    by_name = {
        each.component: each.standard_mj
        for each in reduce_trace(trace_of(GRID, power), inferences_of(starts, starts + 0.045)).uncertainty
    }
    steady = {each.component: each.standard_mj for each in reduced(list(starts), list(starts + 0.045)).uncertainty}
    assert steady["baseline"] < 0.05 < by_name["baseline"]


def test_stamps_that_repeat_ask_for_fractions_of_a_second():
    stamps = np.floor(GRID[::100])
    found = reduce_trace(trace_of(stamps, loaded([1.0], [2.0])[::100]), inferences_of([1.0], [2.0]))
    assert "log fractions of a second" in next(f.fix for f in found.faults if f.rule == "trace-order")


def test_local_stamps_against_epoch_windows_need_their_zone():
    grid = np.arange(0, 7300, 1.0)
    starts = 600 + 60.0 * np.arange(20) + 3600
    trace = trace_of(grid, loaded(starts, starts + 20, grid=grid))
    local = replace(trace, scale="local")
    logged = replace(inferences_of(starts - 3600, starts - 3580), scale="epoch")
    fault = next(fault for fault in reduce_trace(local, logged).faults if fault.rule == "trace-zone")
    assert "--timezone +01:00" in fault.fix
    assert reduce_trace(local, logged, None, ReductionSettings(is_aligned=True)).energy_mj == pytest.approx(4000, 0.02)


def test_power_that_is_not_above_that_outside_is_refused():
    reduction = reduce_trace(trace_of(GRID, loaded([], [])), inferences_of([1.0], [2.0]))
    assert "trace-alignment" in rules(reduction)
    assert reduction.energy_mj is None


def test_lag_that_nothing_tells_is_named_and_carried():
    power = 200 + 10 * np.sin(GRID * 3)
    reduction = reduce_trace(trace_of(GRID, power), inferences_of([0.0, 2.0], [2.0, 3.999]))
    assert rules(reduction) == ["trace-lag-unknown"]
    by_name = {each.component: each.standard_mj for each in reduction.uncertainty}
    assert by_name["unknown lag"] > 0


def test_first_windows_out_of_line_are_named_and_left_out_on_request():
    starts = 1.2 + 0.12 * np.arange(20)
    power = loaded(starts, starts + 0.06, 500.0)
    power[(GRID > 1.19) & (GRID < 1.42)] *= 1.5
    logged = inferences_of(starts, starts + 0.06)
    whole = reduce_trace(trace_of(GRID, power), logged)
    assert "--skip 2" in next(fault.fix for fault in whole.faults if fault.rule == "trace-unsteady")
    for settings in (ReductionSettings(n_skipped=2), ReductionSettings(skips_warm_up=True)):
        rest = reduce_trace(trace_of(GRID, power), logged, None, settings)
        assert (rest.n_skipped, rest.n_used) == (2, 18)
        assert rest.energy_mj == pytest.approx(30, rel=0.01)
        assert "trace-unsteady" not in rules(rest)


def test_throttling_is_named_with_its_place():
    starts = 1.2 + 0.12 * np.arange(20)
    power = loaded(starts, starts + 0.06, 500.0) * np.where(GRID > 2.39, 0.7, 1.0)
    found = reduce_trace(trace_of(GRID, power), inferences_of(starts, starts + 0.06))
    fault = next(fault for fault in found.faults if fault.rule == "trace-unsteady")
    assert "power changes by -30% from window 11 on, at 2.4 s" in fault.found


@pytest.mark.parametrize(("n_periods", "n_gaps"), [(4.9, 0), (5.1, 1)])
def test_step_of_more_than_five_periods_is_a_gap(n_periods, n_gaps):
    stamps = GRID + (GRID > 2) * (n_periods - 1) / 1000
    trace = trace_of(stamps, loaded([1.1, 1.9], [1.5, 2.3], grid=stamps))
    reduction = reduce_trace(trace, inferences_of([1.1, 1.9], [1.5, 2.3]))
    assert rules(reduction) == ["trace-gap"] * n_gaps
    assert reduction.n_used == 2 - n_gaps


@pytest.mark.parametrize(
    ("start_s", "end_s", "n_used"),
    [(1.5, 2.0, 1), (3.0, 3.5, 1), (1.5, 2.0 + 1 / 1024, 0), (3.0 - 1 / 1024, 3.5, 0), (2.25, 2.5, 0), (1.5, 3.5, 0)],
)
def test_inference_may_touch_a_gap_and_not_reach_into_it(start_s, end_s, n_used):
    stamps = np.arange(4096) / 1024
    kept = (stamps <= 2.0) | (stamps >= 3.0)
    trace = trace_of(stamps[kept], 100.0 + np.arange(kept.sum()) % 2)
    assert reduce_trace(trace, inferences_of([start_s], [end_s])).n_used == n_used


@pytest.mark.parametrize(
    ("start_s", "end_s", "n_used"), [(0.0, 1.0, 1), (3.0, 3.999, 1), (3.0, 3.9991, 0), (-0.001, 1.0, 0)]
)
def test_inference_may_begin_and_end_with_the_trace(start_s, end_s, n_used):
    trace = trace_of(GRID, 100.0 + np.arange(4000) % 2)
    assert reduce_trace(trace, inferences_of([start_s], [end_s])).n_used == n_used


@pytest.mark.parametrize(("stated_hz", "is_right"), [(1019.0, True), (1021.0, False), (981.0, True), (979.0, False)])
def test_rate_may_differ_by_two_percent_from_the_stated(stated_hz, is_right):
    assert rules(reduced([1.5], [2.5], stated_hz=stated_hz)) == ([] if is_right else ["trace-rate"])


@pytest.mark.parametrize(("stated_hz", "rule"), [(9900.0, "trace-rate"), (10100.0, "trace-time-unit")])
def test_rate_that_is_ten_times_off_is_another_unit(stated_hz, rule):
    assert rules(reduced([1.5], [2.5], stated_hz=stated_hz)) == [rule]


@pytest.mark.parametrize(("n_samples", "is_right"), [(50, True), (49, False)])
def test_trace_has_fifty_samples_at_least(n_samples, is_right):
    found = rules(reduced([0.02], [0.03], GRID[:n_samples]))
    assert ("trace-short" in found) is not is_right


@pytest.mark.parametrize(("n_at_top", "is_right"), [(19, True), (20, False)])
def test_twenty_samples_in_a_row_at_the_highest_power_are_clipped(n_at_top, is_right):
    power = loaded([1.1], [2.5]) + np.arange(4000) % 7
    power[2000 : 2000 + n_at_top] = 300.0
    found = rules(reduce_trace(trace_of(GRID, power), inferences_of([1.1], [2.5])))
    assert found == ([] if is_right else ["trace-clipped"])


def test_held_values_are_no_clipping():
    grid = np.arange(0, 40, 0.002)
    starts = 5 + 3.037 * np.arange(10)
    power = np.repeat(loaded(starts, starts + 1, grid=grid)[::50] + np.arange(400) % 3, 50)
    found = reduce_trace(trace_of(grid, power), inferences_of(starts, starts + 1))
    assert rules(found) == []
    assert found.resolution_ms == pytest.approx(100, rel=0.15)


@pytest.mark.parametrize(
    ("seconds", "rule"), [(0.00505, None), (0.00495, "trace-few-samples"), (0.0019, "trace-resolution")]
)
def test_inference_spans_two_changes_and_better_five(seconds, rule):
    found = rules(reduced([1.5], [1.5 + seconds]))
    assert [name for name in found if name in {"trace-few-samples", "trace-resolution"}] == ([rule] if rule else [])


def test_gauge_that_averages_for_longer_than_a_window_does_not_resolve_it():
    trace = replace(trace_of(GRID, loaded([1.5], [2.5])), averaging_s=1.0)
    fault = next(f for f in reduce_trace(trace, inferences_of([1.5], [2.5])).faults if f.rule == "trace-resolution")
    assert "averages over 1 s" in fault.found


def test_stamps_that_go_back_say_nothing_of_where_the_windows_lie():
    stamps = np.where(np.arange(len(GRID)) < 3000, GRID, GRID - 2.9)
    found = rules(reduce_trace(trace_of(stamps, loaded([1.0], [2.0])), inferences_of([1.0, 1.4], [1.3, 1.9])))
    assert "trace-order" in found
    assert "trace-window" not in found


def test_an_empty_trace_says_so():
    reduction = reduce_trace(trace_of([], []), inferences_of([1.0], [2.0]))
    assert reduction.energy_mj is None
    assert {"trace-short", "trace-window"} <= set(rules(reduction))


@pytest.mark.parametrize(("scale", "size"), [(1e-3, "1000 times as large"), (1e3, "divided by 1000")])
def test_unit_of_times_is_asked_about_where_another_one_would_hold_the_windows(scale, size):
    times = np.arange(0.0, 24.0, 0.05)
    starts = np.arange(3.0, 21.0, 0.9)
    power = np.where(((times - 3.0) % 0.9 < 0.6) & (times >= 3.0) & (times < 21.0), 5000.0, 2600.0)
    result = reduce_trace(trace_of(times * scale, power), inferences_of(starts, starts + 0.6))
    (fix,) = [fault.fix for fault in result.faults if fault.rule in ("trace-window", "trace-energy")]
    assert fix.startswith(f"The times of the trace, {size}, would hold every inference: find out the unit")
    assert result.energy_mj is None


@pytest.mark.parametrize(
    ("factor", "n_each", "found"),
    [
        (1e3, 1, ""),
        (1e4, 1, "an inference that takes 5000 s"),
        (1e4, 10, ""),
        (2e4, 10, "a sample in 20 s and an inference that takes 1000 s"),
    ],
)
def test_times_in_another_unit_in_both_files_are_asked_about(factor, n_each, found):
    starts, ends, grid = np.array([1.5, 2.5]) * factor, np.array([2.0, 3.0]) * factor, GRID * factor
    trace = trace_of(grid, loaded(starts, ends, grid=grid))
    faults = reduce_trace(trace, inferences_of(starts, ends, n_each)).faults
    asked = [fault.found for fault in faults if fault.rule == "trace-time-unusual"]
    assert asked == [found] * bool(found)
