import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.scoring.changes import rating_changes
from harness.scoring.editions import editions
from harness.scoring.ratings import rate
from harness.scoring.suite import suite_rows
from tests.campaigns import campaign, kernel_campaign
from tests.scoring.suites import BOARDS, PHONES, board, board_rows, phone, phone_rows, release

SIMULATED = {"manifest": {"method": "simulated"}}
MEASURED = {"manifest": {"method": "measured", "meter": {"name": "Acme meter", "kind": "rail"}}}
IDLE = {"idle": {"power_mw": 300, "how": "Before each run."}}
FEW = settings(max_examples=15)


def only(*campaigns):
    ratings = rate(release(*campaigns))
    assert len(ratings) == 1
    return ratings[0]


def test_device_at_the_references_has_index_100_and_class_d():
    rating = only(phone())
    assert rating.energy_index == pytest.approx(100)
    assert (rating.label, rating.label_text, rating.rank, rating.reason) == ("D", "D", 1, None)
    # 2 W of 4 W.
    assert rating.pcs == pytest.approx(50)


def test_best_delegate_counts_for_the_index_and_all_for_the_other_scores():
    single, both = only(phone()), only(phone(rows=phone_rows(delegates=("CPU1", "GPU"))))
    assert both.energy_index == pytest.approx(single.energy_index)
    assert both.iecs == pytest.approx(1.5 * single.iecs)
    assert both.pcs == pytest.approx(100 * (1 - 2.5 / 4))
    assert {figure.delegate for figure in both.networks} == {"CPU1"}


@FEW
@given(st.floats(1e-3, 1e3), st.integers(0, 2**32))
def test_scores_follow_the_unit_and_not_the_order_of_rows(factor, seed):
    rows = phone_rows(delegates=("CPU1", "CPU4", "GPU"))
    base = only(phone(rows=rows))
    scaled = [row | {"energy_mj": row["energy_mj"] * factor} for row in rows]
    random.Random(seed).shuffle(scaled)
    rating = only(phone(rows=scaled))
    assert rating.energy_index == pytest.approx(factor * base.energy_index)
    assert rating.iecs == pytest.approx(base.iecs / factor)
    assert rating.pcs == pytest.approx(base.pcs)
    assert rating.record_ids == base.record_ids


@FEW
@given(st.lists(st.floats(0.01, 100), min_size=12, max_size=12))
def test_index_of_two_devices_has_the_ratio_of_their_geometric_means(factors):
    rows = [row | {"energy_mj": row["energy_mj"] * factor} for row, factor in zip(phone_rows(), factors, strict=True)]
    product = 1.0
    for factor in factors:
        product *= factor ** (1 / 12)
    assert only(phone(rows=rows)).energy_index == pytest.approx(100 * product)


@pytest.mark.parametrize("edition", editions(), ids=lambda edition: edition.edition)
def test_class_gets_no_better_as_the_index_grows(edition):
    @FEW
    @given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
    def check(one, other):
        low, high = sorted((one, other))
        assert edition.classes.index(edition.class_of(low)) <= edition.classes.index(edition.class_of(high))

    check()
    for letter, border in edition.borders.items():
        assert edition.class_of(border) == letter != edition.class_of(border * (1 + 1e-12))


def test_too_few_networks_are_not_rated():
    rating = only(phone(rows=phone_rows(networks=PHONES.networks[:9])))
    assert rating.reason == "9 of 12 networks have an absolute figure; 10 needed"
    assert rating.label is rating.label_text is rating.rank is rating.energy_index is rating.pcs is rating.iecs is None
    assert len(rating.networks) == 9
    assert only(phone(rows=phone_rows(networks=PHONES.networks[:10]))).label == "D"


def test_three_of_four_networks_rate_a_microcontroller():
    assert only(board(rows=board_rows(networks=BOARDS.networks[:3]))).energy_index == pytest.approx(100)
    assert only(board(rows=board_rows(networks=BOARDS.networks[:2]))).reason.startswith("2 of 4 networks")


def test_idle_subtracted_energies_are_never_rated():
    rows = phone_rows(energy_kind="idle-subtracted")
    rating = only(phone(rows=rows, manifest={"method": "published"} | IDLE))
    assert rating.edition is rating.label is None
    assert rating.reason.startswith("no absolute figure of a rated suite (phone-2023:")
    mixed = phone_rows(networks=PHONES.networks[:9]) + phone_rows(
        networks=PHONES.networks[9:], energy_kind="idle-subtracted"
    )
    assert "9 of 12 networks have an absolute figure" in only(phone(rows=mixed, manifest=IDLE)).reason


def test_dynamic_only_energies_are_never_rated():
    rating = only(phone(rows=phone_rows(energy_kind="dynamic-only"), manifest={"method": "published"}))
    assert rating.edition is rating.label is None


@pytest.mark.parametrize("batch_size", [2, 8])
def test_batches_are_not_rated(batch_size):
    assert only(phone(rows=phone_rows(batch_size=batch_size))).label is None


