import numpy as np
import pytest

from harness.evaluation.network_splits import (
    FIVE_FOLD,
    N_DRAWS,
    N_MEASURED,
    ONE_FAMILY,
    ONE_NETWORK,
    SCOPES,
    SPLITS,
    UNSEEN_BOARD,
    candidates_of,
    designed,
    few_shot,
    folds_of,
)
from tests.evaluation.measured import BOARDS, N_NETWORKS, network_table

TABLE = network_table()
PAIR = ["network", "dtype"]


def folds(scope, split=None, table=TABLE):
    return [fold for fold in folds_of(table, scope, 0) if split in (None, fold.split)]


def sides(fold, table=TABLE):
    return table[fold.train], table[fold.test]


def keys(rows, *columns):
    return set(rows[list(columns)].itertuples(index=False, name=None))


def test_a_row_is_trained_on_or_tested_and_never_both():
    for scope in SCOPES:
        for fold in folds(scope):
            assert not (fold.train & fold.test).any()
            assert (fold.train | fold.test).all()
            assert fold.test.any()


def test_tested_networks_are_measured_nowhere():
    for fold in folds("nowhere"):
        train, test = sides(fold)
        assert not keys(train, *PAIR) & keys(test, *PAIR)


def test_tested_networks_are_measured_on_no_system_of_their_board():
    for fold in folds("other-boards"):
        train, test = sides(fold)
        assert not keys(train, *PAIR, "device_id") & keys(test, *PAIR, "device_id")


def test_tested_networks_are_measured_on_other_boards():
    for fold in folds("other-boards"):
        train, test = sides(fold)
        assert keys(test, *PAIR) <= keys(train, *PAIR)


def test_tested_networks_are_not_measured_on_their_own_system():
    for fold in folds("other-systems"):
        train, test = sides(fold)
        assert not keys(train, *PAIR, "system_id") & keys(test, *PAIR, "system_id")


def test_tested_networks_are_measured_on_another_system_of_the_board():
    for fold in folds("other-systems"):
        train, test = sides(fold)
        several = test[test["device_id"].map(lambda device: len(BOARDS[device]) > 1)]
        assert keys(several, *PAIR, "device_id") <= keys(train, *PAIR, "device_id")


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("split", [FIVE_FOLD, ONE_FAMILY, ONE_NETWORK])
def test_a_network_is_held_out_in_all_its_data_types(scope, split):
    for fold in folds(scope, split):
        train, test = sides(fold)
        assert not keys(train, "network", "system_id") & keys(test, "network", "system_id")


def test_the_held_out_family_is_on_no_system_of_the_tested_board():
    for fold in folds("other-boards", ONE_FAMILY):
        train, test = sides(fold)
        (family,), (board,) = set(test["family"]), set(test["device_id"])
        assert not ((train["family"] == family) & (train["device_id"] == board)).any()


def test_an_unseen_board_has_no_row_to_train_on():
    found = folds("other-boards", UNSEEN_BOARD)
    assert len(found) == len(BOARDS)
    for fold in found:
        train, test = sides(fold)
        (board,) = set(test["device_id"])
        assert board not in set(train["device_id"])
        assert set(test["system_id"]) == {f"{board}--{stack}" for stack in BOARDS[board]}


@pytest.mark.parametrize("scope", SCOPES)
def test_every_row_is_tested_once_in_each_split_that_leaves_out(scope):
    for split in (FIVE_FOLD, ONE_FAMILY, ONE_NETWORK, UNSEEN_BOARD):
        found = folds(scope, split)
        if found:
            assert (np.sum([fold.test for fold in found], axis=0) == 1).all()


@pytest.mark.parametrize("count", N_MEASURED)
@pytest.mark.parametrize("way", ["random", "designed"])
def test_few_shot_measures_the_same_networks_on_every_system(count, way):
    found = folds("nowhere", few_shot(count, way))
    assert len(found) == (N_DRAWS if way == "random" else 1)
    for fold in found:
        train, _ = sides(fold)
        assert (train.groupby("system_id").size() == count).all()
        assert len(keys(train, *PAIR)) == count


def test_few_shot_on_a_board_knows_all_networks_of_the_others():
    for fold in folds("other-boards", few_shot(5, "designed")):
        train, test = sides(fold)
        (board,) = set(test["device_id"])
        assert (train[train["device_id"] == board].groupby("system_id").size() == 5).all()
        assert (train[train["device_id"] != board].groupby("system_id").size() == 2 * N_NETWORKS).all()


def test_random_draws_differ_and_repeat_themselves():
    first, second = (fold.test for fold in folds("nowhere", few_shot(10, "random"))[:2])
    assert (first != second).any()
    assert (first == folds("nowhere", few_shot(10, "random"))[0].test).all()


def test_a_network_that_a_system_lacks_is_no_candidate():
    short = TABLE[~((TABLE["network"] == "network-00") & (TABLE["system_id"] == "board-b--one"))]
    assert len(candidates_of(short)) == 2 * (N_NETWORKS - 1)
    assert "network-00" not in set(candidates_of(short)["network"])


def test_designed_networks_are_far_from_each_other():
    candidates = candidates_of(TABLE)
    chosen = designed(candidates, 10)
    assert len(set(chosen.tolist())) == 10
    assert {"fp32", "int8"} == set(candidates.iloc[chosen]["dtype"])
    logs = np.log(candidates["flops"].to_numpy())
    assert np.ptp(logs[chosen]) > 0.5 * np.ptp(logs)


def test_designed_networks_do_not_depend_on_energies():
    candidates = candidates_of(TABLE)
    turned = candidates.assign(energy_mj=candidates["energy_mj"].to_numpy()[::-1])
    assert (designed(candidates, 10) == designed(turned, 10)).all()


def test_folds_do_not_depend_on_energies():
    other = TABLE.assign(energy_mj=1.0, latency_ms=1.0)
    for scope in SCOPES:
        pairs = zip(folds(scope), folds(scope, table=other), strict=True)
        assert all((one.test == two.test).all() for one, two in pairs)


def test_every_split_is_named():
    assert {fold.split for scope in SCOPES for fold in folds(scope)} == set(SPLITS)


def test_few_networks_have_no_few_shot_split_of_more():
    few = network_table(4)
    assert few_shot(10, "designed") not in {fold.split for fold in folds("nowhere", table=few)}
    assert few_shot(5, "designed") in {fold.split for fold in folds("nowhere", table=few)}


def test_one_network_is_left_out_on_every_board_by_turns():
    for fold in folds("other-boards", ONE_NETWORK):
        _, test = sides(fold)
        assert (test.groupby("device_id")["network"].nunique() == 1).all()
        assert test["network"].nunique() == len(BOARDS)
