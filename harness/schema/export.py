"""Forms of the schema for readers and tools: Markdown tables, JSON Schema, comments above a CSV header.

It declares nothing; quantities are in `harness.schema.quantities`. Cards and reports are Markdown that people also read
as source, so text is escaped by backslashes; pages, where Markdown and HTML mix, need `harness.pages.markup.plain`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from harness.schema.calibrations import CalibrationOutput
from harness.schema.columns import Column, flat_columns
from harness.schema.facts import Device, Manifest
from harness.schema.networks import Network
from harness.schema.outputs import ChoiceOutput, KernelsOutput, PredictableOutput, PredictionOutput
from harness.schema.plans import Plan
from harness.schema.records import RECORDS, ROWS
from harness.schema.vocabulary import Level

_MARKUP = re.compile(r"([\\`*_\[\]<>|~$&])")
_LINE_START = re.compile(r"^([#+=-]|[0-9]+(?=[.)]\s))")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SCHEMA_FILES: Final[dict[str, type[BaseModel]]] = {
    **{f"{level.removesuffix('s')}-row": model for level, model in ROWS.items()},
    **{f"{level.removesuffix('s')}-record": model for level, model in RECORDS.items()},
    "device": Device,
    "submission": Manifest,
    "network": Network,
    "kernels-output": KernelsOutput,
    "prediction-output": PredictionOutput,
    "predictable-output": PredictableOutput,
    "choice-output": ChoiceOutput,
    "calibration-output": CalibrationOutput,
    "plan": Plan,
}


class Markdown(str):
    """Text that is Markdown already, so that nothing escapes it again."""

    __slots__ = ()


def escape_markdown(value: object) -> Markdown:
    r"""Value as one line of Markdown that is shown literally; an absent value is empty.

    >>> escape_markdown("a|b\n<i> *c*")
    'a\\|b \\<i\\> \\*c\\*'
    """
    if isinstance(value, Markdown):
        return value
    if value is None:
        return Markdown("")
    if isinstance(value, int | float):
        return Markdown(str(value))
    line = _MARKUP.sub(r"\\\1", " ".join(str(value).split()))
    return Markdown(_LINE_START.sub(_as_text, line))


def _as_text(start: re.Match[str]) -> str:
    """Start of a line, escaped so that it begins no list, heading or rule."""
    return f"{start[0]}\\" if start[0].isdigit() else f"\\{start[0]}"


def code_span(value: object) -> Markdown:
    """Value as inline code; a backtick cannot occur in it, so it becomes an apostrophe.

    >>> code_span("energy_mj")
    '`energy_mj`'
    """
    return Markdown("`" + " ".join(str(value).split()).replace("`", "'").replace("|", "\\|") + "`")


def autolink(value: str) -> Markdown:
    """Address as a link; any other text is escaped.

    >>> autolink("https://example.org/a_b"), autolink("a_b")
    ('<https://example.org/a_b>', 'a\\\\_b')
    """
    if value.startswith(("http://", "https://")):
        return Markdown(f"<{value.replace('|', '%7C')}>")
    return escape_markdown(value)


def markdown_table(rows: Sequence[Mapping[str, object]]) -> Markdown:
    r"""Markdown table of rows that share their keys; the keys are the header.

    >>> print(markdown_table([{"unit": "mJ", "n": 3}, {"unit": "a|b", "n": None}]))
    | unit | n |
    |---|---|
    | mJ | 3 |
    | a\|b |  |
    """
    if not rows:
        return Markdown("")
    header = list(rows[0])
    cells: list[list[object]] = [list(header), *([row[name] for name in header] for row in rows)]
    lines = ["| " + " | ".join(escape_markdown(cell) for cell in line) + " |" for line in cells]
    lines.insert(1, "|" + "---|" * len(header))
    return Markdown("\n".join(lines))


def _type_in_words(column: Column) -> str:
    plain = {float: "float", int: "integer", bool: "boolean", str: "text"}
    name = plain.get(column.python_type, "record")
    return f"list of {name}" if column.is_list else name


def field_table(model: type[BaseModel]) -> list[dict[str, str]]:
    """One row per column of a model: field, type, unit, meaning, and the values it admits.

    Fields of a nested record follow its column, under dotted names.

    Args:
        model: a row or record model.
    """
    return [
        {
            "field": name,
            "type": _type_in_words(column),
            "unit": column.quantity.unit,
            "required": "yes" if column.is_required else "no",
            "meaning": column.quantity.sentence,
            "values": column.expected,
        }
        for name, column in flat_columns(model)
    ]


def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schemas by file name: the three rows, the three records, YAML files, kernel lists, and outputs as JSON."""
    return {
        f"{name}.schema.json": {"$schema": _DIALECT, **model.model_json_schema()}
        for name, model in _SCHEMA_FILES.items()
    }


def schema_text(schema: Mapping[str, Any]) -> str:
    """A JSON Schema as the contents of its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def csv_header_help(level: Level) -> list[str]:
    """Comment lines that explain each column of a level's CSV file, in the order of its header."""
    lines = []
    for row in field_table(ROWS[level]):
        unit = f" [{row['unit']}]" if row["unit"] else ""
        need = "required" if row["required"] == "yes" else "may stay empty"
        lines.append(f"# {row['field']}{unit}, {need}: {row['meaning']} Expected: {row['values']}.")
    return lines
