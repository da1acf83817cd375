"""The static JSON API: the same figures as the pages, for programs; it lists files, and writes none."""

import json
from collections.abc import Sequence
from typing import Any

from harness import __version__
from harness.pages.board_pages import page_of
from harness.pages.board_rows import Boards
from harness.pages.device_entries import DeviceEntry
from harness.pages.label import facts_of, label_path
from harness.scoring.editions import editions
from harness.scoring.ratings import Rating


def api_files(
    subjects: Sequence[DeviceEntry], ratings: Sequence[Rating], dataset_version: str, boards: Boards
) -> dict[str, str]:
    """Text of every file of the API, by its address from the root of the site.

    Args:
        ratings: what `rate` says of the release, in its order.
        boards: predictors and their results.
    """
    head = {"dataset_version": dataset_version, "harness_version": __version__}
    labelled = [(subject, rating) for subject in subjects for rating in subject.labelled]
    return {
        f"api/v1/{name}.json": json.dumps(head | content, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
        for name, content in {
            "devices": {"devices": [_device(subject) for subject in subjects]},
            "scores": {"devices": [rating.as_json() for rating in ratings]},
            "labels": {"labels": [_label(subject, rating, dataset_version) for subject, rating in labelled]},
            "editions": {"editions": [edition.model_dump(mode="json") for edition in editions()]},
            "predictors": _predictors(boards),
        }.items()
    }


def _predictors(boards: Boards) -> dict[str, Any]:
    return {
        "predictors": [info.model_dump(mode="json") | {"page": page_of(info.key)} for info in boards.infos.values()],
        "results": [row.as_json() for rows in boards.rows.values() for row in rows],
    }


def _device(subject: DeviceEntry) -> dict[str, Any]:
    return {
        **subject.facts,
        "page": subject.path,
        "labels": [label_path(subject, rating) for rating in subject.labelled],
        "tiers": list(subject.tiers),
        "n_rows": {level: len(rows) for level, rows in subject.rows.items()},
        "submissions": [entry["submission_id"] for entry in subject.submissions],
        "errata": [
            {key: entry[key] for key in ("field", "where", "printed", "used", "why")} for entry in subject.errata
        ],
    }


def _label(subject: DeviceEntry, rating: Rating, dataset_version: str) -> dict[str, Any]:
    facts = facts_of(subject, rating, dataset_version)
    return {
        "svg": label_path(subject, rating),
        "verification_hash": facts.verification_hash,
        "signed": facts.signed,
        "networks": [
            {
                "network": entry.network,
                "delegate": entry.delegate,
                "energy_mj": entry.energy_mj,
                "energy_min_mj": entry.low_mj,
                "energy_max_mj": entry.high_mj,
            }
            for entry in rating.networks
        ],
    }
