import pytest

from harness.simulation import runner
from harness.simulation.accelerators import accelerators
from harness.simulation.cache import open_cache
from harness.simulation.estimator import Estimate, UnmappedError
from harness.simulation.layers import Layer
from harness.simulation.runner import outcome_of, simulate
from tests.simulation.cases import SHAPE, needs_estimator

pytestmark = needs_estimator
TPU, EYERISS, _ = accelerators()
FC = {"kernel": "fc", "cin": 8, "cout": 4}
ADD, ADDRELU, RELU = ({"kernel": kernel, **SHAPE} for kernel in ("add", "addrelu", "relu"))
SE = {"kernel": "se", **SHAPE}


@pytest.fixture
def estimated(monkeypatch):
    """Layers that were estimated, by a formula; additions fail."""
    seen = []

    def formula(layer, place):
        seen.append((layer, place.id))
        if layer.operation == "add":
            raise UnmappedError("AssertionError: it does not fit")
        return Estimate(1000.0 * layer.n_operations, float(layer.n_operations))

    monkeypatch.setattr(runner, "estimate_layer", formula)
    return seen


def run(configurations, places, path, **options):
    cache = open_cache(path)
    return simulate(configurations, places, cache, n_jobs=1, **options), cache


def test_each_layer_is_estimated_once_an_accelerator(estimated, tmp_path):
    tallies, _ = run([FC, FC, ADD, ADDRELU, RELU], [TPU, EYERISS], tmp_path / "cache")
    assert len(estimated) == len(set(estimated)) == 4
    tally = tallies[TPU.id]
    assert (tally.n_simulated, tally.n_without_operation, tally.n_failed) == (1, 1, 2)
    assert (tally.n_new, tally.n_cached) == (2, 0)


def test_a_run_goes_on_from_the_cache_and_does_not_retry_failures(estimated, tmp_path):
    run([FC, ADD], [TPU], tmp_path / "cache")
    tallies, _ = run([FC, ADD, SE], [TPU], tmp_path / "cache")
    assert len(estimated) == len(set(estimated)) == 6
    assert (tallies[TPU.id].n_new, tallies[TPU.id].n_cached) == (4, 2)


def test_a_run_that_is_stopped_keeps_what_it_has(estimated, tmp_path):
    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([FC, SE], [TPU], tmp_path / "cache", on_progress=stop)
    assert len(open_cache(tmp_path / "cache").entries) == 1


def test_progress_ends_with_everything_done_and_no_time_left(estimated, tmp_path):
    seen = []
    run([FC, SE], [TPU], tmp_path / "cache", on_progress=seen.append)
    assert [progress.n_done for progress in seen] == [1, 2, 3, 4, 5]
    assert {progress.n_total for progress in seen} == {5}
    assert seen[-1].seconds_left == 0


def test_a_kernel_costs_the_sum_of_its_layers(estimated, tmp_path):
    _, cache = run([SE], [TPU], tmp_path / "cache")
    n_operations = 8 * 8 * 12 + 2 * 12 * 3 + 8 * 8 * 12
    assert outcome_of(SE, TPU, cache).estimate == Estimate(1000.0 * n_operations, n_operations)


def test_a_failure_is_kept_with_its_reason_and_a_type_without_operation_is_none(estimated, tmp_path):
    _, cache = run([ADD, RELU], [TPU], tmp_path / "cache")
    assert outcome_of(ADD, TPU, cache).failure == "AssertionError: it does not fit"
    assert outcome_of(RELU, TPU, cache) == runner.Outcome(RELU, None, None)
    assert "not estimated" in outcome_of(FC, TPU, cache).failure
    assert "lacks cout" in outcome_of({"kernel": "fc", "cin": 8}, TPU, cache).failure


def test_parallel_workers_find_what_one_process_finds(tmp_path):
    one, other = open_cache(tmp_path / "one"), open_cache(tmp_path / "other")
    configurations = [FC, {"kernel": "fc", "cin": 4, "cout": 4}]
    simulate(configurations, [TPU], one, n_jobs=1)
    simulate(configurations, [TPU], other, n_jobs=2)
    found = [other.get(Layer("conv", 1, 1, cin, 4), TPU).estimate for cin in (8, 4)]
    assert found == [one.get(Layer("conv", 1, 1, cin, 4), TPU).estimate for cin in (8, 4)]
