"""Files of kernels: read back as the kernel that was asked for, run, and the same bytes again."""

import hashlib
from typing import get_args

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.graphs.model_kernels import kernels_of_file
from harness.planning.kernel_files import FORMS, kernel_files
from harness.planning.operands import MOST_WEIGHT_BYTES
from harness.schema.kernel_types import KERNEL_TYPES, Function, Kernel
from harness.schema.networks import configuration_of
from tests.graphs.onnx_runtime import BLOCKS, listed, optimised, zeros_for
from tests.planning.examples import CONFIGURATIONS, IMAGE

REFUSED = {
    ("addrelu", "onnx"): "ONNX Runtime on the CPU runs it as add and relu",
    ("bnrelu", "onnx"): "ONNX Runtime on the CPU runs it as bn and relu",
    **{(name, "tflite"): f"TFLite has no operator of the type {name.split()[0]}" for name in CONFIGURATIONS
       if name.split()[0] in ("attention", "gru", "norm")},
    **{(f"elementwise {function}", "tflite"): f"TFLite has no operator of {function}"
       for function in ("erf", "hsigmoid", "swish")},
    ("norm group-norm", "onnx"): "ONNX Runtime runs a group normalisation as several operators",
    ("conv-transpose of groups", "tflite"): "TFLite has no transposed convolution with groups",
    ("lstm of two directions", "tflite"): "an LSTM of two directions is not written for TFLite",
}  # fmt: skip
"""Every example that a format does not hold, with the reason."""


def filled(planned):
    """Values for the inputs of a file, as a measuring tool gives them."""
    chance = np.random.default_rng(0)
    kinds = {"fp32": np.float32, "int64": np.int64, "int32": np.int32}
    return {
        each.name: chance.uniform(each.low, each.high, each.extents).astype(np.float32)
        if each.dtype == "fp32"
        else chance.integers(int(each.low), int(each.high) + 1, each.extents).astype(kinds[each.dtype])
        for each in planned
    }


def test_examples_have_every_type_and_function():
    assert {each["kernel"] for each in CONFIGURATIONS.values()} == set(get_args(Kernel))
    assert {each.get("function") for each in CONFIGURATIONS.values()} == {None, *get_args(Function)}
    assert {name for each in CONFIGURATIONS.values() for name in each if name not in ("kernel", "function")} == {
        extent for kind in KERNEL_TYPES.values() for extent in kind.fields
    }


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_file_is_read_as_exactly_the_kernel_or_refused_with_the_reason(tmp_path, name, form):
    configuration = CONFIGURATIONS[name]
    files = kernel_files(configuration, 0)
    if (name, form) in REFUSED:
        assert form not in files.contents
        assert files.refused[form] == REFUSED[name, form]
        return
    path = tmp_path / f"kernel.{form}"
    path.write_bytes(files.contents[form])
    (kernel,) = kernels_of_file(path).kernels.kernels
    assert configuration_of(kernel) == configuration
    assert kernel.dtype == "fp32"


@pytest.mark.parametrize("name", [name for name in CONFIGURATIONS if (name, "onnx") not in REFUSED])
def test_file_runs_and_its_outputs_are_finite_and_not_all_the_same(name):
    files = kernel_files(CONFIGURATIONS[name], 0)
    onnx.checker.check_model(onnx.ModelProto.FromString(files.contents["onnx"]), full_check=True)
    session = onnxruntime.InferenceSession(files.contents["onnx"], providers=["CPUExecutionProvider"])
    for output in session.run(None, filled(files.inputs["onnx"])):
        assert np.isfinite(output).all()
        assert len(np.unique(output)) > 1


@given(
    h=st.integers(1, 40), w=st.integers(1, 40), cin=st.integers(1, 9), cout=st.integers(1, 9), kernel=st.integers(1, 9),
    stride=st.integers(1, 4), dilation=st.integers(1, 3),
)  # fmt: skip
def test_convolution_of_any_window_is_its_configuration(h, w, cin, cout, kernel, stride, dilation):
    dilated = dict.fromkeys(("dilation_h", "dilation_w"), dilation) if dilation > 1 and kernel > 1 else {}
    configuration = {
        "kernel": "conv-bn-relu", "input_h": h, "input_w": w, "cin": cin, "cout": cout, "kernel_h": kernel,
        "kernel_w": kernel, "stride_h": stride, "stride_w": stride, **dilated,
    }  # fmt: skip
    files = kernel_files(configuration, 0)
    assert set(files.contents) == set(FORMS), files.refused
    made = onnxruntime.InferenceSession(files.contents["onnx"]).run(None, filled(files.inputs["onnx"]))[0]
    assert made.shape == (1, cout, -(-h // stride), -(-w // stride))


@pytest.mark.parametrize("name", ["conv-bn-relu", "lstm", "embedding", "concat"])
def test_same_seed_gives_the_same_bytes_and_another_seed_other_weights(name):
    one, again, other = (kernel_files(CONFIGURATIONS[name], seed) for seed in (3, 3, 4))
    assert one.contents == again.contents
    assert (one.contents == other.contents) == (name == "concat")


def test_planned_file_states_what_was_written():
    files = kernel_files(CONFIGURATIONS["embedding"], 0)
    planned = files.planned("k001-embedding")["onnx"]
    assert planned.path == "kernels/k001-embedding.onnx"
    assert planned.sha256 == hashlib.sha256(files.contents["onnx"]).hexdigest()
    assert planned.n_bytes == len(files.contents["onnx"])
    assert (planned.fusion_rules, planned.opset) == ("onnxruntime-cpu", 18)
    (indices,) = planned.inputs
    assert (indices.extents, indices.dtype, indices.low, indices.high) == ([1, 6], "int64", 0, 49)


def test_only_the_formats_that_are_asked_for_are_written():
    assert set(kernel_files(CONFIGURATIONS["relu"], 0, ["tflite"]).contents) == {"tflite"}


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ({"kernel": "fc", "cin": 25_088, "cout": 4096}, f"its weights take more than {MOST_WEIGHT_BYTES // 2**20} MiB"),
        ({"kernel": "split", **IMAGE, "cin": 7}, "its channels are odd"),
        ({"kernel": "channelshuffle", **IMAGE, "cin": 7}, "its channels are odd"),
        ({"kernel": "matmul", "rows": 1, "cin": 8, "cout": 3}, "runs it as"),
        ({"kernel": "elementwise", "function": "add", "rows": 4, "cin": 8, "cin2": 8}, "runs it as add"),
    ],
)
def test_kernel_that_no_file_holds_is_refused_with_the_reason(configuration, reason):
    files = kernel_files(configuration, 0)
    assert not files.contents
    assert set(files.refused) == set(FORMS)
    assert all(reason in why for why in files.refused.values())


@pytest.mark.parametrize("name", [name for name in CONFIGURATIONS if (name, "onnx") not in REFUSED])
def test_runtime_runs_what_the_file_is_read_as(name):
    model = onnx.ModelProto.FromString(kernel_files(CONFIGURATIONS[name], 0).contents["onnx"])
    if name.split()[0] not in BLOCKS:
        assert optimised(model, zeros_for(model)) == listed(model)
