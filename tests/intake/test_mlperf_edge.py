"""The campaigns of MLPerf Inference are those of its results: every figure of the published tables, and no other."""

import csv
import math
from functools import cache
from pathlib import Path

import pytest

from harness.intake.flow import take_in
from harness.intake.mlperf_meters import accuracy_of
from harness.intake.mlperf_networks import NETWORKS
from harness.intake.mlperf_runs import RunFigures
from harness.intake.mlperf_uncertainty import KNOWN, UNSTABLE, Repeated, expanded_energy_mj, repeatability
from harness.schema.facts import MeterAccuracy
from harness.validation import validate
from tests.intake.mlperf_trees import results_tree
from tests.intake.test_mlperf_inference import PUBLISHED, UPSTREAM, needs_upstream
from tests.traces.benchmark_logs import loadgen

SUBMISSIONS = Path(__file__).parents[2] / "submissions"
FIGURES = {
    "energy_mj": ("energy_mj", 1),
    "latency_ms": ("latency_mean_ms", 1),
    "latency_p90_ms": ("latency_p90_ms", 1),
    "power_mw": ("power_mw", 1),
    "accuracy_percent": ("accuracy", 1),
    "idle_before_mw": ("pre_median_w", 1000),
    "idle_after_mw": ("post_median_w", 1000),
    "repeat_energy_mj": ("ranging_energy_mj", 1),
    "repeat_latency_ms": ("ranging_latency_ms", 1),
}
"""Column of a row with its name in the published tables, and what the value there is multiplied by."""


