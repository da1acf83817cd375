"""Boards of MLPerf Inference's edge systems, by the names of the systems' folders and of their descriptions.

A board is what was plugged in: one module on the carrier boards of two makers is two boards.

Source:
    Names of boards, processors, accelerators and systems on chip: descriptions of the systems, `systems/*.json` of the
    results. They leave three open: the Raspberry Pi 4, whose Linux reports BCM2835, has a BCM2711; a Snapdragon 865
    without another number is a SM8250; the systems on chip of Jetson modules have the modules' names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from harness.schema.vocabulary import DeviceClass, Processor

_BOTH: Final[Mapping[str, Processor]] = {"CPU": "cpu", "GPU": "gpu"}
_JETSON: Final[Mapping[str, Processor]] = {**_BOTH, "TensorRT": "heterogeneous"}
"""TensorRT may place layers on the GPU and on the deep-learning accelerators; results do not state where."""
_AI_100: Final[Mapping[str, Processor]] = {
    "CPU": "cpu",
    "QUALCOMM Cloud AI 100 DM.2": "npu",
    "QUALCOMM Cloud AI 100 DM.2e": "npu",
}


@dataclass(frozen=True, slots=True)
class Board:
    """A board that several systems have.

    Attributes:
        device_id: name of its device folder.
        prefixes: what the folders of its systems begin with, in small letters.
        words: what its name in a description contains, in small letters.
        name: its name.
        device_class: kind of device.
        vendor: its maker.
        soc: its system on chip.
        processor_name: processor that hosts the runtime.
        delegates: what runs networks on it.
    """

    device_id: str
    prefixes: tuple[str, ...]
    words: str
    name: str
    device_class: DeviceClass
    vendor: str
    soc: str
    processor_name: str
    delegates: Mapping[str, Processor]


_XAVIER: Final = ("NVIDIA Xavier", "8 x NVIDIA Carmel", _JETSON)
_XAVIER_NX: Final = ("NVIDIA Xavier", "6 x NVIDIA Carmel", _JETSON)
_ORIN: Final = ("NVIDIA Orin", "12 x Arm Cortex-A78AE", _JETSON)
_SM8250: Final = ("Qualcomm SM8250", "8 x Qualcomm Kryo 585", _AI_100)
_QRB5165: Final = ("Qualcomm QRB5165", "8 x Qualcomm Kryo 585", _AI_100)
BOARDS: Final = (
    Board(
        "raspberry-pi-4", ("rpi4",), "raspberry pi 4", "Raspberry Pi 4", "single-board-computer", "Raspberry Pi",
        "Broadcom BCM2711", "4 x Arm Cortex-A72", _BOTH,
    ),
    Board(
        "odroid-n2-plus", ("odroid",), "odroid n2+", "Odroid N2+", "single-board-computer", "Hardkernel",
        "Amlogic S922X", "4 x Arm Cortex-A73, 2 x Arm Cortex-A53", _BOTH,
    ),
    Board(
        "firefly-rk3588s", ("firefly",), "firefly-rk3588s", "Firefly-RK3588S", "single-board-computer", "Firefly",
        "Rockchip RK3588S", "4 x Arm Cortex-A76, 4 x Arm Cortex-A55", _BOTH,
    ),
    Board(
        "khadas-vim4", ("vim4",), "khadas vim4", "Khadas VIM4", "single-board-computer", "Khadas", "Amlogic A311D2",
        "4 x Arm Cortex-A73, 4 x Arm Cortex-A53", _BOTH,
    ),
    Board(
        "jetson-agx-xavier", ("xavier", "agx_xavier"), "agx xavier", "NVIDIA Jetson AGX Xavier", "embedded-gpu",
        "NVIDIA", *_XAVIER,
    ),
    Board(
        "auvidea-x220-agx-xavier", ("agx_xavier",), "auvidea x220-lc agx xavier",
        "Auvidea X220-LC with NVIDIA Jetson AGX Xavier", "embedded-gpu", "Auvidea", *_XAVIER,
    ),
    Board(
        "jetson-xavier-nx", ("xavier_nx",), "xavier nx", "NVIDIA Jetson Xavier NX", "embedded-gpu", "NVIDIA",
        *_XAVIER_NX,
    ),
    Board(
        "auvidea-jnx30-xavier-nx", ("xavier_nx",), "auvidea jnx30 xavier nx",
        "Auvidea JNX30 with NVIDIA Jetson Xavier NX", "embedded-gpu", "Auvidea", *_XAVIER_NX,
    ),
    Board(
        "jetson-agx-orin", ("orin", "nvidia_orin"), "orin", "NVIDIA Jetson AGX Orin", "embedded-gpu", "NVIDIA", *_ORIN
    ),
    Board(
        "qualcomm-aedk", ("aedk",), "ai development kit", "Qualcomm AI Development Kit", "accelerator", "Qualcomm",
        *_SM8250,
    ),
    Board(
        "foxconn-gloria", ("gloria",), "foxconn gloria", "Foxconn Gloria (Entry)", "accelerator", "Foxconn", *_QRB5165
    ),
    Board(
        "foxconn-gloria-highend", ("gloria_highend",), "foxconn gloria (highend)", "Foxconn Gloria (Highend)",
        "accelerator", "Foxconn", *_QRB5165,
    ),
    Board(
        "inventec-heimdall", ("heimdall",), "inventec heimdall", "Inventec Heimdall", "accelerator", "Inventec",
        *_SM8250,
    ),
    Board(
        "thundercomm-turbox-eb6", ("eb6",), "turbox eb6", "Thundercomm TurboX EB6 Edge AI Box", "accelerator",
        "Thundercomm", *_QRB5165,
    ),
    Board("thundercomm-rb6", ("rb6",), "thundercomm rb6", "Thundercomm RB6", "accelerator", "Thundercomm", *_QRB5165),
    Board(
        "sima-mlsoc-dualm2", ("davinci",), "mlsoc dualm.2", "SiMa MLSoC DualM.2 Evaluation Kit", "accelerator",
        "SiMa.ai", "SiMa MLSoC", "4 x Arm Cortex-A65", {"CPU": "cpu", "MLSOC DualM.2": "npu"},
    ),
    Board(
        "alibaba-sinianml-rk3588", ("acs_sinian",), "alibaba cloud server e-series",
        "Alibaba Cloud Server E-Series SinianML Platform", "single-board-computer", "Alibaba Cloud", "Rockchip RK3588",
        "4 x Arm Cortex-A76, 4 x Arm Cortex-A55", {**_BOTH, "NPU 3.0": "npu"},
    ),
)  # fmt: skip


def board_of(folder: str, name: str) -> tuple[Board | None, bool]:
    """Board of a system.

    Args:
        folder: name of the system's folder.
        name: name of the system in its description.

    Returns:
        The board by the longest prefix and then by the most words; None where the folder names no known one. And
        whether the description names it as well.

    >>> board_of("rpi4-tflite", "Raspberry Pi 4 Model B")[0].device_id
    'raspberry-pi-4'
    >>> board_of("rpi4-tflite", "NVIDIA Jetson AGX Xavier")[1]
    False
    """
    found = [
        (name_has, len(prefix), len(board.words), board)
        for board in BOARDS
        for prefix in board.prefixes
        if folder.lower().startswith(prefix)
        for name_has in [board.words in name.lower()]
    ]
    longest = max((length for _, length, _, _ in found), default=0)
    best = max((each for each in found if each[1] == longest), key=lambda each: each[:3], default=None)
    return (None, False) if best is None else (best[3], best[0])
