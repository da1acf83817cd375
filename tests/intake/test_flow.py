import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import DeepenError, InvalidSubmissionsError, UsageError
from harness.intake.flow import take_in
from harness.intake.formats import intake_formats
from harness.traces.formats import trace_formats
from harness.validation import validate
from tests.intake.sources import DEVICE, HEADER, ROWS, RUN, SOUND, contents, deepen2023, mapping, quarantine, table

KILLED = """
import os, signal, sys
from pathlib import Path
from harness.files import swap
from harness.intake.flow import take_in
from harness.intake.stated import StatedFacts
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
swap._put_in_place = die
facts = StatedFacts(delegate="CPU", dtype="fp32", runtime="TensorFlow Lite")
take_in("deepen2023", Path(sys.argv[1]), "acme-phone", "deepen2023", out=Path(sys.argv[2]), stated=facts)
"""


def taken(source: Path, out: Path, **options):
    return take_in("deepen2023", source, "acme-phone", "deepen2023", out=out, stated=RUN, **options)


def test_trace_format_that_declares_a_folder_of_runs_is_an_intake_format():
    declared = {name: form.source.title for name, form in trace_formats().items() if form.source is not None}
    assert declared
    assert declared.items() <= {name: form.title for name, form in intake_formats().items()}.items()


def test_formats_are_listed_by_name():
    names = [form.name for form in intake_formats().values()]
    assert names == sorted(names) == list(intake_formats())
    assert {"csv", "deepen2023", "energyrunner", "monsoon"} <= set(names)


def test_name_that_is_declared_twice_is_an_error(monkeypatch):
    form = replace(trace_formats()["monsoon"], name="csv")
    monkeypatch.setattr("harness.intake.formats.trace_formats", lambda: {"csv": form})
    with pytest.raises(TypeError, match="intake format 'csv' is declared twice: as a module and by a trace format"):
        intake_formats.__wrapped__()


def test_format_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(UsageError) as refused:
        take_in("deepen2032", tmp_path, "acme-phone", "c", out=tmp_path)
    assert str(refused.value) == (
        "'deepen2032' is not a known intake format; did you mean deepen2023? Known: " + ", ".join(intake_formats())
    )


@pytest.mark.parametrize("names", [("../x", "c"), ("acme", "a/b"), ("", "c")])
def test_name_that_cannot_be_a_folder_is_refused(tmp_path, names):
    with pytest.raises(UsageError, match="cannot name a folder"):
        take_in("deepen2023", tmp_path, *names, out=tmp_path)


def test_source_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(UsageError, match="nowhere does not exist"):
        taken(tmp_path / "nowhere", tmp_path)


def test_running_again_gives_the_same_bytes(tmp_path):
    kernels = {**SOUND, "relu": {"EEEEE1": {"energy": "3"}}}
    source = deepen2023(tmp_path / "source", kernels)
    taken(source, tmp_path / "out")
    before = contents(tmp_path / "out")
    result = taken(source, tmp_path / "out")
    assert contents(tmp_path / "out") == before
    assert set(before) == {
        "acme-phone/device.yaml",
        *(f"acme-phone/deepen2023/{name}" for name in ("kernels.csv", "quarantine.csv", "submission.yaml")),
    }
    assert {path.name for path in result.files} == {"kernels.csv", "quarantine.csv", "submission.yaml"}


def test_quarantine_of_an_earlier_run_goes_when_nothing_is_left_for_it(tmp_path):
    taken(deepen2023(tmp_path / "one", {**SOUND, "relu": {"EEEEE1": {"energy": "3"}}}), tmp_path / "out")
    taken(deepen2023(tmp_path / "two"), tmp_path / "out")
    assert not (tmp_path / "out/acme-phone/deepen2023/quarantine.csv").exists()


def test_folder_with_other_files_is_left_alone(tmp_path):
    source = deepen2023(tmp_path / "source")
    taken(source, tmp_path / "out")
    other = tmp_path / "out/acme-phone/deepen2023/models.csv"
    other.write_text("precious")
    before = contents(tmp_path / "out")
    with pytest.raises(UsageError) as refused:
        taken(source, tmp_path / "out")
    assert str(refused.value) == (
        f"{other.as_posix()} is no file of this intake, which would delete it; move it away, or give the "
        "campaign another name"
    )
    assert contents(tmp_path / "out") == before


