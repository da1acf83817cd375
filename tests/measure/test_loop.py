"""From a plan to predictions of networks, on a device whose energies are set: nothing is measured, and no clock runs.

`tests.bench device-loop` does the same with networks that really run, and is not a test because other work disturbs it.
"""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from harness import api
from harness.errors import UsageError
from harness.prediction.fitted_predictor import fitted_for, of_saved_content, saved_content_for
from harness.prediction.kept import read_kept
from harness.prediction.training_set import training_set
from harness.predictor.columns import KernelColumns
from harness.predictor.features import FEATURES
from tests.measure.networks import MEASURED, UNSEEN, write
from tests.measure.packs import kernel, network, pack, write_run

DEVICE = "acme-board-3"
N_ROWS = 16
FACTS = {"contributors": ["A. Person"], "licence": "CC0-1.0", "device_class": "single-board-computer"}


def measured_mj(kernel, number):
    """Energy of a kernel as one measurement of it has it, which no other repeats to the last digit."""
    return energy_mj(kernel["flops"], kernel["bytes_moved"]) * (1 + 1e-4 * number)


def energy_mj(flops, bytes_moved):
    """Energy of a kernel: a roofline, and 2 % that it does not tell, the same whenever it runs."""
    digest = hashlib.sha256(f"{flops}/{bytes_moved}".encode()).digest()
    return (0.05 + 2e-6 * flops + 1e-5 * bytes_moved) * (1 + 0.02 * (2 * digest[0] / 255 - 1))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Submissions with the kernels of a plan, measured."""
    here = tmp_path_factory.mktemp("loop")
    paths = write(here, MEASURED)
    planned = api.plan(DEVICE, N_ROWS, networks=list(paths.values()), formats=["onnx"], out=here / "plan", data=here)
    plan = json.loads((planned.folder / "plan.json").read_text())
    known = {each["id"]: each for each in plan["kernels"]}
    entries = [
        kernel(number, measured_mj(known[each["id"]], number), known[each["id"]])
        for number, each in enumerate(plan["order"], 1)
        if each["id"] in known
    ]
    packed = pack(write_run(here / "run", entries, plan={"sha256": "a" * 64, "device_id": DEVICE}), here / "run.zip")
    api.intake("measure", packed, out=here / "submissions", **FACTS)
    return here / "submissions"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_what_was_measured_validates(data):
    report = api.validate(data).report
    assert (report.n_errors, {issue.rule for issue in report.issues}) == (0, {"repeat"})
    assert report.n_rows == N_ROWS + 2


def test_networks_are_predicted_within_their_intervals(data, tmp_path):
    found = api.calibrate(DEVICE, n_further=2, data=data)
    assert (found.n_rows, found.others, len(found.further)) == (N_ROWS + 2, [], 2)
    (everything, *_) = found.best.errors
    assert (everything.kernel, everything.n) == ("all", N_ROWS + 2)
    for path in write(tmp_path, UNSEEN).values():
        prediction = api.predict(path, DEVICE, data=data)
        assert prediction.fitted.stamp.predictor == found.best.predictor
        assert prediction.fitted.is_kept
        low, high = prediction.network.interval_mj
        assert low <= kernels_mj(prediction) <= high


def test_networks_that_were_measured_whole_tell_what_sums_are_multiplied_by(data, tmp_path):
    data = Path(shutil.copytree(data, tmp_path / "submissions"))
    paths = write(tmp_path, MEASURED)
    shares = {"wide": 0.7, "deep": 0.65, "narrow": 0.75}
    sums = {name: kernels_mj(api.predict(path, DEVICE, data=data)) for name, path in paths.items()}
    entries = [network(number, shares[name] * sums[name], name) for number, name in enumerate(paths, 1)]
    run = write_run(tmp_path / "run", entries, started_s=1_791_000_000.0)
    api.intake("measure", run, DEVICE, out=data, dtype="fp32", family="ResNet8", **FACTS)
    found = api.calibrate(DEVICE, networks=list(paths.values()), n_further=0, data=data)
    assert found.network_factor == pytest.approx(0.7, rel=0.05)
    assert [each.model for each in found.networks] == list(paths)
    for path in write(tmp_path, UNSEEN).values():
        prediction = api.predict(path, DEVICE, data=data)
        low, high = prediction.network.interval_mj
        assert low <= 0.7 * kernels_mj(prediction) <= high
        assert "the ratio of 3 networks" in prediction.notes[-1]
    with pytest.raises(UsageError, match=r"is of a network first; networks that were measured: deep, narrow, wide"):
        api.calibrate(DEVICE, networks=[tmp_path / "first.onnx"], data=data)


def kernels_mj(prediction):
    """Sum over the kernels of a network, each as the device takes it alone."""
    return sum(energy_mj(each.kernel.flops, each.kernel.bytes_moved) for each in prediction.network.kernels)


def test_the_way_with_least_error_is_kept_for_these_rows_alone(data, tmp_path):
    found = api.calibrate(DEVICE, n_further=0, data=data)
    errors = [way.errors[0].median_error_percent for way in found.tried]
    assert found.chosen == errors.index(min(errors))
    (kept,) = (path for path in (tmp_path / "deepen/fitted").iterdir() if path.stat().st_size > 1000)
    assert read_kept(kept.name)
    assert read_kept("0" * 64) is None


@pytest.mark.parametrize("key", ["roofline-residual", "device-transfer"])
def test_a_predictor_that_was_saved_predicts_as_it_did(data, key):
    release = api.read_release(data)
    training = training_set(release.levels["kernels"], DEVICE, "fp32")
    asked = KernelColumns({name: training.rows[name].to_numpy() for name in FEATURES})
    fresh = fitted_for(training, key, data / "none").predict(asked, 0.9)
    content = saved_content_for(training, key, release.levels["kernels"].slice(0, 0))
    for now, then in zip(of_saved_content(content).predict(asked, 0.9), fresh, strict=True):
        np.testing.assert_allclose(now, then)


def test_too_few_rows_are_refused(data):
    with pytest.raises(UsageError, match=r"is not a known device"):
        api.calibrate("other-board", data=data)
