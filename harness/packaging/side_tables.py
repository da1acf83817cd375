"""The tables beside the rows of a dataset, and the one of them that is made here: unit and meaning of every column.

`datasets` keeps neither in what it loads, so that they are a table as well as metadata of the Parquet files.
"""

import inspect
from collections.abc import Mapping
from typing import Annotated, Final

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from harness.schema.columns import arrow_schema
from harness.schema.export import field_table
from harness.schema.facts import SIDE_RECORDS
from harness.schema.quantity import Quantity
from harness.schema.readouts import READ_OUTS

COLUMN_TABLE: Final = "columns"
_RULE: Final = "derived"


def _words(sentence: str) -> Quantity:
    return Quantity("", sentence, _RULE, "Derived; leave it out.")


class ColumnRecord(BaseModel):
    """One row per column of the rows and of every table beside them: type, unit, meaning."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: Annotated[str, _words("Table that has the column; `rows` for the rows themselves.")]
    column: Annotated[str, _words("Name of the column; a dot leads into the records of a list.")]
    type: Annotated[str, _words("Type of its values.")]
    unit: Annotated[str, _words("Unit of its values; null where they have none.")] | None = None
    meaning: Annotated[str, _words("What it is, in a sentence.")]


TABLES: Final[dict[str, type[BaseModel]]] = {**SIDE_RECORDS, **READ_OUTS, COLUMN_TABLE: ColumnRecord}
"""Rows of the tables beside the rows of a dataset, by the name of the table and of its configuration."""


def sentence_of(table: str) -> str:
    """What a table is: the first line of the docstring of its row."""
    return (inspect.getdoc(TABLES[table]) or table).splitlines()[0]


def column_table(models: Mapping[str, type[BaseModel]]) -> pa.Table:
    """Unit and meaning of every column.

    Args:
        models: row of each table, by its name.

    Returns:
        One row per column and per field of a nested record, in order of declaration; schema of `ColumnRecord`.
    """
    rows = [
        {
            "table": table,
            "column": field["field"],
            "type": field["type"],
            "unit": field["unit"] or None,
            "meaning": field["meaning"],
        }
        for table, model in models.items()
        for field in field_table(model)
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(ColumnRecord))
