import json
import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from harness.issues import as_text
from harness.traces.runs import Run, reduce_run
from harness.traces.settings import ReductionSettings
from harness.validation import validate
from tests.traces.formats.samples import (
    MONSOON,
    NVIDIA_SMI,
    PIECES,
    PLAIN,
    RAPL,
    TEGRASTATS,
    energyrunner,
)
from tests.validation.bound import (
    BEFORE_MS,
    WINDOWS_MS,
    bind,
    change,
    power_csv,
    report,
    rules,
    sha256,
    state_idle,
    windows_csv,
)
from tests.validation.golden import BASE, lay_out
from tests.validation.hostile import CAMPAIGN

CLEAN = "10 rows, 0 errors, 0 warnings"


@pytest.fixture
def root(tmp_path):
    return lay_out(None, tmp_path)


@pytest.fixture(scope="module")
def models_only(tmp_path_factory):
    """The sound submission with no rows but those that traces are bound to."""
    root = lay_out(None, tmp_path_factory.mktemp("models"))
    for name in ("kernels.csv", "applications.csv"):
        (root / CAMPAIGN / name).unlink()
    return root


def subtract_idle(root):
    """Make model M1's energy idle-subtracted: 320 mW of 2500 mW over 25 ms are not the network's."""
    change(root, "models.csv", "fp32,CPU4,false,62.50,25.00,2500", "fp32,CPU4,true,54.50,25.00,2180")
    change(root, "models.csv", "62.40,62.60", "54.40,54.60")


# What follows from its trace.


def test_energy_that_follows_from_its_trace_is_clean(root):
    bind(root)
    assert report(root) == CLEAN


def test_idle_subtracted_energy_follows_with_the_idle_power_of_its_trace(root):
    bind(root)
    subtract_idle(root)
    state_idle(root)
    assert report(root) == CLEAN


def test_stated_idle_power_is_no_evidence_for_an_idle_subtracted_energy(root):
    """With 900 mW the row would be right: 62.5 mJ less 22.5 mJ."""
    bind(root)
    change(root, "models.csv", "fp32,CPU4,false,62.50,25.00,2500", "fp32,CPU4,true,40.00,25.00,1600")
    change(root, "models.csv", "62.40,62.60", ",")
    state_idle(root, 900)
    assert rules(root) == ["trace-energy"]
    assert "expected 54.5 ± " in report(root)


def test_idle_subtracted_energy_follows_with_a_baseline(root):
    bind(root, baseline=power_csv(320, 320))
    subtract_idle(root)
    # The bound baseline is the evidence, whatever was stated.
    state_idle(root, 900)
    assert report(root) == CLEAN


def test_idle_subtracted_energy_against_another_baseline_does_not_follow(root):
    bind(root, baseline=power_csv(120, 120))
    subtract_idle(root)
    state_idle(root)
    assert rules(root) == ["trace-energy"]
    assert "expected 59.5 ± " in report(root)


@pytest.mark.parametrize(("idle_mw", "is_right"), [(220, True), (345, True), (380, False), (900, False)])
def test_baseline_is_no_busier_than_the_device_before_its_run(root, idle_mw, is_right):
    bind(root, baseline=power_csv(idle_mw, idle_mw))
    energy_mj = 62.5 - idle_mw * 0.025
    change(root, "models.csv", "fp32,CPU4,false,62.50,25.00,2500", f"fp32,CPU4,true,{energy_mj:.3f},25.00,")
    change(root, "models.csv", "62.40,62.60", ",")
    state_idle(root, idle_mw)
    assert rules(root) == ([] if is_right else ["trace-baseline"])


def test_baseline_that_the_trace_cannot_judge_is_named(root):
    # The trace begins 40 ms before its first inference, so that it has no idle power of its own.
    lines = power_csv().decode().splitlines()
    bind(root, "\n".join([lines[0], *lines[1100:]]).encode() + b"\n", baseline=power_csv(900, 900))
    change(root, "models.csv", "fp32,CPU4,false,62.50,25.00,2500", "fp32,CPU4,true,40.00,25.00,1600")
    change(root, "models.csv", "62.40,62.60", ",")
    state_idle(root, 900)
    assert "the baseline m1_idle.csv, with no idle power in m1_power.csv" in report(root)


