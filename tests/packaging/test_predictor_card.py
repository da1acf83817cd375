"""Folders of fitted predictors: what is built, what is left out, the card, and loading by its own snippet."""

import json
import re
import shutil
from functools import partial
from pathlib import Path

import onnx
import pytest
from huggingface_hub import ModelCard

from harness import __version__, api
from harness.errors import ReleaseError
from harness.evaluation.results import CheckedResults
from harness.evaluation.runner import RunSettings, evaluate
from harness.evaluation.tracks import plans_of
from harness.files.swap import replacing_parts
from harness.packaging.predictors_build import CARD_FILE, PREDICTORS, build_predictors
from harness.prediction.fitted_predictor import MODEL_FILE, RANGES_FILE, SUMS_FILE, is_whole, load_fitted
from harness.predictor.loading import load_model
from harness.predictor.persistence import STAMP_FILE, read_stamp
from harness.predictor.registry import Listing, list_predictors, predictor_version
from harness.sandbox.jobs import Outcome
from tests.evaluation.releases import FAMILIES, kernel_device, network_device, networks, release_of
from tests.graphs.random_models import ModelMaker
from tests.prediction.test_network_energy import INTERVALS
from tests.predictor.packages import made_package, model_source

CARDS = Path(__file__).parents[2] / "dataset_cards"
WAY = Path("mine/acme-phone/CPU1--fp32--analyser")


