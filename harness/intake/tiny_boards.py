"""Boards of MLPerf Tiny's systems, by the names of the systems' folders.

Source:
    Descriptions of the systems, `systems/*.json` of the results of rounds v0.7 to v1.3: names, systems on chip,
    processors, accelerators and the clocks of the boards, which several of their systems lower.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from harness.schema.vocabulary import Processor

_CPU: Final[Mapping[str, Processor]] = {"CPU": "cpu"}
_ST: Final = "STMicroelectronics"
_RENESAS: Final = "Renesas Electronics Corporation"
_M4: Final = "32-bit Arm Cortex-M4 (DSP + FPU)"
_M33: Final = "Arm Cortex-M33 32-bit RISC core"


@dataclass(frozen=True, slots=True)
class TinyBoard:
    """A board that systems of MLPerf Tiny have.

    Attributes:
        device_id: name of its device folder.
        soc: its system on chip.
        processor_name: its processor.
        vendor: its maker.
        delegates: what runs networks on it.
        frequency_mhz: clock of its processor in MHz where no system lowers it; None where each sets its own.
        accelerator: its accelerator; None where it has none.
        words: words of the folders of its systems; None where these are the words of `device_id`.
        name: its name; None where that is `device_id`.
    """

    device_id: str
    soc: str
    processor_name: str
    vendor: str
    delegates: Mapping[str, Processor]
    frequency_mhz: float | None = None
    accelerator: str | None = None
    words: str | None = None
    name: str | None = None

    def device(self) -> dict[str, Any]:
        """Contents of device.yaml."""
        facts = {
            "name": self.name or self.device_id,
            "device_class": "microcontroller",
            "soc": self.soc,
            "processor_name": self.processor_name,
            "accelerator": self.accelerator,
            "vendor": self.vendor,
            "frequency_mhz": self.frequency_mhz,
            "delegates": dict(self.delegates),
        }
        return {name: fact for name, fact in facts.items() if fact is not None}


TINY_BOARDS: Final = (
    TinyBoard("EK-RA6M4", "R7FA6M4AF3CFB", "32-bit Arm Cortex-M33 (DSP + FPU)", _RENESAS, _CPU, 200),
    TinyBoard(
        "GAP9-EVK", "Gap9", "GAP9 Risc-v", "Greenwaves Technologies", {"NE16": "npu"},
        accelerator="NE16", words="gap9", name="GAP9 EVK",
    ),
    TinyBoard(
        "NDP9120", "NDP9120", "HiFi3 + M0", "Syntiant", {"Syntiant Core 2": "npu"},
        accelerator="Syntiant Core 2", words="syntiant-9120",
    ),
    TinyBoard("NUCLEO-H7A3ZI-Q", "STM32H7A3ZIT6Q", "32-Bit ARM Cortex-M7", _ST, _CPU, 280),
    TinyBoard("NUCLEO-L4R5ZI", "STM32L4R5ZIT6U", _M4, _ST, _CPU, 120),
    TinyBoard("NUCLEO-L4R5ZI-P", "STM32L4R5ZIT6P", _M4, _ST, _CPU, 120),
    TinyBoard("NUCLEO-U385RG-Q", "STM32U385RGT6Q", _M33, _ST, _CPU, 96),
    TinyBoard(
        "NUCLEO-U3C5ZIT6-Q", "U3C5ZIT6", _M33, _ST, {"DSP Co-processor": "dsp"}, 96, accelerator="DSP Co-processor"
    ),
    TinyBoard("NUCLEO-U575ZI-Q", "STM32U575ZIT6Q", _M33, _ST, _CPU, 160),
    TinyBoard("RX65N-Cloud-Kit", "RX65N", "Renesas RXv2", _RENESAS, _CPU, 120),
    TinyBoard(
        "xG24-DK2601B", "EFR32MG24B310F1536IM48", "ARM Cortex-M33 CPU with FPU, DSP and TrustZone", "Silicon Labs",
        {"Silicon Labs MVP": "npu"}, 78, accelerator="Silicon Labs MVP",
    ),
)  # fmt: skip


def tiny_board(folder: str) -> TinyBoard | None:
    """Board of a system, by the most words of its folder's name; None where that names no known board.

    >>> tiny_board("microtvm_cmsis_nn-NUCLEO_L4R5ZI").device_id, tiny_board("NUCLEO_L4R5ZI-P_70MHz").device_id
    ('NUCLEO-L4R5ZI', 'NUCLEO-L4R5ZI-P')
    >>> tiny_board("syntiant_9120_1v1_98mhz").device_id, tiny_board("NUCLEO_L4R5ZIX")
    ('NDP9120', None)
    """
    named = f"-{_hyphened(folder)}-"
    words = [(_hyphened(board.words or board.device_id), board) for board in TINY_BOARDS]
    found = [(len(each), board) for each, board in words if f"-{each}-" in named]
    return max(found, key=lambda each: each[0], default=(0, None))[1]


def _hyphened(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name.lower())
