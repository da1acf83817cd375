"""Cells that the mapping of a folder of traces states for its runs."""

import pytest
from pydantic import ValidationError

from harness.intake.run_mapping import CELLS, RunFacts
from harness.schema.columns import columns_of
from harness.schema.records import ROWS


def test_run_states_every_column_that_its_trace_does_not_give():
    groups = {name: column.quantity.group for name, column in columns_of(ROWS["models"]).items()}
    assert set(CELLS) == {
        name for name, group in groups.items() if group in ("workload", "setting", "condition")
    } - {"energy_kind"}  # fmt: skip
    stated = dict.fromkeys(CELLS, "1")
    assert RunFacts(**stated).cells == stated


def test_cells_that_are_left_out_are_absent_apart_from_those_that_a_row_needs():
    assert RunFacts().cells == {"family": "unstated", "dtype": "unstated"}


def test_numbers_become_the_text_of_a_cell():
    assert RunFacts(supply_mv=3300, model=1.5).cells == {
        "supply_mv": "3300", "model": "1.5", "family": "unstated", "dtype": "unstated",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["energy_mj", "energy_kind", "record_id", "voltage"])
def test_what_the_trace_gives_or_nobody_declares_cannot_be_stated(name):
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        RunFacts(**{name: "1"})
