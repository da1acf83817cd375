"""The tables of the home page, of the device index and of every device page; it writes no files."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

from harness.pages.device_entries import DEVICE_NOUNS, DeviceEntry, Ranking
from harness.pages.label import interval_text, is_numbered
from harness.pages.markup import fixed, plain
from harness.pages.tables import Cell, Table, TableColumn, badge, link, noted, number, text, words
from harness.schema.vocabulary import CONFIGURATION_FIELDS, TIER_TITLES, Level
from harness.scoring.editions import Edition, SuiteNetwork
from harness.scoring.ratings import Rating

_RANK = TableColumn("rank", "Rank", is_number=True)
_CLASS = TableColumn("label", "Class")
_INDEX = TableColumn("energy_index", "Energy index", is_number=True)
_TIER = TableColumn("tier", "Tier")
_LEVELS: Final[tuple[Level, ...]] = ("kernels", "models")
_KIND: Final = ("delegate", "dtype", "is_idle_subtracted", "tier")
"""What must agree before energies are put into one line."""


def _printed(value: float | None, decimals: int = 1) -> Cell:
    return Cell(value, plain(fixed(value, decimals)))


def ranking_table(ranking: Ranking, subjects: Sequence[DeviceEntry], root: str) -> Table:
    """Rated devices of one edition and tier, best first.

    Args:
        root: relative address of the root of the site from the page that shows the table.
    """
    edition = ranking.edition
    of_id = {subject.device_id: subject for subject in subjects}
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
            TableColumn("interval", "Lowest to highest run"),
            TableColumn("n_networks", f"Networks of {len(edition.networks)}", is_number=True),
        ]
    rows = [_ranking_row(rating, of_id[rating.device_id], edition, root) for rating in ranking.ratings]
    caption = f"{edition.title}: {len(rows)} rated, {TIER_TITLES[ranking.tier]}"
    return Table(f"rankings/{ranking.name}", caption, columns, rows, header_column=1)


def _ranking_row(rating: Rating, subject: DeviceEntry, edition: Edition, root: str) -> list[Cell]:
    row = [
        number(rating.rank),
        link(rating.name, f"{root}{subject.path}", subject.note),
        badge(rating.label_range),
        _printed(rating.energy_index),
    ]
    if edition.has_pcs_and_iecs:
        return [*row, _printed(rating.pcs, 0), _printed(rating.iecs), _printed(rating.iecs_published, 0)]
    interval = interval_text(rating).removeprefix("lowest to highest run ")
    return [*row, text(interval or None), number(len(rating.networks))]


def index_table(subjects: Sequence[DeviceEntry], root: str) -> Table:
    """Devices with their class, or with the reason why they have none."""
    columns = [
        TableColumn("device", "Device"),
        _CLASS,
        _INDEX,
        TableColumn("device_class", "Kind"),
        TableColumn("vendor", "Maker or submitter"),
        TableColumn("edition", "Edition"),
        TableColumn("n_rows", "Rows", is_number=True),
    ]
    rows = []
    for subject in subjects:
        rating = (*subject.labelled, *subject.ratings)[0]
        rows.append(
            [
                link(subject.name, f"{root}{subject.path}"),
                badge(rating.label_range) if rating.label else Cell("not rated", plain("not rated")),
                _printed(rating.energy_index),
                text(DEVICE_NOUNS[subject.facts["device_class"]]),
                text(subject.facts["vendor"]),
                text(rating.edition),
                number(sum(len(found) for found in subject.rows.values())),
            ]
        )
    return Table("devices", f"{len(rows)} devices with measured or published figures", columns, rows)


def simulated_index_table(subjects: Sequence[DeviceEntry], root: str) -> Table:
    """Devices of which every figure is simulated, with what computed it."""
    columns = [
        TableColumn("device", "Device"),
        _TIER,
        TableColumn("device_class", "Kind"),
        TableColumn("estimator", "Estimator"),
        TableColumn("n_kernel_rows", "Kernel rows", is_number=True),
        TableColumn("n_model_rows", "Model rows", is_number=True),
    ]
    rows = [
        [
            link(subject.name, f"{root}{subject.path}"),
            text("simulated"),
            text(DEVICE_NOUNS[subject.facts["device_class"]]),
            text(", ".join(dict.fromkeys(entry["runtime"] for entry in subject.submissions))),
            *(number(len(subject.rows.get(level, []))) for level in _LEVELS),
        ]
        for subject in subjects
    ]
    return Table("devices-simulated", "Simulated devices: never ranked, never labelled", columns, rows)


def places_table(subject: DeviceEntry, edition: Edition) -> Table:
    """Every figure of the suite by network and delegate, with its ranks among devices of the same tier."""
    columns = [
        TableColumn("network", "Network"),
        TableColumn("delegate", "Delegate"),
        TableColumn("energy_mj", "Energy", "mJ", is_number=True),
        TableColumn("power_mw", "Mean power", "mW", is_number=True),
        TableColumn("latency_ms", "Latency", "ms", is_number=True),
        TableColumn("energy_min_mj", "Lowest run", "mJ", is_number=True),
        TableColumn("energy_max_mj", "Highest run", "mJ", is_number=True),
        TableColumn("energy_rank", "Energy rank", is_number=True),
        TableColumn("power_rank", "Power rank", is_number=True),
        TableColumn("tier", "Tier"),
    ]
    networks = {network.id: network for network in edition.networks}
    places = subject.places[edition.edition].to_dict("records")
    order = list(networks)
    places.sort(key=lambda place: (order.index(place["network"]), place["delegate"], place["tier"]))
    rows = [_place_row(place, networks[place["network"]]) for place in places]
    caption = f"{edition.title}: {subject.name} by network and delegate, one inference each"
    name = f"devices/{subject.device_id}-{edition.edition}"
    return Table(name, caption, _without_empty(columns, rows), _kept(columns, rows), element_id=edition.edition)


def _place_row(place: Mapping[Any, Any], network: SuiteNetwork) -> list[Cell]:
    has_spread = bool(place["has_spread"])
    return [
        noted(network.id, network.title) if is_numbered(network) else text(network.title),
        text(place["delegate"]),
        number(place["energy_mj"]),
        number(place["power_mw"]),
        number(place["latency_ms"]),
        number(place["low_mj"] if has_spread else None),
        number(place["high_mj"] if has_spread else None),
        number(place["energy_rank"]),
        number(place["power_rank"]),
        text(place["tier"]),
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


def records_table(subject: DeviceEntry) -> Table | None:
    """Every row of the models and applications levels with its record id; None where there is none."""
    columns = [
        TableColumn("network", "Network"),
        TableColumn("delegate", "Delegate"),
        TableColumn("dtype", "Data type"),
        TableColumn("energy_mj", "Energy", "mJ", is_number=True),
        TableColumn("power_mw", "Mean power", "mW", is_number=True),
        TableColumn("latency_ms", "Latency", "ms", is_number=True),
        TableColumn("supply_mv", "Supply", "mV", is_number=True),
        TableColumn("n_runs", "Runs", is_number=True),
        TableColumn("rounds", "Rounds"),
        TableColumn("is_idle_subtracted", "Idle subtracted"),
        _TIER,
        TableColumn("submission_id", "Submission"),
        TableColumn("record_id", "Record id"),
    ]
    found = [*subject.rows.get("applications", []), *subject.rows.get("models", [])]
    if not found:
        return None
    rows = [
        [
            text(row["model"] if "model" in row else f"{row['dnn']} {row['reference_model']}"),
            text(row["delegate"]),
            text(row["dtype"]),
            number(row["energy_mj"]),
            number(row["power_mw"]),
            number(row["latency_ms"]),
            number(row["supply_mv"]),
            number(row["n_runs"]),
            text(", ".join(row["rounds"]) if row["rounds"] else None),
            text("yes" if row["is_idle_subtracted"] else "no"),
            text(row["tier"]),
            words(row["submission_id"]),
            words(row["record_id"]),
        ]
        for row in found
    ]
    name = f"devices/{subject.device_id}-rows"
    caption = f"Every row of {subject.name} in the models and applications datasets"
    return Table(name, caption, _without_empty(columns, rows), _kept(columns, rows), element_id="rows")


def summary_table(subject: DeviceEntry, level: Level, group: TableColumn) -> Table | None:
    """Range of the energies by kernel type or by family, apart for each delegate, data type and tier.

    Args:
        group: column of the rows that they are grouped by.

    Returns:
        None where the level has no rows.
    """
    columns = [
        group,
        TableColumn("n_rows", "Rows", is_number=True),
        TableColumn("energy_lowest_mj", "Lowest", "mJ", is_number=True),
        TableColumn("energy_median_mj", "Median", "mJ", is_number=True),
        TableColumn("energy_highest_mj", "Highest", "mJ", is_number=True),
        TableColumn("mj_per_gflop", "Median per GFLOP", "mJ", is_number=True),
        TableColumn("delegate", "Delegate"),
        TableColumn("dtype", "Data type"),
        TableColumn("is_idle_subtracted", "Idle subtracted"),
        _TIER,
    ]
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in subject.rows.get(level, []):
        groups[tuple(row[name] for name in (group.key, *_KIND))].append(row)
    if not groups:
        return None
    rows = [_summary_row(key, members) for key, members in sorted(groups.items())]
    caption = f"Energy of one inference by {group.title.lower()}: {subject.name}"
    return Table(
        f"devices/{subject.device_id}-{level}-summary", caption, _without_empty(columns, rows), _kept(columns, rows),
        element_id=f"{level}-summary",
    )  # fmt: skip


def _summary_row(key: tuple[Any, ...], rows: Sequence[Mapping[str, Any]]) -> list[Cell]:
    name, delegate, dtype, is_idle_subtracted, tier = key
    energies = [row["energy_mj"] for row in rows]
    per_gflop = [1e9 * row["energy_mj"] / row["flops"] for row in rows if row["flops"]]
    return [
        text(name),
        number(len(rows)),
        number(min(energies), 4),
        number(median(energies), 4),
        number(max(energies), 4),
        number(median(per_gflop) if per_gflop else None, 4),
        text(delegate),
        text(dtype),
        text("yes" if is_idle_subtracted else "no"),
        text(tier),
    ]


def kernels_table(subject: DeviceEntry) -> Table | None:
    """Every kernel row, for the download; None where there is none."""
    names = (
        "kernel", *CONFIGURATION_FIELDS, *_KIND, "batch_size", "energy_mj", "latency_ms", "power_mw", "n_runs", "flops",
        "params", "bytes_moved", "source_id", "submission_id", "record_id",
    )  # fmt: skip
    found = subject.rows.get("kernels", [])
    if not found:
        return None
    rows = [[Cell(row[name], plain("")) for name in names] for row in found]
    caption = f"Every row of {subject.name} in the kernels dataset"
    return Table(f"devices/{subject.device_id}-kernels", caption, [TableColumn(name, name) for name in names], rows)


def errata_table(subjects: Sequence[DeviceEntry], name: str, root: str) -> Table:
    """Corrected figures: what is printed, what is used, and why."""
    columns = [
        TableColumn("device", "Device"),
        TableColumn("field", "Field"),
        TableColumn("where", "Row"),
        TableColumn("printed", "Printed", is_number=True),
        TableColumn("used", "Used", is_number=True),
        TableColumn("why", "Why", is_prose=True),
    ]
    rows = [
        [
            link(subject.name, f"{root}{subject.path}"),
            words(entry["field"]),
            text(entry["where"] or "the device"),
            number(entry["printed"]),
            number(entry["used"]),
            text(entry["why"]),
        ]
        for subject in subjects
        for entry in subject.errata
    ]
    return Table(name, "Printed figures that are not the used ones", columns, rows, element_id="errata-table")
