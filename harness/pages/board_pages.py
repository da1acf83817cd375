"""Pages of the predictors: one board per track and one page per predictor, from rows that are already ranked.

Simulated energies have sections of their own, so that no table shows them beside measured ones.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any, Final, NamedTuple

from jinja2 import Environment
from markupsafe import Markup

from harness.evaluation.board import HEADLINES, BoardRow, headlines, notes_on
from harness.evaluation.board_columns import COLUMNS, OUTCOME, RANKED_COLUMN, BoardColumn, ColumnForm, Value
from harness.evaluation.bootstrap import FEWEST_GROUPS
from harness.evaluation.comparison import BASELINE
from harness.evaluation.kernel_track import CROSS_VALIDATION
from harness.evaluation.metrics import FEWEST_FOR_PERCENT, METRICS, RANKED
from harness.evaluation.tracks import TRACKS
from harness.pages.board_rows import Boards
from harness.pages.markup import MISSING, code, fixed, plain, title
from harness.pages.network_tables import network_tables, splits_table
from harness.pages.tables import Cell, Table, TableColumn, link, noted, number, text, words
from harness.predictor.protocol import PredictorInfo
from harness.schema.results import Subject, Track
from harness.schema.vocabulary import TIER_TITLES

TITLES: Final[dict[Track, str]] = {
    "kernels": "Unseen configurations",
    "models": "Unseen networks",
    "devices": "Unseen devices",
}
_LEADS: Final[dict[Track, str]] = {
    "kernels": "Energy of kernels in configurations that the predictor was not fitted on, on the same device.",
    "models": "Energy of networks that the predictor was not fitted on: from other measured networks, "
    "or as the sum over their kernels, fitted without their family.",
    "devices": "Energy of kernels on a device that the predictor was not fitted on, except for k rows to calibrate on, "
    "drawn five times; with own rows, it was fitted on these alone.",
}
_SPLIT: Final = TableColumn("split", "Split")
_ROWS_OF: Final = TableColumn("rows_of", "Device", is_prose=True)
_TRACK: Final = TableColumn("track", "Track")
_KERNEL: Final = TableColumn("kernel", "Kernel type")
_PREDICTOR: Final = TableColumn("predictor", "Predictor")


def board_files(env: Environment, boards: Boards, names: Mapping[str, str]) -> dict[str, str]:
    """Text of every page and download about predictors, by its address from the root of the site.

    Args:
        boards: predictors and their results.
        names: names of the systems of devices that have a page, by id.
    """
    pages = [_index_page(env, boards, names)]
    pages += [_board_page(env, track, boards, names) for track in TRACKS]
    pages += [_predictor_page(env, info, boards, names) for info in boards.infos.values()]
    files = {path: content for path, content, _ in pages}
    return files | {f"downloads/{table.name}.csv": table.csv_text() for *_, tables in pages for table in tables}


class _Page(NamedTuple):
    """Address and text of a page, and the tables that it offers."""

    path: str
    content: str
    tables: Sequence[Table]


def _index_page(env: Environment, boards: Boards, names: Mapping[str, str]) -> _Page:
    tables = [table for table in (*_headlines(boards, names), _overview(boards.infos.values())) if table.rows]
    content = env.get_template("board.md.j2").render(
        track=None, title="Predictors", tables=tables, tracks=_tracks(boards), has_rows=bool(boards.rows)
    )
    return _Page("predictors/index.md", content, tables)


def _board_page(env: Environment, track: Track, boards: Boards, names: Mapping[str, str]) -> _Page:
    sections = _sections(track, boards, names)
    networks = network_tables(boards.networks, boards.infos) if track == "models" else []
    content = env.get_template("board.md.j2").render(
        track=track,
        title=TITLES[track],
        lead=_LEADS[track],
        tracks=_tracks(boards),
        sections=sections,
        networks=networks,
        notes=boards.notes.get(track, ()),
        baseline=BASELINE,
        fewest_groups=FEWEST_GROUPS,
        fewest_for_percent=FEWEST_FOR_PERCENT,
        metrics=[metric for metric in METRICS if metric is not RANKED],
    )
    tables = [table for section in sections for part in section["parts"] for table in part["tables"]]
    return _Page(f"predictors/{track}.md", content, [*networks, *tables])


def _predictor_page(env: Environment, info: PredictorInfo, boards: Boards, names: Mapping[str, str]) -> _Page:
    results = _results(info.key, boards, names)
    own = [score for score in boards.networks if score.predictor == info.key]
    networks = [splits_table(f"{page_of(info.key)}networks", own, {})] if own else []
    content = env.get_template("predictor.md.j2").render(
        info=info, title=title(info.name), facts_of=_facts(info), results=results, networks=networks
    )
    tables = [*networks, *(table for result in results for table in result["tables"])]
    return _Page(f"{page_of(info.key)}index.md", content, tables)


def page_of(key: str) -> str:
    """Address of a predictor's page from the root of the site; a key may equal the name of a track."""
    return f"predictors/about/{key}/"


