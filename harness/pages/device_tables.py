"""The tables of the home page, of the device index and of every device page; it writes no files."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any, Final

from harness.issues import counted
from harness.pages.declared import cell, columns_in, in_order, table_column
from harness.pages.device_entries import DeviceEntry, Ranking
from harness.pages.label import interval_range, is_numbered
from harness.pages.markup import fixed, plain
from harness.pages.tables import Cell, Table, TableColumn, badge, link, noted, number, text
from harness.schema.columns import Column, columns_of
from harness.schema.facts import DeviceRecord, ErratumRecord
from harness.schema.records import KEYS, RECORDS
from harness.schema.systems import Settings
from harness.schema.vocabulary import BOUNDARY_TITLES, DEVICE_NOUNS, TIER_TITLES, Level
from harness.scoring.editions import Edition, SuiteNetwork
from harness.scoring.ratings import Rating
from harness.scoring.suite import INTERVAL_TITLES

_RANK: Final = TableColumn("rank", "Rank", is_number=True)
_CLASS: Final = TableColumn("label", "Class")
_INDEX: Final = TableColumn("energy_index", "Energy index", is_number=True)
_DEVICE: Final = TableColumn("device", "Device")
_NETWORK: Final = TableColumn("network", "Network")
_LEVELS: Final[tuple[Level, ...]] = ("kernels", "models")
_COLUMNS: Final[dict[str, Column]] = {
    name: column for record in RECORDS.values() for name, column in columns_of(record).items()
}
"""Columns of all records by name; one name has one meaning and unit at every level."""
_KIND: Final = ("delegate", "dtype", "energy_kind", "tier", "boundary")
"""What must agree before energies are summarised in one row."""


def _printed(value: float | None, decimals: int = 1) -> Cell:
    return Cell(value, plain(fixed(value, decimals)))


def ranking_table(ranking: Ranking, devices: Sequence[DeviceEntry], root: str) -> Table:
    """Rated systems of one edition, tier and boundary, best first.

    Args:
        root: relative address of the root of the site from the page that shows the table.
    """
    edition = ranking.edition
    of_id = {device.device_id: device for device in devices}
    noun = edition.device_noun
    columns = [_RANK, TableColumn("device", noun[0].upper() + noun[1:]), _CLASS, _INDEX]
    if edition.has_pcs_and_iecs:
        columns += [
            TableColumn("pcs", "PCS", is_number=True),
            TableColumn("iecs", "IECS recomputed", "1/J", is_number=True),
            TableColumn("iecs_published", "IECS published", "1/J", is_number=True),
        ]
    else:
        columns += [
            TableColumn("interval", "Interval"),
            TableColumn("interval_kind", "Interval by"),
            TableColumn("n_networks", f"Networks of {len(edition.networks)}", is_number=True),
        ]
    rows = [_ranking_row(rating, of_id[rating.device_id], edition, root) for rating in ranking.ratings]
    evidence = f"{TIER_TITLES[ranking.tier]}; what was measured: {BOUNDARY_TITLES[ranking.boundary]}"
    caption = f"{edition.title}: {len(rows)} rated, {evidence}"
    return Table(f"rankings/{ranking.name}", caption, columns, rows, header_column=1)


def _ranking_row(rating: Rating, device: DeviceEntry, edition: Edition, root: str) -> list[Cell]:
    row = [
        number(rating.rank),
        link(rating.system, f"{root}{device.system(rating.system_id).path}", device.note_of(rating.system_id)),
        badge(rating.label_range),
        _printed(rating.energy_index),
    ]
    if edition.has_pcs_and_iecs:
        return [*row, _printed(rating.pcs, 0), _printed(rating.iecs), _printed(rating.iecs_published, 0)]
    return [
        *row,
        text(interval_range(rating) or None),
        text(rating.interval_title),
        number(len(rating.networks)),
    ]


def index_table(devices: Sequence[DeviceEntry], root: str) -> Table:
    """Systems with their class, and devices without a rated one."""
    columns = [
        _DEVICE,
        _CLASS,
        _INDEX,
        *(table_column(columns_of(DeviceRecord)[name]) for name in ("device_class", "vendor")),
        TableColumn("edition", "Edition"),
        TableColumn("n_rows", "Rows", is_number=True),
    ]
    rows = []
    for device in devices:
        firsts = {rating.system_id: rating for rating in reversed(device.labelled)}
        for rating in reversed(firsts.values()) if firsts else device.ratings[:1]:
            system = device.system(rating.system_id)
            rows.append(
                [
                    link(system.name, f"{root}{system.path}")
                    if rating.label
                    else link(device.name, f"{root}{device.path}"),
                    badge(rating.label_range) if rating.label else Cell("not rated", plain("not rated")),
                    _printed(rating.energy_index),
                    text(DEVICE_NOUNS[device.facts["device_class"]]),
                    text(device.facts["vendor"]),
                    text(rating.edition),
                    number(_n_rows(device, rating)),
                ]
            )
    return Table("devices", f"{counted(len(devices), 'device')} with measured or published figures", columns, rows)


def _n_rows(device: DeviceEntry, rating: Rating) -> int:
    """Rows of a rated system; those of the device where it has no rated one."""
    rows = [row for found in device.rows.values() for row in found]
    return sum(row["system_id"] == rating.system_id for row in rows) if rating.label else len(rows)


def systems_table(device: DeviceEntry) -> Table:
    """Systems of a device with their rounds, settings, classes and counts of rows."""
    counts = Counter(row["system_id"] for found in device.rows.values() for row in found)
    columns = [
        TableColumn("system", "System"),
        TableColumn("submitter", "Submitter"),
        TableColumn("rounds", "Rounds"),
        TableColumn("settings", "Settings"),
        _CLASS,
        _INDEX,
        TableColumn("n_rows", "Rows", is_number=True),
    ]
    rows = []
    for system in device.systems:
        rating = next((each for each in system.ratings if each.label), None)
        settings = Settings(**{name: system.settings.get(name) for name in Settings.model_fields})
        rows.append(
            [
                link(system.name, f"#{system.anchor}") if rating and system.anchor else text(system.name),
                text(system.settings.get("submitter")),
                text(", ".join(system.rounds) or None),
                text(", ".join(settings.in_words()) or None),
                badge(rating.label_range) if rating else Cell("not rated", plain("not rated")),
                _printed(rating.energy_index if rating else None),
                number(counts[system.system_id]),
            ]
        )
    caption = f"{counted(len(rows), 'system')} on {device.name}: the device with a stack and settings"
    return Table(f"devices/{device.device_id}-systems", caption, columns, rows, element_id="systems-table")


def simulated_index_table(devices: Sequence[DeviceEntry], root: str) -> Table:
    """Devices of which every figure is simulated, with the estimator that computed it."""
    columns = [
        _DEVICE,
        table_column(_COLUMNS["tier"]),
        table_column(columns_of(DeviceRecord)["device_class"]),
        TableColumn("estimator", "Estimator"),
        TableColumn("n_kernel_rows", "Kernel rows", is_number=True),
        TableColumn("n_model_rows", "Model rows", is_number=True),
    ]
    rows = [
        [
            link(device.name, f"{root}{device.path}"),
            text("simulated"),
            text(DEVICE_NOUNS[device.facts["device_class"]]),
            text(", ".join(dict.fromkeys(entry["runtime"] for entry in device.submissions))),
            *(number(len(device.rows.get(level, []))) for level in _LEVELS),
        ]
        for device in devices
    ]
    return Table("devices-simulated", "Simulated devices: never ranked, never labelled", columns, rows)


def places_table(device: DeviceEntry, edition: Edition) -> Table:
    """Every figure of the suite by network, system and delegate, with ranks among systems of one tier and boundary."""
    columns = [
        _NETWORK,
        TableColumn("system", "System"),
        *map(table_column, map(_COLUMNS.__getitem__, _PLACE_FIGURES)),
        TableColumn("energy_low_mj", "From", "mJ", is_number=True),
        TableColumn("energy_high_mj", "To", "mJ", is_number=True),
        TableColumn("interval", "Interval by"),
        TableColumn("energy_rank", "Energy rank", is_number=True),
        TableColumn("power_rank", "Power rank", is_number=True),
        table_column(_COLUMNS["tier"]),
        table_column(_COLUMNS["boundary"]),
    ]
    networks = {network.id: network for network in edition.networks}
    places = device.places[edition.edition].to_dict("records")
    order = list(networks)
    places.sort(key=lambda place: (order.index(place["network"]), place["delegate"], place["tier"], place["boundary"]))
    rows = [_place_row(place, networks[place["network"]], _system_of(device, place)) for place in places]
    caption = f"{edition.title}: {device.name} by network and delegate, one inference each"
    name = f"devices/{device.device_id}-{edition.edition}"
    return Table(name, caption, _without_empty(columns, rows), _kept(columns, rows), element_id=edition.edition)


_PLACE_FIGURES: Final = ("delegate", "energy_mj", "power_mw", "latency_ms")


def _system_of(device: DeviceEntry, place: Mapping[Any, Any]) -> str | None:
    """Name of the system of a figure, where the device has several."""
    return device.system(place["system_id"]).name if len(device.systems) > 1 else None


def _place_row(place: Mapping[Any, Any], network: SuiteNetwork, system: str | None) -> list[Cell]:
    bounds = (place["low_mj"], place["high_mj"]) if place["interval"] else (None, None)
    return [
        noted(network.id, network.title) if is_numbered(network) else text(network.title),
        text(system),
        *(cell(_COLUMNS[name], place[name]) for name in _PLACE_FIGURES),
        *(number(bound, 6) for bound in bounds),
        text(INTERVAL_TITLES[place["interval"],] if place["interval"] else None),
        number(place["energy_rank"]),
        number(place["power_rank"]),
        text(place["tier"]),
        text(place["boundary"]),
    ]


def _filled(columns: Sequence[TableColumn], rows: Sequence[Sequence[Cell]]) -> list[int]:
    return [
        position for position in range(len(columns)) if not rows or any(row[position].value is not None for row in rows)
    ]


def _without_empty(columns: Sequence[TableColumn], rows: Sequence[Sequence[Cell]]) -> list[TableColumn]:
    """Columns that hold at least one value."""
    return [columns[position] for position in _filled(columns, rows)]


def _kept(columns: Sequence[TableColumn], rows: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
    filled = _filled(columns, rows)
    return [[row[position] for position in filled] for row in rows]


def records_table(device: DeviceEntry) -> Table | None:
    """Every row of the models and applications levels with its record id; None where there is none."""
    found = [*device.rows.get("applications", []), *device.rows.get("models", [])]
    if not found:
        return None
    shown = in_order(
        columns_in((RECORDS["applications"], RECORDS["models"]), "networks"),
        first=("delegate", "dtype", "energy_mj", "energy_u_mj", "power_mw", "latency_ms"),
        last=("energy_kind", "tier", "boundary", "submission_id", "record_id"),
    )
    columns = [_NETWORK, *map(table_column, shown)]
    rows = [
        [
            text(row["model"] if "model" in row else f"{row['dnn']} {row['reference_model']}"),
            *(cell(column, row.get(column.name)) for column in shown),
        ]
        for row in found
    ]
    name = f"devices/{device.device_id}-rows"
    caption = f"Every row of {device.name} in the models and applications datasets"
    return Table(name, caption, _without_empty(columns, rows), _kept(columns, rows), element_id="rows")


def summary_table(device: DeviceEntry, level: Level, group: str) -> Table | None:
    """Range of the energies by kernel type or by family, separately for each delegate, data type, tier and boundary.

    Args:
        group: column of the rows by which they are grouped.

    Returns:
        None where the level has no rows.
    """
    columns = [
        table_column(_COLUMNS[group]),
        TableColumn("n_rows", "Rows", is_number=True),
        TableColumn("energy_lowest_mj", "Lowest", "mJ", is_number=True),
        TableColumn("energy_median_mj", "Median", "mJ", is_number=True),
        TableColumn("energy_highest_mj", "Highest", "mJ", is_number=True),
        TableColumn("mj_per_gflop", "Median per GFLOP", "mJ", is_number=True),
        *(table_column(_COLUMNS[name]) for name in _KIND),
    ]
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in device.rows.get(level, []):
        groups[tuple(row[name] for name in (group, *_KIND))].append(row)
    if not groups:
        return None
    rows = [_summary_row(key, members) for key, members in sorted(groups.items())]
    caption = f"Energy of one inference by {columns[0].title.lower()}: {device.name}"
    return Table(
        f"devices/{device.device_id}-{level}-summary", caption, _without_empty(columns, rows), _kept(columns, rows),
        element_id=f"{level}-summary",
    )  # fmt: skip


def _summary_row(key: tuple[Any, ...], rows: Sequence[Mapping[str, Any]]) -> list[Cell]:
    name, *kind = key
    energies = [row["energy_mj"] for row in rows]
    per_gflop = [1e9 * row["energy_mj"] / row["flops"] for row in rows if row["flops"]]
    return [
        text(name),
        number(len(rows)),
        number(min(energies), 4),
        number(median(energies), 4),
        number(max(energies), 4),
        number(median(per_gflop) if per_gflop else None, 4),
        *(cell(_COLUMNS[column], value) for column, value in zip(_KIND, kind, strict=True)),
    ]


def kernels_table(device: DeviceEntry) -> Table | None:
    """Every kernel row, for the download; None where there is none."""
    found = device.rows.get("kernels", [])
    if not found:
        return None
    shown = in_order(
        columns_in((RECORDS["kernels"],), "kernels"),
        first=(*KEYS["kernels"], *_KIND, "batch_size", "energy_mj", "energy_u_mj"),
        last=("source_id", "submission_id", "record_id"),
    )
    rows = [[Cell(row[column.name], plain("")) for column in shown] for row in found]
    caption = f"Every row of {device.name} in the kernels dataset"
    return Table(f"devices/{device.device_id}-kernels", caption, list(map(table_column, shown)), rows)


def errata_table(devices: Sequence[DeviceEntry], name: str, root: str) -> Table:
    """Corrected figures: the printed one, the used one, and the reason."""
    declared = columns_of(ErratumRecord)
    columns = [_DEVICE, *(table_column(declared[key]) for key in ("field", "where", "printed", "used"))]
    columns.append(replace(table_column(declared["why"]), is_prose=True))
    rows = [
        [
            link(device.name, f"{root}{device.path}"),
            cell(declared["field"], entry["field"]),
            text(entry["where"] or "the device"),
            *(cell(declared[key], entry[key]) for key in ("printed", "used", "why")),
        ]
        for device in devices
        for entry in device.errata
    ]
    return Table(name, "Printed figures that are not the used ones", columns, rows, element_id="errata-table")