@pytest.mark.parametrize("method", ["simulated", "estimated"])
def test_simulated_figures_are_never_rated(method):
    rating = only(phone(manifest={"method": method}))
    assert rating.reason == "only simulated or estimated rows, which are never labelled"
    assert rating.label is rating.rank is rating.tier is None


def test_simulated_rows_beside_published_ones_change_nothing():
    better = phone(name="simulated", rows=phone_rows(factor=0.1), **SIMULATED)
    assert only(phone(), better).energy_index == pytest.approx(100)


@pytest.mark.parametrize(
    ("device_class", "suite"),
    [("phone", "phone-2023: the twelve reference networks"), ("microcontroller", "mcu-2025: the four networks")],
)
def test_device_without_a_suite_gets_the_suites_of_its_class_as_the_reason(device_class, suite):
    reason = only(kernel_campaign(device={"device_class": device_class})).reason
    assert reason.startswith("no absolute figure of a rated suite")
    assert suite in reason


def test_edition_rates_devices_of_its_classes_only():
    rating = only(phone(device={"device_class": "single-board-computer"}))
    assert rating.edition is rating.label is None
    assert not any("single-board-computer" in edition.device_classes for edition in (PHONES, BOARDS))
    assert only(phone(device={"device_class": "unstated"})).reason == "no edition rates a device of class unstated"


def test_tiers_are_not_ranked_together():
    ratings = rate(
        release(
            phone("a", rows=phone_rows(factor=2)),
            phone("b", rows=phone_rows(factor=3)),
            phone("c", rows=phone_rows(factor=1), **MEASURED),
        )
    )
    assert [(rating.device_id, rating.tier, rating.rank) for rating in ratings] == [
        ("a", "published", 1),
        ("b", "published", 2),
        ("c", "rail", 1),
    ]


def of_boundary(name, boundary, factor=1.0, **facts):
    return phone(name, rows=phone_rows(factor=factor), manifest={"boundary": boundary} | facts)


def test_boundaries_are_never_ranked_together():
    rail = of_boundary("a", "rail", 0.01, rails=["VDD_GPU"])
    ratings = rate(release(rail, of_boundary("b", "battery", 2), of_boundary("c", "battery"), phone("d")))
    found = [(rating.device_id, rating.boundary, rating.rank) for rating in ratings]
    assert found == [("c", "battery", 1), ("b", "battery", 2), ("a", "rail", 1), ("d", "unstated", 1)]


def test_device_measured_at_two_boundaries_has_two_ratings():
    facts = {"name": "second", "manifest": {"boundary": "rail", "rails": ["VDD"]}}
    ratings = rate(release(phone("a"), phone("a", rows=phone_rows(factor=0.5), **facts)))
    assert [(rating.boundary, round(rating.energy_index), rating.rank) for rating in ratings] == [
        ("rail", 50, 1),
        ("unstated", 100, 1),
    ]


def test_places_are_ranked_within_their_boundary():
    rows = suite_rows(release(of_boundary("a", "rail", 0.01), of_boundary("b", "board")), PHONES)
    assert set(rows["energy_rank"]) == {1}


def test_ties_share_a_rank():
    factors = {"a": 1, "b": 2, "c": 1, "d": 3}
    ratings = rate(release(*(phone(name, rows=phone_rows(factor=factor)) for name, factor in factors.items())))
    assert {rating.device_id: rating.rank for rating in ratings} == {"a": 1, "c": 1, "b": 3, "d": 4}


def test_interval_across_a_border_prints_both_classes():
    rows = [
        row | {"energy_min_mj": row["energy_mj"] * 0.95, "energy_max_mj": row["energy_mj"] * 1.05}
        for row in phone_rows(factor=0.98)
    ]
    rating = only(phone(rows=rows))
    assert (rating.label, rating.label_range, rating.label_text) == ("D", ("D", "E"), "D/E")
    assert rating.energy_index_low == pytest.approx(93.1)
    assert rating.energy_index_high == pytest.approx(102.9)


def with_spread(row, lowest=0.5, highest=1.5):
    return row | {"energy_min_mj": row["energy_mj"] * lowest, "energy_max_mj": row["energy_mj"] * highest}


def with_uncertainty(row, share):
    return row | {"energy_u_mj": row["energy_mj"] * share}


def test_interval_is_the_expanded_uncertainty_where_rows_state_it():
    rows = [with_spread(with_uncertainty(row, 0.05)) for row in phone_rows(factor=0.98)]
    rating = only(phone(rows=rows))
    assert rating.energy_index_low == pytest.approx(98 * math.exp(-0.05))
    assert rating.energy_index_high == pytest.approx(98 * math.exp(0.05))
    assert (rating.intervals, rating.label_text) == (("uncertainty",), "D/E")
    assert rating.interval_title == "expanded uncertainty (k = 2)"


def test_rating_says_where_only_some_rows_state_their_uncertainty():
    first, *others = board_rows()
    rating = only(board(rows=[with_uncertainty(first, 0.1), *map(with_spread, others)]))
    assert rating.intervals == ("uncertainty", "spread")
    assert rating.energy_index_low == pytest.approx(100 * (math.exp(-0.1) * 0.5**3) ** (1 / 4))


