"""MLPerf Tiny energy runs as EnergyRunner leaves them: `<task>/energy/` with trace, marks, results and log.

From v1.3 on trace and marks are in `results.json`.

A tree may hold one system. Energies are recomputed from the traces and compared with the published medians; a run
without a trace is reported, and its published figure is kept with it. Traces are read by `harness.traces`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from harness.errors import UsageError
from harness.intake.described import DESCRIBED_FACTS, with_stated
from harness.intake.facts import declared_device
from harness.intake.foreign import ForeignRow, ForeignTable, IntakeFormat, IntakeOptions
from harness.intake.mlperf_campaigns import Place, campaign_name
from harness.intake.mlperf_systems import safe_name
from harness.intake.stated import UNKNOWN
from harness.intake.tiny_results import PrintedResults, beside, one_of, read_printed, text_of
from harness.intake.tiny_systems import System, can_stand, one_line, read_system
from harness.intake.traced import ForeignRun, TracedRows, faulty_row, identifier_of, traced_rows
from harness.traces.runs import ENERGY, RESULTS, TINY_RESULTS, energyrunner_results, energyrunner_run, has_samples
from harness.traces.trace import TraceFault

_TASKS: Final = {
    "ad": {"model": "mlperf-tiny-ad", "family": "Autoencoder", "input_shape": "640"},
    "ic": {"model": "mlperf-tiny-ic", "family": "ResNet8", "input_shape": "32x32x3"},
    "kws": {"model": "mlperf-tiny-kws", "family": "DS-CNN", "input_shape": "49x10"},
    "vww": {"model": "mlperf-tiny-vww", "family": "MobileNetV1", "input_shape": "96x96x3"},
    # A run of the streaming wake word is one inference: a stream of 1200 s, in frames of 40 features.
    "sww": {"model": "mlperf-tiny-sww", "family": "DS-CNN", "variant": "1D", "input_shape": "37499x1x40"},
}
_DATASETS: Final = {
    "ad": "ToyADMOS",
    "ic": "CIFAR-10",
    "kws": "Speech Commands",
    "vww": "Visual Wake Words",
}
"""Data sets that accuracies of the tasks are on.

Source:
    Banbury et al., MLPerf Tiny Benchmark, NeurIPS Datasets and Benchmarks, 2021, table 1.
