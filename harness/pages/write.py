"""Write the generated part of the site: pages, labels, charts, downloads and the JSON API of one release.

It changes only generated files; hand-written pages, styles and scripts stay as they are.
"""

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
from jinja2 import Environment

from harness.pages.api import api_files
from harness.pages.board_pages import board_files
from harness.pages.board_rows import Boards
from harness.pages.charts import chart_bundle, chart_files, ranking_chart
from harness.pages.device_entries import DeviceEntry, Ranking, device_entries, rankings
from harness.pages.device_page import Chart, device_page
from harness.pages.device_tables import errata_table, index_table, ranking_table, simulated_index_table
from harness.pages.label import draw_label, facts_of, label_path, label_sentence
from harness.pages.markup import environment, fixed
from harness.pages.moved import moved_files
from harness.pages.palette import class_styles
from harness.pages.reading_pages import datasets_context, rules_context, scale_context, schema_context
from harness.pages.rules import RuleDoc
from harness.pages.tables import Table
from harness.releases import Release
from harness.schema.export import json_schemas, schema_text
from harness.schema.vocabulary import BOUNDARY_TITLES, RATED_TIERS, TIER_TITLES
from harness.scoring.ratings import Rating

GENERATED: Final = (
    "index.md",
    "datasets.md",
    "errata.md",
    "rules.md",
    "scale.md",
    "schema.md",
    "devices",
    "labels",
    "predictors",
    "downloads",
    "api/v1",
    "assets/generated",
)
"""Files and folders under the docs folder that belong to this module alone; `site/.gitignore` lists the same."""


def write_pages(
    release: Release,
    ratings: Sequence[Rating],
    suites: Mapping[str, pd.DataFrame],
    site: Path,
    *,
    dataset_version: str,
    rules: Sequence[RuleDoc],
    boards: Boards | None = None,
) -> list[Path]:
    """Write every generated file of the site, after removing those of an earlier run.

    Args:
        release: what the site describes.
        ratings: ratings of the release, in the order of `rate`.
        suites: rows of the release that each edition rates, as `suites` returns them.
        site: docs folder of MkDocs, with `templates/`.
        dataset_version: version that pages, labels and the API state.
        rules: entries of the page of validation rules, in its order.
        boards: predictors and their results; without them, their pages state how to make them.

    Returns:
        The files written, sorted.
    """
    devices = device_entries(release, ratings, suites)
    boards = boards or Boards()
    env = environment(site / "templates")
    files: dict[str, str] = api_files(release, devices, ratings, dataset_version, boards)
    files["assets/generated/classes.css"] = class_styles()
    files["assets/generated/vega.js"] = chart_bundle()
    files |= _home(env, release, devices, dataset_version)
    files |= _devices(env, devices, dataset_version)
    files |= _reading_pages(env, release, devices, dataset_version, rules)
    files |= moved_files(devices, files)
    files |= board_files(env, boards, _system_names(release))
    _remove_generated(site)
    for path, content in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(content, encoding="utf-8", newline="\n")
    return sorted(site / path for path in files)


def _system_names(release: Release) -> dict[str, str]:
    of_systems = release.submissions.select(["system_id", "system"]).to_pylist()
    return {row["system_id"]: row["system"] for row in of_systems}


def _remove_generated(site: Path) -> None:
    for name in GENERATED:
        path = site / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _downloads(tables: Iterable[Table]) -> dict[str, str]:
    return {f"downloads/{table.name}.csv": table.csv_text() for table in tables}


def _charts(charts: Iterable[Chart]) -> dict[str, str]:
    return {f"{chart.path}{suffix}": content for chart in charts for suffix, content in chart.files.items()}


