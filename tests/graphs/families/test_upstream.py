"""Facts about logs and models that nobody in this project wrote: our builders give their kernels."""

import json
import os
from pathlib import Path

import pytest

from harness.graphs.families.choices import LoggedChoices
from harness.graphs.families.phone import mobilenet_v1
from harness.graphs.families.tiny import TINY_NETWORKS
from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.reading import read_model
from harness.schema.networks import configuration_of
from tests.graphs.families.networks import kernels_of

UPSTREAM = Path(os.environ.get("DEEPEN_UPSTREAM", Path(__file__).parents[3] / "../shared/data/upstream"))

pytestmark = pytest.mark.skipif(not UPSTREAM.is_dir(), reason="needs the upstream files; set DEEPEN_UPSTREAM")


@pytest.fixture(scope="module")
def log():
    return json.loads((UPSTREAM / "deepen2023" / "mobilenetv1-log.json").read_text(encoding="utf-8"))


def logged(layers):
    """Kernel list of a logged variant, in the words of the schema."""
    kernels = []
    for layer in layers.values():
        if layer["op"] == "fc":
            kernels.append({"kernel": "fc", "cin": layer["cin"], "cout": layer["cout"]})
        elif layer["op"] == "global-pool":
            # The log gives the extents of its output; what it pools is the last 7 x 7 tensor.
            assert (layer["inputh"], layer["inputw"]) == (1, 1)
            kernels.append({"kernel": "global-avgpool", "input_h": 7, "input_w": 7, "cin": layer["cin"]})
        else:
            window = {"kernel_h": layer["ks"], "kernel_w": layer["ks"]}
            stride = {"stride_h": layer["stride"], "stride_w": layer["stride"]}
            cout = {"cout": layer["cout"]} if layer["op"] == "conv-bn-relu" else {}
            extents = {"input_h": layer["inputh"], "input_w": layer["inputw"], "cin": layer["cin"], **cout}
            kernels.append({"kernel": layer["op"], **extents, **window, **stride})
    return kernels


def test_default_mobilenet_v1_is_the_logged_variant_0(log):
    assert kernels_of(mobilenet_v1("MobileNetV1", LoggedChoices())) == logged(log["mobilenetv1_0"])


def test_all_200_logged_variants_are_rebuilt_from_their_channels_and_windows(log):
    assert len(log) == 201
    for name, layers in log.items():
        channels = {label: layer["cout"] for label, layer in layers.items() if layer["op"] == "conv-bn-relu"}
        windows = {label: layer["ks"] for label, layer in layers.items() if layer["ks"]}
        assert kernels_of(mobilenet_v1(name, LoggedChoices(channels, windows))) == logged(layers), name


REFERENCES = {
    "mlperf-tiny-ad": ("tiny_ad01_int8.tflite", "tiny_ad_autoencoder_q.onnx"),
    "mlperf-tiny-ic": ("tiny_pretrainedResnet_quant.tflite", "tiny_ic_resnet.onnx", "tiny_ic_resnet_q.onnx"),
    "mlperf-tiny-kws": ("tiny_kws_ref_model.tflite", "tiny_kws_q.onnx"),
    "mlperf-tiny-vww": ("tiny_vww_96_int8.tflite", "tiny_vww_96_float.onnx", "tiny_vww_mobilenet_q.onnx"),
}


@pytest.mark.parametrize(("name", "file"), [(name, file) for name, files in REFERENCES.items() for file in files])
def test_built_networks_of_mlperf_tiny_have_the_kernels_of_the_real_files(name, file):
    found = kernel_list(read_model(UPSTREAM / "models" / file), read_runtime("tflite-cpu"))
    real = [configuration_of(kernel) for kernel in found.kernels if kernel.kernel is not None]
    built = [kernel for kernel in kernels_of(TINY_NETWORKS[name][1](name)) if "kernel" in kernel]
    if file == "tiny_ic_resnet_q.onnx":
        # Its quantised additions hold the ReLU in the range of their output, so the file has none to fuse; and it runs
        # the convolution of the shortcut first.
        assert {"operator": "add"} in [kernel.model_dump(include={"operator"}) for kernel in found.kernels]
        real = [kernel | {"kernel": kernel["kernel"].replace("add", "addrelu")} for kernel in real]
        built, real = (sorted(kernels, key=str) for kernels in (built, real))
    assert built == real
