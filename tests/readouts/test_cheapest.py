import pytest

from harness.readouts.cheapest import cheapest, cheapest_networks, minimum_accuracies
from tests.readouts.boards import board, point, release, row

POINTS = [
    point("small", 1.0, 61.0, 2.0, u_mj=0.1),
    point("medium", 3.0, 70.0, 9.0, u_mj=0.1),
    point("large", 3.1, 75.0, 4.0, u_mj=0.1),
    point("huge", 9.0, 80.0, u_mj=0.1),
]


@pytest.mark.parametrize(
    ("accuracy", "latency", "model", "runner_up", "n"),
    [
        (0, None, "small", "medium", 4),
        (61, None, "small", "medium", 4),
        (61.1, None, "medium", "large", 3),
        (75, None, "large", "huge", 2),
        (80, None, "huge", None, 1),
        (70, 4.0, "large", None, 1),
    ],
)
def test_the_cheapest_is_the_least_energy_of_those_that_are_accurate_and_fast_enough(
    accuracy, latency, model, runner_up, n
):
    found = cheapest(POINTS, accuracy, latency)
    assert (found.point.network.model, found.n_networks) == (model, n)
    assert (found.runner_up and found.runner_up.network.model) == runner_up


def test_there_is_none_above_the_best_accuracy_and_none_of_unknown_latency_within_a_limit():
    assert cheapest(POINTS, 80.1) is None
    assert cheapest(POINTS, 80, 1000) is None
    assert cheapest([point("silent", 1.0)], 0) is None


def test_two_are_tied_where_their_energies_differ_by_no_more_than_the_uncertainty_of_the_difference():
    assert cheapest(POINTS, 70).is_tied is True
    assert cheapest(POINTS, 60).is_tied is False
    assert cheapest([point("a", 1.0, 70.0), point("b", 1.0, 70.0, u_mj=9.0)], 70).is_tied is None


def test_of_equal_energies_the_more_accurate_network_is_the_cheapest():
    found = cheapest([point("a", 1.0, 70.0), point("b", 1.0, 71.0)], 70)
    assert found.point.network.model == "b"


def test_minimum_accuracies_go_from_what_all_reach_to_what_any_reaches():
    assert minimum_accuracies(POINTS) == (60, 65, 70, 75, 80)
    assert minimum_accuracies([point("silent", 1.0)]) == ()


def test_published_rows_name_the_runner_up_only_where_it_is_tied():
    rows = [
        row("small", 1.0, 61.0, energy_u_mj=0.1),
        row("medium", 3.0, 70.0, energy_u_mj=0.1),
        row("large", 3.1, 75.0, energy_u_mj=0.1),
        row("unknown", 8.0, 75.0),
    ]
    found = {each.min_accuracy_percent: each for each in cheapest_networks(release(board(rows)))}
    assert {
        least: (each.model, each.is_tied, each.runner_up_model, each.n_networks) for least, each in found.items()
    } == {
        60: ("small", False, None, 4),
        65: ("medium", True, "large", 3),
        70: ("medium", True, "large", 3),
        75: ("large", None, None, 2),
    }
    assert found[70].runner_up_energy_mj == 3.1
    assert found[60].runner_up_record_id is None
