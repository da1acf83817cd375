"""Sources of a dataset: licences, citations and attributions, read from its submission table."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from harness.schema.export import autolink, code_span
from harness.schema.identity import content_id
from harness.schema.licences import licence_words


def licences_of(submissions: pa.Table) -> list[str]:
    """SPDX identifiers of the submissions, sorted."""
    return sorted(pc.unique(submissions.column("licence")).to_pylist())


def attributions_of(submissions: pa.Table) -> list[str]:
    """Attributions that licences or owners ask for, each once, sorted."""
    return sorted(pc.unique(submissions.column("attribution").drop_null()).to_pylist())


def pairs_of(table: pa.Table, key: str, value: str) -> dict[str, str]:
    """Values of one column by those of another."""
    return dict(zip(table.column(key).to_pylist(), table.column(value).to_pylist(), strict=True))


def bibtex_of(submissions: pa.Table, citations: Mapping[str, str]) -> list[str]:
    """BibTeX entries of the works to cite, each once, in the order of their addresses.

    Args:
        submissions: submission table.
        citations: written entries by address; any other work gets an entry made of its sentence.
    """
    works: dict[str, str] = {}
    for row in submissions.select(["citation", "url", "identifier"]).to_pylist():
        written = citations.get(row["url"] or "")
        works.setdefault(row["url"] or row["citation"], (written or _as_bibtex(row)).strip())
    return list(dict.fromkeys(works[key] for key in sorted(works)))


def _as_bibtex(row: dict[str, Any]) -> str:
    fields = {"title": row["citation"], "note": row["identifier"], "url": row["url"]}
    lines = [f"  {name} = {{{_brace_free(value)}}}" for name, value in fields.items() if value]
    return f"@misc{{deepen-source-{content_id(row)},\n" + ",\n".join(lines) + "\n}"


def _brace_free(value: str) -> str:
    return re.sub(r"[{}\\`]", "", " ".join(value.split()))


def sources_table(submissions: pa.Table, rows: pa.Table) -> list[dict[str, object]]:
    """One row per work, licence and method, with the number of its submissions, devices and rows."""
    counts = {str(pair["values"]): pair["counts"] for pair in pc.value_counts(rows.column("submission_id")).to_pylist()}
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in submissions.to_pylist():
        groups[row["url"] or row["citation"], row["licence"], row["method"]].append(row)
    return [
        {
            "source": "; ".join(sorted({member["title"] for member in members})),
            "where": autolink(where),
            "method": method,
            "licence": licence_words(licence),
            "submissions": len(members),
            "devices": len({member["device_id"] for member in members}),
            "rows": sum(counts[member["submission_id"]] for member in members),
        }
        for (where, licence, method), members in sorted(groups.items())
    ]


def notes_table(submissions: pa.Table) -> list[dict[str, object]]:
    """One row per remark of contributors, with the number of submissions that make it."""
    remarks: dict[str, list[str]] = defaultdict(list)
    for row in submissions.select(["submission_id", "notes"]).to_pylist():
        if row["notes"]:
            remarks[row["notes"]].append(row["submission_id"])
    return [
        {"submissions": len(ids), "for example": code_span(ids[0]), "remark": remark}
        for remark, ids in sorted(remarks.items())
    ]
