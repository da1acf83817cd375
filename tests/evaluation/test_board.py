import numpy as np
import pytest

from harness.evaluation.board import board, notes_on
from harness.evaluation.board_columns import COLUMNS
from harness.evaluation.comparison import compare
from harness.evaluation.result_layout import Result, SplitResult
from harness.evaluation.results import Evaluation
from harness.evaluation.scores import by_kernel, scores
from harness.sandbox.confinement import Confinement
from tests.evaluation.test_results import LEAKS, PINS, SUBJECT
from tests.evaluation.test_scores import rows_of

ACTUAL = np.linspace(1, 10, 120)
KERNELS = ["relu"] * 60 + ["fc"] * 60


def off_by(share, seed=0):
    """Predictions of which a share is right, and the rest far off."""
    is_right = np.random.default_rng(seed).permutation(len(ACTUAL)) < share * len(ACTUAL)
    return np.where(is_right, ACTUAL, 3 * ACTUAL)


def evaluated(key, predicted=None, reason="", **columns):
    pins = PINS.model_copy(update={"predictor": key})
    head = {"schema_version": 6, "track": "kernels", "subject": SUBJECT, "pins": pins, "rows_sha256": "0" * 64}
    if predicted is None:
        failed = SplitResult(split="published", status="failed", reason=reason, leaks=LEAKS)
        return Evaluation(Result(**head, splits=[failed]), rows_of([], []))
    rows = rows_of(ACTUAL, predicted, kernel=KERNELS, **columns)
    split = SplitResult(split="published", status="ok", leaks=LEAKS, scores=scores(rows, "kernels", 0))
    return Evaluation(Result(**head, splits=[split]), rows)


def ranked(*results):
    return [
        (row.predictor, row.standing.rank, row.standing.ties)
        for row in board(results)
        if row.score.kernel == "all"
    ]  # fmt: skip


def test_best_comes_first_and_rank_counts_those_that_are_significantly_better():
    results = (evaluated("constant", off_by(0.1)), evaluated("good", off_by(0.9)), evaluated("fair", off_by(0.5)))
    assert ranked(*results) == [("good", 1, ()), ("fair", 2, ()), ("constant", 3, ())]


def test_predictors_that_are_not_distinguishable_are_tied():
    results = (
        evaluated("constant", off_by(0.1)),
        evaluated("one", off_by(0.6, 1)),
        evaluated("other", off_by(0.58, 2)),
    )
    assert ranked(*results) == [("one", 1, ("other",)), ("other", 1, ("one",)), ("constant", 3, ())]


def test_small_but_certain_difference_is_no_tie():
    # The other is wrong where the first is, and on 12 rows more.
    better = off_by(0.6)
    worse = np.where(np.cumsum(better == ACTUAL) <= 12, 3 * ACTUAL, better)
    (one, rank, ties), (other, other_rank, _) = ranked(evaluated("worse", worse), evaluated("better", better))
    assert (one, rank, ties) == ("better", 1, ())
    assert (other, other_rank) == ("worse", 2)


def test_of_predictors_that_are_alike_in_share_the_one_with_smaller_errors_is_best():
    far, near = np.where(off_by(0.9) == ACTUAL, 1.05 * ACTUAL, 3 * ACTUAL), off_by(0.9)
    results = (evaluated("constant", off_by(0.1)), evaluated("far", far), evaluated("near", near))
    rows = [row for row in board(results) if row.score.kernel == "all"]
    assert [row.predictor for row in rows] == ["near", "far", "constant"]
    assert {row.standing.best for row in rows} == {"near"}


def few_right(n):
    """Predictions of the first rows alone, which are right there."""
    few = np.where(np.arange(len(ACTUAL)) < n, ACTUAL, np.nan)
    covered = np.isfinite(few).astype(float)
    return evaluated("few", few, covered_kernels=covered, covered_flops=covered)


