"""Scores of the founding submissions of each edition, compared with the figures that their sources print.

Submissions that came later are in none of these tests.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from harness.releases import assemble
from harness.scoring.editions import editions
from harness.scoring.ratings import rate
from harness.scoring.suite import suite_rows
from harness.validation import validate
from tests.scoring.conftest import SUBMISSIONS, founding_release

PHONES = {
    "oneplus-8-pro": (148.8, 86.1, "D"),
    "xiaomi-redmi-note8": (117.8, 125.8, "F"),
    "huawei-mate40-pro": (188.2, 83.3, "D"),
    "huawei-p40-pro": (223.4, 58.9, "B"),
    "huawei-p40-lite": (193.2, 68.2, "C"),
    "huawei-p40-lite-e": (125.6, 131.5, "F"),
    "xiaomi-redmi-k30-ultra": (123.5, 109.5, "E"),
    "motorola-one-macro": (112.1, 136.0, "F"),
}
BOARDS = {
    "gap9_650_240": (0.9, "B"),
    "gap9_800_370": (1.2, "B"),
    "syntiant_9120_0v9_30mhz": (1.4, "B"),
    "NUCLEO_U385RG_Q": (11.9, "C"),
    "silicon_labs_xG24_DK2601B": (19.3, "C"),
    "NUCLEO_U575ZI_Q": (31.1, "D"),
    "NUCLEO_L4R5ZI": (84.7, "D"),
    "EK-RA6M4": (191.1, "E"),
    "microtvm_native-NUCLEO_L4R5ZI": (312.2, "E"),
}


FROZEN = json.loads((Path(__file__).parent / "frozen_ratings.json").read_text(encoding="utf-8"))
"""Ratings of phones and microcontrollers by the ids that they had while every system was a device of its own."""
EDGE = Path(os.environ.get("DEEPEN_UPSTREAM", Path(__file__).parents[2] / "../shared/data/upstream")).parent
EDGE = EDGE / "published/mlperf_edge/edition_edge-2023.json"


def former_ids(release):
    """Former device of every system that has one, by the system's id."""
    rows = release.submissions.select(["system_id", "formerly"]).to_pylist()
    return {row["system_id"]: row["formerly"].split("/")[0] for row in rows if row["formerly"]}


@pytest.fixture(scope="module")
def by_device(founding, founding_ratings):
    former = former_ids(founding)
    former |= {rating.system_id: rating.device_id for rating in founding_ratings if rating.system_id not in former}
    rated = [rating for rating in founding_ratings if rating.edition in ("phone-2023", "mcu-2025")]
    return {former[rating.system_id]: rating for rating in rated}


def test_ratings_are_those_that_the_devices_of_former_releases_had(by_device):
    assert set(by_device) == set(FROZEN)
    for former, frozen in FROZEN.items():
        figures = by_device[former].as_json()
        assert {name: figures[name] for name in frozen} == frozen, former


def test_systems_are_named_by_board_stack_and_what_sets_them_apart(by_device):
    names = {former: rating.system for former, rating in by_device.items()}
    assert names["gap9_650_240"] == "GAP9 EVK · GapFlow · 240 MHz · 650 mV"
    assert names["NUCLEO_U575ZI_Q"] == "NUCLEO-U575ZI-Q · X-CUBE-AI 8.1 to 10.2"
    assert names["NUCLEO-U575ZI-Q"] == "NUCLEO-U575ZI-Q · X-CUBE-AI 7.1 to 7.3"
    assert names["NUCLEO-H7A3ZI-Q_X-CUBE-AI-8.0"] == "NUCLEO-H7A3ZI-Q · X-CUBE-AI 8.0 · Krai"
    assert names["microtvm_native-NUCLEO_L4R5ZI"] == "NUCLEO-L4R5ZI · microTVM · native schedules · OctoML"
    assert names["oneplus-8-pro"] == "OnePlus 8 Pro"
    assert len(set(names.values())) == len(names) == 30


