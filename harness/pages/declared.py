"""Columns and facts of the schema as pages show them: title, unit, format and order follow from their declaration.

It declares nothing of its own; a column that a row gains reaches every table of rows through here.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from harness.pages.markup import code, figure
from harness.pages.tables import Cell, TableColumn, number, text, words
from harness.schema.columns import Column, columns_of
from harness.schema.quantity import DeviceTable


def table_column(column: Column) -> TableColumn:
    """Header of a column."""
    return TableColumn(column.name, column.display.title, column.quantity.unit, is_number=_is_number(column))


def cell(column: Column, value: Any) -> Cell:
    """Cell of a column; several values are joined by a comma."""
    if _is_number(column) and value is not None:
        return number(value, column.display.digits)
    shown = _in_words(column, value)
    return words(shown) if column.display.is_code else text(shown)


def fact(column: Column, value: Any) -> Any:
    """Value of a fact as a list of facts shows it, a number with its unit; None where it is absent."""
    if _is_number(column) and value is not None:
        return f"{figure(value, column.display.digits)} {column.quantity.unit}".rstrip()
    shown = _in_words(column, value)
    return code(shown) if column.display.is_code and shown is not None else shown


def _is_number(column: Column) -> bool:
    return column.python_type in (int, float) and not column.is_list


def _in_words(column: Column, value: Any) -> str | None:
    if column.is_list:
        return ", ".join(map(str, value or ())) or None
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)


def columns_in(models: Iterable[type[BaseModel]], table: DeviceTable) -> dict[str, Column]:
    """Columns of the records that a table of rows contains, by name, in order of declaration."""
    return {
        name: column for model in models for name, column in columns_of(model).items() if table in column.display.tables
    }


def in_order(columns: Mapping[str, Column], first: Sequence[str], last: Sequence[str] = ()) -> list[Column]:
    """Columns with some of them first and some last, and all others between, in their order."""
    between = [name for name in columns if name not in (*first, *last)]
    return [columns[name] for name in (*first, *between, *last)]