def _home(env: Environment, release: Release, devices: Sequence[DeviceEntry], version: str) -> dict[str, str]:
    ranked = rankings(devices)
    n_rankings = Counter(ranking.edition.edition for ranking in ranked)
    parts = [_home_part(ranking, devices, n_rankings[ranking.edition.edition] > 1) for ranking in ranked]
    n_simulated = sum(device.n_simulated for device in devices)
    n_rows = sum(table.num_rows for table in release.levels.values()) - n_simulated
    page = env.get_template("index.md.j2").render(
        dataset_version=version,
        figures=[
            {"value": sum(not device.is_simulated for device in devices), "name": "devices"},
            {"value": sum(len(device.labelled) for device in devices), "name": "energy labels"},
            {"value": n_rows, "name": "figures with source and method"},
            *([{"value": n_simulated, "name": "simulated figures, never ranked"}] if n_simulated else []),
        ],
        parts=parts,
        sample=_sample(ranked, devices, version),
        tiers=[TIER_TITLES[tier] for tier in (*RATED_TIERS, "simulated")],
    )
    tables = [part["table"] for part in parts]
    return {"index.md": page} | _downloads(tables) | _charts(part["chart"] for part in parts)


def _sample(ranked: Sequence[Ranking], devices: Sequence[DeviceEntry], version: str) -> dict[str, str] | None:
    """Label that the home page shows: the best of the first ranking."""
    for ranking in ranked:
        best = ranking.ratings[0]
        device = next(device for device in devices if device.device_id == best.device_id)
        sentence = label_sentence(facts_of(device, best, version))
        return {"page": device.path, "label": label_path(device, best), "sentence": sentence}
    return None


def _home_part(ranking: Ranking, devices: Sequence[DeviceEntry], names_group: bool) -> dict[str, Any]:
    edition, tier = ranking.edition, TIER_TITLES[ranking.tier]
    boundary = BOUNDARY_TITLES[ranking.boundary]
    best = ranking.ratings[0]
    noun = edition.device_noun
    chart = Chart(
        path=f"assets/generated/charts/rankings/{ranking.name}",
        title=(
            f"Energy index of {len(ranking.ratings)} {edition.device_noun}s over the class bands of edition "
            f"{edition.edition}; the lowest is {best.system} at {fixed(best.energy_index)}. "
            "All figures are in the table."
        ),
        caption=f"Energy index by system over the class bands A to {edition.last_class}",
        files={},
    )
    chart.files.update(chart_files(ranking_chart(ranking), chart.title))
    return {
        "heading": f"{noun[0].upper()}{noun[1:]}s{f', {tier}, {boundary}' if names_group else ''}",
        "anchor": f"ranking-{ranking.name}",
        "lead": f"Edition {edition.edition}: {edition.suite}; figures {tier}; what was measured: {boundary}.",
        "table": ranking_table(ranking, devices, ""),
        "chart": chart,
        "attribution": edition.source,
    }


def _devices(env: Environment, devices: Sequence[DeviceEntry], version: str) -> dict[str, str]:
    known = [device for device in devices if not device.is_simulated]
    table = index_table(known, "../")
    simulated = simulated_index_table([device for device in devices if device.is_simulated], "../")
    unrated = [
        (device, reason)
        for device in known if not device.labelled
        for reason in dict.fromkeys(rating.reason for rating in device.ratings if rating.reason)
    ]  # fmt: skip
    files = {
        "devices/index.md": env.get_template("devices.md.j2").render(table=table, simulated=simulated, unrated=unrated)
    }
    files |= _downloads([table, simulated] if simulated.rows else [table])
    for device in devices:
        page = device_page(device, version)
        files[f"{device.path}index.md"] = env.get_template("device.md.j2").render(page.context)
        files |= _downloads(page.tables) | _charts(page.charts)
        for rating in device.labelled:
            files[label_path(device, rating)] = draw_label(env, facts_of(device, rating, version))
    return files


def _reading_pages(
    env: Environment, release: Release, devices: Sequence[DeviceEntry], version: str, rules: Sequence[RuleDoc]
) -> dict[str, str]:
    errata = errata_table(devices, "errata", "../")
    contexts: dict[str, dict[str, Any]] = {
        "datasets": datasets_context(release, version),
        "errata": {"table": errata},
        "rules": rules_context(rules),
        "scale": scale_context(devices),
        "schema": schema_context(),
    }
    files = {f"{name}.md": env.get_template(f"{name}.md.j2").render(context) for name, context in contexts.items()}
    for name in ("datasets", "scale"):
        files |= _downloads(part["table"] for part in contexts[name]["parts"])
    files |= _downloads(table for part in contexts["schema"]["parts"] for table in part["tables"])
    files |= {f"downloads/schema/{name}": schema_text(content) for name, content in json_schemas().items()}
    return files | _downloads([errata])