def test_baseline_of_an_energy_with_idle_power_does_not_matter(root):
    bind(root, baseline=power_csv(900, 900))
    assert report(root) == CLEAN


def test_trace_without_idle_power_cannot_stand_behind_an_idle_subtracted_energy(root):
    lines = power_csv().splitlines(keepends=True)
    bind(root, b"".join([lines[0], *lines[BEFORE_MS:]]))
    subtract_idle(root)
    state_idle(root)
    assert "trace-energy" in rules(root)
    assert "expected a trace with idle power. Bind the power of the idle device as baseline" in report(root)


def energyrunner_power():
    """A sample a millisecond: two seconds of idling, then twenty inferences of 62.5 mJ in half a second, and so on."""
    is_active = [n >= 2000 and n // 500 % 2 == 0 for n in range(4000)]
    return energyrunner([(2500.0 if active else 320.0) + 10 * (-1) ** n for n, active in enumerate(is_active)], 1000.0)


MARKS = b"[0.000001, 2.000001, 2.500001, 3.000001, 3.500001]"


def test_energyrunner_trace_with_windows_of_many_inferences_follows(root):
    bind(root, energyrunner_power(), MARKS, format="energyrunner", n_each=20)
    change(root, "models.csv", "4,,62.40", "40,,62.40")
    assert report(root) == CLEAN


def test_energyrunner_trace_without_the_number_of_inferences_does_not_follow(root):
    bind(root, energyrunner_power(), MARKS, format="energyrunner")
    assert rules(root) == ["trace-energy"]


# The uncertainty is that of the reduction, without the meter.

SPREAD_MW = (2490, 2495, 2505, 2510)


def spread_power():
    """Trace whose windows hold energies that differ."""
    lines = power_csv().decode().splitlines()
    for (start, end), power in zip(WINDOWS_MS, SPREAD_MW, strict=True):
        for k in range(start - 1, end + 2):
            lines[k + 1] = f"{k / 1000:.3f},{power + (10 if k % 2 else -10)}"
    return "\n".join(lines).encode() + b"\n"


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    """Expanded uncertainty in mJ of the trace of windows that differ."""
    folder = tmp_path_factory.mktemp("evidence")
    (folder / "power.csv").write_bytes(spread_power())
    (folder / "windows.csv").write_bytes(windows_csv())
    reduction = reduce_run(Run(folder / "power.csv", folder / "windows.csv", format="plain"))
    assert reduction.energy_mj == pytest.approx(62.5, abs=0.01)
    assert 0.1 < reduction.energy_u_mj < 6
    return reduction.energy_u_mj


@pytest.mark.parametrize("spread", [",,,", "4,0.23,62.25,62.75", "1000000,300,1,900"])
@pytest.mark.parametrize(("share", "is_right"), [(0, True), (0.95, True), (-0.95, True), (1.5, False), (-1.5, False)])
def test_energy_follows_within_the_uncertainty_of_its_trace_whatever_the_row_states(
    root, evidence, share, is_right, spread
):
    bind(root, spread_power())
    change(root, "models.csv", "62.50,25.00,2500", f"{62.5 + share * evidence:.4f},,")
    change(root, "models.csv", "4,,62.40,62.60", spread)
    assert ("trace-energy" not in rules(root)) == is_right


typed = st.none() | st.floats(1e-3, 1e6)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    energy_mj=st.floats(1e-2, 1e4) | st.floats(55, 70),
    is_subtracted=st.booleans(),
    n_runs=st.none() | st.integers(1, 10**6),
    spread=st.tuples(typed, typed, typed),
    meter=st.fixed_dictionaries(
        {"sampling_hz": st.floats(1, 1e6)},
        optional={
            "accuracy": st.fixed_dictionaries(
                {"gain_percent": st.floats(0, 100), "offset_mw": st.floats(0, 1e6), "stated_by": st.just("me")}
            )
        },
    ),
    idle_mw=typed,
)
def test_gaming_of_rows_and_manifest_lets_no_other_energy_pass(
    models_only, evidence, energy_mj, is_subtracted, **stated
):
    """Whatever is typed, a row without an error has the energy of its trace: 62.5 mJ, or 54.5 mJ less idle power."""
    for name in ("submission.yaml", "models.csv"):
        (models_only / CAMPAIGN / name).write_bytes((BASE / CAMPAIGN / name).read_bytes())
    shutil.rmtree(models_only / CAMPAIGN / "traces", ignore_errors=True)
    bind(models_only, spread_power())
    cells = ",".join("" if cell is None else repr(cell) for cell in (stated["n_runs"], *stated["spread"]))
    change(models_only, "models.csv", "false,62.50,25.00,2500", f"{str(is_subtracted).lower()},{energy_mj!r},,")
    change(models_only, "models.csv", "4,,62.40,62.60,M1", f"{cells},M1")
    meter = {"name": "Acme power meter", "kind": "analyser"} | stated["meter"]
    change(models_only, "submission.yaml", "meter:\n  name: Acme power meter\n  kind: analyser\n  sampling_hz: 5000\n",
           f"meter: {json.dumps(meter)}\n")  # fmt: skip
    if stated["idle_mw"] is not None:
        state_idle(models_only, stated["idle_mw"])
    off = abs(energy_mj - (54.5 if is_subtracted else 62.5))
    if off > 1.05 * evidence + 0.0051 * energy_mj:
        assert validate([models_only]).report.n_errors


