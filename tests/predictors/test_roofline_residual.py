import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from sklearn.preprocessing import StandardScaler

from predictors.constant.model import Model as Constant
from predictors.roofline.model import Model as Roofline
from predictors.roofline_residual.features import features
from predictors.roofline_residual.intervals import LocalErrors
from predictors.roofline_residual.matern import MaternProcess
from predictors.roofline_residual.model import Model, resolution
from tests.predictors.kernels import energies_of, relative_errors, roofline_kernels, shuffled, unlabelled, with_energies


def channels_matter(kernels):
    """A residual that no roofline holds: channel counts that are no multiple of 16 take half as much again."""
    return np.where(kernels["cout"] % 16 == 0, 0.0, np.log(1.5))


@pytest.fixture(scope="module")
def corrected():
    train = roofline_kernels(["conv-bn-relu"] * 150, seed=0, noise=0.03, correction=channels_matter)
    test = roofline_kernels(["conv-bn-relu"] * 1000, seed=1, noise=0.03, correction=channels_matter)
    return Model().fit(train), train, test


def test_residual_that_no_roofline_has_is_fitted(corrected):
    model, train, test = corrected
    assert np.median(relative_errors(model, test)) < 0.05
    assert np.median(relative_errors(Roofline().fit(train), test)) > 0.1


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_intervals_hold_as_many_energies_as_they_say(corrected, coverage):
    model, _, test = corrected
    low, high = model.predict_interval(unlabelled(test), coverage).T
    held = np.mean((low <= energies_of(test)) & (energies_of(test) <= high))
    assert held == pytest.approx(coverage, abs=0.04)


def test_intervals_hold_the_prediction_and_widen_with_coverage(corrected):
    model, _, test = corrected
    predicted = model.predict(unlabelled(test))
    widths = []
    for coverage in (0.01, 0.5, 0.9, 0.99, 0.9999):
        low, high = model.predict_interval(unlabelled(test), coverage).T
        assert (low <= predicted).all()
        assert (predicted <= high).all()
        widths.append(high - low)
    assert (np.diff(widths, axis=0) >= 0).all()
    assert (widths[-1] > widths[0]).all()


@pytest.mark.parametrize("wrong", [0, 1, 90, -0.5])
def test_coverage_that_is_no_probability_is_refused(corrected, wrong):
    model, _, test = corrected
    with pytest.raises(ValueError, match="expected a probability between 0 and 1"):
        model.predict_interval(unlabelled(test), wrong)


def test_clone_fitted_on_the_same_rows_is_the_same(corrected):
    model, train, test = corrected
    again = clone(model).fit(train)
    assert (again.predict(unlabelled(test)) == model.predict(unlabelled(test))).all()


def test_unit_of_energy_carries_through():
    kernels = roofline_kernels(["conv-bn-relu"] * 40, noise=0.1)
    scaled = with_energies(kernels, 1024 * kernels["energy_mj"])
    ratio = Model().fit(scaled).predict(unlabelled(kernels)) / Model().fit(kernels).predict(unlabelled(kernels))
    assert ratio == pytest.approx(np.full(len(kernels), 1024), rel=0.02)


def test_nothing_to_learn_leaves_intervals_as_wide_as_the_energies():
    kernels = shuffled(roofline_kernels(["conv-bn-relu"] * 120))
    other = shuffled(roofline_kernels(["conv-bn-relu"] * 120, seed=1), seed=1)
    model = Model().fit(kernels)
    low, high = model.predict_interval(unlabelled(other), 0.9).T
    assert np.mean((low <= energies_of(other)) & (energies_of(other) <= high)) > 0.8


def test_nothing_to_learn_leaves_predictions_near_the_constant():
    kernels = shuffled(roofline_kernels(["conv-bn-relu"] * 120))
    other = shuffled(roofline_kernels(["conv-bn-relu"] * 120, seed=1), seed=1)
    errors = [
        np.mean(np.log(model().fit(kernels).predict(unlabelled(other)) / energies_of(other)) ** 2)
        for model in (Model, Constant)
    ]
    assert errors[0] < 1.25 * errors[1]


def test_types_with_few_rows_learn_together_and_others_on_their_own():
    model = Model().fit(roofline_kernels(["relu"] * 30 + ["bn"] * 12 + ["add"] * 12))
    assert model.groups_ == {"relu": "relu", "bn": "others", "add": "others"}


