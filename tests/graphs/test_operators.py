"""An operator is one declaration; one that lacks a part stops the import."""

from dataclasses import replace

import pytest

from harness.graphs import operators
from harness.graphs.operators import OPERATORS, Operator, canonical_names

FORMATS = {
    "onnx": lambda operator: operator.onnx,
    "onnx_runtime": lambda operator: operator.onnx_runtime,
    "tflite": lambda operator: operator.tflite,
}
WHOLE = {"work": "elements", "onnx": ("Erf",), "tflite": ()}


@pytest.mark.parametrize("part", WHOLE)
def test_an_operator_without_one_of_its_parts_cannot_be_declared(part):
    assert Operator(**WHOLE).onnx == ("Erf",)
    with pytest.raises(TypeError, match=part):
        Operator(**{name: value for name, value in WHOLE.items() if name != part})


@pytest.mark.parametrize("names_of", FORMATS.values(), ids=FORMATS)
def test_every_name_of_a_file_format_is_read_as_the_operator_that_declares_it(names_of):
    declared = {name: canonical for canonical, operator in OPERATORS.items() for name in names_of(operator)}
    assert canonical_names(names_of) == declared
    assert sum(len(names_of(operator)) for operator in OPERATORS.values()) == len(declared)


def test_a_file_name_that_two_operators_claim_stops_the_import(monkeypatch):
    monkeypatch.setattr(operators, "OPERATORS", {**OPERATORS, "erf": replace(OPERATORS["exp"], onnx=("Exp", "Erf"))})
    with pytest.raises(TypeError, match="Exp is declared for exp and for erf"):
        canonical_names(FORMATS["onnx"])