def test_boards_are_rated_as_the_edition_was_proposed():
    if not EDGE.is_file():
        pytest.skip("needs the published edition beside the upstream files")
    proposed = json.loads(EDGE.read_text(encoding="utf-8"))["classes"]
    paths = [path.parent for path in SUBMISSIONS.glob("*/mlperf-inference-*-open-*/models.csv")]
    ratings = [rating for rating in rate(assemble(validate(paths).campaigns)) if rating.edition == "edge-2023"]
    assert all((rating.tier, rating.boundary) == ("analyser", "wall") for rating in ratings)
    assert sorted([round(rating.energy_index, 1), rating.label] for rating in ratings) == sorted(proposed.values())
    assert sum(len(rating.label_range) == 2 for rating in ratings) == 7


@pytest.mark.parametrize("device_id", PHONES)
def test_phone_scores_are_the_published_ones(by_device, device_id):
    rating = by_device[device_id]
    iecs, index, label = PHONES[device_id]
    assert round(rating.pcs) == rating.pcs_published
    assert round(rating.iecs, 1) == iecs
    assert round(rating.energy_index, 1) == index
    assert (rating.edition, rating.tier, rating.label, rating.label_text) == ("phone-2023", "published", label, label)


@pytest.mark.parametrize("device_id", BOARDS)
def test_microcontroller_scores_are_the_documented_ones(by_device, device_id):
    rating = by_device[device_id]
    assert (round(rating.energy_index, 1), rating.label) == BOARDS[device_id]
    assert rating.edition == "mcu-2025"
    assert rating.pcs is rating.iecs is rating.pcs_published is rating.iecs_published is None


def test_ranks_follow_the_energy_index(founding_ratings):
    for edition, n_devices in (("phone-2023", 8), ("mcu-2025", 22), ("edge-2023", 17)):
        rated = [rating for rating in founding_ratings if rating.edition == edition and rating.rank]
        by_index = sorted(rated, key=lambda rating: rating.energy_index)
        assert [rating.rank for rating in by_index] == list(range(1, n_devices + 1))


def test_every_founding_device_has_a_label_or_a_reason(founding, founding_ratings):
    systems = set(founding.submissions.column("system_id").to_pylist())
    assert {rating.system_id for rating in founding_ratings} == systems
    for rating in founding_ratings:
        assert (rating.label is None) == (rating.rank is None) == (rating.reason is not None)


@pytest.mark.parametrize(
    "edition", [edition for edition in editions() if edition.founding], ids=lambda edition: edition.edition
)
def test_frozen_references_are_the_medians_of_the_founding_submissions(edition):
    release = founding_release(edition.edition)
    assert set(release.submissions.column("submission_id").to_pylist()) == set(edition.founding)
    rows = suite_rows(release, edition)
    best = rows.groupby(["system_id", "network"], as_index=False)["energy_mj"].min()
    medians = best.groupby("network")["energy_mj"].median()
    assert medians.to_dict() == pytest.approx(edition.references, rel=1e-9)


def spearman(one, other):
    ranks = [np.argsort(np.argsort(values)) for values in (one, other)]
    return float(np.corrcoef(*ranks)[0, 1])


def test_energy_index_and_recomputed_score_order_phones_as_the_published_score_does(by_device):
    ratings = [by_device[device_id] for device_id in PHONES]
    printed = [rating.iecs_published for rating in ratings]
    assert spearman([-rating.energy_index for rating in ratings], printed) == pytest.approx(0.976, abs=5e-4)
    assert spearman([rating.iecs for rating in ratings], printed) == pytest.approx(0.90, abs=5e-3)


def test_no_founding_row_is_lost():
    assert founding_release("phone-2023").levels["applications"].num_rows == 278
    models = founding_release("mcu-2025").levels["models"]
    assert models.num_rows == 122
    # A figure that was published again in a later round is one row with several rounds.
    assert sum(len(rounds) for rounds in models.column("rounds").to_pylist()) - models.num_rows == 18


def test_published_scores_stand_beside_the_recomputed_ones(by_device):
    figures = by_device["oneplus-8-pro"].as_json()
    assert (figures["pcs"], figures["pcs_published"]) == (75, 75)
    assert (figures["iecs"], figures["iecs_published"]) == (148.8, 173)
    assert figures["unrounded"]["iecs"] == by_device["oneplus-8-pro"].iecs
