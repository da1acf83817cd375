"""The four reference networks of MLPerf Tiny.

Source:
    Banbury et al., MLPerf Tiny Benchmark, NeurIPS Datasets and Benchmarks 2021, section 4, and the reference models
    of its repository.
"""

from collections.abc import Callable, Mapping
from typing import Final

import onnx

from harness.graphs.families.builder import NetworkBuilder
from harness.graphs.families.kernel_lists import built_network
from harness.schema.networks import Network
from harness.schema.vocabulary import Dtype


def autoencoder(name: str) -> onnx.ModelProto:
    """Anomaly detection: ten fully connected layers, 640 inputs through a waist of 8."""
    net = NetworkBuilder(name, 1, 1, 640)
    x = net.input
    for width in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = net.fc(x, width, act="relu", bn=True)
    return net.model(net.fc(x, 640))


def resnet8(name: str) -> onnx.ModelProto:
    """Image classification: three residual stacks on 32 x 32 images."""
    net = NetworkBuilder(name, 32, 32, 3)
    x = net.conv(net.input, 16, 3)
    for width, stride in ((16, 1), (32, 2), (64, 2)):
        y = net.conv(x, width, 3, stride)
        y = net.conv(y, width, 3, act=None)
        if stride > 1:
            x = net.conv(x, width, 1, stride, act=None, bn=False)
        x = net.add(x, y, act="relu")
    return net.model(net.softmax(net.fc(net.global_pool(x), 10)))


def ds_cnn(name: str) -> onnx.ModelProto:
    """Keyword spotting: a 10 x 4 window over 49 x 10 features, then four depthwise separable blocks."""
    net = NetworkBuilder(name, 49, 10, 1)
    x = net.conv(net.input, 64, (10, 4), 2)
    for _ in range(4):
        x = net.conv(net.depthwise(x, 3), 64, 1)
    return net.model(net.softmax(net.fc(net.global_pool(x), 12)))


def mobilenet_v1_025(name: str) -> onnx.ModelProto:
    """Visual wake words: MobileNetV1 with a quarter of the channels on 96 x 96 images."""
    net = NetworkBuilder(name, 96, 96, 3)
    x = net.conv(net.input, 8, 3, 2)
    for width, stride in (
        (16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (128, 1), (128, 1), (128, 1), (128, 1),
        (256, 2), (256, 1),
    ):  # fmt: skip
        x = net.conv(net.depthwise(x, 3, stride), width, 1)
    return net.model(net.softmax(net.fc(net.global_pool(x), 2)))


TINY_NETWORKS: Final[Mapping[str, tuple[str, Callable[[str], onnx.ModelProto]]]] = {
    "mlperf-tiny-ad": ("Autoencoder", autoencoder),
    "mlperf-tiny-ic": ("ResNet8", resnet8),
    "mlperf-tiny-kws": ("DS-CNN", ds_cnn),
    "mlperf-tiny-vww": ("MobileNetV1", mobilenet_v1_025),
}
"""Family and builder of every network, by its name in the datasets."""


def tiny_network(name: str, dtype: Dtype) -> Network:
    """Kernel list of one of the networks, as campaigns of MLPerf Tiny have it in `graphs/`.

    Results state the data type, but not which operators the runtime of a system fuses. The kernels are those of
    TensorFlow Lite, because the reference models are its files.

    Args:
        name: name of the network in the datasets.
        dtype: data type that the result states.
    """
    return built_network(TINY_NETWORKS[name][1](name), name, dtype)
