"""Whence the figures of a campaign are, and who may use them: licence, day, publication; it reads no other campaign."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

from harness.schema.facts import Device, Manifest, Source
from harness.schema.licences import spdx_of
from harness.schema.vocabulary import UNSTATED_LICENCE
from harness.validation.documents import Document
from harness.validation.fact_faults import Path
from harness.validation.faults import Faults

FIRST_YEAR: Final = 2007
"""Year of the first phones that ran applications of others; networks on devices are younger."""
WRITTEN: Final = date(2026, 11, 26)
"""Day on which these checks were written; the clock of a machine that is before it is wrong."""
_ZONES: Final = timedelta(days=1)
"""It is tomorrow already somewhere."""


class _Place(NamedTuple):
    """A manifest as messages show it, with its lines and where its faults go."""

    manifest: Manifest
    shown: str
    lines: Mapping[Path, int]
    faults: Faults

    def report(self, rule: str, column: str, found: str, expected: str, fix: str, *, is_value: bool = False) -> None:
        line = self.lines.get((column,))
        self.faults.add(
            rule, self.shown, line=line, column=column, found=found, expected=expected, fix=fix, is_value=is_value
        )


def check_provenance(
    document: Document[Manifest], device: Device | None, today: date, shown: str, faults: Faults
) -> None:
    """Report a licence that is none or not stated, a day that cannot be, and a publication that is not there.

    Args:
        document: what the campaign declares, with its lines.
        device: its device; None where that cannot be read.
        today: day of the validation.
        shown: name of the file in messages.
        faults: collects what is wrong.
    """
    place = _Place(document.fact, shown, document.lines, faults)
    _check_licence(place)
    _check_date(place, device, max(today, WRITTEN))
    _check_publication(place)


def _check_licence(place: _Place) -> None:
    """licence-unstated, licence-unknown."""
    licence = place.manifest.licence
    if licence == UNSTATED_LICENCE:
        if (method := place.manifest.method) != "published":
            fix = "Write the licence that they give, for example CC-BY-4.0; until then do not publish them."
            found, expected = f"{licence} for figures that are {method}", "the licence of those who made them"
            place.report("licence-unstated", "licence", found, expected, fix)
        return
    spelt = spdx_of(licence)
    if spelt == licence:
        return
    expected = spelt or "an identifier of the SPDX licence list"
    fix = f"Write {spelt}." if spelt else "Write for example CC-BY-4.0, if those who measured agree."
    place.report("licence-unknown", "licence", licence, expected, fix, is_value=True)


def _check_date(place: _Place, device: Device | None, today: date) -> None:
    """date-impossible: days that no calendar has, that are to come, or before there was such a device."""
    stated = place.manifest.date
    device_year = device.year if device is not None else None
    first_year = max(FIRST_YEAR, device_year or 0)
    fix = "Write the day, month or year of the measurement or publication."
    year, month, day = [*map(int, stated.split("-")), 1, 1][:3]
    try:
        first = date(year, month, day)
    except ValueError:
        found = "which no calendar has"
    else:
        if first > today + _ZONES:
            found = "which is to come"
            fix += f" Today is {today} by the clock of this machine."
        elif first.year < first_year:
            found = "before " + ("the year of the device" if first_year == device_year else "networks on such devices")
        else:
            return
    place.report("date-impossible", "date", f"{stated}, {found}", f"a day from {first_year} to today", fix)


def _check_publication(place: _Place) -> None:
    """publication-missing, scores-unpublished."""
    manifest, source = place.manifest, place.manifest.source
    if manifest.method == "published" and not _has_address(source):
        found = "published, without an address or identifier of the publication"
        fix = "Add source.url, or a DOI or arXiv number as source.identifier; figures of your own are measured."
        place.report("publication-missing", "method", found, "where the figures were published", fix)
    if manifest.published_scores is not None and not (manifest.method == "published" and source.url):
        found = f"scores of a source that is {manifest.method}, {'at ' + source.url if source.url else 'without url'}"
        fix = "Leave them out: scores are computed here. Those of a publication come with its source.url."
        place.report("scores-unpublished", "published_scores", found, "method published, and source.url", fix)


def _has_address(source: Source) -> bool:
    """Whether a work can be found: by its address, its DOI or its arXiv number."""
    text = (source.identifier or "").casefold()
    is_identifier = text.startswith(("arxiv", "doi", "10.")) and any(character.isdigit() for character in text)
    return source.url is not None or is_identifier
