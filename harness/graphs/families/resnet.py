"""ResNet-50, which no variants are drawn of."""

from typing import Final

import onnx

from harness.graphs.families.builder import Feature, NetworkBuilder
from harness.graphs.families.phone import classified

_STAGES: Final = ((64, 3), (128, 4), (256, 6), (512, 3))
"""Channels inside the blocks of every stage, and blocks."""
_WIDENING: Final = 4
"""Output channels of a block over those inside it."""


def resnet50(name: str) -> onnx.ModelProto:
    """ResNet-50 v1.5, which MLPerf Inference runs: the 3 x 3 convolution of a block has its stride.

    Source:
        He et al., Deep Residual Learning for Image Recognition, CVPR 2016 (arXiv 1512.03385), table 1; the stride as in
        torchvision, whose 25,557,032 parameters it has.
    """
    net = NetworkBuilder(name, 224, 224, 3)
    x = net.pool("Max", net.conv(net.input, 64, 7, 2), 3, 2)
    for stage, (width, depth) in enumerate(_STAGES):
        for block in range(depth):
            x = _block(net, x, width, 2 if stage > 0 and block == 0 else 1)
    return classified(net, x)


def _block(net: NetworkBuilder, x: Feature, width: int, stride: int) -> Feature:
    cout = _WIDENING * width
    y = net.conv(net.conv(net.conv(x, width, 1), width, 3, stride), cout, 1, act=None)
    x = x if x.c == cout else net.conv(x, cout, 1, stride, act=None)
    return net.add(x, y, act="relu")
