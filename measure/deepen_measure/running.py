"""Measures the entries of a run, one after the other, with the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from deepen_measure import run_folder
from deepen_measure.errors import MeasureError
from deepen_measure.files import sha256_of
from deepen_measure.machine import command_line, machine_facts, temperatures
from deepen_measure.meter import Meter
from deepen_measure.meters import the_meter
from deepen_measure.plan import FORMATS, is_plan, n_files, take, with_anchors
from deepen_measure.protocol import POWER, Place, Protocol, check_time, cool_down, log_name, measure
from deepen_measure.recorder import Clock, Updates, observe
from deepen_measure.runtimes import Command, Inputs, Network, installed, load, seed_of

Say = Callable[[str], None]


def start(
    folder: Path,
    models: Sequence[Path],
    command: Sequence[str],
    *,
    options: dict[str, Any],
    protocol: Protocol,
    say: Say,
) -> None:
    """Begin a run, and measure all that is named.

    Args:
        folder: where the run is written.
        models: model files, or one plan.
        command: a program with its arguments instead of model files.
        options: `root`, `meter`, `rails`, `runtime`, `delegate`, `minutes`.
        protocol: lengths and counts.
        say: called with every line about the progress.

    Raises:
        MeasureError: nothing can be measured so.
    """
    if bool(models) == bool(command):
        raise MeasureError("neither or both", "model files, or a command after --", "Name one of them.")
    run_folder.require_empty(folder)
    root = Path(options["root"])
    meter = the_meter(root, options["meter"], tuple(options["rails"]))
    say(f"meter: {meter.facts.title}, {', '.join(meter.facts.rails)}")
    updates = observe(meter)
    say(f"its value changes every {1000 * updates.period_s:.3g} ms")
    planned: dict[str, Any] = {}
    if len(models) == 1 and is_plan(models[0]):
        options = {**options, "runtime": _runtime_of(models[0], options["runtime"])}
        entries, planned = _planned(models[0], folder, options, say)
    else:
        entries = _entries(models, command, options)
    check_time(protocol, updates, options["minutes"], len(entries))
    run_folder.begin(
        folder,
        {
            **planned,
            "machine": machine_facts(root),
            "meter": meter.facts.as_json(),
            "log": log_name(meter, POWER),
            "updates": updates._asdict(),
            "protocol": protocol.as_json(),
            "options": {**options, "root": str(root)},
            "command_line": command_line(),
            "temperatures_c": temperatures(root),
            "entries": entries,
        },
    )
    _measure_all(folder, meter, updates, say)


def resume(folder: Path, say: Say) -> None:
    """Measure what is left of a run, with the meter that it began with.

    Raises:
        MeasureError: the folder is no run, or the meter or a file is another one.
    """
    run = run_folder.read_run(folder)
    options = run["options"]
    meter = the_meter(Path(options["root"]), run["meter"]["name"], tuple(options["rails"]))
    if meter.facts.as_json() != {**run["meter"], "rails": tuple(run["meter"]["rails"])}:
        raise MeasureError("another meter than the run began with", run["meter"]["title"], "Begin a new run.")
    _measure_all(folder, meter, Updates(**run["updates"]), say)


def _entries(models: Sequence[Path], command: Sequence[str], options: dict[str, Any]) -> list[dict[str, Any]]:
    if command:
        return [{"id": "001-command", "command": list(command)}]
    found = []
    for number, path in enumerate(models, 1):
        if not path.is_file():
            raise MeasureError(f"{path} is not there", "a model file", "Correct the path.")
        found.append({"id": f"{number:03d}-{path.stem}", "model": str(path.resolve()), "sha256": sha256_of(path)})
        # What cannot be run is found before anything is measured.
        _network(found[-1], options, path.parent, threads=1).close()
    return found


def _runtime_of(plan: Path, asked: str | None) -> str:
    """Runtime that a plan is run with: the one that is asked for, or of those that are here the one for most files.

    Raises:
        MeasureError: there is none.
    """
    there = installed() if asked is None else [asked]
    known = [name for name in FORMATS if name in there]
    if not known:
        fix = "Install one in this Python: python3 -m pip install onnxruntime, or ai-edge-litert."
        raise MeasureError(asked or "no runtime is installed", "onnxruntime or litert", fix)
    return max(known, key=lambda name: n_files(plan, name))


def _planned(
    path: Path, folder: Path, options: dict[str, Any], say: Say
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Measurements of a plan that can be made here, and what the run states of the plan.

    Raises:
        MeasureError: it is no plan, or nothing of it can be measured.
    """
    planned = take(path, folder / run_folder.PLAN, options["runtime"])
    entries, skipped = [], list(planned.skipped)
    faults: dict[str, str] = {}
    for entry in planned.entries:
        if entry["model"] not in faults:
            try:
                _network(entry, options, folder, threads=1).close()
                faults[entry["model"]] = ""
            except MeasureError as error:
                faults[entry["model"]] = str(error)
        if faults[entry["model"]]:
            skipped.append({**entry, "reason": faults[entry["model"]]})
        else:
            entries.append(entry)
    for each in skipped:
        say(f"not measured: {each['id']}: {each['reason']}")
    if not entries:
        fix = f"Install the runtime of its files, or name another --runtime than {options['runtime']}."
        raise MeasureError(f"{path}: nothing of it runs here", "a file that runs", fix)
    return with_anchors(entries), {"plan": planned.facts, "skipped": skipped}


def _network(entry: dict[str, Any], options: dict[str, Any], folder: Path, threads: int) -> Network:
    if "command" in entry:
        return Command(entry["command"], options["runtime"] or "unstated", options["delegate"])
    path = folder / entry["model"]
    if sha256_of(path) != entry["sha256"]:
        raise MeasureError(f"{path} is another file than the run began with", entry["sha256"], "Begin a new run.")
    inputs = Inputs(seed_of(entry["sha256"]), entry.get("inputs", {}))
    return load(path, options["runtime"], options["delegate"], threads, inputs)


def _measure_all(folder: Path, meter: Meter, updates: Updates, say: Say) -> None:
    run = run_folder.read_run(folder)
    protocol, root = Protocol(**run["protocol"]), Path(run["options"]["root"])
    waiting = run_folder.left_over(folder, run)
    for number, entry in enumerate(waiting):
        left_s = (len(waiting) - number) * protocol.network_seconds(updates)
        say(f"{entry['id']}: {len(waiting) - number} to measure, at most {left_s / 60:.1f} minutes left")
        cooled_s = cool_down(root, run["temperatures_c"], protocol.longest_cool_down_s)
        home = folder / entry["id"]
        home.mkdir(parents=True, exist_ok=True)
        network = _network(entry, run["options"], folder, protocol.threads)
        clock = Clock()
        try:
            observed = measure(network, Place(root, meter, updates, clock), protocol, home)
        finally:
            network.close()
        facts = {
            "runtime": network.runtime,
            "delegate": network.delegate,
            "threads": network.threads,
            "cooled_s": cooled_s,
            "clock": {"wall_ns": clock.wall_ns, "monotonic_ns": clock.monotonic_ns},
            "ended_s": time.time(),
        }
        observed["findings"] += run_folder.drift(folder, run, entry, observed["latency_ms"])
        run_folder.end_entry(folder, entry, {**observed, **facts})
        for finding in observed["findings"]:
            say(f"  warning: {finding}")
        say(f"  {observed['latency_ms']:.4g} ms, {observed['n_windows']} windows of {observed['n_each']} inferences")
