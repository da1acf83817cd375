import re
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.traces.findings import NAME_THE_LOG
from harness.traces.formats import TraceOptions
from harness.traces.runs import Run, find_runs, reduce_run, reduce_runs, run_name
from harness.traces.trace import TraceFault
from tests.traces.formats.samples import NVIDIA_GPUS, energyrunner, upstream
from tests.traces.run_files import write_run
from tests.validation.bound import power_csv

RESULTS = "1 ulp-ml:   # Inferences :         12\n"


def write_energyrunner(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trace1-energy.bin").write_bytes(energyrunner([25_000.0] * 250, 100.0))
    (folder / "trace1-timestamps.json").write_bytes(b"[0, 0.5, 1.1]")
    (folder / "results.txt").write_text(RESULTS)


def test_runs_are_found_below_a_folder_in_order(tmp_path):
    write_run(tmp_path / "b", "x")
    write_run(tmp_path / "a", "z")
    write_run(tmp_path / "a", "y")
    write_energyrunner(tmp_path / "c")
    (tmp_path / "a" / "baseline.csv").write_bytes(power_csv(320, 320))
    (tmp_path / "notes.csv").write_text("x")
    runs = find_runs(tmp_path)
    assert [run.name for run in runs] == ["y", "z", "x", "trace1"]
    assert [run.baseline is not None for run in runs] == [True, True, False, False]
    assert [run.n_each for run in runs] == [1, 1, 1, 12]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("runs/mnv2_power.csv", "mnv2"), ("mnv2_power.txt", "mnv2"), ("mnv2.log", "mnv2"), ("spl.txt", "spl"),
        ("mnv2.v1_power.csv", "mnv2.v1"), ("mnv2_power.csv.gz", "mnv2"), ("_power.csv", "_power"),
        ("trace1-energy.bin", "trace1"), ("ad/energy/results.json", "energy"), ("net/run_1/spl.txt", "run_1"),
    ],
)  # fmt: skip
def test_name_of_a_run_is_that_of_its_trace(path, name):
    assert run_name(Path(path)) == name


def test_folder_without_runs_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match=r"holds no run: NAME_power\.csv with NAME_inference_time\.csv"):
        find_runs(tmp_path)


def test_trace_without_its_inferences_is_not_passed_over(tmp_path):
    write_run(tmp_path, "a")
    (tmp_path / "a_inference_time.csv").unlink()
    (run,) = find_runs(tmp_path)
    fix = f"Put the file beside the trace; without it the energy of an inference is unknown. {NAME_THE_LOG}"
    expected = TraceFault(
        "trace-no-inference", "no a_inference_time.csv beside a_power.csv", "it beside the trace", fix
    )
    assert reduce_runs([run], n_jobs=1) == [expected]


@pytest.mark.parametrize("name", ["trace1-timestamps.json", "results.txt"])
def test_energyrunner_trace_without_its_other_files_is_not_passed_over(tmp_path, name):
    write_energyrunner(tmp_path)
    (tmp_path / name).unlink()
    (run,) = find_runs(tmp_path)
    assert run.fault.rule == "trace-no-inference"
    assert run.fault.found == f"no {name} beside trace1-energy.bin"


def test_results_without_a_number_of_inferences_do_not_keep_other_runs_from_theirs(tmp_path):
    write_energyrunner(tmp_path / "a")
    (tmp_path / "a" / "results.txt").write_text("nothing")
    write_run(tmp_path / "b")
    reduction, fault = reduce_runs(find_runs(tmp_path), n_jobs=1)
    assert (fault.rule, fault.found) == ("trace-format", "no inferences in a window")
    assert fault.source.endswith("a/results.txt")
    assert reduction.energy_mj == pytest.approx(62.5)


def test_file_that_looks_like_no_format_does_not_keep_other_runs_from_theirs(tmp_path):
    write_run(tmp_path, "a", power=b"nothing known\n1,2\n")
    write_run(tmp_path, "b")
    fault, reduction = reduce_runs(find_runs(tmp_path), n_jobs=1)
    assert (fault.rule, fault.source) == ("trace-format", "a_power.csv")
    assert reduction.n_used == 4


def test_fault_names_its_file(tmp_path):
    write_run(tmp_path, "a", inferences=b"start,end\n1,2\n")
    write_run(tmp_path, "b", power=power_csv().replace(b"0.007,330", b"0.007,none"))
    (tmp_path / "baseline.csv").write_bytes(b"seconds,watts\n1,2\n")
    runs = find_runs(tmp_path)
    assert [reduce_run(run).source for run in runs] == ["baseline.csv"] * 2
    (tmp_path / "baseline.csv").unlink()
    bad_times, left_out = (reduce_run(run) for run in find_runs(tmp_path))
    assert (bad_times.source, bad_times.line) == ("a_inference_time.csv", 1)
    assert ("b_power.csv", 9) in [(fault.source, fault.line) for fault in left_out.faults]
    assert {fault.source for fault in left_out.faults} == {"b_power.csv"}


