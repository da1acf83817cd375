"""Runs of `deepen-measure`: kernels and networks with their raw readings, as a folder or packed into one ZIP file.

The tool writes down machine, meter and protocol; energies are reduced here, from its readings, and nowhere else.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

from harness.errors import UsageError
from harness.intake.foreign import ForeignRow, ForeignTable, IntakeFormat, IntakeOptions
from harness.intake.mlperf_systems import safe_name
from harness.intake.packs import ENTRY, RUN, Pack, open_pack, refused
from harness.intake.stated import UNKNOWN, OpenFact, StatedFacts, open_facts
from harness.intake.traced import ForeignRun, boundary_facts, faulty_row, traced_rows
from harness.schema.configuration import Extents
from harness.schema.vocabulary import UNSTATED_LICENCE, Level
from harness.traces.runs import BASELINE, Run
from harness.traces.trace import TraceFault

_INFERENCES: Final = "inference_time.csv"
_CONFIGURATION: Final = ("kernel", "function", *Extents.model_fields)
_PROCESSORS: Final = {
    "CUDAExecutionProvider": "gpu", "TensorrtExecutionProvider": "gpu", "ROCMExecutionProvider": "gpu",
    "MIGraphXExecutionProvider": "gpu", "WebGpuExecutionProvider": "gpu",
}  # fmt: skip
"""Processors of the execution providers of ONNX Runtime whose names do not begin with one."""
_LONGEST_COMMAND: Final = 1000
_FIX: Final = "Measure it again, or ask whoever measured for the whole pack."


def _read(source: Path, options: IntakeOptions) -> ForeignTable:
    if options.mapping is not None:
        raise UsageError("measure takes no mapping; the tool writes down what was measured")
    with ExitStack() as stack:
        pack = open_pack(source)
        stack.callback(pack.close)
        try:
            table = _table(pack, options)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            found = f"{type(error).__name__}: {error}"
            raise refused(source, RUN, found, "what deepen-measure wrote", _FIX) from error
        # Its traces are read once more when they are written, and the table takes them along.
        stack.pop_all()
        return table


def _table(pack: Pack, options: IntakeOptions) -> ForeignTable:
    stated = options.stated
    delegates = _delegates(pack, stated)
    traced = traced_rows([_run(pack, entry, stated) for entry in pack.entries])
    skipped = [_skipped(entry) for entry in pack.run.get("skipped", ())]
    submission = _submission(pack, stated) | boundary_facts(traced.reduced) | {"traces": traced.bindings}
    device = _device(pack.run["machine"], delegates, stated)
    rows = [*traced.rows, *skipped]
    models = [row.cells for row in traced.rows if row.level == "models" and not row.faults]
    return ForeignTable(
        level="kernels" if any(row.level == "kernels" for row in rows) else "models",
        rows=rows,
        submission=submission,
        device=device,
        traces=traced.files,
        reductions=traced.reductions,
        open_facts=[*open_facts(None if options.device else device, submission, models), *_open(submission)],
        scratch=pack.scratch,
    )


def _names(source: Path) -> tuple[str, str]:
    """Device folder and campaign folder: the device that was planned for or the machine's name, and the day."""
    with closing(open_pack(source)) as pack:
        device = (pack.run.get("plan") or {}).get("device_id") or (pack.run.get("machine") or {}).get("name") or ""
        return safe_name(str(device)), f"{_day(pack.run)}-deepen-measure"


def _day(run: Mapping[str, Any]) -> str:
    """Day on which a run began, in the zone of the machine."""
    zone = str(run.get("zone", ""))
    is_offset = len(zone) == len("+0000") and zone[1:].isdigit()
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:])) if is_offset else timedelta()
    place = timezone(-offset if zone.startswith("-") else offset) if is_offset else UTC
    return datetime.fromtimestamp(float(run["started_s"]), place).date().isoformat()


def _delegates(pack: Pack, stated: StatedFacts) -> dict[str, str]:
    """Delegates of the entries with their processors.

    Raises:
        UsageError: a name does not state its processor, and nobody does.
    """
    if stated.delegates:
        return stated.delegates
    found: dict[str, str] = {}
    for name in dict.fromkeys(str(entry["delegate"]) for entry in pack.entries):
        found |= {name: _PROCESSORS[name]} if name in _PROCESSORS else StatedFacts(delegate=name).delegates
    return found


