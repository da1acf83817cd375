"""Mobile networks of TensorFlow by width and image: MobileNetV1, V2 and V3, and EfficientNet-Lite.

All pad every window to "same". The MobileNets have 1,001 classes, a background class beside those of ImageNet, as the
files have that TensorFlow publishes.
"""

import math
from typing import Final, Literal, NamedTuple

import onnx

from harness.graphs.families.builder import Activation, Feature, NetworkBuilder
from harness.graphs.families.choices import LoggedChoices
from harness.graphs.families.phone import classified, mobilenet_v1, mobilenet_v2

CLASSES: Final = 1001
_DIVISOR: Final = 8
_LEAST_SHARE: Final = 0.9
"""Share of the wanted channels that rounding may leave."""


def divisible(channels: float) -> int:
    """Channels rounded to a multiple of 8, half up, and never below 90 % of what is wanted.

    Source:
        Sandler et al., MobileNetV2, and the code of TensorFlow's slim library (`_make_divisible`).

    >>> divisible(16 * 0.75), divisible(32 * 0.35)
    (16, 16)
    """
    rounded = max(_DIVISOR, int(channels + _DIVISOR / 2) // _DIVISOR * _DIVISOR)
    return rounded + _DIVISOR if rounded < _LEAST_SHARE * channels else rounded


_V1_WIDTHS: Final = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
_V2_WIDTHS: Final = (16, 24, 32, 64, 96, 160, 320)


def mobilenet_v1_of(name: str, alpha: float, side: int) -> onnx.ModelProto:
    """MobileNetV1 of a width multiplier; channels are rounded down.

    TensorFlow's table prints 317, 233, 162 and 104 million multiply-accumulates for the width 0.75, where the paper has
    325 for the largest image and the network 325, 239, 166 and 107; and 34 for 0.25 on 192 x 192, where it has 30.

    Args:
        name: name of the network.
        alpha: width multiplier.
        side: height and width of the image.

    Source:
        Howard et al., MobileNets, 2017 (arXiv 1704.04861), tables 6 and 7.
    """
    widths = {"layer1": int(32 * alpha)}
    widths |= {f"layer{layer}.2": int(width * alpha) for layer, width in enumerate(_V1_WIDTHS, start=2)}
    return mobilenet_v1(name, LoggedChoices(widths), side=side, classes=CLASSES)


def mobilenet_v2_of(name: str, alpha: float, side: int) -> onnx.ModelProto:
    """MobileNetV2 of a width multiplier; the last convolution becomes wider with it but never narrower.

    TensorFlow's table leaves out what follows the point: 11 million multiply-accumulates for the smallest network are
    11.94.

    Args:
        name: name of the network.
        alpha: width multiplier.
        side: height and width of the image.

    Source:
        Sandler et al., MobileNetV2, CVPR 2018 (arXiv 1801.04381), section 6.1.
    """
    widths = {"stem": divisible(32 * alpha), "last": divisible(1280 * max(alpha, 1.0))}
    widths |= {f"stage{stage}": divisible(width * alpha) for stage, width in enumerate(_V2_WIDTHS, start=1)}
    return mobilenet_v2(name, LoggedChoices(widths), side=side, classes=CLASSES)


class Block(NamedTuple):
    """One inverted residual block of MobileNetV3.

    Attributes:
        window: height and width of the depthwise window.
        expand: channels between the 1 x 1 convolutions over those of the input.
        width: output channels.
        stride: stride.
        is_squeezed: whether squeeze-and-excitation follows the depthwise convolution.
        is_swish: whether the activations are hard swish, not ReLU.
    """

    window: int
    expand: float
    width: int
    stride: int
    is_squeezed: bool
    is_swish: bool


_LARGE: Final = (
    Block(3, 1, 16, 1, False, False), Block(3, 4, 24, 2, False, False), Block(3, 3, 24, 1, False, False),
    Block(5, 3, 40, 2, True, False), Block(5, 3, 40, 1, True, False), Block(5, 3, 40, 1, True, False),
    Block(3, 6, 80, 2, False, True), Block(3, 2.5, 80, 1, False, True), Block(3, 2.3, 80, 1, False, True),
    Block(3, 2.3, 80, 1, False, True), Block(3, 6, 112, 1, True, True), Block(3, 6, 112, 1, True, True),
    Block(5, 6, 160, 2, True, True), Block(5, 6, 160, 1, True, True), Block(5, 6, 160, 1, True, True),
)  # fmt: skip
_SMALL: Final = (
    Block(3, 1, 16, 2, True, False), Block(3, 72 / 16, 24, 2, False, False), Block(3, 88 / 24, 24, 1, False, False),
    Block(5, 4, 40, 2, True, True), Block(5, 6, 40, 1, True, True), Block(5, 6, 40, 1, True, True),
    Block(5, 3, 48, 1, True, True), Block(5, 3, 48, 1, True, True), Block(5, 6, 96, 2, True, True),
    Block(5, 6, 96, 1, True, True), Block(5, 6, 96, 1, True, True),
)  # fmt: skip
_V3: Final = {"large": (_LARGE, 1280), "small": (_SMALL, 1024)}
"""Blocks, and channels of the layer before the classes."""


def mobilenet_v3_of(
    name: str, size: Literal["large", "small"], alpha: float, side: int, *, is_minimalistic: bool = False
) -> onnx.ModelProto:
    """MobileNetV3 of a width multiplier.

    The minimalistic form has 3 x 3 windows and ReLU everywhere and no squeeze-and-excitation. For the small network
    TensorFlow's table prints 66 million multiply-accumulates and 2.9 million parameters, and 65 million for its
    minimalistic form. What its code builds, and torchvision too, has 56.5 and 2.54, and 52.3.

    Args:
        name: name of the network.
        size: which of the two networks.
        alpha: width multiplier.
        side: height and width of the image.
        is_minimalistic: whether it is the minimalistic form.

    Source:
        Howard et al., Searching for MobileNetV3, ICCV 2019 (arXiv 1905.02244), tables 1 and 2; the minimalistic form
        from the description of the models in TensorFlow's slim library.
    """
    blocks, last = _V3[size]
    swish: Activation = "relu" if is_minimalistic else "hswish"
    net = NetworkBuilder(name, side, side, 3)
    x = net.conv(net.input, divisible(16 * alpha), 3, 2, act=swish)
    for block in blocks:
        plain = block._replace(window=3, is_squeezed=False, is_swish=False) if is_minimalistic else block
        x = _v3_block(net, x, plain, alpha)
    x = net.conv(x, divisible(6 * x.c), 1, act=swish)
    x = net.conv(net.means(x), divisible(last * max(alpha, 1.0)), 1, act=swish, bn=False, bias=True)
    return net.model(net.flat(net.conv(x, CLASSES, 1, act=None, bn=False, bias=True)))


def _v3_block(net: NetworkBuilder, x: Feature, block: Block, alpha: float) -> Feature:
    """Expand, filter every channel, weight the channels, project; added to its input where they fit."""
    act: Activation = "hswish" if block.is_swish else "relu"
    cout = divisible(block.width * alpha)
    y = net.conv(x, divisible(block.expand * x.c), 1, act=act) if block.expand > 1 else x
    y = net.depthwise(y, block.window, block.stride, act=act)
    y = net.squeeze_excite(y, divisible(y.c / 4)) if block.is_squeezed else y
    y = net.conv(y, cout, 1, act=None)
    return net.add(x, y) if block.stride == 1 and x.c == cout else y


_LITE_STAGES: Final = (
    (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)  # fmt: skip
"""Expansion, channels, blocks, stride and window of every stage of EfficientNet-B0."""
_LITE: Final = ((1.0, 1.0, 224), (1.0, 1.1, 240), (1.1, 1.2, 260), (1.2, 1.4, 280), (1.4, 1.8, 300))
"""Width, depth and image of EfficientNet-Lite0 to 4."""


def efficientnet_lite(name: str, number: int) -> onnx.ModelProto:
    """EfficientNet-Lite0 to 4: EfficientNet without squeeze-and-excitation and with ReLU6.

    Width scales neither the first nor the last convolution, depth neither the first nor the last stage. The published
    counts (407, 631, 899, 1,440 and 2,640 million) are 3 to 6 % above the multiply-accumulates, because they hold about
    three operations for each output of a convolution, for batch normalisation and activation.

    Args:
        name: name of the network.
        number: 0 to 4.

    Source:
        Tan and Le, EfficientNet, ICML 2019 (arXiv 1905.11946), table 1; what the Lite networks change from the
        description of the models in TensorFlow's repository of TPU models.
    """
    width_factor, depth_factor, side = _LITE[number]
    net = NetworkBuilder(name, side, side, 3)
    x = net.conv(net.input, 32, 3, 2, act="relu6")
    for stage, (expand, width, depth, stride, window) in enumerate(_LITE_STAGES):
        is_end = stage in (0, len(_LITE_STAGES) - 1)
        cout = divisible(width * width_factor)
        for block in range(depth if is_end else math.ceil(depth * depth_factor)):
            step = stride if block == 0 else 1
            y = net.conv(x, expand * x.c, 1, act="relu6") if expand > 1 else x
            y = net.conv(net.depthwise(y, window, step, act="relu6"), cout, 1, act=None)
            x = net.add(x, y) if step == 1 and x.c == cout else y
    return classified(net, net.conv(x, 1280, 1, act="relu6"))
