import csv
import json
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from harness.evaluation.board import board
from harness.evaluation.result_layout import Leaks, Result, SplitResult
from harness.evaluation.results import CheckedResults, Evaluation, make_pins
from harness.evaluation.runner import RunSettings, evaluate
from harness.evaluation.scores import scores
from harness.evaluation.tracks import plans_of
from harness.pages import board_pages, board_rows
from harness.pages.board_rows import Boards, read_boards
from harness.predictor.registry import Listing
from harness.schema.results import Subject
from tests.evaluation.releases import info, kernel_device, made_in_process, release_of
from tests.evaluation.test_scores import rows_of
from tests.pages.conftest import built_site, copy_of_site, write_site
from tests.pages.test_network_tables import DONE, FAILED

ACTUAL = np.linspace(1, 10, 120)
MEASURED = Subject(
    device_id="acme-phone",
    system_id="acme-phone",
    delegate="CPU1",
    dtype="fp32",
    energy_kind="absolute",
    batch_size=1,
    tier="analyser",
)
SIMULATED = MEASURED.model_copy(update={"device_id": "acme-npu", "system_id": "acme-npu", "tier": "simulated"})
LEAKS = Leaks(n_train=480, n_test=120, shared_configurations=0, shared_record_ids=0, near_duplicates=7.5)
SPLIT = "cv-3x5"
NASTY = "raised ValueError: <b>no|pe</b> *x*"
KEYS = {key: info(key) for key in ("constant", "good", "broken", "kernels")}


def off_by(share):
    """Predictions of which a share is right, and the rest far off."""
    is_right = np.random.default_rng(0).permutation(len(ACTUAL)) < share * len(ACTUAL)
    return np.where(is_right, ACTUAL, 3 * ACTUAL)


def evaluated(key, share=None, subject=MEASURED):
    """Result of a predictor that is right on a share of the rows, or that failed."""
    head = {"schema_version": 6, "track": "kernels", "subject": subject, "rows_sha256": "0" * 64}
    head["pins"] = make_pins("0" * 64, key, "1", 0)
    skipped = SplitResult(split="unseen-kernel-size", status="skipped", reason="there is one kernel size")
    if share is None:
        failed = SplitResult(split=SPLIT, status="failed", reason=NASTY, leaks=LEAKS)
        return Evaluation(Result(**head, splits=[failed, skipped]), rows_of([], []))
    bounds = {} if key == "constant" else {"low_80": 0.9 * ACTUAL, "high_80": 1.1 * ACTUAL}
    rows = rows_of(ACTUAL, off_by(share), split=SPLIT, kernel=["relu"] * 60 + ["fc"] * 60, **bounds)
    done = {"status": "ok", "fit_s": 0.25, "predict_rows_per_s": 1234.0, "leaks": LEAKS}
    split = SplitResult(split=SPLIT, scores=scores(rows, "kernels", 0), **done)
    return Evaluation(Result(**head, splits=[split, skipped]), rows)


@pytest.fixture(scope="module")
def boards():
    rows = board(
        [
            evaluated("constant", 0.1),
            evaluated("good", 0.9),
            evaluated("broken"),
            evaluated("constant", 0.5, SIMULATED),
            evaluated("good", 0.5, SIMULATED),
        ]
    )
    networks = [replace(DONE, predictor="good"), FAILED]
    return Boards(KEYS, {"kernels": rows}, {"kernels": ["2 devices have no rows"]}, networks)


@pytest.fixture(scope="module")
def written(release, rules, boards, tmp_path_factory):
    site = copy_of_site(tmp_path_factory.mktemp("boards"))
    write_site(release, site, rules, boards)
    return site


@pytest.fixture(scope="module")
def page(written):
    return (written / "predictors" / "kernels.md").read_text(encoding="utf-8")


