import csv
import json
import shutil

import pytest

from harness.cli import main
from harness.evaluation import runner
from harness.sandbox.jobs import run_jobs
from tests.evaluation.releases import in_process, kernel_rows, truth
from tests.predictor.packages import package
from tests.validation.golden import BASE

__all__ = ["in_process", "package"]

KEYS = (
    "predictor device_id kernel split n coverage within_5 within_10 within_15 mape rmspe rmse_mj spearman "
    "within_10_ci95 fit_s predict_rows_per_s status"
)


@pytest.fixture
def evaluate(tmp_path, monkeypatch, capfd, package, in_process):
    """Run the command beside submissions of one phone, with the predictors constant, truth and broken."""
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path / "submissions", "acme-phone")
    for key in ("constant", "truth", "broken"):
        package.add(key)
    in_process.functions["broken"] = lambda train, test: (_ for _ in ()).throw(ValueError("raised OSError: no"))

    def command(*arguments):
        everywhere = ("--predictors", package.name, "--jobs", "1")
        monkeypatch.setattr("sys.argv", ["deepen", "evaluate", *map(str, arguments), *everywhere])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capfd.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return ended.value.code, printed.out, printed.err

    return command


def lay_out(submissions, device_id, factor=1.0):
    campaign = submissions / device_id / "2026-10"
    shutil.copytree(BASE / "acme-phone", submissions / device_id)
    for name in ("models.csv", "applications.csv"):
        (campaign / name).unlink()
    rows = kernel_rows(60, factor)
    names = list(dict.fromkeys(name for row in rows for name in row))
    with (campaign / "kernels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "energy_kind": "absolute"} for row in rows)


def results_of(out):
    return json.loads(out)["results"]


def test_json_has_the_declared_form(evaluate):
    code, out, _ = evaluate("--track", "kernels", "--format", "json")
    content = json.loads(out)
    assert code == 0
    assert list(content) == ["track", "results"]
    assert content["track"] == "kernels"
    for row in content["results"]:
        assert set(KEYS.split()) <= set(row)
    rows = {row["predictor"]: row for row in content["results"] if row["kernel"] == "all" and row["split"] == "cv-3x5"}
    assert list(rows) == ["truth", "constant", "broken"]
    assert (rows["truth"]["within_10"], rows["truth"]["n"], rows["truth"]["device_id"]) == (1, 60, "acme-phone")
    # All of 60 rows are right.
    assert rows["truth"]["within_10_ci95"] == pytest.approx([0.025 ** (1 / 60), 1])
    assert rows["broken"]["status"] == "failed"
    assert rows["broken"]["reason"] == "raised OSError: no"
    assert {row["kernel"] for row in content["results"]} == {"all", "conv-bn-relu", "relu", "fc"}


def test_constant_is_always_there(evaluate):
    code, out, _ = evaluate("--track", "kernels", "--predictor", "truth", "--format", "json")
    assert code == 0
    assert {row["predictor"] for row in results_of(out)} == {"constant", "truth"}


@pytest.mark.parametrize("form", ["text", "summary", "json"])
def test_a_named_predictor_that_fails_everywhere_ends_with_its_reason_and_the_board_is_written(
    evaluate, tmp_path, form
):
    code, out, err = evaluate("--track", "kernels", "--predictor", "broken", "--format", form)
    assert code == 1
    assert "broken" in out
    assert err.splitlines()[-1] == "deepen: broken failed on every split: raised OSError: no"
    board = json.loads((tmp_path / "dist" / "evaluation" / "kernels.json").read_text())
    assert {row["predictor"] for row in board["results"]} == {"constant", "broken"}


def test_a_predictor_that_fails_beside_others_is_no_failure_of_the_command(evaluate):
    assert evaluate("--track", "kernels", "--format", "json")[0] == 0


def test_text_shows_intervals_coverage_failures_and_leaks(evaluate):
    code, out, _ = evaluate("--track", "kernels")
    assert code == 0
    assert "acme-phone, CPU1, fp32, energy (analyser): unseen configurations" in out
    # All of 60 rows are right, and the exact interval is that of 60.
    assert any("truth" in line and f"100.0 [{100 * 0.025 ** (1 / 60):.1f} 100.0]" in line for line in out.splitlines())
    assert any("constant" in line for line in out.splitlines())
    assert "cv-3x5, broken: failed: raised OSError: no" in out
    assert "on both sides 0 configurations and 0 records" in out
    for heading in ("coverage", "of FLOPs", "MAPE %", "+constant", "rows/s"):
        assert heading in out


def test_summary_is_a_line_a_device_best_first_with_failures(evaluate):
    code, out, _ = evaluate("--track", "kernels", "--format", "summary")
    assert code == 0
    (line,) = [line for line in out.splitlines() if line.startswith("acme-phone, CPU1, fp32, energy (analyser)")]
    shares = line.partition(", cv-3x5, within ±10 %: ")[2]
    first, *_, last = shares.split(", ")
    assert (first, last) == ("truth 100.0 %", "broken failed (raised OSError: no)")
    assert "┃" not in out


def test_all_tracks_are_evaluated_where_none_is_named(evaluate, tmp_path):
    lay_out(tmp_path / "submissions", "other-phone", factor=2)
    code, out, _ = evaluate("--format", "json")
    content = json.loads(out)
    assert (code, content["track"]) == (0, "all")
    assert {row["track"] for row in content["results"]} == {"kernels", "devices"}
    kept = {path.name for path in (tmp_path / "dist" / "evaluation").iterdir()}
    assert {"kernels.json", "devices.json", "kernels", "devices"} <= kept
    code, out, _ = evaluate()
    assert code == 0
    assert "note: there are no model rows" in out


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_predictors_run_in_processes_of_their_own(evaluate, monkeypatch, backend):
    # The real thing: nothing stands in for the processes.
    monkeypatch.setattr(runner, "run_jobs", run_jobs)
    code, out, _ = evaluate("--track", "kernels", "--predictor", "truth", "--backend", backend, "--format", "json")
    rows = [row for row in results_of(out) if row["kernel"] == "all"]
    assert code == 0
    assert {row["status"] for row in rows} == {"ok"}
    assert {row["predictor"] for row in rows} == {"constant", "truth"}


def test_data_names_other_submissions(evaluate, tmp_path):
    lay_out(tmp_path / "private", "other-phone")
    code, out, _ = evaluate("--track", "kernels", "--data", "private/other-phone", "--format", "json")
    assert code == 0
    assert {row["device_id"] for row in results_of(out)} == {"other-phone"}


def test_unchanged_results_are_used_again(evaluate, in_process):
    arguments = ("--track", "kernels", "--predictor", "truth", "--format", "json")
    first = evaluate(*arguments)
    assert in_process.keys_run() == {"constant", "truth"}
    assert evaluate(*arguments) == first
    assert in_process.keys_run() == set()
    assert evaluate(*arguments, "--seed", "1")[1] != first[1]


def test_shards_join_to_the_board_of_one_run(evaluate, tmp_path):
    whole = evaluate("--track", "kernels", "--format", "json")
    for shard in ("1/2", "2/2"):
        code, out, _ = evaluate("--track", "kernels", "--shard", shard, "--out", "parts")
        assert code == 0
        assert out == f"results of shard {shard}: below parts; join all with deepen evaluate --merge DIR...\n"
    folders = ("parts/shard-1-of-2", "parts/shard-2-of-2")
    assert evaluate("--track", "kernels", "--format", "json", "--out", "joined", "--merge", *folders) == whole
    assert (tmp_path / "joined" / "kernels.json").read_bytes() == whole[1].encode()


def test_board_says_where_nobody_is_better_than_the_constant(evaluate, in_process):
    in_process.functions["truth"] = lambda train, test: 5 * truth(train, test)
    _, out, _ = evaluate("--track", "kernels", "--predictor", "truth")
    assert "note: acme-phone, CPU1, fp32, cv-3x5: no predictor is significantly better than constant" in out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--predictor", "trut"], 2, "'trut' is not a known predictor; did you mean truth?"),
        (["--track", "applications"], 2, "'applications' is not one of"),
        (["--track", "models"], 2, "nothing to evaluate on: there are no model rows. Name submissions that have such"),
        (["--data", "nowhere"], 2, "nowhere does not exist"),
        (["--backend", "nonsense"], 2, "joblib back end 'nonsense'"),
        (["--time-limit", "0"], 2, "--time-limit"),
        (["--seed", "-1"], 2, "--seed"),
        (["--shard", "3/2"], 2, "shard '3/2'; expected i/n with i from 1 to n, such as 2/3"),
        (["--merge"], 2, "--merge takes the folders of all shards"),
        (["somewhere"], 2, "--merge takes the folders of all shards"),
        (["--merge", "somewhere", "--shard", "1/2"], 2, "--merge takes the folders of all shards"),
        (["--merge", "nowhere"], 2, "nowhere/shard.json: No such file or directory; expected the folder of a shard"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else None,
)
def test_wrong_usage_is_one_clear_line(evaluate, arguments, code, said):
    ended, out, err = evaluate(*arguments)
    assert (ended, out) == (code, "")
    assert said in err


def test_submissions_with_errors_are_not_evaluated_on(evaluate, tmp_path):
    (tmp_path / "submissions" / "acme-phone" / "device.yaml").write_text("name: [\n")
    code, _, err = evaluate("--track", "kernels")
    assert code == 1
    assert "[yaml-syntax]" in err


def test_package_that_is_not_there_is_named(evaluate, monkeypatch):
    monkeypatch.setattr("sys.argv", ["deepen", "evaluate", "--predictors", "no_such_package"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
