import csv
import json

import pytest
import yaml

from harness.errors import UsageError
from harness.schema.networks import NetworkKernel, configuration_of
from harness.simulation import runner
from harness.simulation.accelerators import accelerators
from harness.simulation.cache import open_cache
from harness.simulation.campaign import write_campaign
from harness.simulation.estimator import Estimate
from harness.simulation.runner import simulate
from harness.validation import validate
from tests.kernel_lists import CONV, REST
from tests.simulation.cases import CONFIGURATIONS, SHAPE, WINDOW, needs_estimator, network

pytestmark = needs_estimator
TPU = accelerators()[0]
UNMAPPED = {"kernel": "conv-bn-relu", **SHAPE, "cout": 8, **WINDOW, "groups": 5}
NETWORKS = (network(), network("AlexNet", "AlexNet"))


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write a campaign of figures by a formula, and give it."""
    monkeypatch.setattr(
        runner, "estimate_layer", lambda layer, _: Estimate(1234.5678 * layer.n_operations, layer.n_operations + 1 / 3)
    )

    def write(configurations=CONFIGURATIONS, networks=NETWORKS):
        cache = open_cache(tmp_path / "cache.jsonl")
        kernels = [configuration_of(kernel) for each in networks for kernel in each.kernels]
        simulate([*configurations, *kernels], [TPU], cache, n_jobs=1)
        command = "deepen simulate --accelerator zigzag-edge-tpu-like"
        return write_campaign(TPU, configurations, networks, cache, out=tmp_path / "submissions", command=command)

    return write


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def bytes_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_written_campaign_validates_without_errors_or_warnings(written):
    campaign = written((*CONFIGURATIONS, UNMAPPED))
    report = validate([campaign.folder.parents[1]]).report
    assert [str(issue) for issue in report.issues] == []
    assert report.n_rows == campaign.n_kernels + campaign.n_models == 14 + 2


def test_the_same_figures_give_the_same_bytes_in_any_order(written):
    folder = written().folder.parent
    before = bytes_of(folder)
    assert bytes_of(written(CONFIGURATIONS[::-1], NETWORKS[::-1]).folder.parent) == before


def test_rows_state_energy_latency_and_power_that_agree(written):
    for row in rows_of(written().folder / "kernels.csv"):
        power_mw = float(row["energy_mj"]) / float(row["latency_ms"]) * 1e3
        assert float(row["power_mw"]) == pytest.approx(power_mw, rel=2e-5)
        assert (row["dtype"], row["delegate"], row["energy_kind"]) == ("int8", "NPU", "dynamic-only")


def test_what_the_estimator_has_no_operation_for_has_no_row_and_is_told(written):
    folder = written().folder
    assert {"relu", "concat"}.isdisjoint(row["kernel"] for row in rows_of(folder / "kernels.csv"))
    notes = yaml.safe_load((folder / "submission.yaml").read_text())["notes"]
    assert "Drawn without a row: 1 concat, 1 relu." in notes
    assert "Not counted: 2 softmax." in notes
    assert notes.endswith("Command: deepen simulate --accelerator zigzag-edge-tpu-like")


def test_a_failed_configuration_is_in_the_quarantine_with_its_reason(written):
    campaign = written((*CONFIGURATIONS, UNMAPPED))
    (row,) = rows_of(campaign.folder / "quarantine.csv")
    assert row["reasons"] == "5 groups do not divide 12 input and 8 output channels"
    assert (row["kernel"], row["groups"]) == ("conv-bn-relu", "5")
    assert [outcome.configuration for outcome in campaign.failed] == [UNMAPPED]


def test_a_network_costs_the_sum_of_its_simulated_kernels(written):
    (row,) = rows_of(written(networks=NETWORKS[:1]).folder / "models.csv")
    n_operations = (55_296 + 18_432 + 320) // 2
    assert float(row["energy_mj"]) == pytest.approx(1234.5678 * n_operations / 1e9, rel=1e-5)
    assert float(row["latency_ms"]) == pytest.approx((n_operations + 1) / 200e3, rel=1e-5)
    assert (int(row["flops"]), int(row["params"])) == (55_296 + 18_432 + 320 + 10, 448 + 160 + 170)


def test_a_network_of_which_too_little_is_simulated_has_no_row(written):
    unknown = network("AlexNet", "AlexNet", (NetworkKernel(**CONV), NetworkKernel(**REST)))
    campaign = written(networks=(network(), unknown))
    assert [row["model"] for row in rows_of(campaign.folder / "models.csv")] == ["ResNet18"]
    assert [cost.network.model for cost in campaign.left_out] == ["AlexNet"]
    assert not (campaign.folder / "graphs" / "AlexNet.json").exists()
    text = " ".join((campaign.folder / "submission.yaml").read_text().split())
    assert "Networks without a row, because less of their FLOPs could be simulated: 1." in text


def test_kernel_lists_are_of_eight_bits_with_a_kernel_a_line(written):
    wide = [kernel.model_copy(update={"dtype": "fp32"}) for kernel in network().kernels]
    folder = written(networks=(network(kernels=wide),)).folder
    text = (folder / "graphs" / "ResNet18.json").read_text()
    kernels = json.loads(text)["kernels"]
    assert [kernel["dtype"] for kernel in kernels] == ["int8"] * 4
    assert [kernel["bytes_moved"] for kernel in kernels] == [kernel.bytes_moved // 4 for kernel in wide]
    assert len(text.splitlines()) == 4 + len(kernels) + 3


def test_a_folder_that_holds_other_files_is_left_alone(written):
    folder = written().folder
    (folder / "applications.csv").write_text("mine")
    before = bytes_of(folder)
    with pytest.raises(UsageError, match=r"applications\.csv was not written by a simulation"):
        written()
    assert bytes_of(folder) == before