def test_faults_of_a_baseline_are_told(tmp_path):
    write_run(tmp_path)
    lines = power_csv(320, 320).decode().splitlines()
    (tmp_path / "baseline.csv").write_text("\n".join([*lines, *lines[50:]]))
    reduction = reduce_run(find_runs(tmp_path)[0])
    found = [(fault.rule, fault.source) for fault in reduction.faults]
    assert found == [("trace-order", "baseline.csv"), ("trace-idle", "baseline.csv")]
    assert reduction.faults[0].found == "1 step back in time, the first after 1.299 s"


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_many_runs_at_once_keep_their_order(tmp_path, backend):
    for n in range(4):
        write_run(tmp_path, f"run{n}", power=power_csv(1000 + 500 * n))
    names = []
    reductions = reduce_runs(find_runs(tmp_path), n_jobs=2, backend=backend, on_run=names.append)
    assert [reduction.energy_mj for reduction in reductions] == pytest.approx([25, 37.5, 50, 62.5])
    assert names == [f"run{n}" for n in range(4)]


@pytest.mark.parametrize(("backend", "n_jobs"), [("nonsense", 1), ("loky", 0), ("dask", 1)])
def test_back_end_that_is_not_there_is_wrong_usage(tmp_path, backend, n_jobs):
    write_run(tmp_path)
    with pytest.raises(UsageError, match=f"joblib back end '{backend}' with {n_jobs} jobs: "):
        reduce_runs(find_runs(tmp_path), n_jobs=n_jobs, backend=backend)


def test_exception_of_a_reduction_is_a_fault_of_its_run_and_not_of_the_back_end(tmp_path, monkeypatch):
    write_run(tmp_path)

    def fail(*_):
        raise ValueError("a slip of the program")

    monkeypatch.setattr("harness.traces.runs.reduce_trace", fail)
    (fault,) = reduce_runs(find_runs(tmp_path), n_jobs=1)
    assert (fault.rule, fault.source) == ("internal-fault", "a_power.csv")
    assert fault.found.startswith("ValueError a slip of the program in harness/traces/runs.py:")


def test_files_and_formats_are_looked_at_before_anything_runs(tmp_path):
    write_run(tmp_path)
    power, times = tmp_path / "a_power.csv", tmp_path / "a_inference_time.csv"
    with pytest.raises(UsageError, match=r"nowhere\.csv is no file"):
        reduce_runs([Run(power, tmp_path / "nowhere.csv")], n_jobs=1)
    with pytest.raises(UsageError, match=r"nowhere\.csv is no file"):
        reduce_runs([Run(power, times, tmp_path / "nowhere.csv")], n_jobs=1)
    with pytest.raises(UsageError, match=r"'oscilloscope' is not a known trace format.* Known: energyrunner"):
        reduce_runs([Run(power, times, format="oscilloscope")], n_jobs=1)


def test_options_reach_the_reader(tmp_path):
    write_run(tmp_path, power=NVIDIA_GPUS, inferences=b"start_s,end_s\n1700000000.2,1700000000.4\n")
    run = Run(tmp_path / "a_power.csv", tmp_path / "a_inference_time.csv", options=TraceOptions(channel="GPU7"))
    fault = reduce_run(run)
    assert fault.found == "channel GPU7"
    # What was asked for is at fault, and not the file.
    assert fault.source is None


# Real files.


def test_rates_of_real_traces_are_a_little_below_the_stated():
    runs = find_runs(upstream("monsoon"))
    reductions = dict(zip([run.name for run in runs], reduce_runs(runs, n_jobs=1), strict=True))
    assert len(reductions) == 3
    for reduction in reductions.values():
        assert 4980 < reduction.sampling_hz < 5000
    empty = reductions.pop("empty_run")
    assert [fault.rule for fault in empty.faults if fault.rule == "trace-no-inference"] == ["trace-no-inference"]
    assert empty.energy_mj is None
    for reduction in reductions.values():
        assert reduction.n_used == reduction.n_inferences > 0
        assert "trace-no-inference" not in [fault.rule for fault in reduction.faults]


def test_real_energyrunner_traces_give_the_published_energy():
    runs = [run for run in find_runs(upstream("energyrunner")) if run.fault is None]
    assert len(runs) == 5
    published = {}
    for run, reduction in zip(runs, reduce_runs(runs, n_jobs=1), strict=True):
        text = run.power.with_name("results.txt").read_text()
        median_uj = float(re.findall(r"Median energy cost is ([0-9.]+) uJ/inf", text)[-1])
        assert reduction.energy_median_mj * 1000 == pytest.approx(median_uj, rel=1e-3)
        assert reduction.n_used == reduction.n_inferences == 5 * run.n_each
        published["/".join(run.power.parts[-6:-1])] = median_uj
    assert published["STMicroelectronics/results/NUCLEO_L4R5ZI/ad/energy"] == 203.368