def _tracks(boards: Boards) -> list[dict[str, Any]]:
    return [{"track": track, "title": TITLES[track], "has_rows": _has_rows(boards, track)} for track in TRACKS]


def _has_rows(boards: Boards, track: Track) -> bool:
    return bool(boards.rows.get(track)) or (track == "models" and bool(boards.networks))


def _headlines(boards: Boards, names: Mapping[str, str]) -> Iterator[Table]:
    """Ranked metric of every predictor on the headline split of each track; simulated subjects separately."""
    everything = [row for of_track in boards.rows.values() for row in headlines(of_track)]
    for is_simulated in (False, True):
        rows = [row for row in everything if (row.subject.tier == "simulated") == is_simulated]
        keys = sorted({row.predictor for row in rows})
        columns = [_ROWS_OF, _TRACK, _SPLIT, *(TableColumn(f"{key}_percent", key, "%", is_number=True) for key in keys)]
        cells = []
        for (track, subject), group in groupby(rows, key=lambda row: (row.track, row.subject)):
            of_key = {row.predictor: row for row in group}
            heads = (_in_words(subject, names), TITLES[track], HEADLINES[track])
            cells.append([*map(text, heads), *(_headline_cell(of_key.get(key)) for key in keys)])
        name = "simulated" if is_simulated else "measured"
        yield Table(f"predictors/headlines-{name}", f"Rows within ±10 %, {name} energies", columns, cells)


def _headline_cell(row: BoardRow | None) -> Cell:
    if row is None:
        return _share(None)
    cell = _value_cell(RANKED_COLUMN, row)
    return cell if row.score.n or cell.value is None else Cell(cell.value, plain("not covered"))


def _overview(infos: Iterable[PredictorInfo]) -> Table:
    columns = [
        TableColumn("name", "Predictor"), TableColumn("key", "Key"), TableColumn("authors", "Authors", is_prose=True),
        TableColumn("licence", "Licence"), TableColumn("kernels", "Kernel types"),
    ]  # fmt: skip
    rows = [
        [
            link(info.name, f"about/{info.key}/"), words(info.key), text(", ".join(info.authors)), text(info.licence),
            text("all" if info.kernels == "all" else ", ".join(info.kernels) or "none: networks alone"),
        ]
        for info in infos
    ]  # fmt: skip
    return Table("predictors/predictors", "Predictors by key", columns, rows)


