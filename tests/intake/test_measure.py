"""Runs of deepen-measure: what a device left becomes a submission that validates, and nothing of a pack is believed."""

import csv
import json
import zipfile

import pytest
import yaml

from harness.errors import UsageError
from harness.intake.flow import take_in
from harness.intake.foreign import ForeignSourceError
from harness.intake.stated import StatedFacts
from harness.validation import validate
from tests.measure.packs import RUN, kernel, network, pack, write_run

FC = {"kernel": "fc", "cin": 64, "cout": 10}
CONVOLUTION = {
    "kernel": "conv-bn-relu", "input_h": 32, "input_w": 32, "cin": 16, "cout": 16, "kernel_h": 3, "kernel_w": 3,
    "stride_h": 1, "stride_w": 1,
}  # fmt: skip
ENTRIES = (
    kernel(1, 2.0, FC, is_anchor=True),
    kernel(2, 50.0, CONVOLUTION),
    network(3, 200.0, "net"),
    kernel(4, 2.02, FC, is_anchor=True),
)
STATED = StatedFacts(contributors=("A. Person",), licence="CC0-1.0", dtype="fp32", family="ResNet8")


def taken(source, tmp_path, **facts):
    return take_in("measure", source, out=tmp_path / "submissions", stated=STATED, **facts)


