"""What the predictors of this project do beyond conformance: refuse what they were not fitted on, in words."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from harness.predictor.loading import load_model
from tests.predictors.kernels import roofline_kernels, unlabelled, with_energies

OWN = ("constant", "flops-linear", "roofline", "roofline-residual", "sec23-random-forest")
"""Predictors that come with the project; those of others are only asked to conform."""


@pytest.fixture(params=OWN)
def model(request):
    return load_model(request.param)()


def test_unknown_kernel_type_is_refused_by_name(model):
    model.fit(roofline_kernels(["relu"] * 4))
    with pytest.raises(ValueError, match="kernel 'fc' was not fitted; expected one of relu"):
        model.predict(unlabelled(roofline_kernels(["relu", "fc"])))


def test_kernel_types_that_it_was_fitted_on_are_known(model):
    assert model.fit(roofline_kernels(["relu", "fc", "relu"])).kernels_ == ("fc", "relu")


def test_prediction_needs_a_fit(model):
    with pytest.raises(NotFittedError):
        model.predict(unlabelled(roofline_kernels(["relu"])))


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_energy_that_is_no_positive_number_is_refused_with_its_row(model, wrong):
    kernels = with_energies(roofline_kernels(["relu"] * 3), [1.0, wrong, 1.0])
    with pytest.raises(ValueError, match=rf"energy_mj = {wrong} in row 1; expected energies above 0"):
        model.fit(kernels)


def test_no_row_is_refused(model):
    with pytest.raises(ValueError, match="no row to fit on"):
        model.fit(roofline_kernels(["relu"])[:0])


def test_extents_that_a_type_lacks_do_not_matter(model):
    kernels = roofline_kernels(["fc"] * 8)
    assert kernels["input_h"].isna().all()
    assert np.isfinite(model.fit(kernels).predict(unlabelled(kernels))).all()


def test_one_configuration_measured_many_times_gives_its_energy(model):
    kernels = roofline_kernels(["conv-bn-relu"])
    repeated = kernels.loc[[0] * 12].reset_index(drop=True)
    predicted = model.fit(repeated).predict(unlabelled(kernels))
    assert predicted == pytest.approx(kernels["energy_mj"].to_numpy(), rel=1e-3)


def test_types_are_told_apart(model):
    kernels = roofline_kernels(["relu"] * 12 + ["bn"] * 12)
    scaled = kernels["energy_mj"].where(kernels["kernel"] == "relu", 100 * kernels["energy_mj"])
    model.fit(with_energies(kernels, scaled))
    relu = unlabelled(kernels[kernels["kernel"] == "relu"].reset_index(drop=True))
    ratio = model.predict(relu.assign(kernel="bn")) / model.predict(relu)
    assert np.median(ratio) > 30
