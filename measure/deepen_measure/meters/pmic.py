"""Power management chip of a Raspberry Pi 5: voltages and currents of its outputs, by `vcgencmd pmic_read_adc`.

The sum of the outputs is less than the board draws: the losses of the chip and what draws from 5 V are left out.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from deepen_measure.errors import MeasureError
from deepen_measure.meter import Meter, MeterFacts, Missing

_PROGRAM = "vcgencmd"
_READING = re.compile(r"(\w+)_([AV]) (?:current|volt)\(\d+\)=(-?\d+(?:\.\d+)?)[AV]", re.ASCII)
_LONGEST_S = 5.0


class Pmic(Meter):
    """Outputs of the chip; a reading is the answer of one call of the program, as it prints it.

    Args:
        program: the program.
        rails: outputs with both a voltage and a current.
    """

    header = ""

    def __init__(self, program: str, rails: tuple[str, ...]) -> None:
        self._program = program
        self.facts = MeterFacts(
            name="pmic",
            title="Power management chip of the Raspberry Pi 5",
            kind="sensor",
            evidence="rail",
            format="pmic",
            boundary="sum-of-rails",
            rails=rails,
            gain_percent=None,
            offset_mw=None,
            accuracy_source="Raspberry Pi states no accuracy of these readings",
        )

    def read(self) -> tuple[str, ...]:
        """Answer of one call."""
        answer = _call(self._program)
        if answer is None or not _READING.search(answer):
            raise MeasureError(f"{_PROGRAM} pmic_read_adc no longer answers", "its readings", "Look at dmesg.")
        return (answer,)

    def record(self, stamp: str, reading: tuple[str, ...]) -> str:
        """The time on a line of its own, and the answer."""
        return f"{stamp}\n{reading[0].rstrip()}\n"


def find(root: Path, rails: tuple[str, ...] = ()) -> tuple[list[Meter], list[Missing]]:  # noqa: ARG001 - all outputs
    """The chip of this machine.

    Args:
        root: what `/` is; the program is looked for below its `usr/bin`, and by the path where it is `/`.
        rails: not asked for, because all outputs are summed.
    """
    looked_for = f"{_PROGRAM} pmic_read_adc"
    program = shutil.which(_PROGRAM, path=None if root == Path("/") else str(root / "usr/bin"))
    if program is None:
        return [], [Missing("pmic", looked_for, "the program is not there")]
    found = [(match[1], match[2]) for match in _READING.finditer(_call(program) or "")]
    both = tuple(dict.fromkeys(rail for rail, _ in found if (rail, "V") in found and (rail, "A") in found))
    if not both:
        return [], [Missing("pmic", looked_for, "it prints no readings, as on boards before the Raspberry Pi 5")]
    return [Pmic(program, both)], []


def _call(program: str) -> str | None:
    """Answer of the program; None where it fails."""
    try:
        found = subprocess.run(  # noqa: S603 - the program was found by its own name
            [program, "pmic_read_adc"], capture_output=True, text=True, timeout=_LONGEST_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout
