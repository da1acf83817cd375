"""The package that users import: one call for an energy, and the names of `harness.api`."""

import inspect

import pytest

import deepen
from harness import api
from tests.api.test_api import HEAVY, modules_after


def test_predict_gives_the_network_of_the_interface(monkeypatch):
    class Found:
        network = "energy"

    def predict(*arguments, **options):
        assert (arguments, options) == (("net.onnx", "acme-phone"), {"delegate": "GPU"})
        return Found

    monkeypatch.setattr(api, "predict", predict)
    assert deepen.predict("net.onnx", device="acme-phone", delegate="GPU") == "energy"


def test_other_names_are_those_of_the_interface():
    assert set(deepen.__all__) == set(api.__all__)
    assert all(getattr(deepen, name) is getattr(api, name) for name in set(api.__all__) - {"predict"})
    assert set(deepen.__all__) <= set(dir(deepen))
    with pytest.raises(AttributeError, match="no attribute 'predikt'"):
        _ = deepen.predikt


def test_options_that_it_lists_are_there():
    options = inspect.signature(api.predict).parameters
    assert {"delegate", "dtype", "data", "coverage", "file"} <= set(options)


def test_importing_is_light():
    assert not modules_after("from deepen import predict") & set(HEAVY)
