"""System descriptions of MLPerf Tiny, `systems/<system>.json`: what a device is, and how its networks were prepared.

Nothing that a description leaves open is guessed; text that a fact cannot hold is left out.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from harness.intake.foreign import ForeignSourceError
from harness.intake.tiny_boards import TinyBoard, tiny_board
from harness.schema.systems import System as SystemFacts
from harness.validation.faults import Faults
from harness.validation.text import read_bytes

_MOST_BYTES: Final = 1_000_000
_MOST_LINE: Final = 200
_ABSENT: Final = ("", "-", "n/a", "na", "none")
_DEVICE_LINES: Final = {
    "soc": "soc name",
    "processor_name": "processor(s) name",
    "accelerator": "accelerator",
    "vendor": "submitter",
    "board": "board name",
}
_FREQUENCY: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*([MG])Hz", re.ASCII | re.IGNORECASE)
_VERSION: Final = re.compile(r"\bv(?=\d)", re.IGNORECASE)
"""Letter before the number of a version, which one framework has in some descriptions and lacks in others."""


def can_stand(name: str, fact: object) -> bool:
    """Whether a fact is one as `system:` of submission.yaml holds it.

    >>> can_stand("submitter", "Krai"), can_stand("stack", "(own)"), can_stand("clock_mhz", 0.0)
    (True, False, False)
    """
    try:
        SystemFacts.model_validate({name: fact})
    except ValidationError:
        return False
    return True


def one_line(text: object) -> str | None:
    """Text as a fact of one line holds it; None where it is absent or no such text.

    >>> one_line(" STM32 "), one_line("N/A"), one_line("a<b>")
    ('STM32', None, None)
    """
    line = text.strip() if isinstance(text, str) else ""
    is_plain = line.isprintable() and len(line) <= _MOST_LINE and not {"<", ">"} & set(line)
    return line if is_plain and line.lower() not in _ABSENT else None


@dataclass(frozen=True, slots=True)
class System:
    """A system as its description has it.

    Attributes:
        name: name of its folder.
        stated: lines of the description by their name there, in small letters; None where there is no description.
    """

    name: str
    stated: Mapping[str, str] | None = field(default=None)

    def line(self, name: str) -> str | None:
        """Line of the description."""
        return (self.stated or {}).get(name)

    @property
    def delegate(self) -> str | None:
        """The accelerator, otherwise the CPU; None where there is no description."""
        if self.stated is None:
            return None
        accelerator = self.stated.get("accelerator")
        if accelerator is None:
            return "CPU"
        plain = re.sub(r"[^A-Za-z0-9 ._+-]+", " ", accelerator).lstrip(" ._+-")
        return " ".join(plain[:100].split()) or "NPU"

    @property
    def board(self) -> TinyBoard | None:
        """Board that the name of its folder has; None where that is no known one."""
        return tiny_board(self.name)

    @property
    def clock_mhz(self) -> float | None:
        """Clock of its processor in MHz; None where the description states none, or several."""
        found = _FREQUENCY.findall(self.line("processor(s) frequencies") or "")
        clocks = {float(number) * (1000 if unit in "gG" else 1) for number, unit in found}
        return clocks.pop() if len(clocks) == 1 else None

    def settings(self) -> dict[str, Any]:
        """What `system:` of submission.yaml has from the description: stack, submitter and clock.

        The clock is left out where it is that of the board, as which every other system of the board leaves it out.

        >>> System("NUCLEO_U575ZI_Q", {"inference framework": "X-CUBE-AI v9.0"}).settings()
        {'stack': 'X-CUBE-AI 9.0'}
        """
        framework, board, clock = self.line("inference framework"), self.board, self.clock_mhz
        stated = {
            "stack": framework and _VERSION.sub("", framework),
            "submitter": self.line("submitter"),
            "clock_mhz": None if board is not None and board.frequency_mhz == clock else clock,
        }
        return {name: fact for name, fact in stated.items() if fact is not None and can_stand(name, fact)}

    @property
    def dtype(self) -> str:
        """Data type, where the quantisation states it."""
        return "int8" if "int8 quantization" in (self.line("quantization method") or "").lower() else "unstated"

    @property
    def runtime(self) -> str:
        """Inference framework."""
        return self.line("inference framework") or "not stated"

    def device(self) -> dict[str, Any] | None:
        """Contents of device.yaml: facts of the board where it is known; None where there is no description either."""
        if self.board is not None:
            facts = self.board.device()
            own = {} if self.delegate is None else {self.delegate: "npu" if self.line("accelerator") else "cpu"}
            return facts | {"delegates": own | facts["delegates"]}
        if self.stated is None or self.delegate is None:
            return None
        lines = {name: self.stated.get(key) for name, key in _DEVICE_LINES.items()}
        frequency = _FREQUENCY.search(self.stated.get("processor(s) frequencies", ""))
        mhz = 0.0 if frequency is None else float(frequency[1]) * (1000 if frequency[2] in "gG" else 1)
        return {
            "device_class": "microcontroller",
            **{name: line for name, line in lines.items() if line is not None},
            **({"frequency_mhz": mhz} if 0 < mhz <= 1e5 else {}),
            "delegates": {self.delegate: "npu" if self.stated.get("accelerator") else "cpu"},
        }


def read_system(folder: Path) -> System:
    """System of a folder of results, with its description where there is one above.

    Raises:
        ForeignSourceError: there is a description that cannot be read.
    """
    above = [parent / "systems" / f"{folder.name}.json" for parent in list(folder.parents)[:3]]
    path = next((path for path in above if path.is_file()), None)
    return System(folder.name) if path is None else System(folder.name, _stated(path))


def _stated(path: Path) -> dict[str, str]:
    faults, shown = Faults(), f"{path.parent.name}/{path.name}"
    data = read_bytes(path, shown, _MOST_BYTES, faults)
    if data is None:
        raise ForeignSourceError(faults.issues)
    line: int | None = None
    try:
        content = json.loads(data, object_pairs_hook=_stated_last)
        found = "" if isinstance(content, dict) else "no object"
    except json.JSONDecodeError as error:
        found, line = f"{error.msg.lower()} in column {error.colno}", error.lineno
    except (RecursionError, ValueError):
        found = "what no reader of JSON can hold"
    if found:
        fix = "Take the description as it was submitted, or correct its JSON."
        faults.add("foreign-file", shown, line=line, found=found, expected="a JSON object of lines", fix=fix)
        raise ForeignSourceError(faults.issues)
    lines = ((name.strip().lower(), one_line(text)) for name, text in content.items())
    return {name: text for name, text in lines if text is not None}


def _stated_last(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Object of which a name may be there twice, as many descriptions have it: stated, and then empty.

    >>> _stated_last([("SoC Name", "STM32"), ("SoC Name", "")])
    {'SoC Name': 'STM32'}
    """
    return dict(sorted(pairs, key=lambda pair: one_line(pair[1]) is not None))