"""
_FOLDERS: Final = {
    **{task: task for task in _TASKS},
    "anomaly_detection": "ad",
    "image_classification": "ic",
    "keyword_spotting": "kws",
    "visual_wake_words": "vww",
    "person_detection": "vww",
}
_ROUND_DATES: Final = {"v0.7": "2022-04", "v1.0": "2022-11", "v1.1": "2023-06", "v1.2": "2024-04", "v1.3": "2025"}
"""Publication of each round, where no log states when a run was made."""
_METERS: Final = {"lpm01a": "STMicroelectronics X-NUCLEO-LPM01A", "js110": "Joulescope JS110"}
_DIVISIONS: Final = ("closed", "open")


@dataclass(frozen=True, slots=True)
class _Energy:
    """One folder of an energy run.

    Attributes:
        folder: the folder.
        system: folder of its system.
        task: task of the benchmark; None where neither folder nor log names one.
        log: text of its log; empty where there is none.
        script: text of its scripts.
        results: its results; None where there are none.
    """

    folder: Path
    system: Path
    task: str | None
    log: str
    script: str
    results: Path | None

    def source_id(self, path: Path) -> str:
        """Path of a file from the division on, or from the system where there is none above."""
        parts = path.parts
        starts = [position for position, part in enumerate(parts) if part in _DIVISIONS]
        return identifier_of(PurePosixPath(*parts[starts[-1] :]) if starts else path.relative_to(self.system.parent))

    @property
    def supply_mv(self) -> str | None:
        """Supply as the meter read it back; otherwise as the script set it."""
        return one_of(re.findall(r"m-voltage-mv\[([0-9]{1,7})\]", self.log)) or one_of(
            re.findall(r"emon voltage ([0-9]{1,7})\b", self.script)
        )


def _read(source: Path, options: IntakeOptions) -> ForeignTable:
    if options.mapping is not None:
        raise UsageError("energyrunner takes no mapping; its files say what they are")
    runs, system = _found(source)
    about = _About(system, runs)
    cells = {"dtype": system.dtype, "delegate": _delegate(system, options)}
    cells |= {"rounds": about.round} if about.round else {}
    alone = [_without_trace(run) for run in runs if not _traces(run)]
    traced = traced_rows([_run(run, power, cells) for run in runs for power in _traces(run)])
    table = ForeignTable(
        level="models",
        rows=sorted([*traced.rows, *alone], key=lambda row: row.source_id),
        submission=about.submission(traced),
        device=system.device(),
        traces=traced.files,
        reductions=traced.reductions,
    )
    return with_stated(table, options.stated)


def _delegate(system: System, options: IntakeOptions) -> str:
    """What ran the networks: as stated, as described, or the only one that the device has.

    Raises:
        UsageError: none of these says it.
    """
    if options.stated.delegates:
        return next(iter(options.stated.delegates))
    if system.delegate is not None:
        return system.delegate
    device = declared_device(options.device)
    delegates = list((system.device() or {}).get("delegates", {}) if device is None else device.delegates)
    if len(delegates) > 1:
        raise UsageError(
            f"{system.name} has no description that says which of {', '.join(delegates)} ran; state it with --delegate"
        )
    return delegates[0] if delegates else ""


def _names(source: Path) -> tuple[str, str]:
    """Device folder and campaign folder of a source: the board where it is known, otherwise the system itself."""
    runs, system = _found(source)
    device_id = safe_name(system.name) if system.board is None else system.board.device_id
    return device_id, campaign_name(_About(system, runs).place, system.name, "mlperf-tiny")


def _found(source: Path) -> tuple[list[_Energy], System]:
    """Runs of a source and their system.

    Raises:
        UsageError: it holds no run, or several systems.
        ForeignSourceError: the description of the system cannot be read.
    """
    runs = _energies(source)
    systems = list(dict.fromkeys(run.system for run in runs))
    if len(systems) != 1:
        raise UsageError(_several(source.resolve(), systems))
    return runs, read_system(systems[0])


def _several(source: Path, systems: Sequence[Path]) -> str:
    if not systems:
        return f"{source.name} holds no energy run: <task>/energy/ with trace1{ENERGY} or {RESULTS[0]}"
    names = ", ".join(
        system.relative_to(source).as_posix() if system.is_relative_to(source) else system.name for system in systems
    )
    return f"{source.name} holds {len(systems)} systems, and one is read at a time; name the folder of one: {names}"


def _energies(source: Path) -> list[_Energy]:
    """Folders of energy runs in a tree, in order of their paths."""
    base = source.resolve()
    folders = {path.parent for path in base.rglob(f"*{ENERGY}")}
    folders |= {path.parent for name in RESULTS for path in base.rglob(name) if path.parent.name == "energy"}
    return [_energy(folder) for folder in sorted(folders)]


def _energy(folder: Path) -> _Energy:
    log = text_of(folder / "log.txt")
    script = "\n".join(map(text_of, sorted(folder.glob("script*"))))
    results = energyrunner_results(folder)
    named = next((place for place in (folder, folder.parent) if place.name.lower() in _FOLDERS), None)
    if named is not None:
        return _Energy(folder, named.parent, _FOLDERS[named.name.lower()], log, script, results)
    task = one_of(re.findall(r"m-model-\[([a-z]{2,3})[0-9]*\]", log))
    system = folder.parent.parent if folder.name == "energy" else folder.parent
    return _Energy(folder, system, task if task in _TASKS else None, log, script, results)


def _traces(run: _Energy) -> list[Path]:
    traces = [path for path in sorted(run.folder.glob(f"*{ENERGY}")) if path.is_file()]
    results = run.folder / TINY_RESULTS
    return [*traces, results] if results.is_file() and has_samples(results) else traces


def _printed(results: PrintedResults) -> dict[str, str]:
    figures = {
        "Median energy cost (uJ/inf.)": results.median_uj,
        "Median throughput (inf./sec.)": results.throughput,
    }
    return {name: figure for name, figure in figures.items() if figure is not None}


def _without_trace(run: _Energy) -> ForeignRow:
    results = run.results or run.folder / RESULTS[0]
    fix = "Ask for the trace of the run; without it the figure is a published one, not a measured one."
    fault = TraceFault("trace-missing", f"no trace beside {results.name}", f"trace1{ENERGY} with its marks", fix)
    cells = {**_TASKS.get(run.task or "", {}), **_printed(read_printed(run.results))}
    return faulty_row(run.source_id(results), [*_task_faults(run), fault], cells)


def _task_faults(run: _Energy) -> list[TraceFault]:
    if run.task is not None:
        return []
    expected = "a folder named after its task: " + ", ".join(_FOLDERS)
    fix = "Keep the folders of the results tree."
    return [TraceFault("foreign-file", f"an energy run in {run.folder.parent.name}/", expected, fix)]


def _run(run: _Energy, power: Path, cells: dict[str, str]) -> ForeignRun:
    printed = read_printed(run.results)
    median = printed.median_uj
    faults = _task_faults(run)
    if run.results is not None and not float(median or 0):
        fix = "Take the results of the energy run."
        found = "no median energy above 0, or several"
        expected = "Median energy cost is ... uJ/inf"
        faults.append(TraceFault("foreign-file", found, expected, fix, source=run.results.name))
    latency_ms = printed.latency_ms
    own = {
        **_TASKS.get(run.task or "", {}),
        **cells,
        **({} if latency_ms is None else {"latency_ms": latency_ms}),
        **_beside(run),
        **({} if run.supply_mv is None else {"supply_mv": run.supply_mv}),
    }
    return ForeignRun(
        run.source_id(power),
        energyrunner_run(power, "energyrunner"),
        own,
        statistic="median",
        published_mj=float(median) / 1000 if median is not None and float(median) else None,
        prefix=f"{run.task or 'run'}-",
        printed=_printed(printed),
        faults=tuple(faults),
    )


def _beside(run: _Energy) -> dict[str, str]:
    """Columns from the runs beside, with the data set of the accuracy where there is one."""
    cells = beside(run.folder)
    dataset = _DATASETS.get(run.task or "")
    return cells | ({"accuracy_dataset": dataset} if dataset is not None and "accuracy_percent" in cells else {})


class _About:
    """What is the same in all runs of a system.

    Args:
        system: the system.
        runs: its runs.
    """

    def __init__(self, system: System, runs: Sequence[_Energy]) -> None:
        self._system, self._runs = system, runs
        parts = runs[0].system.parts
        found = [re.fullmatch(r"(?:tiny_results_)?(v[0-9]\.[0-9])", part) for part in parts]
        self.round = next((match[1] for match in reversed(found) if match), None)
        at = max((position for position, part in enumerate(parts) if part in _DIVISIONS), default=None)
        self._division = None if at is None else parts[at]
        above = None if at is None or at + 2 >= len(parts) else one_line(parts[at + 1])
        self._above = above
        self._submitter = system.line("submitter") or above or UNKNOWN

    @property
    def place(self) -> Place:
        """Where the results stand."""
        return Place(self.round, self._division, self._above)

    def _declared(self) -> dict[str, Any]:
        """The system, under its key; nothing where neither description nor path states anything."""
        above = {"submitter": self._above, "round": self.round}
        stated = {name: fact for name, fact in above.items() if fact is not None and can_stand(name, fact)}
        system = stated | self._system.settings()
        return {"system": system} if system else {}

    def submission(self, traced: TracedRows) -> dict[str, Any]:
        """Contents of submission.yaml."""
        edition = f"MLPerf Tiny {self.round}" if self.round else "MLPerf Tiny"
        division = f", {self._division} division" if self._division else ""
        name = one_line(self._system.name) or "a system"
        rate = traced.sampling_hz
        source = {
            "citation": f"MLCommons, {edition} results{division}, submitted by {self._submitter} for {name}.",
            "url": f"https://github.com/mlcommons/tiny_results_{self.round}" if self.round else None,
            "attribution": f"Traces from the results repository of MLCommons, {edition} (Apache-2.0). MLPerf is a "
            "trademark of MLCommons; figures derived from these results are not verified by MLCommons.",
        }
        return {
            "title": f"{edition}{division}, energy from traces",
            "contributors": [self._submitter],
            "date": self._date(),
            "method": "measured",
            "runtime": self._system.runtime,
            **self._declared(),
            # One supply leads into the device under test; which parts of its board it feeds is the submitter's choice.
            "boundary": "rail",
            "rails": ["supply of the device under test"],
            "licence": "Apache-2.0",
            "source": {key: text for key, text in source.items() if text is not None},
            "meter": {"name": self._meter(), "kind": "analyser"} | ({} if rate is None else {"sampling_hz": rate}),
            "notes": self._notes(),
            "traces": list(traced.bindings),
        }

    def _date(self) -> str:
        """Day, month or year in which the runs were made; otherwise that of the round.

        Raises:
            UsageError: nothing states when.
        """
        logs = "\n".join(run.log for run in self._runs)
        days = sorted(set(re.findall(r"m-session-start-id\[(20[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])", logs)))
        for n_parts in (3, 2, 1):
            dates = {"-".join(day[:n_parts]) for day in days}
            if len(dates) == 1:
                return dates.pop()
        if days:
            return str(days[-1][0])
        if self.round not in _ROUND_DATES:
            raise UsageError(
                f"nothing states when {self._system.name} was measured; keep log.txt, or the round (v1.2) in the path"
            )
        return _ROUND_DATES[self.round]

    def _meter(self) -> str:
        """Meter that the logs name."""
        names = dict.fromkeys(re.findall(r"-type\[emon\]-name\[(\w{1,30})\]", "\n".join(run.log for run in self._runs)))
        return one_line(" and ".join(_METERS.get(name, name) for name in names)) or "not stated"

    def _notes(self) -> str:
        """What a reader should know."""
        quantisation = self._system.line("quantization method") or "not stated"
        return (
            "Median energy per inference over the measurement windows, recomputed from the trace, with the lowest and "
            "highest window. Latency is that of the energy run as published: the reciprocal of the median throughput, "
            "or the median over the windows of elapsed time divided by inferences. "
            f"Quantisation as submitted: {quantisation}."
        )


FORMAT = IntakeFormat(
    "energyrunner", "MLPerf Tiny energy runs of one system, a results tree", _read, DESCRIBED_FACTS, _names
)
