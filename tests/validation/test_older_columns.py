"""Tables, traces and errata that state the kind of energy by the older column are read as they were."""

import pytest

from harness.schema.columns import columns_of
from harness.schema.facts import Erratum
from harness.schema.records import KernelRow
from harness.validation.faults import Faults
from harness.validation.table import header_of, read_table
from tests.validation.bound import bind, report
from tests.validation.golden import BASE, lay_out

CLEAN = "10 rows, 0 errors, 0 warnings"

OLDER = (BASE / "acme-phone/2026-10/kernels.csv").read_bytes()
TODAY = OLDER.replace(b"is_idle_subtracted", b"energy_kind").replace(b",false,", b",absolute,")


@pytest.fixture
def root(tmp_path):
    return lay_out(None, tmp_path)


def read(data):
    faults = Faults()
    rows = read_table(data, header_of(data), columns_of(KernelRow), "kernels.csv", faults)
    return rows, [(issue.rule, issue.line, issue.column, issue.found) for issue in faults.issues]


@pytest.mark.parametrize("change", [lambda data: data, lambda data: data.replace(b"12.400", b'"12.400"')])
def test_older_column_gives_the_same_table_as_that_of_today(change):
    older, today = (read(change(data)) for data in (OLDER, TODAY))
    assert older[0].table.to_pylist() == today[0].table.to_pylist()
    assert older[1] == today[1] == []


@pytest.mark.parametrize("word", [b"true", b"True", b"TRUE"])
def test_true_is_idle_subtracted(word):
    rows, _ = read(OLDER.replace(b"false", word, 1))
    assert rows.table.column("energy_kind").to_pylist()[:2] == ["idle-subtracted", "absolute"]


def test_word_of_today_in_the_older_column_is_no_truth_value():
    rows, found = read(OLDER.replace(b"false", b"absolute", 1))
    assert found == [("boolean", 2, "is_idle_subtracted", "absolute")]
    assert rows.untyped["energy_kind"] == {0}
    assert rows.table.column("energy_kind")[0].as_py() is None


def test_empty_cell_is_reported_under_the_name_that_the_file_has(root):
    path = root / "acme-phone" / "2026-10" / "kernels.csv"
    path.write_bytes(OLDER.replace(b"false", b"", 1))
    assert "kernels.csv:2: is_idle_subtracted = nothing; expected true or false. Fill in the cell" in report(root)
    path.write_bytes(TODAY.replace(b"absolute", b"", 1))
    assert "kernels.csv:2: energy_kind = nothing; expected one of absolute, idle-subtracted, dynamic" in report(root)


def test_misspelt_older_column_is_asked_for_once(root):
    path = root / "acme-phone" / "2026-10" / "kernels.csv"
    path.write_bytes(OLDER.replace(b"is_idle_subtracted", b"is_idle_substracted"))
    found = report(root)
    assert "Did you mean is_idle_subtracted?" in found
    assert "[header-missing]" not in found


def test_trace_selects_its_row_by_the_older_column(root):
    bind(root, where={"variant": "1.0", "is_idle_subtracted": "false"})
    assert report(root) == CLEAN


def test_selection_by_both_names_is_refused(root):
    bind(root, where={"is_idle_subtracted": "false", "energy_kind": "absolute"})
    assert "expected either energy_kind or is_idle_subtracted" in report(root)


def test_erratum_selects_its_row_by_the_older_column():
    erratum = {"field": "energy_mj", "where": {"is_idle_subtracted": "True"}, "printed": 1, "used": 2, "why": "Slip."}
    assert Erratum.model_validate(erratum).where == {"energy_kind": "idle-subtracted"}
