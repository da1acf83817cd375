"""Figures of an MLPerf Tiny run that its results print, and those of the runs beside it."""

import pytest

from harness.intake.flow import take_in
from harness.intake.tiny_results import beside, read_printed
from harness.validation import validate
from tests.intake.run_folders import tiny_system, windows_text
from tests.traces.benchmark_logs import tiny_results


def taken(source, tmp_path):
    return take_in("energyrunner", source, "ACME_ONE", "tiny-v1.2", out=tmp_path / "out")


def run_beside(system, run, text):
    folder = system / "ad" / run
    folder.mkdir()
    (folder / "results.txt").write_text(text)


def only_row(tmp_path):
    validated = validate([tmp_path / "out"])
    assert not validated.report.n_errors
    (row,) = validated.campaigns[0].tables["models"].to_pylist()
    return row


@pytest.mark.parametrize(
    "accuracy",
    ["00524.041 ulp-mlperf: Top-1: 77.8%\n00524.052 ulp-mlperf: AUC: 0.86\n", "Top 1% = 77.8\nAUC = 0.86\n"],
    ids=["to v1.2", "from v1.3 on"],
)
def test_accuracy_and_performance_run_beside_the_energy_run_become_columns(tmp_path, accuracy):
    system = tiny_system(tmp_path)
    run_beside(system, "accuracy", accuracy)
    run_beside(system, "performance", "ulp-mlperf: Median throughput is      102.000 inf./sec.\n")
    taken(system, tmp_path)
    row = only_row(tmp_path)
    assert (row["accuracy_percent"], row["accuracy_dataset"], row["auc"]) == (77.8, "ToyADMOS", 0.86)
    assert (row["latency_ms"], row["latency_unmetered_ms"]) == (10, 9.80392)


def test_figures_that_the_runs_beside_print_twice_or_not_at_all_stay_empty(tmp_path):
    system = tiny_system(tmp_path)
    run_beside(system, "accuracy", "Top-1: 77.8%\nTop-1: 78.0%\nAUC: none\n")
    run_beside(system, "performance", "Median throughput is 0.000 inf./sec.\n")
    taken(system, tmp_path)
    row = only_row(tmp_path)
    assert row["accuracy_percent"] is row["accuracy_dataset"] is row["auc"] is row["latency_unmetered_ms"] is None


def test_latency_follows_from_elapsed_times_where_no_throughput_is_printed(tmp_path):
    system = tiny_system(tmp_path, ad={"trace": None, "marks": None, "results": windows_text(1.0000000000000002)})
    (system / "ad" / "energy" / "results.json").write_text(tiny_results())
    taken(system, tmp_path)
    assert only_row(tmp_path)["latency_ms"] == 10


def test_windows_give_their_median_and_those_without_inferences_count_nowhere(tmp_path):
    results = tmp_path / "results.txt"
    results.write_text("".join(f"Elapsed time  : {s}\n  Inferences    : {n}\n" for s, n in ((3, 10), (9, 0), (1, 10))))
    assert read_printed(results).latency_ms == "200"
    assert read_printed(None).latency_ms is None


def test_folder_of_another_name_has_no_runs_beside_it(tmp_path):
    system = tiny_system(tmp_path)
    run_beside(system, "accuracy", "Top-1: 77.8%\n")
    assert beside(system / "ad" / "energy") == {"accuracy_percent": "77.8"}
    assert beside((system / "ad" / "energy").rename(system / "ad" / "power")) == {}
