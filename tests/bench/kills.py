"""Runs that are killed at random moments, with all their processes: what is left is the old output or the new one.

Each run is a process of its own group, forked from one that has imported everything, and gets SIGKILL with its group
after a random share of the time that a whole run takes. Two inputs take turns, so that old and new output differ. The
simulation estimates by a formula, because its estimator would take all the time.
Run as `python -m tests.bench kills [N [SEED]]`; `python -m tests.bench.kills [N [SEED]] COMMAND...` takes some of them.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from conftest import MAPPING
from harness.api import contributions, evaluations, publishing, simulations
from harness.evaluation.results import read_result
from harness.simulation import runner
from harness.simulation.estimator import Estimate
from tests.simulation.cases import network

ROOT = Path(__file__).parents[2]
INPUTS = ("one", "other")
N_KILLS = 100
_TIMES = ("fit_s", "predict_rows_per_s")
_GONE_SECONDS = 20.0
"""Time that processes which hear of the death of their parent have to end, on a busy machine."""

State = Mapping[str, str]


@dataclass(frozen=True)
class Command:
    """What is killed: a call with the name of its input, and the digests of its output by file."""

    run: Callable[[str], object]
    output: Callable[[], State]


@dataclass
class Tally:
    """Counts over the kills of one command; each is best where it equals `n`, and `left_overs` where it is 0."""

    n: int = 0
    killed: int = 0
    whole: int = 0
    next_right: int = 0
    left_overs: int = 0
    processes: int = 0

    @property
    def is_right(self) -> bool:
        """Whether every output was whole, every next run right, and nothing was left."""
        return self.whole == self.next_right == self.n and not self.left_overs and not self.processes


def digests(folder: Path) -> State:
    """SHA-256 of every file that is seen in a folder, through links; not of what lies aside."""
    found = {}
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (Path(parent, name) for name in names if not name.startswith(".")):
            found[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def lay_out(root: Path) -> None:
    """A small checkout, each input twice: submissions and a table to take in."""
    shutil.copytree(ROOT / "dataset_cards", root / "dataset_cards")
    shutil.copytree(ROOT / "site", root / "site")
    shutil.copy(ROOT / "mkdocs.yml", root)
    (root / "mapping.yaml").write_text(MAPPING)
    for factor, name in enumerate(INPUTS, start=1):
        shutil.copytree(ROOT / "tests" / "golden_base", root / name)
        (root / f"{name}.csv").write_text(f"size,channels,mJ\n28,64,0.{factor}\n28,64,-1\n")
        (table,) = (root / name).glob("*/*/kernels.csv")
        # Enough rows of one type that predictors are fitted, in processes of their own.
        with table.open("a") as file:
            file.writelines(
                f"fc,,,{width},1000,,,,,,CPU1,fp32,false,{factor * width / 800:.4f},0.500,,50,W{width}\n"
                for width in range(400, 1000, 20)
            )
    (manifest,) = (root / "other").glob("*/*/submission.yaml")
    manifest.write_text(manifest.read_text() + "notes: Measured once more.\n")


def commands(root: Path) -> dict[str, Command]:
    """The commands that write, on a small checkout."""
    dist, taken, simulated = root / "dist", root / "taken", root / "simulated"

    def published() -> State:
        return {
            f"{part}/{name}": digest
            for part in ("deepen", "predictors", "site")
            for name, digest in digests(dist / part).items()
        }

    def evaluate(name: str) -> None:
        evaluations.evaluate(
            root / name, tracks=["kernels"], predictors=["constant"], out=dist / "evaluation", n_jobs=1
        )

    def simulate(name: str) -> None:
        simulations._networks = lambda n_variants, seed, on_step: [network()]  # type: ignore[assignment]
        runner.estimate_layer = lambda layer, _: Estimate(1000.0 * layer.n_operations, float(layer.n_operations))
        seed = INPUTS.index(name)
        simulations.simulate(
            ["zigzag-eyeriss-like"], n_kernels=60, seed=seed, n_jobs=1, out=simulated, cache=root / "estimates" / name
        )

    def intake(name: str) -> None:
        contributions.intake("csv", root / f"{name}.csv", "mine", "2026-10", mapping=root / "mapping.yaml", out=taken)

    return {
        "evaluate": Command(evaluate, lambda: _results(dist / "evaluation")),
        "build": Command(lambda name: publishing.build(root, root / name), published),
        "publish": Command(lambda name: publishing.publish(root, root / name), published),
        "site": Command(lambda name: publishing.site(root, root / name), published),
        "simulate": Command(simulate, lambda: digests(simulated)),
        "intake": Command(intake, lambda: digests(taken)),
    }


def _results(folder: Path) -> State:
    """Boards without times; a result that is not whole has a digest of its own."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        rows = json.loads(path.read_text())["results"]
        stable = [{name: value for name, value in row.items() if name not in _TIMES} for row in rows]
        found[path.name] = hashlib.sha256(json.dumps(stable, sort_keys=True).encode()).hexdigest()
    for path in folder.glob("*/*/*.json"):
        if "published" not in path.parts and read_result(path) is None:
            found[path.name] = "not whole"
    return found


