"""Field tables of rows, records and YAML files, read from the schema's own models; it declares no field."""

from typing import Final

from pydantic import BaseModel

from harness.pages.tables import Cell, Table, TableColumn, text, words
from harness.schema.annotations import FieldType, field_types
from harness.schema.columns import flat_columns
from harness.schema.facts import SIDE_RECORDS, Device, Manifest
from harness.schema.networks import Network
from harness.schema.outputs import ChoiceOutput, KernelsOutput, PredictableOutput, PredictionOutput
from harness.schema.readouts import READ_OUTS
from harness.schema.records import RECORDS, ROWS
from harness.schema.vocabulary import Level

_COLUMNS: Final = (
    TableColumn("field", "Field"),
    TableColumn("type", "Type"),
    TableColumn("unit", "Unit"),
    TableColumn("required", "Required"),
    TableColumn("meaning", "Meaning", is_prose=True),
    TableColumn("admitted", "Admitted values", is_prose=True),
)
_TYPE_WORDS: Final = {float: "number", int: "whole number", bool: "truth value", str: "text"}


def row_table(level: Level) -> Table:
    """Columns of the CSV file that a contributor writes for a level."""
    return _column_table(ROWS[level], f"schema/{level}-csv", f"Columns of {level}.csv")


def record_table(level: Level) -> Table:
    """Columns of the published dataset of a level."""
    return _column_table(RECORDS[level], f"schema/{level}", f"Columns of the {level} dataset")


def fact_tables() -> list[Table]:
    """Columns of the tables published beside the rows."""
    return [
        _column_table(model, f"schema/{name}", f"Columns of the {name.removesuffix('s')} table")
        for name, model in SIDE_RECORDS.items()
    ]


def read_out_tables() -> list[Table]:
    """Columns of the read-outs of the networks, as tables and in the JSON API."""
    return [
        _column_table(model, f"schema/{name.replace('_', '-')}", f"Columns of {name}")
        for name, model in READ_OUTS.items()
    ]


def _column_table(model: type[BaseModel], name: str, caption: str) -> Table:
    rows = []
    for field, column in flat_columns(model):
        kind = _TYPE_WORDS.get(column.python_type, "record")
        default = "" if column.default is None else f"no; {column.default} where absent"
        rows.append(
            _row(
                field,
                f"list of {kind}" if column.is_list else kind,
                column.quantity.unit,
                "yes" if column.is_required else default or "no",
                column.quantity.sentence,
                "" if column.expected in ("text", "a number") else column.expected,
            )
        )
    return Table(name, caption, _COLUMNS, rows)


def _row(field: str, *rest: str) -> list[Cell]:
    """Cells of the remaining columns, in their order; an empty one is absent."""
    return [words(field), *(text(word or None) for word in rest)]


def device_yaml_table() -> Table:
    """Fields of `device.yaml`."""
    return Table("schema/device-yaml", "Fields of device.yaml", _COLUMNS, _yaml_rows(Device))


def submission_yaml_table() -> Table:
    """Fields of `submission.yaml`; a dot leads into a section."""
    return Table("schema/submission-yaml", "Fields of submission.yaml", _COLUMNS, _yaml_rows(Manifest))


def network_table() -> Table:
    """Fields of a kernel list; a dot leads into its entries."""
    return Table("schema/network-json", "Fields of graphs/MODEL.json", _COLUMNS, _yaml_rows(Network))


def output_tables() -> list[Table]:
    """Fields of what commands print as JSON; a dot leads into an entry."""
    outputs: dict[str, tuple[str, type[BaseModel]]] = {
        "kernels-output": ("deepen kernels", KernelsOutput),
        "prediction-output": ("deepen predict", PredictionOutput),
        "predictable-output": ("deepen predict --list", PredictableOutput),
        "choice-output": ("deepen choose", ChoiceOutput),
    }
    return [
        Table(f"schema/{name}", f"Fields of {command} --format json", _COLUMNS, _yaml_rows(model))
        for name, (command, model) in outputs.items()
    ]


def _yaml_rows(model: type[BaseModel], prefix: str = "") -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for name, declared in field_types(model).items():
        info, quantity = model.model_fields[name], declared.quantity
        meaning = quantity.sentence if quantity else info.description or ""
        required = "yes" if info.is_required() else "no"
        unit, admitted = (quantity.unit, quantity.expected) if quantity else ("", "")
        if declared.choices:
            admitted = "one of " + ", ".join(map(str, declared.choices))
        rows.append(_row(f"{prefix}{name}", _type_in_words(declared), unit, required, meaning, admitted))
        section = declared.inner[0].model if declared.base is list else declared.model
        if section is not None:
            rows += _yaml_rows(section, f"{prefix}{name}.")
    return rows


def _type_in_words(declared: FieldType) -> str:
    inner = [_type_in_words(part) for part in declared.inner]
    if declared.base is list:
        return f"list of {inner[0]}"
    if declared.base is dict:
        return f"mapping of {inner[0]} to {inner[1]}"
    return _TYPE_WORDS.get(declared.base, "section")