def _sections(track: Track, boards: Boards, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Measured subjects, then simulated ones; a section that has none is left out."""
    by_subject = [(subject, list(group)) for subject, group in groupby(boards.rows.get(track, ()), _subject_of)]
    found = []
    for is_simulated in (False, True):
        parts = [
            _part(track, subject, rows, boards.infos, names)
            for subject, rows in by_subject
            if (subject.tier == "simulated") == is_simulated
        ]
        if parts:
            found.append({"is_simulated": is_simulated, "parts": parts})
    return found


def _subject_of(row: BoardRow) -> Subject:
    return row.subject


def _part(
    track: Track,
    subject: Subject,
    rows: Sequence[BoardRow],
    infos: Mapping[str, PredictorInfo],
    names: Mapping[str, str],
) -> dict[str, Any]:
    """Tables of one subject: all kernels by split, kernel types of the cross-validation, leaks; and what is missing."""
    name, words_of = f"predictors/{track}/{subject.key}", _in_words(subject, names)
    of_all = [row for row in rows if row.score.kernel == "all"]
    evaluated = [row for row in of_all if row.result.status != "skipped"]
    of_types = [row for row in rows if row.result.split == CROSS_VALIDATION and row.score.kernel != "all"]
    tables = []
    if evaluated:
        heads = [([text(row.result.split), _predictor_cell(row, infos)], row) for row in evaluated]
        tables.append(_figures(name, f"{words_of}: all kernels, by split", (_SPLIT, _PREDICTOR), heads))
    if of_types:
        heads = [([words(row.score.kernel), _predictor_cell(row, infos)], row) for row in of_types]
        caption = f"{words_of}: {CROSS_VALIDATION}, by kernel type"
        tables.append(_figures(f"{name}-types", caption, (_KERNEL, _PREDICTOR), heads))
    leaks = _leaks(f"{name}-leaks", f"{words_of}: what the sides of each split share", evaluated)
    if leaks.rows:
        tables.append(leaks)
    present = {row.predictor for row in rows}
    of_kernels = [key for key, info in infos.items() if info.kernel_types]
    return {
        "heading": words_of,
        "device": subject.device_id if subject.system_id in names else None,
        "evidence": TIER_TITLES[subject.tier],
        "tables": tables,
        "notes": notes_on(rows),
        "skipped": list(
            dict.fromkeys((row.result.split, row.result.reason) for row in of_all if row.result.status == "skipped")
        ),
        "missing": [key for key in dict.fromkeys((BASELINE, *of_kernels)) if key not in present],
    }


def _predictor_cell(row: BoardRow, infos: Mapping[str, PredictorInfo]) -> Cell:
    return link(row.predictor, f"../about/{row.predictor}/") if row.predictor in infos else text(row.predictor)


def _in_words(subject: Subject, names: Mapping[str, str]) -> str:
    batch = f", batches of {subject.batch_size}" if subject.batch_size > 1 else ""
    name = names.get(subject.system_id, subject.system_id)
    mark = " (simulated)" if subject.tier == "simulated" else ""
    return f"{name}{mark}, {subject.delegate}, {subject.dtype}{batch}, {subject.quantity}"


def _percent(value: float | None, factor: float = 1) -> Cell:
    shown = None if value is None else factor * value
    return Cell(shown, plain(fixed(shown)))


def _share(value: float | None) -> Cell:
    return _percent(value, 100)


def _rate(value: float | None) -> Cell:
    return Cell(value, plain(MISSING if value is None else f"{value:.0f}"))


_SHOWN: Final[Mapping[ColumnForm, Callable[[Any], Cell]]] = {
    "share": _share,
    "mean-share": _share,
    "percent": _percent,
    "figure": lambda value: number(value, 3),
    "correlation": lambda value: number(value, 3),
    "count": number,
    "text": text,
    "prose": text,
    "seconds": lambda value: number(value, 2),
    "rate": _rate,
}


def _value_cell(column: BoardColumn, row: BoardRow) -> Cell:
    value, status = column.value(row), row.result.status
    if column is OUTCOME and status != "ok":
        return Cell(value, noted(status, row.result.reason).shown)
    return _shown(column, value, row)


def _bound_cell(column: BoardColumn, side: int, row: BoardRow) -> Cell:
    interval = column.interval(row) if column.interval else None
    return _shown(column, None if interval is None else interval[side], row)


def _shown(column: BoardColumn, value: Value, row: BoardRow) -> Cell:
    """Cell of a value; a share of few rows is shown as a count of them, and downloads as the number that it is."""
    cell = _SHOWN[column.form](value)
    if not isinstance(value, float) or not column.is_of_few(row):
        return cell
    return Cell(cell.value, plain(column.in_count(value, row) or MISSING))


def _board_cells() -> Iterator[tuple[TableColumn, Callable[[BoardRow], Cell]]]:
    """Columns of a table of figures, each with the function of its cells."""
    for column in COLUMNS:
        ending = "_percent" if column.form in ("share", "mean-share", "percent") else ""
        is_number, is_prose = column.form not in ("text", "prose"), column.form == "prose"
        heading = TableColumn(f"{column.key}{ending}", column.title, column.unit, is_number, is_prose)
        yield heading, partial(_value_cell, column)
        for side, name in enumerate(("low", "high") if column.has_bound_columns else ()):
            bound = TableColumn(f"{column.key}_{name}{ending}", f"95 % {name}", column.unit, is_number)
            yield bound, partial(_bound_cell, column, side)


_CELLS: Final = dict(_board_cells())
_OUTCOME: Final = next(column for column in _CELLS if column.key == OUTCOME.key)


def _figures(
    name: str, caption: str, heads: Sequence[TableColumn], rows: Sequence[tuple[Sequence[Cell], BoardRow]]
) -> Table:
    """Table of figures, without columns that are empty, and without the outcomes where every run is ok."""
    columns = {column: [cell(row) for _, row in rows] for column, cell in _CELLS.items()}
    if all(row.result.status == "ok" for _, row in rows):
        del columns[_OUTCOME]
    shown = [column for column, cells in columns.items() if any(cell.value is not None for cell in cells)]
    filled = [[*head, *(columns[column][place] for column in shown)] for place, (head, _) in enumerate(rows)]
    return Table(
        name, caption, [*heads, *shown], filled, header_column=heads.index(_PREDICTOR) if _PREDICTOR in heads else 0
    )


_LEAKS: Final = {
    "n_train": "Rows to train on",
    "n_test": "Rows held out",
    "n_removed": "Removed from training",
    "shared_configurations": "Configurations on both sides",
    "shared_record_ids": "Records on both sides",
    "near_duplicates": "Near duplicates",
}


def _leaks(name: str, caption: str, rows: Iterable[BoardRow]) -> Table:
    """Leak report, one row per split; the leaks of a split are the same for every predictor."""
    of_split = {row.result.split: leaks for row in rows if (leaks := row.result.leaks) is not None}
    columns = [_SPLIT, *(TableColumn(key, heading, is_number=True) for key, heading in _LEAKS.items())]
    cells = [[text(split), *(number(getattr(leaks, key)) for key in _LEAKS)] for split, leaks in of_split.items()]
    return Table(name, caption, columns, cells)


def _facts(info: PredictorInfo) -> list[tuple[str, Any]]:
    """Facts that a predictor declares of itself."""
    kernels = "all" if info.kernels == "all" else Markup(", ").join(code(kernel) for kernel in info.kernels)
    kernels = kernels or "none: it is fitted on energies of networks, and predicts these"
    trained = info.trained_on or "the rows that it is fitted on and nothing else"
    return [
        ("Key", code(info.key)),
        ("Authors", ", ".join(info.authors)),
        ("Licence of its code", info.licence),
        ("Kernel types", kernels),
        ("Trained on", trained),
        ("Fitted on", "several devices at once" if info.is_cross_device else "one device and way of running at a time"),
        ("Requires", ", ".join(info.extras.values()) or "nothing"),
    ]


_SUBJECT: Final = (
    TableColumn("device", "Device"),
    TableColumn("delegate", "Delegate"),
    TableColumn("dtype", "Type"),
    TableColumn("quantity", "Energy"),
)


def _results(key: str, boards: Boards, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Results of one predictor over all kernels: measured ones and simulated ones, one table per track."""
    found = []
    for is_simulated in (False, True):
        tables = list(_result_tables(key, boards, names, is_simulated))
        if tables:
            found.append({"is_simulated": is_simulated, "tables": tables})
    return found


def _result_tables(key: str, boards: Boards, names: Mapping[str, str], is_simulated: bool) -> Iterator[Table]:
    kind, words_of = ("simulated", "simulated") if is_simulated else ("measured", "measured or published")
    for track, rows in boards.rows.items():
        own = [
            ([_device_cell(row.subject, names), *_subject_cells(row.subject), text(row.result.split)], row)
            for row in rows
            if row.predictor == key and row.score.kernel == "all" and row.result.status != "skipped"
            if (row.subject.tier == "simulated") == is_simulated
        ]
        if own:
            name = f"predictors/about/{key}-{track}-{kind}"
            yield _figures(name, f"{TITLES[track]}, {words_of}", (*_SUBJECT, _SPLIT), own)


def _subject_cells(subject: Subject) -> list[Cell]:
    batch = f", batches of {subject.batch_size}" if subject.batch_size > 1 else ""
    return [
        text(subject.delegate),
        text(subject.dtype),
        text(f"{subject.energy_kind}{batch}, {TIER_TITLES[subject.tier]}"),
    ]


def _device_cell(subject: Subject, names: Mapping[str, str]) -> Cell:
    system_id = subject.system_id
    if system_id not in names:
        return text(system_id)
    return link(names[system_id], f"../../../devices/{subject.device_id}/")
