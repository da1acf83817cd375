import pytest

from harness.schema.columns import columns_of
from harness.schema.records import KernelRow
from harness.validation.faults import Faults
from harness.validation.table import header_of, read_table
from tests.validation.golden import BASE

SOUND = (BASE / "acme-phone/2026-10/kernels.csv").read_bytes()


def is_read_by_arrow_alone(data):
    rows = read_table(data, header_of(data), columns_of(KernelRow), "kernels.csv", Faults())
    # Cell by cell every column has its set of faulty rows; Arrow alone takes only files without any.
    return rows.untyped == {}


def test_sound_file_is_read_by_arrow_alone():
    assert is_read_by_arrow_alone(SOUND)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"12.400", b"nan"),
        (b"12.400", b"1e400"),
        (b"relu,56", b"relu,0x38"),
        (b"CPU1", b" CPU1"),
        (b",K1", b",K1 "),
        (b"fp32", b"\xc2\xa0fp32"),
        (b"12.400", b'"12.400"'),
        (b"cin2", b"cin"),
    ],
)
def test_file_that_arrow_reads_otherwise_is_read_cell_by_cell(old, new):
    assert old in SOUND
    assert not is_read_by_arrow_alone(SOUND.replace(old, new, 1))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_are_found_again_whatever_ends_them(end):
    data = SOUND.replace(b"\n", end)
    rows = read_table(data, header_of(data), columns_of(KernelRow), "kernels.csv", Faults())
    assert [rows.line(row) for row in range(6)] == [2, 3, 4, 5, 6, 7]
    assert rows.text(5, "source_id") == "K6"
    assert rows.text(5, "n_runs") == "50"
    assert rows.text(5, "groups") == ""
