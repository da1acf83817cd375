import numpy as np
import pytest

from harness.predictor.features import FEATURES
from harness.predictor.networks import LATENCY, NETWORK_FEATURES
from predictors._elsewhere import completed, elsewhere
from predictors._networks import non_negative, terms_of
from predictors.latency_features.model import Model as LatencyFeatures
from predictors.latency_power.model import Model as LatencyPower
from predictors.network_flops.model import Model as Flops
from predictors.network_roofline.model import Model as Roofline
from predictors.network_transfer.model import Model as Transfer
from predictors.other_boards.model import Model as OtherBoards
from tests.evaluation.measured import network_table

NO_KERNELS = network_table(1)[[]].reindex(columns=[*FEATURES, "energy_mj"])[:0]
TABLE = network_table(20)
SYSTEM = "board-b--one"


def sides(table=TABLE, n_known=8, system=SYSTEM):
    """Networks to fit on, of which a system has few, and the others on that system."""
    is_tested = (table["system_id"] == system) & (table["network"] >= f"network-{n_known:02}")
    train, test = (table[chosen].reset_index(drop=True) for chosen in (~is_tested, is_tested))
    return train, test


def errors(model, train, test, *more):
    """Relative error of each network."""
    fitted = model.fit(NO_KERNELS, train[[*NETWORK_FEATURES, *more, "energy_mj"]])
    return np.abs(fitted.predict_networks(test[[*NETWORK_FEATURES, *more]]) / test["energy_mj"].to_numpy() - 1)


def test_energies_that_are_linear_in_flops_are_found():
    assert errors(Flops(), *sides()).max() < 1e-3


def test_each_data_type_has_a_line_of_its_own():
    model = Flops().fit(NO_KERNELS, TABLE)
    lines = model.models_[SYSTEM]
    assert lines["int8"][1] == pytest.approx(0.3 * lines["fp32"][1], rel=1e-3)


def test_energies_that_are_sums_of_costs_are_found():
    terms = terms_of(TABLE)
    table = TABLE.assign(energy_mj=terms @ (np.arange(1, 10) / terms.mean(axis=0)))
    train, test = sides(table, n_known=18)
    assert np.median(errors(Roofline(), train, test)) < 0.02


def test_energies_as_on_other_systems_are_found_by_a_factor():
    assert errors(OtherBoards(), *sides()).max() < 1e-6
    assert errors(Transfer(), *sides()).max() < 0.02


def test_what_other_systems_cannot_explain_is_learnt_from_costs():
    # On one system every network takes a further energy by its parameters, on no other.
    further = 3e-6 * TABLE["params"] * (TABLE["system_id"] == SYSTEM)
    train, test = sides(TABLE.assign(energy_mj=TABLE["energy_mj"] + further), n_known=16)
    assert np.median(errors(Transfer(), train, test)) < 0.5 * np.median(errors(OtherBoards(), train, test))


def test_a_network_that_is_measured_nowhere_has_the_energy_of_its_costs():
    train, test = sides(n_known=15)
    nowhere = train[train["network"] < "network-15"].reset_index(drop=True)
    assert np.median(errors(Transfer(), nowhere, test)) < 0.3


def test_on_a_system_that_is_unknown_networks_take_what_they_take_elsewhere():
    train, test = sides(n_known=0)
    assert SYSTEM not in set(train["system_id"])
    predicted = Transfer().fit(NO_KERNELS, train).predict_networks(test)
    others = np.log(train["energy_mj"]).groupby([train["network"], train["dtype"]]).mean()
    expected = np.exp(others.loc[list(zip(test["network"], test["dtype"], strict=True))])
    assert predicted == pytest.approx(expected.to_numpy())


def test_energies_on_the_tested_system_are_no_help_for_the_network_itself():
    # Another label of the tested network on its own system would change nothing, as it is never among the others.
    known = elsewhere(TABLE)
    test = TABLE[TABLE["system_id"] == SYSTEM].reset_index(drop=True)
    for asked in known.asked(test):
        assert SYSTEM not in set(known.systems[asked.donors])


def test_a_power_that_is_constant_gives_energy_from_latency():
    for model in (LatencyPower(), LatencyFeatures()):
        assert errors(model, *sides(), LATENCY).max() < 1e-3


def test_a_power_that_grows_with_the_network_is_learnt_from_what_it_is_made_of():
    grows = TABLE.assign(energy_mj=TABLE["energy_mj"] * (TABLE["flops"] / TABLE["flops"].mean()) ** 0.2)
    train, test = sides(grows, n_known=14)
    assert np.median(errors(LatencyFeatures(), train, test, LATENCY)) < 0.02
    assert np.median(errors(LatencyPower(), train, test, LATENCY)) > 0.03


def test_energies_below_zero_are_refused():
    for model in (Flops(), Transfer(), OtherBoards()):
        with pytest.raises(ValueError, match="expected energies above 0"):
            model.fit(NO_KERNELS, TABLE.assign(energy_mj=-1.0))


def test_coefficients_are_not_negative_and_drawn_to_what_is_expected():
    columns = np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]])
    energy_mj = columns @ [3.0, -0.5]
    found = non_negative(columns, energy_mj, np.full(2, 1e-9), np.zeros(2))
    assert (found >= 0).all()
    drawn = non_negative(columns, energy_mj, np.full(2, 1e9), np.array([1.0, 2.0]))
    assert drawn == pytest.approx([1, 2], rel=1e-3)


def test_missing_energies_are_those_of_network_and_system():
    logs = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 6.0]])
    # The network is at the mean of the first system, and so it is at that of the second.
    assert completed(logs)[1, 1] == pytest.approx(4.0)
    assert completed(logs)[[0, 2]].tolist() == [[1, 2], [5, 6]]
