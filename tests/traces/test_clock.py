import numpy as np
import pytest
from scipy.stats import theilslopes

from harness.traces import clock as module
from harness.traces.clock import ArrivalFit
from tests.traces.synthetic import burst_stamped


def fitted(stamps_s, chunk=1000):
    fit = ArrivalFit()
    for start in range(0, len(stamps_s), chunk):
        fit.add(stamps_s[start : start + chunk])
    return fit.fit()


def stamps_of(trace):
    return np.concatenate([chunk.stamps_s for chunk in trace.chunks()])


def test_even_stamps_are_their_own_clock():
    stamps = np.arange(20_000) / 4987.0
    clock = fitted(stamps)
    assert clock.period_s == pytest.approx(1 / 4987, rel=1e-9)
    assert clock.times(np.arange(20_000.0)) == pytest.approx(stamps, abs=1e-9)
    assert clock.residual_s < 1e-9
    assert clock.losses == []


@pytest.mark.parametrize("seed", range(3))
def test_times_are_those_of_sampling_and_not_of_arrival(seed):
    trace, _, _ = burst_stamped(seed, hz=4992.3, n_stalls=4)
    stamps = stamps_of(trace)
    clock = fitted(stamps)
    taken = np.arange(len(stamps)) / 4992.3
    errors = clock.times(np.arange(float(len(stamps)))) - taken
    # A common delay is the host's and cannot be told from the stamps; what matters is that it is one.
    assert np.ptp(errors) < 0.0005
    assert abs(errors).max() < 0.001
    assert abs(stamps - taken).max() > 0.02


def test_clock_follows_the_freshest_arrivals_and_not_the_typical_ones():
    """Of arrivals delayed by 1 ms on average, the tenth that is freshest came within 0.11 ms; half within 0.69 ms."""
    trace, _, _ = burst_stamped(0, jitter_s=0.002, seconds=40.0)
    stamps = stamps_of(trace)
    late_s = fitted(stamps).times(np.arange(float(len(stamps)))) - np.arange(len(stamps)) / 4992.3
    assert 0 < late_s.mean() < 0.0003


def test_times_can_be_asked_for_from_any_sample_on():
    trace, _, _ = burst_stamped(0, n_lost=50)
    stamps = stamps_of(trace)
    clock = fitted(stamps)
    whole = clock.times(np.arange(float(len(stamps))))
    parts = [clock.times(np.arange(777.0) + start) for start in range(0, 7770, 777)]
    assert np.concatenate(parts) == pytest.approx(whole[:7770])
    assert (np.diff(whole) > 0).all()


@pytest.mark.parametrize("n_lost", [25, 250, 2500])
def test_lost_samples_are_found_with_their_place_and_duration(n_lost):
    trace, _, _ = burst_stamped(1, n_lost=n_lost, seconds=20.0)
    ((at_s, lost_s),) = fitted(stamps_of(trace)).losses
    # Half way through 20 s; the place is known to a block of bursts, the duration to the jitter.
    assert at_s == pytest.approx(10, abs=0.2)
    assert lost_s == pytest.approx(n_lost / 4992.3, abs=0.001)


@pytest.mark.parametrize("seed", range(4))
def test_stalls_of_the_host_are_no_losses(seed):
    trace, _, _ = burst_stamped(seed, n_stalls=8)
    assert fitted(stamps_of(trace)).losses == []


@pytest.mark.parametrize("origin", [0.0, 1_790_000_000.0])
def test_an_epoch_takes_no_digits_of_the_period(origin):
    trace, _, _ = burst_stamped(2)
    assert 1 / fitted(origin + stamps_of(trace)).period_s == pytest.approx(4992.3, rel=1e-4)


@pytest.mark.parametrize("stamps_s", [[], [1.0], [1.0, 1.0], [2.0] * 5000, list(np.arange(5000, 0, -1) / 100)], ids=len)
def test_too_few_or_impossible_stamps_have_no_clock(stamps_s):
    assert fitted(np.array(stamps_s, dtype=float)) is None


def test_chunks_of_one_sample_give_the_clock_of_the_whole():
    stamps = np.arange(1500) / 1000 + np.tile([0.0, 0.0002, 0.0001], 500)
    whole, single = fitted(stamps, 1500), fitted(stamps, 1)
    assert single.period_s == pytest.approx(whole.period_s, rel=1e-3)


@pytest.mark.parametrize("n_points", [2, 3, 499, 500])
def test_slope_is_that_of_theil_and_sen(n_points):
    rng = np.random.default_rng(n_points)
    positions = np.cumsum(rng.integers(1, 400, n_points)).astype(float)
    arrivals = positions * 2e-4 + rng.exponential(1e-4, n_points)
    assert module._slope(positions, arrivals) == theilslopes(arrivals, positions)[0]


def test_freshest_of_each_block_is_kept_and_of_several_the_first():
    fit = ArrivalFit()
    # Bursts of two samples, two of which in the first block come with the same least delay.
    stamps = np.repeat(np.arange(0, 600, 2) * 1e-3, 2) + np.repeat(np.where(np.arange(300) % 128 % 50 == 7, 0, 5e-4), 2)
    fit.add(stamps)
    assert fit.fit() is not None
    kept = np.concatenate(fit._positions)
    delays = stamps[::2] - stamps[0] - fit._period * np.arange(1, 600, 2)
    blocks = np.arange(1, 600, 2) // 256
    firsts = [int(np.flatnonzero(blocks == block)[np.argmin(delays[blocks == block])]) for block in np.unique(blocks)]
    # The last burst is open until the end, and then a point of its own.
    assert set(np.arange(1, 600, 2)[firsts]) - {599} == set(kept) - {599}
