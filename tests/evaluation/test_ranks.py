import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from harness.evaluation.comparison import compare
from harness.evaluation.ranks import critical_value, pairwise_differences, ranks, widest_by_chance
from harness.evaluation.scores import by_kernel
from tests.evaluation.test_scores import rows_of

SOME = settings(max_examples=150, deadline=None)
KEYS = ("constant", "one", "two", "three")


@st.composite
def predictions(draw):
    """What four predictors say of rows in groups: right, wrong, or nothing; some are much better than others."""
    n = draw(st.integers(1, 60))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    right, covered = (draw(st.lists(st.floats(0, 1), min_size=4, max_size=4)) for _ in range(2))
    said = np.where(generator.random((n, 4)) < right, 1.0, 2.0)
    said[generator.random((n, 4)) > covered] = np.nan
    return said, generator.integers(0, n, n)


def standings(said, groups, repeats=None):
    """Standings of predictors whose predictions of rows of 1 mJ are given, shape `(n, 4)`."""
    parts = {}
    for key, predicted in zip(KEYS, said.T, strict=True):
        covered = np.isfinite(predicted).astype(float)
        names = [f"g{group:03}" for group in groups]
        rows = rows_of(np.ones(len(said)), predicted, group=names, covered_kernels=covered, covered_flops=covered)
        parts[key] = next(by_kernel(rows))[1]
    return compare(parts)


@SOME
@given(predictions())
def test_whoever_is_significantly_better_has_a_better_rank_and_all_pairs_are_consistent(rows):
    said, groups = rows
    hits = (said == 1.0).astype(float)
    table = pairwise_differences(hits, np.unique(groups, return_inverse=True)[1])
    of_rank = ranks(table)
    for one in range(4):
        for other in range(4):
            if table[one][other].is_above:
                assert of_rank[one] < of_rank[other]
                assert hits[:, one].mean() > hits[:, other].mean()
                for third in range(4):
                    assert not table[other][third].is_above or table[one][third].is_above


@SOME
@given(predictions())
def test_order_of_the_standings_is_that_of_the_ranks_and_ties_are_mutual(rows):
    found = standings(*rows)
    of_rank = [standing.rank for standing in found.values()]
    assert of_rank == sorted(of_rank)
    for key, standing in found.items():
        assert set(standing.ties) == {other for other in found if other != key and found[other].rank == standing.rank}
    # The first is the best: nobody has a larger share of all rows.
    shares = dict(zip(KEYS, np.mean(rows[0] == 1.0, axis=0), strict=True))
    assert not found or shares[next(iter(found))] == max(shares[key] for key in found)


@SOME
@given(
    predictions(), st.lists(st.sampled_from([1.0, 2.0, np.nan]), min_size=4, max_size=4), st.integers(0, 3), st.data()
)
def test_row_that_a_predictor_does_not_cover_never_raises_its_rank(rows, others, place, data):
    said, groups = rows
    more = np.array(others)
    more[place] = np.nan
    group = data.draw(st.sampled_from([*sorted(set(groups.tolist())), len(groups)]))
    before = standings(said, groups).get(KEYS[place])
    after = standings(np.vstack([said, more]), np.append(groups, group)).get(KEYS[place])
    if before is not None:
        assert after.rank >= before.rank


@SOME
@given(predictions(), st.integers(0, 3))
def test_covering_fewer_rows_never_raises_a_rank(rows, place):
    said, groups = rows
    fewer = said.copy()
    fewer[::2, place] = np.nan
    before, after = (standings(one, groups).get(KEYS[place]) for one in (said, fewer))
    if before is not None and after is not None:
        assert after.rank >= before.rank


@pytest.mark.parametrize(("n_predictors", "fewest"), [(2, 6), (3, 8), (6, 11)])
def test_so_many_groups_in_agreement_are_needed_as_the_sign_test_needs_for_all_pairs(n_predictors, fewest):
    critical = critical_value(n_predictors)
    few, enough = (widest_by_chance(np.ones(n), critical) >= n for n in (fewest - 1, fewest))
    assert few
    assert not enough
    # With one group fewer than are needed by the bound, the exact test is at most just significant.
    n_tests = n_predictors * (n_predictors - 1)
    assert n_tests * binom.pmf(fewest, fewest, 0.5) < 0.05


@pytest.mark.parametrize("heavy", [0, 3])
def test_alike_predictors_are_hardly_ever_separated(heavy):
    """Of 2,000 tables of six predictors that differ by chance, far fewer than 5 % have any difference."""
    generator = np.random.default_rng(0)
    n_separated = 0
    for _ in range(2_000):
        hits = (generator.random((40, 6)) < 0.5).astype(float)
        groups = np.arange(40) // (1 + heavy)
        table = pairwise_differences(hits, groups)
        n_separated += any(each.is_above for row in table for each in row)
    assert n_separated <= 0.05 * 2_000


def test_difference_between_many_rows_is_found():
    generator = np.random.default_rng(1)
    hits = (generator.random((900, 6)) < [0.7, 0.7, 0.58, 0.3, 0.1, 0.01]).astype(float)
    assert ranks(pairwise_differences(hits, np.arange(900))) == [1, 1, 3, 4, 5, 6]


def test_one_heavy_group_separates_nobody():
    hits = np.column_stack([np.ones(50), np.zeros(50)])
    assert ranks(pairwise_differences(hits, np.zeros(50, dtype=np.int64))) == [1, 1]
    assert ranks(pairwise_differences(hits, np.arange(50))) == [1, 2]


@SOME
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=40), st.floats(1.5, 4))
def test_bound_is_the_least_over_all_ways_to_part_the_differences(values, critical):
    sizes = np.sort(np.abs(values))[::-1]
    found = widest_by_chance(np.array(values), critical)
    assert found <= (1 + 1e-8) * min(sizes.sum(), critical * np.linalg.norm(sizes)) + 1e-12
    # Parting every size at one level is the best of all ways.
    levels = np.linspace(0, sizes[0], 400)
    kept = np.minimum(sizes, levels[:, None])
    parted = (sizes - kept).sum(axis=1) + critical * np.linalg.norm(kept, axis=1)
    assert found == pytest.approx(parted.min(), rel=2e-2, abs=1e-9)
