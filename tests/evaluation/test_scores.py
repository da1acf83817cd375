import numpy as np
import pandas as pd
import pytest

from harness.evaluation.plans import ROWS
from harness.evaluation.scores import by_kernel, scores


def rows_of(actual, predicted, **columns):
    """Rows of one repeat; everything that is not given is as it is for kernels that are covered."""
    n = len(actual)
    plain = {
        "split": "published", "repeat": 0, "row": [f"r{number:03}" for number in range(n)], "kernel": "relu",
        "group": [f"g{number:03}" for number in range(n)], "actual_mj": actual, "predicted_mj": predicted,
        "n_kernels": 1, "flops": 1.0, "covered_kernels": 1.0, "covered_flops": 1.0, "missing_mj": 0.0, "is_twin": 0.0,
    }  # fmt: skip
    return pd.DataFrame({name: (plain | columns).get(name, np.nan) for name in ROWS}, index=range(n))


def test_scores_are_over_all_rows_and_then_over_each_kernel_type():
    rows = rows_of([1.0, 1.0, 1.0], [1.0, 1.05, 2.0], kernel=["relu", "fc", "fc"])
    found = {score.kernel: (score.n, score.measures["within_10"]) for score in scores(rows, "kernels", 0)}
    assert found == {"all": (3, pytest.approx(2 / 3)), "relu": (1, 1.0), "fc": (2, 0.5)}
    assert next(by_kernel(rows))[0] == "all"


def test_uncovered_rows_lower_coverage_and_shares_and_leave_the_errors_alone():
    rows = rows_of(
        [1.0, 1.0, 9.0], [1.0, 1.0, np.nan], covered_kernels=[1, 1, 0], covered_flops=[1, 1, 0], flops=[1, 1, 2]
    )
    score = scores(rows, "kernels", 0)[0]
    assert (score.n, score.n_test) == (2, 3)
    assert score.coverage == pytest.approx(2 / 3)
    assert score.coverage_flops == pytest.approx(0.5)
    assert (score.measures["within_10"], score.measures["mape"]) == (pytest.approx(2 / 3), 0)


def test_mean_over_types_counts_a_type_that_is_not_covered_as_0_and_each_type_once():
    covered = [1, 1, 1, 0]
    rows = rows_of(
        [1.0] * 4, [1.0, 1.0, 1.0, np.nan], kernel=["relu"] * 3 + ["fc"], covered_kernels=covered, covered_flops=covered
    )
    found = {score.kernel: score.measures for score in scores(rows, "kernels", 0)}
    assert found["all"]["within_10"] == pytest.approx(3 / 4)
    assert [found[kernel]["macro_within_10"] for kernel in ("all", "relu", "fc")] == [0.5, 1, 0]


def test_networks_have_no_kernel_types_and_no_twins():
    score = scores(rows_of([1.0], [1.0], kernel="all", is_twin=np.nan), "models", 0)[0]
    assert score.measures["macro_within_10"] is score.measures["twin_free_within_10"] is score.n_twin_free is None
    assert score.measures["within_10"] == 1


def test_rows_without_a_twin_have_a_share_of_their_own():
    rows = rows_of([1.0] * 4, [1.0, 1.0, 1.0, 3.0], is_twin=[1.0, 1.0, 0.0, 0.0])
    score = scores(rows, "kernels", 0)[0]
    assert (score.measures["within_10"], score.measures["twin_free_within_10"], score.n_twin_free) == (0.75, 0.5, 2)


def test_row_that_is_a_twin_in_one_repeat_counts_in_the_other():
    one = rows_of([1.0, 1.0], [1.0, 3.0], is_twin=[0.0, 1.0])
    other = rows_of([1.0, 1.0], [3.0, 1.0], is_twin=[0.0, 0.0], repeat=1)
    score = scores(pd.concat([one, other], ignore_index=True), "kernels", 0)[0]
    assert (score.measures["twin_free_within_10"], score.n_twin_free) == (pytest.approx(2 / 3), 1.5)