@cache
def committed():
    """Rows of the campaigns by round and path of their power log, with their campaign."""
    folders = sorted(SUBMISSIONS.glob("*/mlperf-inference-*"))
    found = {}
    for folder in folders:
        with (folder / "models.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found[row["rounds"], row["source_id"]] = row | {"campaign": folder}
    return found


@cache
def published():
    rows = {}
    for name in ("singlestream", "idle_and_repeat"):
        with (PUBLISHED / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                rows.setdefault((row["round"], row["source_path"]), {}).update(row)
    return rows


@needs_upstream
def test_every_published_figure_is_committed_and_no_other():
    assert len(published()) == 2763
    assert committed().keys() == published().keys()
    for key, printed in published().items():
        row = committed()[key]
        network = NETWORKS[printed["benchmark"]]
        assert {name: row[name] for name in network.cells} == network.cells
        for column, (name, factor) in FIGURES.items():
            assert bool(row.get(column)) == bool(printed[name]), (key, column)
            if printed[name]:
                assert float(row[column]) == pytest.approx(float(printed[name]) * factor, rel=5e-9), (key, column)


@needs_upstream
def test_every_campaign_has_the_meter_and_the_runtime_of_its_rows():
    runs = {}
    for key, row in committed().items():
        runs.setdefault(row["campaign"], []).append(published()[key])
    found = {campaign.submission_id: campaign for campaign in validate(sorted(runs)).campaigns}
    assert len(found) == len(runs)
    for folder, rows in runs.items():
        manifest = found[f"{folder.parent.name}/{folder.name}"].manifest
        assert {row["meter"] for row in rows} == {manifest.meter.name}
        assert {row["framework"] for row in rows} == {manifest.runtime}
        assert {row["source_commit"] for row in rows} == {manifest.source.identifier}
        assert len({(row["round"], row["division"], row["submitter"], row["system"]) for row in rows}) == 1


@needs_upstream
def test_repeatability_of_all_results_is_that_of_their_stable_repeats():
    differences = [float(row["repeat_energy_mj"]) / float(row["energy_mj"]) - 1 for row in committed().values()]
    squares = [math.log1p(each) ** 2 / 2 for each in differences if abs(each) <= UNSTABLE]
    assert (len(squares), math.sqrt(sum(squares) / len(squares))) == (2728, pytest.approx(KNOWN, rel=0.005))


@needs_upstream
def test_unstable_rows_are_noted_in_their_campaigns():
    with (PUBLISHED / "unstable_rows.csv").open(encoding="utf-8", newline="") as file:
        unstable = {(row["sys"].split(":")[0], row["energy_mj"]) for row in csv.DictReader(file)}
    noted = 0
    for (round_name, _), row in committed().items():
        if (round_name, f"{float(row['energy_mj']):.3f}".rstrip("0")) in unstable:
            notes = " ".join((row["campaign"] / "submission.yaml").read_text(encoding="utf-8").split())
            assert published()[round_name, row["source_id"]]["benchmark"] in notes
            noted += 1
    assert noted == len(unstable) == 27


def without_uncertainty(rows):
    """Rows without what depends on the other runs of their campaign."""
    return {key: {name: row[name] for name in row if name not in {"energy_u_mj", "campaign"}} for key, row in rows}


def imported(folder, tmp_path):
    result = take_in("mlperf-inference", folder, out=tmp_path / "out")
    assert result.n_quarantined == 0
    with (result.folder / "models.csv").open(encoding="utf-8", newline="") as file:
        return result, {(row["rounds"], row["source_id"]): row for row in csv.DictReader(file)}


@needs_upstream
def test_importer_gives_the_committed_rows_of_real_runs(tmp_path):
    found = {}
    for folder in sorted(path for path in (UPSTREAM / "mlperf_inference").iterdir() if path.is_dir()):
        result, rows = imported(folder, tmp_path)
        found |= rows
        assert {committed()[key]["campaign"].parts[-2:] for key in rows} == {result.folder.parts[-2:]}
        own = (result.folder.parent / "device.yaml").read_text(encoding="utf-8")
        assert own == (SUBMISSIONS / result.folder.parent.name / "device.yaml").read_text(encoding="utf-8")
    assert len(found) == 6
    assert without_uncertainty(found.items()) == without_uncertainty((key, committed()[key]) for key in found)


SPL = "Time,07-13-2026 11:{:02d}:{:02d}.000,Watts,{:.9f},Volts,230.1,Amps,0.04,PF,0.5,Mark,run\n"


def log_of(latency_ms, p90_ms, energy_mj, power_mw, *, is_result=True):
    """Log of LoadGen of a window that begins at 11:00:10 and gives these figures."""
    each_us = energy_mj / power_mw * 1e6
    count = int(600e6 / each_us)
    end_us = 10_000_000 + round(count * each_us)
    stamp = f"07-13-2026 11:{end_us // 60_000_000:02d}:{end_us / 1e6 % 60:09.6f}"
    return loadgen(
        power_begin="07-13-2026 11:00:10.000", power_end=stamp, effective_scenario="SingleStream",
        result_validity="VALID" if is_result else None, result_query_count=count,
        result_mean_latency_ns=round(latency_ms * 1e6),
        **{"result_90.00_percentile_latency_ns": round(p90_ms * 1e6)},
    )  # fmt: skip


def power_log(power_mw, before_mw, after_mw, seconds=650):
    """Power log with a step at 11:00:10 and at the end of the window, about 600 s later."""
    levels = [before_mw if second < 10 else power_mw if second <= 615 else after_mw for second in range(seconds)]
    return "".join(SPL.format(*divmod(second, 60), level / 1e3) for second, level in enumerate(levels))


def test_importer_gives_the_committed_rows_of_a_tree_with_their_figures(tmp_path):
    system, round_name = "rpi4-tflite-v2.7.1-ruy", "v2.0"
    for row in committed().values():
        if row["campaign"].name != "mlperf-inference-v2.0-open-Krai-rpi4-tflite-v2.7.1-ruy":
            continue
        figures = {name: float(row[name]) for name in FIGURES}
        power, repeat_mw = figures["power_mw"], 1e3 * figures["repeat_energy_mj"] / figures["repeat_latency_ms"]
        files = {
            "performance/run_1/mlperf_log_detail.txt": log_of(
                figures["latency_ms"], figures["latency_p90_ms"], figures["energy_mj"], power
            ),
            "performance/run_1/spl.txt": power_log(power, figures["idle_before_mw"], figures["idle_after_mw"]),
            "performance/ranging/mlperf_log_detail.txt": log_of(
                figures["repeat_latency_ms"], 1.0, figures["repeat_energy_mj"], repeat_mw, is_result=False
            ),
            "performance/ranging/spl.txt": power_log(repeat_mw, repeat_mw, repeat_mw),
            "performance/power/ptd_logs.txt": "Selected power meter 'Yokogawa WT310' from wt.cpp\n",
            "accuracy/accuracy.txt": f"accuracy={row['accuracy_percent']}%, good=1, total=1\n",
        }
        benchmark = row["source_id"].split("/")[4]
        description = {"submitter": "Krai", "system_name": "Raspberry Pi 4", "framework": "TFLite v2.7.1 (ruy)"}
        tree = results_tree(tmp_path, system=system, round_name=round_name, benchmark=benchmark,
                            submitter="Krai", description=description, files=files)  # fmt: skip
    result, rows = imported(tree, tmp_path)
    own = {key: row for key, row in committed().items() if row["campaign"].name == result.folder.name}
    assert rows.keys() == own.keys()
    assert len(rows) == 94
    for key, row in rows.items():
        for name in row.keys() - {"energy_u_mj"} - FIGURES.keys():
            assert row[name] == own[key][name]
        for name in FIGURES:
            assert float(row[name]) == pytest.approx(float(own[key][name]), rel=2e-8), (key, name)
        # The highest power of a run, which its row does not hold, decides on the range of the meter.
        assert float(row["energy_u_mj"]) == pytest.approx(float(own[key]["energy_u_mj"]), rel=0.1)


def test_every_row_states_its_uncertainty():
    shares = [float(row["energy_u_mj"]) / float(row["energy_mj"]) for row in committed().values()]
    assert len(shares) == 2763
    assert min(shares) > 0.005
    assert max(shares) < 0.7


def figures(energy_mj=100.0, latency_ms=20.0, idle_mw=5000.0):
    power_mw = energy_mj / latency_ms * 1e3
    return RunFigures(energy_mj, power_mw, latency_ms, latency_ms, idle_mw, idle_mw, 1.0, power_mw, 600.0)


def test_uncertainty_of_steady_runs_is_that_of_meter_and_repeats():
    accuracy = MeterAccuracy(gain_percent=0.6, offset_mw=30, stated_by="Data sheet")
    runs = [Repeated(figures(), 100.0 * (1.01 if number % 2 else 1 / 1.01)) for number in range(40)]
    pooled = repeatability(runs)
    # Half of a squared difference of 1 %; Student's t of 40 degrees of freedom widens it by 3 %.
    assert pooled == pytest.approx(math.log(1.01) / 2**0.5, rel=0.04)
    expected = 2 * math.hypot(100 * 0.006 / 3**0.5, 30 * 0.02 / 3**0.5, 100 * pooled)
    assert expanded_energy_mj(runs[0], pooled, accuracy) == pytest.approx(expected, rel=1e-3)


def test_window_edges_count_what_power_they_may_miss():
    still, busy = (Repeated(figures(idle_mw=idle), 100.0) for idle in (5000.0, 1000.0))
    assert expanded_energy_mj(still, 0.0, None) == 0.0
    assert expanded_energy_mj(busy, 0.0, None) == pytest.approx(2 * 4000 * 0.02 * 2**0.5 / 12**0.5 / 600)


def test_unstable_run_keeps_its_difference_and_widens_no_other():
    steady = [Repeated(figures(), 100.5) for _ in range(20)]
    unstable = Repeated(figures(), 150.0)
    assert repeatability([*steady, unstable]) == repeatability(steady)
    assert expanded_energy_mj(unstable, 0.0, None) == pytest.approx(2 * 50 / 3**0.5)


def test_few_repeats_take_what_is_known_of_all_results_and_none_give_no_uncertainty():
    assert repeatability([Repeated(figures(), 100.01)]) == KNOWN
    assert repeatability([Repeated(figures(), 105.0)] * 3) == pytest.approx(math.log(1.05) / 2**0.5)
    assert repeatability([Repeated(figures(), None)]) is None
    assert expanded_energy_mj(Repeated(figures(), None), None, None) is None


@pytest.mark.parametrize(
    ("meter", "highest_mw", "ampere"),
    # Ranges that PTDaemon set for a Raspberry Pi 4, an Odroid N2+ and a Khadas VIM4.
    [
        ("Yokogawa WT330:1-Channel", 7790.0, "0.5"),
        ("Yokogawa WT310", 8346.0, "0.1"),
        ("Yokogawa WT310", 6358.0, "0.05"),
    ],
)
def test_limits_of_a_meter_are_those_of_the_range_that_its_logs_show(meter, highest_mw, ampere):
    limits = accuracy_of(meter, highest_mw)
    assert f"300 V x {ampere} A" in limits["stated_by"]
    assert limits["offset_mw"] == pytest.approx(0.45 * 0.001 * 300 * float(ampere) * 1e3)
    assert limits["gain_percent"] == pytest.approx(0.497)


def test_limits_of_other_meters_and_of_powers_beyond_its_ranges_are_unknown():
    assert accuracy_of("Acme WT1", 5000.0) is None
    assert accuracy_of("Yokogawa WT310", 1e7) is None


@needs_upstream
def test_systems_of_a_round_are_distinct_and_their_divisions_share_one():
    folders = sorted({row["campaign"] for row in committed().values()})
    campaigns = {campaign.submission_id: campaign for campaign in validate(folders).campaigns}
    found, is_open = {}, set()
    for key, row in committed().items():
        printed = published()[key]
        campaign = campaigns["/".join(row["campaign"].parts[-2:])]
        identity = campaign.system_id, campaign.manifest.system.round
        found.setdefault((printed["round"], printed["submitter"], printed["system"]), set()).add(identity)
        if printed["division"] == "open" and campaign.tables["models"].num_rows > 80:
            is_open.add(identity)
    assert all(len(identities) == 1 for identities in found.values())
    assert len(set().union(*found.values())) == len(found) == 80
    assert len({system for system, _ in is_open}) == len(is_open) == 28
