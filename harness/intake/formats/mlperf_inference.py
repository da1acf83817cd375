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
from pathlib import Path, PurePosixPath
from typing import Final

from harness.errors import UsageError
from harness.intake.described import DESCRIBED_FACTS, with_stated
from harness.intake.foreign import ForeignRow, ForeignTable, IntakeFormat, IntakeOptions
from harness.intake.mlperf_campaigns import ROUND_DATES, MeasuredRun, Place, campaign_name, campaign_table
from harness.intake.mlperf_networks import NETWORKS
from harness.intake.mlperf_runs import read_run
from harness.intake.mlperf_systems import EdgeSystem
from harness.intake.stated import UNKNOWN
from harness.intake.tiny_systems import one_line, read_system
from harness.intake.traced import faulty_row, identifier_of
from harness.traces.logs import held_bytes
from harness.traces.runs import MLPERF_POWER
from harness.traces.trace import TraceFault, TraceFormatError

_SCENARIO: Final = "singlestream"
_DIVISIONS: Final = ("closed", "open", "network")
_ROUND: Final = re.compile(r"(?:inference_results_)?(v[0-9]\.[0-9])", re.ASCII)
_ACCURACY: Final = re.compile(r"\baccuracy=([0-9]{1,3}(?:\.[0-9]{1,9})?)%", re.ASCII)
_METER: Final = re.compile(r"Selected power meter '([^'\n]{1,100})'")


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


def _division_at(parts: Sequence[str]) -> int | None:
    return max((position for position, part in enumerate(parts) if part in _DIVISIONS), default=None)


def _read(source: Path, options: IntakeOptions) -> ForeignTable:
    if options.mapping is not None:
        raise UsageError("mlperf-inference takes no mapping; its files say what they are")
    runs, place, system = _found(source)
    read = [(run, *_measured(run)) for run in runs]
    measured = [found for _, found, _ in read if isinstance(found, MeasuredRun)]
    table = campaign_table(
        measured,
        [_faulty(run, found) for run, found, _ in read if isinstance(found, TraceFault)],
        system,
        place,
        day=_date([day for _, _, day in read if day is not None], place),
        identifier=options.stated.identifier,
    )
    return with_stated(table, options.stated)


def _names(source: Path) -> tuple[str, str]:
    """Device folder and campaign folder of a source."""
    _, place, system = _found(source)
    return system.device_id, campaign_name(place, system.folder)


def _place(system: Path) -> Place:
    """What the path of a system states: round, division and submitter."""
    parts = system.parts
    rounds = [match[1] for part in parts if (match := _ROUND.fullmatch(part))]
    at = _division_at(parts)
    return Place(
        round=rounds[-1] if rounds else None,
        division=None if at is None else parts[at],
        submitter=None if at is None or at + 1 >= len(parts) else one_line(parts[at + 1]),
    )


def _found(source: Path) -> tuple[list[_Run], Place, EdgeSystem]:
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
    place = _place(systems[0])
    return runs, place, EdgeSystem(read_system(systems[0]), place.round)


def _source_id(folder: Path) -> str:
    """Path of the power log from the division on, or from the folder of the system where there is none above."""
    at = _division_at(folder.parts)
    start = len(folder.parts) - 3 if at is None else at
    return identifier_of(PurePosixPath(*folder.parts[start:], "performance", "run_1", MLPERF_POWER))


def _measured(run: _Run) -> tuple[MeasuredRun | TraceFault, date | None]:
    """What a run measured and the day of its begin, or why it cannot be used."""
    if run.benchmark not in NETWORKS:
        fix = "Add the benchmark to NETWORKS of harness/intake/mlperf_networks.py, with its family."
        fault = TraceFault("foreign-file", f"benchmark {run.benchmark}", "a benchmark whose network is known", fix)
        return fault, None
    performance = run.folder / "performance"
    try:
        figures, day = read_run(performance / "run_1", is_result=True)
        meter = _meter(performance / "power")
        accuracy = _accuracy(run.folder / "accuracy" / "accuracy.txt")
    except TraceFormatError as error:
        return error.fault, None
    try:
        repeat, _ = read_run(performance / "ranging", is_result=False)
    except TraceFormatError:
        repeat = None
    found = MeasuredRun(
        run.benchmark,
        run.source_id,
        figures,
        None if repeat is None else repeat.energy_mj,
        None if repeat is None else repeat.latency_ms,
        meter,
        accuracy,
    )
    return found, day


def _accuracy(path: Path) -> str | None:
    """Accuracy in percent as the file states it; None where it states none, as those of detection and language do.

    Raises:
        TraceFormatError: it states one that is no share in percent.
    """
    text = _text(path)
    if match := _ACCURACY.search(text):
        return match[1]
    if "accuracy=" in text:
        found = f"{path.name}: {text[text.index('accuracy=') :].split(',')[0][:40]}"
        fix = "Take the file anew from the source; without it the network is on no front."
        raise TraceFormatError(TraceFault("foreign-file", found, "accuracy= with a number and %", fix))
    return None


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


def _date(days: Iterable[date], place: Place) -> str:
    """Day, month or year in which the runs were made; otherwise that of the round.

    Raises:
        UsageError: nothing states when.
    """
    texts = [day.isoformat().split("-") for day in days]
    for n_parts in (3, 2, 1):
        dates = {"-".join(text[:n_parts]) for text in texts}
        if len(dates) == 1:
            return dates.pop()
    if place.round in ROUND_DATES:
        return ROUND_DATES[place.round]
    raise UsageError("nothing states when the runs were made; keep the name of the round, such as v3.0, in the path")


FORMAT = IntakeFormat(
    "mlperf-inference",
    "MLPerf Inference runs with power of one system, a results tree",
    _read,
    facts=("identifier", *DESCRIBED_FACTS),
    names=_names,
)
