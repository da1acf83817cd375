"""Designed choices of kernels: whole, in order, and better than chance for what is asked."""

import numpy as np
import pytest

from harness.errors import UsageError
from harness.planning.design import design
from harness.predictor.conformance import sample_kernels

TYPES = ["conv-bn-relu"] * 40 + ["dwconv-bn-relu"] * 15 + ["fc"] * 5
POOL = sample_kernels(TYPES, 0)
ASKED = sample_kernels(TYPES, 1)


def types_of(chosen):
    return POOL["kernel"].iloc[chosen].to_list()


def test_choice_has_every_kernel_once_and_is_the_same_again():
    chosen = design(POOL, ASKED, len(POOL))
    assert sorted(chosen) == list(range(len(POOL)))
    assert design(POOL, ASKED, len(POOL)).tolist() == chosen.tolist()


def test_order_of_candidates_does_not_matter():
    order = np.random.default_rng(0).permutation(len(POOL))
    chosen = design(POOL.iloc[order].reset_index(drop=True), ASKED, 12)
    assert order[chosen].tolist() == design(POOL, ASKED, 12).tolist()


def test_every_type_that_is_asked_has_a_row_where_rows_are_as_many():
    assert set(types_of(design(POOL, ASKED, 3))) == set(TYPES)


def test_weights_decide_what_is_measured():
    weights = np.where(ASKED["kernel"] == "fc", 1.0, 0.0)
    assert types_of(design(POOL, ASKED, 1, weights=weights)) == ["fc"]
    assert design(POOL, ASKED, 8, weights=np.full(len(ASKED), 0.5)).tolist() == design(POOL, ASKED, 8).tolist()


@pytest.mark.parametrize(
    ("n_rows", "targets", "weights", "message"),
    [
        (0, ASKED, None, "0 rows to choose; expected 1 to 60"),
        (61, ASKED, None, "61 rows to choose; expected 1 to 60"),
        (5, ASKED.iloc[:0], None, "no kernel is asked for"),
        (5, ASKED, np.ones(3), r"weights of shape \(3,\)"),
        (5, ASKED, np.zeros(len(ASKED)), "all 0"),
    ],
)
def test_what_cannot_be_chosen_is_refused(n_rows, targets, weights, message):
    with pytest.raises(UsageError, match=message):
        design(POOL, targets, n_rows, weights=weights)
