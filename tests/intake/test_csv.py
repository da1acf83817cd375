import pytest

from harness.errors import UsageError
from harness.intake.flow import take_in
from harness.intake.foreign import ForeignSourceError
from harness.schema.columns import columns_of
from harness.schema.records import ROWS as ROWS_OF
from harness.validation import validate
from tests.intake.sources import HEADER, MAPPING, ROWS, mapping, quarantine, table


def taken(tmp_path, rows=ROWS, header=HEADER, **changed):
    source = table(tmp_path / "table.csv", rows, header)
    return take_in(
        "csv", source, "acme-phone", "bench", out=tmp_path / "out", mapping=mapping(tmp_path / "map.yaml", **changed)
    )


def refused(tmp_path, monkeypatch, **options):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ForeignSourceError) as error:
        taken(tmp_path, **options)
    return str(error.value).replace(f"{tmp_path.as_posix()}/", "").splitlines()[:-1]


def columns(**changed):
    return {name: value for name, value in (MAPPING["columns"] | changed).items() if value is not None}


def test_table_becomes_a_campaign_in_the_units_of_the_schema(tmp_path):
    result = taken(tmp_path)
    assert (result.n_read, result.n_accepted, result.n_quarantined) == (2, 2, 0)
    assert (result.folder / "kernels.csv").read_text() == (
        "kernel,input_h,input_w,cin,delegate,dtype,energy_kind,energy_mj,latency_ms,power_mw,source_id\n"
        "relu,28,28,8,CPU1,fp32,absolute,1.203368,0.6,2.0E+3,r1\n"
        "relu,56,56,8,CPU1,fp32,absolute,2.000,1,2.0E+3,r2\n"
    )
    assert not validate([tmp_path / "out"]).report.n_errors


def test_row_keeps_everything_the_table_printed_in_quarantine(tmp_path):
    result = taken(tmp_path, [*ROWS, ("r3", "Conv", "28", "8", "-5", "0.001", "2.0", "cold")])
    assert (result.n_read, result.n_accepted, result.n_quarantined) == (3, 2, 1)
    (row,) = quarantine(result.folder)
    assert row["rules"] == "energy-positive;configuration-missing"
    assert (row["energy_mj"], row["printed.Energy (uJ)"], row["printed.comment"]) == ("-0.005", "-5", "cold")


def test_repeats_that_disagree_are_kept(tmp_path):
    """No row is left out because its energy is another one; only the row without runs is."""
    repeats = [("r3", "10000", "2.0", "5"), ("r4", "11080", "2.216", "5"), ("r5", "11080", "2.216", "0")]
    rows = [(name, "Relu", "28", "16", energy, "0.005", power, n_runs) for name, energy, power, n_runs in repeats]
    result = taken(tmp_path, [(*row[:-1], "5") for row in ROWS] + rows, columns=columns(n_runs={"from": "comment"}))
    assert (result.n_read, result.n_accepted, result.n_quarantined) == (5, 4, 1)
    assert [(row.row.source_id, row.rules) for row in result.quarantined] == [("r5", ["count-positive", "repeat"])]
    assert "repeat-spread" in {issue.rule for issue in result.report.issues}


def test_row_without_an_identifier_is_known_by_its_line(tmp_path):
    result = taken(tmp_path, [*ROWS, ("", "Relu", "28", "16", "1203.368", "0.0006", "2.0", "")])
    assert (result.folder / "kernels.csv").read_text().splitlines()[-1].endswith(",line 4")


def test_mapping_may_leave_out_the_identifier(tmp_path):
    result = taken(tmp_path, columns=columns(source_id=None))
    assert (result.folder / "kernels.csv").read_text().splitlines()[1].endswith(",line 2")


def test_row_of_another_width_is_quarantined_as_it_stands(tmp_path):
    result = taken(tmp_path, [*ROWS, ("r3", "Relu", "1,5"), ("r4", *ROWS[0][1:], "more")])
    assert (result.n_read, result.n_accepted, result.n_quarantined) == (4, 2, 2)
    short, wide = quarantine(result.folder)
    assert short["reasons"] == (
        "3 cells; expected 8 cells, as in the header. Write decimals with a point, quote text that holds a comma, and "
        "leave out no cell. [row-width]"
    )
    assert (short["source_id"], short["printed.size"], short["printed.channels"]) == ("line 4", "1,5", "")
    assert (wide["printed.id"], wide["printed.column 9"]) == ("r4", "more")


