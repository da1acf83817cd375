from dataclasses import replace

import numpy as np
import pytest

from harness.errors import UsageError
from harness.evaluation import runner
from harness.evaluation.board import board, notes_on
from harness.evaluation.device_track import N_CALIBRATION
from harness.evaluation.kernel_track import CROSS_VALIDATION, LARGEST_FLOPS, PUBLISHED
from harness.evaluation.model_track import ALL_FAMILIES
from harness.evaluation.results import current_result, read_result, result_path
from harness.evaluation.runner import RunSettings, evaluate
from harness.evaluation.tracks import plans_of
from harness.predictor.features import LABEL
from harness.predictor.figures import MOST_BOUND_MJ, MOST_MJ
from harness.predictor.registry import predictor_info
from harness.releases import Release
from harness.sandbox.jobs import MOST_DEATHS, Limits
from tests.evaluation.releases import changed, info, kernel_device, listed, network_device, networks, release_of, truth
from tests.predictor.packages import model_source

TWO = listed(info("constant"), info("truth"))


@pytest.fixture
def settings(tmp_path):
    return RunSettings(tmp_path / "results", n_jobs=1)


def plans(track="kernels", *campaigns):
    return plans_of(track, release_of(*(campaigns or (kernel_device(),))), 0).plans


def split_of(evaluated, name):
    return next(split for split in evaluated.result.splits if split.split == name)


def of_all(evaluated, name):
    return split_of(evaluated, name).scores[0]


def test_predictor_that_knows_the_truth_is_always_right(in_process, settings):
    constant, knows = evaluate(plans(), TWO, settings)
    for split in (PUBLISHED, CROSS_VALIDATION, LARGEST_FLOPS):
        score = of_all(knows, split)
        assert (score.measures["within_5"], score.coverage) == (1, 1)
        assert score.measures["mape"] == pytest.approx(0, abs=1e-9)
        assert of_all(constant, split).measures["within_10"] < 0.5
    assert of_all(knows, CROSS_VALIDATION).n == 60
    assert of_all(knows, CROSS_VALIDATION).interval_coverage == {"80": 1, "90": 1, "95": 1}
    assert of_all(constant, CROSS_VALIDATION).interval_coverage == {}


def test_plans_of_one_predictor_follow_each_other_and_share_idle_workers(in_process, settings, monkeypatch):
    campaigns = kernel_device(), network_device(networks())
    both = [plan for track in ("kernels", "models") for plan in plans(track, *campaigns)]
    started = []

    def run_jobs(key, jobs, *, idle, **limits):
        started.append((key, idle))
        return in_process.run_jobs(key, jobs, **limits)

    monkeypatch.setattr(runner, "run_jobs", run_jobs)
    together = evaluate(both, TWO, settings)
    assert [key for key, _ in started] == ["constant", "constant", "truth", "truth"]
    assert started[0][1] is not None
    assert all(idle is started[0][1] for _, idle in started)
    assert [(one.result.track, one.result.pins.predictor) for one in together] == [
        ("kernels", "constant"), ("kernels", "truth"), ("models", "constant"), ("models", "truth")
    ]  # fmt: skip
    for number, plan in enumerate(both):
        apart = evaluate([plan], TWO, RunSettings(settings.folder / "apart", n_jobs=1))
        assert [one.result for one in apart] == [one.result for one in together[2 * number : 2 * number + 2]]


SLEEPS_OVER_NETWORKS = """
def predict_models(self, models):
    import time
    time.sleep(60)
"""


def test_predictor_that_overruns_in_one_track_is_tried_in_the_others(tmp_path, package):
    package.add("sleepy", model=model_source(rest=SLEEPS_OVER_NETWORKS))
    campaigns = kernel_device(), network_device(networks())
    both = [plan for track in ("models", "kernels") for plan in plans(track, *campaigns)]
    settings = RunSettings(tmp_path / "results", package.name, Limits(seconds=2), n_jobs=1)
    of_models, of_kernels = evaluate(both, listed(predictor_info("sleepy", package.name)), settings)
    assert len(of_models.result.splits) > MOST_DEATHS
    assert {split.reason for split in of_models.result.splits} == {"ran longer than 2 s"}
    assert {split.status for split in of_kernels.result.splits} == {"ok"}


