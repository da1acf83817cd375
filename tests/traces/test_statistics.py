import numpy as np
import pytest

from harness.traces.statistics import effective_number, mean_with_error, slope_with_error


def red(rng, n, memory):
    noise = rng.standard_normal(n)
    for i in range(1, n):
        noise[i] = memory * noise[i - 1] + (1 - memory**2) ** 0.5 * noise[i]
    return noise


def test_independent_figures_are_worth_their_number():
    assert effective_number(np.random.default_rng(0).standard_normal(2000)) == pytest.approx(2000, rel=0.15)


@pytest.mark.parametrize("memory", [0.5, 0.8])
def test_figures_that_remember_are_worth_fewer(memory):
    worth = np.mean([effective_number(red(np.random.default_rng(seed), 2000, memory)) for seed in range(10)])
    assert worth == pytest.approx(2000 * (1 - memory) / (1 + memory), rel=0.25)


def test_constant_figures_and_very_few_have_no_memory():
    assert effective_number(np.full(100, 3.0)) == 100
    assert effective_number(np.array([1.0, 2.0])) == 2


@pytest.mark.parametrize(("n", "memory"), [(5, 0.0), (30, 0.0), (200, 0.7)])
def test_two_errors_cover_the_true_mean_as_often_as_they_say(n, memory):
    covered = 0
    for seed in range(400):
        mean, error = mean_with_error(red(np.random.default_rng(seed), n, memory))
        covered += abs(mean) <= 2 * error
    assert 0.91 <= covered / 400 <= 0.99


def test_one_figure_has_no_error():
    assert mean_with_error(np.array([4.0])) == (4.0, float("inf"))


def test_slope_is_found_within_its_error():
    at = np.linspace(0, 10, 200)
    slope, error = slope_with_error(at, 3 * at + np.random.default_rng(0).standard_normal(200))
    assert abs(slope - 3) < 3 * error < 0.3
    assert slope_with_error(at[:3], at[:3]) == (0.0, float("inf"))
