"""The closed word lists of the schema and the configuration of each kernel type; no quantities."""

from typing import Final, Literal, get_args

Level = Literal["kernels", "models", "applications"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)

Kernel = Literal[
    "conv-bn-relu",
    "dwconv-bn-relu",
    "bnrelu",
    "relu",
    "avgpool",
    "maxpool",
    "fc",
    "concat",
    "add",
    "addrelu",
    "bn",
    "hswish",
    "se",
    "split",
    "channelshuffle",
    "global-avgpool",
]

Application = Literal[
    "image-detection",
    "image-classification",
    "super-resolution",
    "image-segmentation",
    "question-answering",
    "speech-recognition",
]

Dtype = Literal["fp32", "fp16", "bf16", "int16", "int8", "int4", "mixed", "unstated"]
Processor = Literal["cpu", "gpu", "npu", "dsp", "heterogeneous"]
DeviceClass = Literal[
    "phone", "tablet", "single-board-computer", "embedded-gpu", "microcontroller", "accelerator", "unstated"
]
Method = Literal["measured", "published", "simulated", "estimated"]
MeterKind = Literal["analyser", "rail", "counter", "battery-gauge"]
Tier = Literal["analyser", "rail", "counter", "published", "simulated"]
Split = Literal["train", "test"]
Track = Literal["kernels", "models", "devices"]

FAMILIES: Final = (
    "AlexNet",
    "Autoencoder",
    "DS-CNN",
    "DenseNet",
    "GoogLeNet",
    "MobileNetV1",
    "MobileNetV2",
    "ProxylessNAS",
    "ResNet18",
    "ResNet8",
    "ShuffleNetV2",
    "SqueezeNet",
)
"""Families whose spelling is settled, because splits go by it: the paper's nine and MLPerf Tiny's."""

TIER_TITLES: Final[dict[Tier, str]] = {
    "analyser": "measured with a power analyser",
    "rail": "measured on an on-board rail",
    "counter": "measured with a counter or battery gauge",
    "published": "taken from a publication",
    "simulated": "simulated or estimated",
}
RATED_TIERS: Final[tuple[Tier, ...]] = ("analyser", "rail", "counter", "published")

_SPATIAL = ("input_h", "input_w", "cin")
_WINDOW = ("kernel_h", "kernel_w", "stride_h", "stride_w")

KERNEL_REQUIRES: Final[dict[Kernel, tuple[str, ...]]] = {
    "conv-bn-relu": (*_SPATIAL, "cout", *_WINDOW),
    "dwconv-bn-relu": (*_SPATIAL, *_WINDOW),
    "bnrelu": _SPATIAL,
    "relu": _SPATIAL,
    "avgpool": (*_SPATIAL, *_WINDOW),
    "maxpool": (*_SPATIAL, *_WINDOW),
    "fc": ("cin", "cout"),
    "concat": (*_SPATIAL, "cin2"),
    "add": _SPATIAL,
    "addrelu": _SPATIAL,
    "bn": _SPATIAL,
    "hswish": _SPATIAL,
    "se": _SPATIAL,
    "split": _SPATIAL,
    "channelshuffle": _SPATIAL,
    "global-avgpool": _SPATIAL,
}
"""Configuration fields without which a kernel of that type says nothing (paper, table of kernels)."""

KERNEL_ALLOWS: Final[dict[Kernel, tuple[str, ...]]] = {
    "conv-bn-relu": ("groups",),
    "dwconv-bn-relu": ("cout",),
    "concat": ("cin3", "cin4"),
}
"""Configuration fields that may be given beside the required ones; every other one must stay empty."""

UNSTATED_LICENCE: Final = "NOASSERTION"
"""SPDX's word for a licence that nobody has stated."""

CONFIGURATION_FIELDS: Final[tuple[str, ...]] = (
    *_SPATIAL,
    "cout",
    *_WINDOW,
    "groups",
    "cin2",
    "cin3",
    "cin4",
)


def tier_of(method: Method, meter_kind: MeterKind | None) -> Tier:
    """Evidence tier of a row, from how the figure was obtained.

    Args:
        method: `measured`, `published`, `simulated` or `estimated`.
        meter_kind: what measured it; needed when the method is `measured`.

    Raises:
        ValueError: a measured figure without a meter kind.

    >>> tier_of("measured", "battery-gauge")
    'counter'
    """
    if method == "published":
        return "published"
    if method in ("simulated", "estimated"):
        return "simulated"
    if meter_kind is None:
        raise ValueError("a measured figure needs a meter kind")
    return "counter" if meter_kind == "battery-gauge" else meter_kind