def test_times_are_means_of_fits_and_speed_is_that_of_one_batch(in_process, settings):
    (_, knows) = evaluate(plans(), TWO, settings)
    assert {split.fit_s for split in knows.result.splits if split.status == "ok"} == {0.5}
    assert {split.predict_rows_per_s for split in knows.result.splits if split.status == "ok"} == {10_000 / 0.125}
    timed = [job.n_timed for key, job in in_process.jobs if key == "truth"]
    assert timed == [10_000, *[0] * (len(timed) - 1)]


def test_a_job_that_claims_to_have_taken_no_time_ends_nothing(in_process, settings, monkeypatch):
    def run_jobs(key, jobs, **limits):
        return (replace(outcome, batch_s=5e-324) for outcome in in_process.run_jobs(key, jobs, **limits))

    monkeypatch.setattr(runner, "run_jobs", run_jobs)
    (_, knows) = evaluate(plans(), TWO, settings)
    assert split_of(knows, CROSS_VALIDATION).predict_rows_per_s == pytest.approx(10_000 / 1e-9)


def test_digit_of_the_energies_is_that_of_the_subject_and_not_of_a_split(in_process, settings):
    release = release_of(kernel_device())
    table = changed(release.levels["kernels"], LABEL, lambda energies: [round(energy, 2) for energy in energies])
    rounded = Release({**release.levels, "kernels": table}, release.devices, release.submissions, release.errata)
    (plan,) = plans_of("kernels", rounded, 0).plans
    for one in evaluate([plan], TWO, settings):
        assert {split.resolution_mj for split in one.result.splits if split.status == "ok"} == {0.01}
        assert current_result(settings.folder, plan, one.result.pins.predictor, "1", 0) is not None
        assert of_all(one, PUBLISHED).measures["energy_weighted_error"] < of_all(one, PUBLISHED).measures["mape"]


@pytest.mark.parametrize("track", ["kernels", "models"])
def test_the_largest_energies_that_are_taken_for_some_have_errors(in_process, settings, track):
    in_process.functions["truth"] = lambda train, test: np.full(len(test), MOST_MJ)
    in_process.intervals = lambda key, job, energies: {
        coverage: np.tile([0.0, MOST_BOUND_MJ], (len(energies), 1)) for coverage in job.coverages
    }
    for evaluated in evaluate(plans(track, kernel_device(), network_device(networks())), TWO, settings):
        assert all(split.status == "ok" for split in evaluated.result.splits)
        assert all(np.isfinite(split.scores[0].measures["rmspe"]) for split in evaluated.result.splits)


def test_unchanged_result_is_not_computed_again(in_process, settings):
    first = evaluate(plans(), TWO, settings)
    assert in_process.keys_run() == {"constant", "truth"}
    again = evaluate(plans(), TWO, settings)
    assert in_process.keys_run() == set()
    assert [one.result for one in again] == [one.result for one in first]
    for one, other in zip(again, first, strict=True):
        assert one.rows.equals(other.rows)


def test_new_predictor_runs_nothing_else(in_process, settings):
    evaluate(plans(), TWO, settings)
    in_process.keys_run()
    in_process.functions["twice"] = lambda train, test: 2 * truth(train, test)
    results = evaluate(plans(), listed(*TWO.infos.values(), info("twice")), settings)
    assert in_process.keys_run() == {"twice"}
    assert [one.result.pins.predictor for one in results] == ["constant", "truth", "twice"]


def test_changed_predictor_runs_only_itself(in_process, settings):
    evaluate(plans(), TWO, settings)
    in_process.keys_run()
    in_process.versions["truth"] = "2"
    evaluate(plans(), TWO, settings)
    assert in_process.keys_run() == {"truth"}


def test_changed_device_runs_only_itself(in_process, settings):
    evaluate(plans("kernels", kernel_device(), kernel_device("other-phone")), TWO, settings)
    in_process.keys_run()
    evaluate(plans("kernels", kernel_device(), kernel_device("other-phone", factor=2)), TWO, settings)
    assert {job.train["device_id"][0] for _, job in in_process.jobs} == {"other-phone"}


