"""Systems of MLPerf Inference: the board that a system's folder names, and what its description states about it.

A description can be that of another board. One defect of this kind is known and recorded; any other is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from harness.intake.foreign import ForeignSourceError
from harness.intake.stated import UNKNOWN
from harness.intake.tiny_systems import System
from harness.schema.vocabulary import DeviceClass, Processor
from harness.validation.faults import Faults

_BOTH: Final[Mapping[str, Processor]] = {"CPU": "cpu", "GPU": "gpu"}
_JETSON: Final[Mapping[str, Processor]] = {**_BOTH, "TensorRT": "heterogeneous"}
"""TensorRT may place layers on the GPU and on the deep-learning accelerators; results do not state where."""


@dataclass(frozen=True, slots=True)
class Board:
    """A board that several systems have.

    Attributes:
        device_id: name of its device folder.
        prefix: what the folders of its systems begin with, in small letters.
        words: what its name in a description contains, in small letters.
        name: its name.
        device_class: kind of device.
        vendor: its maker.
        delegates: what runs networks on it.
    """

    device_id: str
    prefix: str
    words: str
    name: str
    device_class: DeviceClass
    vendor: str
    delegates: Mapping[str, Processor]


def _single_board(device_id: str, prefix: str, words: str, name: str, vendor: str) -> Board:
    return Board(device_id, prefix, words, name, "single-board-computer", vendor, _BOTH)


def _jetson(device_id: str, prefix: str, words: str, name: str) -> Board:
    return Board(device_id, prefix, words, name, "embedded-gpu", "NVIDIA", _JETSON)


BOARDS: Final = (
    _single_board("raspberry-pi-4", "rpi4", "raspberry pi 4", "Raspberry Pi 4", "Raspberry Pi"),
    _single_board("odroid-n2-plus", "odroid", "odroid n2+", "Odroid N2+", "Hardkernel"),
    _single_board("firefly-rk3588s", "firefly", "firefly-rk3588s", "Firefly-RK3588S", "Firefly"),
    _single_board("khadas-vim4", "vim4", "khadas vim4", "Khadas VIM4", "Khadas"),
    _jetson("jetson-agx-xavier", "xavier", "agx xavier", "NVIDIA Jetson AGX Xavier"),
    _jetson("jetson-agx-xavier", "agx_xavier", "agx xavier", "NVIDIA Jetson AGX Xavier"),
    _jetson("jetson-xavier-nx", "xavier_nx", "xavier nx", "NVIDIA Jetson Xavier NX"),
    _jetson("jetson-agx-orin", "orin", "orin", "NVIDIA Jetson AGX Orin"),
    _jetson("jetson-agx-orin", "nvidia_orin", "orin", "NVIDIA Jetson AGX Orin"),
)
_KNOWN_DEFECTS: Final = {("v2.0", "odroid"): "agx xavier"}
"""Board that descriptions of a round name in place of that of their folders, by round and prefix."""
_FREQUENCY: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) MHz", re.ASCII)
_CPU_WORDS: Final = ("neon", "ruy", "xnnpack")


class EdgeSystem:
    """A system with its board.

    Args:
        described: the system with its description.
        round_name: round of its results, such as v2.0; None where it is unknown.

    Raises:
        ForeignSourceError: it has no description, or that of another board.
    """

    def __init__(self, described: System, round_name: str | None) -> None:
        self._described = described
        name, folder = described.line("system_name"), described.name.lower()
        shown = f"systems/{described.name}.json"
        if name is None:
            found = "no description" if described.stated is None else "no system_name"
            raise _refused("foreign-file", shown, found, "a JSON object with system_name", "Keep the folder systems/.")
        boards = [board for board in BOARDS if folder.startswith(board.prefix)]
        self._board = max(boards, key=lambda board: len(board.prefix), default=None)
        self._system_name = name
        self.has_known_defect = False
        if self._board is not None and self._board.words not in name.lower():
            known = _KNOWN_DEFECTS.get((round_name or "", self._board.prefix))
            if known is None or known not in name.lower():
                fix = "Find out which board was measured; correct the description, or the name of the folder."
                raise _refused("system-mismatch", shown, f"system_name {name}", self._board.name, fix)
            self.has_known_defect = True

    @property
    def name(self) -> str:
        """Name of the device."""
        return self._system_name if self._board is None else self._board.name

    @property
    def device_id(self) -> str:
        """Name of the device folder."""
        return safe_name(self._system_name.lower()) if self._board is None else self._board.device_id

    @property
    def runtime(self) -> str:
        """Inference framework with its version."""
        return self._described.line("framework") or UNKNOWN

    @property
    def submitter(self) -> str | None:
        """Who submitted the results."""
        return self._described.line("submitter")

    @property
    def _accelerator(self) -> str | None:
        return self._described.line("accelerator_model_name")

    @property
    def delegate(self) -> tuple[str, Processor]:
        """What runs the networks, by the framework, and its processor; an accelerator that neither names is its own."""
        words = self.runtime.lower()
        if "opencl" in words:
            return "GPU", "gpu"
        if "tensorrt" in words:
            return "TensorRT", "heterogeneous"
        if self._accelerator is None or any(word in words for word in _CPU_WORDS):
            return "CPU", "cpu"
        plain = re.sub(r"[^A-Za-z0-9 ._+-]+", " ", self._accelerator).lstrip(" ._+-")
        return " ".join(plain[:100].split()) or "NPU", "npu"

    def device(self) -> dict[str, Any]:
        """Contents of device.yaml; of a description of another board, nothing is used."""
        board, delegate = self._board, self.delegate
        lines = {
            "processor_name": self._described.line("host_processor_model_name"),
            "accelerator": self._accelerator,
            "vendor": None if board is None else board.vendor,
        }
        frequency = _FREQUENCY.fullmatch(self._described.line("host_processor_frequency") or "")
        facts: dict[str, Any] = {name: line for name, line in lines.items() if line is not None}
        if frequency is not None and 0 < float(frequency[1]) <= 1e5:
            facts["frequency_mhz"] = float(frequency[1])
        if self.has_known_defect:
            facts = {name: fact for name, fact in facts.items() if name == "vendor"}
        own = {} if board is None else dict(board.delegates)
        return {
            "name": self.name,
            "device_class": "unstated" if board is None else board.device_class,
            **facts,
            "delegates": own | {delegate[0]: delegate[1]},
        }

    def notes(self) -> str:
        """What a reader should know about the system."""
        cooling = self._described.line("cooling")
        parts = [f"System {self._described.name}" + (f", cooling: {cooling}." if cooling else ".")]
        if self.has_known_defect:
            parts.append(
                f"The description of the system names {self._system_name}; the name of its folder and its power are "
                f"those of {self.name}, as which it stands here, without the facts of the description."
            )
        return " ".join(parts)


def safe_name(text: str, most: int = 64) -> str:
    """Text as a folder of submissions is named.

    >>> safe_name("Foxconn Gloria (Entry)"), safe_name("xavier-fan.cool", 6)
    ('Foxconn-Gloria-Entry', 'xavier')
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")
    return plain[:most].rstrip("-._")


def _refused(rule: str, shown: str, found: str, expected: str, fix: str) -> ForeignSourceError:
    faults = Faults()
    faults.add(rule, shown, found=found, expected=expected, fix=fix)
    return ForeignSourceError(faults.issues)
