"""Field tables of the schema page, as the models declare them."""

import pytest

from harness.pages.fields import device_yaml_table, network_table, record_table, row_table, submission_yaml_table
from harness.pages.tables import Table
from harness.schema.columns import flat_columns
from harness.schema.records import RECORDS, ROWS
from harness.schema.vocabulary import LEVELS


def fields_of(table: Table) -> dict[str, dict[str, str | None]]:
    keys = [column.key for column in table.columns]
    rows = [dict(zip(keys, (cell.value for cell in row), strict=True)) for row in table.rows]
    return {str(row.pop("field")): row for row in rows}


@pytest.mark.parametrize("level", LEVELS)
def test_columns_are_listed_with_their_unit_and_meaning(level: str) -> None:
    for table, model in ((row_table(level), ROWS[level]), (record_table(level), RECORDS[level])):
        found = fields_of(table)
        expected = {
            name: (column.quantity.unit or None, column.quantity.sentence) for name, column in flat_columns(model)
        }
        assert {name: (row["unit"], row["meaning"]) for name, row in found.items()} == expected


def test_fields_of_yaml_files_are_listed_with_type_and_admitted_values() -> None:
    device, submission = fields_of(device_yaml_table()), fields_of(submission_yaml_table())
    assert device["delegates"]["type"] == "mapping of text to text"
    assert device["errata.where"]["type"] == "mapping of text to text"
    assert (device["year"]["type"], device["year"]["admitted"]) == ("whole number", ">= 1990 and <= 2100")
    assert (submission["schema_version"]["type"], submission["schema_version"]["admitted"]) == (
        "whole number", "one of 1",
    )  # fmt: skip
    assert submission["contributors"]["type"] == "list of text"
    assert submission["meter"]["type"] == "section"
    assert (submission["meter.sampling_hz"]["unit"], submission["meter.sampling_hz"]["required"]) == ("Hz", "no")
    assert submission["traces"]["type"] == "list of section"
    assert submission["traces.power.sha256"]["required"] == "yes"
    assert fields_of(network_table())["kernels.bytes_moved"]["unit"] == "B"
