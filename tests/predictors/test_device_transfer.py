"""Few rows of a device: other devices help where they are alike, and are left alone where they are not."""

import numpy as np
import pandas as pd
import pytest

from predictors.device_transfer.model import Model
from tests.predictors.kernels import energies_of, relative_errors, roofline_kernels, shuffled, unlabelled

TYPES = ["conv-bn-relu"] * 150 + ["dwconv-bn-relu"] * 60


def kernels_of(types, seed, noise=0.0):
    """Kernels whose energies few rows do not tell: a roofline times what is the same on all devices."""
    rows = roofline_kernels(types, seed=seed, noise=noise)
    return rows.assign(energy_mj=rows["energy_mj"] * np.exp(0.3 * np.sin(2 * np.log(rows["cin"]))))


OTHER = kernels_of(TYPES, seed=1, noise=0.02).assign(device_id="other")
FEW = kernels_of(["conv-bn-relu"] * 9 + ["dwconv-bn-relu"] * 3, seed=2, noise=0.02)
ASKED = kernels_of(TYPES, seed=3)


def together(other):
    return pd.concat([other, FEW.assign(energy_mj=3 * FEW["energy_mj"])], ignore_index=True)


def error(train):
    return np.median(relative_errors(Model().fit(train), ASKED.assign(energy_mj=3 * ASKED["energy_mj"])))


def test_device_that_is_alike_makes_predictions_better():
    alone = together(OTHER.iloc[:0])
    assert error(together(OTHER)) < min(0.1, error(alone) / 2)


def test_device_that_is_unlike_counts_little():
    alone = together(OTHER.iloc[:0])
    assert error(together(shuffled(OTHER))) < error(alone) + 0.1


def test_device_without_rows_is_taken_for_the_others():
    model = Model().fit(OTHER)
    asked = unlabelled(ASKED).assign(device_id="unseen")
    known = model.predict(asked.assign(device_id="other"))
    np.testing.assert_allclose(model.predict(asked), known)
    bounds = model.predict_interval(asked, 0.9)
    assert (bounds[:, 0] < energies_of(ASKED)).all()
    assert (energies_of(ASKED) < bounds[:, 1]).all()


def test_kernel_type_without_rows_is_refused():
    with pytest.raises(ValueError, match="kernel 'fc' was not fitted; expected one of conv-bn-relu, dwconv-bn-relu"):
        Model().fit(OTHER).predict(unlabelled(roofline_kernels(["fc"])))


@pytest.mark.parametrize("coverage", [0.0, 1.0])
def test_coverage_that_is_no_probability_is_refused(coverage):
    with pytest.raises(ValueError, match="expected a probability between 0 and 1"):
        Model().fit(OTHER).predict_interval(unlabelled(ASKED), coverage)
