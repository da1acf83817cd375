import os
import re
from pathlib import Path

import pytest

from harness.intake.flow import take_in
from harness.traces.findings import NAME_THE_LOG
from harness.validation import validate
from tests.intake.run_folders import run_mapping
from tests.intake.sources import contents

UPSTREAM = Path(os.environ.get("DEEPEN_UPSTREAM", Path(__file__).parents[2] / "../shared/data/upstream"))
START_S = 1_700_000_000
N_SAMPLES = 200
INFERENCES = ((4.0, 6.0), (8.0, 10.0), (12.0, 14.0))
"""In seconds since the first sample; a sample is taken ten times a second."""


def powers_w():
    """Power at rest, and in inferences, with the noise of a meter."""
    seconds = [sample / 10 for sample in range(N_SAMPLES)]
    levels = (5.0 if any(start <= second <= end for start, end in INFERENCES) else 2.0 for second in seconds)
    return [round(level + 0.01 * (sample % 3 - 1), 2) for sample, level in enumerate(levels)]


def tegrastats():
    return "".join(f"RAM 1/2MB VDD_IN {1000 * power:.0f}/2000 VDD_CPU 100/100\n" for power in powers_w())


def nvidia_smi():
    rows = (f"{START_S + sample / 10:.1f},{power},7.0\n" for sample, power in enumerate(powers_w()))
    return "timestamp,GPU0,GPU1\n" + "".join(rows)


def rapl():
    return "pkg_current_power, pp0_current_power, total_time\n" + "".join(
        f"{power},1.0,{sample / 10 + 0.1:.1f}\n" for sample, power in enumerate(powers_w())
    )


METERS = {
    "tegrastats": (tegrastats, "run.log", 0.0, {"sampling_hz": 10}, "rail"),
    "nvidia-smi": (nvidia_smi, "run.csv", START_S, {"channel": "GPU0"}, "rail"),
    "rapl": (rapl, "run.csv", 0.1, {}, "counter"),
}
"""Log, its file, the time of its first sample, what it does not say, and the tier of its figures."""


def folder_of(root, name, *, has_inferences=True):
    log, file, start, _, _ = METERS[name]
    root.mkdir(parents=True)
    (root / file).write_text(log())
    if has_inferences:
        rows = "".join(f"{start + begin:.1f},{start + end:.1f}\n" for begin, end in INFERENCES)
        (root / "run_inference_time.csv").write_text(f"start_s,end_s\n{rows}")
    return root


def taken(source, tmp_path, name, **changed):
    options = {"runs": {"run": {"family": "MobileNetV2"}}} | METERS[name][3] | changed
    mapping = run_mapping(tmp_path / "m.yaml", **options)
    return take_in(name, source, "acme-board", "bench", out=tmp_path / "out", mapping=mapping)


@pytest.mark.parametrize("name", METERS)
def test_log_with_inferences_becomes_a_row_of_its_tier(tmp_path, name):
    result = taken(folder_of(tmp_path / "runs", name), tmp_path, name)
    assert (result.n_read, result.n_accepted, result.n_quarantined) == (1, 1, 0)
    validated = validate([tmp_path / "out"])
    assert not validated.report.issues
    (campaign,) = validated.campaigns
    (row,) = campaign.tables["models"].to_pylist()
    assert (row["model"], row["n_runs"]) == ("run", 3)
    assert row["energy_mj"] == pytest.approx(10_000, rel=0.02)
    assert row["latency_ms"] == pytest.approx(2000)
    assert campaign.manifest.tier == METERS[name][4]
    assert campaign.manifest.meter.sampling_hz == 10


@pytest.mark.parametrize("name", METERS)
def test_log_without_inferences_is_quarantined(tmp_path, name):
    result = taken(folder_of(tmp_path / "runs", name, has_inferences=False), tmp_path, name)
    file = METERS[name][1]
    assert (result.n_read, result.n_accepted, result.folder) == (1, 0, None)
    assert [str(issue) for row in result.quarantined for issue in row.issues] == [
        f"{file}: no run_inference_time.csv beside {file}; expected it beside the trace. Put the file beside the "
        f"trace; without it the energy of an inference is unknown. {NAME_THE_LOG} [trace-no-inference]"
    ]


@pytest.mark.parametrize("name", METERS)
def test_running_again_gives_the_same_bytes(tmp_path, name):
    source = folder_of(tmp_path / "runs", name)
    taken(source, tmp_path, name)
    before = contents(tmp_path / "out")
    taken(source, tmp_path, name)
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize("name", METERS)
def test_energy_of_another_log_is_found(tmp_path, name):
    folder = taken(folder_of(tmp_path / "runs", name), tmp_path, name).folder
    table = folder / "models.csv"
    energy = validate([folder]).campaigns[0].tables["models"].to_pylist()[0]["energy_mj"]
    text = re.sub(r"(?<=,absolute,)[0-9.]+", f"{1.3 * energy:.6g}", table.read_text())
    table.write_text(re.sub(r"(?<=,2000,)[0-9.]+", f"{0.65 * energy:.6g}", text))
    assert [issue.rule for issue in validate([folder]).report.issues] == ["trace-energy"]


def test_channel_that_is_not_named_is_asked_for_by_row(tmp_path):
    result = taken(folder_of(tmp_path / "runs", "nvidia-smi"), tmp_path, "nvidia-smi", channel=None)
    (row,) = result.quarantined
    assert row.rules == ["trace-channel"]
    assert row.issues[0].message.startswith("no channel; expected one of GPU0, GPU1, total.")


def test_run_may_have_a_channel_of_its_own(tmp_path):
    source = folder_of(tmp_path / "runs", "nvidia-smi")
    result = taken(source, tmp_path, "nvidia-smi", channel=None, runs={"run": {"channel": "total", "n_each": 4}})
    (campaign,) = validate([result.folder]).campaigns
    (row,) = campaign.tables["models"].to_pylist()
    assert (row["energy_mj"], row["latency_ms"]) == (pytest.approx(6000, rel=0.02), pytest.approx(500))
    assert (campaign.manifest.traces[0].channel, campaign.manifest.traces[0].n_each) == ("total", 4)


@pytest.mark.parametrize("name", METERS)
def test_upstream_logs_have_no_inferences(tmp_path, name):
    folder = UPSTREAM / name.replace("-", "_")
    if not folder.is_dir():
        pytest.skip("needs the upstream files; set DEEPEN_UPSTREAM")
    result = taken(folder, tmp_path, name, runs={})
    n_logs = {"tegrastats": 4, "nvidia-smi": 4, "rapl": 2}[name]
    assert (result.n_read, result.n_accepted) == (n_logs, 0)
    assert result.reasons == {"trace-no-inference": n_logs}
