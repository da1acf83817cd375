"""The ratio of networks to the sums over their kernels, and what it makes of an interval."""

import numpy as np
import pytest

from harness.prediction.network_ratio import network_ratio


def test_intervals_cover_as_stated_where_ratios_scatter_as_is_expected():
    draw, held = np.random.default_rng(0), []
    for _ in range(2000):
        logs = draw.normal(-0.3, 0.2, 4)
        low, high = network_ratio(logs[:3].tolist()).of(1.0, (0.99, 1.01), 0.9)
        held.append(low <= np.exp(logs[3]) <= high)
    assert np.mean(held) == pytest.approx(0.92, abs=0.03)


def test_more_networks_and_less_scatter_make_narrower_intervals():
    few, many = network_ratio([-0.3, -0.3]), network_ratio([-0.3] * 12)
    wide, narrow = (ratio.of(2.0, (1.9, 2.1), 0.9) for ratio in (few, many))
    assert few.factor == many.factor == pytest.approx(np.exp(-0.3))
    assert wide[0] < narrow[0] < 2 * few.factor < narrow[1] < wide[1]


def test_the_interval_of_the_sum_is_in_that_of_the_network():
    ratio = network_ratio([0.0, 0.0, 0.0])
    low, high = ratio.of(1.0, (0.2, 5.0), 0.9)
    assert low < 0.2
    assert high > 5.0
