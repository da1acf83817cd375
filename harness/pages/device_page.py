"""What one device page says, in the order of its template; tables and charts are made elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from harness.pages.charts import chart_files, device_chart
from harness.pages.device_entries import DEVICE_NOUNS, DeviceEntry
from harness.pages.device_tables import errata_table, kernels_table, places_table, records_table, summary_table
from harness.pages.label import facts_of, interval_text, label_path, label_sentence, method_text, network_title
from harness.pages.markup import code, figure, fixed, plain, title
from harness.pages.tables import Table, TableColumn
from harness.schema.vocabulary import TIER_TITLES
from harness.scoring.editions import Edition, edition_named
from harness.scoring.label_facts import LabelFacts
from harness.scoring.ratings import Rating

Facts = list[tuple[str, Any]]

MOST_ROWS_SHOWN: Final = 60
"""Rows that a page prints; where there are more, it sums them up and offers the file."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart on a page: where its files lie, what it shows, and their text by suffix."""

    path: str
    title: str
    caption: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class DevicePage:
    """Context of the template, and what belongs beside the page."""

    context: dict[str, Any]
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...]


def device_page(subject: DeviceEntry, dataset_version: str) -> DevicePage:
    """Everything that the page of a device shows."""
    suites = [_suite(subject, edition_named(name)) for name, rows in subject.places.items() if len(rows)]
    errata = errata_table([subject], f"devices/{subject.device_id}-errata", "../../") if subject.errata else None
    records, kernel_rows = records_table(subject), kernels_table(subject)
    kernels = summary_table(subject, "kernels", TableColumn("kernel", "Kernel type"))
    is_long = records is not None and len(records.rows) > MOST_ROWS_SHOWN
    families = summary_table(subject, "models", TableColumn("family", "Family")) if is_long else None
    context = {
        "subject": subject,
        "title": title(subject.name),
        "lead": _lead(subject),
        "ratings": [_rating(subject, rating, dataset_version) for rating in subject.labelled],
        "reasons": [rating.reason for rating in subject.ratings if rating.reason and not subject.is_simulated],
        "simulated": _simulated(subject),
        "suites": suites,
        "kernels": kernels,
        "kernel_rows": kernel_rows,
        "families": families,
        "device_facts": _device_facts(subject),
        "errata": errata,
        "submissions": [_submission(entry) for entry in subject.submissions],
        "records": records,
        "is_long": is_long,
    }
    beside = (kernels, kernel_rows, families, errata, records)
    tables = [suite["table"] for suite in suites] + [table for table in beside if table is not None]
    return DevicePage(context, tuple(tables), tuple(suite["chart"] for suite in suites))


def _simulated(subject: DeviceEntry) -> str:
    """What must be said before any figure of a page that holds simulated ones; empty where it holds none."""
    if subject.is_simulated:
        return "Every figure on this page was computed by an estimator. Nothing was measured, ranked or labelled."
    if subject.n_simulated:
        n_rows = sum(len(rows) for rows in subject.rows.values())
        return f"{subject.n_simulated} of {n_rows} rows were computed by an estimator; no rank or label rests on them."
    return ""


def _lead(subject: DeviceEntry) -> str:
    noun = DEVICE_NOUNS[subject.facts["device_class"]]
    noun = f"simulated {noun}" if subject.is_simulated else noun
    noun = f"{'An' if noun[0] in 'aeiou' else 'A'} {noun}"
    note = f" ({subject.note})" if subject.note else ""
    n_rows = sum(len(rows) for rows in subject.rows.values())
    return f"{noun}{note} with {n_rows} rows from {len(subject.submissions)} submission" + (
        "." if len(subject.submissions) == 1 else "s."
    )


