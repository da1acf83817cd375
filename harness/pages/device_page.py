"""What one device page shows, in the order of its template; tables and charts are made elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup
from pydantic import BaseModel

from harness.issues import counted
from harness.pages.charts import chart_files, device_charts
from harness.pages.declared import fact, in_order
from harness.pages.device_entries import DeviceEntry
from harness.pages.device_tables import (
    errata_table,
    kernels_table,
    places_table,
    records_table,
    summary_table,
    systems_table,
)
from harness.pages.label import (
    boundary_text,
    facts_of,
    interval_text,
    label_path,
    label_sentence,
    method_text,
    network_title,
)
from harness.pages.markup import code, figure, fixed, plain, title
from harness.pages.tables import Table
from harness.schema.columns import columns_of
from harness.schema.facts import DeviceRecord, SubmissionRecord
from harness.schema.licences import licence_words
from harness.schema.systems import Settings
from harness.schema.vocabulary import BOUNDARY_TITLES, DEVICE_NOUNS, TIER_TITLES
from harness.scoring.editions import Edition, edition_named
from harness.scoring.label_facts import LabelFacts
from harness.scoring.ratings import Rating

Facts = list[tuple[str, Any]]

MOST_ROWS_SHOWN: Final = 60
"""Rows that a page prints; where there are more, it summarises them and links to the file."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart on a page: path of its files, what it shows, and the text of each file by suffix."""

    path: str
    title: str
    caption: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class DevicePage:
    """Context of the template, and the tables and charts that become files of their own."""

    context: dict[str, Any]
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...]


def device_page(device: DeviceEntry, dataset_version: str) -> DevicePage:
    """Everything that the page of a device shows."""
    suites = [_suite(device, edition_named(name)) for name, rows in device.places.items() if len(rows)]
    errata = errata_table([device], f"devices/{device.device_id}-errata", "../../") if device.errata else None
    records, kernel_rows = records_table(device), kernels_table(device)
    kernels = summary_table(device, "kernels", "kernel")
    systems = systems_table(device) if any(system.anchor for system in device.systems) else None
    is_long = records is not None and len(records.rows) > MOST_ROWS_SHOWN
    families = summary_table(device, "models", "family") if is_long else None
    context = {
        "device": device,
        "title": title(device.name),
        "lead": _lead(device),
        "ratings": [_rating(device, rating, dataset_version) for rating in device.labelled],
        "reasons": _reasons(device),
        "systems": systems,
        "simulated": _simulated(device),
        "suites": suites,
        "kernels": kernels,
        "kernel_rows": kernel_rows,
        "families": families,
        "device_facts": _device_facts(device),
        "errata": errata,
        "submissions": [_submission(entry) for entry in device.submissions],
        "records": records,
        "is_long": is_long,
    }
    beside = (systems, kernels, kernel_rows, families, errata, records)
    tables = [suite["table"] for suite in suites] + [table for table in beside if table is not None]
    return DevicePage(context, tuple(tables), tuple(chart for suite in suites for chart in suite["charts"]))


def _reasons(device: DeviceEntry) -> list[str]:
    """Why the device, or a system of it, is not rated; one line for each reason where none is."""
    if device.is_simulated:
        return []
    unrated = [rating for rating in device.ratings if rating.reason]
    if not device.labelled:
        return list(dict.fromkeys(rating.reason or "" for rating in unrated))
    return [f"{rating.system}: {rating.reason}" for rating in unrated]


def _simulated(device: DeviceEntry) -> str:
    """Notice that stands above the figures of a page with simulated rows; empty where it has none."""
    if device.is_simulated:
        return "Every figure on this page was computed by an estimator. Nothing was measured, ranked or labelled."
    if device.n_simulated:
        n_rows = sum(len(rows) for rows in device.rows.values())
        return f"{device.n_simulated} of {n_rows} rows were computed by an estimator; no rank or label rests on them."
    return ""


def _lead(device: DeviceEntry) -> str:
    noun = DEVICE_NOUNS[device.facts["device_class"]]
    noun = f"simulated {noun}" if device.is_simulated else noun
    noun = f"{'An' if noun[0] in 'aeiou' else 'A'} {noun}"
    note = f" ({device.note})" if device.note else ""
    n_rows = sum(len(rows) for rows in device.rows.values())
    submissions = counted(len(device.submissions), "submission")
    return f"{noun}{note} with {counted(n_rows, 'row')} from {submissions}."


def _suite(device: DeviceEntry, edition: Edition) -> dict[str, Any]:
    table = places_table(device, edition)
    charts = _charts(device, edition)
    has_ranks = any(column.key == "energy_rank" for column in table.columns)
    return {"edition": edition, "table": table, "charts": charts, "ranks": has_ranks}


def _charts(device: DeviceEntry, edition: Edition) -> list[Chart]:
    """Charts of an edition's networks, numbered where there are several."""
    path = f"assets/generated/charts/devices/{device.device_id}-{edition.edition}"
    shown = "energy of one inference for each network and system, beside the edition's references"
    drawn = device_charts(device, edition)
    found = []
    for number, chart in enumerate(drawn, start=1):
        suffix, part = (f"-{number}", f", chart {number} of {len(drawn)}") if len(drawn) > 1 else ("", "")
        title = f"{device.name}: {shown}{part}. The figures are in the table below."
        caption = f"{shown[0].upper()}{shown[1:]}{part}"
        found.append(Chart(f"{path}{suffix}", title, caption, chart_files(chart, title)))
    return found