LONG_RUN_MS = tuple((1500 + 60 * k, 1525 + 60 * k) for k in range(40))


def long_run() -> bytes:
    """Forty windows of 62.5 mJ, but for the first four of 125 mJ: their mean is 68.75 mJ."""
    lines = ["time_s,power_mw"]
    powers = [320.0] * 5000
    for k, (start, end) in enumerate(LONG_RUN_MS):
        powers[start : end + 1] = [5000.0 if k < 4 else 2500.0] * (end + 1 - start)
    lines += [f"{k / 1000:.3f},{power + (10 if k % 2 else -10)}" for k, power in enumerate(powers)]
    return "\n".join(lines).encode() + b"\n"


LONG_RUN = long_run()


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    offset_s=st.none() | st.floats(-0.05, 0.05),
    drift_ppm=st.none() | st.floats(-1e4, 1e4),
    n_skipped=st.integers(0, 45),
    n_each=st.sampled_from([1, 1, 1, 2, 10]),
    baseline_mw=st.none() | st.floats(10, 2400),
    takes_median=st.booleans(),
)
def test_choices_about_a_trace_move_no_energy_unseen(models_only, baseline_mw, takes_median, **entry):
    """Whoever types what a reduction with their own choices gives is 5 % off only where a reviewer is told."""
    folder = models_only / CAMPAIGN
    for name in ("submission.yaml", "models.csv"):
        (folder / name).write_bytes((BASE / CAMPAIGN / name).read_bytes())
    shutil.rmtree(folder / "traces", ignore_errors=True)
    baseline = None if baseline_mw is None else power_csv(baseline_mw, baseline_mw)
    chosen = {name: value for name, value in entry.items() if value is not None}
    bind(models_only, LONG_RUN, windows_csv(LONG_RUN_MS), baseline, **chosen)
    made = ReductionSettings(
        offset_s=entry["offset_s"] or 0.0, drift_ppm=entry["drift_ppm"] or 0.0, n_skipped=entry["n_skipped"]
    )
    files = [folder / "traces" / f"m1_{name}.csv" for name in ("power", "inference_time")]
    idle = None if baseline is None else folder / "traces" / "m1_idle.csv"
    found = reduce_run(Run(*files, idle, entry["n_each"], "plain", settings=made))
    is_subtracted = baseline is not None
    energy_mj = found.energy_median_mj if takes_median else found.energy_mj
    energy_mj = found.energy_idle_subtracted_mj if is_subtracted else energy_mj
    assume(energy_mj is not None and energy_mj > 0)
    change(models_only, "models.csv", "false,62.50,25.00,2500", f"{str(is_subtracted).lower()},{energy_mj!r},,")
    change(models_only, "models.csv", "4,,62.40,62.60,M1", ",,,,M1")
    if is_subtracted:
        state_idle(models_only, baseline_mw)
    truth_mj = 68.75 - (8.0 if is_subtracted else 0.0)
    # A baseline below the idle power makes an energy too high, which helps nobody.
    if energy_mj < 0.95 * truth_mj:
        seen = validate([models_only]).report
        assert seen.n_errors or "trace-choice" in {issue.rule for issue in seen.issues}