def _run(pack: Pack, entry: Mapping[str, Any], stated: StatedFacts) -> ForeignRun:
    """One measurement of the run, of a kernel where a plan says which, otherwise of a network."""
    home, meter = pack.home / entry["id"], pack.run["meter"]
    log = home / pack.run["log"]
    baseline = log.with_name(f"{BASELINE}{log.suffix}")
    idle = baseline if baseline.is_file() else None
    files = Run(log, home / _INFERENCES, idle, format=str(meter["format"]))
    findings = {"findings": "; ".join(entry.get("findings", ()))}
    level = _level(entry)
    cells = {name: str(value) for name, value in _cells(entry, stated, level).items() if value is not None}
    return ForeignRun(entry["id"], files, cells, prefix=f"{entry['id']}-", printed=findings, level=level)


def _cells(entry: Mapping[str, Any], stated: StatedFacts, level: Level) -> dict[str, Any]:
    """What was run."""
    planned = entry.get("planned", {})
    common = {
        "delegate": next(iter(stated.delegates), entry["delegate"]),
        "dtype": entry.get("dtype") or stated.dtype or "unstated",
    }
    if level == "kernels":
        return {name: planned[name] for name in _CONFIGURATION if name in planned} | common
    name = planned.get("model") or stated.model or Path(str(entry.get("model", entry["id"]))).stem
    return {"model": name, "family": stated.family or UNKNOWN, **common}


def _skipped(entry: Mapping[str, Any]) -> ForeignRow:
    """Row of what the device could not run, with the reason that it gave."""
    fault = TraceFault("foreign-file", "not measured", "a measurement", _FIX, source=ENTRY)
    planned = {name: str(value) for name, value in entry.get("planned", {}).items()}
    return faulty_row(str(entry["id"]), [fault], planned | {"reason": str(entry["reason"])}, _level(entry))


def _level(entry: Mapping[str, Any]) -> Level:
    return "kernels" if entry.get("level") == "kernels" else "models"


def _submission(pack: Pack, stated: StatedFacts) -> dict[str, Any]:
    """Contents of submission.yaml, without traces."""
    run, day = pack.run, stated.date or _day(pack.run)
    runtimes = list(dict.fromkeys(str(entry["runtime"]) for entry in pack.entries))
    if len(runtimes) > 1:
        raise UsageError(
            f"the run has {len(runtimes)} runtimes, {', '.join(runtimes)}; measure each in a run of its own"
        )
    tool = f"deepen-measure {run['machine']['deepen_measure']}"
    contributors = list(stated.contributors) or [UNKNOWN]
    counts = [
        f"{n} {word}"
        for word in ("kernels", "models")
        if (n := sum((entry.get("level", "models") == word) for entry in pack.entries))
    ]
    machine, threads = run["machine"], {entry["threads"] for entry in pack.entries}
    settings = {"stack": runtimes[0], "operating_system": machine.get("operating_system")}
    settings |= {"threads": threads.pop() if len(threads) == 1 else None}
    return {
        "title": f"{' and '.join(counts)} measured by {tool}, {runtimes[0]}",
        "contributors": contributors,
        "date": day,
        "method": "measured",
        "runtime": stated.runtime or runtimes[0],
        "licence": stated.licence or UNSTATED_LICENCE,
        "source": {"citation": f"Measured by {', '.join(contributors)} with {tool}, {day}."}
        | ({} if stated.identifier is None else {"identifier": stated.identifier}),
        "system": {name: value for name, value in settings.items() if value is not None},
        "boundary": stated.boundary or run["meter"]["boundary"] or "unstated",
        "rails": list(stated.rails or run["meter"]["rails"]),
        "meter": _meter(run["meter"], stated),
        "protocol": dict(_protocol(pack, tool)),
    }