def download(written, name):
    with (written / "downloads" / "predictors" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_site_with_boards_builds_strictly_and_a_predictor_may_be_called_as_a_track(written):
    built = built_site(written)
    for page in ("", "kernels/", "models/", "devices/", "about/good/", "about/kernels/"):
        assert (built / "predictors" / page / "index.html").is_file()
    shown = (built / "predictors" / "kernels" / "index.html").read_text(encoding="utf-8")
    assert "<b>no" not in shown
    for address in re.findall(r'href="(\.\./[^"#]*)"', shown):
        target = (built / "predictors" / "kernels" / address).resolve()
        assert target.exists(), address


def test_measured_networks_are_on_the_board_of_models_and_on_the_predictors_page(written):
    rows = download(written, "models/networks")
    assert [(row["predictor"], row["within_10_percent"], row["within_10_low_percent"]) for row in rows] == [
        ("good", "70.0", "60.0"), ("gone", "", "")
    ]  # fmt: skip
    assert [row["predictor"] for row in download(written, "about/good/networks")] == ["good"]
    board_page, own = (written / "predictors" / name for name in ("models.md", "about/good/index.md"))
    assert "## Measured networks" in board_page.read_text(encoding="utf-8")
    assert "No results yet" not in own.read_text(encoding="utf-8")


def test_download_holds_the_figures_of_the_rows(written, boards):
    rows = {row["predictor"]: row for row in download(written, f"kernels/{MEASURED.key}")}
    for row in boards.rows["kernels"]:
        if row.subject != MEASURED or row.score.kernel != "all" or row.result.status != "ok":
            continue
        found = rows[row.predictor]
        assert float(found["within_10_percent"]) == pytest.approx(100 * row.score.measures["within_10"])
        bounds = [float(found[f"within_10_{side}_percent"]) for side in ("low", "high")]
        assert bounds == pytest.approx([100 * bound for bound in row.within_10_ci95])
        assert float(found["coverage_percent"]) == 100
        assert (float(found["fit_s"]), float(found["predict_rows_per_s"])) == (0.25, 1234)
    assert float(rows["good"]["interval_80_percent"]) > 80
    assert rows["constant"]["interval_80_percent"] == ""


def test_failed_run_is_a_row_with_its_reason_and_no_figure(written, page):
    rows = {row["predictor"]: row for row in download(written, f"kernels/{MEASURED.key}")}
    assert rows["broken"]["outcome"] == f"failed: {NASTY}"
    assert rows["broken"]["within_10_percent"] == rows["broken"]["rank"] == rows["broken"]["n"] == ""
    assert NASTY in unescape(page)
    assert "<b>no" not in page


def test_what_confined_a_run_has_room_beside_the_figures():
    """In a narrow cell its five lines made every row of a board as high on a phone."""
    (column,) = (each for each in board_pages._CELLS if each.key == "confinement")
    assert column.style == "prose"


def test_leaks_and_splits_that_were_not_tried_are_told_once(written, page):
    (leaks,) = download(written, f"kernels/{MEASURED.key}-leaks")
    assert (leaks["split"], float(leaks["near_duplicates"]), float(leaks["shared_configurations"])) == (SPLIT, 7.5, 0)
    measured = page.split("## Simulated")[0]
    assert measured.count("there is one kernel size") == 1


def test_overview_holds_what_stands_for_each_track_with_simulated_energies_apart(written):
    (measured,), (simulated,) = (download(written, f"headlines-{name}") for name in ("measured", "simulated"))
    assert (measured["track"], measured["split"]) == ("Unseen configurations", SPLIT)
    shares = [measured[f"{key}_percent"] for key in ("constant", "good", "broken")]
    assert shares == ["10.0", "90.0", ""]
    assert simulated["good_percent"] == "50.0"
    shown = (written / "predictors" / "index.md").read_text(encoding="utf-8")
    assert "Rows within ±10 %, measured energies" in shown


def test_kernel_types_of_the_cross_validation_have_a_table(written):
    rows = download(written, f"kernels/{MEASURED.key}-types")
    assert {row["kernel"] for row in rows} == {"relu", "fc"}


def test_simulated_and_measured_subjects_share_no_table(written, page):
    before, after = page.split("## Simulated")
    assert "acme-npu" not in before
    assert "acme-phone" not in after
    captions = re.findall(r"caption\">(.*?)</span></caption>", after)
    assert captions
    assert all("(simulated)" in unescape(caption) for caption in captions)
    assert 'class="tier-mark"' not in before
    assert 'class="tier-mark"' in after
    about = (written / "predictors" / "about" / "good" / "index.md").read_text(encoding="utf-8")
    before, after = about.split("## Results on simulated energies")
    assert "acme-npu" not in before
    assert "acme-phone" not in after


@pytest.mark.parametrize("track", ["kernels", "models"])
def test_every_word_that_is_explained_has_a_line_of_its_own(track, unrated, rules, boards, site):
    write_site(unrated, site, rules, Boards(KEYS, {track: boards.rows["kernels"]}, {}))
    page = (site / "predictors" / f"{track}.md").read_text(encoding="utf-8")
    lines = page[page.index("## How to read it") :].splitlines()
    explained = [line for line in lines if "- **" in line]
    assert all(line.startswith("- **") and line.count("- **") == 1 for line in explained)
    assert any(line.startswith("- **Kernel error**") for line in explained) == (track == "models")


def test_board_says_where_no_predictor_is_better_than_the_baseline(page):
    before, after = unescape(page).split("## Simulated")
    assert "no predictor is significantly better than constant" in after
    assert "no predictor is better" not in before


def test_predictors_without_a_result_are_named_with_the_baseline_first(unrated, rules, site):
    write_site(unrated, site, rules, Boards(KEYS, {"kernels": board([evaluated("good", 0.9)])}))
    shown = unescape((site / "predictors" / "kernels.md").read_text(encoding="utf-8"))
    assert "Without a result on these rows: constant, broken, kernels." in shown


def test_page_of_a_predictor_says_what_it_is(written):
    shown = unescape((written / "predictors" / "about" / "kernels" / "index.md").read_text(encoding="utf-8"))
    assert "MIT" in shown
    assert "the rows that it is fitted on and nothing else" in shown
    assert "deepen evaluate --predictor kernels" in shown


def test_pages_without_results_say_how_to_make_them(unrated, rules, site):
    write_site(unrated, site, rules)
    for track in ("kernels", "models", "devices"):
        assert f"deepen evaluate --track {track}" in (site / "predictors" / f"{track}.md").read_text(encoding="utf-8")
    assert "deepen evaluate\n" in (site / "predictors" / "index.md").read_text(encoding="utf-8")


def test_api_gives_the_rows_of_the_boards(written, boards):
    content = json.loads((written / "api" / "v1" / "predictors.json").read_text(encoding="utf-8"))
    assert content["results"] == json.loads(json.dumps([row.as_json() for row in boards.rows["kernels"]]))
    assert content["predictors"][0]["page"] == "predictors/about/constant/"


def test_results_of_the_release_by_the_code_of_now_are_read_and_no_others(tmp_path, monkeypatch):
    instead = made_in_process(monkeypatch)
    infos = {key: info(key) for key in ("constant", "truth")}
    monkeypatch.setattr(board_rows, "list_predictors", lambda package: Listing(infos, {"bad": "no declaration"}))
    monkeypatch.setattr(board_rows, "predictor_version", lambda key, package: instead.versions.get(key, "1"))
    public, private = release_of(kernel_device()), release_of(kernel_device(factor=2.0))
    assert read_boards(public, CheckedResults(tmp_path)).rows == {}
    for release, folder in ((public, tmp_path / "public"), (private, tmp_path / "private")):
        evaluate(plans_of("kernels", release, 0).plans, Listing(infos, {}), RunSettings(folder, n_jobs=1))
    found = read_boards(public, CheckedResults(tmp_path / "public"))
    assert {row.predictor for row in found.rows["kernels"]} == set(infos)
    assert "bad is not evaluated: no declaration" in found.notes["kernels"]
    assert read_boards(public, CheckedResults(tmp_path / "private")).rows == {}
    instead.versions["truth"] = "2"
    found = read_boards(public, CheckedResults(tmp_path / "public"))
    assert {row.predictor for row in found.rows["kernels"]} == {"constant"}
