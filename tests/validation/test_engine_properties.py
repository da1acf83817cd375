"""What must hold of validation whatever is in the files."""

import csv
import io
import itertools
import re
import tempfile
from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from harness.errors import UsageError
from harness.issues import as_text
from harness.schema.columns import columns_of
from harness.schema.records import ROWS
from harness.schema.vocabulary import LEVELS
from harness.validation import validate
from harness.validation.faults import Faults
from harness.validation.levels import check_rows
from harness.validation.table import TableSource, numbered_rows
from harness.validation.text import line_starts
from tests.kernel_lists import RESNET, as_json
from tests.strategies import values
from tests.validation.golden import CASES, lay_out
from tests.validation.hostile import CAMPAIGN, network
from tests.validation.hostile import CASES as HOSTILE

PATIENT = settings(max_examples=40, suppress_health_check=list(HealthCheck))

# Texts that break bounds, or that programs read differently.
WORDS = """
0 -0 -0.0 +1 1. .5 -.5 1e3 1E+3 1e400 1e-400 1e-5 007 -1 1.0 1.00 1.5 0x10 0X1F 1_0 1.000.000 1'000 nan NaN -nan inf
-inf Infinity nan(1) \u0661\u0662 \uff15 9223372036854775807 9223372036854775808 -9223372036854775808 1e9 1000000001
1000000 1000001 99 100 1e6 1000001.0 true True TRUE false tRUE yes 1 fp32 FP32 float32 CPU1 conv-bn-relu relu ReLU
DNN1 DNN12 DNN13 224x224 224X224 0x5 v1.0 v1.0;v1.1 v1.0; v1 1.2.3.4 ; <b> a<b a\u202eb a\u200bb a_b -
"""
CRAFTED = st.sampled_from([*WORDS.split(), "\u2028", "a\x85b", "\xa01", "a b"])


