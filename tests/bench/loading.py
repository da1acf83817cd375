"""How long `load_dataset` takes with 25, 100 and 400 devices: all rows, and those of one device.

The alternative is the layout of one file and one configuration per device. Devices are generated, and every load is in
a process of its own with an empty cache; ratios are of times in the same run.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml
from rich.console import Console
from rich.table import Table

from harness.packaging.build import build_datasets
from harness.releases import assemble
from tests.campaigns import kernel_campaign

DEVICES = (25, 100, 400)
ROWS_PER_DEVICE = 70
N_RUNS = 3
CARDS = Path(__file__).parents[2] / "dataset_cards"
LOAD = """
import sys, time
import datasets
datasets.disable_progress_bars()
folder, config, device = sys.argv[1:]
options = {"filters": [("device_id", "==", device)]} if device else {}
start = time.perf_counter()
rows = datasets.load_dataset(folder, config or None, split="train", **options)
print(time.perf_counter() - start, rows.num_rows)
"""


def main(console: Console) -> None:
    """Print one line per layout and number of devices."""
    table = Table("layout", "devices", "rows", "files", "card (kB)", "all (s)", "ratio", "one device (s)", "ratio")
    with tempfile.TemporaryDirectory() as scratch:
        folders = {n: _built(Path(scratch) / str(n), n) for n in DEVICES}
        layouts = {
            "per evidence": (folders, "", "device-0001"),
            "per device": (
                {n: _per_device(folders[n], Path(scratch) / f"old-{n}") for n in DEVICES},
                "device-0001",
                "",
            ),
        }
        for name, (places, config, device) in layouts.items():
            _print_layout(table, name, places, config, device)
    console.print(table)


def _print_layout(table: Table, name: str, places: dict[int, Path], config: str, device: str) -> None:
    everything, one = _times(places, "", ""), _times(places, config, device)
    for n, folder in places.items():
        files = list(folder.rglob("*.parquet"))
        rows = sum(pq.read_metadata(path).num_rows for path in (folder / "data").rglob("*.parquet"))
        table.add_row(
            name,
            str(n),
            str(rows),
            str(len(files)),
            f"{(folder / 'README.md').stat().st_size / 1000:.0f}",
            *(
                cell
                for times in (everything, one)
                for cell in (f"{times[n]:.2f}", f"{times[n] / times[DEVICES[0]]:.2f}")
            ),
        )


def _built(dist: Path, n_devices: int) -> Path:
    campaigns = [kernel_campaign(f"device-{n:04}", ROWS_PER_DEVICE) for n in range(n_devices)]
    folder = build_datasets(assemble(campaigns), CARDS, dist)[0].folder
    if folder is None:
        raise RuntimeError("no rows were built")
    return folder


def _per_device(built: Path, folder: Path) -> Path:
    """The same rows with one file per device and split, and a configuration for each device."""
    header = yaml.safe_load((built / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    (folder / "data").mkdir(parents=True)
    of_device: dict[str, list[dict[str, str]]] = {}
    for path in sorted((built / "data").rglob("*.parquet")):
        table = pq.read_table(path, partitioning=None)
        for device in pc.unique(table.column("device_id")).to_pylist():
            own = f"data/{path.stem}-{device}.parquet"
            pq.write_table(table.filter(pc.equal(table.column("device_id"), device)), folder / own, compression="zstd")
            of_device.setdefault(device, []).append({"split": path.stem, "path": own})
    (info,) = (each for each in header["dataset_info"] if each["config_name"] == "default")
    everything = [{"split": split, "path": f"data/{split}-*.parquet"} for split in ("train", "test")]
    configs = {"default": everything} | of_device
    header["configs"] = [{"config_name": name, "data_files": files} for name, files in configs.items()]
    header["dataset_info"] = [info | {"config_name": name} for name in configs]
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump(header, sort_keys=False)}---\n", encoding="utf-8")
    return folder


def _times(places: dict[int, Path], config: str, device: str) -> dict[int, float]:
    """Shortest time of each, in seconds; runs take turns, so that other work on the machine meets all alike."""
    times: dict[int, list[float]] = {n: [] for n in places}
    for _ in range(N_RUNS):
        for n, folder in places.items():
            times[n].append(_loaded(folder, config, device))
    return {n: min(each) for n, each in times.items()}


def _loaded(folder: Path, config: str, device: str) -> float:
    with tempfile.TemporaryDirectory() as home:
        offline = {"HF_HOME": home, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
        command = [sys.executable, "-c", LOAD, str(folder), config, device]
        ended = subprocess.run(command, env=os.environ | offline, check=True, capture_output=True, text=True)
    seconds, n_rows = ended.stdout.split()
    if int(n_rows) == 0:
        raise RuntimeError(f"{folder}: no rows were loaded")
    return float(seconds)
