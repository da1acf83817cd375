"""Networks of the families by the names that their authors gave them; which of them are drawn is not known here."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

import onnx

from harness.graphs.families.choices import Choices, DefaultChoices, LoggedChoices
from harness.graphs.families.mobile import efficientnet_lite, mobilenet_v1_of, mobilenet_v2_of, mobilenet_v3_of
from harness.graphs.families.phone import PHONE_FAMILIES, shufflenet_v2, squeezenet
from harness.graphs.families.resnet import resnet50
from harness.graphs.families.transformers import kwt_1, stories_15m, vit_tiny

Build = Callable[[str], onnx.ModelProto]
"""Builder of one network, by the name that its file is to have."""

_PUBLISHED: Final = DefaultChoices()
_SAME: Final = LoggedChoices()

_V1_ALPHAS: Final = (1.0, 0.75, 0.5, 0.25)
_V1_SIDES: Final = (224, 192, 160, 128)
_V2_ALPHAS: Final = (1.0, 0.75, 0.5, 0.35)
_V2_SIDES: Final = (224, 192, 160, 128, 96)
_V2_WIDE: Final = (1.4, 1.3)
"""Width multipliers above 1, which are published for the largest image alone."""


def _chosen(build: Callable[[str, Choices], onnx.ModelProto], choices: Choices) -> Build:
    return lambda name: build(name, choices)


def _of_phones() -> Iterator[tuple[tuple[str, str], Build]]:
    """The nine families as published, and what their drawn variants vary where that is not the base."""
    for family, build in PHONE_FAMILIES.items():
        yield (family, "base"), _chosen(build, _PUBLISHED)
    for family in ("AlexNet", "SqueezeNet"):
        yield (family, "same"), _chosen(PHONE_FAMILIES[family], _SAME)
    yield ("ShuffleNetV2", "base"), partial(shufflenet_v2, choices=_PUBLISHED, halves=(58, 116, 232))
    yield ("ShuffleNetV2", "x1.5"), partial(shufflenet_v2, choices=_PUBLISHED)
    yield ("SqueezeNet", "1.1"), partial(squeezenet, choices=_PUBLISHED, is_1_1=True)
    yield ("ResNet50", "v1.5"), resnet50


def _of_tensorflow() -> Iterator[tuple[tuple[str, str], Build]]:
    """Networks by width multiplier and image, as TensorFlow publishes them."""
    for alpha in _V1_ALPHAS:
        for side in _V1_SIDES:
            yield ("MobileNetV1", f"alpha-{alpha}-{side}"), partial(mobilenet_v1_of, alpha=alpha, side=side)
    sizes = [(alpha, side) for alpha in _V2_ALPHAS for side in _V2_SIDES] + [(alpha, 224) for alpha in _V2_WIDE]
    for alpha, side in sizes:
        yield ("MobileNetV2", f"alpha-{alpha}-{side}"), partial(mobilenet_v2_of, alpha=alpha, side=side)
    for size in ("large", "small"):
        for alpha in (1.0, 0.75):
            yield (
                ("MobileNetV3", f"{size}-alpha-{alpha}-224"),
                partial(mobilenet_v3_of, size=size, alpha=alpha, side=224),
            )
        plain = partial(mobilenet_v3_of, size=size, alpha=1.0, side=224, is_minimalistic=True)
        yield ("MobileNetV3", f"{size}-minimalistic-alpha-1.0-224"), plain
    for number in range(5):
        yield ("EfficientNet-Lite", f"lite{number}"), partial(efficientnet_lite, number=number)


def _of_transformers() -> Iterator[tuple[tuple[str, str], Build]]:
    """Transformers; the decoder reads a prompt, or one token after others."""
    yield ("ViT", "Ti-16-224"), vit_tiny
    yield ("KWT", "1"), kwt_1
    yield ("Llama", "stories15M-prefill-128"), partial(stories_15m, n_tokens=128)
    yield ("Llama", "stories15M-decode-128"), partial(stories_15m, n_tokens=1, n_cached=128)


NAMED: Final[Mapping[tuple[str, str], Build]] = dict([*_of_phones(), *_of_tensorflow(), *_of_transformers()])
"""Builder of every network by its family and its name within that.

`base` is what the name of the family alone means; `alpha` is a width multiplier, and a number such as 224 at the end of
a name is the height and width of the image. `same` is the base with every window padded to "same" and without biases.
The decoder reads a prompt of 128 tokens (`prefill`), or one token after 128 others (`decode`).
"""