def kill_at_random(command: Command, root: Path, scratch: Path, n: int, rng: random.Random) -> Tally:
    """Kill runs of a command, and let the next one end each time.

    Raises:
        RuntimeError: a run that nobody killed fails.
    """
    tally, wanted, seconds = Tally(), {}, 0.0
    for name in INPUTS:
        start = time.monotonic()
        _ended(_started(command, name))
        seconds, wanted[name] = time.monotonic() - start, command.output()
    old, new = INPUTS[1], INPUTS[0]
    for _ in range(n):
        process = _started(command, new)
        time.sleep(rng.random() * seconds)
        with suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)
        tally.n += 1
        tally.killed += os.waitpid(process, 0)[1] == signal.SIGKILL
        tally.processes += _alive(root, scratch)
        tally.whole += command.output() in (wanted[old], wanted[new])
        _ended(_started(command, new))
        tally.next_right += command.output() == wanted[new]
        tally.left_overs += len(left_overs(root)) + len(list(scratch.iterdir()))
        old, new = new, old
    return tally


def _started(command: Command, name: str) -> int:
    """Number of the process, and of its group, that runs a command."""
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        os.setsid()
        status = 1
        try:
            command.run(name)
            status = 0
        finally:
            os._exit(status)
    # The child may be killed before it has made its group.
    while os.getpgid(process) != process:
        time.sleep(0.001)
    return process


def _ended(process: int) -> None:
    if status := os.waitpid(process, 0)[1]:
        raise RuntimeError(f"a run that nobody killed ended with {status}")


def left_overs(root: Path) -> list[Path]:
    """What a writer uses beside its target."""
    return [path for path in root.rglob(".*") if ".deepen-" in path.name]


def _alive(*folders: Path) -> int:
    """Processes that still work in one of the folders after some time."""
    end = time.monotonic() + _GONE_SECONDS
    while (n := sum(1 for _ in _working_in(folders))) and time.monotonic() < end:
        time.sleep(0.05)
    return n


def _working_in(folders: tuple[Path, ...]) -> Iterator[Path]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            place = (process / "cwd").readlink()
            if process.name != str(os.getpid()) and any(place.is_relative_to(folder) for folder in folders):
                yield process


def measure(n: int, seed: int, names: tuple[str, ...] = ()) -> dict[str, Tally]:
    """Tallies by command; the kills are shared out evenly.

    Args:
        n: kills of all commands together.
        seed: seed of the moments.
        names: commands; all where none is named.
    """
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="deepen-kills-") as folder:
        root, scratch = Path(folder, "checkout"), Path(folder, "scratch")
        root.mkdir()
        scratch.mkdir()
        before = tempfile.tempdir
        tempfile.tempdir = str(scratch)
        try:
            lay_out(root)
            every = commands(root)
            chosen = {name: every[name] for name in names or every}
            shares = {name: n // len(chosen) + (number < n % len(chosen)) for number, name in enumerate(chosen)}
            return {name: kill_at_random(chosen[name], root, scratch, share, rng) for name, share in shares.items()}
        finally:
            tempfile.tempdir = before


def main(console: Console) -> None:
    """Print the tallies; the exit code is 1 where one is not as it should be."""
    words = sys.argv[1:]
    numbers = [int(word) for word in words if word.isdecimal()]
    n, seed = (*numbers, *(N_KILLS, 0)[len(numbers) :])
    tallies = measure(n, seed, tuple(word for word in words if not word.isdecimal() and word != "kills"))
    table = Table(title=f"{n} runs that get SIGKILL with their group at a random moment, seed {seed}")
    table.add_column("command")
    for heading in ("kills", "while it ran", "whole output", "next run right", "left over", "processes left"):
        table.add_column(heading, justify="right")
    for name, tally in tallies.items():
        table.add_row(name, *map(str, vars(tally).values()))
    console.print(table)
    if not all(tally.is_right for tally in tallies.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main(Console(width=110))
