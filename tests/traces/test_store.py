from dataclasses import replace

import pytest

from harness.traces import runs, store
from harness.traces.runs import Run, find_runs
from harness.traces.store import ReductionStore, content_of, sha256_of
from tests.traces.run_files import write_run
from tests.validation.bound import power_csv


@pytest.fixture
def calls(monkeypatch):
    """Names of the traces that are reduced, and of the baselines, as they are."""
    seen = []

    def noted(function):
        def call(trace, *arguments):
            seen.append(trace.source)
            return function(trace, *arguments)

        return call

    for name in ("reduce_trace", "idle_power"):
        monkeypatch.setattr(runs, name, noted(getattr(runs, name)))
    return seen


def reduced(found: ReductionStore, run: Run):
    return found.reduce(run, content_of(run, sha256_of))


def test_same_content_is_reduced_once_whatever_its_files_are_named(tmp_path, calls):
    power = power_csv().replace(b"0.007,330", b"0.007,none")
    write_run(tmp_path / "one", "a", power=power)
    write_run(tmp_path / "two", "b", power=power)
    made = ReductionStore()
    first, second = (reduced(made, run) for run in find_runs(tmp_path))
    assert calls == ["a_power.csv"]
    assert second.energy_mj == first.energy_mj
    assert {fault.source for fault in first.faults} == {"a_power.csv"}
    assert {fault.source for fault in second.faults} == {"b_power.csv"}


@pytest.mark.parametrize("file", ["a_power.csv", "a_inference_time.csv", "baseline.csv"])
def test_change_of_any_file_is_reduced_again(tmp_path, calls, file):
    write_run(tmp_path, "a")
    (tmp_path / "baseline.csv").write_bytes(power_csv(320, 320))
    made, (run,) = ReductionStore(), find_runs(tmp_path)
    reduced(made, run)
    n_before = len(calls)
    (tmp_path / file).write_bytes((tmp_path / file).read_bytes() + b"\n")
    reduced(made, run)
    assert len(calls) > n_before


def test_run_that_is_read_otherwise_is_reduced_again(tmp_path, calls):
    write_run(tmp_path, "a")
    made, (run,) = ReductionStore(), find_runs(tmp_path)
    assert reduced(made, run).energy_mj == pytest.approx(4 * reduced(made, replace(run, n_each=4)).energy_mj)
    assert len(calls) == 2


def test_baseline_of_several_runs_is_reduced_once(tmp_path, calls):
    for number, name in enumerate("abc"):
        write_run(tmp_path, name, power=power_csv(2000 + 100 * number))
    (tmp_path / "baseline.csv").write_bytes(power_csv(320, 320))
    made = ReductionStore()
    idles = [reduced(made, run).idle_power_mw for run in find_runs(tmp_path)]
    assert idles == pytest.approx([320] * 3, rel=1e-3)
    assert sorted(calls) == ["a_power.csv", "b_power.csv", "baseline.csv", "c_power.csv"]


def test_fault_of_a_file_has_the_name_that_is_asked_about(tmp_path):
    for name in "ab":
        write_run(tmp_path, name, inferences=b"start,end\n1,2\n")
    made = ReductionStore()
    assert [reduced(made, run).source for run in find_runs(tmp_path)] == [
        "a_inference_time.csv",
        "b_inference_time.csv",
    ]
    assert store.sha256_of(tmp_path / "a_power.csv") == store.sha256_of(tmp_path / "b_power.csv")
