"""Columns that the schema declares reach the tables of a device."""

from typing import Annotated

import pytest
from pydantic import create_model

from harness.pages.declared import cell, columns_in, fact, in_order, table_column
from harness.pages.device_entries import DeviceEntry, device_entries
from harness.pages.device_tables import kernels_table, records_table
from harness.pages.tables import TableColumn
from harness.releases import Release
from harness.schema.columns import Column, columns_of
from harness.schema.quantity import Display, Quantity
from harness.schema.records import RECORDS, ModelRecord
from harness.scoring.ratings import rate
from harness.scoring.suite import suites

TEMPERATURE = Quantity("\N{DEGREE SIGN}C", "A temperature.", "", "", group="condition", display=Display("Temperature"))


@pytest.fixture(scope="module")
def entries(release: Release) -> dict[str, DeviceEntry]:
    places = suites(release)
    return {entry.device_id: entry for entry in device_entries(release, rate(release, places), places)}


def column(quantity: Quantity, kind: type = float) -> Column:
    model = create_model("Row", value=(Annotated[kind, quantity] | None, None))
    return columns_of(model)["value"]


def test_new_column_of_a_record_is_in_the_tables_of_its_rows() -> None:
    record = create_model("Record", __base__=ModelRecord, temperature_c=(Annotated[float, TEMPERATURE] | None, None))
    found = columns_in([record], "networks")["temperature_c"]
    assert table_column(found) == TableColumn("temperature_c", "Temperature", "\N{DEGREE SIGN}C", is_number=True)
    assert cell(found, 21.50001).shown == "21.5"


def test_column_is_only_in_the_tables_that_it_declares() -> None:
    in_kernels, in_networks = columns_in([RECORDS["kernels"]], "kernels"), columns_in([RECORDS["models"]], "networks")
    for name, declared in (columns_of(RECORDS["kernels"]) | columns_of(RECORDS["models"])).items():
        assert (name in in_kernels) <= ("kernels" in declared.display.tables)
        assert (name in in_networks) <= ("networks" in declared.display.tables)
    assert "supply_mv" not in in_kernels
    assert "batch_size" not in in_networks


def test_download_of_kernels_has_every_column_that_is_declared_for_it(entries: dict[str, DeviceEntry]) -> None:
    table = kernels_table(entries["acme-phone"])
    assert table is not None
    assert {shown.key for shown in table.columns} == set(columns_in([RECORDS["kernels"]], "kernels"))
    energies = [row["energy_mj"] for row in entries["acme-phone"].rows["kernels"]]
    place = [shown.key for shown in table.columns].index("energy_mj")
    assert [row[place].value for row in table.rows] == energies


def test_table_of_networks_has_every_declared_column_that_is_filled(entries: dict[str, DeviceEntry]) -> None:
    declared = columns_in([RECORDS["applications"], RECORDS["models"]], "networks")
    for entry in entries.values():
        table = records_table(entry)
        if table is not None:
            rows = [row for level in ("applications", "models") for row in entry.rows.get(level, [])]
            filled = {name for name in declared if any(row.get(name) is not None for row in rows)}
            assert {shown.key for shown in table.columns} == {"network", *filled}


def test_columns_stand_first_last_or_in_their_own_order_between() -> None:
    columns = columns_of(ModelRecord)
    ordered = in_order({name: columns[name] for name in ("model", "family", "dtype", "tier")}, ["dtype"], ["model"])
    assert [shown.name for shown in ordered] == ["dtype", "family", "tier", "model"]


@pytest.mark.parametrize(
    ("quantity", "kind", "value", "as_cell", "as_fact"),
    [
        (TEMPERATURE, float, 21.123456789, "21.1235", "21.1235 \N{DEGREE SIGN}C"),
        (Quantity("", "", "", "", display=Display("N", digits=2)), int, 123, "120", "120"),
        (Quantity("", "", "", "", display=Display("Is")), bool, False, "no", "no"),
        (Quantity("", "", "", "", display=Display("Words")), str, "a_b", "a&#95;b", "a_b"),
        (
            Quantity("", "", "", "", display=Display("Id", is_code=True)), str, "a",
            "<code>a</code>", "<code>a</code>",
        ),
        (Quantity("", "", "", "", display=Display("Rounds")), list[str], ["v1", "v2"], "v1, v2", "v1, v2"),
        (Quantity("", "", "", "", display=Display("Rounds")), list[str], [], "\N{EN DASH}", None),
        (Quantity("", "", "", "", display=Display("Code", is_code=True)), str, None, "\N{EN DASH}", None),
        (TEMPERATURE, float, None, "\N{EN DASH}", None),
    ],
)  # fmt: skip
def test_values_are_shown_as_their_column_declares(
    quantity: Quantity, kind: type, value: object, as_cell: str, as_fact: str | None
) -> None:
    declared = column(quantity, kind)
    assert cell(declared, value).shown == as_cell
    assert fact(declared, value) == as_fact
