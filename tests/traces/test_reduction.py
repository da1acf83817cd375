import numpy as np
import pytest
from scipy.stats import t as student_t

from harness.traces.reduction import idle_power, reduce_trace, with_clock
from harness.traces.windows import EnergyAt
from tests.traces.synthetic import burst_stamped, inferences_of, trace_of

GRID = np.arange(0, 4, 0.001)


def rules(reduction):
    return [fault.rule for fault in reduction.faults]


def test_constant_power_is_reduced_exactly():
    reduction = reduce_trace(trace_of(GRID, np.full(4000, 200.0)), inferences_of([1.0, 2.0], [1.5, 2.25]))
    assert reduction.n_samples == 4000
    assert reduction.sampling_hz == pytest.approx(1000)
    assert (reduction.n_inferences, reduction.n_used) == (2, 2)
    assert reduction.energies_mj == pytest.approx([100, 50])
    assert reduction.energy_mj == pytest.approx(75)
    assert reduction.energy_median_mj == pytest.approx(75)
    assert reduction.energy_std_mj == pytest.approx(np.std([100, 50], ddof=1))
    assert reduction.latency_ms == pytest.approx(375)
    assert reduction.power_mw == pytest.approx(200)
    assert reduction.idle_power_mw == pytest.approx(200)
    assert reduction.energy_idle_subtracted_mj == pytest.approx(0, abs=1e-9)


def test_interval_is_students():
    starts = np.arange(0.5, 3.5, 0.5)
    power = 100 + 10 * np.sin(GRID * 3)
    reduction = reduce_trace(trace_of(GRID, power), inferences_of(starts, starts + 0.2))
    half = student_t.ppf(0.975, 5) * reduction.energies_mj.std(ddof=1) / 6**0.5
    assert reduction.energy_ci95_mj == pytest.approx((reduction.energy_mj - half, reduction.energy_mj + half))


def test_windows_of_many_inferences_are_shared_out():
    reduction = reduce_trace(trace_of(GRID, np.full(4000, 200.0)), inferences_of([1.0], [2.0], n_each=10))
    assert reduction.energy_mj == pytest.approx(20)
    assert reduction.latency_ms == pytest.approx(100)
    assert (reduction.n_inferences, reduction.n_used) == (10, 10)


def test_baseline_gives_the_idle_power():
    baseline = trace_of(GRID, np.full(4000, 50.0))
    reduction = reduce_trace(trace_of(GRID, np.full(4000, 200.0)), inferences_of([1.0], [2.0]), idle_power(baseline))
    assert reduction.idle_power_mw == pytest.approx(50)
    assert reduction.energy_idle_subtracted_mj == pytest.approx(150)
    assert idle_power(baseline).power_mw == pytest.approx(50)


def test_idle_power_comes_from_the_quietest_half_before_the_first_inference():
    power = np.where(GRID < 0.5, 900.0, np.where(GRID < 2.0, 100.0, 1000.0))
    reduction = reduce_trace(trace_of(GRID, power), inferences_of([2.0], [3.0]))
    assert reduction.idle_power_mw == pytest.approx(100, rel=1e-3)


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
    at = EnergyAt(np.concatenate([starts, ends]))
    for chunk in trace.chunks():
        at.add(chunk.stamps_s, chunk.power_mw)
    naive = at.energies_mj[len(starts) :] - at.energies_mj[: len(starts)]
    assert abs(naive - true_mj).mean() > 0.1 * true_mj


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
    monkeypatch.setattr("harness.traces.reduction.MOST_KEPT_SAMPLES", 100)
    assert with_clock(trace).kept is None
    assert reduce_trace(trace, inferences).energies_mj == pytest.approx(kept.energies_mj, rel=1e-12)


def test_faults_name_what_is_wrong():
    power = np.full(4000, 100.0)
    cases = {
        "trace-no-inference": reduce_trace(trace_of(GRID, power), inferences_of([], [])),
        "trace-window": reduce_trace(trace_of(GRID, power), inferences_of([1.0, 3.9], [1.5, 4.5])),
        "trace-resolution": reduce_trace(trace_of(GRID, power), inferences_of([1.0], [1.002])),
        "trace-short": reduce_trace(trace_of(GRID[:20], power[:20]), inferences_of([0.001], [0.012])),
        "trace-negative": reduce_trace(trace_of(GRID, power - 150 * (GRID == 2)), inferences_of([1.0], [2.5])),
        "trace-rate": reduce_trace(trace_of(GRID, power, stated_hz=2000), inferences_of([1.0], [2.0])),
        "trace-order": reduce_trace(trace_of(np.where(GRID == 2, 1.9, GRID), power), inferences_of([1.0], [1.5])),
        "trace-gap": reduce_trace(trace_of(GRID + (GRID > 2), power), inferences_of([1.0, 1.9], [1.5, 3.2])),
    }
    wave = np.minimum(100 + 80 * np.sin(GRID * 2), 150)
    cases["trace-clipped"] = reduce_trace(trace_of(GRID, wave), inferences_of([1.0], [2.0]))
    for rule, reduction in cases.items():
        assert rule in rules(reduction), rule
    assert cases["trace-window"].n_used == 1
    assert cases["trace-gap"].n_used == 1
    assert cases["trace-no-inference"].energy_mj is None


@pytest.mark.parametrize(("n_periods", "n_gaps"), [(4.9, 0), (5.1, 1)])
def test_step_of_more_than_five_periods_is_a_gap(n_periods, n_gaps):
    stamps = GRID + (GRID > 2) * (n_periods - 1) / 1000
    reduction = reduce_trace(trace_of(stamps, 100.0 + np.arange(4000) % 2), inferences_of([1.0, 1.9], [1.5, 2.5]))
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
    trace = trace_of(GRID, 100.0 + np.arange(4000) % 2, stated_hz=stated_hz)
    assert rules(reduce_trace(trace, inferences_of([1.0], [2.0]))) == ([] if is_right else ["trace-rate"])


@pytest.mark.parametrize(("n_samples", "is_right"), [(50, True), (49, False)])
def test_trace_has_fifty_samples_at_least(n_samples, is_right):
    trace = trace_of(GRID[:n_samples], 100.0 + np.arange(n_samples) % 2)
    assert rules(reduce_trace(trace, inferences_of([0.01], [0.03]))) == ([] if is_right else ["trace-short"])


@pytest.mark.parametrize(("n_at_top", "is_right"), [(19, True), (20, False)])
def test_twenty_samples_in_a_row_at_the_highest_power_are_clipped(n_at_top, is_right):
    power = 100.0 + np.arange(4000) % 7
    power[2000 : 2000 + n_at_top] = 200.0
    assert rules(reduce_trace(trace_of(GRID, power), inferences_of([1.0], [2.5]))) == (
        [] if is_right else ["trace-clipped"]
    )


@pytest.mark.parametrize(("seconds", "is_right"), [(0.00505, True), (0.00495, False)])
def test_inference_spans_five_samples_at_least(seconds, is_right):
    trace = trace_of(GRID, 100.0 + np.arange(4000) % 2)
    found = rules(reduce_trace(trace, inferences_of([1.0], [1.0 + seconds])))
    assert found == ([] if is_right else ["trace-resolution"])


def test_an_empty_trace_says_so():
    reduction = reduce_trace(trace_of([], []), inferences_of([1.0], [2.0]))
    assert reduction.energy_mj is None
    assert {"trace-short", "trace-window"} <= set(rules(reduction))
