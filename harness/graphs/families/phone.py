"""The nine families of SEC 2023 on 224 x 224 images, each a function of the choices of one variant.

Every network ends at its class scores. AlexNet and SqueezeNet pad as their choices state; in the others "same" gives
every plane the extents that it is published with. Channels that a residual addition or a channel split ties together
are chosen once.
"""

from collections.abc import Callable, Mapping
from typing import Final

import onnx

from harness.graphs.families.builder import Feature, NetworkBuilder
from harness.graphs.families.choices import Choices

CLASSES: Final = 1000
"""Classes of ImageNet."""


def classified(net: NetworkBuilder, x: Feature, classes: int = CLASSES) -> onnx.ModelProto:
    """A network that ends in a mean over the plane and one fully connected layer."""
    return net.model(net.fc(net.global_pool(x), classes))


def _network(name: str) -> NetworkBuilder:
    return NetworkBuilder(name, 224, 224, 3)


_ALEXNET: Final = ((64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1))
"""Channels, window, stride and zeros at each edge of every convolution."""


def alexnet(name: str, choices: Choices) -> onnx.ModelProto:
    """AlexNet on one tower: 6 x 6 elements before the first fully connected layer, 7 x 7 where all pads to "same".

    Source:
        Krizhevsky, One weird trick for parallelizing convolutional neural networks, 2014 (arXiv 1404.5997); padding as
        in torchvision, whose 61,100,840 parameters it has.
    """
    net = _network(name)
    x = net.input
    for layer, (width, window, stride, zeros) in enumerate(_ALEXNET, start=1):
        cout, side = choices.channels(f"conv{layer}", width), choices.window(f"conv{layer}", window)
        x = net.conv(x, cout, side, stride, bn=False, bias=choices.has_biases, pad=choices.zeros(zeros))
        x = net.pool("Max", x, 3, 2, pad=choices.zeros(0)) if layer in (1, 2, 5) else x
    for label in ("fc6", "fc7"):
        x = net.fc(x, choices.channels(label, 4096), act="relu")
    return net.model(net.fc(x, CLASSES))


def densenet(name: str, choices: Choices) -> onnx.ModelProto:
    """DenseNet-121.

    Source:
        Huang et al., Densely Connected Convolutional Networks, CVPR 2017 (arXiv 1608.06993), table 1.
    """
    net = _network(name)
    x = net.conv(net.input, choices.channels("stem", 64), choices.window("stem", 7), 2)
    x = net.pool("Max", x, 3, 2)
    for block, depth in enumerate((6, 12, 24, 16), start=1):
        for layer in range(1, depth + 1):
            label = f"dense{block}.{layer}"
            y = net.conv(net.bn_relu(x), choices.channels(f"{label}.1", 128), 1)
            y = net.conv(y, choices.channels(f"{label}.2", 32), choices.window(f"{label}.2", 3), act=None, bn=False)
            x = net.concat(x, y)
        x = net.bn_relu(x)
        if block < 4:
            x = net.conv(x, choices.channels(f"transition{block}", x.c // 2), 1, act=None, bn=False)
            x = net.pool("Average", x, 2, 2)
    return classified(net, x)


_INCEPTION: Final = {
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64), "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128), "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128),
}  # fmt: skip
"""Channels of every inception module: 1x1, 3x3 reduced, 3x3, 5x5 reduced, 5x5, after the pooling."""


def googlenet(name: str, choices: Choices) -> onnx.ModelProto:
    """GoogLeNet with batch normalisation and without its auxiliary classifiers.

    With the batch normalisation folded it has the 6,998,552 parameters of the model that was published for Caffe.
    torchvision has 6,624,904 parameters and 1,498 million multiply-accumulates, because its modules have a 3 x 3 window
    where the paper has 5 x 5.

    Source:
        Szegedy et al., Going Deeper with Convolutions, CVPR 2015 (arXiv 1409.4842), table 1.
    """
    net = _network(name)

    def conv(x: Feature, label: str, width: int, window: int, stride: int = 1) -> Feature:
        return net.conv(x, choices.channels(label, width), choices.window(label, window), stride)

    x = net.pool("Max", conv(net.input, "conv1", 64, 7, 2), 3, 2)
    x = net.pool("Max", conv(conv(x, "conv2.1", 64, 1), "conv2.2", 192, 3), 3, 2)
    for label, (one, three_in, three, five_in, five, pooled) in _INCEPTION.items():
        x = net.concat(
            conv(x, f"{label}.1", one, 1),
            conv(conv(x, f"{label}.2", three_in, 1), f"{label}.3", three, 3),
            conv(conv(x, f"{label}.4", five_in, 1), f"{label}.5", five, 5),
            conv(net.pool("Max", x, 3, 1), f"{label}.6", pooled, 1),
        )
        x = net.pool("Max", x, 3, 2) if label in ("3b", "4e") else x
    return classified(net, x)