def test_fix_of_a_slip_is_recorded(tmp_path):
    rows = [*ROWS, ("r3", "Relu", "28", "16", "1203.368", "0.0000006", "2.0", "")]
    source, chosen = table(tmp_path / "table.csv", rows), mapping(tmp_path / "map.yaml")
    plain = take_in("csv", source, "acme-phone", "bench", out=tmp_path / "plain", mapping=chosen)
    fixed = take_in("csv", source, "acme-phone", "bench", out=tmp_path / "fixed", mapping=chosen, fixes=["unit-slip"])
    assert (plain.n_accepted, fixed.n_accepted, fixed.n_corrected) == (2, 3, 1)
    assert [row.rules for row in plain.quarantined] == [["unit-slip"]]
    (campaign,) = validate([tmp_path / "fixed"]).campaigns
    assert campaign.manifest.errata[0].where == {"kernel": "relu", "source_id": "r3"}
    assert (campaign.manifest.errata[0].printed, campaign.manifest.errata[0].used) == (0.0006, 0.6)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"columns": columns(enrgy_mj={"from": "Energy (uJ)"})},
            f"map.yaml:31: columns.enrgy_mj: no column of these rows; expected one of "
            f"{', '.join(columns_of(ROWS_OF['kernels']))}. Did you mean "
            "energy_mj? Rename it, or remove it where the rows have no such column. [fact-unknown]",
        ),
        (
            {"columns": columns(energy_mj={"from": "Energy (uJ)", "unit": "MJ"})},
            "map.yaml:22: columns.energy_mj.unit = MJ; expected one of mJ, J, kJ, uJ, nJ, kWh, Wh, mWh. Find "
            "out which unit the figures are in; where it is none of these, convert them first. [fact-value]",
        ),
        (
            {"columns": columns(dtype={"value": "fp32", "unit": "mJ"})},
            "map.yaml:16: columns.dtype = {'value': 'fp32', 'unit': 'mJ'}; expected value alone, without unit and "
            "words. Correct the value. [fact-value]",
        ),
        (
            {"columns": columns(cin={"from": "channels", "unit": "mm"})},
            "map.yaml:14: columns.cin.unit = mm; expected no unit, because cin has none. Remove it. [fact-value]",
        ),
        (
            {"columns": columns(dtype=None)},
            "map.yaml: columns.dtype = nothing; expected one of fp32, fp16, bf16, int16, int8, int4, mixed, unstated. "
            "Add it with from or value: Data type of weights and activations. [fact-missing]",
        ),
        (
            {"columns": columns(cin={"from": "chanels"})},
            "table.csv:1: chanels: 0 such columns, from which cin is to come; expected one of id, op, size, channels, "
            "Energy (uJ), Time (s), Power, comment. Did you mean channels? Find out which column it is, "
            "and correct from in the mapping. [header-missing]",
        ),
        (
            {"level": "kernel"},
            "map.yaml:1: level = kernel; expected one of kernels, models, applications. Did you mean kernels? Write "
            "one of the words listed. [fact-value]",
        ),
    ],
)
def test_mapping_that_does_not_fit_is_told_with_what_is_known(tmp_path, monkeypatch, changed, message):
    assert refused(tmp_path, monkeypatch, **changed) == [message]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"id;op;size\n1;2;3\n",
            "table.csv:1: Energy (uJ): 0 such columns, from which energy_mj is to come; expected one of id, op, size. "
            "Find out which column it is, and correct from in the mapping. [header-missing]",
        ),
        (
            "id,op\nK\u00fcche,relu\n".encode("latin-1"),
            "table.csv:2: byte 0xfc; expected UTF-8. Save the file as UTF-8 (in a spreadsheet: CSV UTF-8). "
            "[text-encoding]",
        ),
        (
            b"",
            "table.csv: no line; expected a header and rows. Look whether the run recorded anything, "
            "and export the table again. [file-empty]",
        ),
        (
            b"id,op\n",
            "table.csv:1: a header without rows; expected at least one row. Look whether the run recorded "
            "anything, and export the table again. [header-only]",
        ),
    ],
)
def test_table_that_cannot_be_taken_apart_stops_the_intake(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(ForeignSourceError) as error:
        take_in(
            "csv",
            (tmp_path / "table.csv").relative_to(tmp_path),
            "acme-phone",
            "bench",
            mapping=mapping(tmp_path / "map.yaml"),
        )
    assert str(error.value).splitlines()[0] == message
    assert not (tmp_path / "submissions").exists()


def test_column_that_stands_twice_cannot_be_named(tmp_path, monkeypatch):
    header = ("id", "op", "size", "channels", "Energy (uJ)", "Time (s)", "Power", "Power")
    assert refused(tmp_path, monkeypatch, header=header) == [
        "table.csv:1: Power: 2 such columns, from which power_mw is to come; expected one column of this name. Find "
        "out which of them it is, and rename or remove the others. [header-duplicate]"
    ]


def test_column_that_stands_twice_may_be_passed_over(tmp_path):
    header = ("id", "op", "size", "channels", "Energy (uJ)", "Time (s)", "Power", "x", "x")
    assert taken(tmp_path, [(*row, "y") for row in ROWS], header).n_accepted == 2


@pytest.mark.parametrize(
    ("kernel", "fix"),
    [("conv", "Did you mean concat?"), ("Conv_BN_ReLU", "Write conv-bn-relu."), ("xyz", "Write one of")],
)
def test_kernel_is_proposed_only_where_it_is_the_same(tmp_path, kernel, fix):
    rows = [*ROWS, ("r3", kernel, "28", "8", "1203.368", "0.0006", "2.0", "")]
    (row,) = taken(tmp_path, rows).quarantined
    (issue,) = [issue for issue in row.issues if issue.column == "kernel"]
    assert issue.fix.startswith(fix)


@pytest.mark.parametrize("unit", ["MJ", "KWH", "MWh", "cal", "eV", "W", "kwhh"])
def test_other_units_are_refused_with_the_list_and_without_a_guess(tmp_path, monkeypatch, unit):
    given = columns(energy_mj={"from": "Energy (uJ)", "unit": unit})
    (message,) = refused(tmp_path, monkeypatch, columns=given)
    assert f"unit = {unit}; expected one of mJ, J, kJ, uJ, nJ, kWh, Wh, mWh. Find out which unit" in message
    assert "Did you mean" not in message


def test_energy_of_a_tracker_in_kilowatt_hours_is_not_a_thousand_times_too_small(tmp_path):
    header = ("project_name", "duration", "energy_consumed")
    source = table(tmp_path / "cc.csv", [("mnv2", "5.32", "2.88e-05")], header)
    own = {
        "model": {"from": "project_name"}, "family": {"value": "MobileNetV2"}, "dtype": {"value": "fp32"},
        "delegate": {"value": "CPU1"}, "energy_kind": {"value": "absolute"},
        "energy_mj": {"from": "energy_consumed", "unit": "kWh"}, "latency_ms": {"from": "duration", "unit": "s"},
    }  # fmt: skip
    chosen = mapping(tmp_path / "cc.yaml", level="models", columns=own)
    result = take_in("csv", source, "acme-phone", "bench", out=tmp_path / "out", mapping=chosen)
    (row,) = validate([result.folder]).campaigns[0].tables["models"].to_pylist()
    assert row["energy_mj"] == pytest.approx(103_680)


def test_mapping_is_asked_for(tmp_path):
    source = table(tmp_path / "table.csv")
    with pytest.raises(
        UsageError, match="csv needs --mapping FILE, which maps the columns of the table to those of the schema"
    ):
        take_in("csv", source, "acme-phone", "bench", out=tmp_path / "out")


def test_device_that_nobody_describes_is_asked_for(tmp_path):
    with pytest.raises(UsageError, match=r"the source does not state what acme-phone is; write .*/device.yaml first"):
        taken(tmp_path, device=None)


def test_table_of_very_many_lines_is_refused(tmp_path):
    path = table(tmp_path / "t.csv")
    path.write_bytes(path.read_bytes() + b"\n" * 150_000)
    with pytest.raises(ForeignSourceError, match=r"t\.csv: 150004 lines; expected at most 150000 lines.*\[file-size\]"):
        take_in("csv", path, "acme-phone", "bench", out=tmp_path / "out", mapping=mapping(tmp_path / "map.yaml"))
