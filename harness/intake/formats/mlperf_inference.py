"""Results of MLPerf Inference with power, runs of single streams, in the layout of its results repositories.

`<division>/<submitter>/results/<system>/<benchmark>/singlestream/` holds `performance/run_1` with the power log and the
log of LoadGen, `performance/ranging`, a repeat of the same command, `performance/power`, the meter, and `accuracy`. The
description of the system is `<division>/<submitter>/systems/<system>.json`. A source holds one system.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Final

from harness.errors import UsageError
from harness.intake.foreign import ForeignRow, ForeignTable, IntakeFormat, IntakeOptions
from harness.intake.mlperf_networks import NETWORKS
from harness.intake.mlperf_runs import RunFigures, read_run
from harness.intake.mlperf_systems import EdgeSystem, safe_name
from harness.intake.stated import UNKNOWN
from harness.intake.tiny_systems import one_line, read_system
from harness.intake.traced import faulty_row, identifier_of
from harness.traces.logs import held_bytes
from harness.traces.runs import MLPERF_POWER
from harness.traces.trace import TraceFault, TraceFormatError

_SCENARIO: Final = "singlestream"
_DIVISIONS: Final = ("closed", "open", "network")
_ROUND: Final = re.compile(r"(?:inference_results_)?(v[0-9]\.[0-9])", re.ASCII)
_ROUND_DATES: Final = {"v1.0": "2021-04", "v1.1": "2021-09", "v2.0": "2022-04", "v2.1": "2022-09", "v3.0": "2023-04"}
"""Publication of each round, where no run states when it was made."""
_ACCURACY: Final = re.compile(r"\baccuracy=([0-9]{1,3}(?:\.[0-9]{1,9})?)%", re.ASCII)
_METER: Final = re.compile(r"Selected power meter '([^'\n]{1,100})'")
_LONGEST_NAME: Final = 64
_DIGEST: Final = 8


@dataclass(frozen=True, slots=True)
class _Run:
    """One benchmark of a system in the scenario of single streams.

    Attributes:
        folder: folder of the scenario.
        source_id: path of its power log from the division on.
    """

    folder: Path
    source_id: str

    @property
    def benchmark(self) -> str:
        """Name of the folder of its benchmark."""
        return self.folder.parent.name

    @property
    def system(self) -> Path:
        """Folder of its system."""
        return self.folder.parent.parent


@dataclass(frozen=True, slots=True)
class _Measured:
    """A run with what it measured; `repeat` is None where its ranging run gives no energy."""

    run: _Run
    figures: RunFigures
    repeat: RunFigures | None
    meter: str


class _Place:
    """What the path of a system states: round, division and submitter."""

    def __init__(self, system: Path) -> None:
        parts = system.parts
        rounds = [match[1] for part in parts if (match := _ROUND.fullmatch(part))]
        self.round = rounds[-1] if rounds else None
        at = _division_at(parts)
        self.division = None if at is None else parts[at]
        self.submitter = None if at is None or at + 1 >= len(parts) else one_line(parts[at + 1])

    @property
    def edition(self) -> str:
        """Benchmark with its round."""
        return f"MLPerf Inference {self.round}" if self.round else "MLPerf Inference"


def _division_at(parts: Sequence[str]) -> int | None:
    return max((position for position, part in enumerate(parts) if part in _DIVISIONS), default=None)


def _read(source: Path, options: IntakeOptions) -> ForeignTable:
    if options.mapping is not None:
        raise UsageError("mlperf-inference takes no mapping; its files say what they are")
    runs, place, system = _found(source)
    read = [_measured(run) for run in runs]
    measured = [each for each in read if isinstance(each, _Measured)]
    rows = [
        _row(each, system, place) if isinstance(each, _Measured) else _faulty(run, each)
        for run, each in zip(runs, read, strict=True)
    ]
    return ForeignTable(
        level="models",
        rows=sorted(rows, key=lambda row: row.source_id),
        submission=_submission(measured, system, place, options.stated.identifier),
        device=system.device(),
    )


def _names(source: Path) -> tuple[str, str]:
    """Device folder and campaign folder of a source."""
    runs, place, system = _found(source)
    parts = ("mlperf-inference", place.round, place.division, place.submitter, runs[0].system.name)
    name = safe_name("-".join(part for part in parts if part), most=1000)
    if len(name) > _LONGEST_NAME:
        # Systems differ in their last words, such as the runtime, which a cut alone would lose.
        digest = sha256(name.encode()).hexdigest()[:_DIGEST]
        name = f"{safe_name(name, _LONGEST_NAME - _DIGEST - 1)}-{digest}"
    return system.device_id, name


def _found(source: Path) -> tuple[list[_Run], _Place, EdgeSystem]:
    """Runs of a source, where they are, and their system.

    Raises:
        UsageError: it holds no run, or several systems.
        ForeignSourceError: the description of the system is missing, cannot be read, or is that of another board.
    """
    base = source.resolve()
    folders = [path.parent for path in base.rglob("performance") if path.parent.name.lower() == _SCENARIO]
    runs = [_Run(folder, _source_id(folder)) for folder in sorted(set(folders))]
    systems = list(dict.fromkeys(run.system for run in runs))
    if not systems:
        expected = "results/<system>/<benchmark>/singlestream/performance/"
        raise UsageError(f"{source.name} holds no run of MLPerf Inference: {expected}")
    if len(systems) > 1:
        names = ", ".join(system.relative_to(base).as_posix() for system in systems)
        raise UsageError(
            f"{source.name} holds {len(systems)} systems, and one is read at a time; name the folder of one: {names}"
        )
    place = _Place(systems[0])
    return runs, place, EdgeSystem(read_system(systems[0]), place.round)


def _source_id(folder: Path) -> str:
    """Path of the power log from the division on, or from the folder of the system where there is none above."""
    at = _division_at(folder.parts)
    start = len(folder.parts) - 3 if at is None else at
    return identifier_of(PurePosixPath(*folder.parts[start:], "performance", "run_1", MLPERF_POWER))


def _measured(run: _Run) -> _Measured | TraceFault:
    """What a run measured, or why it cannot be used."""
    if run.benchmark not in NETWORKS:
        fix = "Add the benchmark to NETWORKS of harness/intake/mlperf_networks.py, with its family."
        return TraceFault("foreign-file", f"benchmark {run.benchmark}", "a benchmark whose network is known", fix)
    performance = run.folder / "performance"
    try:
        figures = read_run(performance / "run_1", is_result=True)
        meter = _meter(performance / "power")
    except TraceFormatError as error:
        return error.fault
    try:
        repeat = read_run(performance / "ranging", is_result=False)
    except TraceFormatError:
        repeat = None
    return _Measured(run, figures, repeat, meter)


def _meter(folder: Path) -> str:
    """Meter that the log of PTDaemon names, or that it answered with.

    Raises:
        TraceFormatError: neither file names one.
    """
    if match := _METER.search(_text(folder / "ptd_logs.txt")):
        return one_line(match[1]) or UNKNOWN
    try:
        content = json.loads(_text(folder / "server.json") or "{}")
        answers = {each["cmd"]: each["reply"] for each in content["ptd_messages"]}
        name = one_line(str(answers["Identify"]).partition(",")[0])
    except (ValueError, KeyError, TypeError, RecursionError):
        name = None
    if name is None:
        fix = "Keep the folder performance/power; without it nobody knows what measured the power."
        expected = "power/ptd_logs.txt or power/server.json with the meter"
        raise TraceFormatError(TraceFault("foreign-file", "no meter beside the run", expected, fix))
    return name


def _text(path: Path) -> str:
    return held_bytes(path).decode("utf-8", "replace") if path.is_file() else ""


def _faulty(run: _Run, fault: TraceFault) -> ForeignRow:
    network = NETWORKS.get(run.benchmark)
    cells = {"benchmark": run.benchmark} if network is None else network.cells
    return faulty_row(run.source_id, [fault], cells)


def _row(measured: _Measured, system: EdgeSystem, place: _Place) -> ForeignRow:
    run, figures, repeat = measured.run, measured.figures, measured.repeat
    accuracy = _ACCURACY.search(_text(run.folder / "accuracy" / "accuracy.txt"))
    numbers = {
        "energy_mj": figures.energy_mj,
        "latency_ms": figures.latency_ms,
        "power_mw": figures.power_mw,
        "latency_p90_ms": figures.latency_p90_ms,
        "idle_before_mw": figures.idle_before_mw,
        "idle_after_mw": figures.idle_after_mw,
        "repeat_energy_mj": None if repeat is None else repeat.energy_mj,
        "repeat_latency_ms": None if repeat is None else repeat.latency_ms,
    }
    cells = {
        **NETWORKS[run.benchmark].cells,
        "delegate": system.delegate[0],
        "energy_kind": "absolute",
        **{name: f"{value:.9g}" for name, value in numbers.items() if value is not None},
        **({} if accuracy is None else {"accuracy_percent": accuracy[1]}),
        **({"rounds": place.round} if place.round else {}),
    }
    return ForeignRow(run.source_id, run.source_id, cells)


def _submission(
    measured: Sequence[_Measured], system: EdgeSystem, place: _Place, identifier: str | None
) -> dict[str, Any]:
    """Contents of submission.yaml."""
    submitter = system.submitter or place.submitter or UNKNOWN
    division = f", {place.division} division" if place.division else ""
    source = {
        "citation": f"MLCommons, {place.edition} results{division}, submitted by {submitter} for {system.name}.",
        "url": f"https://github.com/mlcommons/inference_results_{place.round}" if place.round else None,
        "identifier": identifier,
        "attribution": f"Figures from the results repository of MLCommons, {place.edition} (Apache-2.0). MLPerf is a "
        "trademark of MLCommons; figures derived from these results are not verified by MLCommons.",
    }
    meters = list(dict.fromkeys(each.meter for each in measured))
    rates = {f"{1 / each.figures.step_s:.4g}" for each in measured}
    return {
        "title": f"{place.edition}{division}, single stream with power, {system.runtime}",
        "contributors": [submitter],
        "date": _date([each.figures.day for each in measured], place),
        "method": "measured",
        "runtime": system.runtime,
        "boundary": "wall",
        "licence": "Apache-2.0",
        "source": {key: text for key, text in source.items() if text is not None},
        "meter": {"name": " and ".join(meters) or UNKNOWN, "kind": "analyser"}
        | ({"sampling_hz": float(rates.pop())} if len(rates) == 1 else {}),
        "untraced": "The power logs are kept in the source repository, at the path that is the source id of each row.",
        "notes": _notes(measured, system),
    }


def _date(days: Iterable[date], place: _Place) -> str:
    """Day, month or year in which the runs were made; otherwise that of the round.

    Raises:
        UsageError: nothing states when.
    """
    texts = [day.isoformat().split("-") for day in days]
    for n_parts in (3, 2, 1):
        dates = {"-".join(text[:n_parts]) for text in texts}
        if len(dates) == 1:
            return dates.pop()
    if place.round in _ROUND_DATES:
        return _ROUND_DATES[place.round]
    raise UsageError("nothing states when the runs were made; keep the name of the round, such as v3.0, in the path")


def _notes(measured: Sequence[_Measured], system: EdgeSystem) -> str:
    """What a reader should know."""
    alone = [each.run.benchmark for each in measured if each.repeat is None]
    lacking = f" The ranging run gives no energy for {', '.join(alone)}." if alone else ""
    return (
        "Energy is the mean power inside the window of LoadGen times the duration over the queries, or times the mean "
        "latency where they are not counted; idle power of the whole system is in it. Idle powers are medians before "
        "and after the window. The repeat is the ranging run of the same command, whose samples that the meter missed "
        f"are left out.{lacking} {system.notes()}"
    )


FORMAT = IntakeFormat(
    "mlperf-inference",
    "MLPerf Inference runs with power of one system, a results tree",
    _read,
    facts=("identifier",),
    names=_names,
)
