"""Names of network families and of reference networks: settled spellings, and other names of the same network.

Splits and pages go by names, so that a network under two names would be on both sides. It assigns no side.
"""

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Final

from harness.schema.vocabulary import Level, plain_word

FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "3D-UNet": ("UNet3D",),
    "AlexNet": (),
    "Autoencoder": ("Deep Autoencoder", "FC-Autoencoder"),
    "BERT": ("BERT-Large",),
    "DS-CNN": ("KWS", "Keyword spotting", "Depthwise separable CNN"),
    "DenseNet": (),
    "EfficientNet": (),
    "EfficientNet-Lite": (),
    "GoogLeNet": ("Inception", "InceptionV1"),
    "Inception-ResNet": ("InceptionResNetV2",),
    "InceptionV3": (),
    "InceptionV4": (),
    "KWT": ("Keyword Transformer",),
    "Llama": (),
    "MobileNetV1": (),
    "MobileNetV2": (),
    "MobileNetV3": (),
    "ProxylessNAS": ("Proxyless",),
    "RNN-T": ("RNN Transducer",),
    "ResNet18": (),
    "ResNet50": (),
    "ResNet8": (),
    "RetinaNet": (),
    "SSD-MobileNet": (),
    "SSD-ResNet34": (),
    "ShuffleNetV1": (),
    "ShuffleNetV2": ("ShuffleNet",),
    "SqueezeNet": (),
    "ViT": ("Vision Transformer",),
}
"""Families of the models level by their settled spelling, each with other names of it.

Those that the harness builds networks of, and those whose names begin like a family that splits hold out.

Source:
    Szegedy et al., Going deeper with convolutions, CVPR 2015: GoogLeNet is one incarnation of Inception, which the
    authors later call Inception-v1 (arXiv 1602.07261). Banbury et al., MLPerf Tiny Benchmark, 2021, table 1: keyword
    spotting (KWS) is run with DS-CNN, anomaly detection with a fully connected autoencoder. Dosovitskiy et al.,
    ICLR 2021: Vision Transformer (ViT). Reddi et al., MLPerf Inference Benchmark, ISCA 2020, and the rules of the
    benchmark: its detectors, 3D-UNet, RNN-T and BERT, which is BERT-Large. Berg et al., Interspeech 2021: Keyword
    Transformer (KWT).
"""
REFERENCE_MODELS: Final[Mapping[str, tuple[str, ...]]] = {
    "Conv-Actions-Frozen": (),
    "DeepLabv3": (),
    "EfficientNet": ("EfficientNet-Lite", *(f"EfficientNet-Lite{number}" for number in range(5))),
    "ESRGAN": ("ESRGAN-Lite", "Enhanced SRGAN"),
    "MobileBERT": (),
    "MobileNetv1": (),
    "MobileNetv2": (),
}
"""Reference networks of the applications level by their settled spelling, each with other names of it.

Source:
    Tu et al., SEC 2023 (arXiv 2310.18329), table of applications, whose spelling is kept.
"""
NAMES: Final[Mapping[Level, Mapping[str, tuple[str, ...]]]] = {
    "kernels": {},
    "models": FAMILIES,
    "applications": REFERENCE_MODELS,
}
"""Settled names per level; one name means different things at two levels, and kernels have none."""


@cache
def _settled_by_word(level: Level) -> dict[str, str]:
    """Settled name by every name of it, as `plain_word` has it."""
    words: dict[str, str] = {}
    for settled, others in NAMES[level].items():
        for name in (settled, *others):
            if words.setdefault(plain_word(name), settled) != settled:
                raise TypeError(f"{name} names {words[plain_word(name)]} and {settled}")
    return words


def settled_name(level: Level, name: str) -> str | None:
    """Settled spelling of a name, whatever its letters' size and what joins its parts; None for an unknown name.

    >>> settled_name("models", "inception_v1"), settled_name("models", "ds cnn"), settled_name("models", "InceptionV2")
    ('GoogLeNet', 'DS-CNN', None)
    >>> settled_name("models", "EfficientNet-lite"), settled_name("applications", "EfficientNet-lite")
    ('EfficientNet-Lite', 'EfficientNet')
    """
    return _settled_by_word(level).get(plain_word(name))


def begins_like(level: Level, name: str) -> str | None:
    """Settled name of the longest known name that another one begins with; None where it begins with none.

    >>> begins_like("models", "ShuffleNetV2x05"), begins_like("models", "MobileNetV4")
    ('ShuffleNetV2', None)
    """
    plain, words = plain_word(name), _settled_by_word(level)
    known = max((word for word in words if plain.startswith(word)), key=len, default=None)
    return None if known is None else words[known]


_LONG: Final = 6
"""Letters of a part that is found anywhere in a name; shorter ones are found where a part of the name begins."""
_PART: Final = re.compile(r"V\d+|(?:(?!V\d)[A-Za-z])+|\d+")
_RUNTIMES: Final = ("tflite", "tensorflowlite")
"""Runtimes in names of files, whose lite is no part of a network's name."""


def like_one_of(level: Level, settled: Collection[str], name: str) -> str | None:
    """Settled name, one of some, whose parts another name has in their order; None where it has those of none.

    Other parts may stand before, between and behind them. A name that states no version is like any version.

    >>> [like_one_of("models", ["MobileNetV3"], name) for name in ("tf-mobilenet-large-v3", "MobileNet", "MobileNetV4")]
    ['MobileNetV3', 'MobileNetV3', None]
    >>> like_one_of("models", ["DS-CNN"], "tiny_ds_cnn"), like_one_of("models", ["DS-CNN"], "CloudsCNN")
    ('DS-CNN', None)
    """
    plain, starts = _plain_with_starts(name)
    for each in sorted(settled):
        for known in (each, *NAMES[level][each]):
            parts = [plain_word(part) for part in _PART.findall(known)]
            places = range(len(plain)) if len(parts[0]) >= _LONG else starts
            found = re.compile(".*".join(parts))
            if any(found.match(plain, place) for place in places):
                return each
            if len(parts) > 1 and parts[-1][0] == "v" and plain.startswith(parts[0]) and not re.search(r"v\d", plain):
                return each
    return None


def _plain_with_starts(name: str) -> tuple[str, list[int]]:
    """A name as `plain_word` has it, without runtimes, and where in it a part of the name begins."""
    plain, starts, before = "", [], " "
    for letter in name:
        is_cut = not before.isalnum() or before.isdigit() != letter.isdigit()
        if folded := plain_word(letter):
            if is_cut or (letter.isupper() and not before.isupper()):
                starts.append(len(plain))
            plain += folded
        before = letter
    for runtime in _RUNTIMES:
        # Blanks keep the places, and match no letter.
        plain = plain.replace(runtime, " " * len(runtime))
    return plain, starts
