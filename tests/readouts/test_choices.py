import pytest

from harness.errors import UsageError
from harness.readouts.choices import Wish, choose
from tests.campaigns import SIMULATED
from tests.readouts.boards import board, release, row

ROWS = [
    row("small", 1.0, 61.0, latency_ms=2.0, energy_u_mj=0.1),
    row("medium", 3.0, 70.0, latency_ms=9.0, energy_u_mj=0.1, power_mw=10.0, idle_before_mw=6.0, idle_after_mw=4.0),
    row("large", 3.1, 75.0, latency_ms=4.0, energy_u_mj=0.1, family="MobileNetV2"),
    row("full", 2.0, 72.0, latency_ms=4.0, energy_u_mj=0.1, dtype="fp32"),
]
OTHER = [{**each, "energy_mj": 0.5 * each["energy_mj"]} for each in ROWS[:2]]


def boards():
    return release(
        board(ROWS, name="one", runtime="TFLite", system={"stack": "TFLite"}),
        board(OTHER, name="two", runtime="ArmNN", system={"stack": "ArmNN"}),
        board(ROWS, "other-board"),
    )


def chosen(device_id="acme-board", system_id=None, min_accuracy=70.0, **wishes):
    return choose(boards(), Wish(device_id, system_id, min_accuracy, **wishes))


def models(found):
    return [(choice.runtime, choice.cheapest and choice.cheapest.model) for choice in found.systems]


def test_every_system_of_the_board_has_its_cheapest_network_and_the_cheapest_system_is_first():
    assert models(chosen()) == [("ArmNN", "medium"), ("TFLite", "full")]
    assert models(chosen(min_accuracy=60)) == [("ArmNN", "small"), ("TFLite", "small")]
    assert models(chosen(system_id="acme-board--tflite")) == [("TFLite", "full")]


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({"dtype": "int8"}, "medium"),
        ({"max_latency_ms": 4.0, "dtype": "int8"}, "large"),
        ({"family": "MobileNetV2"}, "large"),
    ],
)
def test_wishes_narrow_the_choice(wishes, expected):
    found = chosen(system_id="acme-board--tflite", **wishes)
    assert models(found) == [("TFLite", expected)]


def test_a_choice_states_the_runner_up_the_tie_the_idle_share_and_the_front():
    (choice,) = chosen(system_id="acme-board--tflite", dtype="int8").systems
    assert (choice.n_networks, choice.n_accurate) == (3, 2)
    assert (choice.runner_up.model, choice.is_tied) == ("large", True)
    assert (choice.cheapest.idle_share, choice.runner_up.idle_share) == (0.5, None)
    assert [(each.model, each.is_on_front) for each in choice.front] == [
        ("large", True), ("medium", True), ("small", True),
    ]  # fmt: skip
    assert (choice.system, choice.round, choice.tier, choice.boundary) == (
        "acme-board · TFLite · CPU1",
        "v2.0",
        "analyser",
        "wall",
    )


def test_a_system_that_does_not_reach_the_accuracy_comes_last_with_its_best():
    found = chosen(min_accuracy=74)
    assert models(found) == [("TFLite", "large"), ("ArmNN", None)]
    assert (found.systems[1].most_accurate.model, found.systems[1].n_accurate) == ("medium", 0)


def test_rounds_and_data_sets_are_never_joined():
    rows = [row("a", 1.0, 80.0), row("b", 2.0, 80.0, rounds=["v2.1"]), row("c", 3.0, 80.0, accuracy_dataset="CIFAR-10")]
    found = choose(release(board(rows)), Wish("acme-board", None, 70.0))
    assert [(each.round, each.accuracy_dataset, each.cheapest.model) for each in found.systems] == [
        ("v2.0", "CIFAR-10", "c"), ("v2.0", "ImageNet-1k", "a"), ("v2.1", "ImageNet-1k", "b"),
    ]  # fmt: skip


def test_rows_of_no_choice_are_counted_by_their_reason():
    rows = [
        row("a", 1.0, 80.0),
        row("b", 1.0, 80.0, batch_size=4),
        row("c", 1.0, 80.0, energy_kind="idle-subtracted"),
        row("d", 1.0),
        row("e", 1.0),
        row("f", 1.0, 80.0, accuracy_dataset=None),
    ]
    found = choose(release(board(rows)), Wish("acme-board", None, 70.0))
    assert [(each.n_rows, each.reason.partition(" (")[0]) for each in found.left_out] == [
        (1, "not of absolute energy"),
        (1, "of more than one input at a time"),
        (2, "without an accuracy"),
        (1, "without the data set of their accuracy"),
    ]


@pytest.mark.parametrize(
    ("campaign", "missing"),
    [
        (board([row("a", 1.0), row("b", 1.0)]), r"2 rows without an accuracy \(column accuracy_percent\)"),
        (board([row("a", 1.0, 80.0, accuracy_dataset=None)]), r"1 row without the data set of their accuracy"),
        (board([row("a", 1.0, 80.0)], **SIMULATED), "1 row simulated or estimated"),
    ],
)
def test_a_device_without_a_row_to_choose_says_what_is_missing(campaign, missing):
    with pytest.raises(UsageError, match=f"acme-board has no network to choose: {missing}"):
        choose(release(campaign), Wish("acme-board", None, 70.0))


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"system_id": "acme-board--tflight"}, "did you mean acme-board--tflite"),
        ({"family": "MobileNetV4"}, "'MobileNetV4' is not a known family of acme-board; did you mean MobileNetV"),
        ({"family": "MobileNetV2", "dtype": "fp32"}, "Known: int8"),
        ({"max_latency_ms": 1.5}, "runs within 1.5 ms; the fastest takes 2 ms"),
        ({"device_id": "gone-board"}, "gone-board has no rows of networks"),
    ],
)
def test_a_wish_that_nothing_meets_says_what_there_is(wishes, message):
    with pytest.raises(UsageError, match=message):
        chosen(**wishes)


def test_a_latency_limit_without_any_latency_says_so():
    with pytest.raises(UsageError, match=r"states its latency \(column latency_ms\)"):
        choose(release(board([row("a", 1.0, 80.0)])), Wish("acme-board", None, 70.0, max_latency_ms=5.0))


def test_attributions_are_those_of_the_figures_that_are_shown():
    def source(sentence):
        return {"citation": "A work.", "attribution": sentence}

    found = choose(
        release(board(ROWS, source=source("Shown.")), board(ROWS, "other-board", source=source("Elsewhere."))),
        Wish("acme-board", None, 70.0),
    )
    assert found.attributions == ["Shown."]
