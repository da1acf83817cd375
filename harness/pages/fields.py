"""Field tables of rows, records and YAML files, read from the schema's own models; it declares no field."""

import types
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from harness.pages.tables import Cell, Table, TableColumn, text, words
from harness.schema.columns import flat_columns
from harness.schema.facts import Device, DeviceRecord, ErratumRecord, Manifest, SubmissionRecord
from harness.schema.networks import Network
from harness.schema.quantities import Quantity
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
    """What a contributor writes into the CSV file of a level."""
    return _column_table(ROWS[level], f"schema/{level}-csv", f"Columns of {level}.csv")


def record_table(level: Level) -> Table:
    """What a row of the published dataset of a level holds."""
    return _column_table(RECORDS[level], f"schema/{level}", f"Columns of the {level} dataset")


def fact_tables() -> list[Table]:
    """Columns of the tables published beside the rows."""
    return [
        _column_table(DeviceRecord, "schema/devices", "Columns of the device table"),
        _column_table(SubmissionRecord, "schema/submissions", "Columns of the submission table"),
        _column_table(ErratumRecord, "schema/errata", "Columns of the errata table"),
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


def _yaml_rows(model: type[BaseModel], prefix: str = "") -> list[list[Cell]]:
    hints = get_type_hints(model, include_extras=True)
    rows: list[list[Cell]] = []
    for name, info in model.model_fields.items():
        base, quantity, kind = _reading(hints[name])
        meaning = quantity.sentence if quantity else info.description or ""
        required = "yes" if info.is_required() else "no"
        unit, admitted = (quantity.unit, quantity.expected) if quantity else ("", "")
        if get_origin(base) is Literal:
            admitted = "one of " + ", ".join(str(word) for word in get_args(base))
        rows.append(_row(f"{prefix}{name}", kind, unit, required, meaning, admitted))
        inner = _section(base)
        if inner is not None:
            rows += _yaml_rows(inner, f"{prefix}{name}.")
    return rows


def _section(base: Any) -> type[BaseModel] | None:
    """Model of a section, or of the entries of a list of sections."""
    candidate = _reading(get_args(base)[0])[0] if get_origin(base) is list else base
    return candidate if isinstance(candidate, type) and issubclass(candidate, BaseModel) else None


def _reading(annotation: Any) -> tuple[Any, Quantity | None, str]:
    """Base type, quantity and type in words of an annotation."""
    if get_origin(annotation) in (Union, types.UnionType):
        return _reading(next(part for part in get_args(annotation) if part is not types.NoneType))
    if get_origin(annotation) is Annotated:
        base, *notes = get_args(annotation)
        quantity = next((note for note in notes if isinstance(note, Quantity)), None)
        return base, quantity, _reading(base)[2]
    if get_origin(annotation) is Literal:
        return annotation, None, _TYPE_WORDS[type(get_args(annotation)[0])]
    if get_origin(annotation) is list:
        return annotation, None, f"list of {_reading(get_args(annotation)[0])[2]}"
    if get_origin(annotation) is dict:
        keys, values = get_args(annotation)
        return annotation, None, f"mapping of {_reading(keys)[2]} to {_reading(values)[2]}"
    return annotation, None, _TYPE_WORDS.get(annotation, "section")
