"""Results of energy runs of MLPerf Tiny from v1.3 on, which hold samples and windows."""

import json

import pytest

from harness.traces.inferences import read_inferences
from harness.traces.runs import find_runs, reduce_run
from harness.traces.trace import TraceFormatError
from tests.traces.benchmark_logs import tiny_results


def test_energy_is_the_sum_of_the_samples_between_the_last_two_marks(tmp_path):
    folder = tmp_path / "energy"
    folder.mkdir()
    (folder / "results.json").write_text(tiny_results())
    (run,) = find_runs(tmp_path)
    reduction = reduce_run(run)
    assert reduction.energy_median_mj == pytest.approx(0.205, rel=1e-3)
    assert (reduction.n_inferences, len(reduction.energies_mj)) == (500, 5)
    assert reduction.latency_ms == pytest.approx(10)


def test_results_of_other_modes_are_no_run(tmp_path):
    (tmp_path / "performance").mkdir()
    (tmp_path / "performance" / "results.json").write_text('[{"file": "a.bin", "infer": {"results": [1]}}]')
    (tmp_path / "energy").mkdir()
    (tmp_path / "energy" / "results.json").write_text(tiny_results())
    assert [run.name for run in find_runs(tmp_path)] == ["energy"]


def changed(**parts):
    trials = json.loads(tiny_results(powers_mw=(20.0, 21.0)))
    for name, value in parts.items():
        target = trials[1]["infer"] if name == "iterations" else trials[1]["power"]
        target[name] = value
    return json.dumps(trials)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (tiny_results()[:5000], "no JSON"),
        (changed(timestamps=[["01", 500]]), "trial 2 with marks [500] in 1550 samples and 100 inferences"),
        (changed(timestamps=[["01", 900], ["02", 500]]), "trial 2 with marks [900, 500] in 1550 samples"),
        (changed(timestamps=[["01", 500], ["02", 5000]]), "trial 2 with marks [500, 5000] in 1550 samples"),
        (changed(samples="none"), "trial 2 without them"),
        (changed(iterations=50), "50, 100 inferences in a trial"),
        (changed(iterations=0), "trial 2 with marks [500, 1500] in 1550 samples and 0 inferences"),
    ],
)
def test_results_that_are_not_whole_are_refused_with_the_trial(tmp_path, text, found):
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(TraceFormatError) as error:
        read_inferences(path)
    assert error.value.fault.found.startswith(found)
