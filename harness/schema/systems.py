"""What is rated on a device: a system, which is the device with a stack, settings and who submitted it."""

import re
from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, model_validator

from harness.schema import quantities as q
from harness.schema.quantity import Display, Quantity

_RULE: Final = "fact-value"
_PART: Final = re.compile(r"[^a-z0-9.]+")


def _words(sentence: str, title: str) -> Quantity:
    form = "one line of printable text without angle brackets that begins with a letter or digit"
    fix = "Use one line of at most 80 printable characters."
    pattern = r"^[A-Za-z0-9]" + q.LINE.removeprefix("^").replace("]+$", "]*$")
    display = Display(title, q.NOWHERE)
    return Quantity("", sentence, _RULE, fix, pattern=pattern, max_length=80, form=form, display=display)


def _number(unit: str, sentence: str, most: float, title: str) -> Quantity:
    display = Display(title, q.NOWHERE)
    return Quantity(unit, sentence, _RULE, f"Give a number above 0 in {unit}.", gt=0, le=most, display=display)


_THREADS: Final = Quantity(
    "", "Threads that run the network.", _RULE, "Give a whole number.", ge=1, le=1024, display=Display("Threads")
)


class Settings(BaseModel):
    """Settings of a device that its figures depend on, each left out where it is not stated."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    clock_mhz: Annotated[float, _number("MHz", "Clock that was set.", 1e5, "Clock set")] | None = None
    core_mv: Annotated[float, _number("mV", "Core voltage that was set.", 1e5, "Core voltage")] | None = None
    power_mode: Annotated[str, _words("Power mode of the board.", "Power mode")] | None = None
    fan: Annotated[str, _words("How the fan ran.", "Fan")] | None = None
    operating_system: Annotated[str, _words("Operating system.", "Operating system")] | None = None
    kernel_library: Annotated[str, _words("Library of kernels that the runtime calls.", "Kernel library")] | None = None
    threads: Annotated[int, _THREADS] | None = None

    def in_words(self, names: Iterable[str] | None = None) -> tuple[str, ...]:
        """Every setting that is stated, or those of some names, in words.

        >>> Settings(clock_mhz=240, fan="cool").in_words()
        ('240 MHz', 'fan cool')
        """
        wanted = set(Settings.model_fields if names is None else names)
        return tuple(
            _FORMS.get(name, "{}").format(f"{value:.12g}" if isinstance(value, float) else value)
            for name in Settings.model_fields
            if name in wanted and (value := getattr(self, name)) is not None
        )


_FORMS: Final = {
    "clock_mhz": "{} MHz",
    "core_mv": "{} mV",
    "power_mode": "power mode {}",
    "fan": "fan {}",
    "threads": "{} threads",
}
"""Words of a setting; those of any other are its value."""


SystemName = Annotated[
    str, Quantity("", "Name of the system: device, stack, and what else it needs to be told apart.", _RULE, "")
]
StackName = Annotated[str, _words("Runtime with the part of its version that sets it apart, as it is named.", "Stack")]
SubmitterName = Annotated[str, _words("Who submitted the results.", "Submitter")]
RoundName = Annotated[str, _words("Round of the benchmark that the results belong to.", "Round")]


class System(Settings):
    """The stack and settings that a campaign ran on its device, declared in `submission.yaml`."""

    stack: StackName | None = None
    submitter: SubmitterName | None = None
    round: RoundName | None = None

    @model_validator(mode="before")
    @classmethod
    def _states_something(cls, data: object) -> object:
        if isinstance(data, dict) and all(value is None for value in data.values()):
            raise ValueError("a stack, a setting or a submitter, because a system without any is the device itself")
        return data


FormerId = Annotated[
    str,
    Quantity(
        "",
        "Submission that the rows were published as before, device folder and campaign folder; "
        "their record ids stay those of it.",
        _RULE,
        "Give the former folders as DEVICE/CAMPAIGN.",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}/[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        form="DEVICE/CAMPAIGN",
        display=Display("Formerly", is_code=True),
    ),
]


class SystemColumns(Settings):
    """Columns of the published submission table that say what was rated."""

    system_id: q.SystemId
    system: SystemName
    stack: StackName | None = None
    submitter: SubmitterName | None = None
    round: RoundName | None = None
    formerly: FormerId | None = None


def system_id(device_id: str, system: System | None, runtime: str) -> str:
    """Identifier of a system, which the device's is where a campaign declares none; the round is no part of it.

    >>> system_id("raspberry-pi-4", System(stack="TFLite 2.7 ruy", submitter="Krai", round="v2.0"), "TFLite v2.7.1")
    'raspberry-pi-4--tflite-2.7-ruy--krai'
    >>> system_id("acme-phone", None, "TFLite v2.7.1")
    'acme-phone'
    """
    if system is None:
        return device_id
    submitter = [] if system.submitter is None else [system.submitter]
    parts = [system.stack or runtime, *system.in_words(), *submitter]
    return "--".join([device_id, *(_PART.sub("-", part.lower()).strip("-.") for part in parts)])
