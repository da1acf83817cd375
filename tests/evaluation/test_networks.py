import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness import api
from harness.evaluation import network_runner
from harness.evaluation.bootstrap import resampled_shares
from harness.evaluation.network_results import (
    NetworkEvaluation,
    NetworkOutcome,
    NetworkResult,
    current_network_result,
    network_path,
    network_pins,
)
from harness.evaluation.network_runner import evaluate_networks
from harness.evaluation.network_scores import network_scores
from harness.evaluation.network_splits import FIVE_FOLD, ONE_FAMILY, UNSEEN_BOARD
from harness.evaluation.network_track import FEWEST_NETWORKS, network_plan
from harness.evaluation.results import CheckedResults
from harness.evaluation.runner import RunSettings
from harness.pages import board_rows
from harness.pages.board_rows import read_boards
from harness.predictor.networks import LATENCY, NETWORK_FEATURES, networks_on_systems
from harness.predictor.registry import predictor_info
from harness.sandbox.jobs import Outcome
from tests.evaluation.measured import BOARDS, N_NETWORKS, learner, measured_plan, measured_release, system_of
from tests.evaluation.releases import info, release_of

PLAN = measured_plan()
N_SYSTEMS = sum(map(len, BOARDS.values()))
LEARNER = learner()
TRANSFERS = learner("transfers", is_cross_device=True)
KNOWS_LATENCY = learner("knows-latency", uses_latency=True)


class InProcess:
    """Stands in for processes: predictors are functions of the networks that they are fitted on and those asked for."""

    def __init__(self):
        self.functions = {"learner": mean_of_system, "transfers": mean_of_system, "knows-latency": mean_of_system}
        self.jobs = []

    def run_jobs(self, key, jobs, *, package, limits):
        for job in jobs:
            self.jobs.append((key, job))
            try:
                train, test = (networks_on_systems(job.lists, rows) for rows in (job.train, job.test))
                energies = np.asarray(self.functions[key](train, test), dtype=float)
            except ValueError as error:
                yield Outcome("failed", str(error))
                continue
            yield Outcome("ok", "", energies, fit_s=0.5, predict_s=0.25)


def mean_of_system(train, test):
    means = np.log(train["energy_mj"]).groupby(train["system_id"]).mean()
    return np.exp(means.reindex(test["system_id"]).fillna(means.mean()).to_numpy())


@pytest.fixture
def in_process(monkeypatch):
    instead = InProcess()
    monkeypatch.setattr(network_runner, "run_jobs", instead.run_jobs)
    monkeypatch.setattr(network_runner, "predictor_version", lambda key, package: "1")
    monkeypatch.setattr(network_runner, "predictor_files", lambda key, package: {})
    return instead


@pytest.fixture
def settings(tmp_path):
    return RunSettings(tmp_path / "results", n_jobs=1)


def evaluated(settings, *infos, plan=PLAN):
    return evaluate_networks(plan, {each.key: each for each in infos}, settings)


def score_of(scores, split, scope="nowhere", predictor="learner"):
    return next(score for score in scores if (score.split, score.scope, score.predictor) == (split, scope, predictor))


def test_all_systems_of_enough_networks_are_in_one_table():
    assert len(PLAN.rows) == 2 * N_NETWORKS * N_SYSTEMS
    assert PLAN.rows["system_id"].nunique() == N_SYSTEMS
    assert set(PLAN.rows["device_id"]) == set(BOARDS)
    assert len(PLAN.lists) == 2 * N_NETWORKS


