"""Small folders of runs with invented power, in the layouts that the intake reads."""

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import yaml

from tests.intake.sources import SUBMISSION

DESCRIPTION = {
    "Submitter": "Acme Labs",
    "Division": "Closed",
    "Board Name": "Acme One",
    "SoC Name": "N/A",
    "Processor(s) Name": "A tiny core",
    "Processor(s) Frequencies": "80 MHz",
    "Accelerator": "",
    "Inference Framework": "Acme runtime 2.0",
    "Quantization Method": "TensorFlow Int8 Quantization",
}
POWERS_MW = (20.0, 20.25, 20.5, 20.75, 21.0)
"""Of five windows of a second each; with 100 inferences in each, the median is 205 µJ."""
N_EACH = 100
LOG = """00001.000 session: m-session-start-id[20260102030405]
00001.000 io: [dut]: m-model-[{task}01]
00002.000 emon: m-regfile-fn[trace1-energy.bin]-type[emon]-name[lpm01a]
00003.000 emon: m-voltage-mv[1800]
"""


def energy_bytes(powers_mw: tuple[float, ...] = POWERS_MW) -> bytes:
    """Trace at 1 kHz with a window from second 2k + 1 to second 2k + 2, and 1 mW between them."""
    samples = [1.0] * (2000 * len(powers_mw) + 1000)
    for number, power in enumerate(powers_mw):
        first = 2000 * number + 1000
        # A ripple over an even number of steps leaves the energy as it is, and no peak looks clipped.
        samples[first : first + 1001] = [power + 0.25 * (-1) ** sample for sample in range(1001)]
    return struct.pack(f"<Bf{len(samples)}f", 0xF1, 1000.0, *samples)


def marks_text(n_windows: int = len(POWERS_MW)) -> str:
    return json.dumps([0.25, *(float(second) for second in range(1, 2 * n_windows + 1))])


def results_text(median_uj: str = "205.000", throughput: str = "100.000") -> str:
    windows = "".join(f"ulp-ml:   # Inferences :  {N_EACH}\n" for _ in POWERS_MW)
    return (
        f"{windows}ulp-ml: Median energy cost is {median_uj} uJ/inf.\n"
        f"ulp-ml: Median throughput is {throughput} inf./sec.\n"
    )


def windows_text(seconds: float = 1.0, median_uj: str = "205.0000") -> str:
    """Results of an energy run as they are from v1.3 on: seconds and inferences of windows, and no throughput."""
    windows = "".join(f"  Elapsed time  : {seconds}\n  Inferences    : {N_EACH}\n" for _ in POWERS_MW)
    return f"Power Edition Output\n{windows}Median energy cost is {median_uj} uJ/inf.\n"


def tiny_run(folder: Path, **files: bytes | str | None) -> Path:
    """Energy run in a folder; `results`, `marks`, `trace` and `log` are what else is in their files, None for none."""
    task = folder.parent.name
    contents = {
        "results.txt": files.get("results", results_text()),
        "trace1-energy.bin": files.get("trace", energy_bytes()),
        "trace1-timestamps.json": files.get("marks", marks_text()),
        "log.txt": files.get("log", LOG.format(task=task)),
        "script.async": files.get("script", "cmd: 'emon voltage 3000'"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        if content is not None:
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def tiny_system(root: Path, description: dict[str, Any] | bytes | None = None, **tasks: dict[str, Any]) -> Path:
    """Tree of a system in a round, with an ad run unless others are named; the folder of the system."""
    closed = root / "v1.2/closed/acme"
    system = closed / "results/ACME_ONE"
    for task, files in (tasks or {"ad": {}}).items():
        tiny_run(system / task / "energy", **files)
    content = DESCRIPTION if description is None else description
    (closed / "systems").mkdir(parents=True, exist_ok=True)
    (closed / "systems/ACME_ONE.json").write_bytes(
        content if isinstance(content, bytes) else json.dumps(content).encode()
    )
    return system


MONSOON_START_US = 1_700_000_000_000_000
RUN_MAPPING: dict[str, Any] = {
    "submission": {key: value for key, value in SUBMISSION.items() if key != "method"},
    "device": {"name": "Acme phone", "device_class": "phone", "delegates": {"CPU4": "cpu"}},
}


def run_mapping(path: Path, **changed: Any) -> Path:
    path.write_text(yaml.safe_dump(RUN_MAPPING | changed, sort_keys=False), encoding="utf-8")
    return path


def monsoon_power(current_ma: float = 250.0, n_samples: int = 20_000, period_us: int = 200) -> bytes:
    """Monsoon export of 4 s at 4 V: 5 kHz, 25 mA at rest and more in the inferences of `monsoon_inferences`."""
    lines = ["Time(ms),Main(mA),Main Voltage(V),"]
    for sample in range(n_samples):
        at_us = sample * period_us - 2_500_000
        is_busy = at_us >= 0 and at_us % 100_000 <= 50_000
        current = (current_ma if is_busy else 25.0) + 0.5 * (-1) ** sample
        lines.append(f"{MONSOON_START_US + sample * period_us},{current},4.0,")
    return ("\n".join(lines) + "\n").encode()


def monsoon_inferences(n: int = 10) -> bytes:
    """Inferences of 50 ms each, every 100 ms from two and a half seconds on."""
    lines = ["inference_index,start_us,end_us"]
    for number in range(n):
        start = MONSOON_START_US + 2_500_000 + number * 100_000
        lines.append(f"{number},{start},{start + 50_000}")
    return ("\n".join(lines) + "\n").encode()


def monsoon_folder(folder: Path, *, has_baseline: bool = True, **files: bytes) -> Path:
    """Two runs, `net_a` and `net_b`, of which other files may be given by name."""
    contents = {
        "net_a_power.csv": monsoon_power(250.0),
        "net_a_inference_time.csv": monsoon_inferences(),
        "net_b_power.csv": monsoon_power(500.0),
        "net_b_inference_time.csv": monsoon_inferences(8),
    } | {f"{name}.csv": content for name, content in files.items()}
    if has_baseline:
        contents["baseline.csv"] = monsoon_power(25.0, 12_000)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def rebound(folder: Path, name: str, content: bytes) -> None:
    """Put other bytes in place of a trace, and bind those."""
    path, manifest = folder / "traces" / name, folder / "submission.yaml"
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(content)
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace(before, hashlib.sha256(content).hexdigest()), encoding="utf-8")