def test_drift_that_the_load_takes_back_is_refused(root):
    for name in ("62.50,25.00,2500", "4,,62.40,62.60"):
        change(root, "models.csv", name, "68.75,," if "2500" in name else ",,,")
    bind(root, LONG_RUN, windows_csv(LONG_RUN_MS), drift_ppm=5000.0)
    assert "trace-alignment" in rules(root)
    assert "drift_ppm 5e+03, of which the load takes back" in report(root)


def test_median_may_be_stated_instead_of_the_mean(root):
    # Three windows of 62.5 mJ and one that holds more: the mean is 0.7 mJ above the median.
    lines = power_csv().decode().splitlines()
    lines[1240:1247] = [line.split(",")[0] + ",2900" for line in lines[1240:1247]]
    change(root, "models.csv", "62.40,62.60", ",")
    bind(root, "\n".join(lines).encode() + b"\n")
    assert rules(root) == []


def test_row_with_faulty_cells_is_not_compared(root):
    bind(root)
    change(root, "models.csv", "62.50,25.00,2500", "nought,25.00,2500")
    change(root, "models.csv", "4,,62.40", "-3,-0.80,62.40")
    assert "trace-energy" not in rules(root)


@pytest.mark.parametrize("old", ["fp32,CPU4,false,62.50", "M1"])
def test_row_without_a_cell_is_no_traceback(root, old):
    bind(root)
    change(root, "models.csv", old, "")
    assert rules(root)


# Which row.


@pytest.mark.parametrize(
    "where",
    [
        {"model": "MobileNetV2"},
        {"energy_mj": "62.500"},
        {"flops": "600000000"},
        {"variant": "1.0", "energy_kind": "absolute", "delegate": "CPU4"},
    ],
)
def test_row_is_selected_by_its_cells_as_they_are_written(root, where):
    bind(root, where=where)
    assert report(root) == CLEAN


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"input_shape": "None"}, "0 rows of models.csv with input_shape None"),
        ({"variant": ""}, None),
        ({"delegate": "CPU4", "dtype": "fp32"}, "2 rows of models.csv with delegate CPU4, dtype fp32"),
        ({"no_such": "None"}, "traces.0.where.no_such: no such column"),
    ],
)
def test_selection_of_no_row_or_of_two_is_told(root, where, found):
    bind(root, where=where)
    if found is None:
        # An empty cell is ResNet18's, whose energy is another.
        assert rules(root) == ["trace-energy"]
    else:
        assert rules(root) == ["trace-row"]
        assert found in report(root)


def test_table_that_cannot_be_read_is_not_blamed_on_the_trace(root):
    bind(root)
    change(root, "models.csv", "energy_mj", "energie_mj")
    assert "trace-row" not in rules(root)


# Which bytes.


@pytest.mark.parametrize("name", ["m1_power.csv", "m1_inference_time.csv", "m1_idle.csv"])
def test_changed_byte_of_any_bound_file_is_found(root, name):
    bind(root, baseline=power_csv(320, 320))
    path = root / CAMPAIGN / "traces" / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert rules(root) == ["trace-hash"]
    assert f"{sha256(path.read_bytes())}, the SHA-256 of traces/{name}" in report(root)


@pytest.mark.parametrize(
    ("entry", "name"),
    [("power", "m1_power.csv"), ("inferences", "m1_inference_time.csv"), ("baseline", "m1_idle.csv")],
)
def test_missing_file_is_found_at_the_line_that_binds_it(root, entry, name):
    bind(root, baseline=power_csv(320, 320))
    (root / CAMPAIGN / "traces" / name).unlink()
    assert rules(root) == ["trace-missing"]
    assert f"submission.yaml:18: traces.0.{entry}.file = {name}; expected a file in traces/" in report(root)


