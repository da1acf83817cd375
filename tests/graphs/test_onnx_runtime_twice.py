"""Networks that are written in several ways, beside what ONNX Runtime makes of each, and what it saves of them."""

from collections import Counter

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graphs.models import info, node, number, onnx_model, weight
from tests.graphs.test_written_twice import costs, found_in, runs
from tests.graphs.written_for_runtime import ALIKE
from tests.graphs.written_twice import SAME

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from tests.graphs.onnx_runtime import listed, optimised, zeros_for  # noqa: E402 - it imports the runtime

UNLIKE = {
    "hard swish": "kernel datasets measure it as one block, whatever a runtime makes of it",
    "loop": "the runtime keeps the body in its loop",
    "quantised convolution": "the runtime turns images to channels last around integers, which is not listed",
}
CASES = {**SAME, **ALIKE}
NAMES = {"relu": "clip", "global-avgpool": "avgpool", "reduce-mean": "avgpool"}
"""Names that stand for others: a clip without upper limit is a relu, and a mean of planes a pooling."""


def saved(model, folder):
    """A model as ONNX Runtime saves it, without layouts of this processor, which no other program reads."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(folder / "saved.onnx")
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return onnx.load(folder / "saved.onnx")


def named(operators):
    return Counter(NAMES.get(name, name) for name in operators.elements())


@pytest.mark.parametrize("case", [case for case in CASES if case not in UNLIKE])
@settings(max_examples=8)
@given(data=st.data())
def test_each_way_is_listed_as_the_runtime_runs_it(case, data):
    for way, model in data.draw(CASES[case]).items():
        assert named(listed(model)) == named(optimised(model, zeros_for(model))), way


@pytest.mark.parametrize("case", [case for case in CASES if case != "loop"])
@settings(max_examples=8)
@given(data=st.data())
def test_what_the_runtime_saves_is_the_kernels_of_what_it_was_given(case, data, tmp_path_factory):
    for way, model in data.draw(CASES[case]).items():
        given_model, its_own = found_in(model), found_in(saved(model, tmp_path_factory.mktemp("saved")))
        assert runs(its_own) == runs(given_model), way
        assert costs(its_own) == costs(given_model)


EXPANDED = {
    "GroupNormalization": (21, {"num_groups": 2}, "x g g"),
    "Mish": (18, {}, "x"),
    "Swish": (24, {}, "x"),
}
"""Operators that the standard defines by others, and that the runtime has no kernel for."""


@pytest.mark.parametrize("op", EXPANDED)
def test_an_operator_that_the_runtime_expands_is_listed_as_one(op):
    opset, attributes, inputs = EXPANDED[op]
    model = onnx_model([node(op, inputs, "y", **attributes)], [info("x", (1, 4, 6, 6))], weights=[weight("g", (4,))])
    model.opset_import[0].version = opset
    model.ir_version = 10
    assert (listed(model).total(), optimised(model, zeros_for(model)).total() > 1) == (1, True)


def test_weights_of_a_convolution_of_floats_are_dequantised_anew_which_is_not_listed():
    nodes = [node("DequantizeLinear", "wq s", "w"), node("Conv", "x w", "y")]
    weights = [weight("wq", (4, 3, 3, 3), np.int8), number("s", 0.02)]
    model = onnx_model(nodes, [info("x", (1, 3, 6, 6))], weights=weights)
    assert optimised(model, zeros_for(model)) == listed(model) + Counter({"dequantize": 1})
    (kernel,) = found_in(model).kernels
    assert (kernel.dtype, kernel.weight_dtype, kernel.params) == ("fp32", "int8", 4 * 3 * 9)