def _meter(meter: Mapping[str, Any], stated: StatedFacts) -> dict[str, Any]:
    """Meter, with limits of error where its maker or the caller states them."""
    limits = {"gain_percent": meter["gain_percent"], "offset_mw": meter["offset_mw"]}
    source = meter["accuracy_source"]
    if stated.meter_gain_percent is not None or stated.meter_offset_mw is not None:
        limits = {"gain_percent": stated.meter_gain_percent, "offset_mw": stated.meter_offset_mw}
        source = "The contributor"
    known = {name: limit for name, limit in limits.items() if limit is not None}
    accuracy = {"accuracy": {**known, "stated_by": source}} if known else {}
    return {"name": stated.meter or meter["title"], "kind": stated.meter_kind or meter["evidence"], **accuracy}


def _device(machine: Mapping[str, Any], delegates: Mapping[str, str], stated: StatedFacts) -> dict[str, Any]:
    """Device as the machine says of itself."""
    names = {"soc": "soc", "processor_name": "processor", "vendor": "vendor"}
    found = {ours: machine[theirs] for ours, theirs in names.items() if theirs in machine}
    name = stated.device_name or machine.get("name") or UNKNOWN
    return {
        "name": name, "device_class": stated.device_class or "unstated", **found, "delegates": dict(delegates)
    }  # fmt: skip


def _protocol(pack: Pack, tool: str) -> Iterator[tuple[str, Any]]:
    """How the run was made."""
    run, protocol = pack.run, pack.run["protocol"]
    states = [entry[when] for entry in pack.entries for when in ("before", "after")]
    yield "tool", tool
    command = " ".join(map(str, run.get("command_line", ())))
    if command:
        yield "command", command[:_LONGEST_COMMAND]
    if "plan" in run:
        yield "plan_sha256", run["plan"]["sha256"]
    for name in (
        "n_windows", "window_s", "updates_per_window", "idle_s", "pause_s", "longest_warm_up_s", "longest_cool_down_s",
        "threads",
    ):  # fmt: skip
        yield name, protocol[name]
    yield "update_period_s", run["updates"]["period_s"]
    yield "n_updates", run["updates"]["n_changes"]
    yield "governors", sorted({name for state in states for name in state["governors"]})
    yield from _range("clocks_mhz", [clock for state in states for clock in state["clocks_mhz"]])
    zones = sorted({zone for state in states for zone in state["temperatures_c"]})
    of_zones = {zone: [s["temperatures_c"][zone] for s in states if zone in s["temperatures_c"]] for zone in zones}
    yield "temperatures_c", {zone: dict(_range(zone, found))[zone] for zone, found in of_zones.items()}
    yield from _range("load", [state["load"] for state in states if state["load"] is not None])
    yield (
        "n_throttled",
        sum(entry["after"]["throttle_count"] - entry["before"]["throttle_count"] for entry in pack.entries),
    )
    yield "files", [_file(entry) for entry in pack.entries]


def _range(name: str, readings: Sequence[float]) -> Iterator[tuple[str, dict[str, float]]]:
    if readings:
        yield name, {"lowest": min(readings), "highest": max(readings)}


def _file(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What one row was measured with."""
    found = {"source_id": entry["id"], "sha256": entry.get("sha256"), "is_anchor": entry.get("is_anchor") or None}
    found |= {"n_each": entry["n_each"], "n_windows": entry["n_windows"], "findings": entry.get("findings") or None}
    return {name: value for name, value in found.items() if value is not None}


def _open(submission: Mapping[str, Any]) -> Iterator[OpenFact]:
    """What no machine can know of its own conditions."""
    if "conditions" not in submission:
        meaning = "Ambient temperature, cooling and supply, which no machine knows of itself."
        yield OpenFact("submission.yaml", "conditions", "a line in the file", meaning)


FORMAT: Final = IntakeFormat(
    "measure",
    "runs of deepen-measure, as its folder or its pack",
    _read,
    facts=(
        "model", "family", "dtype", "delegate", "date", "runtime", "licence", "contributors", "boundary", "rails",
        "meter", "meter_kind", "identifier", "meter_gain_percent", "meter_offset_mw", "device_name", "device_class",
    ),
    names=_names,
)  # fmt: skip
