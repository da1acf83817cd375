"""Runs of MLPerf Inference with power: the window from LoadGen's log, the power from PTDaemon's."""

import csv
import os
from pathlib import Path

import pytest

from harness.traces.formats import TraceOptions, open_trace
from harness.traces.inferences import read_inferences
from harness.traces.runs import find_runs, reduce_run
from harness.traces.trace import TraceFormatError
from tests.traces.benchmark_logs import loadgen, spl

UPSTREAM = Path(os.environ.get("DEEPEN_UPSTREAM", Path(__file__).parents[2] / "../shared/data/upstream"))
EXPECTED = UPSTREAM.parent / "published" / "mlperf_edge" / "singlestream.csv"
EDGE_TOLERANCE = 0.001
"""The publication takes the mean of the rows inside the window, the reduction cuts the two rows at its edges; each is
one of 600 and differs by some ten per cent from the mean, which makes a few parts in ten thousand."""


def windows(tmp_path, text, n_each=1):
    path = tmp_path / "mlperf_log_detail.txt"
    path.write_text(text)
    return read_inferences(path, n_each)


def test_window_is_that_of_the_power_marks_with_the_queries_that_were_counted(tmp_path):
    read = windows(tmp_path, loadgen())
    assert (read.starts_s[0], read.ends_s[0]) == (1783940410.5, 1783940430.5)
    assert (len(read), read.n_each, read.scale) == (1, 40, "local")


def test_before_queries_were_counted_their_number_is_duration_over_latency(tmp_path):
    read = windows(tmp_path, loadgen(result_query_count=None, result_mean_latency_ns=250_000_000))
    assert read.n_each == 80


def test_number_that_is_stated_comes_before_that_of_the_log(tmp_path):
    assert windows(tmp_path, loadgen(), 7).n_each == 7


@pytest.mark.parametrize(
    ("changed", "rule", "found"),
    [
        ({"power_begin": None}, "trace-no-inference", "no power_begin"),
        ({"power_end": "tomorrow"}, "trace-format", "power_end tomorrow"),
        ({"power_end": "02-30-2026 11:00:00.000"}, "trace-format", "power_end 02-30-2026 11:00:00.000"),
        ({"power_end": "07-13-2026 11:00:00.000"}, "inference-order", "power_end 07-13-2026 11:00:00.000"),
        ({"result_query_count": None}, "trace-no-inference", "no number of queries"),
        ({"result_query_count": 0}, "trace-no-inference", "no number of queries"),
        ({"result_query_count": "many"}, "trace-no-inference", "no number of queries"),
    ],
)
def test_log_without_a_window_or_a_count_is_refused(tmp_path, changed, rule, found):
    with pytest.raises(TraceFormatError) as error:
        windows(tmp_path, loadgen(**changed))
    assert (error.value.fault.rule, error.value.fault.found) == (rule, found)


def test_folder_of_a_run_reduces_to_mean_power_times_duration_over_queries(tmp_path):
    folder = tmp_path / "run_1"
    folder.mkdir()
    (folder / "spl.txt").write_text(spl())
    (folder / "mlperf_log_detail.txt").write_text(loadgen())
    (run,) = find_runs(tmp_path)
    reduction = reduce_run(run)
    assert run.name == "run_1"
    assert reduction.energy_mj == pytest.approx(8.01e3 * 20 / 40, rel=0.01)
    assert (reduction.boundary, reduction.rails) == ("wall", ("Watts",))
    assert (reduction.n_inferences, reduction.latency_ms) == (40, 500)


def test_log_of_ptdaemon_is_means_at_the_socket_in_local_time(tmp_path):
    path = tmp_path / "spl.txt"
    path.write_text(spl())
    trace = open_trace(path)
    assert (trace.kind, trace.scale, trace.boundary, trace.start_s) == ("mean", "local", "wall", 1783940400.0)
    moved = open_trace(path, options=TraceOptions(timezone="+01:00"))
    assert (moved.scale, moved.start_s) == ("epoch", 1783936800.0)


def test_power_log_without_its_windows_is_a_run_with_a_fault(tmp_path):
    (tmp_path / "spl.txt").write_text(spl())
    (run,) = find_runs(tmp_path)
    assert run.fault.found == "no mlperf_log_detail.txt beside spl.txt"


@pytest.mark.skipif(not EXPECTED.is_file(), reason="needs the upstream and published files; set DEEPEN_UPSTREAM")
def test_real_runs_give_the_published_energies():
    with EXPECTED.open(encoding="utf-8") as file:
        published = {f"{row['round']}/{row['source_path']}": row for row in csv.DictReader(file)}
    root = UPSTREAM / "mlperf_inference"
    runs = [run for run in find_runs(root) if run.name == "run_1"]
    assert len(runs) == 6
    for run in runs:
        row, reduction = published[run.power.relative_to(root).as_posix()], reduce_run(run)
        assert reduction.energy_mj == pytest.approx(float(row["energy_mj"]), rel=EDGE_TOLERANCE)
        assert reduction.power_mw == pytest.approx(float(row["power_mw"]), rel=EDGE_TOLERANCE)
