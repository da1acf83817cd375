"""Tables as spreadsheets and scripts write them: read as what they mean, or refused with a fix that is true."""

import gzip

import pytest
import yaml

from harness.intake.flow import take_in
from harness.intake.foreign import ForeignSourceError
from harness.validation import validate
from tests.intake.sources import SUBMISSION

_COLUMNS = {
    "model": {"from": "net"}, "family": {"value": "MobileNetV2"}, "dtype": {"value": "fp32"},
    "delegate": {"value": "CPU1"}, "energy_kind": {"value": "absolute"},
    "energy_mj": {"from": "energy"}, "latency_ms": {"from": "t", "unit": "s"}, "n_runs": {"from": "runs"},
}  # fmt: skip
PLAIN = "net,energy,t,runs\nmnv2,1234.5,0.25,50\nmnv2b,900.25,0.2,\n"
_WITHOUT_LATENCY = {name: column for name, column in _COLUMNS.items() if name != "latency_ms"}
READ = [(1234.5, 250.0, 50), (900.25, 200.0, None)]


def taken(tmp_path, content, name="lab.csv", columns=_COLUMNS, **changed):
    source, chosen = tmp_path / name, tmp_path / "map.yaml"
    source.write_bytes(content if isinstance(content, bytes) else content.encode())
    device = {"name": "A", "device_class": "single-board-computer", "delegates": {"CPU1": "cpu"}}
    facts = {"level": "models", "columns": columns, "submission": SUBMISSION, "device": device} | changed
    chosen.write_text(yaml.safe_dump(facts, allow_unicode=True))
    return take_in("csv", source, "pi", "bench", out=tmp_path / "out", mapping=chosen)


def figures(result):
    (campaign,) = validate([result.folder]).campaigns
    rows = campaign.tables["models"].to_pylist()
    return [(row["energy_mj"], row["latency_ms"], row["n_runs"]) for row in rows]


def faults(result):
    return [issue for row in result.quarantined for issue in row.issues]


_OLDER = {name: column for name, column in _COLUMNS.items() if name != "energy_kind"}


@pytest.mark.parametrize(
    ("older", "kinds"),
    [
        ({"value": False}, ["absolute", "absolute"]),
        ({"from": "less idle"}, ["idle-subtracted", "absolute"]),
        ({"from": "less idle", "words": {"True": "false", "false": "true"}}, ["absolute", "idle-subtracted"]),
    ],
)
def test_mapping_may_state_the_kind_of_energy_by_the_older_column(tmp_path, older, kinds):
    table = PLAIN.replace("runs\n", "runs,less idle\n").replace("50\n", "50,True\n").replace("0.2,\n", "0.2,,false\n")
    submission = SUBMISSION | {"idle": {"power_mw": 320, "how": "Mean over a minute."}}
    result = taken(tmp_path, table, columns=_OLDER | {"is_idle_subtracted": older}, submission=submission)
    (campaign,) = validate([result.folder]).campaigns
    assert campaign.tables["models"].column("energy_kind").to_pylist() == kinds
    assert (result.folder / "models.csv").read_text().count("idle_subtracted") == 0


def test_mapping_with_both_columns_of_the_kind_is_refused(tmp_path):
    expected = r"map\.yaml:\d+: columns\.is_idle_subtracted: beside energy_kind.*\[fact-unknown\]"
    with pytest.raises(ForeignSourceError, match=expected):
        taken(tmp_path, PLAIN, columns=_COLUMNS | {"is_idle_subtracted": {"value": False}})


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        gzip.compress(PLAIN.encode(), mtime=0),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace(",", "\t").encode("utf-16"),
        b"\xfe\xff" + PLAIN.replace(",", "\t").encode("utf-16-be"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace(",", ";").replace(".", ","),
        PLAIN.replace(",", "\t").replace(".", ","),
        "sep=;\n" + PLAIN.replace(",", ";").replace(".", ","),
        'net;energy;t;runs\nmnv2;"1.234,5";0,25;50\nmnv2b;900,25;0,2;\n',
        'net,energy,t,runs\nmnv2,"1,234.5",0.25,50\nmnv2b,900.25,0.2,\n',
        'net,energy,t,runs\nmnv2,"1234,5","0,25",50\nmnv2b,"900,25","0,2",\n',
        "net,energy,t,runs\nmnv2,1\u00a0234.5,0.25,50\nmnv2b,\u00a0900.25\u00a0,0.2,\n",
        "net;energy;t;runs\nmnv2;1\u202f234,5;0,25;50\nmnv2b;900,25;0,2;\n",
        "net,energy,t,runs\nmnv2,1'234.5,0.25,50\nmnv2b,900.25,0.2,\n",
        "net,energy,t,runs,,\nmnv2,1234.5,0.25,50,,\nmnv2b,900.25,0.2,,,\n",
        "net,energy,t,runs,,\nmnv2,1234.5,0.25,50\nmnv2b,900.25,0.2,\n",
        "net,energy,t,runs\nmnv2,1234.5,0.25,50,,\nmnv2b,900.25,0.2,,,\n,,,,,\n",
        "net,energy,t,runs\n,mJ,s,\nmnv2,1234.5,0.25,50\nmnv2b,900.25,0.2,\n",
        "net,energy,t,runs\n-,[mJ],(s),-\nmnv2,1234.5,0.25,50\nmnv2b,900.25,0.2,\n",
        "net,energy,t,runs\nmnv2,1234.5,0.25,50\nnet,energy,t,runs\nmnv2b,900.25,0.2,\n",
        "# bench of 3 May\n# two, commas\nnet,energy,t,runs\nmnv2,1234.5,0.25,50\n# paused\nmnv2b,900.25,0.2,\n",
        "Bench;of;May\n\nnet;energy;t;runs\nmnv2;1234,5;0,25;50\nmnv2b;900,25;0,2;\n",
        'net,"energy\n",t,runs\nmnv2,1234.5,0.25,50\nmnv2b,900.25,0.2,\n',
        *(PLAIN.replace("0.2,\n", f"0.2,{word}\n") for word in ("NaN", "n/a", "N/A", "-", "#N/A", "\u2013", "null")),
    ],
)  # fmt: skip
def test_table_of_any_spreadsheet_gives_the_same_rows(tmp_path, content):
    result = taken(tmp_path, content)
    assert faults(result) == []
    assert figures(result) == READ