def test_linked_trace_is_refused_and_not_read(root):
    bind(root)
    path = root / CAMPAIGN / "traces" / "m1_power.csv"
    path.rename(root.parent / "elsewhere")
    path.symlink_to(root.parent / "elsewhere")
    assert rules(root) == ["path-symlink"]
    assert "traces/m1_power.csv: a symbolic link; expected a plain file or folder" in report(root)


def test_linked_folder_of_traces_is_refused_and_not_read(root):
    bind(root)
    folder = root / CAMPAIGN / "traces"
    folder.rename(root.parent / "elsewhere")
    folder.symlink_to(root.parent / "elsewhere")
    assert rules(root) == ["path-symlink"]


def test_bound_pipe_is_not_waited_for(root):
    bind(root)
    path = root / CAMPAIGN / "traces" / "m1_power.csv"
    path.unlink()
    os.mkfifo(path)
    assert rules(root) == ["trace-missing"]


def test_bound_folder_is_no_file(root):
    bind(root)
    path = root / CAMPAIGN / "traces" / "m1_power.csv"
    path.unlink()
    path.mkdir()
    assert rules(root) == ["trace-missing", "trace-unbound"]


def test_hidden_files_beside_traces_belong_to_nobody(root):
    bind(root)
    (root / CAMPAIGN / "traces" / ".DS_Store").write_bytes(b"\0")
    assert report(root) == CLEAN


@pytest.mark.parametrize("name", ["m1_power.csv", "m1_inference_time.csv"])
def test_refusal_of_the_operating_system_is_an_issue(root, name, monkeypatch):
    bind(root)
    opened = Path.open

    def refuse(self, *args, **kwargs):
        if self.name == name:
            raise PermissionError(13, "Permission denied")
        return opened(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    assert rules(root) == ["file-unreadable"]
    assert f"traces/{name}: permission denied; expected a readable file" in report(root)


# Whose bytes.


def second_campaign(root):
    other = root / "acme-phone" / "2026-11"
    other.mkdir()
    for name in ("submission.yaml", "models.csv"):
        (other / name).write_bytes((root / CAMPAIGN / name).read_bytes())
    return "acme-phone/2026-11"


def test_same_bytes_under_two_campaigns_are_found(root):
    other = second_campaign(root)
    bind(root)
    bind(root, campaign=other, names="renamed")
    assert rules(root) == ["trace-shared"]
    assert "2026-11/submission.yaml:18: traces.0.power.file = renamed_power.csv; expected other bytes" in report(root)
    assert "2026-10/submission.yaml:18, traces.0. Give each result the trace" in report(root)


def test_two_campaigns_with_traces_of_their_own_are_clean(root):
    other = second_campaign(root)
    bind(root)
    bind(root, power_csv(idle_mw=330), campaign=other)
    assert report(root) == "12 rows, 0 errors, 0 warnings"


def test_copy_of_a_trace_with_another_last_line_is_found(root):
    other = second_campaign(root)
    bind(root)
    bind(root, power_csv() + b"\n", campaign=other)
    assert rules(root) == ["trace-shared"]
    assert "other samples than those of the trace in" in report(root)


def test_two_results_may_share_a_baseline(root):
    bind(root, baseline=power_csv(320, 320))
    change(root, "models.csv", "243.20,76.00,3200", "62.50,25.00,2500")
    change(root, "models.csv", "50,2.10,239.00,248.10", "4,,62.40,62.60")
    bind(root, power_csv(idle_mw=330), baseline=power_csv(320, 320), names="m2", where={"source_id": "M2"})
    assert report(root) == CLEAN


# Nothing brings validation down.

FILES = {
    "monsoon": MONSOON,
    "energyrunner": energyrunner([5.0, 6.0, 7.0, 8.0]),
    "tegrastats": TEGRASTATS,
    "nvidia-smi": NVIDIA_SMI,
    "rapl": RAPL,
    "plain": PLAIN,
}
TIMES = [windows_csv(), b"[0.0, 0.001, 0.002]", b"start_s,end_s\n1700000000.0001,1700000000.0005\n", windows_csv(())]
NUMBERS = [b"1e300", b"-1e300", b"1.7e308", b"0", b"-1", b"1e-300", b"1790000000000000", b"NaN", b"", b"99999999999"]


@st.composite
def mangled(draw, contents):
    content = draw(st.sampled_from(contents))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + 12)))
        piece = draw(st.sampled_from([*PIECES, *NUMBERS]) | st.binary(max_size=6))
        content = content[:start] + piece + content[end:]
    return draw(st.just(content) | st.binary(max_size=60))


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(sorted(FILES)),
    data=st.data(),
    inferences=mangled([*TIMES, *TIMES]),
    n_each=st.sampled_from([1, 1, 10**9]),
    options=st.sampled_from([{}, {}, {"channel": "total"}, {"sampling_hz": 1e-300}, {"sampling_hz": 10.0}]),
)
def test_no_bytes_under_a_right_hash_raise(models_only, name, data, inferences, n_each, options):
    sound = [FILES[name], power_csv()]
    power = data.draw(mangled(sound))
    baseline = data.draw(st.none() | mangled(sound))
    manifest = models_only / CAMPAIGN / "submission.yaml"
    manifest.write_bytes((BASE / CAMPAIGN / "submission.yaml").read_bytes())
    shutil.rmtree(models_only / CAMPAIGN / "traces", ignore_errors=True)
    form = data.draw(st.sampled_from([name, "plain"]))
    bind(models_only, power, inferences, baseline, format=form, n_each=n_each, **options)
    start = time.process_time()
    found = validate([models_only]).report
    assert time.process_time() - start < 20
    assert len(as_text(found).splitlines()) == len(found.issues) + 1


