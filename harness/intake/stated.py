"""Facts that a caller states about runs, and those that nobody states; a mapping file states the same."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from pydantic import BaseModel

from harness.errors import UsageError
from harness.schema.facts import Device, Manifest, TableLayout
from harness.schema.records import ROWS
from harness.schema.vocabulary import UNSTATED_LICENCE

UNKNOWN: Final = "not stated"
_UNKNOWNS: Final = (None, UNKNOWN, [UNKNOWN], UNSTATED_LICENCE, "unstated", {"unstated": "heterogeneous"})
_HEAD: Final = "# To fill in, because no file of the source states it:\n"
_PROCESSORS: Final = ("cpu", "gpu", "npu", "dsp")


@dataclass(frozen=True, slots=True)
class StatedFacts:
    """What a caller states besides the files; None, 0 and False where nothing is stated.

    Attributes:
        model: name of the network, of a source with one run.
        family: family of the networks.
        dtype: data type of weights and activations.
        delegate: NAME or NAME=PROCESSOR; a name that begins with CPU, GPU, NPU or DSP states its processor.
        date: day, month or year of the measurement.
        runtime: inference runtime with its version.
        licence: SPDX identifier of the data licence.
        contributors: people or organisations, in order.
        boundary: what the energies are of.
        rails: names of the rails, where it is one or a sum of some.
        meter: maker and model of the meter.
        meter_kind: how it measures, where the format does not state it.
        identifier: identifier of the source, such as a commit or DOI.
        meter_gain_percent: limit of error of the meter in % of its reading.
        meter_offset_mw: limit of error of the meter at zero, in mW.
        device_name: name of the device as its maker writes it.
        device_class: kind of the device.
        inferences: name of the file of the inferences, beside the trace.
        n_each: inferences in each window.
        channel: power column or rail; A+B is their sum.
        timezone: zone of stamps that state none.
        voltage_v: supply voltage of a meter that logs only current.
        sampling_hz: rate of a log without time stamps.
        layout: how a table of any tool is read.
        is_aligned: whether to find the offset between the clocks and to apply and record it.
        offset_s: seconds to add to the windows.
        drift_ppm: drift of the windows to undo, in ppm.
        n_skipped: windows to leave out at the beginning.
        skips_warm_up: whether to find the windows of the warm-up and to leave them out.
    """

    model: str | None = None
    family: str | None = None
    dtype: str | None = None
    delegate: str | None = None
    date: str | None = None
    runtime: str | None = None
    licence: str | None = None
    contributors: tuple[str, ...] = ()
    boundary: str | None = None
    rails: tuple[str, ...] = ()
    meter: str | None = None
    meter_kind: str | None = None
    identifier: str | None = None
    meter_gain_percent: float | None = None
    meter_offset_mw: float | None = None
    device_name: str | None = None
    device_class: str | None = None
    inferences: str | None = None
    n_each: int = 1
    channel: str | None = None
    timezone: str | None = None
    voltage_v: float | None = None
    sampling_hz: float | None = None
    layout: TableLayout | None = None
    is_aligned: bool = False
    offset_s: float | None = None
    drift_ppm: float | None = None
    n_skipped: int = 0
    skips_warm_up: bool = False

    @property
    def given(self) -> list[str]:
        """Names of the facts that are stated."""
        return [each.name for each in fields(self) if getattr(self, each.name) != each.default]

    @property
    def delegates(self) -> dict[str, str]:
        """The delegate with its processor; empty where none is stated.

        Raises:
            UsageError: its processor is not stated.
        """
        if self.delegate is None:
            return {}
        name, _, processor = self.delegate.partition("=")
        known = next((each for each in _PROCESSORS if name.lower().startswith(each)), "")
        if not processor and not known:
            raise UsageError(
                f"delegate {name!r} does not state its processor; write {name}=PROCESSOR with one of "
                f"{', '.join((*_PROCESSORS, 'heterogeneous'))}"
            )
        return {name: processor or known}

    @property
    def delegate_cell(self) -> dict[str, str]:
        """Cell of the delegate; empty where none is stated."""
        return {} if self.delegate is None else {"delegate": next(iter(self.delegates))}


def require_declared(stated: StatedFacts, device: Device) -> None:
    """Refuse a delegate that a device which is there already does not declare.

    Raises:
        UsageError: it declares others, or another processor for it.
    """
    if dict(device.delegates) in _UNKNOWNS:
        return
    for name, processor in stated.delegates.items():
        declared = device.delegates.get(name)
        if declared is None:
            known = ", ".join(device.delegates)
            raise UsageError(
                f"device.yaml declares {known}, and not {name}, which is stated to have run; add `{name}: {processor}` "
                "to its delegates, or state one of these"
            )
        if declared != processor:
            raise UsageError(
                f"device.yaml declares that {name} runs on the {declared}, and it is stated to have run on the "
                f"{processor}; correct either"
            )


FACTS: Final = tuple(each.name for each in fields(StatedFacts))
"""All that a caller may state."""


@dataclass(frozen=True, slots=True)
class OpenFact:
    """A fact that neither the files nor the caller state.

    Attributes:
        file: file that it belongs into.
        field: field or column there.
        option: option of the command that states it.
        meaning: what to find out, a sentence.
    """

    file: str
    field: str
    option: str
    meaning: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field} ({self.option}): {self.meaning}"


_FACTS: Final = (
    ("device.yaml", "name", "--device-name"),
    ("device.yaml", "device_class", "--device-class"),
    ("device.yaml", "delegates", "--delegate"),
    ("submission.yaml", "contributors", "--contributor"),
    ("submission.yaml", "runtime", "--runtime"),
    ("submission.yaml", "licence", "--licence"),
    ("submission.yaml", "boundary", "--boundary"),
    ("models.csv", "family", "--family"),
    ("models.csv", "dtype", "--dtype"),
)
_MODELS: Final[dict[str, type[BaseModel]]] = {
    "device.yaml": Device,
    "submission.yaml": Manifest,
    "models.csv": ROWS["models"],
}


def open_facts(
    device: Mapping[str, Any] | None, submission: Mapping[str, Any], rows: Sequence[Mapping[str, str]]
) -> Iterator[OpenFact]:
    """Facts that are not stated in what is about to be written.

    Args:
        device: contents of a new device.yaml; None where there is one already.
        submission: contents of submission.yaml.
        rows: cells of the rows.
    """
    for file, field, option in _FACTS:
        if file == "device.yaml" and device is None:
            continue
        values = {"device.yaml": [device or {}], "submission.yaml": [submission], "models.csv": rows}[file]
        if any(value.get(field) in _UNKNOWNS for value in values):
            yield OpenFact(file, field, option, _meaning(file, field))
    if (submission.get("meter") or {}).get("accuracy") is None:
        meaning = "Limits of error, from the data sheet of the meter; without them the uncertainty lacks the meter."
        yield OpenFact("submission.yaml", "meter.accuracy", "--meter-gain-percent", meaning)


def _meaning(file: str, field: str) -> str:
    schema = _MODELS[file].model_json_schema()["properties"][field]
    return str(schema.get("description", "")) or field


def filled(declared: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """A device as it is declared, with what was found in place of what is not stated there.

    >>> filled({"name": "not stated", "soc": "BCM2712"}, {"name": "Raspberry Pi 5", "soc": "another"})
    {'name': 'Raspberry Pi 5', 'soc': 'BCM2712'}
    """
    return {name: found.get(name, value) if value in _UNKNOWNS else value for name, value in declared.items()}


def is_to_fill_in(data: bytes) -> bool:
    """Whether a file has the comment lines of an intake about what is to be filled in."""
    return data.startswith(_HEAD.encode())


def comments(facts: Iterable[OpenFact], file: str) -> bytes:
    """Comment lines about the open facts of a file, for its head; empty where it has none."""
    lines = [f"#   {fact.field}: {fact.meaning}\n" for fact in facts if fact.file == file]
    return (_HEAD + "".join(lines)).encode() if lines else b""
