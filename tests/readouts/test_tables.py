import pytest

from harness.readouts.tables import read_out_tables, read_outs
from harness.schema.columns import columns_of
from harness.schema.readouts import READ_OUTS
from tests.campaigns import board_campaign, kernel_campaign
from tests.readouts.boards import board, release, row
from tests.readouts.test_runtime_ratios import stack

UNITS = {"_mj": "mJ", "_ms": "ms", "_mw": "mW", "_percent": "%"}


def full():
    rows = [
        row(name, energy, accuracy, power_mw=9.0, idle_before_mw=3.0, idle_after_mw=3.0)
        for name, energy, accuracy in (("a", 1.0, 60.0), ("b", 2.0, 70.0))
    ]
    return release(board(rows), stack("armnn", 1.0), stack("tflite", 2.0), board_campaign(), kernel_campaign())


def test_tables_have_the_rows_and_the_units_that_are_declared():
    found, tables = read_outs(full()), read_out_tables(full())
    for name, table in tables.items():
        assert table.num_rows == len(found[name]) > 0
        assert table.to_pylist() == [each.model_dump() for each in found[name]]
        for field in table.schema:
            assert field.nullable or table.column(field.name).null_count == 0, field.name
            assert field.metadata[b"description"]
            unit = next((unit for ending, unit in UNITS.items() if field.name.endswith(ending)), None)
            assert field.metadata.get(b"unit", b"").decode() == (unit or ""), field.name


def test_a_release_without_networks_has_empty_tables_of_the_same_columns():
    for name, table in read_out_tables(release(kernel_campaign())).items():
        assert table.num_rows == 0
        assert table.column_names == list(columns_of(READ_OUTS[name]))


@pytest.mark.parametrize("name", READ_OUTS)
def test_no_read_out_depends_on_the_order_of_the_campaigns(name):
    campaigns = [stack("armnn", 1.0), stack("tflite", 2.0), board([row("a", 1.0, 60.0), row("b", 2.0, 70.0)])]
    assert read_outs(release(*campaigns))[name] == read_outs(release(*campaigns[::-1]))[name]