def test_type_with_fewer_than_ten_rows_keeps_its_roofline():
    kernels = roofline_kernels(["fc"] * 9 + ["relu"] * 20, noise=0.3)
    few = kernels[kernels["kernel"] == "fc"].reset_index(drop=True)
    roofline = Roofline().fit(few).predict(unlabelled(few))
    assert Model().fit(kernels).predict(unlabelled(few)) == pytest.approx(roofline, rel=1e-6)


def test_type_of_one_configuration_that_was_measured_often_keeps_its_roofline():
    kernels = roofline_kernels(["relu"] * 20, noise=0.3)
    of_one = roofline_kernels(["fc"]).iloc[[0] * 15].reset_index(drop=True)
    both = pd.concat([kernels, of_one], ignore_index=True)
    other = unlabelled(roofline_kernels(["fc"] * 5, seed=1))
    expected = Roofline().fit(of_one).predict(other)
    assert Model().fit(both).predict(other) == pytest.approx(expected, rel=1e-6)


def test_prediction_stays_within_the_residuals_that_a_type_has_had():
    kernels = roofline_kernels(["conv-bn-relu"] * 40, noise=0.2)
    model, roofline = Model().fit(kernels), Roofline().fit(kernels)
    residual = np.log(energies_of(kernels) / roofline.predict(unlabelled(kernels)))
    far = unlabelled(kernels).assign(cin=10_000.0, cout=9_999.0, input_h=1.0)
    said = np.log(model.predict(far) / roofline.predict(far))
    assert said.min() >= residual.min() - 1e-9
    assert said.max() <= residual.max() + 1e-9


def test_one_row_has_an_interval_that_admits_ignorance():
    kernels = roofline_kernels(["fc"])
    low, high = Model().fit(kernels).predict_interval(unlabelled(kernels), 0.9)[0]
    assert high / low > 100


def test_rounded_energies_have_a_resolution():
    assert resolution(np.array([0.002, 12.5])) == 0.001
    assert resolution(np.array([4.0, 12.0])) == 1
    assert resolution(np.array([np.pi])) == 0


def test_process_predicts_as_scikit_learn_does():
    generator = np.random.default_rng(0)
    given, wanted = generator.normal(size=(60, 4)), generator.normal(size=60)
    ours = MaternProcess().fit(given, wanted)
    theirs = GaussianProcessRegressor(ours.kernel_, optimizer=None, normalize_y=True)
    theirs.fit((given - ours.center_) / ours.scale_, wanted)
    other = generator.normal(size=(1000, 4))
    mean, deviation = theirs.predict((other - ours.center_) / ours.scale_, return_std=True)
    assert ours.predict(other) == pytest.approx(mean, abs=1e-6)
    noise = ours.kernel_.k2.noise_level * wanted.var()
    assert ours.deviation(other) == pytest.approx(np.sqrt(deviation**2 - noise), abs=1e-6)


def test_process_believes_less_in_rows_that_are_noisy():
    given = np.linspace(0, 1, 30)[:, None]
    wanted = np.where(np.arange(30) == 15, 5.0, np.sin(given[:, 0]))
    noise = np.where(np.arange(30) == 15, 100.0, 0.0)
    told = MaternProcess().fit(given, wanted, noise).predict(given[15:16])[0]
    assert told == pytest.approx(np.sin(given[15, 0]), abs=0.2)


def test_intervals_widen_away_from_the_rows_of_the_fit(corrected):
    model, _, test = corrected
    larger = unlabelled(test.assign(cin=test["cin"] * 20, flops=test["flops"] * 20, params=test["params"] * 20))
    widths = [np.median(np.log(rows[:, 1] / rows[:, 0])) for rows in (
        model.predict_interval(unlabelled(test), 0.9), model.predict_interval(larger, 0.9)
    )]  # fmt: skip
    assert widths[1] > 2 * widths[0]


def test_errors_that_grow_towards_small_energies_widen_intervals_there():
    generator = np.random.default_rng(0)
    log_energy = generator.uniform(-6, 6, 600)
    error = generator.normal(0, np.where(log_energy < 0, 0.5, 0.05))
    errors = LocalErrors().fit(np.full(600, "relu"), log_energy, np.zeros(600), error)
    small, large = errors.half_width(np.array(["relu", "relu"]), np.array([-5.0, 5.0]), np.zeros(2), 0.9)
    assert small > 5 * large


