"""The dataset card: a YAML header that `datasets` and the Hub read, and a body rendered from a template.

The prose of the body is in `dataset_cards/`.
"""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from harness.packaging.licences import hub_header, licence_shares
from harness.packaging.plan import DEFAULT, Config, DatasetPlan
from harness.packaging.sources import attributions_of, bibtex_of, licences_of, notes_table, sources_table
from harness.packaging.templates import render_card
from harness.packaging.texts import DevVersion, Version
from harness.schema.export import Markdown, code_span, field_table
from harness.schema.licences import joined_licences, licence_words
from harness.schema.records import RECORDS
from harness.schema.vocabulary import BOUNDARY_TITLES, ENERGY_KIND_TITLES, TIER_TITLES
from harness.split_statements import STATEMENTS, earlier_splits
from harness.splits import GROUPS, split_version

if TYPE_CHECKING:
    from datasets import DatasetInfo
    from huggingface_hub import DatasetCardData

_SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_MANY: Final = "1M<n<10M"


def dataset_card(plan: DatasetPlan, cards: Path, folder: Path) -> str:
    """Text of `README.md`.

    Args:
        plan: the dataset.
        cards: folder of the templates.
        folder: dataset folder with its Parquet files, whose sizes go into the header.

    Raises:
        ReleaseError: the template of the level is missing or broken.
    """
    from huggingface_hub import DatasetCard

    facts = {"card_data": Markdown(card_header(plan, folder).to_yaml()), **_facts(plan)}
    text = render_card(cards, f"{plan.level}.md.j2", facts)
    return str(DatasetCard(text))


def card_header(plan: DatasetPlan, folder: Path) -> "DatasetCardData":
    """Metadata of the card: licence, size, tags, and per configuration its files, columns and citation.

    Sizes of splits are left out: `datasets` refuses a part of the rows, as by `filters`, where a card states them.
    """
    from datasets.info import DatasetInfosDict
    from huggingface_hub import DatasetCardData

    size = next((name for most, name in _SIZES if plan.rows.num_rows < most), _MANY)
    header = DatasetCardData(
        **hub_header(licences_of(plan.release.submissions)),
        pretty_name=plan.text.pretty_name,
        size_categories=[size],
        task_categories=["tabular-regression"],
        tags=plan.text.tags,
        configs=[_config_entry(config, plan.version) for config in plan.configs],
    )
    infos = {config.name: _info(plan, config, folder) for config in plan.configs}
    DatasetInfosDict(infos).to_dataset_card_data(header)
    for entry in header["dataset_info"]:
        info = infos[entry["config_name"]]
        entry |= {"description": info.description, "license": info.license, "citation": info.citation}
    return header


def _config_entry(config: Config, version: Version) -> dict[str, Any]:
    entry: dict[str, Any] = {"config_name": config.name}
    if config.name == DEFAULT:
        entry["default"] = True
    # `datasets` admits three numbers only, and shows 0.0.0 where there is no version.
    if not isinstance(version, DevVersion):
        entry["version"] = version.version
    entry["data_files"] = [{"split": split, "path": paths} for split, paths in config.paths.items()]
    return entry


def _info(plan: DatasetPlan, config: Config, folder: Path) -> "DatasetInfo":
    from datasets import DatasetInfo, Features

    submissions = _submissions_of(plan, config)
    return DatasetInfo(
        description=config.description,
        citation="\n\n".join(bibtex_of(submissions, plan.texts.citations)),
        license=joined_licences(licences_of(submissions)),
        features=Features.from_arrow_schema(config.files[0].table.schema),
        download_size=sum((folder / file.path).stat().st_size for file in config.files),
        dataset_size=sum(file.table.nbytes for file in config.files),
    )


def _submissions_of(plan: DatasetPlan, config: Config) -> pa.Table:
    """Submissions whose rows a configuration holds; all, for a table beside the rows."""
    submissions = plan.release.submissions
    if config in plan.tables:
        return submissions
    own = pa.chunked_array([pc.unique(file.table.column("submission_id")) for file in config.files])
    return submissions.filter(pc.is_in(submissions.column("submission_id"), value_set=pc.unique(own)))


def _facts(plan: DatasetPlan) -> dict[str, Any]:
    """Variables of the templates; every table is a list of rows whose keys are its header."""
    submissions, rows = plan.release.submissions, plan.rows
    kinds, tiers, boundaries = (Counter(rows.column(name).to_pylist()) for name in ("energy_kind", "tier", "boundary"))
    return {
        "dataset": plan.name,
        "level": plan.level,
        "pretty_name": plan.text.pretty_name,
        "description": plan.text.description,
        "version": plan.version,
        "n_rows": rows.num_rows,
        "n_devices": plan.release.devices.num_rows,
        "n_simulated": tiers["simulated"],
        "example_split": plan.configs[0].files[0].split,
        "example_device": plan.configs[0].files[0].table.column("device_id")[0].as_py(),
        "configs": _config_rows(plan),
        "split_version": split_version(),
        "split_statement": STATEMENTS[plan.level],
        "earlier_splits": earlier_splits(plan.level),
        "split_group": GROUPS[plan.level],
        "leaks": plan.leaks,
        "fields": _field_rows(plan),
        "tiers": [{"tier": tier, "meaning": TIER_TITLES[tier], "rows": tiers[tier]} for tier in TIER_TITLES],
        "energy_kinds": [
            {"energy_kind": kind, "meaning": title, "rows": kinds[kind]} for kind, title in ENERGY_KIND_TITLES.items()
        ],
        "boundaries": [
            {"boundary": boundary, "meaning": title, "rows": boundaries[boundary]}
            for boundary, title in BOUNDARY_TITLES.items()
        ],
        "errata": _erratum_rows(plan),
        "sources": sources_table(submissions, rows),
        "remarks": notes_table(submissions),
        "attributions": attributions_of(submissions),
        "licences": [
            {"licence": licence_words(share.licence), "rows": share.n_rows, "submissions": share.n_submissions}
            for share in licence_shares(submissions, rows)
        ],
        "citations": bibtex_of(submissions, plan.texts.citations),
    }


def _config_rows(plan: DatasetPlan) -> list[dict[str, object]]:
    return [
        {
            "configuration": code_span(config.name),
            "content": config.description.removeprefix(plan.text.description).strip(),
            "train": config.n_rows["train"],
            "test": config.n_rows["test"],
            "files": Markdown(", ".join(code_span(file.path) for file in config.files)),
        }
        for config in plan.configs
    ]


def _erratum_rows(plan: DatasetPlan) -> list[dict[str, object]]:
    return [
        {
            "device": code_span(row["device_id"]),
            "field": code_span(row["field"]),
            "where": row["where"],
            "printed": row["printed"],
            "used": row["used"],
            "why": row["why"],
        }
        for row in plan.release.errata.to_pylist()
    ]


def _field_rows(plan: DatasetPlan) -> list[dict[str, object]]:
    return [
        {"field": code_span(row["field"]), "type": row["type"], "unit": row["unit"], "meaning": row["meaning"]}
        for row in field_table(RECORDS[plan.level])
    ]