def rows_of(folder, level):
    with (folder / f"{level}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_pack_and_the_folder_that_it_is_of_become_the_same_submission(tmp_path):
    run = write_run(tmp_path / "run", ENTRIES)
    of_folder = taken(run, tmp_path / "one").folder
    of_pack = taken(pack(run, tmp_path / "run.zip"), tmp_path / "two").folder
    assert of_folder.parts[-2:] == ("Acme-Board-3", "2026-09-21-deepen-measure")
    contents = [{path.name: path.read_bytes() for path in folder.rglob("*.*")} for folder in (of_folder, of_pack)]
    assert contents[0] == contents[1]


def test_a_submission_validates_with_the_energies_of_kernels_and_networks(tmp_path):
    result = taken(write_run(tmp_path / "run", ENTRIES), tmp_path)
    assert (result.n_accepted, result.n_quarantined) == (4, 0)
    report = validate([result.folder.parent]).report
    assert {issue.rule for issue in report.issues} == {"repeat"}
    kernels, (whole,) = rows_of(result.folder, "kernels"), rows_of(result.folder, "models")
    assert [row["kernel"] for row in kernels] == ["fc", "conv-bn-relu", "fc"]
    energies = [float(row["energy_mj"]) for row in (*kernels, whole)]
    assert energies == pytest.approx([2.0, 50.0, 2.02, 200.0], rel=2e-3)
    assert all(float(row["energy_u_mj"]) > 0 for row in (*kernels, whole))
    assert (whole["model"], whole["family"], whole["latency_ms"]) == ("net", "ResNet8", "33.3333333")


def test_the_protocol_is_in_the_submission(tmp_path):
    folder = taken(
        write_run(tmp_path / "run", ENTRIES, plan={"sha256": "a" * 64, "device_id": "my-board"}), tmp_path
    ).folder
    stated = yaml.safe_load((folder / "submission.yaml").read_text())
    assert folder.parent.name == "my-board"
    protocol = stated["protocol"]
    assert (protocol["tool"], protocol["n_windows"], protocol["plan_sha256"]) == ("deepen-measure 0.1.0", 5, "a" * 64)
    assert protocol["temperatures_c"] == {"cpu-thermal": {"lowest": 45.0, "highest": 45.0}}
    assert [file.get("is_anchor", False) for file in protocol["files"]] == [True, False, False, True]
    assert (stated["boundary"], stated["meter"]["kind"]) == ("package", "counter")
    assert {trace["level"] for trace in stated["traces"]} == {"kernels", "models"}


def test_what_the_device_could_not_run_is_kept_with_its_reason(tmp_path):
    skipped = [
        {"id": "k009-lstm", "level": "kernels", "planned": {"kernel": "lstm", "cin": 8}, "reason": "no LSTM here"}
    ]
    result = taken(write_run(tmp_path / "run", ENTRIES, skipped=skipped), tmp_path)
    assert (result.n_accepted, result.n_quarantined) == (4, 1)
    (row,) = rows_of(result.folder, "quarantine")
    assert (row["source_id"], row["printed.reason"], row["printed.kernel"]) == ("k009-lstm", "no LSTM here", "lstm")


def test_what_no_machine_knows_is_asked_for(tmp_path):
    run = write_run(tmp_path / "run", ENTRIES)
    result = take_in("measure", run, out=tmp_path / "submissions", stated=StatedFacts(dtype="fp32"))
    asked = {(fact.file, fact.field) for fact in result.open_facts}
    assert asked == {
        ("device.yaml", "device_class"), ("submission.yaml", "contributors"), ("submission.yaml", "licence"),
        ("submission.yaml", "conditions"), ("submission.yaml", "meter.accuracy"), ("models.csv", "family"),
    }  # fmt: skip


def _rewritten(name, change):
    def damage(run):
        path = run / name
        path.write_text(json.dumps(change(json.loads(path.read_text()))))

    return damage


FIRST = ENTRIES[0]["id"]
DAMAGES = {
    "unfinished": (
        lambda run: (run / FIRST / "entry.json").unlink(),
        "it is not measured yet",
        "deepen-measure resume",
    ),
    "changed": (lambda run: (run / FIRST / "power.csv").write_text("1\n"), "other bytes than were measured", ""),
    "missing": (lambda run: (run / FIRST / "baseline.csv").unlink(), "baseline.csv: it is not there", ""),
    "layout": (_rewritten("run.json", lambda run: {**run, "schema_version": 9}), "schema_version 9", "same release"),
    "no entries": (_rewritten("run.json", lambda run: {**run, "entries": []}), "entries none", ""),
    "escape": (_rewritten("run.json", lambda run: {**run, "entries": [{"id": "../x"}]}), "entries ../x", ""),
    "no object": (_rewritten("run.json", lambda _: [1]), "no object", ""),
    "no meter": (_rewritten("run.json", lambda run: {**run, "meter": {}}), "KeyError: 'format'", ""),
    "no JSON": (lambda run: (run / "run.json").write_text("{"), "no JSON", ""),
    "no files": (_rewritten(f"{FIRST}/entry.json", lambda entry: {**entry, "files": {}}), "no files", ""),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_run_that_is_not_whole_is_refused_by_the_file(tmp_path, name):
    damage, found, fix = DAMAGES[name]
    run = write_run(tmp_path / "run", ENTRIES)
    damage(run)
    with pytest.raises(ForeignSourceError) as refused:
        taken(run, tmp_path)
    assert found in str(refused.value)
    assert fix in str(refused.value)
    assert not (tmp_path / "submissions").exists() or not any((tmp_path / "submissions").rglob("*.csv"))


def test_a_pack_that_is_none_or_leads_elsewhere_is_refused(tmp_path):
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK no archive")
    with pytest.raises(ForeignSourceError, match="what deepen-measure pack wrote"):
        taken(broken, tmp_path)
    packed = pack(write_run(tmp_path / "run", ENTRIES), tmp_path / "run.zip")
    for name in ("../outside.txt", "/etc/outside", "a/b/c"):
        other = tmp_path / "other.zip"
        with zipfile.ZipFile(packed) as source, zipfile.ZipFile(other, "w") as target:
            manifest = json.loads(source.read("manifest.json")) | {name: "0" * 64}
            target.writestr(name, "x")
            target.writestr("manifest.json", json.dumps(manifest))
        with pytest.raises(ForeignSourceError, match="leads elsewhere"):
            taken(other, tmp_path)
    with zipfile.ZipFile(tmp_path / "bare.zip", "w") as target:
        target.writestr("run.json", json.dumps(RUN))
    with pytest.raises(ForeignSourceError, match=r"manifest.json: it is not there"):
        taken(tmp_path / "bare.zip", tmp_path)


def test_a_pack_beyond_its_bound_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.intake.packs._MOST_BYTES", 10_000)
    packed = pack(write_run(tmp_path / "run", ENTRIES), tmp_path / "run.zip")
    with pytest.raises(ForeignSourceError, match="more bytes than may be"):
        taken(packed, tmp_path)


def test_a_machine_without_a_name_needs_the_device(tmp_path):
    run = write_run(tmp_path / "run", ENTRIES, machine={**RUN["machine"], "name": None})
    with pytest.raises(UsageError, match="--device is needed"):
        taken(run, tmp_path)
    assert taken(run, tmp_path, device_id="my-board").folder.parent.name == "my-board"


def test_delegates_of_a_provider_have_its_processor(tmp_path):
    entries = [{**entry, "delegate": "CUDAExecutionProvider"} for entry in ENTRIES]
    folder = taken(write_run(tmp_path / "run", entries), tmp_path).folder
    assert yaml.safe_load((folder.parent / "device.yaml").read_text())["delegates"] == {"CUDAExecutionProvider": "gpu"}