def _suite(subject: DeviceEntry, edition: Edition) -> dict[str, Any]:
    table = places_table(subject, edition)
    place = "energy of one inference for each network and delegate, beside the edition's references"
    chart = Chart(
        path=f"assets/generated/charts/devices/{subject.device_id}-{edition.edition}",
        title=f"{subject.name}: {place}. The figures are in the table below.",
        caption=f"{place[0].upper()}{place[1:]}",
        files={},
    )
    chart.files.update(chart_files(device_chart(subject, edition), chart.title))
    has_ranks = any(column.key == "energy_rank" for column in table.columns)
    return {"edition": edition, "table": table, "chart": chart, "ranks": has_ranks}


def _rating(subject: DeviceEntry, rating: Rating, dataset_version: str) -> dict[str, Any]:
    edition = edition_named(rating.edition or "")
    path = label_path(subject, rating)
    signed = facts_of(subject, rating, dataset_version)
    facts: Facts = [
        ("Class", _classes(rating.label_range)),
        ("Energy index", _index(rating)),
        ("Rank", f"{rating.rank} among {edition.device_noun}s of the same tier"),
    ]
    if edition.has_pcs_and_iecs:
        facts += [
            ("PCS", _recomputed_and_published(rating.pcs, rating.pcs_published, 0, "of 100")),
            ("IECS", _recomputed_and_published(rating.iecs, rating.iecs_published, 1, "inferences per joule")),
        ]
    facts += [
        ("Edition", _link(f"../../scale/#{edition.edition}", edition.edition)),
        ("Method", method_text(signed)),
        ("Dataset version", code(dataset_version)),
        ("Verification", _verification(signed)),
        ("Best energy for each network", _network_list(rating, edition)),
    ]
    return {
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
    return own if published is None else f"{own}; {published:g} as published"


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


def _given(pairs: Facts) -> Facts:
    return [(name, value) for name, value in pairs if value is not None and value != ""]


def _device_facts(subject: DeviceEntry) -> Facts:
    facts = subject.facts
    tdp, printed = facts["tdp_w"], facts["tdp_printed_w"]
    tdp_text = None if tdp is None else f"{figure(tdp)} W"
    if tdp is not None and printed is not None and printed != tdp:
        tdp_text = f"{figure(tdp)} W used; {figure(printed)} W as printed, see the errata"
    return _given(
        [
            ("Name", subject.name),
            ("Identifier", code(subject.device_id)),
            ("Kind", DEVICE_NOUNS[facts["device_class"]]),
            ("Maker or submitter", facts["vendor"]),
            ("System on chip", facts["soc"]),
            ("Processor", facts["processor_name"]),
            ("Accelerator", facts["accelerator"]),
            ("Board", facts["board"]),
            ("Clock", None if facts["frequency_mhz"] is None else f"{figure(facts['frequency_mhz'])} MHz"),
            ("Year", facts["year"]),
            ("Thermal design power (TDP)", tdp_text),
        ]
    )


def _submission(entry: dict[str, Any]) -> dict[str, Any]:
    source = plain(entry["citation"])
    if entry["url"]:
        source += Markup(" ") + Markup('<a href="{0}">{0}</a>').format(plain(entry["url"]))
    meter = entry["meter"]
    if meter and entry["sampling_hz"]:
        meter = f"{meter}, {figure(entry['sampling_hz'])} Hz"
    idle = entry["idle_power_mw"]
    facts = _given(
        [
            ("Submission", code(entry["submission_id"])),
            ("Date", entry["date"]),
            ("Source", source),
            ("Identifier", entry["identifier"]),
            ("Method and tier", f"{entry['method']}; {TIER_TITLES[entry['tier']]}"),
            ("Runtime", entry["runtime"]),
            ("Meter", meter),
            ("Idle power", None if idle is None else f"{figure(idle)} mW"),
            ("Conditions", entry["conditions"]),
            ("Notes", entry["notes"]),
            ("Contributors", ", ".join(entry["contributors"])),
            ("Licence", entry["licence"]),
            ("Attribution", entry["attribution"]),
        ]
    )
    return {"name": entry["submission_id"], "title": entry["title"], "facts": facts}