def mobilenet_v1(name: str, choices: Choices, *, side: int = 224, classes: int = CLASSES) -> onnx.ModelProto:
    """MobileNetV1; layers are named as in the released log of its variants.

    Args:
        name: name of the network.
        choices: channels and windows.
        side: height and width of the image.
        classes: classes.

    Source:
        Howard et al., MobileNets, 2017 (arXiv 1704.04861), table 1.
    """
    net = NetworkBuilder(name, side, side, 3)
    x = net.conv(net.input, choices.channels("layer1", 32), choices.window("layer1", 3), 2)
    for layer, (width, stride) in enumerate(
        (
            (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1),
            (512, 1), (1024, 2), (1024, 1),
        ), start=2,
    ):  # fmt: skip
        x = net.depthwise(x, choices.window(f"layer{layer}.1", 3), stride)
        x = net.conv(x, choices.channels(f"layer{layer}.2", width), 1)
    return classified(net, x, classes)


def _inverted(
    net: NetworkBuilder, x: Feature, choices: Choices, label: str, *, expand: int, cout: int, window: int, stride: int
) -> Feature:
    """Inverted residual block: expand, filter every channel alone, project; added to its input where they fit."""
    y = x
    if expand > 1:
        y = net.conv(x, choices.channels(f"{label}.expand", expand * x.c), 1, act="relu6")
    y = net.depthwise(y, choices.window(f"{label}.filter", window), stride, act="relu6")
    y = net.conv(y, cout, 1, act=None)
    return net.add(x, y) if stride == 1 and x.c == cout else y


def mobilenet_v2(name: str, choices: Choices, *, side: int = 224, classes: int = CLASSES) -> onnx.ModelProto:
    """MobileNetV2.

    Args:
        name: name of the network.
        choices: channels and windows.
        side: height and width of the image.
        classes: classes.

    Source:
        Sandler et al., MobileNetV2, CVPR 2018 (arXiv 1801.04381), table 2.
    """
    net = NetworkBuilder(name, side, side, 3)
    x = net.conv(net.input, choices.channels("stem", 32), choices.window("stem", 3), 2, act="relu6")
    for stage, (expand, width, depth, stride) in enumerate(
        ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
        start=1,
    ):
        cout = choices.channels(f"stage{stage}", width)
        for block in range(1, depth + 1):
            label, step = f"stage{stage}.{block}", stride if block == 1 else 1
            x = _inverted(net, x, choices, label, expand=expand, cout=cout, window=3, stride=step)
    return classified(net, net.conv(x, choices.channels("last", 1280), 1, act="relu6"), classes)


_PROXYLESS: Final = (
    (32, 2, ((3, 5), (3, 3))),
    (40, 2, ((3, 7), (3, 3), (3, 5), (3, 5))),
    (80, 2, ((6, 7), (3, 5), (3, 5), (3, 5))),
    (96, 1, ((6, 5), (3, 5), (3, 5), (3, 5))),
    (192, 2, ((6, 7), (6, 7), (3, 7), (3, 7))),
    (320, 1, ((6, 7),)),
)
"""Channels and stride of every stage, and expansion and window of each of its blocks."""


def proxylessnas(name: str, choices: Choices) -> onnx.ModelProto:
    """ProxylessNAS, the network found for phones.

    Source:
        Cai et al., ProxylessNAS, ICLR 2019 (arXiv 1812.00332), figure 4 (c).
    """
    net = _network(name)
    x = net.conv(net.input, choices.channels("stem", 32), choices.window("stem", 3), 2, act="relu6")
    first = choices.channels("stage0", 16)
    x = _inverted(net, x, choices, "stage0.1", expand=1, cout=first, window=3, stride=1)
    for stage, (width, stride, blocks) in enumerate(_PROXYLESS, start=1):
        cout = choices.channels(f"stage{stage}", width)
        for block, (expand, window) in enumerate(blocks, start=1):
            label, step = f"stage{stage}.{block}", stride if block == 1 else 1
            x = _inverted(net, x, choices, label, expand=expand, cout=cout, window=window, stride=step)
    return classified(net, net.conv(x, choices.channels("last", 1280), 1, act="relu6"))


