"""Interval of a sum over kernels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.prediction.sum_interval import interval_of_sum

ENERGIES = st.lists(
    st.tuples(st.floats(1e-6, 1e3), st.floats(0, 1), st.floats(0, 3), st.integers(0, 4)), min_size=1, max_size=20
)


@given(ENERGIES)
def test_interval_of_a_sum_lies_between_independence_and_adding_bounds(rows):
    energies, below, above, configurations = (np.array(column) for column in zip(*rows, strict=True))
    bounds = np.column_stack([energies * (1 - below), energies * (1 + above)])
    low, high = interval_of_sum(energies, bounds, configurations)
    total, rounding = energies.sum(), 1e-9 * bounds[:, 1].sum()
    assert bounds[:, 0].sum() - rounding <= low <= total - np.sqrt(((energies * below) ** 2).sum()) + rounding
    assert total + np.sqrt(((energies * above) ** 2).sum()) - rounding <= high <= bounds[:, 1].sum() + rounding
    wider = np.column_stack([energies * (1 - below), energies * (1 + 2 * above)])
    assert interval_of_sum(energies, wider, configurations)[1] >= high


@pytest.mark.parametrize("n_configurations", [5, 30])
def test_interval_of_a_sum_holds_what_it_says_where_only_kernels_of_one_configuration_err_alike(n_configurations):
    generator = np.random.default_rng(0)
    configurations = np.arange(30) % n_configurations
    energies = generator.uniform(1, 10, 30)
    spread = 0.1 * energies
    bounds = np.column_stack([energies - 1.645 * spread, energies + 1.645 * spread])
    low, high = interval_of_sum(energies, bounds, configurations)
    errors = generator.normal(size=(20000, n_configurations))[:, configurations]
    sums = (energies + spread * errors).sum(axis=1)
    assert np.mean((low <= sums) & (sums <= high)) == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("configurations", [[0, 0], [0, 1]])
def test_a_bound_on_the_wrong_side_of_its_energy_widens_and_narrows_nothing(configurations):
    energies, bounds = np.array([2.0, 2.0]), np.array([[3.0, 4.0], [1.0, 1.5]])
    assert interval_of_sum(energies, bounds, np.array(configurations)) == (3.0, 6.0)
