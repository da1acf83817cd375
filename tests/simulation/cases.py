"""Small layers and networks, and the mark of tests that need the estimator."""

import importlib.util

import pytest

from harness.schema.networks import NetworkKernel
from harness.simulation.networks import NamedNetwork
from tests.kernel_lists import CONV, DWCONV, FC, SOFTMAX

needs_estimator = pytest.mark.skipif(
    importlib.util.find_spec("zigzag") is None, reason="the extra simulate is not installed"
)
WINDOW = {"kernel_h": 3, "kernel_w": 3, "stride_h": 1, "stride_w": 1}
SHAPE = {"input_h": 8, "input_w": 8, "cin": 12}
CONFIGURATIONS = (
    {"kernel": "conv-bn-relu", **SHAPE, "cout": 8, **WINDOW},
    {"kernel": "conv-bn-relu", **SHAPE, "cout": 8, **WINDOW, "groups": 4},
    {"kernel": "conv-bn-relu", "input_h": 49, "input_w": 10, "cin": 1, "cout": 64}
    | {"kernel_h": 10, "kernel_w": 4, "stride_h": 2, "stride_w": 1},
    {"kernel": "dwconv-bn-relu", **SHAPE, **WINDOW},
    {"kernel": "dwconv-bn-relu", **SHAPE, "cout": 24, **WINDOW},
    {"kernel": "fc", "cin": 12, "cout": 10},
    {"kernel": "maxpool", **SHAPE, "kernel_h": 3, "kernel_w": 2, "stride_h": 2, "stride_w": 2},
    {"kernel": "avgpool", **SHAPE, **WINDOW},
    {"kernel": "global-avgpool", **SHAPE},
    {"kernel": "add", **SHAPE},
    {"kernel": "addrelu", **SHAPE},
    {"kernel": "bn", **SHAPE},
    {"kernel": "bnrelu", **SHAPE},
    {"kernel": "se", **SHAPE},
    {"kernel": "relu", **SHAPE},
    {"kernel": "concat", **SHAPE, "cin2": 4},
)
KERNELS = tuple(NetworkKernel(**kernel) for kernel in (CONV, DWCONV, FC, SOFTMAX))


def network(model="ResNet18", family="ResNet18", kernels=KERNELS):
    return NamedNetwork(model, family, "base", "8x8x3", "tflite-cpu", kernels)
