"""Networks of MLPerf Inference by the folders of their benchmarks: family, variant, image and data type.

Open submissions of image classification by Krai and cTuning name TensorFlow's networks in two ways each; the spellings
stand in one table, whose families and variants are those of `harness.graphs.families.named`. A benchmark of the suite
names its network alone, and states no data type.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from harness.schema.vocabulary import Dtype


@dataclass(frozen=True, slots=True)
class BenchmarkNetwork:
    """Network that a benchmark runs.

    Attributes:
        family: its family.
        variant: its name within the family.
        side: height and width of its image in pixels; None where its input is no image of a settled size.
        dtype: data type of weights and activations, `unstated` where the benchmark does not name one.
    """

    family: str
    variant: str | None
    side: int | None
    dtype: Dtype

    @property
    def cells(self) -> dict[str, str]:
        """Cells of a row, by column."""
        cells = {"model": "-".join(filter(None, (self.family, self.variant))), "family": self.family}
        if self.variant is not None:
            cells["variant"] = self.variant
        if self.side is not None:
            cells["input_shape"] = f"{self.side}x{self.side}x3"
        return cells | {"dtype": self.dtype}

    @property
    def dataset(self) -> str | None:
        """Data set that an accuracy in per cent is on; None where the benchmark has another measure.

        Source:
            MLPerf Inference, table of benchmarks: image classification is on the validation images of ImageNet 2012,
            speech recognition on LibriSpeech, where the accuracy is what the word error rate leaves.
        """
        return _SPEECH if self.family == "RNN-T" else None if self.side is None else _IMAGES


_IMAGES: Final = "ImageNet-1k"
_SPEECH: Final = "LibriSpeech"

_DTYPES: Final[tuple[tuple[Dtype, str, str, str], ...]] = (
    ("fp32", "non-quantized", "float", "fp32"),
    ("int8", "quantized", "uint8", "int8"),
)
"""Data type with the words of its spellings: of MobileNetV1 and V2, of MobileNetV3, of EfficientNet by cTuning."""
_WIDTHS: Final = {"v1": ("1.0", "0.75", "0.5", "0.25"), "v2": ("1.0", "0.75", "0.5", "0.35")}
_SIDES: Final = {"v1": (224, 192, 160, 128), "v2": (224, 192, 160, 128, 96)}
_WIDE: Final = ("1.4", "1.3")
"""Widths of MobileNetV2 above 1, for the largest image alone."""
_LITE_SIDES: Final = (224, 240, 260, 280, 300)
"""Image of EfficientNet-Lite by its number."""


def _sized(version: str) -> Iterator[tuple[str, int]]:
    yield from ((width, side) for width in _WIDTHS[version] for side in _SIDES[version])
    if version == "v2":
        yield from ((width, 224) for width in _WIDE)


def _spellings() -> Iterator[tuple[str, BenchmarkNetwork]]:
    """Folders of Krai, then of cTuning, for each network and data type."""
    for dtype, plain, short, lite in _DTYPES:
        for version in ("v1", "v2"):
            for width, side in _sized(version):
                network = BenchmarkNetwork(f"MobileNet{version.upper()}", f"alpha-{width}-{side}", side, dtype)
                yield f"mobilenet-{version}-{width}-{side}-{plain}", network
                yield f"mobilenet-{version}-precision_{short}-{width}-{side}", network
        for size in ("large", "small"):
            for kind, widths in (("", ("1.0", "0.75")), ("-minimalistic", ("1.0",))):
                for width in widths:
                    network = BenchmarkNetwork("MobileNetV3", f"{size}{kind}-alpha-{width}-224", 224, dtype)
                    yield f"mobilenet-v3-{size}{kind}_224_{width}_{short}", network
                    if width == "1.0":
                        yield f"mobilenet-v3-precision_{short}-{size}{kind}-224", network
        for number, side in enumerate(_LITE_SIDES):
            network = BenchmarkNetwork("EfficientNet-Lite", f"lite{number}", side, dtype)
            yield f"efficientnet-lite{number}-{plain}", network
            yield f"efficientnet-{lite}-lite{number}", network


def _suite() -> Iterator[tuple[str, BenchmarkNetwork]]:
    """Benchmarks of the suite; a number is the share of the reference's accuracy in % that it asks for."""
    yield "resnet50", BenchmarkNetwork("ResNet50", "v1.5", 224, "unstated")
    for folder, family, variant in (
        ("ssd-mobilenet", "SSD-MobileNet", None),
        ("ssd-resnet34", "SSD-ResNet34", None),
        ("retinanet", "RetinaNet", None),
        ("rnnt", "RNN-T", None),
        ("bert-99", "BERT", "99"),
        ("3d-unet-99", "3D-UNet", "99"),
        ("3d-unet-99.9", "3D-UNet", "99.9"),
    ):
        yield folder, BenchmarkNetwork(family, variant, None, "unstated")


NETWORKS: Final[Mapping[str, BenchmarkNetwork]] = dict([*_spellings(), *_suite()])
"""Network of every benchmark that is known, by the name of its folder."""