def test_link_in_place_of_the_campaign_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out/acme-phone").mkdir(parents=True)
    (tmp_path / "out/acme-phone/deepen2023").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="is no folder of its own"):
        taken(deepen2023(tmp_path / "source"), tmp_path / "out")


def test_device_that_is_declared_is_used_and_kept(tmp_path):
    source = deepen2023(tmp_path / "source")
    declared = tmp_path / "out/acme-phone/device.yaml"
    declared.parent.mkdir(parents=True)
    declared.write_text("name: Acme\ndevice_class: phone\ntdp_w: 0.5 # a tiny one\ndelegates: {CPU: cpu}\n")
    before = declared.read_bytes()
    result = taken(source, tmp_path / "out")
    assert (result.n_accepted, result.folder) == (0, None)
    assert result.reasons == {"power-limit": 5}
    assert declared.read_bytes() == before
    assert [path.name for path in result.files] == ["quarantine.csv"]


def test_delegate_that_the_declared_device_lacks_is_told_once(tmp_path):
    declared = tmp_path / "out/acme-phone/device.yaml"
    declared.parent.mkdir(parents=True)
    declared.write_text("name: Acme\ndevice_class: phone\ndelegates: {GPU: gpu}\n")
    with pytest.raises(UsageError, match=r"device\.yaml declares GPU, and not CPU, .* add `CPU: cpu` to its"):
        taken(deepen2023(tmp_path / "source"), tmp_path / "out")


def test_declared_device_with_a_fault_stops_the_intake(tmp_path):
    declared = tmp_path / "out/acme-phone/device.yaml"
    declared.parent.mkdir(parents=True)
    declared.write_text("name: Acme\ndevice_class: fone\ndelegates: {CPU: cpu}\n")
    with pytest.raises(InvalidSubmissionsError, match="device_class = fone; expected one of phone"):
        taken(deepen2023(tmp_path / "source"), tmp_path / "out")
    declared.write_text(
        "name: A\ndevice_class: phone\ndelegates: {CPU: cpu}\nerrata: [{field: x, printed: 1, used: 2, why: y}]\n"
    )
    with pytest.raises(InvalidSubmissionsError, match=r"out/acme-phone/device\.yaml:4: .*erratum-unmatched"):
        taken(deepen2023(tmp_path / "source"), tmp_path / "out")
    assert set(contents(tmp_path / "out")) == {"acme-phone/device.yaml"}


def test_warnings_name_the_lines_of_the_written_table(tmp_path):
    kernels = {**SOUND, "relu": {"EEEEE1": {"energy": "0.004", "config": {"HW": 4, "CIN": 4}}}}
    result = taken(deepen2023(tmp_path / "source", kernels), tmp_path / "out")
    kernels_csv = (result.folder / "kernels.csv").as_posix()
    assert [str(issue) for issue in result.report.issues] == [
        f"{kernels_csv}:7: warning: energy_mj = 0.004, rounded to 0.001 (±12%); expected digits for better than ±10%. "
        "Give more digits, or measure many inferences in one window. [rounding-floor]"
    ]


def test_source_without_a_usable_row_leaves_an_earlier_submission_whole(tmp_path):
    taken(deepen2023(tmp_path / "one"), tmp_path / "out")
    before = contents(tmp_path / "out")
    unusable = {"fc": {"DDDDD1": {"energy": "-1", "config": {"CIN": 4, "COUT": 4}}}}
    result = taken(deepen2023(tmp_path / "two", unusable), tmp_path / "out")
    assert (result.n_accepted, result.n_quarantined, result.folder, result.files) == (0, 1, None, ())
    assert contents(tmp_path / "out") == before


def test_kill_half_way_leaves_the_previous_folder_whole(tmp_path):
    taken(deepen2023(tmp_path / "one"), tmp_path / "out")
    before = contents(tmp_path / "out/acme-phone/deepen2023")
    other = deepen2023(tmp_path / "two", {"fc": SOUND["fc"]})
    command = [sys.executable, "-c", KILLED, str(other), str(tmp_path / "out")]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert contents(tmp_path / "out/acme-phone/deepen2023") == before
    assert not validate([tmp_path / "out"]).report.n_errors
    taken(other, tmp_path / "out")
    assert contents(tmp_path / "out/acme-phone/deepen2023") != before


# Counts.

