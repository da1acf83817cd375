"""Names of network families and of reference networks: settled spellings, and other names of the same network.

Splits and pages go by names, so that a network under two names would be on both sides. It assigns no side.
"""

from collections.abc import Mapping
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
