"""The command `deepen reduce`, as it is called."""

import json
import sys
from xml.etree import ElementTree

import pytest

from harness.api import traces
from harness.cli import main
from tests.traces.formats.samples import energyrunner
from tests.validation.bound import power_csv, windows_csv

KEYS = {
    "n_samples", "sampling_hz", "resolution_ms", "n_inferences", "n_used", "n_skipped", "energy_mj", "energy_u_mj",
    "energy_median_mj", "energy_std_mj", "energy_idle_subtracted_mj", "energy_idle_subtracted_u_mj", "idle_power_mw",
    "idle_u_mw", "latency_ms", "power_mw", "boundary", "rails", "offset_s", "offset_u_s", "drift_ppm", "uncertainty",
    "issues",
}  # fmt: skip


@pytest.fixture
def reduce(monkeypatch, capsys):
    """Call the command; exit code, standard output and standard error."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["deepen", "reduce", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as exit_:
            code = exit_.code or 0
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return call


@pytest.fixture
def files(tmp_path):
    power, times, idle = (tmp_path / name for name in ("a_power.csv", "a_inference_time.csv", "idle.csv"))
    power.write_bytes(power_csv())
    times.write_bytes(windows_csv())
    idle.write_bytes(power_csv(320, 320))
    return power, times, idle


def test_json_has_every_figure_under_its_name(reduce, files):
    power, times, idle = files
    code, out, _ = reduce(power, "--inferences", times, "--baseline", idle, "--format", "json")
    result = json.loads(out)
    assert code == 0
    assert set(result) >= KEYS
    assert (result["n_samples"], result["n_inferences"], result["n_used"]) == (1300, 4, 4)
    assert result["sampling_hz"] == pytest.approx(1000)
    assert result["energy_mj"] == pytest.approx(62.5)
    assert result["energy_std_mj"] == pytest.approx(0, abs=1e-9)
    assert result["energy_u_mj"] > 0
    assert all(set(part) == {"component", "standard_mj"} for part in result["uncertainty"])
    combined = sum((part["standard_mj"] or 0) ** 2 for part in result["uncertainty"]) ** 0.5
    assert result["energy_u_mj"] == pytest.approx(2 * combined)
    assert result["idle_power_mw"] == pytest.approx(320)
    assert result["energy_idle_subtracted_mj"] == pytest.approx(54.5)
    assert result["latency_ms"] == pytest.approx(25)
    assert result["power_mw"] == pytest.approx(2500)
    assert not [issue for issue in result["issues"] if issue["severity"] == "error"]


def test_text_has_a_unit_behind_every_quantity(reduce, files):
    power, times, _ = files
    code, out, _ = reduce(power, "--inferences", times)
    lines = {line.split()[0]: line.split()[1:] for line in out.splitlines()[1:]}
    assert code == 0
    assert out.splitlines()[0] == power.as_posix()
    assert float(lines["energy_mj"][0]) == pytest.approx(62.5)
    assert (lines["energy_mj"][1], lines["energy_mj"][3:]) == ("±", ["mJ", "(k", "=", "2)"])
    assert "energy_u_mj" not in lines
    assert lines["component"] == ["of", "uncertainty", "standard", "mJ"]
    assert float(lines["repeatability"][0]) >= 0
    assert lines["latency_ms"] == ["25", "ms"]
    assert lines["power_mw"] == ["2500", "mW"]
    assert lines["sampling_hz"] == ["1000", "Hz"]
    assert lines["n_used"] == ["4"]
    assert lines["idle_power_mw"] == ["320", "mW"]


def test_inferences_are_found_beside_the_trace_by_the_name_of_the_run(reduce, files):
    power, times, _ = files
    assert json.loads(reduce(power, "--format", "json")[1])["energy_mj"] == pytest.approx(62.5)
    times.unlink()
    code, _, err = reduce(power)
    assert code == 2
    assert f"--inferences FILE is needed: start and end of every inference (there is no {times.as_posix()})" in err


def test_what_the_files_do_not_say_reaches_the_run(reduce, files, monkeypatch):
    seen = []

    def noted(runs, **how):
        seen.extend(runs)
        return reduce_runs(runs, **how)

    reduce_runs = traces.reduce_runs
    monkeypatch.setattr(traces, "reduce_runs", noted)
    power, times, _ = files
    layout = power.with_name("layout.yaml")
    layout.write_text("{time: t, time_unit: s, power: p, power_unit: W, meaning: instant}\n")
    reduce(
        power, "--inferences", times, "--timezone", "+01:00", "--voltage", 5.1, "--align", "--skip", 2, "--warm-up",
        "auto", "--meter-gain-percent", 0.5, "--meter-offset-mw", 3, "--layout", layout,
    )  # fmt: skip
    (run,) = seen
    assert (run.options.timezone, run.options.voltage_v, run.options.layout.power_unit) == ("+01:00", 5.1, "W")
    assert (run.settings.is_aligned, run.settings.n_skipped, run.settings.skips_warm_up) == (True, 2, True)
    assert (run.settings.accuracy.gain_percent, run.settings.accuracy.offset_mw) == (0.5, 3)


def test_offset_moves_the_windows_and_windows_are_left_out_on_request(reduce, files):
    power, times, _ = files
    moved = json.loads(reduce(power, "--inferences", times, "--offset", 0.0, "--skip", 1, "--format", "json")[1])
    assert (moved["applied_offset_s"], moved["n_skipped"], moved["n_used"]) == (0, 1, 3)


def test_help_states_the_layouts_that_the_project_defines(reduce):
    out = " ".join(reduce("--help")[1].split())
    assert "time_s,power_mw" in out
    assert "start_us,end_us" in out


def test_layout_with_a_fault_is_refused_with_its_line(reduce, files):
    power, times, _ = files
    layout = power.with_name("layout.yaml")
    layout.write_text("time: t\ntime_unit: fortnights\nmeaning: instant\n")
    code, _, err = reduce(power, "--inferences", times, "--layout", layout)
    assert code == 1
    assert "layout.yaml:2: time_unit = fortnights" in err


def test_windows_of_many_inferences_are_shared_out(reduce, files):
    power, times, _ = files
    result = json.loads(reduce(power, "--inferences", times, "--n-each", 5, "--format", "json")[1])
    assert result["energy_mj"] == pytest.approx(12.5)
    assert result["n_used"] == 20


def test_warnings_leave_the_exit_code_alone(reduce, files):
    power, times, _ = files
    power.write_bytes(power_csv().replace(b"0.007,330", b"0.007,-5"))
    code, out, _ = reduce(power, "--inferences", times)
    assert code == 0
    assert (
        "  warning: a_power.csv: power below 0 in 1 of 1300 samples, down to -5 mW; expected no negative power. " in out
    )


@pytest.mark.parametrize(
    ("content", "issue"),
    [
        (
            windows_csv(()),
            "error: a_inference_time.csv: no inferences; expected at least one. Log start and end of every inference",
        ),
        (
            b"start,end\n1,2\n",
            "error: a_inference_time.csv: line 1: start,end; expected a header with start_us and end_us",
        ),
        (
            windows_csv([(1400, 1425)]),
            "error: a_inference_time.csv: 1 of 1 inferences outside the trace, number 1 first, at 1.400000 to",
        ),
    ],
    ids=["none", "no unit", "outside"],
)
def test_run_without_usable_inferences_is_an_error_with_its_reason(reduce, files, content, issue):
    power, times, _ = files
    times.write_bytes(content)
    code, out, _ = reduce(power, "--inferences", times)
    assert code == 1
    assert issue in out
    code, out, _ = reduce(power, "--inferences", times, "--format", "json")
    result = json.loads(out)
    assert (code, result["energy_mj"]) == (1, None)
    assert {"rule", "severity", "found", "expected", "fix", "line", "source"} <= set(result["issues"][0])
    assert result["issues"][0]["source"] == "a_inference_time.csv"


def test_trace_that_cannot_be_read_is_an_error_with_its_line(reduce, files):
    power, times, _ = files
    power.write_bytes(b"Time(ms),Main(mA),Main Voltage(V),\nmonday,1,2,\n")
    code, out, _ = reduce(power, "--inferences", times)
    assert code == 1
    assert "error: a_power.csv: line 2: the stamp monday; expected a number" in out
    assert "unknown" not in out


def test_trace_of_no_known_format_is_an_error(reduce, files):
    power, times, _ = files
    power.write_bytes(b"nothing known\n1,2\n")
    code, out, _ = reduce(power, "--inferences", times)
    assert code == 1
    assert "error: a_power.csv: a file that looks like no known format; expected one of energyrunner, " in out


def test_message_about_a_wrong_format_names_the_right_one(reduce, files):
    power, times, _ = files
    code, out, _ = reduce(power, "--inferences", times, "--as", "monsoon")
    assert code == 1
    assert "The file looks like plain: name that format, or bring the right file. [trace-format]" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--align", "--offset", "0.1"], "either found (--align) or stated (--offset), not both"),
        (["--warm-up", "ten"], "--warm-up 'ten' is not auto; --skip N leaves out a number of windows"),
        (["--layout", "nowhere.yaml"], "nowhere.yaml"),
        (["--meter-gain-percent", "-1"], "--meter-gain-percent"),
        (
            ["--inferences", "{times}", "--as", "oscilloscope"],
            "'oscilloscope' is not a known trace format",
        ),
        (["--inferences", "{times}", "--backend", "nonsense"], "joblib back end 'nonsense'"),
        (["--inferences", "nowhere.csv"], "nowhere.csv"),
        (["--inferences", "{times}", "--baseline", "nowhere.csv"], "nowhere.csv"),
        (["--inferences", "{times}", "--n-each", "0"], "--n-each"),
        (["--inferences", "{times}", "--format", "xml"], "xml"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) and value else None,
)
def test_wrong_usage_is_one_clear_line(reduce, files, options, message):
    power, times, _ = files
    code, out, err = reduce(power, *(option.format(times=times) for option in options))
    assert (code, out) == (2, "")
    assert message in err


def test_trace_that_does_not_exist_is_wrong_usage(reduce, tmp_path):
    code, _, err = reduce(tmp_path / "nowhere.csv", "--inferences", tmp_path / "nowhere.csv")
    assert code == 2
    assert "does not exist" in err


# Folders of runs.


@pytest.fixture
def folder(tmp_path):
    for name, active_mw in (("one", 2500), ("two", 1000)):
        (tmp_path / f"{name}_power.csv").write_bytes(power_csv(active_mw))
        (tmp_path / f"{name}_inference_time.csv").write_bytes(windows_csv())
    inner = tmp_path / "zz"
    inner.mkdir()
    (inner / "trace1-energy.bin").write_bytes(
        energyrunner([900.0, 1100.0] * 100 + [25_000.0, 25_100.0] * 30 + [900.0, 1100.0] * 100, 100.0)
    )
    (inner / "trace1-timestamps.json").write_bytes(b"[0.000, 2.000, 2.600]")
    (inner / "results.txt").write_text("1 ulp-ml:   # Inferences :         12\n")
    return tmp_path


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_folder_of_runs_is_reduced_in_order(reduce, folder, backend):
    code, out, _ = reduce(folder, "--format", "json", "--jobs", 2, "--backend", backend)
    runs = json.loads(out)["runs"]
    assert code == 0
    assert [run["trace"].rsplit("/", 1)[-1] for run in runs] == ["one_power.csv", "two_power.csv", "trace1-energy.bin"]
    assert [run["energy_mj"] for run in runs] == pytest.approx([62.5, 25, 125.25], rel=1e-3)


def test_one_bad_run_does_not_hide_the_others(reduce, folder):
    (folder / "one_inference_time.csv").write_bytes(windows_csv(()))
    (folder / "two_inference_time.csv").unlink()
    code, out, _ = reduce(folder, "--format", "json", "--jobs", 1)
    runs = json.loads(out)["runs"]
    assert code == 1
    rules = [[issue["rule"] for issue in run["issues"] if issue["severity"] == "error"] for run in runs]
    assert rules == [["trace-no-inference"], ["trace-no-inference"], []]
    assert runs[2]["energy_mj"] == pytest.approx(125.25, rel=1e-3)


def test_folder_without_runs_is_wrong_usage(reduce, tmp_path):
    code, _, err = reduce(tmp_path)
    assert code == 2
    assert "holds no run" in err


@pytest.mark.parametrize("option", ["--inferences", "--baseline", "--plot"])
def test_folder_of_runs_takes_no_files_beside_it(reduce, folder, option):
    code, _, err = reduce(folder, option, folder / "one_inference_time.csv")
    assert code == 2
    assert "name one trace" in err


# Pictures.


def test_picture_shows_the_windows(reduce, files):
    power, times, _ = files
    picture = power.with_name("picture.svg")
    code, _, _ = reduce(power, "--inferences", times, "--plot", picture)
    assert code == 0
    tree = ElementTree.fromstring(picture.read_text("utf-8"))
    assert tree.tag == "{http://www.w3.org/2000/svg}svg"
    shaded = [path for path in tree.iter("{http://www.w3.org/2000/svg}path") if path.get("fill") == "#f2b134"]
    assert len(shaded) == 4
    assert "mJ (k = 2) per inference; 4 windows" in "".join(tree.itertext())


def test_run_without_inferences_is_drawn_all_the_same(reduce, files):
    power, times, _ = files
    times.write_bytes(windows_csv(()))
    picture = power.with_name("picture.svg")
    code, _, _ = reduce(power, "--inferences", times, "--plot", picture)
    assert code == 1
    assert "no energy; 0 windows" in picture.read_text("utf-8")
