import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from harness import __version__
from harness.cli import app, main
from harness.schema.facts import Trace
from harness.scoring.editions import edition_named
from tests.intake.sources import deepen2023
from tests.validation.golden import BASE
from tests.walkthroughs import write_plain_run

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(typer.main.get_command(app).commands)


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """Run a command line in an empty folder, and give exit code, output and error output."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        monkeypatch.setattr("sys.argv", ["deepen", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capfd.readouterr()
        return ended.value.code, printed.out, printed.err

    return command


def lay_out_base(folder):
    shutil.copytree(BASE, folder / "submissions")


def test_version_is_printed(run):
    assert run("--version") == (0, f"deepen {__version__}\n", "")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name):
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    assert re.search(rf"Example: deepen {name}\b", shown.output)


def test_no_command_is_wrong_usage_without_a_traceback(run):
    code, out, err = run()
    assert code == 2
    assert "[OPTIONS] COMMAND [ARGS]" in out + err


def test_validate_ends_with_0_for_sound_submissions(run, tmp_path):
    lay_out_base(tmp_path)
    code, out, _ = run("validate")
    assert (code, out) == (0, "10 rows, 0 errors, 0 warnings\n")


def test_validate_ends_with_1_and_gives_its_faults_in_every_form(run, tmp_path):
    lay_out_base(tmp_path)
    table = tmp_path / "submissions" / "acme-phone" / "2026-10" / "models.csv"
    lines = table.read_text().splitlines()
    lines[1] = re.sub(r",false,[^,]+", ",false,-1", lines[1])
    table.write_text("\n".join(lines) + "\n")
    code, out, _ = run("validate", "--format", "json")
    report = json.loads(out)
    assert code == 1
    assert list(report) == ["rows", "errors", "warnings", "issues"]
    (issue,) = report["issues"]
    assert list(issue) == ["rule", "severity", "file", "line", "column", "found", "expected", "fix"]
    assert (issue["rule"], issue["line"], issue["found"]) == ("energy-positive", 2, "-1")
    code, out, _ = run("validate", "--format", "github")
    assert code == 1
    assert out.startswith(
        "::error file=submissions/acme-phone/2026-10/models.csv,line=2,title=energy-positive::energy_mj"
    )
    code, out, _ = run("validate", "--format", "sarif")
    assert json.loads(out)["runs"][0]["results"][0]["ruleId"] == "energy-positive"
    code, out, _ = run("validate", "--format", "markdown")
    assert code == 1
    assert out.startswith("## Validation failed\n")
    assert "finds without `--since` are left out" in out
    assert out.endswith("## Verdict: *refuse*\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["validate", "nowhere"], "deepen: nowhere does not exist"),
        (["validate", "submissions", "--since", "main"], "deepen: name folders, or a commit with --since, not both"),
        (["new", "acme-phone"], "deepen: 'acme-phone' is no DEVICE/CAMPAIGN; put a slash between the two folders"),
        (["new", "acme phone/x"], "deepen: 'acme phone' cannot name a folder"),
        (["intake", "deepen2023"], "deepen: FORMAT and SOURCE are needed; --list shows the formats"),
        (
            ["intake", "csv", "."],
            "deepen: csv does not name its device and campaign: --device and --campaign are needed",
        ),
        (["serve"], "holds no built site"),
        (["validate", "--format", "xml"], "Invalid value for '--format'"),
    ],
)
def test_wrong_usage_ends_with_2_and_one_clear_line(run, arguments, said):
    code, _, err = run(*arguments)
    assert code == 2
    assert said in err
    assert "Traceback" not in err


def test_new_writes_files_that_validate_once_filled(run, tmp_path):
    assert run("new", "acme-phone/2026-11", "--level", "models")[0] == 0
    folder = tmp_path / "submissions" / "acme-phone"
    code, out, _ = run("validate")
    assert code == 1
    assert "device.yaml" in out
    device = (folder / "device.yaml").read_text()
    device = device.replace("name:  #", "name: ACME phone  #").replace("device_class:  #", "device_class: phone  #")
    (folder / "device.yaml").write_text(device)
    manifest = (folder / "2026-11" / "submission.yaml").read_text()
    for field, value in {
        "title": "Networks", "date": "2026-11", "method": "measured", "runtime": "TensorFlow Lite 2.20",
        "licence": "CC-BY-4.0", "  citation": "ACME, 2026.",
    }.items():  # fmt: skip
        manifest = manifest.replace(f"{field}:  #", f'{field}: "{value}"  #')
    manifest = manifest.replace("  - \n", "  - ACME laboratory\n").replace("# meter:", "meter:")
    manifest = manifest.replace("# boundary:  #", "boundary: battery  #")
    manifest = manifest.replace("# name:  #", "name: Monsoon HVPM  #").replace("# kind:  #", "kind: analyser  #")
    (folder / "2026-11" / "submission.yaml").write_text(manifest)
    header = (folder / "2026-11" / "models.csv").read_text().strip()
    cells = {
        "model": "mnv2", "family": "MobileNetV2", "input_shape": "224x224x3", "dtype": "fp32", "delegate": "CPU4",
        "energy_kind": "absolute", "energy_mj": "48.2", "latency_ms": "20.0", "power_mw": "2410", "n_runs": "100",
    }  # fmt: skip
    row = ",".join(cells[name] for name in header.split(","))
    (folder / "2026-11" / "models.csv").write_text(f"{header}\n{row}\n")
    assert run("validate") == (0, "1 row, 0 errors, 0 warnings\n", "")


def test_new_never_writes_over_a_file(run, tmp_path):
    run("new", "acme-phone/2026-11")
    (tmp_path / "submissions" / "acme-phone" / "device.yaml").write_text("name: mine\n")
    code, _, err = run("new", "acme-phone/2026-11")
    assert (code, "exists; nothing was written" in err) == (2, True)
    assert run("new", "acme-phone/2026-12")[0] == 0
    assert (tmp_path / "submissions" / "acme-phone" / "device.yaml").read_text() == "name: mine\n"


def test_schema_writes_json_schemas_with_units(run, tmp_path):
    assert run("schema", "--out", "schemas")[0] == 0
    row = json.loads((tmp_path / "schemas" / "kernel-row.schema.json").read_text())
    assert row["properties"]["energy_mj"]["unit"] == "mJ"


def test_build_stops_at_errors_and_writes_nothing(run, tmp_path):
    lay_out_base(tmp_path)
    (tmp_path / "submissions" / "acme-phone" / "device.yaml").write_text("name: [\n")
    code, _, err = run("build")
    assert code == 1
    assert "[yaml-syntax]" in err
    assert not (tmp_path / "dist").exists()


def test_score_gives_null_where_undefined(run, tmp_path):
    lay_out_base(tmp_path)
    code, out, _ = run("score", "--format", "json")
    assert code == 0
    (device, *_) = json.loads(out)["devices"]
    keys = {"device_id", "edition", "pcs", "pcs_published", "iecs", "iecs_published", "energy_index", "label", "reason"}
    assert keys <= set(device)
    assert device["label"] is None
    assert device["reason"]


def test_intake_prints_the_sum_and_the_formats(run, tmp_path):
    code, out, _ = run("intake", "--list")
    assert code == 0
    assert {"deepen2023", "csv"} <= {line.split()[0] for line in out.splitlines()}


def test_what_was_run_is_stated_by_options(run, tmp_path):
    source = deepen2023(tmp_path / "source")
    names = ("--device", "acme-phone", "--campaign", "2023-gpu", "--out", tmp_path / "out")
    code, _, err = run("intake", "deepen2023", source, *names, "--dtype", "fp32")
    assert code == 2
    assert "--delegate" in err
    assert "--runtime" in err
    stated = ("--delegate", "GPU", "--dtype", "fp32", "--runtime", "TensorFlow Lite 2.4")
    code, out, _ = run("intake", "deepen2023", source, *names, *stated)
    assert code == 0
    assert "5 rows read = 5 accepted + 0 quarantined" in out
    rows = (tmp_path / "out/acme-phone/2023-gpu/kernels.csv").read_text().splitlines()[1:]
    assert all(",GPU,fp32," in row for row in rows)


def test_intake_of_a_trace_lists_what_is_left_to_fill_in(run, tmp_path):
    write_plain_run(tmp_path / "runs")
    arguments = ["intake", "plain", "runs", "--device", "pi5", "--campaign", "bench", "--meter", "INA219"]
    code, out, _ = run(*arguments, "--meter-kind", "rail", "--runtime", "LiteRT 2.0")
    assert code == 0
    assert "1 row read = 1 accepted + 0 quarantined" in out
    assert "to fill in, because no file states it; run again with the option, or write it into the file:" in out
    assert "  device.yaml: name (--device-name): Name as its maker or the benchmark writes it." in out
    assert "--runtime" not in out


def test_options_of_an_intake_reach_the_files(run, tmp_path):
    write_plain_run(tmp_path / "runs")
    code, _, _ = run(
        "intake", "plain", "runs/mnv2_power.csv", "--device", "pi5", "--campaign", "bench", "--model", "net",
        "--family", "Nets", "--dtype", "int8", "--delegate", "CPU4", "--date", "2026-11-20", "--runtime", "LiteRT",
        "--licence", "CC-BY-4.0", "--contributor", "A. Tester", "--contributor", "B. Tester", "--meter", "INA219",
        "--meter-kind", "rail", "--meter-gain-percent", 1, "--meter-offset-mw", 5, "--device-name", "Raspberry Pi 5",
        "--device-class", "single-board-computer", "--inferences", "mnv2_inference_time.csv", "--skip", 2,
        "--timezone", "Europe/Berlin", "--n-each", 2,
    )  # fmt: skip
    assert code == 0
    manifest = yaml.safe_load((tmp_path / "submissions/pi5/bench/submission.yaml").read_text())
    assert (manifest["date"], manifest["contributors"]) == ("2026-11-20", ["A. Tester", "B. Tester"])
    assert manifest["meter"]["accuracy"] == {
        "gain_percent": 1.0, "offset_mw": 5.0, "stated_by": "The contributor",
    }  # fmt: skip
    (binding,) = manifest["traces"]
    assert (binding["timezone"], binding["n_skipped"], binding["n_each"]) == ("Europe/Berlin", 2, 2)
    assert run("validate")[0] == 0


def test_new_states_the_layouts_of_traces_and_how_they_are_bound(run, tmp_path):
    run("new", "acme-phone/2026-11", "--level", "models")
    text = (tmp_path / "submissions/acme-phone/2026-11/submission.yaml").read_text()
    assert "time_s,power_mw" in text
    assert "start_us,end_us" in text
    lines = [line.removeprefix("# ") for line in text.splitlines()]
    start = lines.index("traces:")
    example = yaml.safe_load("\n".join(lines[start : start + 7]).replace('""', repr("0" * 64)))
    (binding,) = example["traces"]
    assert Trace(**binding).power.file == "NAME_power.csv"


def git(folder, *arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def lay_out_committed(name, folder):
    """Copy one committed submission with its device, and no other submission of that device."""
    source, target = ROOT / "submissions" / name, folder / "submissions" / name
    shutil.copytree(source, target)
    shutil.copy(source.parent / "device.yaml", target.parent)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_since_validates_what_changed_and_reports_the_rankings(run, tmp_path):
    first, *others = sorted(edition_named("phone-2023").founding)
    for name in others:
        lay_out_committed(name, tmp_path)
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "before")
    lay_out_committed(first, tmp_path)
    code, out, _ = run("validate", "--since", "main", "--format", "markdown")
    assert code == 0
    assert "35 rows, 0 errors" in out
    assert re.search(
        rf"\| {first.split('/')[0]} \| phone-2023 \| published \| battery \| not listed \| rank 3, class D", out
    )
    assert "is rated as if it were accepted" not in out
    device = tmp_path / "submissions" / first.split("/")[0] / "device.yaml"
    entered = device.read_text()
    device.write_text(re.sub("^name: .*", "name: TODO", entered, flags=re.MULTILINE))
    code, refused, _ = run("validate", "--since", "main", "--format", "markdown")
    assert code == 1
    assert "[text-blank]" in refused
    # What only the review refuses is in the table, and the table says so.
    assert "Any other is rated as if it were accepted, also where the errors above refuse it." in refused
    assert "not listed | rank 3, class D" in refused
    device.write_text(entered)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "after")
    code, out, _ = run("validate", "--since", "HEAD")
    assert (code, out) == (0, "0 rows, 0 errors, 0 warnings\n")
    assert run("validate", "--since", "nobranch")[0] == 2
