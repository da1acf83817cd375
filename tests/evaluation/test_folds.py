import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evaluation.folds import (
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


@pytest.mark.parametrize("columns", UNSEEN.values(), ids=UNSEEN)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_unseen_values_are_on_one_side(columns, seed):
    frame = kernels(320)
    held_out = unseen(frame, columns, seed)
    values = frame[list(columns)].fillna(0).apply(tuple, axis=1)
    assert not set(values[held_out]) & set(values[~held_out])
    has_any = frame[list(columns)].notna().any(axis=1)
    assert not held_out[~has_any].any()
    assert 0 < held_out.sum() <= 0.4 * has_any.sum()


def test_value_of_most_rows_stays_in_training():
    frame = pd.DataFrame({"kernel_h": [3.0] * 9 + [5.0], "kernel_w": [3.0] * 9 + [5.0]})
    for seed in range(4):
        assert unseen(frame, ("kernel_h", "kernel_w"), seed).tolist() == [False] * 9 + [True]


def test_nothing_is_held_out_of_kernels_without_the_extent():
    frame = pd.DataFrame({"kernel_h": [np.nan] * 3, "kernel_w": [np.nan] * 3})
    assert not unseen(frame, ("kernel_h", "kernel_w"), 0).any()


@pytest.mark.parametrize("seed", [0, 1])
def test_a_fifth_of_rows_with_values_of_their_own_is_held_out(seed):
    frame = pd.DataFrame({"cin": np.arange(1.0, 101.0)})
    assert unseen(frame, ("cin",), seed).sum() == 20


@pytest.mark.parametrize(("n_of_value", "n_held_out"), [(40, 40), (41, 0)])
def test_value_of_up_to_four_tenths_of_the_rows_is_held_out(n_of_value, n_held_out):
    frame = pd.DataFrame({"cin": [1.0] * n_of_value + [2.0] * (100 - n_of_value)})
    for seed in range(4):
        assert unseen(frame, ("cin",), seed).sum() == n_held_out


@pytest.mark.parametrize(("n", "n_held_out"), [(9, 0), (10, 1), (19, 1), (20, 2)])
def test_largest_flops_hold_out_one_configuration_of_every_ten(n, n_held_out):
    assert largest_flops(kernels(n, types=("relu",)), np.arange(n)).sum() == n_held_out
