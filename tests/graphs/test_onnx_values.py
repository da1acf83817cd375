"""Values of small constants: kept as the file has them, made into arrays where they are asked for."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.graphs.onnx_values import MOST_VALUES, SmallValues
from tests.graphs.models import info, node, onnx_model, weight


def kept(tensor):
    values = SmallValues()
    values.keep_stored("c", tensor)
    return values


@pytest.mark.parametrize("is_raw", [True, False])
@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        (TensorProto.INT64, [2, -3]),
        (TensorProto.FLOAT, [0.5, 2.0]),
        (TensorProto.BOOL, [1, 0]),
        (TensorProto.INT4, [7, -8]),
    ],
)
def test_both_forms_have_the_values_of_the_file(kind, numbers, is_raw):
    stored = helper.make_tensor("of file", kind, (2,), numbers)
    if is_raw:
        stored = numpy_helper.from_array(numpy_helper.to_array(stored), "of file")
    values = kept(stored)
    assert "c" in values
    assert values.array("c").tolist() == numbers
    assert numpy_helper.to_array(values.tensor("c")).tolist() == numbers
    assert values.tensor("c").data_type == kind


def test_values_that_are_kept_later_replace_those_before_in_both_forms():
    values = kept(weight("c", (3,)))
    assert values.tensor("c").dims == [3]
    values.keep("c", np.array([4, 5]))
    assert (values.array("c").tolist(), numpy_helper.to_array(values.tensor("c")).tolist()) == ([4, 5], [4, 5])
    values.keep_stored("c", weight("c", (1,)))
    assert (values.array("c").tolist(), values.tensor("c").dims) == ([1], [1])


def test_a_second_name_has_the_values_of_the_first_and_not_those_after():
    values = kept(weight("c", (2,)))
    values.alias("other", "c")
    values.alias("none", "unknown")
    values.keep("c", np.array([9]))
    assert values.array("other").tolist() == numpy_helper.to_array(values.tensor("other")).tolist() == [1, 1]
    assert "none" not in values


@pytest.mark.parametrize("n", [MOST_VALUES, MOST_VALUES + 1])
def test_many_values_are_not_kept(n):
    assert ("c" in kept(weight("c", (n,)))) == (n == MOST_VALUES)
    values = SmallValues()
    values.keep("c", np.zeros(n))
    assert ("c" in values) == (n == MOST_VALUES)


def test_values_outside_the_file_and_texts_are_not_kept():
    outside = TensorProto(name="c", data_type=TensorProto.FLOAT, dims=(2,), data_location=TensorProto.EXTERNAL)
    assert "c" not in kept(outside)
    assert "c" not in kept(helper.make_tensor("c", TensorProto.STRING, (1,), [b"text"]))


@pytest.mark.parametrize(
    "broken",
    [
        TensorProto(data_type=TensorProto.FLOAT, dims=(2,), raw_data=bytes(7)),
        TensorProto(data_type=TensorProto.FLOAT, dims=(2,), float_data=[1.0]),
        TensorProto(data_type=TensorProto.INT4, dims=(9,), raw_data=bytes(2)),
        TensorProto(data_type=99, dims=(2,), raw_data=bytes(8)),
    ],
    ids=["bytes", "numbers", "elements that share bytes", "type"],
)
def test_values_that_do_not_fill_their_extents_are_an_error(broken):
    with pytest.raises(ValueError, match=r"."):
        kept(broken)


def test_values_of_weights_are_not_read(monkeypatch):
    """Of a network whose extents do not depend on values, however many small weights it has."""
    nodes = [node("Conv", "x w", "a"), node("BatchNormalization", "a s s s s", "b"), node("Relu", "b", "y")]
    weights = [weight("w", (5, 4, 3, 3)), weight("s", (5,))]
    model = onnx_model(nodes, inputs=[info("x", (1, 4, 8, 6))], weights=weights)
    monkeypatch.setattr(numpy_helper, "to_array", lambda tensor: pytest.fail(f"the values of {tensor.name} were read"))
    found = kernel_list(graph_of_onnx(model, "m"), read_runtime("onnxruntime-cpu"))
    assert [kernel.operator for kernel in found.kernels] == ["conv+bn+relu"]