def test_other_seed_is_another_result(in_process, settings):
    evaluate(plans(), TWO, settings)
    in_process.keys_run()
    evaluate(
        plans_of("kernels", release_of(kernel_device()), 1).plans, TWO, RunSettings(settings.folder, seed=1, n_jobs=1)
    )
    assert in_process.keys_run() == {"constant", "truth"}


def test_failure_ends_its_split_with_the_reason_and_no_other(in_process, settings):
    def breaks(train, test):
        # The second job is the first fold of the cross-validation.
        if len(in_process.jobs) == 2:
            raise ValueError("gave NaN for 12 of 12 rows")
        return truth(train, test)

    in_process.functions["breaks"] = breaks
    (result,) = evaluate(plans(), listed(info("breaks")), settings)
    failed = split_of(result, CROSS_VALIDATION)
    assert (failed.status, failed.reason, failed.scores) == ("failed", "gave NaN for 12 of 12 rows", [])
    assert failed.leaks is not None
    others = [split for split in result.result.splits if split.split != CROSS_VALIDATION]
    assert {split.status for split in others} == {"ok"}
    assert CROSS_VALIDATION not in set(result.rows["split"])
    # The other folds of the split were not run.
    n_folds = sum(fold.splits != (CROSS_VALIDATION,) for fold in plans()[0].folds(info("breaks")))
    assert len(in_process.jobs) == n_folds + 1


def test_failure_is_run_again(in_process, settings):
    in_process.functions["flaky"] = lambda train, test: (_ for _ in ()).throw(ValueError("raised OSError: busy"))
    (result,) = evaluate(plans(), listed(info("flaky")), settings)
    assert {split.status for split in result.result.splits} <= {"failed", "skipped"}
    in_process.functions["flaky"] = truth
    (result,) = evaluate(plans(), listed(info("flaky")), settings)
    assert of_all(result, CROSS_VALIDATION).measures["within_10"] == 1


def test_predictor_is_given_only_the_kernels_that_it_speaks_for(in_process, settings):
    (result,) = evaluate(plans(), listed(info("truth", kernels=("fc", "relu"))), settings)
    for _, job in in_process.jobs:
        assert set(job.train["kernel"]) | set(job.test["kernel"]) <= {"fc", "relu"}
    score = of_all(result, CROSS_VALIDATION)
    assert (score.n, score.n_test) == (40, 60)
    assert score.coverage == pytest.approx(2 / 3)
    by_type = {score.kernel: score for score in split_of(result, CROSS_VALIDATION).scores}
    assert (score.measures["within_10"], score.measures["mape"]) == (pytest.approx(2 / 3), pytest.approx(0, abs=1e-9))
    assert score.measures["macro_within_10"] == pytest.approx(2 / 3)
    none = by_type["conv-bn-relu"]
    assert (none.coverage, none.measures["within_10"], none.measures["mape"]) == (0, 0, None)


def test_predictor_that_speaks_for_nothing_here_is_not_started(in_process, settings):
    (result,) = evaluate(plans(), listed(info("truth", kernels=("hswish",))), settings)
    assert in_process.jobs == []
    split = split_of(result, CROSS_VALIDATION)
    assert (split.status, split.scores[0].coverage, split.scores[0].measures["within_10"]) == ("ok", 0, 0)
    assert split.fit_s is None


def test_every_family_has_a_row_with_its_coverage(in_process, settings):
    (result,) = evaluate(plans("models", kernel_device(), network_device(networks())), listed(info("truth")), settings)
    assert result.result.splits[0].split == ALL_FAMILIES
    assert len(result.result.splits) == 4
    for split in result.result.splits:
        score = split.scores[0]
        assert (score.measures["within_5"], score.coverage, score.coverage_flops) == (1, 1, 1)
        assert score.kernel_error == pytest.approx(0, abs=1e-6)
        assert score.coverage_error == 0
        assert score.interval_coverage == {"80": 1, "90": 1, "95": 1}
    assert of_all(result, ALL_FAMILIES).n == 12


def test_predictor_of_networks_is_told_which_kernels_are_of_which(in_process, settings):
    evaluate(plans("models", kernel_device(), network_device(networks())), listed(info("truth")), settings)
    for _, job in in_process.jobs:
        assert np.unique(job.networks, return_counts=True)[1].tolist() == [3, 3, 3, 3]


