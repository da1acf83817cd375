import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.readouts.fronts import dominates, fronts, placed
from tests.readouts.boards import board, point, release, row

COSTS = st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))


@st.composite
def point_lists(draw):
    costs = draw(st.lists(COSTS, min_size=1, max_size=12))
    return [
        point(f"net-{number:02}", 1.0 + energy, 50.0 + accuracy, 1.0 + latency, u_mj=0.5)
        for number, (accuracy, energy, latency) in enumerate(costs)
    ]


def on_front(points):
    return {place.point.network.model for place in placed(points) if place.is_on_energy_front}


def test_a_network_is_off_the_front_only_if_another_is_as_accurate_for_as_little_energy():
    points = [point("best", 4.0, 75.0), point("small", 1.0, 60.0), point("worse", 5.0, 70.0), point("same", 4.0, 75.0)]
    assert on_front(points) == {"best", "small", "same"}


@given(point_lists())
def test_every_network_off_a_front_is_dominated_by_one_on_it_and_none_on_it_by_any(points):
    def costs(each):
        return -each.accuracy_percent, each.energy_mj

    places = placed(points)
    front = [place.point for place in places if place.is_on_energy_front]
    for place in places:
        by_front = any(dominates(costs(other), costs(place.point)) for other in front)
        assert by_front == (not place.is_on_energy_front)


@given(point_lists())
def test_the_fronts_of_two_costs_lie_on_a_front_of_three_unless_a_tie_in_both_hides_it(points):
    places = placed(points)
    pairs = [(place.point.accuracy_percent, place.point.energy_mj) for place in places]
    for place, pair in zip(places, pairs, strict=True):
        if place.is_on_energy_front and pairs.count(pair) == 1:
            assert place.is_on_front


@given(point_lists(), st.floats(0.001, 1000))
def test_no_place_depends_on_the_unit_of_the_energy_or_the_order_of_the_rows(points, scale):
    scaled = [
        dataclasses.replace(each, energy_mj=each.energy_mj * scale, energy_u_mj=each.energy_u_mj * scale)
        for each in reversed(points)
    ]
    places = {
        place.point.record_id: (place.is_on_energy_front, place.is_on_latency_front, place.is_on_front)
        for place in placed(points)
    }
    assert places == {
        place.point.record_id: (place.is_on_energy_front, place.is_on_latency_front, place.is_on_front)
        for place in placed(scaled)
    }


@pytest.mark.parametrize(
    ("energy_mj", "u_mj", "is_tied"), [(1.1, 0.1, True), (1.3, 0.1, False), (1.1, None, None), (1.3, 0.4, True)]
)
def test_a_dominated_network_is_tied_where_the_energies_differ_by_no_more_than_their_uncertainty(
    energy_mj, u_mj, is_tied
):
    places = placed([point("best", 1.0, 70.0, u_mj=0.1), point("next", energy_mj, 70.0, u_mj=u_mj)])
    assert [(place.is_on_energy_front, place.is_tied) for place in places] == [(True, False), (False, is_tied)]


def test_a_network_that_one_of_two_surely_dominates_is_not_tied():
    points = [point("near", 1.9, 70.0, u_mj=0.1), point("far", 1.0, 70.0, u_mj=0.1), point("it", 2.0, 70.0, u_mj=0.1)]
    places = {place.point.network.model: place for place in placed(points)}
    assert places["it"].is_tied is False
    unknown = [point("near", 1.9, 70.0), point("far", 1.0, 70.0, u_mj=0.1), point("it", 2.0, 70.0, u_mj=0.1)]
    assert {place.point.network.model: place.is_tied for place in placed(unknown)}["it"] is False


def test_a_network_of_unknown_latency_has_no_place_on_fronts_of_latency_and_takes_none():
    places = placed([point("untimed", 1.0, 75.0), point("timed", 2.0, 75.0, 9.0)])
    assert [(place.is_on_latency_front, place.is_on_front) for place in places] == [(None, None), (True, True)]


def test_published_fronts_hold_the_networks_on_a_front_or_tied_and_count_all():
    rows = [
        row("best", 4.0, 75.0, energy_u_mj=0.2, latency_ms=9.0),
        row("fast", 6.0, 74.0, energy_u_mj=0.2, latency_ms=1.0),
        row("tied", 4.1, 75.0, energy_u_mj=0.2, latency_ms=9.5),
        row("worse", 9.0, 70.0, energy_u_mj=0.2, latency_ms=9.0),
        row("silent", 1.0),
    ]
    found = fronts(release(board(rows), board([row("alone", 1.0, 90.0)], "other-board")))
    assert [
        (each.model, each.is_on_energy_front, each.is_on_latency_front, each.is_on_front, each.is_tied)
        for each in found
    ] == [
        ("best", True, True, True, False),
        ("tied", False, False, False, True),
        ("fast", False, True, True, False),
    ]
    assert {(each.n_networks, each.device_id, each.round, each.accuracy_dataset) for each in found} == {
        (4, "acme-board", "v2.0", "ImageNet-1k")
    }
