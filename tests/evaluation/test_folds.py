import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evaluation.folds import (
    ALWAYS_TRAINED,
    MOST_FOLDS,
    N_FOLDS,
    N_REPEATS,
    UNSEEN,
    largest_flops,
    numbered,
    repeated_folds,
    unseen,
)

FEW = settings(max_examples=30)


def kernels(n, types=("conv-bn-relu", "relu", "split")):
    """Kernels at random, of some types in turn; those without a window have neither cout nor kernel size."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.integers(1, 40, n).astype(float) for name in ("cin", "input_h", "flops")})
    kernel = pd.Series([types[number % len(types)] for number in range(n)])
    has_window = kernel == "conv-bn-relu"
    window = pd.Series(1.0 + 2 * rng.integers(0, 5, n)).where(has_window)
    return frame.assign(
        kernel=kernel,
        input_w=frame["input_h"],
        cout=pd.Series(rng.integers(1, 9, n).astype(float)).where(has_window),
        cin2=np.nan,
        cin3=np.nan,
        cin4=np.nan,
        kernel_h=window,
        kernel_w=window,
        flops=frame["flops"].where(kernel != "split", 0),
        bytes_moved=rng.integers(1, 1000, n),
    )


def strata_of(groups, n_strata=3):
    return pd.Series([f"type-{group % n_strata}" for group in groups])


@FEW
@given(st.lists(st.integers(0, 30), min_size=1, max_size=80), st.integers(0, 5))
def test_folds_keep_groups_whole_and_hold_every_row_out_once(values, seed):
    groups = numbered(np.array(values, dtype=str))
    folds = repeated_folds(groups, strata_of(groups), seed)
    assert folds.shape == (N_REPEATS, len(values))
    n_groups = len(set(values))
    for repeat in folds:
        assert set(repeat) == set(range(min(N_FOLDS, n_groups)))
        for group in set(groups):
            assert len(set(repeat[groups == group])) == 1


def test_folds_spread_every_stratum_evenly():
    groups = np.arange(103)
    strata = strata_of(groups)
    for repeat in repeated_folds(groups, strata, 0):
        for stratum in set(strata):
            sizes = np.bincount(repeat[strata == stratum], minlength=N_FOLDS)
            assert sizes.max() - sizes.min() <= 1


def test_repeats_differ_and_the_seed_decides():
    groups = np.arange(50)
    folds = repeated_folds(groups, strata_of(groups), 0)
    assert len({tuple(repeat) for repeat in folds}) == N_REPEATS
    assert (folds == repeated_folds(groups, strata_of(groups), 0)).all()
    assert (folds != repeated_folds(groups, strata_of(groups), 1)).any()


def test_largest_flops_are_a_tenth_of_every_type():
    frame = kernels(320)
    groups = np.arange(320)
    held_out = largest_flops(frame, groups)
    for _, part in frame.groupby("kernel"):
        out = held_out[part.index]
        assert out.sum() == len(part) // 10
        assert part["flops"][out].min() >= part["flops"][~out].max()


def test_largest_flops_go_by_configuration_not_by_row():
    frame = pd.concat([kernels(20, types=("relu",))] * 2, ignore_index=True)
    groups = np.tile(np.arange(20), 2)
    held_out = largest_flops(frame, groups)
    assert held_out.sum() == 4
    assert (held_out[:20] == held_out[20:]).all()


def test_type_without_flops_goes_by_bytes():
    frame = kernels(30, types=("split",))
    held_out = largest_flops(frame, np.arange(30))
    assert frame["bytes_moved"][held_out].min() >= frame["bytes_moved"][~held_out].max()


VALUES = st.lists(st.sampled_from([0, 1, 3, 5, *range(20, 40)]), min_size=1, max_size=80)


@FEW
@given(VALUES, st.integers(0, 5))
def test_every_value_is_held_out_once_with_all_its_rows(values, seed):
    frame = pd.DataFrame({"kernel_h": values, "kernel_w": values}).replace(0, np.nan).astype(float)
    found = unseen(frame, ("kernel_h", "kernel_w"), seed)
    has_value = np.array(values) > 0
    assert (found.fold[~has_value] == ALWAYS_TRAINED).all()
    known = set(values) - {0}
    assert found.n_values == len(known)
    assert set(found.fold[has_value]) == set(range(len(known) if len(known) <= MOST_FOLDS else N_FOLDS))
    for value in known:
        rows = np.array(values) == value
        assert len(set(found.fold[rows])) == 1
        assert set(found.value[rows]) == {f"{value}x{value}"}


@pytest.mark.parametrize("columns", UNSEEN.values(), ids=UNSEEN)
def test_no_value_is_on_both_sides_of_a_fold(columns):
    frame = kernels(320)
    fold = unseen(frame, columns, 0).fold
    values = frame[list(columns)].fillna(0).apply(tuple, axis=1)
    for number in range(fold.max() + 1):
        assert not set(values[fold == number]) & set(values[fold != number])


def test_few_values_have_a_fold_each_and_many_are_spread_evenly():
    few, many = (pd.DataFrame({"cin": np.arange(120.0) % n_values + 1}) for n_values in (MOST_FOLDS, 40))
    assert np.bincount(unseen(few, ("cin",), 0).fold).tolist() == [15] * MOST_FOLDS
    assert np.bincount(unseen(many, ("cin",), 0).fold).tolist() == [24] * N_FOLDS


def test_value_of_most_rows_is_held_out_like_any_other():
    frame = pd.DataFrame({"cin": [1.0] * 90 + [float(value) for value in range(2, 12)]})
    fold = unseen(frame, ("cin",), 0).fold
    assert sorted(np.bincount(fold).tolist()) == [2, 2, 3, 3, 90]


def test_values_of_one_column_alone_are_values():
    frame = pd.DataFrame({"cin": [8.0, 8.0, np.nan], "cout": [np.nan, 16.0, 16.0]})
    found = unseen(frame, ("cin", "cout"), 0)
    assert found.value.tolist() == ["8x0", "8x16", "0x16"]
    assert sorted(found.fold) == [0, 1, 2]


def test_order_of_rows_moves_no_value():
    frame = kernels(320)
    there, back = (unseen(rows, UNSEEN["unseen-channels"], 0).fold for rows in (frame, frame[::-1]))
    assert there.tolist() == back[::-1].tolist()
    assert unseen(frame, UNSEEN["unseen-channels"], 1).fold.tolist() != there.tolist()


@pytest.mark.parametrize(("n", "n_held_out"), [(9, 0), (10, 1), (19, 1), (20, 2)])
def test_largest_flops_hold_out_one_configuration_of_every_ten(n, n_held_out):
    assert largest_flops(kernels(n, types=("relu",)), np.arange(n)).sum() == n_held_out
