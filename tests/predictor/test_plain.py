"""Fitted predictors as plain arrays: what is written is read again, and nothing else is made of it."""

import json

import numpy as np
import pytest

from harness.defaults import PREDICTOR
from harness.predictor import plain
from harness.predictor.columns import KernelColumns
from harness.predictor.features import FEATURES, NUMBERS
from harness.predictor.plain import from_plain_bytes, is_answered_here, plain_bytes
from harness.predictor.protocol import PredictorError
from predictors.roofline_residual import model as default
from tests.evaluation.releases import kernel_device, release_of


@pytest.fixture(scope="module")
def rows():
    from harness.predictor.features import labelled_frame

    return labelled_frame(release_of(kernel_device(n=150)).levels["kernels"])


@pytest.fixture(scope="module", params=[1, 10_000], ids=["with boosting", "without"])
def fitted(request, rows):
    """The default predictor, with histogram boosting and without."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(default, "BOOSTED_ROWS", request.param)
        return default.Model().fit(rows)


def test_default_predictor_predicts_the_same_from_arrays(fitted, rows):
    read = from_plain_bytes(plain_bytes(fitted))
    columns = {name: rows[name].to_numpy(float if name in NUMBERS else object) for name in FEATURES}
    for kernels in (rows[list(FEATURES)], KernelColumns(columns)):
        assert read.predict(kernels).tolist() == fitted.predict(kernels).tolist()
        expected = fitted.predict_interval(rows[list(FEATURES)], 0.8)
        assert read.predict_interval(kernels, 0.8) == pytest.approx(expected, rel=1e-9)


def test_columns_are_the_frame_that_predictors_get(rows):
    columns = {name: rows[name].to_numpy(float if name in NUMBERS else object) for name in FEATURES}
    assert KernelColumns(columns).as_frame().equals(rows[list(FEATURES)])


def test_same_predictor_gives_same_bytes(fitted):
    assert plain_bytes(fitted) == plain_bytes(fitted)


VALUES = {"a": [1, 2.5, None, True, "word"], "b": (float("inf"), np.float64(3)), "c": np.arange(6.0).reshape(2, 3)}


def test_plain_values_are_read_as_they_were_written():
    read = from_plain_bytes(plain_bytes(VALUES))
    assert (read["a"], read["b"]) == (VALUES["a"], (float("inf"), 3.0))
    assert read["c"].tolist() == VALUES["c"].tolist()
    assert np.isnan(from_plain_bytes(plain_bytes([float("nan")]))[0])


@pytest.mark.parametrize(
    "value", [{1: 2}, {1, 2}, b"bytes", np.array(["a"]), np.array([None]), json.JSONDecoder(), print]
)
def test_what_is_not_plain_is_refused_when_it_is_written(value):
    with pytest.raises(PredictorError, match="cannot be written as plain arrays: it holds a"):
        plain_bytes({"inside": [value]})


@pytest.mark.parametrize(
    ("module", "name"),
    [("subprocess", "Popen"), ("harness.predictor.columns", "KernelColumns"), ("predictors._trees", "BaseEstimator"),
     ("predictors._rows", "numbers")],
)  # fmt: skip
def test_only_classes_that_a_module_of_the_predictors_defines_are_made(module, name):
    with pytest.raises(ValueError, match=r"is not in predictors|defines no class"):
        from_plain_bytes(json.dumps({"object": [module, name, {}]}).encode() + b"\n")


def test_only_own_predictors_are_answered_here(monkeypatch, tmp_path):
    assert is_answered_here(PREDICTOR)
    assert not is_answered_here("constant")
    assert not is_answered_here(PREDICTOR, "theirs")
    monkeypatch.setattr(
        plain, "package_folders", lambda name: [tmp_path / name] if name == "predictors" else [tmp_path / "x" / name]
    )
    assert not is_answered_here(PREDICTOR)