def _rating(device: DeviceEntry, rating: Rating, dataset_version: str) -> dict[str, Any]:
    edition = edition_named(rating.edition or "")
    path = label_path(device, rating)
    signed = facts_of(device, rating, dataset_version)
    facts: Facts = [
        ("Class", _classes(rating.label_range)),
        ("Energy index", _index(rating)),
        ("Rank", f"{rating.rank} among {edition.device_noun}s of the same tier and boundary"),
    ]
    if edition.has_pcs_and_iecs:
        facts += [
            ("PCS", _recomputed_and_published(rating.pcs, rating.pcs_published, 0, "of 100")),
            ("IECS", _recomputed_and_published(rating.iecs, rating.iecs_published, 1, "inferences per joule")),
        ]
    facts += [
        ("Edition", _link(f"../../scale/#{edition.edition}", edition.edition)),
        ("What was measured", boundary_text(signed)),
        ("Method", method_text(signed)),
        ("Dataset version", code(dataset_version)),
        ("Verification", _verification(signed)),
        ("Best energy for each network", _network_list(rating, edition)),
    ]
    system = device.system(rating.system_id)
    return {
        "name": rating.system,
        "anchor": system.anchor if rating == next(each for each in system.ratings if each.label) else "",
        "edition": edition,
        "label": f"../../{path}",
        "sentence": label_sentence(signed),
        "facts": facts,
    }


def _classes(letters: Sequence[str]) -> Markup:
    badges = [Markup('<span class="badge class-{0}">{0}</span>').format(plain(letter)) for letter in letters]
    return Markup("").join(badges)


def _index(rating: Rating) -> Markup:
    interval = interval_text(rating)
    return Markup("<strong>{}</strong>{}").format(
        plain(fixed(rating.energy_index)), plain(f" ({interval})" if interval else "; 100 is the reference")
    )


def _recomputed_and_published(value: float | None, published: float | None, decimals: int, unit: str) -> str:
    own = f"{fixed(value, decimals)} {unit}, recomputed" if value is not None else "not computable"
    return own if published is None else f"{own}; {figure(published)} as published"


def _link(address: str, shown: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(plain(address), plain(shown))


def _verification(signed: LabelFacts) -> Markup:
    how = _link("../../method/#verify", "how to recompute it")
    hashed = code(signed.verification_hash)
    return Markup("{}, over {} record ids; {}").format(hashed, len(signed.record_ids), how)


def _network_list(rating: Rating, edition: Edition) -> Markup:
    titles = {network.id: network_title(network) for network in edition.networks}
    items = [
        Markup("<li>{}: <strong>{} mJ</strong> on {}</li>").format(
            plain(titles[entry.network]), plain(figure(entry.energy_mj)), plain(entry.delegate)
        )
        for entry in rating.networks
    ]
    return Markup('<ul class="plain">{}</ul>').format(Markup("").join(items))


def _facts_in_order(
    model: type[BaseModel],
    row: Mapping[str, Any],
    composed: Mapping[str, Any],
    first: Sequence[str],
    last: Sequence[str] = (),
) -> Facts:
    """Displayed facts of a row that are not absent, some of them first and some last.

    Args:
        composed: values that are put together of several columns, or None where another column shows them.
    """
    columns = {name: column for name, column in columns_of(model).items() if column.quantity.display is not None}
    shown = [
        (column.display.title, composed.get(column.name, fact(column, row[column.name])))
        for column in in_order(columns, first, last)
        if column.name not in composed or composed[column.name] is not None
    ]
    return [(name, value) for name, value in shown if value is not None]


def _device_facts(device: DeviceEntry) -> Facts:
    composed: dict[str, Any] = {"device_class": DEVICE_NOUNS[device.facts["device_class"]]}
    tdp, printed = device.facts["tdp_w"], device.facts["tdp_printed_w"]
    if tdp is not None and printed is not None and printed != tdp:
        composed["tdp_w"] = f"{figure(tdp)} W used; {figure(printed)} W as printed, see the errata"
    return _facts_in_order(DeviceRecord, device.facts, composed, ("name", "device_id", "device_class", "vendor"))


def _submission(entry: dict[str, Any]) -> dict[str, Any]:
    work = plain(entry["citation"])
    if entry["url"]:
        work += Markup(" ") + Markup('<a href="{0}">{0}</a>').format(plain(entry["url"]))
    composed: dict[str, Any] = {
        "citation": work,
        "method": f"{entry['method']}; {TIER_TITLES[entry['tier']]}",
        "licence": licence_words(entry["licence"]),
        "boundary": f"{entry['boundary']}; {BOUNDARY_TITLES[entry['boundary']]}",
        "tier": None,
        "device_id": None,
        "system_id": entry["system"],
    }
    if entry["meter"] and entry["sampling_hz"]:
        composed["meter"] = f"{entry['meter']}, {figure(entry['sampling_hz'])} Hz"
    first = (
        "submission_id",
        "formerly",
        "stack",
        "submitter",
        "round",
        *Settings.model_fields,
        "date",
        "citation",
        "identifier",
        "method",
        "boundary",
        "rails",
        "runtime",
        "meter",
        "idle_power_mw",
    )
    last = ("conditions", "notes", "contributors", "licence", "attribution")
    facts = _facts_in_order(SubmissionRecord, entry, composed, first, last)
    return {"name": entry["submission_id"], "title": entry["title"], "facts": facts}
