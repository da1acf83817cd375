"""A small tree of published submissions, and attempts to change it: copies of the repository's own, edited in code."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from harness.review import Change, Reviewed, Snapshot, review
from harness.validation import validate

OWN = Path(__file__).parents[2] / "submissions"
PUBLISHED = (
    "EK-RA6M4",
    "NUCLEO-L4R5ZI",
    "GAP9-EVK",
    "huawei-p40-pro",
    "motorola-one-macro",
    "oneplus-8-pro",
    "xiaomi-redmi-note8",
)
"""Devices of the tree: phones and microcontrollers whose rows are rated."""
PHONE = "huawei-p40-pro/sec23"
BOARD = "GAP9-EVK/mlperf-tiny-v1.0-650mV-240MHz"


def lay_out(root: Path) -> Path:
    """Published submissions below a folder."""
    for device in PUBLISHED:
        shutil.copytree(OWN / device, root / "submissions" / device)
    return root / "submissions"


def snapshot(folder: Path) -> Snapshot:
    return Snapshot(folder, validate([folder]).campaigns)


def reviewed(earlier: Snapshot, folder: Path, outside: Sequence[str] = ()) -> Reviewed:
    """Review of a changed tree, whose campaigns are all validated."""
    found = validate([folder])
    change = Change(earlier, Snapshot(folder, found.campaigns, found.doubted), outside)
    return review(found, change)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def replace(path: Path, old: str, new: str, count: int = 1) -> None:
    """Replace a text that must be there."""
    text = read(path)
    assert old in text, f"{path.name} has no {old!r}"
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def change_facts(path: Path, **facts: object) -> None:
    """Set fields of a YAML file; None removes one."""
    content = yaml.safe_load(read(path)) | facts
    text = yaml.safe_dump({name: value for name, value in content.items() if value is not None}, allow_unicode=True)
    path.write_text(text, encoding="utf-8")


def rows_of(path: Path) -> list[dict[str, str]]:
    header, *lines = read(path).splitlines()
    return [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines]


def write_rows(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    names = list(rows[0])
    lines = [",".join(names), *(",".join(row[name] for name in names) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


FACTS = {
    "schema_version": 1,
    "title": "Applications of a phone",
    "contributors": ["Robin Example"],
    "date": "2026-10",
    "method": "measured",
    "runtime": "TensorFlow Lite 2.19",
    "boundary": "battery",
    "licence": "CC-BY-4.0",
    "source": {"citation": "Example lab, measurements of a phone, 2026."},
    "meter": {"name": "Acme gauge", "kind": "battery-gauge"},
}
"""Facts of a submission that nobody has a question about."""
DEVICE = {"name": "Acme Phone", "device_class": "phone", "tdp_w": 8, "year": 2025, "delegates": {"CPU1": "cpu"}}
# Energies of the suite as no other phone has them: those of one phone, each network times a factor of its own.
FACTORS = (1.1, 0.95, 1.2, 1.0, 1.1, 0.85, 1.15, 0.9, 1.05, 0.8, 1.1, 0.9)


def phone_rows(**cells: str) -> list[dict[str, str]]:
    """The suite of phones on one delegate, plausible and like no other device's."""
    networks: dict[str, dict[str, str]] = {}
    for device in ("xiaomi-redmi-note8",):
        for row in rows_of(OWN / device / "sec23" / "applications.csv"):
            networks.setdefault(row["dnn"], row)
    ordered = sorted(networks.values(), key=lambda row: int(row["dnn"].removeprefix("DNN")))
    return [
        {name: cell for name, cell in row.items() if name != "power_mw"}
        | {"delegate": "CPU1", "energy_mj": f"{float(row['energy_mj']) * factor:.4g}"}
        | cells
        for row, factor in zip(ordered, FACTORS, strict=True)
    ]


def add(
    root: Path,
    rows: Sequence[Mapping[str, str]] | None = None,
    *,
    place: str = "acme-phone/2026-10",
    level: str = "applications",
    device: Mapping[str, object] | None = None,
    **facts: object,
) -> Path:
    """Add a campaign, of a new phone unless told otherwise; its folder."""
    folder = root / place
    folder.mkdir(parents=True)
    if not (folder.parent / "device.yaml").exists():
        (folder.parent / "device.yaml").write_text(yaml.safe_dump(DEVICE | dict(device or {}), allow_unicode=True))
    write_rows(folder / f"{level}.csv", phone_rows() if rows is None else rows)
    manifest = {name: value for name, value in (FACTS | facts).items() if value is not None}
    (folder / "submission.yaml").write_text(yaml.safe_dump(manifest, allow_unicode=True), encoding="utf-8")
    return folder
