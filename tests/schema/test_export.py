"""Derived forms of the schema: they mention every column and let no markup through."""

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness.schema.columns import columns_of, flat_columns
from harness.schema.export import (
    autolink,
    code_span,
    csv_header_help,
    escape_markdown,
    field_table,
    json_schemas,
    markdown_table,
)
from harness.schema.facts import Device, DeviceRecord, ErratumRecord, Manifest, SubmissionRecord
from harness.schema.networks import Network
from harness.schema.records import RECORDS, ROWS
from harness.schema.vocabulary import LEVELS
from tests.campaigns import board_campaign
from tests.kernel_lists import CONV, FC, as_json

MODELS = [*ROWS.values(), *RECORDS.values(), DeviceRecord, SubmissionRecord, ErratumRecord]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_field_table_has_one_row_per_column_with_its_unit_and_meaning(model):
    rows = field_table(model)
    columns = dict(flat_columns(model))
    assert [row["field"] for row in rows] == list(columns)
    for row in rows:
        assert row["unit"] == columns[row["field"]].quantity.unit
        assert row["meaning"]


def test_markdown_table_of_nothing_is_empty():
    assert markdown_table([]) == ""


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=60))
def test_escaped_text_renders_as_it_stands_and_never_as_markup(text):
    rendered = MarkdownIt("commonmark").enable("table").render(f"- {escape_markdown(text)}")
    tokens = MarkdownIt("commonmark").enable("table").parse(f"- {escape_markdown(text)}")
    inline = [child.type for token in tokens for child in token.children or []]
    assert set(inline) <= {"text", "text_special"}, rendered
    assert "".join(child.content for token in tokens for child in token.children or []) == " ".join(text.split())


@pytest.mark.parametrize("cell", ["a|b", "<script>", "[x](javascript:y)", "`code`", "two\nlines", "# head", "1. one"])
def test_table_keeps_its_columns_whatever_the_cells_hold(cell):
    table = MarkdownIt("commonmark").enable("table").parse(markdown_table([{"a": cell, "b": code_span(cell)}]))
    assert sum(token.type == "td_open" for token in table) == 2
    assert not any(child.type in ("html_inline", "link_open") for token in table for child in token.children or [])


def test_autolink_keeps_an_address_with_underscores_and_escapes_other_text():
    assert autolink("https://example.org/a_b") == "<https://example.org/a_b>"
    assert autolink("javascript:a_b") == r"javascript:a\_b"


def test_json_schemas_are_valid_and_carry_units():
    schemas = json_schemas()
    described = {schema["title"] for schema in schemas.values()}
    assert described >= {model.__name__ for model in (*ROWS.values(), *RECORDS.values(), Device, Manifest, Network)}
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for name in ("kernel-row", "model-record", "application-record"):
        assert schemas[f"{name}.schema.json"]["properties"]["energy_mj"]["unit"] == "mJ"


def test_nested_records_are_in_every_form_of_the_schema():
    fields = {row["field"]: row for row in field_table(RECORDS["models"])}
    assert fields["kernels"]["type"] == "list of record"
    assert (fields["kernels.bytes_moved"]["unit"], fields["kernels.operator"]["required"]) == ("B", "yes")
    for name, record in (("model-record", "PublishedKernel"), ("network", "NetworkKernel")):
        entry = json_schemas()[f"{name}.schema.json"]["$defs"][record]
        assert entry["properties"]["bytes_moved"]["anyOf"][0]["unit"] == "B"
        assert set(entry["required"]) == {"operator", "dtype", "flops", "params", "bytes_moved"}


def test_json_schema_admits_a_kernel_list():
    jsonschema.validate(json.loads(as_json("m", CONV, FC)), json_schemas()["network.schema.json"])


def test_json_schemas_admit_a_valid_device_and_submission():
    campaign = board_campaign()
    schemas = json_schemas()
    for name, facts in (("device", campaign.device), ("submission", campaign.manifest)):
        jsonschema.validate(facts.model_dump(mode="json", exclude_none=True), schemas[f"{name}.schema.json"])


@pytest.mark.parametrize("level", LEVELS)
def test_csv_help_explains_every_column_in_one_comment_line(level):
    lines = csv_header_help(level)
    assert [line.split()[1].rstrip(",") for line in lines] == list(columns_of(ROWS[level]))
    assert all(line.startswith("# ") and "\n" not in line for line in lines)
    assert any("energy_mj [mJ], required" in line for line in lines)


def test_an_address_with_a_vertical_bar_stays_one_cell_of_a_table():
    assert autolink("https://example.org/a|b") == "<https://example.org/a%7Cb>"


@pytest.mark.parametrize(("text", "escaped"), [("1. one", r"1\. one"), ("1) one", r"1\) one"), ("1.5 mJ", "1.5 mJ")])
def test_a_number_that_would_begin_a_list_is_escaped(text, escaped):
    assert escape_markdown(text) == escaped