@pytest.mark.parametrize("word", ["NaN", "n/a", "-", ""])
def test_missing_energy_is_missing_and_never_zero(tmp_path, word):
    result = taken(tmp_path, PLAIN.replace("900.25", word))
    assert [(issue.rule, issue.column) for issue in faults(result)] == [("value-missing", "energy_mj")]
    assert figures(result) == READ[:1]


@pytest.mark.parametrize(
    ("content", "cell"),
    [
        ('net,energy,t,runs\nmnv2,"1,234",0.25,50\nmnv2b,900.25,0.2,\n', "1,234"),
        ("net;energy;t;runs\nmnv2;1.234;0,25;50\nmnv2b;900,25;0,2;\n", "1.234"),
        ("net;energy;t;runs\nmnv2;1,234;2;50\nmnv2b;900;1;\n", "1,234"),
        ("net\tenergy\tt\truns\nmnv2\t1,234\t0.25\t50\nmnv2b\t900.25\t0.2\t\n", "1,234"),
    ],
)
def test_number_of_two_readings_is_asked_about_and_read_once_the_sign_is_stated(tmp_path, content, cell):
    (issue,) = faults(taken(tmp_path, content, columns=_WITHOUT_LATENCY))
    assert (issue.rule, issue.found) == ("number-format", cell)
    assert issue.expected == "1.234 or 1234, by a decimal sign that is known"
    for sign in (".", ","):
        folder = tmp_path / f"sign{ord(sign)}"
        folder.mkdir()
        result = taken(folder, content, columns=_WITHOUT_LATENCY, decimal=sign)
        assert figures(result)[0][0] == (1.234 if sign in cell else 1234)


@pytest.mark.parametrize(
    ("cell", "fix"),
    [
        ("12.05.2026", "Take the value from the raw file: a spreadsheet may have made a date of it."),
        ("2026-05-12", "Take the value from the raw file: a spreadsheet may have made a date of it."),
        ("12. Mrz", "Take the value from the raw file: a spreadsheet may have made a date of it."),
        ("Mar-12", "Take the value from the raw file: a spreadsheet may have made a date of it."),
        ("12%", "A share is no such value; drop the row."),
        ("3.5 mJ", "Write digits with a decimal point"),
        ("3 kWh", "Write digits with a decimal point"),
    ],
)
def test_cell_that_is_no_number_says_what_it_may_be(tmp_path, cell, fix):
    (issue,) = faults(taken(tmp_path, PLAIN.replace("900.25", cell)))
    assert issue.rule == "number-format"
    assert issue.fix.startswith(fix)


@pytest.mark.parametrize(
    ("header", "below", "unit", "stated"),
    [
        ("energy (uJ)", "", None, "uJ"),
        ("energy_j", "", None, "j"),
        ("energy [kWh]", "", "Wh", "kWh"),
        ("energy", ",uJ,s,\n", None, "uJ"),
        ("energy", ",(J),s,\n", "mJ", "J"),
    ],
)
def test_unit_that_the_table_states_otherwise_is_refused(tmp_path, header, below, unit, stated):
    content = PLAIN.replace("energy", header, 1).replace("runs\n", f"runs\n{below}", 1)
    own = {"from": header} | ({"unit": unit} if unit else {})
    with pytest.raises(ForeignSourceError, match=r"\[header-unit\]") as error:
        taken(tmp_path, content, columns=_COLUMNS | {"energy_mj": own})
    assert f"where the table is right, state unit: {stated} in the mapping" in str(error.value)
    right = _WITHOUT_LATENCY | {"energy_mj": {"from": header, "unit": stated}}
    result = taken(tmp_path, content, columns=right)
    assert (result.n_read, "header-unit" in {issue.rule for issue in faults(result)}) == (2, False)


def test_row_that_is_commented_out_is_kept_in_quarantine(tmp_path):
    result = taken(tmp_path, PLAIN + "#mnv2c,5,1,1\n")
    assert result.n_read == 3
    assert [row.row.place for row in result.quarantined] == ["line 4"]
    assert "foreign-file" in {issue.rule for issue in faults(result)}


def test_damaged_table_is_refused_with_what_to_do(tmp_path):
    for name, content, message in (
        ("cut.csv.gz", gzip.compress(PLAIN.encode())[:-9], "a damaged gzip file; expected a whole one"),
        ("odd.csv", PLAIN.encode("utf-16")[:-1], "damaged UTF-16; expected UTF-8 or UTF-16"),
        (
            "old.csv",
            PLAIN.replace("mnv2b", "K\u00fcche").encode("cp1252"),
            "byte 0xfc; expected UTF-8. Save the file as",
        ),
    ):
        with pytest.raises(ForeignSourceError, match=message):
            taken(tmp_path, content, name)
