"""What a change does to data that is published already, and to files beside the submissions: whose, old and new."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from harness.issues import counted
from harness.numbers import number
from harness.review.change import MOST_COMPARED_BYTES, Change, ChangedFile, fact_of, table_lines
from harness.review.moves import check_former_ids, moved_devices, moved_files, moved_places
from harness.schema.columns import columns_of
from harness.schema.facts import Device, Erratum, Manifest
from harness.schema.records import KEYS, ROWS, SHARED_KEY
from harness.scoring.editions import editions
from harness.validation.layout import DEVICE_FILE, LEVEL_FILES, MANIFEST_FILE

MOST_SHOWN: Final = 20
"""Changes of one file that are listed; the rest is counted."""
MOST_OWNERS: Final = 3
NOTHING: Final = "not there"
"""What an old or new value reads that there was not or is not."""
_CONTEXT: Final = 14
"""Characters before the difference of two texts that are shown."""


_Figure = tuple[str, Mapping[str, str]]
"""Column or field of a figure, and the cells of its row."""


class _Difference(NamedTuple):
    """One value that is another one than before.

    `erratum_of` is its column or field and its row where it is a figure, which only an erratum may change.
    """

    line: int | None
    name: str
    old: str
    new: str
    erratum_of: _Figure | None = None


def check_reach(change: Change) -> None:
    """Every rule of the subject `reach`."""
    for name in change.outside if change.files else ():
        change.faults.add(
            "harness-changed", name, found="changed together with submissions",
            expected="a pull request with submissions and nothing else",
            fix="Make two pull requests. Submissions here are validated by the code of the base branch.",
        )  # fmt: skip
    by_place: dict[str, list[ChangedFile]] = defaultdict(list)
    for file in change.files:
        _check_hidden(file, change)
        parts = file.name.split("/")
        by_place["/".join(parts[:2]) if len(parts) > 2 else parts[0]].append(file)
    published, moved = _published_files(change), moved_places(change)
    for former, now in moved.items():
        _report_moved(former, now, change)
    gone = {*moved, *moved_devices(change, moved)}
    for place, files in by_place.items():
        if place not in published or place in gone:
            continue
        if published[place] <= {file.name for file in files if file.after is None}:
            _report_removed(place, len(files), change)
        else:
            for file in files:
                _check_file(place, file, change)
    _check_shared_devices(change)
    check_former_ids(change)


def _report_moved(former: str, now: str, change: Change) -> None:
    """Report that a published campaign has another folder, and what differs in its files."""
    change.faults.add(
        "published-changed", change.shown(now),
        found=f"moved here from {former}, {owner_of(former, change)}", expected=f"{former}, as published",
        fix="Is it the device that was measured? The record ids stay those of the former folder.",
    )  # fmt: skip
    for file in moved_files(former, now, change):
        _check_file(former, file, change)


def _published_files(change: Change) -> dict[str, set[str]]:
    """Files of every published campaign, and of every published device itself."""
    places: dict[str, set[str]] = defaultdict(set)
    for name in change.earlier.files():
        parts = name.split("/")
        places["/".join(parts[:2]) if len(parts) > 2 else parts[0]].add(name)
    return places


def _check_hidden(file: ChangedFile, change: Change) -> None:
    if file.after is not None and any(part.startswith(".") for part in file.name.split("/")):
        change.faults.add(
            "path-hidden", change.shown(file.name), found="a hidden file", expected="the files of the layout",
            fix="Remove it.",
        )  # fmt: skip


def _report_removed(place: str, n_files: int, change: Change) -> None:
    campaign = change.earlier.by_id.get(place)
    n_rows = 0 if campaign is None else sum(table.num_rows for table in campaign.tables.values())
    rows = f" with {counted(n_rows, 'row')}" if n_rows else ""
    rests = " and ".join(
        each.edition for each in editions() if any(place in (name, name.split("/")[0]) for name in each.founding)
    )
    change.faults.add(
        "published-removed", change.shown(place),
        found=f"removed: {counted(n_files, 'file')}{rows}, {owner_of(place, change)}",
        expected="published submissions stay" + (f", and those that {rests} rests on always" if rests else ""),
        fix="Restore it." if rests else "Restore it. A withdrawal is asked for by those who measured.",
    )  # fmt: skip


def owner_of(place: str, change: Change) -> str:
    """Whose a published campaign or device is, in words."""
    campaigns = [
        campaign
        for campaign in change.earlier.campaigns
        if place in (campaign.submission_id, campaign.device_id)
    ]  # fmt: skip
    names = list(dict.fromkeys(name for campaign in campaigns for name in campaign.manifest.contributors))
    if not names:
        return "whose is not known"
    return f"of {', '.join(names[:MOST_OWNERS])}{' and others' if len(names) > MOST_OWNERS else ''}"


def _check_file(place: str, file: ChangedFile, change: Change) -> None:
    """Report what differs in one file of a published campaign or device."""
    owner, leaf = owner_of(place, change), file.name.split("/")[-1]
    errata: Sequence[Erratum] = ()
    found: list[_Difference] | None = None
    if file.before is not None and file.after is not None:
        if leaf in LEVEL_FILES and file.after.stat().st_size <= MOST_COMPARED_BYTES:
            manifest = fact_of(file.after.parent / MANIFEST_FILE, Manifest)
            errata = manifest.fact.errata if manifest else ()
            found = list(_table_differences(file.before, file.after, leaf))
        elif leaf == DEVICE_FILE:
            document = fact_of(file.after, Device)
            errata = document.fact.errata if document else ()
            found = _fact_differences(file.before, file.after, Device)
        elif leaf == MANIFEST_FILE:
            found = _fact_differences(file.before, file.after, Manifest)
    if not found:
        words = "new" if file.before is None else "gone" if file.after is None else "other bytes"
        is_lost = file.after is None or file.after.stat().st_size > MOST_COMPARED_BYTES
        rule = "published-figure" if is_lost and leaf in LEVEL_FILES else "published-changed"
        found = [_Difference(None, leaf, NOTHING if file.before is None else "a file", words)]
        _report(rule, file, found[0], owner, change)
        return
    ranked = sorted(((_rule_of(each, errata), each) for each in found), key=lambda pair: pair[0] != "published-figure")
    for rule, difference in ranked[:MOST_SHOWN]:
        _report(rule, file, difference, owner, change)
    if len(ranked) > MOST_SHOWN:
        rule = ranked[MOST_SHOWN][0]
        more = _Difference(None, f"{len(ranked) - MOST_SHOWN} more values", "published", "changed")
        _report(rule, file, more, owner, change)


def _rule_of(difference: _Difference, errata: Sequence[Erratum]) -> str:
    """Rule of a difference: a figure may be another one only where an erratum states both."""
    if difference.erratum_of is None:
        return "published-changed"
    column, cells = difference.erratum_of
    old, new = number(difference.old), number(difference.new)
    is_stated = any(
        erratum.field == column
        and (erratum.printed, erratum.used) == (old, new)
        and all(cells.get(name) == wanted for name, wanted in erratum.where.items())
        for erratum in errata
    )
    return "published-changed" if is_stated else "published-figure"


def _report(rule: str, file: ChangedFile, difference: _Difference, owner: str, change: Change) -> None:
    expected = "nothing" if difference.old == NOTHING else difference.old
    fix = "Is it a correction by those who measured? Say so in the pull request, and why."
    if rule == "published-figure":
        fix = "Restore it; a correction by those who measured states printed, used and why under errata."
    change.faults.add(
        rule, change.shown(file.name), line=difference.line, column=difference.name,
        found=f"{difference.old} → {difference.new}, {owner}", expected=f"{expected}, as published", fix=fix,
        is_value=False,
    )  # fmt: skip


def _table_differences(before: Path, after: Path, leaf: str) -> Iterator[_Difference]:
    """Cells that differ, rows that are gone, and rows that are new; rows are matched by what was run."""
    level = LEVEL_FILES[leaf]
    keys = {*KEYS[level], *SHARED_KEY, "source_id"}
    old, new = (_by_key(table_lines(path), keys) for path in (before, after))
    for key, rows in old.items():
        matches = new.get(key, [])
        for (_, earlier), (line, cells) in zip(rows, matches, strict=False):
            for name in dict.fromkeys((*earlier, *cells)):
                left, right = earlier.get(name, ""), cells.get(name, "")
                if left != right and (number(left) is None or number(left) != number(right)):
                    figure = (name, cells) if _is_figure(name, level) else None
                    yield _Difference(line, name, left or "empty", right or "empty", figure)
        for _, earlier in rows[len(matches) :]:
            yield _Difference(None, "row", _row_in_words(earlier), "gone", ("row", earlier))
    for key, matches in new.items():
        for line, cells in matches[len(old.get(key, [])) :]:
            yield _Difference(line, "row", NOTHING, _row_in_words(cells))


def _by_key(
    rows: list[tuple[int, dict[str, str]]], keys: set[str]
) -> dict[tuple[str, ...], list[tuple[int, dict[str, str]]]]:
    grouped: dict[tuple[str, ...], list[tuple[int, dict[str, str]]]] = defaultdict(list)
    for line, cells in rows:
        grouped[tuple(f"{name}={cells[name]}" for name in sorted(keys & set(cells)) if cells[name])].append(
            (line, cells)
        )
    return grouped


def _is_figure(name: str, level: Any) -> bool:
    column = columns_of(ROWS[level]).get(name)
    return column is not None and column.python_type in (int, float)


def _row_in_words(cells: Mapping[str, str]) -> str:
    shown = [cells[name] for name in ("kernel", "model", "dnn", "dtype", "delegate", "energy_mj") if cells.get(name)]
    return " ".join(shown)


def _fact_differences(before: Path, after: Path, model: type[BaseModel]) -> list[_Difference] | None:
    """Fields that differ; None where either file is not sound."""
    old, new = fact_of(before, model), fact_of(after, model)
    if old is None or new is None:
        return None
    contents = [document.fact.model_dump() for document in (old, new)]
    n_shared = min(len(content["errata"]) for content in contents)
    for content in contents:
        content["errata"][n_shared:] = [_erratum_in_words(each) for each in content["errata"][n_shared:]]
    left, right = (dict(_leaves(content, ())) for content in contents)
    found = []
    for path in dict.fromkeys((*left, *right)):
        if left.get(path) != right.get(path):
            line = next((new.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in new.lines), None)
            is_figure = model is Device and isinstance(left.get(path), int | float)
            figure: _Figure | None = (path[0], {}) if is_figure and path[0] != "errata" else None
            earlier, later = (str(side[path]) if path in side else NOTHING for side in (left, right))
            found.append(_Difference(line, ".".join(path), *_without_start(earlier, later), figure))
    return found


def _erratum_in_words(erratum: Mapping[str, Any]) -> str:
    """What an erratum states, as one text."""
    where = "".join(f", {name} {value}" for name, value in erratum["where"].items())
    return f"{erratum['field']} printed {erratum['printed']}, used {erratum['used']}{where}: {erratum['why']}"


def _without_start(old: str, new: str) -> tuple[str, str]:
    """Two texts from a little before the place where they part.

    >>> _without_start("Energies as they are printed in the table.", "Energies as they are printed in the table. Old.")
    ('… in the table.', '… in the table. Old.')
    """
    pairs = enumerate(zip(old, new, strict=False))
    start = next((place for place, (one, other) in pairs if one != other), min(len(old), len(new))) - _CONTEXT
    return (old, new) if start < _CONTEXT else (f"…{old[start:]}", f"…{new[start:]}")


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        if value is not None:
            yield path, value
        return
    for key, each in items:
        yield from _leaves(each, (*path, str(key)))


def _check_shared_devices(change: Change) -> None:
    """Report new campaigns on devices that others have published."""
    for campaign in change.campaigns:
        is_known = not {campaign.submission_id, campaign.manifest.formerly}.isdisjoint(change.earlier.by_id)
        if is_known or campaign.device_id not in change.earlier.devices:
            continue
        owners = {
            name for known in change.earlier.campaigns if known.device_id == campaign.device_id
            for name in known.manifest.contributors
        }  # fmt: skip
        if set(campaign.manifest.contributors) & owners:
            continue
        change.faults.add(
            "device-shared", change.shown(campaign.submission_id),
            found=f"a campaign of {', '.join(campaign.manifest.contributors[:MOST_OWNERS])} on a device "
            + owner_of(campaign.device_id, change),
            expected="the device of the submitter, or the same model, clock and board",
            fix="Say in the pull request that it is the same device; where it is not, give it a folder of its own.",
        )  # fmt: skip