def test_rows_that_a_predictor_does_not_cover_are_misses_in_its_rank():
    mostly = np.where(np.arange(len(ACTUAL)) % 4 == 0, 3 * ACTUAL, ACTUAL)
    results = evaluated("constant", off_by(0.1)), evaluated("good", mostly), few_right(40)
    # Where it predicts, it is always right, and the better one is not.
    assert ranked(*results) == [("good", 1, ()), ("few", 2, ()), ("constant", 3, ())]
    rows = {row.predictor: row for row in board(results) if row.score.kernel == "all"}
    assert {row.standing.best for row in rows.values()} == {"good"}
    assert rows["few"].standing.to_best.value == pytest.approx((40 - 90) / 120)
    assert rows["few"].score.measures["within_10"] == pytest.approx(40 / 120)


def test_predictor_of_one_in_a_hundred_rows_is_last_where_all_others_are_better():
    results = evaluated("constant", off_by(0.3)), evaluated("good", off_by(0.9)), few_right(1)
    assert ranked(*results) == [("good", 1, ()), ("constant", 2, ()), ("few", 3, ())]


def test_predictor_that_covers_no_row_has_a_share_of_0_and_no_rank():
    results = evaluated("constant", off_by(0.1)), few_right(0)
    rows = {row.predictor: row.as_json() for row in board(results) if row.score.kernel == "all"}
    none = rows["few"]
    assert (none["within_10"], none["within_10_ci95"], none["mape"], none["rank"]) == (0, None, None, None)
    assert (none["n"], none["n_test"], none["coverage"]) == (0, 120, 0)
    assert (rows["constant"]["rank"], rows["constant"]["ties"]) == (1, ())


def test_every_kernel_type_has_rows_of_its_own_after_all():
    rows = board([evaluated("constant", off_by(0.1)), evaluated("good", off_by(0.9))])
    assert [(row.score.kernel, row.predictor) for row in rows] == [
        ("all", "good"), ("all", "constant"), ("relu", "good"), ("relu", "constant"), ("fc", "good"), ("fc", "constant")
    ]  # fmt: skip


def test_failure_is_a_row_with_its_reason():
    rows = board([evaluated("constant", off_by(0.1)), evaluated("broken", reason="gave NaN for 3 of 3 rows")])
    row = rows[1].as_json()
    assert (row["predictor"], row["kernel"], row["status"]) == ("broken", "all", "failed")
    assert row["reason"] == "gave NaN for 3 of 3 rows"
    assert row["within_10"] is row["rank"] is row["coverage"] is row["within_10_ci95"] is None
    assert row["n"] == 0


def test_board_of_failures_alone_still_builds():
    rows = board([evaluated("broken", reason="raised ValueError: no"), evaluated("hung", reason="ran longer")])
    assert [row.predictor for row in rows] == ["broken", "hung"]
    assert notes_on(rows) == []


def test_difference_to_the_baseline_and_to_the_best_has_an_interval():
    rows = board([evaluated("constant", off_by(0.1)), evaluated("good", off_by(0.9)), evaluated("fair", off_by(0.5))])
    of_fair = next(row.as_json() for row in rows if row.predictor == "fair")["differences"]
    assert [found["to"] for found in of_fair] == ["constant", "good"]
    above, below = of_fair
    assert above["within_10"] == pytest.approx(0.4)
    assert above["ci95"][0] > 0 > below["ci95"][1]
    of_best = next(row.as_json() for row in rows if row.predictor == "good")["differences"]
    assert [found["to"] for found in of_best] == ["constant"]
    assert [(row.predictor, row.standing.to_best is None) for row in rows[:3]] == [
        ("good", True), ("fair", False), ("constant", False)
    ]  # fmt: skip


def scored_rows(rows):
    return next(by_kernel(rows))[1]


def test_pair_is_compared_on_all_rows_that_are_held_out():
    # It supports the first half only, on which the other is always right.
    half = np.where(np.arange(120) < 60, 3 * ACTUAL, np.nan)
    other = np.where(np.arange(120) < 60, ACTUAL, 3 * ACTUAL)
    covered = {"covered_kernels": np.isfinite(half), "covered_flops": np.isfinite(half)}
    parts = {"half": scored_rows(rows_of(ACTUAL, half, **covered)), "other": scored_rows(rows_of(ACTUAL, other))}
    found = compare(parts)
    assert found["half"].differences["other"].value == -0.5
    assert (found["other"].rank, found["half"].rank) == (1, 2)


