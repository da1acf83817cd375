"""The mapping file of the `csv` format: which column of a table is which of the schema's, and facts of all rows.

It does not check values; those are checked as in every other row.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from harness.budget import MOST_YAML_BYTES
from harness.errors import UsageError
from harness.intake.foreign import ForeignSourceError
from harness.intake.names import question
from harness.intake.scaling import known_units, unit_factor
from harness.schema.columns import Column, columns_of
from harness.schema.facts import Device, Fact, Manifest
from harness.schema.older_columns import ENERGY_KIND, IDLE_SUBTRACTED, KINDS, is_older, kind_of
from harness.schema.records import ROWS
from harness.schema.vocabulary import Level
from harness.validation.documents import Document, read_fact
from harness.validation.faults import Faults
from harness.validation.text import read_bytes

Model = TypeVar("Model", bound=BaseModel)
_CHARGE: Final = re.compile(r"[kmun\u00b5\u03bc]?(?:Ah|As|C)", re.ASCII)
"""Units of electric charge, which are none of energy."""


def _as_text(value: Any) -> Any:
    """Scalar of a YAML file as a cell holds it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, (int, float)) else value


_TRUTH_VALUES: Final = {
    spelt: kind for word, kind in KINDS.items() for spelt in (word, word.capitalize(), word.upper())
}
"""Kinds of energy by what a table has in an older column."""
_BOTH: Final[dict[str, Any]] = {
    "column": f"columns.{IDLE_SUBTRACTED.name}",
    "found": f"beside {ENERGY_KIND}, which it is the older spelling of",
    "is_value": False,
    "expected": "one of the two",
    "fix": f"Remove {IDLE_SUBTRACTED.name}.",
}
"""What is wrong with an older column beside its spelling of today."""

Text = Annotated[str, BeforeValidator(_as_text)]


class ColumnMapping(Fact):
    """Where the cells of one column of the schema come from."""

    origin: str | None = Field(None, alias="from", description="Column of the table.")
    unit: str | None = Field(None, description="Unit of the column of the table; the schema's where left out.")
    words: dict[str, Text] | None = Field(None, description="Words of the table, each with what it means.")
    value: Text | None = Field(None, description="Value of every row, where the table has no such column.")

    @model_validator(mode="after")
    def _has_one_origin(self) -> "ColumnMapping":
        if (self.origin is None) == (self.value is None):
            raise ValueError("either from, a column of the table, or value, the same for every row")
        if self.value is not None and (self.unit is not None or self.words is not None):
            raise ValueError("value alone, without unit and words")
        return self


class Mapping(Fact):
    """What a table does not state, declared in a YAML file."""

    level: Level = Field(description="Record level of the rows: kernels, models or applications.")
    decimal: Literal[".", ","] | None = Field(
        None, description="Decimal sign of the table; found from its numbers where left out."
    )
    columns: dict[str, ColumnMapping] = Field(
        min_length=1, description="Columns of the schema, each with where its cells come from."
    )
    submission: Manifest = Field(description="Contents of submission.yaml.")
    device: Device | None = Field(None, description="Contents of device.yaml; needed where the device is new.")


def read_mapping(path: Path | None) -> Mapping:
    """Mapping in a file, known to name columns and units of the schema only.

    Raises:
        UsageError: no file is given, or there is none.
        ForeignSourceError: it is not as it should be.
    """
    absent = "csv needs --mapping FILE, which maps the columns of the table to those of the schema"
    document, shown = mapping_document(path, Mapping, absent)
    faults = Faults()
    columns = columns_of(ROWS[document.fact.level])
    mapping = document.fact
    if is_older(mapping.columns):
        mapping = mapping.model_copy(update={"columns": _with_kinds(mapping.columns)})
    for name, wanted in mapping.columns.items():
        line = document.lines.get(("columns", name))
        if name == IDLE_SUBTRACTED.name:
            faults.add("fact-unknown", shown, line=line, **_BOTH)
        elif name not in columns:
            faults.add("fact-unknown", shown, line=line, **_unknown(name, list(columns)))
        elif wanted.unit is not None and unit_factor(wanted.unit, columns[name].quantity.unit) is None:
            line = document.lines["columns", name, "unit"]
            faults.add("fact-value", shown, line=line, **_foreign_unit(columns[name], wanted.unit))
    _report_absent(mapping, columns, shown, faults)
    if faults.issues:
        raise ForeignSourceError(faults.issues)
    return mapping


def _with_kinds(columns: dict[str, ColumnMapping]) -> dict[str, ColumnMapping]:
    """Columns of a mapping, of which the older one of truth values is that of the kinds that these state."""
    older = columns[IDLE_SUBTRACTED.name]
    if older.value is not None:
        kinds = older.model_copy(update={"value": kind_of(older.value)})
    else:
        stated = {word: kind_of(meaning) for word, meaning in (older.words or {}).items()}
        kinds = older.model_copy(update={"words": {**_TRUTH_VALUES, **stated}})
    return {
        ENERGY_KIND if name == IDLE_SUBTRACTED.name else name: kinds if name == IDLE_SUBTRACTED.name else wanted
        for name, wanted in columns.items()
    }


def mapping_document(path: Path | None, model: type[Model], absent: str) -> tuple[Document[Model], str]:
    """What a mapping file declares, and its name in messages.

    Args:
        path: the file.
        model: what it must hold.
        absent: message where no file is given.

    Raises:
        UsageError: no file is given, or there is none.
        ForeignSourceError: it is not as it should be.
    """
    if path is None:
        raise UsageError(absent)
    if not path.exists():
        raise UsageError(f"{path.as_posix()} does not exist")
    faults, shown = Faults(), path.as_posix()
    data = read_bytes(path, shown, MOST_YAML_BYTES, faults)
    document = None if data is None else read_fact(data, model, shown, faults)
    if document is None:
        raise ForeignSourceError(faults.issues)
    return document, shown


def _unknown(name: str, known: list[str]) -> dict[str, Any]:
    """What is wrong with a column that the schema does not have."""
    return {
        "column": f"columns.{name}",
        "found": "no column of these rows",
        "is_value": False,
        "expected": "one of " + ", ".join(known),
        "fix": question(name, known, "Rename it, or remove it where the rows have no such column."),
    }


def _foreign_unit(column: Column, unit: str) -> dict[str, Any]:
    """What is wrong with a unit that does not lead to the column's."""
    known = known_units(column.quantity.unit)
    fix = "Find out which unit the figures are in; where it is none of these, convert them first."
    if _CHARGE.fullmatch(unit) and column.quantity.unit == "mJ":
        fix = "This is a charge, not an energy: multiply it by the voltage it was drawn at; 1 mAh at 1 V is 3.6 J."
    return {
        "column": f"columns.{column.name}.unit",
        "found": unit,
        "expected": "one of " + ", ".join(known) if known else f"no unit, because {column.name} has none",
        "fix": fix if known else "Remove it.",
    }


def _report_absent(mapping: Mapping, columns: dict[str, Column], shown: str, faults: Faults) -> None:
    for column in columns.values():
        if column.is_required and column.name not in mapping.columns:
            faults.add(
                "fact-missing",
                shown,
                column=f"columns.{column.name}",
                found="nothing",
                expected=column.expected,
                fix=f"Add it with from or value: {column.quantity.sentence}",
            )