def test_type_with_larger_errors_has_wider_intervals():
    generator = np.random.default_rng(0)
    kernel = np.array(["se", "relu"] * 100)
    error = generator.normal(0, np.where(kernel == "se", 0.4, 0.1))
    errors = LocalErrors().fit(kernel, generator.normal(size=200), np.zeros(200), error)
    se, relu = errors.half_width(np.array(["se", "relu"]), np.zeros(2), np.zeros(2), 0.9)
    assert se > 2 * relu


@pytest.mark.parametrize("kernel", ["conv-bn-relu", "concat", "fc", "global-avgpool", "split"])
def test_features_are_numbers_for_every_type(kernel):
    kernels = unlabelled(roofline_kernels([kernel] * 5))
    given = features(kernels)
    assert np.isfinite(given).all()
    assert given.shape == features(unlabelled(roofline_kernels(["relu"] * 5))).shape


def square(kernels, sizes=None):
    """Kernels whose inputs are as wide as they are high, of some sizes, each of which costs what no other tells."""
    if sizes is None:
        return kernels.assign(input_w=kernels["input_h"])
    drawn = np.random.default_rng(0).choice(sizes, len(kernels)).astype(float)
    energies = energies_of(kernels) * np.exp(0.3 * np.sin(97 * drawn))
    return with_energies(kernels.assign(input_h=drawn, input_w=drawn), energies)


def test_intervals_hold_at_sizes_that_no_row_has():
    kernels = square(roofline_kernels(["conv-bn-relu"] * 200, noise=0.01), np.arange(7, 120, 14))
    covered, widths = [], []
    for unseen in sorted(set(kernels["input_h"])):
        is_held_out = kernels["input_h"] == unseen
        model = Model().fit(kernels[~is_held_out].reset_index(drop=True))
        test = kernels[is_held_out].reset_index(drop=True)
        low, high = model.predict_interval(unlabelled(test), 0.9).T
        covered += [*((low <= energies_of(test)) & (energies_of(test) <= high))]
        learnt = kernels[~is_held_out].reset_index(drop=True)
        of_learnt = model.predict_interval(unlabelled(learnt), 0.9)
        widths.append(np.median(np.log(high / low)) / np.median(np.log(of_learnt[:, 1] / of_learnt[:, 0])))
    assert np.mean(covered) > 0.82
    assert np.median(widths) > 2


def test_where_too_few_sizes_were_learnt_an_unseen_one_has_no_interval():
    kernels = square(roofline_kernels(["conv-bn-relu"] * 120, noise=0.05))
    sizes = sorted(set(kernels["input_h"]))
    two = kernels[kernels["input_h"].isin(sizes[:2])].reset_index(drop=True)
    bounds = Model().fit(two).predict_interval(unlabelled(kernels), 0.9)
    is_learnt = kernels["input_h"].isin(sizes[:2]).to_numpy()
    assert np.isfinite(bounds[is_learnt]).all()
    assert np.isnan(bounds[~is_learnt]).all()
    assert np.isfinite(Model().fit(two).predict(unlabelled(kernels))).all()


def test_likelihood_is_greatest_where_scikit_learn_finds_it():
    rng = np.random.default_rng(0)
    given = rng.standard_normal((80, 3))
    target = np.sin(given).sum(axis=1) + 0.1 * rng.standard_normal(80)
    wanted = StandardScaler().fit_transform(target[:, None])[:, 0]
    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * Matern(3.0, (0.1, 1e2), nu=1.5) + WhiteKernel(0.05, (1e-3, 1.0))
    theirs = GaussianProcessRegressor(kernel).fit(StandardScaler().fit_transform(given), wanted).kernel_
    assert MaternProcess().fit(given, target).kernel_.theta == pytest.approx(theirs.theta, abs=0.01)


def test_the_widest_interval_is_still_a_number(corrected, monkeypatch):
    model, _, test = corrected
    monkeypatch.setattr(LocalErrors, "half_width", lambda *_: np.full(len(test), 1e4))
    bounds = model.predict_interval(unlabelled(test), 0.95)
    assert (bounds[:, 1] < 1e100).all()
    assert (bounds[:, 0] > 0).all()
