"""What the generated reading pages hold: datasets, schema, label scale and validation rules; no device pages."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from harness.leaks import LeakReport, leak_report
from harness.pages.device_entries import DeviceEntry, n_devices, n_rows
from harness.pages.fields import (
    device_yaml_table,
    fact_tables,
    network_table,
    output_tables,
    read_out_tables,
    record_table,
    row_table,
    submission_yaml_table,
)
from harness.pages.label import border_texts, network_title, scale_arrows
from harness.pages.rules import RuleDoc
from harness.pages.tables import Cell, Table, TableColumn, number, text, words
from harness.releases import Release
from harness.schema.export import json_schemas
from harness.schema.licences import licence_words
from harness.schema.vocabulary import (
    BOUNDARY_TITLES,
    EVIDENCE_TIERS,
    LEVELS,
    TIER_TITLES,
    Evidence,
    Level,
    default_evidences,
    evidence_of,
)
from harness.scoring.editions import Edition, editions
from harness.split_statements import STATEMENTS, earlier_splits
from harness.splits import assign_splits, split_version

_LEVEL_SENTENCES: Final[dict[Level, str]] = {
    "kernels": "One row is one kernel (a fused operator such as conv-bn-relu) in one configuration on one delegate.",
    "models": "One row is one inference of one network on one delegate.",
    "applications": "One row is one inference of an application's reference network on one delegate.",
}


def datasets_context(release: Release, dataset_version: str) -> dict[str, Any]:
    """The three levels with size, split and columns, tiers, boundaries, and the attributions that sources ask for."""
    submissions = release.submissions.to_pylist()
    licences = Counter(entry["licence"] for entry in submissions)
    return {
        "dataset_version": dataset_version,
        "first": next((level for level, n in n_rows(release).items() if n), LEVELS[0]),
        "parts": [_level_part(release, level) for level in LEVELS],
        "tiers": list(TIER_TITLES.items()),
        "boundaries": list(BOUNDARY_TITLES.items()),
        "licences": [(licence_words(licence), n) for licence, n in sorted(licences.items())],
        "attributions": sorted({entry["attribution"] for entry in submissions if entry["attribution"]}),
    }


def _level_part(release: Release, level: Level) -> dict[str, Any]:
    n = n_rows(release)[level]
    part: dict[str, Any] = {
        "level": level,
        "sentence": _LEVEL_SENTENCES[level],
        "n_rows": n,
        "table": record_table(level),
        "facts": [],
        "example": {},
        "evidences": [],
        "n_simulated": 0,
    }
    if n:
        table = release.levels[level]
        splits = assign_splits(table, level)
        sides = Counter(splits)
        tiers, boundaries = (Counter(table.column(name).to_pylist()) for name in ("tier", "boundary"))
        part["n_simulated"] = tiers["simulated"]
        part["facts"] = [
            ("Rows", f"{n}: {sides['train']} train, {sides['test']} test"),
            ("Tiers", "; ".join(f"{tiers[tier]} {title}" for tier, title in TIER_TITLES.items() if tiers[tier])),
            ("Boundaries", "; ".join(f"{boundaries[name]} {name}" for name in BOUNDARY_TITLES if boundaries[name])),
            ("Devices", n_devices(release, level)),
            ("Split", f"version {split_version()}, {STATEMENTS[level]}"),
            ("Earlier splits", " ".join(earlier_splits(level))),
            *([("Twins", _twins(leak_report(table, level, splits)))] if level == "kernels" else []),
        ]
        part["evidences"] = _evidences(table)
        shown = default_evidences(part["evidences"])
        first = next(place for place, tier in enumerate(table.column("tier").to_pylist()) if evidence_of(tier) in shown)
        part["example"] = {"device_id": table.column("device_id")[first].as_py(), "split": splits[first]}
    return part


def _evidences(rows: pa.Table) -> list[Evidence]:
    """Evidence that rows have; each is a configuration of the dataset."""
    found = {evidence_of(tier) for tier in pc.unique(rows.column("tier")).to_pylist()}
    return [evidence for evidence in EVIDENCE_TIERS if evidence in found]


def _twins(leaks: LeakReport) -> str:
    return (
        f"{leaks.twins} test rows ({leaks.twin_share:.0%}) have a training row that differs in one extent alone; "
        f"{leaks.near_duplicates} pairs of configurations do by at most 10 %"
    )


def schema_context() -> dict[str, Any]:
    """What contributors write, what a release publishes, and what commands print."""
    parts = [
        {"heading": heading, "anchor": anchor, "lead": lead, "tables": tables}
        for heading, anchor, lead, tables in _schema_parts()
    ]
    return {"parts": parts, "schemas": sorted(json_schemas())}


def _schema_parts() -> list[tuple[str, str, str, list[Table]]]:
    """Heading, anchor, sentence and tables of each part of the schema page."""
    return [
        (
            "device.yaml",
            "device-yaml",
            "The device, declared once. A dot leads into a section.",
            [device_yaml_table()],
        ),
        ("submission.yaml", "submission-yaml", "Who measured, when and how.", [submission_yaml_table()]),
        *(
            (
                f"{level}.csv",
                f"{level}-csv",
                "Required columns must be filled in every row; others may be left out.",
                [row_table(level)],
            )
            for level in LEVELS
        ),
        (
            "graphs/MODEL.json",
            "network-json",
            "The kernel list of one model of models.csv, one entry per kernel. A dot leads into an entry.",
            [network_table()],
        ),
        *_derived_parts(),
    ]


def _derived_parts() -> list[tuple[str, str, str, list[Table]]]:
    """Parts of the schema page about what nobody writes by hand."""
    return [
        (
            "Tables beside the rows",
            "fact-tables",
            "Every dataset carries its devices, submissions and errata.",
            fact_tables(),
        ),
        (
            "Read-outs",
            "read-outs",
            "What the rows of networks say about choices, one table each, beside the rows of the models dataset and in "
            "the JSON API.",
            read_out_tables(),
        ),
        (
            "Outputs of commands",
            "outputs",
            "What deepen kernels, deepen predict and deepen choose print with --format json. A dot leads into an "
            "entry; of a kernel, fields that its type does not have are left out.",
            output_tables(),
        ),
    ]


def scale_context(devices: Sequence[DeviceEntry]) -> dict[str, Any]:
    """Every edition with its borders, references and the count of devices in each class."""
    return {"parts": [_edition_part(edition, devices) for edition in editions()]}


def _edition_part(edition: Edition, devices: Sequence[DeviceEntry]) -> dict[str, Any]:
    found = Counter(
        rating.label for device in devices for rating in device.labelled if rating.edition == edition.edition
    )
    borders = border_texts(edition)
    return {
        "edition": edition,
        "arrows": scale_arrows(edition),
        "counts": {letter: _count_text(found[letter], edition.device_noun) for letter in borders},
        "table": _reference_table(edition),
    }


def _count_text(n: int, noun: str) -> str:
    if n == 0:
        return "none yet"
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _reference_table(edition: Edition) -> Table:
    columns = [
        TableColumn("network", "Network"),
        TableColumn("id", "Identifier"),
        TableColumn("reference_mj", "Reference", "mJ", is_number=True),
    ]
    rows: list[list[Cell]] = [
        [text(network_title(network)), words(network.id), number(network.reference_mj, 8)]
        for network in edition.networks
    ]
    caption = f"Reference energies of edition {edition.edition}: these count as 100"
    return Table(f"scale/{edition.edition}", caption, columns, rows, element_id=f"{edition.edition}-references")


_RULE_GROUPS: Final = {
    "files": "Files and folders",
    "text": "Text of a file",
    "yaml": "device.yaml and submission.yaml",
    "header": "Header of a table",
    "cells": "Cells of a table",
    "rows": "Rows of a table",
    "networks": "Kernel lists",
    "traces": "Traces",
    "intake": "Files of other tools",
}


def rules_context(rules: Sequence[RuleDoc]) -> dict[str, Any]:
    """Every rule with an anchor that equals its id, grouped by subject in the order of the rules.

    Raises:
        ValueError: an id that cannot be an anchor.
    """
    for rule in rules:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.rule_id):
            raise ValueError(f"rule id {rule.rule_id!r}; expected lower-case words joined by hyphens")
    groups: dict[str, list[dict[str, Any]]] = {}
    for rule in rules:
        # S704: letters, digits and hyphens only, as just checked.
        entry = {"doc": rule, "anchor": Markup(rule.rule_id)}  # noqa: S704
        groups.setdefault(rule.subject, []).append(entry)
    return {
        "groups": [
            {"subject": _RULE_GROUPS.get(subject, subject), "rules": entries} for subject, entries in groups.items()
        ]
    }
