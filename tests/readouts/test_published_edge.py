"""Read-outs of the published rows of MLPerf edge systems, compared with the tables that were made of the same rows."""

import csv
import os
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from harness.readouts.cheapest import cheapest
from harness.readouts.fronts import placed
from harness.readouts.points import all_series, by_dataset
from harness.readouts.tables import read_outs
from harness.releases import assemble
from tests.readouts.boards import board

ROOT = Path(__file__).parents[2]
UPSTREAM = Path(os.environ.get("DEEPEN_UPSTREAM", ROOT / "../shared/data/upstream"))
PUBLISHED = UPSTREAM.parent / "published" / "mlperf_edge"
BOARDS = ("rpi4", "xavier", "odroid", "firefly", "orin", "vim4")
RUNTIMES = {"opencl": "armnn-opencl", "neon": "armnn-neon", "": "tflite"}
FAMILIES = {"mobilenet-v1": "V1", "mobilenet-v2": "V2", "mobilenet-v3": "V3", "efficientnet": "EL"}

pytestmark = pytest.mark.skipif(
    not (PUBLISHED / "singlestream.csv").is_file(), reason="needs the published tables beside the upstream files"
)


def table(name):
    with (PUBLISHED / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def is_int8(benchmark):
    return bool(re.search("int8|uint8|(?<!non-)quantized", benchmark))


def board_of(system):
    return next(name for name in BOARDS if name in system)


def runtime_of(system):
    return next(runtime for part, runtime in RUNTIMES.items() if part in system)


def system_of(row):
    """System as the tables name it: round, first letter of the submitter, folder."""
    return f"{row['round']}:{row['submitter'][0].upper()}:{row['system']}"


def rows_of_networks():
    """Rows of the open division that sweep the networks; ResNet-50 alone is in the closed one."""
    swept = [row for row in table("singlestream.csv") if row["division"] == "open"]
    return [row for row in swept if re.match("mobilenet|efficientnet", row["benchmark"])]


def model_row(row):
    family = next(name for name in FAMILIES if row["benchmark"].startswith(name))
    return {
        "model": row["benchmark"],
        "family": family,
        "delegate": "CPU1",
        "dtype": "int8" if is_int8(row["benchmark"]) else "fp32",
        "energy_kind": "absolute",
        "energy_mj": float(row["energy_mj"]),
        "latency_ms": float(row["latency_mean_ms"]),
        "power_mw": float(row["power_mw"]),
        "accuracy_percent": float(row["accuracy"]),
        "accuracy_dataset": "ImageNet-1k",
        "rounds": [row["round"]],
    }


@pytest.fixture(scope="module")
def release():
    """One campaign per system of a round, as the folder of the source is one."""
    by_system = defaultdict(list)
    for row in rows_of_networks():
        by_system[row["round"], row["submitter"], row["system"]].append(model_row(row))
    campaigns = []
    for number, ((round_, submitter, folder), rows) in enumerate(by_system.items()):
        system = {"stack": runtime_of(folder), "submitter": submitter, "round": round_}
        runtime = system_of({"round": round_, "submitter": submitter, "system": folder})
        campaigns.append(board(rows, board_of(folder), f"{number:02}-{round_}", runtime=runtime, system=system))
    return assemble(campaigns)


@pytest.fixture(scope="module")
def found(release):
    return read_outs(release)


@pytest.fixture(scope="module")
def points(release):
    """Networks of every system, by the name that the tables give it."""
    by_system = {}
    for series, of_series in all_series(release).items():
        ((_, group),) = by_dataset(of_series)
        by_system[series.runtime] = group
    return by_system


def test_every_energy_of_the_sweeps_is_a_point(points):
    assert len(points) == 28
    published = Counter((system_of(row), float(row["energy_mj"])) for row in rows_of_networks())
    assert Counter((name, point.energy_mj) for name, group in points.items() for point in group) == published
    assert published.total() == 2606


def test_fronts_have_the_published_sizes_and_families(found, points):
    for expected in table("pareto_counts.csv"):
        name = expected["sys"]
        front = [row for row in found["fronts"] if row.runtime == name]
        on_energy = [row for row in front if row.is_on_energy_front]
        counts = {
            "n": front[0].n_networks,
            "accuracy_energy": len(on_energy),
            "accuracy_latency": sum(row.is_on_latency_front for row in front),
            "three": sum(row.is_on_front for row in front),
            "same": sum(row.is_on_latency_front for row in on_energy),
            "int8_on_front": sum(row.dtype == "int8" for row in on_energy),
        }
        assert counts == {column: int(expected[column]) for column in counts}, name
        families = dict(part.split(":") for part in expected["families"].split("+"))
        assert Counter(FAMILIES[row.family] for row in on_energy) == {key: int(n) for key, n in families.items()}, name
        assert len(points[name]) == int(expected["n"])


def test_the_cheapest_networks_are_the_published_ones(found):
    for expected in table("pareto_counts.csv"):
        of_system = {row.min_accuracy_percent: row for row in found["cheapest"] if row.runtime == expected["sys"]}
        for least in (70, 75):
            assert of_system[least].energy_mj == float(expected[f"e_at_{least}"]), expected["sys"]
            assert of_system[least].dtype == expected[f"net_at_{least}"].split("/")[1], expected["sys"]


def test_the_costliest_networks_near_an_accuracy_are_the_published_ones(points):
    """The table's `worst_at_70` is the highest energy of the networks from 70 % to less than 72 %."""
    for expected in table("pareto_counts.csv"):
        near = [point for point in points[expected["sys"]] if 70 <= point.accuracy_percent < 72]
        assert max(point.energy_mj for point in near) == float(expected["worst_at_70"]), expected["sys"]


def test_runtime_ratios_are_the_published_ones(found):
    columns = {
        "energy_b_over_a": "energy_ratio_median",
        "lo": "energy_ratio_lowest",
        "hi": "energy_ratio_highest",
        "latency_b_over_a": "latency_ratio_median",
        "share_b_better": "share_b_better",
        "disagree_energy_latency": "share_disagreeing",
    }
    ratios = {
        (row.round, row.device_id, runtime_of(row.system_id_a), runtime_of(row.system_id_b), row.dtype): row
        for row in found["runtime_ratios"]
    }
    published = table("runtime_ratios.csv")
    # v2.1 and v3.0 have no other pair, so that nothing is compared that the table leaves out.
    assert len(ratios) == len(found["runtime_ratios"]) == len(published) == 42
    for expected in published:
        row = ratios[expected["round"], expected["board"], expected["a"], expected["b"], expected["dtype"]]
        assert row.n_networks == int(expected["n"]), expected
        for column, field in columns.items():
            # The table is rounded to a thousandth.
            assert getattr(row, field) == pytest.approx(float(expected[column]), abs=5.001e-4), (column, expected)


def test_a_cheapest_network_is_on_the_front_of_its_system(points):
    for name, group in points.items():
        on_front = {place.point.record_id for place in placed(group) if place.is_on_energy_front}
        for least in range(40, 80):
            best = cheapest(group, least)
            assert best is None or best.point.record_id in on_front, (name, least)
