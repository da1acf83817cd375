"""The command `deepen-measure`: looks at meters, measures networks, and packs what was measured."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from deepen_measure import __version__
from deepen_measure.doctor import checks
from deepen_measure.errors import MeasureError
from deepen_measure.meters import find_meters
from deepen_measure.protocol import Protocol
from deepen_measure.recorder import observe
from deepen_measure.run_folder import pack
from deepen_measure.running import resume, start

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status: 0, 1 where something cannot be measured, 130 where it was interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options, command = (given[: given.index("--")], given[given.index("--") + 1 :]) if "--" in given else (given, [])
    asked = _parser().parse_args(options)
    try:
        return int(_COMMANDS[asked.command](asked, command))
    except MeasureError as error:
        _print(f"error: {error}", sys.stderr)
        return 1
    except KeyboardInterrupt:
        folder = getattr(asked, "folder", None)
        _print(f"interrupted{f'; go on with deepen-measure resume {folder}' if folder else ''}", sys.stderr)
        return _INTERRUPTED


def _print(line: str, file: TextIO | None = None) -> None:
    print(line, file=file or sys.stdout, flush=True)


def _doctor(asked: argparse.Namespace, _: Sequence[str]) -> int:
    found = checks(asked.root_sysfs, tuple(asked.rails))
    for check in found:
        _print(f"{check.level:8} {check.what}: {check.found}{f'. {check.fix}' if check.fix else ''}")
    return int(any(check.level == "error" for check in found))


def _meters(asked: argparse.Namespace, _: Sequence[str]) -> int:
    found, missing = find_meters(asked.root_sysfs, tuple(asked.rails))
    for meter in found:
        facts = meter.facts
        try:
            updates = observe(meter, asked.longest)
            period = f"changes every {1000 * updates.period_s:.3g} ms, observed over {updates.n_changes} changes"
        except MeasureError as error:
            period = str(error)
        limit = "not stated" if facts.gain_percent is None else f"{facts.gain_percent:g} % of reading"
        _print(f"{facts.name}: {facts.title}")
        _print(f"  covers     {facts.boundary or 'not stated'}: {', '.join(facts.rails)}")
        _print(f"  updates    {period}")
        _print(f"  accuracy   {limit} ({facts.accuracy_source})")
    for each in missing:
        _print(f"{each.name}: {each.reason}{f'. {each.fix}' if each.fix else ''}")
    return int(not found)


def _run(asked: argparse.Namespace, command: Sequence[str]) -> int:
    options = {
        "root": str(asked.root_sysfs),
        "meter": asked.meter,
        "rails": asked.rails,
        "runtime": asked.runtime,
        "delegate": asked.delegate,
        "minutes": asked.minutes,
    }
    protocol = Protocol(n_windows=asked.windows, idle_s=asked.idle, threads=asked.threads)
    start(asked.folder, asked.models, command, options=options, protocol=protocol, say=_print)
    _print(f"measured: {asked.folder}. Pack it with deepen-measure pack {asked.folder}")
    return 0


def _resume(asked: argparse.Namespace, _: Sequence[str]) -> int:
    resume(asked.folder, _print)
    _print(f"measured: {asked.folder}")
    return 0


def _pack(asked: argparse.Namespace, _: Sequence[str]) -> int:
    target = asked.out or asked.folder.with_suffix(".zip")
    _print(f"{target}: {pack(asked.folder, target)} networks")
    return 0


_COMMANDS = {"doctor": _doctor, "meters": _meters, "run": _run, "resume": _resume, "pack": _pack}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("deepen-measure", description="Measure the energy of networks on this device.")
    parser.add_argument("--version", action="version", version=__version__)
    parts = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, words in (("doctor", "say what would spoil a measurement"), ("meters", "list the meters of this device")):
        part = parts.add_parser(name, help=words)
        _add_meter_options(part)
        if name == "meters":
            part.add_argument("--longest", type=float, default=30.0, help="seconds to wait for a value to change")
    epilog = "Instead of models, a program: run -o out -- PROGRAM. A plan is what deepen plan wrote, or its ZIP."
    run = parts.add_parser("run", help="measure networks, or what was planned", epilog=epilog)
    run.add_argument("models", nargs="*", type=Path, metavar="MODEL", help="ONNX or TFLite file; or one plan")
    run.add_argument("-o", "--out", dest="folder", type=Path, default=Path("measured"), help="folder of the run")
    run.add_argument("--runtime", help="onnxruntime or litert; name and version of what a program runs")
    run.add_argument("--delegate", default="CPU", help="what the networks run on")
    run.add_argument("--threads", type=int, default=1, help="threads")
    run.add_argument("--windows", type=_windows, default=Protocol.n_windows, help="windows of each network, from 5 on")
    run.add_argument("--idle", type=float, default=Protocol.idle_s, help="seconds of idle before and after")
    run.add_argument("--minutes", type=float, help="minutes that the run may take")
    run.add_argument("--meter", help="meter, where there are several")
    _add_meter_options(run)
    for name, words in (("resume", "measure what is left of a run"), ("pack", "pack a run into one file")):
        part = parts.add_parser(name, help=words)
        part.add_argument("folder", type=Path, help="folder of the run")
        if name == "pack":
            part.add_argument("-o", "--out", type=Path, help="ZIP file")
    return parser


def _add_meter_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rails", type=lambda text: text.split(","), default=[], help="rails to read, as A,B")
    parser.add_argument("--root-sysfs", type=Path, default=Path("/"), help="folder that stands for /")


def _windows(text: str) -> int:
    if int(text) < Protocol.n_windows:
        raise argparse.ArgumentTypeError(f"at least {Protocol.n_windows} windows, so that their spread is known")
    return int(text)