def test_predictors_without_a_row_in_common_are_compared_by_what_they_cover():
    masks = {"one": np.arange(120) < 90, "other": np.arange(120) >= 90}
    parts = {
        key: scored_rows(rows_of(ACTUAL, np.where(mask, ACTUAL, np.nan), covered_kernels=mask, covered_flops=mask))
        for key, mask in masks.items()
    }
    found = compare(parts)
    assert (found["one"].rank, found["other"].rank) == (1, 2)
    assert found["other"].differences["one"].value == -0.5


def test_board_says_where_nobody_is_better_than_the_constant():
    lucky = board([evaluated("constant", off_by(0.3, 1)), evaluated("lucky", off_by(0.32, 2))])
    assert notes_on(lucky) == [
        "ACME-M4.rev_2, CPU 1, fp32, published: no predictor is significantly better than constant"
    ]
    good = board([evaluated("constant", off_by(0.3)), evaluated("good", off_by(0.9))])
    assert notes_on(good) == []
    assert notes_on(board([evaluated("constant", off_by(0.3))])) == []


def test_json_row_has_every_declared_key():
    row = board([evaluated("constant", off_by(0.3))])[0].as_json()
    expected = (
        "predictor device_id kernel split n n_test n_twin_free coverage within_5 within_10 within_15 macro_within_10 "
        "twin_free_within_10 mape median_log_error energy_weighted_error rmspe rmse_mj spearman resolution_mj "
        "within_10_ci95 fit_s predict_rows_per_s status delegate dtype reason ties interval_coverage differences "
        "confinement"
    )
    assert set(expected.split()) <= set(row)
    assert row["within_10"] == pytest.approx(0.3)
    low, high = row["within_10_ci95"]
    assert low < 0.3 < high


@pytest.mark.parametrize("missing", [(), ("Landlock: Function not implemented",)], ids=["confined", "unconfined"])
def test_board_says_what_confined_a_predictor_and_warns_where_a_part_was_missing(missing):
    one = evaluated("constant", off_by(0.3))
    confinement = Confinement(("seccomp", "limits"), missing)
    rows = board([Evaluation(one.result.model_copy(update={"confinement": confinement}), one.rows)])
    assert rows[0].as_json()["confinement"] == {"parts": ("seccomp", "limits"), "missing": missing}
    shown = next(column for column in COLUMNS if column.key == "confinement").value(rows[0])
    warning = "not confined (Landlock: Function not implemented); only seccomp, limits"
    assert shown == (warning if missing else "seccomp, limits")
    assert notes_on(rows) == ([f"constant on {SUBJECT.device_id} ran {warning}"] if missing else [])


def test_shares_of_few_rows_are_shown_as_counts_and_stay_numbers_in_json():
    right = np.where(np.arange(7) < 5, 1.0, 3.0) * np.arange(1.0, 8.0)
    rows = rows_of(np.arange(1.0, 8.0), right, is_twin=[1.0] * 4 + [0.0] * 3)
    split = SplitResult(split="published", status="ok", leaks=LEAKS, scores=scores(rows, "kernels", 0))
    one = evaluated("constant", off_by(0.1))
    (row, _) = board([Evaluation(one.result.model_copy(update={"splits": [split]}), rows)])
    few = [column for column in COLUMNS if column.is_of_few(row) and column.value(row) is not None]
    assert {column.key: column.in_count(column.value(row), row) for column in few} == {
        "within_10": "5 of 7", "within_5": "5 of 7", "within_15": "5 of 7", "macro_within_10": "",
        "twin_free_within_10": "1 of 3", "coverage": "7 of 7",
    }  # fmt: skip
    found = row.as_json()
    assert (found["within_10"], found["n"], found["n_test"], found["n_twin_free"]) == (pytest.approx(5 / 7), 7, 7, 3)