def test_share_without_twins_is_as_uncertain_as_its_rows_are_few():
    rows = rows_of([1.0] * 40, [1.0] * 40, is_twin=[1.0] * 30 + [0.0] * 10)
    ci95 = scores(rows, "kernels", 0)[0].ci95
    assert ci95["twin_free_within_10"] == pytest.approx((0.025 ** (1 / 10), 1))
    assert ci95["within_10"] == pytest.approx((0.025 ** (1 / 40), 1))
    # All types are right in every resample, which makes the mean over them no certainty.
    assert ci95["macro_within_10"] is None


def test_nothing_covered_has_no_errors_and_a_coverage_of_zero():
    rows = rows_of([1.0, 2.0], [np.nan, np.nan], covered_kernels=0.0, covered_flops=0.0)
    score = scores(rows, "kernels", 0)[0]
    assert (score.n, score.n_test, score.coverage) == (0, 2, 0)
    assert (score.measures["within_10"], score.measures["mape"]) == (0, None)
    assert set(score.ci95.values()) == {None}


def test_repeats_of_a_row_are_one_row():
    one, other = rows_of([1.0, 2.0], [1.0, 2.0]), rows_of([1.0, 2.0], [2.0, 2.0], repeat=1)
    rows = pd.concat([other, one], ignore_index=True).sample(frac=1, random_state=0)
    _, part = next(by_kernel(rows))
    assert part.predicted_mj.tolist() == [[1.0, 2.0], [2.0, 2.0]]
    score = scores(rows, "kernels", 0)[0]
    assert (score.n, score.measures["within_10"]) == (2, pytest.approx(0.75))


def test_row_that_one_repeat_does_not_cover_is_a_miss_there():
    one, other = rows_of([1.0, 2.0], [1.0, 2.0]), rows_of([1.0, 2.0], [1.0, np.nan], repeat=1, covered_kernels=[1, 0])
    score = scores(pd.concat([one, other], ignore_index=True), "kernels", 0)[0]
    assert (score.n, score.n_test) == (1, 2)
    assert score.coverage == score.measures["within_10"] == pytest.approx(3 / 4)


def test_intervals_of_a_predictor_are_held_against_the_energies():
    bounds = {"low_80": [0.9, 2.5], "high_80": [1.1, 3.0], "low_95": [0.5, 0.5], "high_95": [3.0, 3.0]}
    score = scores(rows_of([1.0, 2.0], [1.0, 2.0], **bounds), "kernels", 0)[0]
    assert score.interval_coverage == {"80": 0.5, "95": 1.0}


def test_intervals_of_rows_that_are_not_scored_are_held_against_nothing():
    bounds = {"low_90": [0.9, 0.9], "high_90": [1.1, 1.1], "covered_kernels": [1.0, 0.9], "covered_flops": [1.0, 0.8]}
    score = scores(rows_of([1.0, 2.0], [1.0, 1.0], **bounds), "models", 0)[0]
    assert (score.n, score.interval_coverage) == (1, {"90": 1.0})


def test_kernels_without_flops_have_no_share_of_them():
    score = scores(rows_of([1.0], [1.0], flops=0.0), "kernels", 0)[0]
    assert (score.coverage, score.coverage_flops) == (1, None)


def test_error_of_a_sum_is_that_of_its_kernels_and_of_what_is_missing():
    # What is missing takes half of the energy; the rest is predicted as 40 % too much.
    rows = rows_of([10.0], [7.0], kernel="all", n_kernels=4, covered_kernels=0.75, covered_flops=0.8, missing_mj=5.0)
    score = scores(rows, "models", 0)[0]
    assert score.kernel_error == pytest.approx(20)
    assert score.coverage_error == pytest.approx(50)
    assert (score.n, score.n_test) == (0, 1)
    # Where all is covered, the kernels make the whole error.
    whole = scores(rows_of([10.0, 20.0], [7.0, 22.0], kernel="all"), "models", 0)[0]
    assert whole.kernel_error == pytest.approx(whole.measures["mape"])
    assert whole.coverage_error == 0


@pytest.mark.parametrize(("covered", "n"), [(0.8999, 0), (0.9, 1), (1.0, 1)])
def test_sum_is_scored_where_nine_tenths_of_the_flops_are_covered(covered, n):
    assert scores(rows_of([10.0], [9.0], kernel="all", covered_flops=covered), "models", 0)[0].n == n
