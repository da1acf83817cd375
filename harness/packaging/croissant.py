"""The Croissant description of a dataset, built with mlcroissant; it fetches nothing and reads no data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from harness.packaging.licences import licence_address
from harness.packaging.manifest import FileEntry
from harness.packaging.plan import Config, DatasetPlan
from harness.packaging.side_tables import TABLES
from harness.packaging.sources import bibtex_of, licences_of
from harness.schema.columns import Column, columns_of
from harness.schema.licences import licence_words
from harness.schema.records import RECORDS

if TYPE_CHECKING:
    import mlcroissant

_PARQUET: Final = "application/x-parquet"
_SPECIFICATIONS: Final = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
_KEYS: Final = {"devices": ["device_id"], "submissions": ["submission_id"], "columns": ["table", "column"]}
_SINGLE: Final = (
    "data_collection",
    "data_collection_missing_data",
    "data_collection_raw_data",
    "data_social_impact",
    "data_release_maintenance_plan",
)
"""Fields of the responsible-AI vocabulary that have one text; the others have several."""
_TERMS: Final = {
    "annotation": "cr:annotation",
    "arrayShape": "cr:arrayShape",
    "containedIn": "cr:containedIn",
    "description": {"@container": "@language"},
    "isArray": "cr:isArray",
    "name": {"@container": "@language"},
}
"""Terms of the JSON-LD context that version 1.1 adds to those of 1.0."""


def croissant(plan: DatasetPlan, entries: Mapping[str, FileEntry]) -> str:
    """Croissant 1.1 with its responsible-AI vocabulary as JSON-LD; paths in it are relative to the dataset folder.

    Rows of each evidence are a record set of their own, so that no reader mixes simulated with measured ones.

    Args:
        plan: the dataset.
        entries: its Parquet files as written, by path.

    Source:
        Croissant Format Specification 1.1 and Croissant RAI Specification 1.0, MLCommons. A unit is an annotation with
        a constant value (section "Annotating Data"), equivalent to `unitText` of schema.org.
    """
    import mlcroissant as mlc

    context = mlc.Context(conforms_to=_SPECIFICATIONS[0], rdf=mlc.Rdf(context=mlc.Rdf().context | _TERMS))
    publisher, nodes = plan.texts.publisher, _Nodes(context)
    metadata = mlc.Metadata(
        ctx=context,
        conforms_to=list(_SPECIFICATIONS),
        name=plan.name.replace("/", "-"),
        description=plan.text.description,
        url=f"{publisher.url}/{plan.name}",
        creators=[mlc.Organization(ctx=context, name=publisher.name)],
        version=plan.version.version,
        date_published=datetime.fromisoformat(plan.version.date),
        license=[nodes.licence(licence) for licence in licences_of(plan.release.submissions)],
        cite_as="\n\n".join(bibtex_of(plan.release.submissions, plan.texts.citations)),
        keywords=plan.text.tags,
        distribution=[
            *(nodes.file_object(entry) for entry in entries.values()),
            *(nodes.file_set(config) for config in (*plan.evidences, *plan.tables)),
        ],
        record_sets=[
            *(nodes.rows(config, RECORDS[plan.level]) for config in plan.evidences),
            *(nodes.table(config) for config in plan.tables),
        ],
        **responsible_statements(plan),
    )
    return json.dumps(metadata.to_json(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def responsible_statements(plan: DatasetPlan) -> dict[str, Any]:
    """Statements on the rows that the dataset has, by field of the vocabulary: one text, or a list of texts."""
    evidences = {config.name for config in plan.evidences}
    fields: dict[str, Any] = {}
    for name, statements in plan.texts.responsible.items():
        said = [each.says for each in statements if plan.level in each.levels and evidences & set(each.evidences)]
        if said:
            fields[name] = " ".join(said) if name in _SINGLE else said
    return fields


@dataclass(frozen=True, slots=True)
class _Nodes:
    """Makes the nodes of one description, which share their context."""

    ctx: "mlcroissant.Context"

    def licence(self, licence: str) -> "str | mlcroissant.CreativeWork":
        """Address of a licence; where it has none, what stands in its place."""
        import mlcroissant as mlc

        return licence_address(licence) or mlc.CreativeWork(
            ctx=self.ctx, name=licence, description=licence_words(licence)
        )

    def file_object(self, entry: FileEntry) -> "mlcroissant.FileObject":
        import mlcroissant as mlc

        return mlc.FileObject(
            ctx=self.ctx,
            id=entry.path,
            name=entry.path.replace("/", "-"),
            content_url=entry.path,
            content_size=f"{entry.n_bytes} B",
            encoding_formats=[_PARQUET],
            sha256=entry.sha256,
        )

    def file_set(self, config: Config) -> "mlcroissant.FileSet":
        import mlcroissant as mlc

        name = f"{config.name}-files"
        includes = [file.path for file in config.files]
        return mlc.FileSet(ctx=self.ctx, id=name, name=name, includes=includes, encoding_formats=[_PARQUET])

    def rows(self, config: Config, model: type[BaseModel]) -> "mlcroissant.RecordSet":
        """Rows of one evidence, with their side of the split."""
        import mlcroissant as mlc

        split = mlc.Field(
            ctx=self.ctx,
            id=f"{config.name}/split",
            name="split",
            description="Side of the standard split: train or test.",
            data_types=[mlc.DataType.TEXT, mlc.DataType.SPLIT],
            source=mlc.Source(
                ctx=self.ctx,
                file_set=f"{config.name}-files",
                extract=mlc.Extract(ctx=self.ctx, file_property="fullpath"),
                transforms=[mlc.Transform(ctx=self.ctx, regex=r"^(?:.*/)?(train|test)[^/]*$")],
            ),
        )
        return self._record_set(config, model, ["record_id"], split)

    def table(self, config: Config) -> "mlcroissant.RecordSet":
        """A table beside the rows."""
        return self._record_set(config, TABLES[config.name], _KEYS.get(config.name, []))

    def _record_set(
        self, config: Config, model: type[BaseModel], key: list[str], *more: "mlcroissant.Field"
    ) -> "mlcroissant.RecordSet":
        import mlcroissant as mlc

        return mlc.RecordSet(
            ctx=self.ctx,
            id=config.name,
            name=config.name,
            description=config.description,
            key=[f"{config.name}/{column}" for column in key] or None,
            fields=[*(self._field(config.name, column) for column in columns_of(model).values()), *more],
        )

    def _field(self, record_set: str, column: Column, within: Column | None = None) -> "mlcroissant.Field":
        """Field of a column; that of a nested record holds one sub-field for each field of the record."""
        import mlcroissant as mlc

        path = [record_set, *([within.name] if within else []), column.name]
        field = mlc.Field(
            ctx=self.ctx,
            id="/".join(path),
            name=column.name,
            description=column.quantity.sentence,
            is_array=column.is_list or None,
            annotations=[self._unit("/".join(path), column.quantity.unit)] if column.quantity.unit else [],
        )
        if column.fields:
            field.sub_fields = [self._field(record_set, inner, column) for inner in column.fields.values()]
            return field
        field.data_types = [_data_type(column)]
        field.source = mlc.Source(
            ctx=self.ctx,
            file_set=f"{record_set}-files",
            extract=mlc.Extract(ctx=self.ctx, column=(within or column).name),
            transforms=[mlc.Transform(ctx=self.ctx, json_path=column.name)] if within else [],
        )
        return field

    def _unit(self, field: str, unit: str) -> "mlcroissant.Field":
        import mlcroissant as mlc

        return mlc.Field(
            ctx=self.ctx,
            id=f"{field}/unit",
            name="unit",
            data_types=[mlc.DataType.TEXT],
            equivalentProperty=["https://schema.org/unitText"],
            value=unit,
        )


def _data_type(column: Column) -> Any:
    import mlcroissant as mlc

    types: dict[type, Any] = {
        float: mlc.DataType.FLOAT,
        int: mlc.DataType.INTEGER,
        bool: mlc.DataType.BOOL,
        str: mlc.DataType.TEXT,
    }
    return types[column.python_type]
