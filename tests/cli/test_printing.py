"""Tables are the same to read however they are drawn: as plain lines where a pipe takes them, by rich elsewhere."""

import io
import os
import re
from contextlib import redirect_stdout
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cli.printing import print_table

_STYLES = re.compile(r"\x1b\[[0-9;]*m")
_WIDTH = 400

texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12).map(str.strip)
cells = texts | st.sampled_from([":smile:", "[bold]", "[/]", "http://a.b", "1,234.5 mJ", "None", "3x3"])
"""Text without spaces at its ends, some of which rich draws otherwise where it is markup."""


@st.composite
def tables(draw):
    """Headings, rows, and the headings of the columns that are aligned on the left."""
    headings = draw(st.lists(cells.filter(bool), min_size=1, max_size=6, unique=True))
    rows = draw(st.lists(st.tuples(*[cells] * len(headings)), max_size=5))
    return headings, rows, draw(st.lists(st.sampled_from(headings)))


def printed(table, title, **environment):
    headings, rows, left = table
    with patch.dict(os.environ, environment), redirect_stdout(io.StringIO()) as output:
        print_table(headings, rows, left=left, width=_WIDTH, title=title)
    return _STYLES.sub("", output.getvalue())


@settings(max_examples=500)
@given(table=tables(), title=st.sampled_from(["", "Kernels", "a [bold] title"]))
def test_plain_lines_are_the_table_that_rich_draws(table, title):
    plain = printed(table, title)
    drawn = printed(table, title, FORCE_COLOR="1", COLUMNS=str(_WIDTH))
    assert plain == drawn


@given(table=tables())
def test_every_cell_is_in_its_row_and_column(table):
    headings, rows, left = table
    lines = printed(table, "").splitlines()
    assert len(lines) == len(rows) + 4
    for row, line in zip((headings, *rows), (lines[1], *lines[3:-1]), strict=True):
        sides = zip(row, headings, re.split(r"[┃│]", line)[1:-1], strict=True)
        for cell, heading, shown in sides:
            padded = cell.ljust(len(shown) - 2) if heading in left else cell.rjust(len(shown) - 2)
            assert shown == f" {padded} "


@given(row=st.tuples(cells, cells))
def test_a_table_that_is_too_wide_or_not_plain_has_the_same_cells(row):
    words = " ".join(row).split()
    for table in ((["a", "é"], [row], []), (["a", "b" * _WIDTH], [row], [])):
        shown = printed(table, "")
        assert all(word in shown for word in words)