def test_calibration_brings_a_predictor_to_another_device(in_process, settings):
    campaigns = (kernel_device(n=120, factor=3), kernel_device("other-phone", n=120))
    results = evaluate(plans("devices", *campaigns), listed(info("truth")), settings)
    of_acme = next(one for one in results if one.result.subject.device_id == "acme-phone")
    assert of_all(of_acme, "k=0").measures["within_15"] == 0
    assert of_all(of_acme, "k=10").measures["within_5"] == of_all(of_acme, "k=50").measures["within_5"] == 1
    # One fit serves all counts and draws.
    fits = [job.train for _, job in in_process.jobs if set(job.train["device_id"]) == {"other-phone"}]
    assert len([train for train in fits if len(train) > max(N_CALIBRATION)]) == 1


def test_cross_device_predictor_has_no_result_on_own_rows_and_needs_none_to_be_found_again(in_process, settings):
    two = plans("devices", kernel_device(n=120, factor=3), kernel_device("other-phone", n=120))
    knows = listed(info("truth", is_cross_device=True))
    (result, _) = evaluate(two, knows, settings)
    assert split_of(result, "k=10, own rows").status == "skipped"
    assert of_all(result, "k=10").n == of_all(result, "k=0").n
    in_process.keys_run()
    evaluate(two, listed(*knows.infos.values(), info("constant")), settings)
    assert in_process.keys_run() == {"constant"}


def test_intervals_of_calibrated_predictions_include_the_draw(in_process, settings):
    """Every draw is off by a factor of its own, so that no resample of rows alone varies."""
    factors = iter([1.0, 1.08, 1.2, 1.3, 1.04, 1.02] * 10)
    in_process.functions["truth"] = lambda train, test: next(factors) * 3 * truth(train, test)
    plan = plans("devices", kernel_device(n=120, factor=3), kernel_device("other-phone", n=120))[0]
    (result,) = evaluate([plan], listed(info("truth", is_cross_device=True)), settings)
    score = of_all(result, "k=10")
    mape = score.measures["mape"]
    assert mape == pytest.approx((8 + 20 + 30 + 4 + 2) / 5)
    low, high = score.ci95["mape"]
    assert low < mape - 4
    assert high > mape + 4


def test_energies_without_signal_leave_nobody_better_than_the_constant(in_process, settings):
    release = release_of(kernel_device(n=150))
    rng = np.random.default_rng(0)
    table = changed(release.levels["kernels"], LABEL, lambda energies: rng.permutation(energies).tolist())
    shuffled = Release({**release.levels, "kernels": table}, release.devices, release.submissions, release.errata)
    results = evaluate(plans_of("kernels", shuffled, 0).plans, TWO, settings)
    rows = board(results)
    row = next(row for row in rows if row.predictor == "truth" and row.result.split == CROSS_VALIDATION)
    assert not row.is_above_baseline
    note = f"acme-phone, CPU1, fp32, {CROSS_VALIDATION}: no predictor is significantly better than constant"
    assert note in notes_on(rows)


def test_result_pins_what_it_rests_on(in_process, settings):
    (plan,) = plans()
    evaluate([plan], TWO, settings)
    found = read_result(result_path(settings.folder, "kernels", "truth", plan.subject))
    pins = found.result.pins
    assert (pins.predictor, pins.predictor_version, pins.seed) == ("truth", "1", 0)
    assert pins.data_sha256 == plan.data_sha256
    assert set(pins.packages) >= {"numpy", "scikit-learn"}


def test_progress_is_told_of_every_predictor_and_device(in_process, settings):
    told = []
    evaluate(plans(), TWO, settings, told.append)
    evaluate(plans(), TWO, settings, told.append)
    assert told == ["constant on acme-phone", "truth on acme-phone"] * 2


def test_back_end_that_is_not_there_is_wrong_usage(in_process, settings):
    with pytest.raises(UsageError, match="joblib back end 'nonsense'"):
        evaluate(plans(), TWO, RunSettings(settings.folder, backend="nonsense", n_jobs=1))


def test_two_at_once_give_what_one_after_the_other_gives(in_process, settings, tmp_path):
    one = evaluate(plans(), TWO, settings)
    two = evaluate(plans(), TWO, RunSettings(tmp_path / "others", n_jobs=2))
    assert [found.result for found in one] == [found.result for found in two]
