"""Energies that `deepen-measure` and `deepen reduce` find on a device whose energy is known, beside the truth.

The device is `tests.measure.world`: its sensors follow the processor time of the thread that is measured. It wants
cores of its own: where other work runs as well, the recorder misses readings.
"""

import json
import tempfile
import time
from pathlib import Path

from deepen_measure import running
from deepen_measure.cli import main as measure
from deepen_measure.runtimes import Network
from rich.console import Console
from rich.table import Table

from harness import api
from tests.measure.world import RANGE_UJ, World, machine

INFERENCE_S = 0.004
CASES = (
    ("counter", "powercap", {"update_s": 0.01}),
    ("counter that begins again", "powercap", {"update_s": 0.01, "start_uj": RANGE_UJ - 9_000_000}),
    ("rail", "ina", {"update_s": 0.05}),
    ("battery", "battery", {"update_s": 0.05}),
)


class Busy(Network):
    """Computes for some milliseconds of processor time in each inference, in the thread that runs it."""

    runtime, delegate, threads = "Busy 1.0", "CPU", 1

    def run(self, n: int) -> None:
        """Run so many."""
        for _ in range(n):
            end = time.thread_time() + INFERENCE_S
            while time.thread_time() < end:
                pass


def truth_mj(world: World, home: Path, entry: dict) -> float:
    """Energy of one inference of the world, the mean over the windows."""
    clock = entry["clock"]
    windows = [line.split(",") for line in (home / "inference_time.csv").read_text().split()[1:]]
    moments = [[(int(stamp) - clock["wall_ns"] + clock["monotonic_ns"]) / 1e9 for stamp in row[:2]] for row in windows]
    return sum(world.energy_mj(*pair) for pair in moments) / len(moments) / entry["n_each"]


def cells(sensor: str, settings: dict, folder: Path) -> list[str]:
    """Truth, energy, uncertainty and idle power of one run."""
    root, out = machine(folder / "root"), folder / "out"
    (folder / "net.onnx").write_bytes(b"a network")
    world = World(root, sensor, **settings)
    with world:
        assert measure(["run", str(folder / "net.onnx"), "-o", str(out), "--root-sysfs", str(root), "--idle", "2"]) == 0
    home = out / "001-net"
    entry = json.loads((home / "entry.json").read_text())
    files = (home / f"{name}.csv" for name in ("power", "inference_time", "baseline"))
    (run,) = api.reduce(*files, n_jobs=1)
    truth, found = truth_mj(world, home, entry), run.reduction
    if found.energy_mj is None:
        return [f"{truth:.4g}", "none", ", ".join(fault.rule for fault in found.faults), "", ""]
    error, u = found.energy_mj / truth - 1, found.energy_u_mj / truth
    idle = "" if found.idle_power_mw is None else f"{found.idle_power_mw:.0f}"
    return [f"{truth:.4g}", f"{found.energy_mj:.4g}", f"{error:+.3%}", f"{u:.2%}", idle]


def main(console: Console) -> None:
    """Print one row for every kind of meter."""
    running.load = lambda *_: Busy()
    table = Table(title="deepen-measure on a device of known energy, 2000 mW when idle")
    for heading in ("meter", "truth mJ", "found mJ", "error", "U", "idle mW"):
        table.add_column(heading, justify="left" if heading == "meter" else "right")
    for name, sensor, settings in CASES:
        with tempfile.TemporaryDirectory() as scratch:
            table.add_row(name, *cells(sensor, settings, Path(scratch)))
    console.print(table)