CELLS = {
    "op": st.sampled_from(["Relu", "relu", "Conv", "warp", ""]),
    "size": st.sampled_from(["28", "56", "0", "", "28.5"]),
    "channels": st.sampled_from(["8", "16", "-1"]),
    "energy": st.sampled_from(["1203.368", "1300.001", "1.2", "-3", "", "nan", "1,5"]),
    "time": st.sampled_from(["0.0006", "0.6", "0", "", "0.0000006"]),
    "power": st.sampled_from(["2.0", "2000", "9999", "", "x"]),
    "id": st.sampled_from(["", "r1", "r2", "r3", "r4", "<b>", "7e3"]),
}
MIXED = st.lists(
    st.one_of(
        st.tuples(*(CELLS[name] for name in ("id", "op", "size", "channels", "energy", "time", "power")), st.just("")),
        st.sampled_from([ROWS[0], ROWS[1], ("short", "row"), (*ROWS[0], "wide")]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=MIXED, is_fixed=st.booleans())
def test_rows_in_are_rows_accepted_and_quarantined(tmp_path_factory, rows, is_fixed):
    root = tmp_path_factory.mktemp("mixed")
    source, chosen = table(root / "table.csv", rows, HEADER), mapping(root / "map.yaml", device=DEVICE)
    fixes = ["unit-slip"] if is_fixed else []
    result = take_in("csv", source, "acme-phone", "bench", out=root / "out", mapping=chosen, fixes=fixes)
    assert result.n_read == len(rows) == result.n_accepted + result.n_quarantined
    assert len(result.quarantined) == result.n_quarantined
    assert all(row.issues for row in result.quarantined)
    if result.folder is None:
        assert result.n_accepted == 0
        assert [path.name for path in result.files] == ["quarantine.csv"] * bool(rows)
        return
    report = validate([root / "out"]).report
    assert (report.n_rows, report.n_errors) == (result.n_accepted, 0)
    assert len(quarantine(result.folder)) == result.n_quarantined if result.n_quarantined else True
    before = contents(root / "out")
    take_in("csv", source, "acme-phone", "bench", out=root / "out", mapping=chosen, fixes=fixes)
    assert contents(root / "out") == before


# Hostile bytes: a result or an exception that says what is wrong.

HOSTILE_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.just("\ud800")
    | st.just("1" * 400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["energy", "latency", "power", "config"]),
    key=st.text(max_size=8) | st.sampled_from(["DDDDD1", "\ud800", "a\nb", "=1+1"]),
    value=HOSTILE_VALUES,
    cut=st.integers(0, 400),
    is_cut=st.booleans(),
)
def test_hostile_json_gives_a_result_or_a_message(tmp_path_factory, kind, key, value, cut, is_cut):
    root = tmp_path_factory.mktemp("hostile")
    kernels = {**SOUND, "fc": {**SOUND["fc"], key: {"energy": "1.002", kind: value}}}
    source = deepen2023(root / "source", kernels)
    if is_cut:
        path = source / "Kernel_energy" / "fc_energy.json"
        path.write_bytes(path.read_bytes()[:cut])
    try:
        result = taken(source, root / "out")
    except DeepenError:
        assert not (root / "out").exists()
    else:
        assert result.n_read == result.n_accepted + result.n_quarantined
        assert result.n_accepted >= 4
        assert not validate([root / "out"]).report.n_errors


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_hostile_bytes_in_table_and_mapping_give_a_result_or_a_message(tmp_path_factory, data):
    root = tmp_path_factory.mktemp("hostile")
    source, chosen = table(root / "table.csv"), mapping(root / "map.yaml")
    for path in data.draw(st.sampled_from([(source,), (chosen,), (source, chosen)])):
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 3))):
            start = data.draw(st.integers(0, len(content)))
            length = data.draw(st.integers(0, 5))
            content[start : start + length] = data.draw(
                st.binary(max_size=4)
                | st.sampled_from([b'"', b"\n", b"\x00", b"\xff", b"- ", b": ", b"{", b"&a", b'"\\uD800"'])
            )
        path.write_bytes(bytes(content))
    try:
        result = take_in("csv", source, "acme-phone", "bench", out=root / "out", mapping=chosen)
    except DeepenError:
        assert not (root / "out").exists()
    else:
        assert result.n_read == result.n_accepted + result.n_quarantined
