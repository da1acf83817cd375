"""Rows of MLPerf Tiny in `submissions` compared with the tables that were read out of the results repositories."""

import csv
import os
import re
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from harness.intake.flow import take_in

ROOT = Path(__file__).parents[1]
UPSTREAM = Path(os.environ.get("DEEPEN_UPSTREAM", ROOT / "../shared/data/upstream"))
PUBLISHED = UPSTREAM.parent / "published"
RESULTS = PUBLISHED / "mlperf_tiny_latency_accuracy.csv"
SYSTEMS = PUBLISHED / "mlperf_tiny.csv"
TASKS = {"anomaly_detection": "ad", "image_classification": "ic", "keyword_spotting": "kws", "visual_wake_words": "vww"}

pytestmark = pytest.mark.skipif(
    not (RESULTS.is_file() and SYSTEMS.is_file()), reason="needs the published tables beside the upstream files"
)


def keyed(path):
    """Rows of a published table by round and file of the result."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    by_result = {(row["round"], row["source_path"]): row for row in rows}
    assert len(by_result) == len(rows)
    return by_result


@pytest.fixture(scope="module")
def results():
    return keyed(RESULTS)


@pytest.fixture(scope="module")
def systems():
    return keyed(SYSTEMS)


@pytest.fixture(scope="module")
def submitted():
    """Row, submission and device of every published result that a row states, by round and file of the result."""
    found = []
    for table in sorted((ROOT / "submissions").glob("*/mlperf-tiny-*/models.csv")):
        submission = yaml.safe_load((table.parent / "submission.yaml").read_text(encoding="utf-8"))
        device = yaml.safe_load((table.parents[1] / "device.yaml").read_text(encoding="utf-8"))
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found += [
                    ((edition, row["source_id"]), (row, submission, device)) for edition in row["rounds"].split(";")
                ]
    assert not [key for key, count in Counter(key for key, _ in found).items() if count > 1]
    return dict(found)


def number(text):
    return float(text) if text else None


def test_every_published_result_is_a_row_and_every_row_a_published_result(results, submitted):
    assert set(submitted) == set(results)
    assert len(results) == 149


def test_networks_energies_and_latencies_are_the_published_ones(results, submitted):
    for key, (row, submission, _) in submitted.items():
        published = results[key]
        assert row["model"] == f"mlperf-tiny-{TASKS.get(published['task'], published['task'])}", key
        assert float(row["energy_mj"]) == pytest.approx(float(published["energy_uj"]) / 1000, rel=1e-9), key
        # Latencies are stated with six digits, and throughputs are printed to a thousandth.
        assert float(row["latency_ms"]) == pytest.approx(float(published["latency_energy_mode_ms"]), rel=1e-5), key
        if published["round"] == row["rounds"].split(";")[0]:
            assert submission["source"]["identifier"] == published["source_commit"], key


def test_accuracies_and_latencies_without_the_meter_are_the_published_ones(results, submitted):
    columns = {
        "accuracy_percent": "top1_percent",
        "auc": "auc",
        "latency_unmetered_ms": "latency_performance_mode_ms",
    }
    compared = Counter()
    for key, (row, _, _) in submitted.items():
        for column, title in columns.items():
            published = number(results[key][title])
            if published is not None:
                assert number(row[column]) == published, (key, column)
                compared[column] += 1
    assert compared == {"accuracy_percent": 128, "auc": 140, "latency_unmetered_ms": 140}


def test_windows_power_and_supply_are_the_published_ones(systems, submitted):
    for key, published in systems.items():
        row = submitted[key][0]
        for column, title, scale in (
            ("energy_min_mj", "energy_window_min_uj", 1000),
            ("energy_max_mj", "energy_window_max_uj", 1000),
            ("power_mw", "mean_power_uw", 1000),
            ("n_runs", "n_windows", 1),
            ("supply_mv", "meter_supply_mv", 1),
        ):
            assert (number(row[column]) is None) == (not published[title]), (key, column)
            if published[title]:
                assert float(row[column]) == pytest.approx(float(published[title]) / scale, rel=1e-9), (key, column)


def test_runtimes_and_devices_are_as_the_systems_are_described(systems, submitted):
    for key, published in systems.items():
        _, submission, device = submitted[key]
        framework = published["framework"].split("=")[0]
        assert not framework or submission["runtime"] == framework, key
        clock_mhz = submission["system"].get("clock_mhz", device.get("frequency_mhz"))
        assert device["name"] == published["board"], key
        assert clock_mhz == float(published["frequency"].removesuffix("MHz")), key
        assert submission["system"]["submitter"] == published["submitter"], key
        assert published["round"] in (submission["system"]["round"], *submitted[key][0]["rounds"].split(";")), key
        assert device.get("accelerator", "") == published["accelerator"], key


def test_every_system_has_its_runtime_and_every_board_its_microcontroller_and_maker(submitted):
    assert not [key for key, (_, submission, _) in submitted.items() if submission["runtime"] == "not stated"]
    boards = {device["name"]: device for _, _, device in submitted.values()}
    assert len(boards) == 11
    assert all("soc" in device for device in boards.values())
    assert all(device["vendor"] == "STMicroelectronics" for name, device in boards.items() if "NUCLEO" in name)


TRACE = re.compile(
    r"The raw trace of (\w+) \((\S+) in the folder of its source id, SHA-256 (\w{64})\) gives ([\d.]+) ± ([\d.]+) mJ"
)


def test_every_trace_whose_hash_is_stated_gives_the_energy_of_its_row(submitted, tmp_path):
    stated = [
        (key, row, device, TRACE.search(submission.get("notes", "")))
        for key, (row, submission, device) in submitted.items()
        if "The raw trace of" in submission.get("notes", "")
    ]
    bound = [each for each in stated if each[1]["model"] == f"mlperf-tiny-{each[-1][1]}"]
    assert len(bound) == 4
    for (edition, path), row, device, match in bound:
        _, name, digest, energy, expanded = match.groups()
        folder = (UPSTREAM / "energyrunner" / edition / path).parent
        assert sha256((folder / name).read_bytes()).hexdigest() == digest
        place = tmp_path / digest[:8]
        place.mkdir()
        (place / "device.yaml").write_text(yaml.safe_dump(device), encoding="utf-8")
        take_in("energyrunner", folder.parents[1], place.name, "traces", out=tmp_path)
        with (place / "traces" / "models.csv").open(encoding="utf-8", newline="") as file:
            (taken,) = csv.DictReader(file)
        assert float(energy) == pytest.approx(float(taken["energy_mj"]), rel=0.005)
        assert float(expanded) == pytest.approx(float(taken["energy_u_mj"]), rel=0.05)
        assert abs(float(taken["energy_mj"]) - float(row["energy_mj"])) < float(taken["energy_u_mj"])