def resnet18(name: str, choices: Choices) -> onnx.ModelProto:
    """ResNet-18.

    Source:
        He et al., Deep Residual Learning for Image Recognition, CVPR 2016 (arXiv 1512.03385), table 1.
    """
    net = _network(name)
    # The first stage adds the stem's output as it is, so both have the same channels.
    x = net.conv(net.input, choices.channels("stage1", 64), choices.window("stem", 7), 2)
    x = net.pool("Max", x, 3, 2)
    for stage, width in enumerate((64, 128, 256, 512), start=1):
        cout = choices.channels(f"stage{stage}", width)
        for block in (1, 2):
            label, stride = f"stage{stage}.{block}", 2 if stage > 1 and block == 1 else 1
            inner = choices.channels(f"{label}.1", width)
            y = net.conv(x, inner, choices.window(f"{label}.1", 3), stride)
            y = net.conv(y, cout, choices.window(f"{label}.2", 3), act=None)
            x = net.conv(x, cout, 1, stride, act=None) if stride > 1 else x
            x = net.add(x, y, act="relu")
    return classified(net, x)


def shufflenet_v2(name: str, choices: Choices, *, halves: tuple[int, int, int] = (88, 176, 352)) -> onnx.ModelProto:
    """ShuffleNetV2, by default 1.5x, whose cost is near the mean that SEC 2023 prints for the family.

    Args:
        name: name of the network.
        choices: channels and windows.
        halves: half of the channels of each stage; (58, 116, 232) for 1.0x.

    Source:
        Ma et al., ShuffleNet V2, ECCV 2018 (arXiv 1807.11164), table 5.
    """
    net = _network(name)
    x = net.conv(net.input, choices.channels("stem", 24), choices.window("stem", 3), 2)
    x = net.pool("Max", x, 3, 2)
    for stage, (half, depth) in enumerate(zip(halves, (4, 8, 4), strict=True), start=2):
        # Both halves of a split have the same channels, so half of a stage's channels is chosen.
        cout = choices.channels(f"stage{stage}", half)
        for block in range(1, depth + 1):
            label, stride = f"stage{stage}.{block}", 2 if block == 1 else 1
            if stride == 2:
                left = net.depthwise(x, choices.window(f"{label}.left", 3), 2, act=None)
                left, right = net.conv(left, cout, 1), x
            else:
                left, right = net.split(x)
            right = net.conv(right, choices.channels(f"{label}.1", half), 1)
            right = net.depthwise(right, choices.window(f"{label}.2", 3), stride, act=None)
            x = net.shuffle(net.concat(left, net.conv(right, cout, 1)))
    return classified(net, net.conv(x, choices.channels("last", 1024), 1))


_FIRES: Final = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
"""Channels of every fire module: squeezed, and of each of its two expansions."""


def squeezenet(name: str, choices: Choices, *, is_1_1: bool = False) -> onnx.ModelProto:
    """SqueezeNet 1.0 on 224 x 224 images: planes of 109, 54, 27 and 13; 112, 56, 28 and 14 where all pads to "same".

    The paper prints 111 x 111 for its first plane, and the model that it published for Caffe reads 227 x 227.

    Args:
        name: name of the network.
        choices: channels, windows and padding.
        is_1_1: whether it is version 1.1: a smaller first window, and poolings after the modules 3 and 5.

    Source:
        Iandola et al., SqueezeNet, 2016 (arXiv 1602.07360), table 1, and its repository for version 1.1.
    """
    net = _network(name)
    width, side, pooled = (64, 3, (3, 5)) if is_1_1 else (96, 7, (4, 8))

    def conv(x: Feature, label: str, cout: int, window: int, stride: int = 1) -> Feature:
        zeros = choices.zeros(1 if label.endswith(".3") else 0)
        cout, window = choices.channels(label, cout), choices.window(label, window)
        return net.conv(x, cout, window, stride, bn=False, bias=choices.has_biases, pad=zeros)

    x = net.pool("Max", conv(net.input, "conv1", width, side, 2), 3, 2, pad=choices.zeros(0), is_ceil=True)
    for fire, (squeeze, expand) in enumerate(_FIRES, start=2):
        label = f"fire{fire}"
        x = conv(x, f"{label}.squeeze", squeeze, 1)
        x = net.concat(conv(x, f"{label}.1", expand, 1), conv(x, f"{label}.3", expand, 3))
        x = net.pool("Max", x, 3, 2, pad=choices.zeros(0), is_ceil=True) if fire in pooled else x
    return net.model(net.global_pool(net.conv(x, CLASSES, 1, bn=False, bias=choices.has_biases)))


PHONE_FAMILIES: Final[Mapping[str, Callable[[str, Choices], onnx.ModelProto]]] = {
    "AlexNet": alexnet,
    "DenseNet": densenet,
    "GoogLeNet": googlenet,
    "MobileNetV1": mobilenet_v1,
    "MobileNetV2": mobilenet_v2,
    "ProxylessNAS": proxylessnas,
    "ResNet18": resnet18,
    "ShuffleNetV2": shufflenet_v2,
    "SqueezeNet": squeezenet,
}
"""Builder of every family, by its settled name."""
