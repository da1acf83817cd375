"""Small foreign sources with invented figures, in the layouts that the intake reads."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from harness.intake.stated import StatedFacts

FOLDERS = {
    "energy": "Kernel_energy/{}_energy.json",
    "latency": "Kernel_latency/{}_latency.json",
    "power": "Kernel_power/{}_power.json",
    "config": "Kernel_config/{}_test.json",
}

CONV = {"HW": 28, "CIN": 8, "COUT": 16, "KERNEL_SIZE": 3, "STRIDES": 2}
SOUND: dict[str, dict[str, dict[str, Any]]] = {
    "conv-bn-relu": {
        "AAAAA1": {"energy": "2.412", "latency": "1.206", "power": "2000.0", "config": CONV},
        "AAAAA2": {"energy": "3.618", "latency": "1.809", "power": "2000.0", "config": CONV | {"HW": 56}},
    },
    "concat": {
        "BBBBB1": {
            "energy": "0.503",
            "latency": "0.2515",
            "power": "2000.0",
            "config": {"HW": 14, "CIN1": 4, "CIN2": 5, "CIN3": 0, "CIN4": 0},
        },
    },
    "maxpool": {
        "CCCCC1": {
            "energy": "0.701",
            "latency": "0.3505",
            "power": "2000.0",
            "config": {"HW": 56, "CIN": 8, "KERNEL_SIZE": 2, "STRIDES": 2, "POOL_STRIDES": 2},
        },
    },
    "fc": {"DDDDD1": {"energy": "1.002", "latency": "0.501", "power": "2000.0", "config": {"CIN": 256, "COUT": 64}}},
}


RUN = StatedFacts(delegate="CPU", dtype="fp32", runtime="TensorFlow Lite", device_class="phone")
"""What was run, which files of DeepEn2023 do not state."""


def deepen2023(root: Path, kernels: Mapping[str, Mapping[str, Mapping[str, Any]]] = SOUND) -> Path:
    """Folder in the layout of DeepEn2023; what an entry lacks is in no file."""
    for kind, name in FOLDERS.items():
        for kernel, entries in kernels.items():
            of_kind = {
                identifier: {kind: entry[kind]} | ({"model": f"{kernel}_{identifier}"} if kind == "config" else {})
                for identifier, entry in entries.items()
                if kind in entry
            }
            if of_kind:
                path = root / name.format(kernel)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps({kernel: of_kind}, indent=4), encoding="utf-8")
    return root


SUBMISSION = {
    "schema_version": 1,
    "title": "Kernels of a bench",
    "contributors": ["A. Tester"],
    "date": "2026-01",
    "method": "published",
    "runtime": "Test runtime 1.0",
    "licence": "CC-BY-4.0",
    "source": {"citation": "Tester, A bench, 2026.", "url": "https://example.org/bench"},
}
DEVICE = {"name": "Acme phone", "device_class": "phone", "delegates": {"CPU1": "cpu"}}
MAPPING: dict[str, Any] = {
    "level": "kernels",
    "columns": {
        "kernel": {"from": "op", "words": {"Conv": "conv-bn-relu", "Relu": "relu"}},
        "input_h": {"from": "size"},
        "input_w": {"from": "size"},
        "cin": {"from": "channels"},
        "delegate": {"value": "CPU1"},
        "dtype": {"value": "fp32"},
        "energy_kind": {"value": "absolute"},
        "energy_mj": {"from": "Energy (uJ)", "unit": "uJ"},
        "latency_ms": {"from": "Time (s)", "unit": "s"},
        "power_mw": {"from": "Power", "unit": "W"},
        "source_id": {"from": "id"},
    },
    "submission": SUBMISSION,
    "device": DEVICE,
}
HEADER = ("id", "op", "size", "channels", "Energy (uJ)", "Time (s)", "Power", "comment")
ROWS = (
    ("r1", "Relu", "28", "8", "1203.368", "0.0006", "2.0", "warm"),
    ("r2", "relu", "56", "8", "2000", "0.001", "2.0", ""),
)


def table(path: Path, rows: Sequence[Sequence[str]] = ROWS, header: Sequence[str] = HEADER) -> Path:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def mapping(path: Path, **changed: Any) -> Path:
    path.write_text(yaml.safe_dump(MAPPING | changed, sort_keys=False), encoding="utf-8")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but locks, by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def quarantine(folder: Path) -> list[dict[str, str]]:
    with (folder / "quarantine.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