def text_of(value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ";".join(value)
    return repr(value) if isinstance(value, float) else str(value)


def cell_texts(column, junk):
    return st.one_of(values(column).map(text_of), CRAFTED, junk, st.sampled_from(["", " ", " 1 "]))


def rows_of(level, junk, max_size=4):
    columns = columns_of(ROWS[level])
    row = st.fixed_dictionaries({name: cell_texts(column, junk) for name, column in columns.items()})
    return st.lists(row, min_size=1, max_size=max_size)


def csv_of(rows, quoting) -> bytes:
    sink = io.StringIO(newline="")
    writer = csv.DictWriter(sink, list(rows[0]), quoting=quoting, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return sink.getvalue().encode()


def engine(data, level):
    faults = Faults()
    table = check_rows(data, level, device=None, manifest=None, shown="rows.csv", faults=faults)
    return table, faults.issues


def is_admitted(text: str, field_type: TypeAdapter, column) -> bool:
    """Whether pydantic admits a cell, once its text is read as plainly as possible."""
    if not text:
        return not column.is_required
    value = text
    if column.python_type is bool:
        if text not in {"true", "True", "TRUE", "false", "False", "FALSE"}:
            return False
        value = text.lower() == "true"
    elif column.python_type is float:
        if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
            return False
        value = float(text)
    elif column.python_type is int:
        if not re.fullmatch(r"[+-]?[0-9]+(\.0*)?", text):
            return False
        value = int(text.partition(".")[0])
    elif column.is_list:
        value = text.split(";")
    try:
        field_type.validate_python(value)
    except ValidationError:
        return False
    return True


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@pytest.mark.parametrize("level", LEVELS)
def test_columns_have_the_bounds_that_pydantic_has(level):
    columns = columns_of(ROWS[level])
    types = {name: TypeAdapter(hint) for name, hint in get_type_hints(ROWS[level], include_extras=True).items()}

    @PATIENT
    @given(rows_of(level, ANY_TEXT))
    def check(rows):
        _, issues = engine(csv_of(rows, csv.QUOTE_ALL), level)
        lines = {}
        line = 2
        for number, row in enumerate(rows):
            lines[line] = number
            line += 1 + sum(len(re.findall("\r\n|\r|\n", text)) for text in row.values())
        found = set()
        for issue in issues:
            column = columns.get(issue.column or "")
            own = {"number-format", "number-finite", "value-missing", "boolean"}
            if column is not None and issue.rule in own | {column.quantity.rule}:
                found.add((lines[issue.line], issue.column))
        expected = {
            (number, name)
            for number, row in enumerate(rows)
            for name, text in row.items()
            if not is_admitted(text.strip(), types[name], columns[name])
        }
        assert found == expected

    check()


def assert_same_with_quotes_and_without(rows, level):
    rows = [{name: re.sub('[,"\\r\\n]', "", text) for name, text in row.items()} for row in rows]
    plain, plain_issues = engine(csv_of(rows, csv.QUOTE_NONE), level)
    quoted, quoted_issues = engine(csv_of(rows, csv.QUOTE_ALL), level)
    assert plain.table.to_pylist() == quoted.table.to_pylist()
    assert sorted(map(str, plain_issues)) == sorted(map(str, quoted_issues))
    assert [plain.line(row) for row in range(len(rows))] == [quoted.line(row) for row in range(len(rows))]


@pytest.mark.parametrize("level", LEVELS)
def test_file_with_quotes_and_file_without_give_the_same(level):
    @PATIENT
    @given(rows_of(level, ANY_TEXT))
    def check(rows):
        assert_same_with_quotes_and_without(rows, level)

    check()


@pytest.mark.parametrize("level", LEVELS)
def test_nearly_sound_file_gives_the_same_by_arrow_and_cell_by_cell(level):
    columns = columns_of(ROWS[level])
    sound = st.lists(
        st.fixed_dictionaries({name: values(column).map(text_of) for name, column in columns.items()}),
        min_size=1,
        max_size=4,
    )

    @PATIENT
    @given(sound, st.sampled_from(list(columns)), st.one_of(CRAFTED, st.sampled_from(["", " ", " 1 "])))
    def check(rows, name, text):
        rows[-1][name] = text
        assert_same_with_quotes_and_without(rows, level)

    check()


PIECES = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.text(st.sampled_from("[]{}:,-?&*!|>'\"%@`# \n\ta0.~<=\\\r;"), max_size=60).map(str.encode),
    st.sampled_from([b"\xef\xbb\xbf", b"\xff\xfe", b"<<: ", b"--- \n", b"&a [*a]", b"!!int x", b"'''", b'"\n"']),
)


UNRELATED = {
    "kernels.csv": ("models.csv", "applications.csv", "graphs/ResNet18.json"),
    "ResNet18.json": ("kernels.csv", "applications.csv"),
}
"""Files that would be read again for every example, without any bearing on it."""


@pytest.mark.parametrize(
    "file",
    [
        "acme-phone/device.yaml",
        *(f"{CAMPAIGN}/{name}" for name in ("submission.yaml", "kernels.csv", "graphs/ResNet18.json")),
    ],
)
def test_no_bytes_raise(file):
    with tempfile.TemporaryDirectory() as folder:
        root = lay_out(None, Path(folder))
        network(root, as_json("ResNet18", *RESNET))
        for name in UNRELATED.get(Path(file).name, ()):
            (root / CAMPAIGN / name).unlink()
        sound = (root / file).read_bytes()

        @settings(PATIENT, max_examples=120)
        @given(piece=PIECES, where=st.integers(0, len(sound)), cut=st.integers(0, 40), is_whole=st.booleans())
        def check(piece, where, cut, is_whole):
            (root / file).write_bytes(piece if is_whole else sound[:where] + piece + sound[where + cut :])
            try:
                report = validate([root]).report
            except UsageError:
                return
            text = as_text(report)
            text.encode()
            assert len(text.splitlines()) == len(report.issues) + 1

        check()


LINE = re.compile(
    r"submissions.*?(:(?P<line>[1-9][0-9]*))?: (warning: )?(?P<found>\S.*); expected (?P<expected>\S(.*[^.])?)\. "
    r"(?P<fix>[A-Z].*\.) \[(?P<rule>[a-z-]+)\]"
)


REPORTS = [*(case / "expected.txt" for case in CASES), *(case.report for case in HOSTILE)]


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: f"{report.parent.name}-{report.stem}")
def test_every_message_states_where_what_and_how_to_fix_it(report):
    for line in report.read_text(encoding="utf-8").splitlines()[:-1]:
        assert LINE.fullmatch(line), line
        assert "None" not in line
        assert ".." not in line


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"\xc3\xbc,", b'"']), max_size=30).map(b"".join))
def test_lines_start_where_the_reader_of_tables_has_them(data):
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="").readlines()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.validation.text._BLOCK_BYTES", 4)
        starts = line_starts(data)
    lengths = [len(line.encode()) for line in lines]
    expected = [0, *itertools.accumulate(lengths)]
    # A line that ends begins another one, which may be empty.
    assert list(starts) == (expected if data.endswith((b"\r", b"\n")) or not data else expected[:-1])


@given(st.lists(st.sampled_from(['a,"b\n1"\n', "\n", "c,d\r\n", 'x,"""y"""\n', "only\n"]), min_size=1, max_size=20))
def test_lines_and_cells_of_rows_are_found_again(rows):
    data = "".join(["h,i\n", *rows]).encode()
    read = [(line, cells) for line, cells in list(numbered_rows(data))[1:] if len(cells) == 2]
    source = TableSource(data, [line for line, _ in read])
    assert [(source.line(row), [source.cell(row, place) for place in (0, 1)]) for row in range(len(read))] == [
        (line, [cell.strip() for cell in cells]) for line, cells in read
    ]
