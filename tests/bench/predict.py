"""What an energy costs: `deepen predict` the first time and again, beside its own imports and another checkout.

`DEEPEN_BEFORE` names a checkout of an earlier version, which is then run on the same rows and files in the same run.
Processor time is of the command and all that it starts, the least of some runs.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from harness.graphs.families.choices import DefaultChoices
from harness.graphs.families.phone import PHONE_FAMILIES
from harness.graphs.families.tiny import resnet8
from tests.bench.timing import processor_time

ROOT = Path(__file__).parents[2]
DEVICE = "zigzag-eyeriss-like"
N_RUNS = 3
START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from harness.cli import main; main()"
IMPORTS = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from harness.cli.process import spare_processor
spare_processor()
from harness import api
import harness.cli
api.predict
import predictors.roofline_residual.calibrated
import harness.graphs.onnx_reader
"""


def main(console: Console) -> None:
    """Print one line per version and network."""
    table = Table(title=f"processor time of deepen predict --device {DEVICE}, and as a multiple of its own imports")
    for heading in ("version", "network", "first s", "again s", "imports s", "again / imports"):
        table.add_column(heading, justify="left" if heading in {"version", "network"} else "right")
    before = os.environ.get("DEEPEN_BEFORE")
    versions = {"this": ROOT} | ({} if before is None else {"before": Path(before)})
    seconds: dict[tuple[str, str], float] = {}
    with tempfile.TemporaryDirectory() as scratch, _folder(Path(scratch)):
        networks = sorted(Path.cwd().glob("*.onnx"))
        for version, checkout in versions.items():
            imports = processor_time((sys.executable, "-c", IMPORTS, str(checkout)), N_RUNS)
            for network in networks:
                command = (sys.executable, "-c", START, str(checkout), "predict", network.name, "--device", DEVICE)
                command = (*command, "--dtype", "int8")
                shutil.rmtree("cache", ignore_errors=True)
                first = processor_time(command, 1)
                again = seconds[version, network.stem] = processor_time(command, N_RUNS)
                cells = (f"{first:.2f}", f"{again:.2f}", f"{imports:.2f}", f"{again / imports:.2f}")
                table.add_row(version, network.stem, *cells)
    console.print(table)
    if before is not None:
        for network in networks:
            ratio = seconds["before", network.stem] / seconds["this", network.stem]
            console.print(f"{network.stem}: again {ratio:.1f} times as fast as before")


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """Work in a folder with submissions, networks and a cache of its own."""
    home, cache = Path.cwd(), os.environ.get("XDG_CACHE_HOME")
    shutil.copytree(ROOT / "submissions", folder / "submissions")
    networks = {"resnet8": resnet8("resnet8"), "resnet18": PHONE_FAMILIES["ResNet18"]("resnet18", DefaultChoices())}
    for name, model in networks.items():
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())
    os.chdir(folder)
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    try:
        yield
    finally:
        os.chdir(home)
        os.environ.pop("XDG_CACHE_HOME")
        if cache is not None:
            os.environ["XDG_CACHE_HOME"] = cache