def in_this_process(package):
    """Stands in for processes of their own."""

    def run_jobs(key, jobs, **settings):
        for job in jobs:
            model = load_model(key, package.name)().fit(job.train)
            bounds = {each: model.predict_interval(job.test, each) for each in job.coverages}
            yield Outcome("ok", "", model.predict(job.test), bounds, fit_s=0.1, predict_s=0.1)

    return run_jobs


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Package of predictors, release, `dist` with results and predictors, and the outcomes of the build."""
    root = tmp_path_factory.mktemp("built")
    release = release_of(kernel_device(), kernel_device("other-phone", factor=2), network_device(networks()))
    with pytest.MonkeyPatch.context() as patch:
        for package in made_package(root):
            for key, fit in (("mine", ""), ("unevaluated", ""), ("stubborn", "")):
                package.add(key, model=model_source(fit, rest=INTERVALS))
            patch.setattr("harness.evaluation.runner.run_jobs", in_this_process(package))
            plans = [plan for track in ("kernels", "models") for plan in plans_of(track, release, 0).plans]
            evaluate(
                plans,
                chosen(package, ("mine", "stubborn")),
                RunSettings(root / "dist" / "evaluation", package.name, n_jobs=1),
            )
            yield package, release, root / "dist", build(package, release, root / "dist")


def chosen(package, keys):
    infos, faults = list_predictors(package.name)
    return Listing({key: infos[key] for key in keys if key in infos}, faults)


def build(package, release, dist, keys=("mine", "unevaluated"), cards=CARDS):
    with replacing_parts(dist, (PREDICTORS,)) as fresh:
        return build_predictors(
            release,
            chosen(package, keys),
            cards=cards,
            dist=fresh,
            results=CheckedResults(dist / "evaluation"),
            dataset_version="1.2.3",
            previous=dist,
            package=package.name,
        )


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_evaluated_predictor_has_a_folder_for_each_way_of_running(built):
    _, _, dist, outcomes = built
    made = {(each.key, each.subject.device_id): each for each in outcomes}
    assert set(made) == {(key, device) for key in ("mine", "unevaluated") for device in ("acme-phone", "other-phone")}
    assert made["mine", "acme-phone"].folder == dist / "predictors" / WAY
    assert sorted(contents(dist / "predictors" / WAY)) == sorted(
        [CARD_FILE, MODEL_FILE, RANGES_FILE, STAMP_FILE, SUMS_FILE]
    )
    assert is_whole(dist / "predictors" / WAY)


def test_what_was_not_evaluated_on_these_rows_is_left_out_with_its_reason(built):
    package, _, dist, outcomes = built
    assert all(
        each.folder is None and "deepen evaluate" in each.reason for each in outcomes if each.key == "unevaluated"
    )
    assert not (dist / "predictors" / "unevaluated").exists()
    other = release_of(kernel_device(factor=3))
    scratch = dist.parent / "scratch"
    shutil.copytree(dist / "evaluation", scratch / "evaluation")
    assert [each.folder for each in build(package, other, scratch, ["mine"])] == [None]


def test_building_twice_gives_the_same_bytes_and_fits_nothing_again(built, monkeypatch, tmp_path):
    package, release, dist, _ = built
    shutil.copytree(dist, tmp_path / "dist")
    fresh = tmp_path / "fresh"
    shutil.copytree(dist / "evaluation", fresh / "evaluation")
    build(package, release, fresh)
    before = contents(dist / "predictors")
    assert contents(fresh / "predictors") == before
    monkeypatch.setattr("harness.packaging.predictors_build.run_jobs", None)
    build(package, release, tmp_path / "dist")
    assert contents(tmp_path / "dist" / "predictors") == before


def test_a_damaged_file_of_the_previous_build_is_fitted_anew(built, tmp_path):
    package, release, dist, _ = built
    shutil.copytree(dist, tmp_path / "dist")
    path = tmp_path / "dist" / "predictors" / WAY / MODEL_FILE
    path.write_bytes(path.read_bytes()[:-30])
    build(package, release, tmp_path / "dist")
    assert contents(tmp_path / "dist" / "predictors") == contents(dist / "predictors")


def test_a_fit_that_fails_is_an_outcome_and_leaves_no_folder(built, monkeypatch, tmp_path):
    package, release, dist, _ = built
    shutil.copytree(dist / "evaluation", tmp_path / "evaluation")
    failed = Outcome("failed", "raised ValueError: not today")
    monkeypatch.setattr("harness.packaging.predictors_build.run_jobs", lambda *_, **__: iter([failed]))
    outcomes = build(package, release, tmp_path, ["stubborn"])
    assert {each.reason for each in outcomes} == {"raised ValueError: not today"}
    assert not list((tmp_path / "predictors").rglob("*.skops"))


def test_a_broken_declaration_is_an_outcome_and_the_others_are_built(built, tmp_path):
    package, release, dist, _ = built
    shutil.copytree(dist, tmp_path / "dist")
    home = package.add("broken", info="key = 3")
    try:
        outcomes = {each.key: each for each in build(package, release, tmp_path / "dist", ["mine"])}
    finally:
        shutil.rmtree(home)
    assert outcomes["mine"].folder is not None
    assert outcomes["broken"].folder is None
    assert "broken/predictor.toml:1: key = 3; expected: " in outcomes["broken"].reason


@pytest.fixture
def card(built):
    return ModelCard.load(built[2] / "predictors" / WAY / CARD_FILE)


def test_header_is_a_model_card_with_the_results_as_a_model_index(card, built):
    header = card.data
    assert (header.license, header.library_name, header.pipeline_tag) == (
        "cc-by-4.0", "sklearn", "tabular-regression",
    )  # fmt: skip
    assert header.datasets == ["deepen/kernels"]
    found = {(each.dataset_type, each.dataset_split, each.metric_type): each for each in header.eval_results}
    splits = {split for dataset, split, _ in found if dataset == "deepen/kernels"}
    assert {"test", "cv-3x5", "largest-flops"} <= splits
    assert {split for dataset, split, _ in found if dataset == "deepen/models"} == {
        "leave-one-family-out", *(f"without-{family}" for family in FAMILIES),
    }  # fmt: skip
    result = json.loads((built[2] / "evaluation/kernels/mine/acme-phone--CPU1--fp32--analyser.json").read_text())
    (split,) = [each for each in result["splits"] if each["split"] == "cv-3x5"]
    score = split["scores"][0]
    shown = found["deepen/kernels", "cv-3x5", "mape"]
    assert shown.metric_value == pytest.approx(score["measures"]["mape"], rel=1e-3)
    assert shown.metric_args["ci95"] == pytest.approx(score["ci95"]["mape"], rel=1e-3)
    assert (shown.dataset_config, shown.dataset_args["device_id"]) == ("measured", "acme-phone")


def test_body_speaks_of_use_training_data_results_intervals_and_limits(card):
    headings = re.findall(r"^## (.+)$", card.text, re.MULTILINE)
    assert headings == [
        "Intended use", "Install", "Use", "Training data", "Results", "Intervals", "Limits", "Licence", "Citation",
    ]  # fmt: skip
    assert "60 kernel rows, measured with a power analyser" in card.text
    assert "| `conv-bn-relu` | 20 |" in card.text
    assert "| `leave-one-family-out` |" in card.text
    assert "empirical coverage of 90 % intervals" in card.text
    assert "different configurations are taken to be independent" in card.text
    assert "{{" not in card.text
    assert "None" not in card.text
    assert "\n\n\n" not in card.text


def test_snippet_of_the_card_predicts_a_model_file(built, card, monkeypatch, tmp_path, capsys):
    package, _, dist, _ = built
    home = shutil.copytree(dist / "predictors" / WAY, tmp_path / "card")
    (snippet,) = re.findall(r"```python\n(.+?)\n```", card.text, re.DOTALL)
    maker = ModelMaker()
    x = maker.add("Relu", [maker.bn(maker.conv("image", 16, [3, 3], 1, 1, has_bias=False))], (1, 16, 12, 10))
    x = maker.conv(maker.conv(x, 64, [5, 5], 1, 1, has_bias=True), 16, [3, 3], 1, 1, has_bias=True)
    onnx.save(maker.model([x]), home / "MODEL.onnx")
    monkeypatch.chdir(home)
    monkeypatch.setattr("harness.api.predict", partial(api.predict, package=package.name))
    assert len(snippet.splitlines()) == 1
    exec(snippet, {})
    assert re.fullmatch(r"\d+\.\d+ mJ\n", capsys.readouterr().out)


def test_card_pins_the_version_that_the_file_is_loaded_by(built, card):
    package, _, dist, _ = built
    home = dist / "predictors" / WAY
    stamp = read_stamp((home / MODEL_FILE).read_bytes())
    assert f"must print `{predictor_version('mine', package.name)}`" in card.text
    assert f"deepen {__version__} fitted this file" in card.text
    assert all(f"{name} {version}" in card.text for name, version in stamp.packages.items())
    commands = re.findall(r"-c \"(.+?)\"", card.text)
    assert [command.endswith("print(v('mine'))") for command in commands] == [True]


def test_file_of_a_card_has_the_stamp_beside_it(built):
    package, _, dist, _ = built
    home = dist / "predictors" / WAY
    stamp = read_stamp((home / MODEL_FILE).read_bytes())
    assert stamp.model_dump_json(indent=1) + "\n" == (home / STAMP_FILE).read_text()
    assert (stamp.split, stamp.n_rows, stamp.kernels) == ("all", 60, ("conv-bn-relu", "relu", "fc"))
    assert load_fitted(home / MODEL_FILE, package.name).ranges.kernels["fc"].n_rows == 20


def test_a_broken_template_is_a_fault_and_keeps_the_previous_build(built, cards, tmp_path):
    package, release, dist, _ = built
    shutil.copytree(dist, tmp_path / "dist")
    (cards / "predictor.md.j2").write_text("{{ typo }}")
    with pytest.raises(ReleaseError, match=r"predictor\.md\.j2.*typo"):
        build(package, release, tmp_path / "dist", cards=cards)
    assert contents(tmp_path / "dist" / "predictors") == contents(dist / "predictors")
