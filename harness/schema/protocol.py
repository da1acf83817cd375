"""How a run of `deepen-measure` was made, as the tool wrote it down: declared under `protocol` in `submission.yaml`."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from harness.schema import quantities as q
from harness.schema.quantity import Quantity

_RULE: Final = "fact-value"


def _line(sentence: str, most: int = 200) -> Quantity:
    form = "one line of printable text without angle brackets"
    fix = f"Take in the run again; its words have at most {most} printable characters."
    return Quantity("", sentence, _RULE, fix, pattern=q.LINE, max_length=most, form=form)


def _number(unit: str, sentence: str, least: float = 0, most: float = 1e9) -> Quantity:
    fix = "Take in the run again; the tool writes this number."
    return Quantity(unit, sentence, _RULE, fix, ge=least, le=most)


def _count(sentence: str, least: int = 0) -> Quantity:
    return Quantity("", sentence, _RULE, "Take in the run again; the tool writes this number.", ge=least, le=10**12)


_Sha256 = Annotated[
    str,
    Quantity(
        "", "SHA-256 of the file.", _RULE, "Take in the run again.", pattern=r"^[0-9a-f]{64}$", form="64 hex digits"
    ),
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Range(_Part):
    """Lowest and highest reading during a run."""

    lowest: Annotated[float, _number("", "Lowest.", -1e9)]
    highest: Annotated[float, _number("", "Highest.", -1e9)]


class MeasuredFile(_Part):
    """What one row of a run was measured with."""

    source_id: q.SourceId
    sha256: _Sha256 | None = Field(None, description="SHA-256 of the model file; none where a program was run.")
    n_each: Annotated[int, _count("Inferences in each window.", 1)]
    n_windows: Annotated[int, _count("Windows.", 1)]
    is_anchor: bool = Field(False, description="Whether it was measured several times, so that drift shows.")
    findings: list[Annotated[str, _line("What may have spoilt it, a sentence.")]] = Field(
        default_factory=list, description="What may have spoilt it, as the tool saw it."
    )


class Protocol(_Part):
    """How the windows of a run were made and what the machine did meanwhile."""

    tool: Annotated[str, _line("Tool with its version.")]
    command: Annotated[str, _line("Command as it was called.", 1000)] | None = None
    plan_sha256: _Sha256 | None = Field(None, description="SHA-256 of the plan that was measured.")
    n_windows: Annotated[int, _count("Windows of back-to-back inferences of each row.", 1)]
    window_s: Annotated[float, _number("s", "Shortest window.")]
    updates_per_window: Annotated[int, _count("Updates of the meter's value in a window, at least.")]
    update_period_s: Annotated[float, _number("s", "Time between changes of the meter's value, as observed.")]
    n_updates: Annotated[int, _count("Changes that were observed.")]
    idle_s: Annotated[float, _number("s", "Idle time before and after the windows.")]
    pause_s: Annotated[float, _number("s", "Idle time between windows.")]
    longest_warm_up_s: Annotated[float, _number("s", "Most time until the latency is steady.")]
    longest_cool_down_s: Annotated[float, _number("s", "Most time until the temperatures are those of the begin.")]
    threads: Annotated[int, _count("Threads that were asked for.", 1)]
    governors: list[Annotated[str, _line("Governor.")]] = Field(
        default_factory=list, description="Frequency governors of the cores."
    )
    clocks_mhz: Range | None = Field(None, description="Clocks of the cores before and after each row, in MHz.")
    temperatures_c: dict[Annotated[str, _line("Thermal zone.")], Range] = Field(
        default_factory=dict, description="Temperatures of the thermal zones before and after each row, in °C."
    )
    load: Range | None = Field(None, description="Load average before and after each row.")
    n_throttled: Annotated[int, _count("Times that a core was throttled.")] = 0
    files: list[MeasuredFile] = Field(min_length=1, description="What each row was measured with.")
