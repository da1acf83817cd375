"""The whole way of a new device: plan, measure, take in, calibrate, predict networks, and measure these to compare.

The device is `tests.measure.world`; kernels and networks run for real with ONNX Runtime. It wants cores of its own.
"""

import json
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from deepen_measure.cli import main as measure
from rich.console import Console
from rich.table import Table

from harness import api
from tests.bench.measure import truth_mj
from tests.measure.networks import MEASURED, UNSEEN, write
from tests.measure.world import World, machine

DEVICE = "acme-board-3"
N_ROWS = 20
UPDATE_S = 0.005


class _Times(dict):
    """Seconds of every step."""

    @contextmanager
    def of(self, step: str):
        """Time a step."""
        begin = time.monotonic()
        yield
        self[step] = time.monotonic() - begin


def measured(folder: Path, root: Path, *arguments: Path) -> World:
    """Run the tool on the device; the world as it was, once it has ended."""
    world = World(root, "powercap", update_s=UPDATE_S)
    with world:
        assert measure(["run", *map(str, arguments), "-o", str(folder), "--root-sysfs", str(root), "--idle", "1"]) == 0
    return world


def main(console: Console) -> None:
    """Print what was predicted beside what was measured, and how long each step took."""
    times = _Times()
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch)
        root, data = machine(here / "root"), here / "submissions"
        targets, unseen = (write(here, networks) for networks in (MEASURED, UNSEEN))
        with times.of("plan"):
            api.plan(DEVICE, N_ROWS, networks=list(targets.values()), formats=["onnx"], out=here / "plan")
        with times.of("measure"):
            measured(here / "run", root, here / "plan")
            assert measure(["pack", str(here / "run")]) == 0
        with times.of("take in and validate"):
            facts = {"contributors": ["A. Person"], "licence": "CC0-1.0", "device_class": "single-board-computer"}
            api.intake("measure", here / "run.zip", out=data, **facts)
            report = api.validate(data).report
        with times.of("calibrate"):
            found = api.calibrate(DEVICE, networks=list(targets.values()), data=data)
        with times.of("predict"):
            predictions = {name: api.predict(path, DEVICE, data=data).network for name, path in unseen.items()}
        with times.of("measure the networks"):
            world = measured(here / "networks", root, *unseen.values())
        print_found(console, times, report, found)
        table = Table(title="Networks that were not measured before, energy of one inference in mJ")
        for heading in ("network", "truth", "predicted", "90 % interval", "holds it"):
            table.add_column(heading, justify="left" if heading == "network" else "right")
        for number, (name, network) in enumerate(predictions.items(), 1):
            home = here / "networks" / f"{number:03d}-{name}"
            truth = truth_mj(world, home, json.loads((home / "entry.json").read_text()))
            low, high = network.interval_mj
            cells = (f"{truth:.4g}", f"{network.energy_mj:.4g}", f"{low:.4g} to {high:.4g}", str(low <= truth <= high))
            table.add_row(name, *cells)
        console.print(table)


def print_found(console: Console, times: _Times, report, found) -> None:
    """Print the seconds of each step, what validation found, and the expected error."""
    seconds = ", ".join(f"{step} {taken:.0f} s" for step, taken in times.items())
    console.print(f"{seconds}; {sum(times.values()) / 60:.1f} minutes in all")
    console.print(f"{report.n_rows} rows, {report.n_errors} errors")
    for way in found.tried:
        error = way.errors[0]
        console.print(
            f"{way.predictor}: within 10 % {100 * error.within_10:.0f} %, median error "
            f"{error.median_error_percent:.1f} %, in 90 % intervals {100 * error.covered_90:.0f} %"
        )
    console.print(f"chosen: {found.best.predictor}; networks take {found.network_factor:.2f} of the sums over kernels")
