"""Whatever the modules of a predictor do when they are imported, no process of the harness is changed by it."""

import builtins
import shutil
import sys
from pathlib import Path

import pytest

from harness import api
from harness.evaluation import runner
from harness.evaluation.results import CheckedResults
from harness.packaging.predictors_build import build_predictors
from harness.pages.board_rows import read_boards
from harness.prediction.fitted_predictor import MODEL_FILE, load_fitted
from harness.prediction.network_energy import predict_network
from harness.predictor.registry import list_predictors
from harness.predictor.scaffold import write_predictor
from harness.sandbox.jobs import conformance_faults
from tests.evaluation.releases import kernel_device, release_of
from tests.prediction.test_network_energy import known
from tests.predictor.packages import made_package, model_source

CARDS = Path(__file__).parents[2] / "dataset_cards"
PATCH = """
import builtins, sys
builtins.deepen_is_patched = True
if runner := sys.modules.get("harness.evaluation.runner"):
    runner.scores = lambda *_: []
if persistence := sys.modules.get("harness.predictor.persistence"):
    persistence.read_stamp = None
sys.path.insert(0, "/nowhere")
"""
"""Patches what the process has imported: importing the runner again in each job would take most of a minute."""


@pytest.fixture(scope="module")
def patching(tmp_path_factory):
    """Package whose every module patches the harness, beside a broken predictor, and results of it on a release."""
    root = tmp_path_factory.mktemp("patching")
    for package in made_package(root):
        (package.folder / "__init__.py").write_text(PATCH)
        home = package.add("patching", model=f"{PATCH}\n{model_source()}")
        for name in ("__init__.py", "info.py"):
            (home / name).write_text(PATCH)
        package.add("broken", info=False)
        release = release_of(kernel_device())
        before = runner.scores, list(sys.path)
        out = root / "dist" / "evaluation"
        boards = api.evaluate(release, tracks=["kernels"], out=out, package=package.name, n_jobs=1)
        yield package, release, root / "dist", boards["kernels"]
        assert not hasattr(builtins, "deepen_is_patched")
        assert not [name for name in sys.modules if name.partition(".")[0] == package.name]
        assert (runner.scores, list(sys.path)) == before


@pytest.fixture(autouse=True)
def _is_untouched(patching):
    yield
    assert not hasattr(builtins, "deepen_is_patched")
    assert not [name for name in sys.modules if name.partition(".")[0] == patching[0].name]


def test_an_evaluation_scores_what_was_predicted_and_a_broken_neighbour_is_a_row(patching):
    rows = {
        row.predictor: row for row in patching[3].rows if row.result.split == "cv-3x5" and row.score.kernel == "all"
    }
    assert rows["patching"].result.status == "ok"
    assert rows["patching"].score.measures["within_10"] < 0.5
    assert rows["broken"].result.status == "failed"
    assert "broken/predictor.toml: no such file; expected the declaration" in rows["broken"].result.reason


def test_boards_of_the_site_are_read_without_it(patching):
    package, release, dist, _ = patching
    boards = read_boards(release, CheckedResults(dist / "evaluation"), package=package.name)
    assert {row.predictor for row in boards.rows["kernels"]} == {"patching"}
    assert any(note.startswith("broken is not evaluated: ") for note in boards.notes["kernels"])


def test_a_build_saves_it_and_a_prediction_loads_it_where_it_is_confined(patching):
    package, release, dist, _ = patching
    outcomes = build_predictors(
        release,
        list_predictors(package.name),
        cards=CARDS,
        dist=dist,
        results=CheckedResults(dist / "evaluation"),
        dataset_version="1.2.3",
        package=package.name,
    )
    made = {each.key: each for each in outcomes}
    assert "broken/predictor.toml" in made["broken"].reason
    assert made["patching"].reason == ""
    fitted = load_fitted(made["patching"].folder / MODEL_FILE, package.name)
    assert predict_network(known(0, 1), fitted).energy_mj > 0


def test_conformance_is_checked_where_it_is_confined(patching):
    assert conformance_faults("patching", patching[0].name) == []


def test_a_new_predictor_is_written_beside_it(patching):
    package = patching[0]
    written = write_predictor(package.folder.parent, "another", package.name)
    try:
        assert list(list_predictors(package.name).infos) == ["another", "patching"]
    finally:
        shutil.rmtree(written[0].parent)
