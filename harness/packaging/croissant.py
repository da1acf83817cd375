"""The Croissant description of a dataset, built with mlcroissant; it fetches nothing and reads no data."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from harness.packaging.manifest import FileEntry
from harness.packaging.plan import SIDE_TABLES, DatasetPlan
from harness.packaging.sources import bibtex_of, licences_of
from harness.schema.columns import Column, columns_of
from harness.schema.facts import SIDE_RECORDS
from harness.schema.records import RECORDS

if TYPE_CHECKING:
    import mlcroissant

_PARQUET: Final = "application/x-parquet"
_SPDX: Final = "https://spdx.org/licenses/"
_KEYS: Final = {"rows": ["record_id"], "devices": ["device_id"], "submissions": ["submission_id"], "errata": []}


def croissant(plan: DatasetPlan, entries: Mapping[str, FileEntry]) -> str:
    """Croissant 1.0 as JSON-LD; every path in it is relative to the dataset folder.

    Args:
        plan: the dataset.
        entries: its Parquet files as written, by path.
    """
    import mlcroissant as mlc

    metadata = mlc.Metadata(
        name=plan.name.replace("/", "-"),
        description=plan.text.description,
        version=plan.version.version,
        date_published=datetime.fromisoformat(plan.version.date),
        license=[
            _SPDX + licence if licence != "NOASSERTION" else licence
            for licence in licences_of(plan.release.submissions)
        ],
        cite_as="\n\n".join(bibtex_of(plan.release.submissions, plan.citations)),
        keywords=plan.text.tags,
        distribution=[*(_file_object(entry) for entry in entries.values()), *_file_sets(plan)],
        record_sets=_record_sets(plan),
    )
    return json.dumps(metadata.to_json(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _file_object(entry: FileEntry) -> "mlcroissant.FileObject":
    import mlcroissant as mlc

    return mlc.FileObject(
        id=entry.path,
        name=entry.path.rpartition("/")[2],
        content_url=entry.path,
        content_size=f"{entry.n_bytes} B",
        encoding_formats=[_PARQUET],
        sha256=entry.sha256,
    )


def _file_sets(plan: DatasetPlan) -> list["mlcroissant.FileSet"]:
    import mlcroissant as mlc

    patterns = {"rows": list(plan.configs[0].patterns.values())}
    patterns |= {name: [f"data/{name}.parquet"] for name in _side_tables(plan)}
    return [
        mlc.FileSet(id=f"{name}-files", name=f"{name}-files", includes=includes, encoding_formats=[_PARQUET])
        for name, includes in patterns.items()
    ]


def _side_tables(plan: DatasetPlan) -> list[str]:
    return [config.name for config in plan.configs if config.name in SIDE_TABLES]


def _record_sets(plan: DatasetPlan) -> list["mlcroissant.RecordSet"]:
    models = {"rows": (RECORDS[plan.level], plan.text.description)}
    models |= {name: (SIDE_RECORDS[name], SIDE_TABLES[name]) for name in _side_tables(plan)}
    return [_record_set(name, model, description) for name, (model, description) in models.items()]


def _record_set(name: str, model: type[BaseModel], description: str) -> "mlcroissant.RecordSet":
    import mlcroissant as mlc

    fields = [_field(name, column) for column in columns_of(model).values()]
    if name == "rows":
        fields.append(_split_field())
    return mlc.RecordSet(
        id=name,
        name=name,
        description=description,
        key=[f"{name}/{column}" for column in _KEYS[name]] or None,
        fields=fields,
    )


def _field(record_set: str, column: Column) -> "mlcroissant.Field":
    """Field of a column; that of a nested record holds one sub-field for each field of the record."""
    import mlcroissant as mlc

    field = mlc.Field(
        id=f"{record_set}/{column.name}",
        name=column.name,
        description=_description(column),
        repeated=column.is_list or None,
    )
    if column.fields:
        field.sub_fields = [_sub_field(record_set, column, inner) for inner in column.fields.values()]
    else:
        field.data_types = [_data_type(column)]
        field.source = mlc.Source(file_set=f"{record_set}-files", extract=mlc.Extract(column=column.name))
    return field


def _sub_field(record_set: str, column: Column, inner: Column) -> "mlcroissant.Field":
    import mlcroissant as mlc

    return mlc.Field(
        id=f"{record_set}/{column.name}/{inner.name}",
        name=inner.name,
        description=_description(inner),
        data_types=[_data_type(inner)],
        source=mlc.Source(
            file_set=f"{record_set}-files",
            extract=mlc.Extract(column=column.name),
            transforms=[mlc.Transform(json_path=inner.name)],
        ),
    )


def _description(column: Column) -> str:
    return column.quantity.sentence + (f" Unit: {column.quantity.unit}." if column.quantity.unit else "")


def _data_type(column: Column) -> Any:
    import mlcroissant as mlc

    types: dict[type, Any] = {
        float: mlc.DataType.FLOAT,
        int: mlc.DataType.INTEGER,
        bool: mlc.DataType.BOOL,
        str: mlc.DataType.TEXT,
    }
    return types[column.python_type]


def _split_field() -> "mlcroissant.Field":
    import mlcroissant as mlc

    return mlc.Field(
        id="rows/split",
        name="split",
        description="Side of the standard split: train or test.",
        data_types=[mlc.DataType.TEXT, mlc.DataType.SPLIT],
        source=mlc.Source(
            file_set="rows-files",
            extract=mlc.Extract(file_property="fullpath"),
            transforms=[mlc.Transform(regex="^(?:.*/)?(train|test)-[^/]*$")],
        ),
    )
