"""The types that a module of a trace format declares."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.schema.facts import Meaning, TableLayout
from harness.schema.vocabulary import MeterKind
from harness.traces.trace import PowerTrace


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """What a file cannot say of itself.

    Attributes:
        channel: which of several power columns or rails, joined by + for their sum; None takes the format's total.
        sampling_hz: rate of a log without time stamps.
        timezone: zone of stamps that state none.
        voltage_v: supply voltage in V of a meter that logs only current.
        layout: how a table of any tool is read.
    """

    channel: str | None = None
    sampling_hz: float | None = None
    timezone: str | None = None
    voltage_v: float | None = None
    layout: TableLayout | None = None


@dataclass(frozen=True, slots=True)
class RunSource:
    """A folder of runs whose power was logged in one format, for `deepen intake`.

    Attributes:
        title: what such a folder is, in a few words.
        meter: name of the meter, where a mapping gives none; empty where any meter may have written such logs, which
            is then to be stated with its kind.
        endings: what names of logs end in after the name of the run.
    """

    title: str
    meter: str
    endings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TraceFormat:
    """One format of power traces.

    Attributes:
        name: name on the command line.
        title: what writes such files, in a few words.
        meter_kind: how that meter measures.
        meaning: what a value of such a file is, for the documentation; a `PowerTrace` has it as `kind`.
        looks_like: whether a file that begins with these bytes is of the format.
        open: trace of a file; raises `TraceFormatError` where it is not one.
        source: folder of such logs that an intake reads; None where no intake reads them by this declaration alone.
    """

    name: str
    title: str
    meter_kind: MeterKind
    meaning: Meaning
    looks_like: Callable[[bytes], bool]
    open: Callable[[Path, TraceOptions], PowerTrace]
    source: RunSource | None = None