def test_simulated_and_published_networks_and_small_systems_are_left_out():
    others = [
        system_of("zigzag-like", "four", manifest={"method": "simulated", "meter": None}),
        system_of("board-d", "four", manifest={"method": "published", "meter": None}),
        system_of("board-e", "four", n_networks=FEWEST_NETWORKS // 2 - 1),
    ]
    plan, notes = network_plan(measured_release(*others), 0)
    assert set(plan.rows["device_id"]) == set(BOARDS)
    assert notes == [f"{FEWEST_NETWORKS - 2} measured networks are on systems with fewer than {FEWEST_NETWORKS} of "
                     "them, or of another kind of energy"]  # fmt: skip


def test_energies_of_another_kind_are_not_compared():
    plan = measured_plan(system_of("board-f", "four", energy_kind="idle-subtracted"))
    assert set(plan.rows["device_id"]) == set(BOARDS)


def test_one_system_is_nothing_to_evaluate_on():
    assert network_plan(release_of(system_of("board-a", "one")), 0) == (None, [])
    assert network_plan(release_of(), 0) == (None, [])


def test_two_submissions_of_one_system_are_two_systems():
    again = replace(system_of("board-b", "one", 2.0), name="again-2027")
    plan = measured_plan(again)
    assert {"board-b/one-2026", "board-b/again-2027"} <= set(plan.rows["system_id"])


def test_costs_are_sums_over_the_kernel_list():
    release = measured_release()
    row = release.levels["models"].slice(0, 1).to_pylist()[0]
    found = PLAN.lists[(PLAN.lists["network"] == row["model"]) & (PLAN.lists["dtype"] == row["dtype"])].iloc[0]
    for cost in ("flops", "bytes_moved", "params"):
        assert found[cost] == sum(kernel[cost] for kernel in row["kernels"])
    of_fc = [kernel for kernel in row["kernels"] if kernel["kernel"] == "fc"]
    assert found["n:fc"] == len(of_fc)
    assert found["flops:fc"] == sum(kernel["flops"] for kernel in of_fc)


@pytest.mark.parametrize("predictor", [LEARNER, TRANSFERS, KNOWS_LATENCY], ids=lambda one: one.key)
def test_no_job_holds_a_label_of_what_it_asks(in_process, settings, predictor):
    distinct = replace(PLAN, rows=PLAN.rows.assign(energy_mj=np.arange(1.0, len(PLAN.rows) + 1)))
    evaluated(settings, predictor, plan=distinct)
    labels = distinct.rows.set_index(["list", "system_id"])["energy_mj"]
    for _, job in in_process.jobs:
        assert "energy_mj" not in job.test
        held_out = labels.loc[list(zip(job.test["list"], job.test["system_id"], strict=True))]
        assert not set(held_out) & set(job.train["energy_mj"])


def test_only_who_uses_latency_is_given_it(in_process, settings):
    evaluated(settings, LEARNER, KNOWS_LATENCY)
    given = {key: {LATENCY in job.train, LATENCY in job.test} for key, job in in_process.jobs}
    assert given == {"learner": {False}, "knows-latency": {True}}


def test_energies_elsewhere_are_for_those_that_use_them(in_process, settings):
    results = evaluated(settings, LEARNER, TRANSFERS)
    scopes = {one.predictor: {outcome.scope for outcome in one.result.outcomes} for one in results}
    assert scopes == {"learner": {"nowhere"}, "transfers": {"other-boards", "other-systems"}}


def test_predictors_of_kernels_alone_are_not_asked(in_process, settings):
    assert evaluated(settings, info("constant")) == []


def test_who_knows_the_truth_is_always_right(in_process, settings):
    energies = PLAN.networks.set_index(["network", "dtype", "system_id"])["energy_mj"]
    in_process.functions["learner"] = lambda _, test: energies.loc[
        list(test[["network", "dtype", "system_id"]].itertuples(index=False, name=None))
    ]
    results = evaluated(settings, LEARNER)
    for score in network_scores(results, PLAN, {"learner": LEARNER}):
        assert (score.within_5, score.within_10, score.median_ape) == (1, 1, 0)
        assert score.n_systems == N_SYSTEMS
        assert {share.value for share in (*score.families, *score.systems)} == {1}


def test_a_failure_is_that_of_its_split_alone(in_process, settings):
    def fails_on_a_board(train, test):
        if train["device_id"].nunique() < len(BOARDS):
            raise ValueError("an unseen board")
        return mean_of_system(train, test)

    in_process.functions["transfers"] = fails_on_a_board
    (result,) = evaluated(settings, TRANSFERS)
    failed = {outcome.split: outcome.reason for outcome in result.result.outcomes if outcome.status == "failed"}
    assert failed == {UNSEEN_BOARD: "an unseen board"}
    scores = network_scores([result], PLAN, {"transfers": TRANSFERS})
    assert score_of(scores, UNSEEN_BOARD, "other-boards", "transfers").reason == "an unseen board"
    assert score_of(scores, ONE_FAMILY, "other-boards", "transfers").within_10 is not None


def test_unchanged_result_is_not_computed_again(in_process, settings):
    (first,) = evaluated(settings, LEARNER)
    n_jobs = len(in_process.jobs)
    (again,) = evaluated(settings, LEARNER)
    assert len(in_process.jobs) == n_jobs
    assert again.result.outcomes == first.result.outcomes
    pd.testing.assert_frame_equal(again.predictions, first.predictions)


def test_result_of_other_rows_or_another_version_counts_for_nothing(in_process, settings):
    evaluated(settings, LEARNER)
    assert current_network_result(settings.folder, PLAN, LEARNER, "2") is None
    changed = replace(PLAN, rows=PLAN.rows.assign(energy_mj=PLAN.rows["energy_mj"] * 1.01))
    assert current_network_result(settings.folder, changed, LEARNER, "1") is None
    assert current_network_result(settings.folder, PLAN, LEARNER, "1") is not None


def test_edited_predictions_count_for_nothing(in_process, settings):
    (result,) = evaluated(settings, LEARNER)
    path = network_path(settings.folder, "learner").with_suffix(".parquet")
    result.predictions.assign(predicted_mj=1.0).to_parquet(path)
    faults = []
    assert current_network_result(settings.folder, PLAN, LEARNER, "1", on_fault=faults.append) is None
    assert "has other rows beside it" in faults[0]


def test_edited_json_counts_for_nothing(in_process, settings):
    evaluated(settings, LEARNER)
    path = network_path(settings.folder, "learner")
    path.write_text(path.read_text().replace('"reason": ""', '"reason": "x"', 1))
    faults = []
    assert current_network_result(settings.folder, PLAN, LEARNER, "1", on_fault=faults.append) is None
    assert "was not sealed here" in faults[0]


def made_by_hand(predicted_by_row):
    """Result of one split whose predictions are given by record."""
    rows = pd.DataFrame({"split": ONE_FAMILY, "scope": "nowhere", "repeat": 0, **predicted_by_row})
    outcome = NetworkOutcome(split=ONE_FAMILY, scope="nowhere", status="ok")
    pins = network_pins(PLAN, "learner", "1")
    result = NetworkResult(schema_version=1, pins=pins, rows_sha256="0" * 64, outcomes=[outcome], label_files={})
    return NetworkEvaluation(result, rows)


def test_figures_of_the_table_are_those_counted_by_hand():
    # On system number s, s networks are 8 % off, one is 20 % off and one exact: within 10 % are s + 1 of s + 2.
    parts = []
    for number, (_, rows) in enumerate(PLAN.rows.groupby("system_id")):
        some = rows.head(number + 2)
        factors = np.array([1.2, 1.0, *[1.08] * number])
        parts.append(pd.DataFrame({"row": some["record_id"], "predicted_mj": some["energy_mj"] * factors}))
    result = made_by_hand(pd.concat(parts, ignore_index=True).to_dict("list"))
    (score,) = network_scores([result], PLAN, {"learner": LEARNER})
    close = [(number + 1) / (number + 2) for number in range(N_SYSTEMS)]
    closest = [1 / (number + 2) for number in range(N_SYSTEMS)]
    errors = [np.median([20.0, 0.0, *[8.0] * number]) for number in range(N_SYSTEMS)]
    assert score.within_10 == pytest.approx(np.median(close))
    assert score.within_5 == pytest.approx(np.median(closest))
    assert score.mean_within_10 == pytest.approx(np.mean(close))
    assert score.mean_within_5 == pytest.approx(np.mean(closest))
    assert score.median_ape == pytest.approx(np.median(errors))
    assert [share.value for share in score.systems] == pytest.approx(close)
    assert score.n == sum(number + 2 for number in range(N_SYSTEMS))


def test_share_of_a_family_is_the_mean_over_systems():
    networks = PLAN.networks.assign(record_id=PLAN.rows["record_id"])
    is_right = networks["system_id"].isin(["board-a--one", "board-a--two"]) & (networks["family"] == "SqueezeNet")
    predicted = networks["energy_mj"] * np.where(is_right, 1.0, 2.0)
    result = made_by_hand({"row": networks["record_id"], "predicted_mj": predicted})
    (score,) = network_scores([result], PLAN, {"learner": LEARNER})
    shares = {share.name: share.value for share in score.families}
    assert shares == {"MobileNetV1": 0, "MobileNetV2": 0, "SqueezeNet": pytest.approx(2 / N_SYSTEMS)}


def test_repeats_of_a_row_count_once():
    rows = PLAN.rows.head(1)
    predicted = rows["energy_mj"].iloc[0] * np.array([1.0, 1.5])
    ids = [rows["record_id"].iloc[0]] * 2
    result = made_by_hand({"row": ids, "predicted_mj": predicted, "repeat": [0, 1]})
    (score,) = network_scores([result], PLAN, {"learner": LEARNER})
    assert (score.n, score.within_10, score.median_ape) == (1, 0.5, pytest.approx(25))


def test_interval_is_that_of_resampled_networks():
    hits = np.array([1.0] * 12 + [0.0] * 12)
    groups = np.repeat(np.arange(12), 2)
    columns = np.tile([0, 1], 12)
    means = resampled_shares(hits, columns, groups, 0)
    assert means.value == pytest.approx([0.5, 0.5])
    # Both columns have the same networks, so every resample has one share.
    assert means.resamples[:, 0] == pytest.approx(means.resamples[:, 1])
    assert means.resamples.std() == pytest.approx(np.sqrt(0.25 / 12), rel=0.1)


def test_mean_over_few_groups_has_no_resamples():
    means = resampled_shares(np.ones(3), np.zeros(3, dtype=np.int64), np.arange(3), 0)
    assert (means.value.tolist(), len(means.resamples)) == ([1.0], 0)


def test_scores_with_latency_stand_after_those_without(in_process, settings):
    in_process.functions["knows-latency"] = lambda _, test: test[LATENCY]
    infos = {each.key: each for each in (KNOWS_LATENCY, LEARNER)}
    scores = network_scores(evaluated(settings, *infos.values()), PLAN, infos)
    of_split = [score.uses_latency for score in scores if score.split == FIVE_FOLD]
    assert of_split == [False, True]


def test_a_predictor_of_the_project_runs_confined_on_networks(settings):
    some = replace(PLAN, rows=PLAN.rows[PLAN.rows["device_id"] != "board-c"].reset_index(drop=True))
    (result,) = evaluate_networks(some, {"network-flops": predictor_info("network-flops")}, settings)
    assert not result.has_failed
    assert result.result.confinement is not None
    assert np.isfinite(result.predictions["predicted_mj"]).all()
    assert result.predictions["split"].nunique() == len(result.result.outcomes)


def test_evaluation_of_models_has_the_measured_networks(in_process, settings):
    in_process.functions["network-flops"] = mean_of_system
    steps = []
    boards = api.evaluate(
        measured_release(), tracks=["models"], predictors=["network-flops"], out=settings.folder, n_jobs=1,
        on_step=lambda name, total: steps.append((name, total)),
    )  # fmt: skip
    assert {score.predictor for score in boards["models"].networks} == {"network-flops"}
    assert ("network-flops on measured networks", 1) in steps
    written = json.loads((settings.folder / "models.json").read_text())
    assert written["results"] == []
    assert {score["scope"] for score in written["networks"]} == {"nowhere"}
    assert written["networks"][0]["within_10"] == boards["models"].networks[0].within_10


def test_boards_of_the_site_have_the_measured_networks(in_process, settings, monkeypatch):
    monkeypatch.setattr(board_rows, "predictor_version", lambda key, package: "1")
    in_process.functions["network-flops"] = mean_of_system
    release = measured_release()
    evaluate_networks(PLAN, {"network-flops": predictor_info("network-flops")}, settings)
    boards = read_boards(release, CheckedResults(settings.folder))
    assert {score.split for score in boards.networks} >= {FIVE_FOLD, ONE_FAMILY}
    path = network_path(settings.folder, "network-flops")
    path.write_text(path.read_text().replace('"reason": ""', '"reason": "x"', 1))
    edited = read_boards(release, CheckedResults(settings.folder))
    assert edited.networks == []
    assert any("was not sealed here" in note for note in edited.notes["models"])


def test_networks_as_predictors_see_them_have_the_declared_columns():
    assert tuple(PLAN.networks.columns) == (*NETWORK_FEATURES, LATENCY, "energy_mj")
