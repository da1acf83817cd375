import gzip
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.traces.blocks import csv_blocks, is_at_most, values_of
from harness.traces.trace import TraceFault, TraceFormatError

NAMES = ("time", "note", "power")
TYPES = {"time": pa.int64(), "power": pa.float64()}


def write(path, rows, end="\n"):
    path.write_bytes(("time,note,power\n" + end.join(f"{t},x,{p}" for t, p in rows)).encode())
    return path


def read(path, block_bytes=1 << 20):
    return list(csv_blocks(path, NAMES, TYPES, n_header_lines=1, block_bytes=block_bytes))


def fault_of(path, block_bytes):
    with pytest.raises(TraceFormatError) as caught:
        read(path, block_bytes)
    return caught.value.fault


@given(st.integers(1, 300), st.integers(0, 60), st.sampled_from(["\n", "\r\n"]))
def test_every_row_comes_once_and_in_order_whatever_the_block(tmp_path_factory, block_bytes, n_rows, end):
    path = write(tmp_path_factory.getbasetemp() / "blocks.csv", [(k, k / 4) for k in range(n_rows)], end)
    tables = read(path, block_bytes)
    assert [time for table in tables for time in table.column("time").to_pylist()] == list(range(n_rows))
    assert [power for table in tables for power in table.column("power").to_pylist()] == [k / 4 for k in range(n_rows)]


def test_wanted_columns_alone_are_read(tmp_path):
    (table,) = read(write(tmp_path / "a.csv", [(1, 2.5)]))
    assert table.column_names == ["time", "power"]
    assert table.column("power").to_numpy().dtype == np.float64


@pytest.mark.parametrize("block_bytes", [16, 64, 1 << 20])
@pytest.mark.parametrize("bad", ["word,x,1", "50,x,word", "50,x", "50,x,1,2", "50.5,x,1", "50,x,1_0", "9e9,x,1"])
def test_row_that_does_not_fit_is_named_with_its_line(tmp_path, bad, block_bytes):
    rows = [f"{k},x,{k}" for k in range(100)]
    rows[50] = bad
    path = tmp_path / "a.csv"
    path.write_text("time,note,power\n" + "\n".join(rows) + "\n")
    fault = fault_of(path, block_bytes)
    fix = "Export the trace again, or cut the file before this line."
    expected = "3 cells, with numbers for time, power, a whole one for time"
    assert fault == TraceFault("trace-format", bad, expected, fix, 52)


def test_blank_lines_count_as_lines(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("time,note,power\n" + "\n" * 40 + "1,x,1\n\n\nbad\n")
    for block_bytes in (8, 1 << 20):
        assert fault_of(path, block_bytes).line == 45


@pytest.mark.parametrize("bad", [" ", "  \t", "  \r"])
def test_line_of_spaces_is_a_row_that_does_not_fit_and_is_named(tmp_path, bad):
    path = tmp_path / "a.csv"
    path.write_text(f"time,note,power\n1,x,1\n2,x,2\n{bad}\n3,x,3\n", newline="")
    for block_bytes in (8, 1 << 20):
        assert fault_of(path, block_bytes).line == 4


def test_values_of_a_column_are_those_of_arrow_and_an_empty_cell_is_none(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("time,note,power\n9007199254740993,x,1.5\n2,x,\n")
    (table,) = read(path)
    assert values_of(table.column("time")).tolist() == [9007199254740993, 2]
    np.testing.assert_array_equal(values_of(table.column("power")), [1.5, np.nan])


def test_reading_numbers_imports_no_pandas(tmp_path):
    """Arrow imports it for its own arrays, and an interruption during that import is lost."""
    write(tmp_path / "a.csv", [(1, 2.5)])
    code = (
        "import pathlib, sys, pyarrow as pa\n"
        "from harness.traces.blocks import csv_blocks, values_of\n"
        "types = {'time': pa.int64(), 'power': pa.float64()}\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "for table in csv_blocks(path, ('time', 'note', 'power'), types, n_header_lines=1):\n"
        "    print(*values_of(table.column('power')), 'pandas' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.csv")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "2.5 False\n"


def test_row_longer_than_a_block_is_read_or_refused_and_not_waited_for(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"time,note,power\n1,{'x' * 100_000},2\n3,y,4\n")
    tables = read(path, 16)
    assert [time for table in tables for time in table.column("time").to_pylist()] == [1, 3]
    path.write_text(f"time,note,power\n1,{'x' * 3_000_000},2\n")
    fault = fault_of(path, 16)
    assert (fault.rule, fault.line) == ("line-length", 2)


def test_reading_can_be_left_off(tmp_path):
    path = write(tmp_path / "a.csv", [(k, k) for k in range(1000)])
    blocks = csv_blocks(path, NAMES, TYPES, n_header_lines=1, block_bytes=64)
    assert next(blocks).num_rows
    blocks.close()
    path.unlink()


@given(st.integers(1, 300), st.integers(0, 60))
def test_compressed_rows_are_the_same_whatever_the_block(tmp_path_factory, block_bytes, n_rows):
    path = write(tmp_path_factory.getbasetemp() / "packed.csv", [(k, k / 4) for k in range(n_rows)])
    path.write_bytes(gzip.compress(path.read_bytes()))
    tables = read(path, block_bytes)
    assert [time for table in tables for time in table.column("time").to_pylist()] == list(range(n_rows))


def test_cells_may_have_other_signs_and_be_cleaned(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"time;note;power\n1;x;'2,5'\n2;y;'3'\n")
    (table,) = csv_blocks(
        path, NAMES, TYPES, n_header_lines=1, separator=";", decimal=",", clean=lambda data: data.replace(b"'", b"")
    )
    assert table.column("power").to_pylist() == [2.5, 3.0]
    path.write_bytes(b"time;note;power\n1;x;2,5\n2;y;2,x\n")
    with pytest.raises(TraceFormatError) as caught:
        list(csv_blocks(path, NAMES, TYPES, n_header_lines=1, separator=";", decimal=","))
    assert (caught.value.fault.found, caught.value.fault.line) == ("2;y;2,x", 3)


@pytest.mark.parametrize("is_packed", [False, True])
def test_size_is_that_of_what_a_file_holds(tmp_path, is_packed):
    path = tmp_path / "a.csv"
    path.write_bytes(gzip.compress(b"x" * 1000) if is_packed else b"x" * 1000)
    assert [is_at_most(path, n_bytes) for n_bytes in (999, 1000)] == [False, True]


@pytest.mark.parametrize("content", [b"", b"time,note,power", b"time,note,power\n", b"time,note,power\n\n\r\n \n"])
def test_file_without_rows_has_no_tables(tmp_path, content):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert sum(table.num_rows for table in read(path)) == 0