@pytest.mark.parametrize(
    "power",
    [
        b"",
        b"\n",
        b"time_s,power_mw",
        b"time_s,power_mw\n" + b"0,1.7e308\n1,1.7e308\n2,1.7e308\n" * 30,
        b"time_s,power_mw\n" + b"".join(b"%d,1.7e308\n" % k for k in range(100)),
        b"time_s,power_mw\n" + b"0,300\n" * 300,
        b"time_s,power_mw\n" + b"".join(b"%d,300\n" % -k for k in range(300)),
        b"time_s,power_mw\n" + b"0," + b"9" * 100_000 + b"\n",
        b"time_s,power_mw" + b",x" * 100_000 + b"\n",
        b"x" * 5_000_000,
        b"\0" * 1_000_000,
        b"time_s,power_mw\n" + b"\n" * 1_000_000,
    ],
    ids=[
        "empty",
        "line",
        "header",
        "joined",
        "overflow",
        "standing",
        "falling",
        "digits",
        "cells",
        "x",
        "nul",
        "blank",
    ],
)
def test_hostile_trace_gets_a_report(root, power):
    bind(root, power, windows_csv([(0, 2000), (3000, 5000)]), power)
    start = time.process_time()
    assert any(rule.startswith("trace-") for rule in rules(root))
    assert time.process_time() - start < 20


@pytest.mark.parametrize(
    "inferences",
    [
        b"",
        b"[" * 100_000,
        b"[1" + b",1" * 100_000 + b"]",
        b"start_s,end_s\n" + b"1,0\n" * 100_000,
        b"[1e999, -1e999, {}]",
    ],
    ids=["empty", "nested", "standing", "backward", "infinite"],
)
def test_hostile_inferences_get_a_report(root, inferences):
    bind(root, inferences=inferences)
    found = rules(root)
    assert any(rule in ("trace-format", "trace-no-inference", "inference-order", "trace-window") for rule in found)
    assert len(found) < 100


def test_hostile_entries_get_a_report(root):
    manifest = root / CAMPAIGN / "submission.yaml"
    entry = {"level": "models", "where": {}, "format": "", "power": {}, "inferences": {"file": "..", "sha256": "0"}}
    manifest.write_text(manifest.read_text() + "traces: " + json.dumps([entry, [], None, {"n_each": 0}]) + "\n")
    assert {"fact-value", "fact-missing"} <= set(rules(root))


def test_many_windows_are_compared_in_seconds(root):
    windows = [(k / 10, k / 10 + 0.05) for k in range(1900)] * 20
    bind(root, inferences=windows_csv(windows))
    start = time.process_time()
    rules(root)
    assert time.process_time() - start < 20
