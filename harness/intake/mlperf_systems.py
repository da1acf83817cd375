"""Systems of MLPerf Inference: the board that a system's folder names, and how it was set up.

Words of the folder's name and of its description make the stack and its settings. A description can be that of another
board. One defect of this kind is known and recorded; any other is refused.
"""

import re
from typing import Any, Final

from harness.intake.foreign import ForeignSourceError
from harness.intake.mlperf_boards import board_of
from harness.intake.stated import UNKNOWN
from harness.intake.tiny_systems import System
from harness.schema.vocabulary import Processor
from harness.validation.faults import Faults

_KNOWN_DEFECTS: Final = {("v2.0", "odroid-n2-plus"): "agx xavier"}
"""Board that descriptions of a round name in place of that of their folders, by round and device."""
_CPU_WORDS: Final = ("neon", "ruy", "xnnpack")
_FAN: Final = re.compile(r"\bfan\.(on|off|cool)\b")
_POWER_MODES: Final = (re.compile(r"\bpower\.(\d)\b"), re.compile(r"_(MaxQ|MaxN|\d{2}w)(?=-|$)"))
"""Power mode in the name of a folder: that of the Jetson's nvpmodel, a preset, or the limit of the box."""
_STACKS: Final = (
    (re.compile(r"^.*\b(TensorRT) v?(\d[\w.]*).*$"), r"\1 \2"),
    (re.compile(r"^ArmNN v(\d[\w.]*) \((\w+)\)$"), r"Arm NN \1 \2"),
    (re.compile(r"^TFLite v(\d[\w.]*|master) \((\w+)\)$"), r"TFLite \1 \2"),
    (re.compile(r"^Onnxruntime v(\d[\w.]*).*$"), r"ONNX Runtime \1"),
    (re.compile(r"^Qualcomm (Cloud AI SDK) v(\d[\w.]*)$", re.IGNORECASE), r"Qualcomm \1 \2"),
    (re.compile(r"^(.*) Version (\d[\w.]*)$"), r"\1 \2"),
)
"""Framework of a description, and the stack that it is: one spelling for each, with its version."""
_KERNEL_LISTS: Final = {"TFLite": "tflite-cpu", "Arm NN": "tflite-cpu", "ONNX Runtime": "onnxruntime-cpu"}
"""Fusion rules of the kernel lists by the begin of the stack; what other stacks fuse is not documented."""


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
        name = described.line("system_name")
        shown = f"systems/{described.name}.json"
        if name is None:
            found = "no description" if described.stated is None else "no system_name"
            raise _refused("foreign-file", shown, found, "a JSON object with system_name", "Keep the folder systems/.")
        self._board, is_named = board_of(described.name, name)
        self._system_name = name
        self.has_known_defect = False
        if self._board is not None and not is_named:
            known = _KNOWN_DEFECTS.get((round_name or "", self._board.device_id))
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
    def folder(self) -> str:
        """Name of the folder of the system."""
        return self._described.name

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
    def stack(self) -> str:
        """The framework in one spelling.

        >>> EdgeSystem(System("x", {"system_name": "X", "framework": "TFLite v2.7.1 (ruy)"}), None).stack
        'TFLite 2.7.1 ruy'
        """
        for pattern, shown in _STACKS:
            if pattern.match(self.runtime):
                return pattern.sub(shown, self.runtime).replace("xnnpack", "XNNPACK")
        return self.runtime

    @property
    def kernel_lists(self) -> str | None:
        """Runtime of the kernel lists that its rows take; None where nobody knows what its stack fuses.

        Arm NN reads files of TensorFlow Lite, whose converter has joined activations to the operators before them.
        """
        return next((runtime for begin, runtime in _KERNEL_LISTS.items() if self.stack.startswith(begin)), None)

    def settings(self) -> dict[str, str]:
        """Stack, power mode and fan, as far as description and name of the folder state them."""
        fan = _FAN.search(self.folder)
        modes = (pattern.search(self.folder) for pattern in _POWER_MODES)
        mode = next((found[1] for found in modes if found), None)
        settings = {"stack": self.stack, "power_mode": mode, "fan": fan and fan[1]}
        return {name: text for name, text in settings.items() if text}

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
        """Contents of device.yaml: facts of the board, which are the same for all of its systems."""
        board, delegate = self._board, self.delegate
        if board is None:
            return {"name": self.name, "device_class": "unstated", "delegates": {delegate[0]: delegate[1]}}
        return {
            "name": board.name,
            "device_class": board.device_class,
            "soc": board.soc,
            "processor_name": board.processor_name,
            "vendor": board.vendor,
            "delegates": dict(board.delegates) | {delegate[0]: delegate[1]},
        }

    def notes(self) -> str:
        """What a reader should know about the system."""
        lines = {
            "processor": self._described.line("host_processor_model_name"),
            "clock": self._described.line("host_processor_frequency"),
            "accelerator": self._accelerator,
            "cooling": self._described.line("cooling"),
        }
        if self.has_known_defect:
            return (
                f"System {self.folder}. Its description names {self._system_name}; the name of its folder and its "
                f"power are those of {self.name}, as which it stands here, without the facts of the description."
            )
        stated = ", ".join(f"{name}: {line}" for name, line in lines.items() if line is not None)
        return f"System {self.folder}" + (f", {stated}." if stated else ".")


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
