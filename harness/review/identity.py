"""Who and what a submission says that it is, beside all others: names, contributors, publication."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from harness.review.change import Change
from harness.review.lookalikes import (
    FEWEST_LETTERS,
    folded,
    has_strange_characters,
    in_any_order,
    mixed_scripts,
    plain,
    says_nothing,
    skeleton,
)
from harness.schema.campaign import Campaign
from harness.schema.facts import Manifest
from harness.validation.documents import Document
from harness.validation.layout import DEVICE_FILE, MANIFEST_FILE


class _Name(NamedTuple):
    """A name, and where it stands."""

    text: str
    kind: str
    file: str
    line: int | None
    column: str


_DEVICE_TEXTS: Final = ("soc", "processor_name", "accelerator", "vendor", "board")


def check_identity(change: Change) -> None:
    """Every rule of the subject `identity`."""
    for device_id in change.new_devices:
        with change.contained(device_id):
            _check_device(device_id, change)
    for campaign in change.campaigns:
        with change.contained(campaign.submission_id):
            document = change.manifest_of(campaign)
            for name in _texts(campaign, document, change):
                _check_text(name, change)
            _check_contributors(campaign, document, change)
            _check_publication(campaign, document, change)


def _report(rule: str, name: _Name, found: str, expected: str, fix: str, change: Change) -> None:  # noqa: PLR0917
    change.faults.add(
        rule, name.file, line=name.line, column=name.column, found=found, expected=expected, fix=fix, is_value=False
    )


def _check_device(device_id: str, change: Change) -> None:
    """Name and folder of a device against those of every other."""
    document = change.device_of(device_id)
    file = change.shown(f"{device_id}/{DEVICE_FILE}")
    own = document.fact.name
    place = _Name(own, "device", file, document.lines.get(("name",)), "name")
    _check_text(place, change)
    for column in _DEVICE_TEXTS:
        text = getattr(document.fact, column)
        if text is not None:
            _check_text(_Name(text, column, file, document.lines.get((column,)), column), change)
    others = {**change.earlier.devices, **change.now.devices}
    for other_id, other in sorted(others.items()):
        if other_id == device_id:
            continue
        pairs = [(own, other.name), (device_id, other_id), (device_id, other.name), (own, other_id)]
        if folded(own) == folded(other.name):
            found, expected = f"{own}, the name of {other_id}", "a name of its own"
            fix = "Put the campaign into that device's folder, or say in the name how the two differ."
            _report("name-taken", place, found, expected, fix, change)
        elif any(skeleton(one) == skeleton(two) and plain(one) != plain(two) for one, two in pairs):
            found = f"{own} in {device_id}, which looks like {other.name} in {other_id}"
            fix = "Write the name in plain letters, and say in it how the two differ."
            _report("name-confusable", place, found, "a name that is told from every other", fix, change)
        elif any(plain(one) == plain(two) or in_any_order(one) == in_any_order(two) for one, two in pairs):
            found = f"{own} in {device_id}, which is {other.name} in {other_id} but for punctuation or order of words"
            fix = "Where it is the same device, use its folder; otherwise say in the name how the two differ."
            _report("name-similar", place, found, "a name that differs in letters or digits", fix, change)


def _texts(campaign: Campaign, document: Document[Manifest], change: Change) -> Iterator[_Name]:
    """Texts of a submission by which readers know it."""
    manifest = campaign.manifest
    file = change.shown(f"{campaign.submission_id}/{MANIFEST_FILE}")
    texts = [("title", manifest.title), ("runtime", manifest.runtime), ("source.citation", manifest.source.citation)]
    texts += [(f"contributors.{place}", name) for place, name in enumerate(manifest.contributors)]
    if manifest.meter is not None:
        texts.append(("meter.name", manifest.meter.name))
    if manifest.untraced is not None:
        texts.append(("untraced", manifest.untraced))
    for column, text in texts:
        kind = "contributor" if column.startswith("contributors") else column
        yield _Name(text, kind, file, document.lines.get(tuple(column.split("."))), column)


def _check_text(name: _Name, change: Change) -> None:
    """text-blank, name-characters."""
    if says_nothing(name.text):
        expected = f"at least {FEWEST_LETTERS} letters or digits, and no word that stands for a text to come"
        _report("text-blank", name, name.text, expected, "Write what readers shall know it by.", change)
    elif name.kind in ("device", "contributor") and (scripts := mixed_scripts(name.text)):
        found = f"{name.text}, with letters of {' and '.join(script.capitalize() for script in scripts)} in a word"
        fix = "Type the name again in one alphabet."
        _report("name-characters", name, found, "words of one alphabet", fix, change)
    elif name.kind in ("device", "contributor") and has_strange_characters(name.text):
        found = f"{name.text.encode('unicode_escape').decode()}, with characters that are invisible or stand for others"
        fix = "Type the name again in plain letters."
        _report("name-characters", name, found, "characters that are seen, in their plain form", fix, change)


def _check_contributors(campaign: Campaign, document: Document[Manifest], change: Change) -> None:
    """contributor-known, name-confusable."""
    known: dict[str, str] = {}
    for published in change.earlier.campaigns:
        for name in published.manifest.contributors:
            known.setdefault(name, published.submission_id)
    file = change.shown(f"{campaign.submission_id}/{MANIFEST_FILE}")
    before = change.earlier.by_id.get(campaign.submission_id)
    for place, name in enumerate(campaign.manifest.contributors):
        if before is not None and name in before.manifest.contributors:
            continue
        column = f"contributors.{place}"
        where = _Name(name, "contributor", file, document.lines.get(tuple(column.split("."))), column)
        alike = next((other for other in known if in_any_order(other) == in_any_order(name)), None)
        if alike is not None:
            found = f"{name}, who published {known[alike]}"
            expected = "people and organisations who know of it"
            fix = "A maintainer asks them, by an address that is not from this pull request."
            _report("contributor-known", where, found, expected, fix, change)
            continue
        twin = next((other for other in known if skeleton(other) == skeleton(name)), None)
        if twin is not None:
            found = f"{name}, which looks like {twin} of {known[twin]}"
            fix = "Write the name as it is written there, if it is the same one."
            _report("name-confusable", where, found, "a name that is told from every other", fix, change)


def _check_publication(campaign: Campaign, document: Document[Manifest], change: Change) -> None:
    """publication-check."""
    manifest = campaign.manifest
    if manifest.method != "published" or campaign.submission_id in change.earlier.by_id:
        return
    file = change.shown(f"{campaign.submission_id}/{MANIFEST_FILE}")
    where = _Name(manifest.method, "method", file, document.lines.get(("method",)), "method")
    found = f"published, at {manifest.source.url or manifest.source.identifier}"
    fix = "A reviewer compares the figures and the licence with it; nothing here read it."
    _report("publication-check", where, found, "the figures and the licence of the publication", fix, change)
