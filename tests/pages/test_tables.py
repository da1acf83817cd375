"""Tables and their downloads."""

import csv

import pytest

from harness.pages.tables import Table, TableColumn, number, text


def downloaded(cell: object) -> str:
    table = Table("t", "A table", [TableColumn("value", "Value")], [[cell]])
    header, row = csv.reader(table.csv_text().splitlines())
    assert header == ["value"]
    return row[0]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@"])
def test_text_that_begins_like_a_formula_is_no_formula_in_the_download(sign: str) -> None:
    assert downloaded(text(f"{sign}1+1")) == f"'{sign}1+1"
    assert downloaded(text(sign)) == f"'{sign}"
    assert downloaded(text(f"1{sign}1")) == f"1{sign}1"


def test_numbers_and_absent_values_are_downloaded_as_they_are() -> None:
    assert downloaded(number(-1.5)) == "-1.5"
    assert downloaded(number(None)) == ""
    assert downloaded(text(None)) == ""
    assert downloaded(text("")) == ""


def test_a_figure_that_is_not_a_number_is_absent() -> None:
    assert number(float("nan")) == number(None)