def test_interval_of_an_uncertainty_above_the_energy_stays_above_zero():
    assert only(board(rows=[with_uncertainty(row, 3) for row in board_rows()])).energy_index_low > 0


def test_repeat_without_uncertainty_leaves_a_spread():
    rows = [with_uncertainty(row, 0.1) | {"source_id": "a"} for row in board_rows()]
    rating = only(board(rows=[*rows, *(with_spread(row) | {"source_id": "b"} for row in board_rows())]))
    assert rating.intervals == ("spread",)


def test_network_without_spread_enters_the_interval_with_its_energy():
    spread, *plain = board_rows()
    rating = only(board(rows=[with_spread(spread), *plain]))
    assert rating.energy_index_low == pytest.approx(100 * 0.5 ** (1 / 4))
    assert rating.energy_index_high == pytest.approx(100 * 1.5 ** (1 / 4))


def test_delegate_without_spread_leaves_the_interval_of_the_others():
    rows = [*map(with_spread, phone_rows()), *phone_rows(factor=2, delegate="GPU")]
    assert only(phone(rows=rows)).energy_index_low == pytest.approx(50)


def test_one_end_alone_is_no_spread():
    rows = [row | {"energy_min_mj": row["energy_mj"] / 2} for row in board_rows()]
    assert only(board(rows=rows)).energy_index_low is None


def test_interval_of_repeats_reaches_from_the_lowest_to_the_highest_run():
    spreads = {"a": (0.9, 1.1), "b": (0.5, 1.2), "c": (0.8, 1.9)}
    rows = [with_spread(row, *spreads[name]) | {"source_id": name} for name in spreads for row in board_rows()]
    plain = [row | {"source_id": "d"} for row in board_rows()]
    rating = only(board(rows=[*rows, *plain]))
    assert (rating.energy_index_low, rating.energy_index_high) == (pytest.approx(50), pytest.approx(190))


def test_figures_are_rounded_as_they_are_printed():
    rating = only(phone(rows=phone_rows(factor=1.2346, power_mw=1777.0)))
    figures = rating.as_json()
    assert (rating.pcs, figures["pcs"]) == (pytest.approx(55.575), 56)
    assert (figures["energy_index"], figures["unrounded"]["energy_index"]) == (123.5, pytest.approx(123.46))
    assert figures["iecs"] == round(rating.iecs, 1) != round(rating.iecs, 2)


def test_places_of_one_network_and_delegate_are_ranked_within_their_tier():
    factors = {"a": 1, "b": 2, "c": 1}
    campaigns = [phone(name, rows=phone_rows(factor=factor)) for name, factor in factors.items()]
    rows = suite_rows(release(*campaigns, phone("d", **MEASURED)), PHONES)
    ranks = rows[rows["network"] == "DNN1"].set_index("device_id")
    assert ranks["energy_rank"].to_dict() == {"a": 1, "b": 3, "c": 1, "d": 1}
    assert set(ranks["power_rank"]) == {1}


def test_rating_changes_are_of_devices_whose_figures_differ():
    same, slower = phone("a"), phone("b", rows=phone_rows(factor=2))
    before = rate(release(same, slower, phone("gone")))
    after = rate(release(same, phone("b", rows=phone_rows(factor=3)), phone("new", rows=phone_rows(factor=4))))
    changes = [(change.before, change.after) for change in rating_changes(before, after)]
    named = [tuple(rating and (rating.device_id, rating.rank) for rating in change) for change in changes]
    assert named == [(("b", 3), ("b", 2)), (None, ("new", 3)), (("gone", 1), None)]


def test_without_spread_there_is_no_interval():
    rating = only(phone())
    assert rating.energy_index_low is rating.energy_index_high is None
    assert rating.label_range == ("D",)


def test_latest_round_counts_whatever_order_rounds_are_written_in():
    old = board(name="v1.9", rows=board_rows(factor=7, rounds=["v1.9", "v1.2"]))
    new = board(name="v1.10", rows=board_rows(factor=2, rounds=["v1.10"]))
    assert only(old, new).energy_index == only(new, old).energy_index == pytest.approx(200)


def test_repeats_of_a_round_are_joined_by_their_median():
    rows = [row | {"source_id": str(factor)} for factor in (1, 2, 9) for row in board_rows(factor=factor)]
    assert only(board(rows=rows)).energy_index == pytest.approx(200)


def test_phone_without_tdp_or_power_has_no_pcs():
    assert only(phone(tdp_w=None)).pcs is None
    assert only(phone(rows=phone_rows(power_mw=None))).pcs is None
    assert only(phone(tdp_w=None)).label == "D"


def test_network_of_no_suite_is_not_rated():
    rows = [*board_rows(), board_rows()[0] | {"model": "another"}]
    assert only(board(rows=rows)).energy_index == pytest.approx(100)
    assert rate(release(campaign("models", [board_rows()[0] | {"model": "x"}], "a")))[0].label is None


def test_empty_release_has_no_ratings():
    assert rate(release()) == []
