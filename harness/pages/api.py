"""The static JSON API: the same figures as the pages, for programs; it lists files, and writes none."""

import json
from collections.abc import Sequence
from typing import Any

from harness import __version__
from harness.pages.board_pages import page_of
from harness.pages.board_rows import Boards
from harness.pages.device_entries import DeviceEntry, SystemEntry
from harness.pages.label import facts_of, label_path
from harness.readouts.attributions import attributions_of
from harness.readouts.tables import read_outs
from harness.releases import Release
from harness.schema.systems import Settings
from harness.scoring.editions import editions
from harness.scoring.ratings import Rating


def api_files(
    release: Release, devices: Sequence[DeviceEntry], ratings: Sequence[Rating], dataset_version: str, boards: Boards
) -> dict[str, str]:
    """Text of every file of the API, by its address from the root of the site.

    Args:
        release: release that the site describes.
        devices: its devices.
        ratings: ratings of the release, in the order of `rate`.
        dataset_version: version that every file states.
        boards: predictors and their results.
    """
    head = {"dataset_version": dataset_version, "harness_version": __version__}
    labelled = [(device, rating) for device in devices for rating in device.labelled]
    return {
        f"api/v1/{name}.json": json.dumps(head | content, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
        for name, content in {
            "devices": {"devices": [_device(device) for device in devices]},
            "systems": {"systems": [_system(system) for device in devices for system in device.systems]},
            "scores": {"devices": [rating.as_json() for rating in ratings]},
            "labels": {"labels": [_label(device, rating, dataset_version) for device, rating in labelled]},
            "editions": {"editions": [edition.model_dump(mode="json") for edition in editions()]},
            "predictors": _predictors(boards),
            **_read_outs(release),
        }.items()
    }


def _read_outs(release: Release) -> dict[str, dict[str, Any]]:
    """Every read-out under its own name, with the sentences that owners of its figures ask for."""
    return {
        name: {
            name: [row.model_dump(mode="json") for row in rows],
            "attributions": attributions_of(release.only_of("models")),
        }
        for name, rows in read_outs(release).items()
    }


def _predictors(boards: Boards) -> dict[str, Any]:
    return {
        "predictors": [info.model_dump(mode="json") | {"page": page_of(info.key)} for info in boards.infos.values()],
        "results": [row.as_json() for rows in boards.rows.values() for row in rows],
    }


def _device(device: DeviceEntry) -> dict[str, Any]:
    return {
        **device.facts,
        "page": device.path,
        "labels": [label_path(device, rating) for rating in device.labelled],
        "tiers": list(device.tiers),
        "boundaries": list(device.boundaries),
        "n_rows": {level: len(rows) for level, rows in device.rows.items()},
        "systems": [system.system_id for system in device.systems],
        "submissions": [entry["submission_id"] for entry in device.submissions],
        "errata": [
            {key: value for key, value in entry.items() if key not in ("device_id", "submission_id")}
            for entry in device.errata
        ],
    }


def _system(system: SystemEntry) -> dict[str, Any]:
    return {
        "device_id": system.device_id,
        "system_id": system.system_id,
        "system": system.name,
        "page": system.path,
        "former_devices": list(system.former_devices),
        "rounds": list(system.rounds),
        "submissions": [entry["submission_id"] for entry in system.submissions],
        **{name: system.settings.get(name) for name in ("stack", "submitter", *Settings.model_fields)},
    }


def _label(device: DeviceEntry, rating: Rating, dataset_version: str) -> dict[str, Any]:
    facts = facts_of(device, rating, dataset_version)
    return {
        "system_id": rating.system_id,
        "svg": label_path(device, rating),
        "verification_hash": facts.verification_hash,
        "signed": facts.signed,
        "networks": [
            {
                "network": entry.network,
                "delegate": entry.delegate,
                "energy_mj": entry.energy_mj,
                "energy_low_mj": entry.low_mj,
                "energy_high_mj": entry.high_mj,
                "interval": entry.interval,
            }
            for entry in rating.networks
        ],
    }
