"""Tables of the site, shown as HTML and downloaded as CSV; it computes no figures."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from harness.pages.markup import MISSING, code, figure, plain


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column.

    Attributes:
        key: header in the CSV file.
        title: header on the page.
        unit: symbol of the unit, printed under the title; empty where there is none.
        is_number: whether it sorts by size and aligns right.
        is_prose: whether it holds sentences and needs room.
    """

    key: str
    title: str
    unit: str = ""
    is_number: bool = False
    is_prose: bool = False

    @property
    def style(self) -> str:
        """Class of its cells."""
        return "number" if self.is_number else "prose" if self.is_prose else "text"


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: as computed, and as shown.

    Attributes:
        value: value that sorts and downloads; None where absent.
        shown: value as the page prints it.
    """

    value: Any
    shown: Markup

    @property
    def sort_key(self) -> str:
        """Value as the page's script reads it; empty where absent."""
        return "" if self.value is None else str(self.value)


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes:
        name: file name of the download, without suffix, and id on its page.
        caption: what the table shows, in one line.
        rows: cells in the order of the columns.
        header_column: index of the column that names the row.
    """

    name: str
    caption: str
    columns: Sequence[TableColumn]
    rows: Sequence[Sequence[Cell]]
    header_column: int = 0
    element_id: str = field(default="")

    @property
    def anchor(self) -> str:
        """Id of the table on its page."""
        return self.element_id or self.name.rsplit("/", 1)[-1]

    def csv_text(self) -> str:
        """The table as CSV, with unrounded values; keys of the header end in the unit."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow([column.key for column in self.columns])
        writer.writerows([_csv_value(cell.value) for cell in row] for row in self.rows)
        return buffer.getvalue()


def _csv_value(value: Any) -> Any:
    # A spreadsheet would run text that begins like a formula.
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@"):
        return f"'{value}"
    return "" if value is None else value


def text(value: str | None) -> Cell:
    """Cell of plain text."""
    return Cell(value, plain(MISSING if value is None else value))


def noted(value: str, note: str) -> Cell:
    """Cell of plain text with a quieter second line."""
    return Cell(value, plain(value) + Markup('<span class="quiet">{}</span>').format(plain(note)))


def words(value: str | None) -> Cell:
    """Cell of an identifier, shown as code."""
    return Cell(value, plain(MISSING) if value is None else code(value))


def number(value: float | None, digits: int = 6) -> Cell:
    """Cell of a number to a count of significant digits."""
    if value is None or math.isnan(value):
        return Cell(None, plain(MISSING))
    return Cell(value, plain(figure(value, digits)))


def link(value: str, address: str, note: str = "") -> Cell:
    """Cell that leads to another page, with a quieter second line."""
    shown = Markup('<a href="{}">{}</a>').format(plain(address), plain(value))
    if note:
        shown += Markup('<span class="quiet">{}</span>').format(plain(note))
    return Cell(value, shown)


def badge(letters: Sequence[str]) -> Cell:
    """Cell of the class or classes of a label."""
    shown = Markup("").join(
        Markup('<span class="badge class-{0}">{0}</span>').format(plain(letter)) for letter in letters
    )
    return Cell("/".join(letters), shown)
