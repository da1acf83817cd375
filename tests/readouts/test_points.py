import pytest

from harness.readouts.points import all_series, by_dataset
from tests.campaigns import SIMULATED
from tests.readouts.boards import board, point, release, row


def models_of(points):
    return [each.network.model for each in points]


def test_only_absolute_energies_of_one_inference_that_somebody_measured_or_published_count():
    rows = [
        row("kept", 1.0),
        row("batch", 1.0, batch_size=8),
        row("subtracted", 1.0, energy_kind="idle-subtracted"),
        row("dynamic", 1.0, energy_kind="dynamic-only"),
    ]
    found = all_series(release(board(rows), board([row("simulated", 1.0)], "acme-npu", **SIMULATED)))
    assert [models_of(points) for points in found.values()] == [["kept"]]


def test_systems_runtimes_rounds_delegates_and_boundaries_are_series_of_their_own():
    campaigns = [
        board([row("a", 1.0), row("a", 2.0, delegate="GPU")], name="one", system={"fan": "on"}),
        board([row("a", 3.0)], name="two", system={"fan": "off"}),
        board([row("a", 4.0)], name="three", system={"fan": "on"}, boundary="module"),
        board([row("a", 5.0, rounds=["v2.1"])], name="four", system={"fan": "on"}),
        board([row("a", 6.0)], name="five", system={"fan": "on"}, runtime="ArmNN"),
    ]
    found = all_series(release(*campaigns))
    assert len(found) == 6
    assert {len(points) for points in found.values()} == {1}


def test_a_row_of_several_rounds_is_a_point_of_each():
    found = all_series(release(board([row("a", 1.0, rounds=["v1.0", "v1.1"]), row("b", 2.0, rounds=["v1.1"])])))
    assert {series.round: models_of(points) for series, points in found.items()} == {"v1.0": ["a"], "v1.1": ["a", "b"]}


def test_a_row_without_rounds_is_of_the_round_of_its_submission():
    rows = [row("a", 1.0, rounds=None)]
    found = all_series(release(board(rows, system={"round": "v3.0"}), board(rows, "other-board")))
    assert {series.device_id: series.round for series in found} == {"acme-board": "v3.0", "other-board": None}


@pytest.mark.parametrize(("energies", "median"), [((1.0, 3.0, 9.0), 3.0), ((1.0, 3.0), 1.0), ((2.0,), 2.0)])
def test_of_repeats_the_one_with_the_median_energy_counts(energies, median):
    rows = [row("a", energy, source_id=f"run-{number}") for number, energy in enumerate(energies)]
    ((only,),) = all_series(release(board(rows))).values()
    assert only.energy_mj == median


def test_series_and_points_do_not_depend_on_the_order_of_the_rows():
    rows = [row("a", 1.0, source_id="1"), row("a", 1.0, source_id="2"), row("b", 2.0), row("a", 3.0, dtype="fp32")]
    assert all_series(release(board(rows))) == all_series(release(board(rows[::-1])))


def test_accuracies_on_different_data_sets_are_kept_apart_and_one_on_none_is_left_out():
    points = [
        point("ic", 1.0, 87.0, accuracy_dataset="CIFAR-10"),
        point("kws", 1.0, 90.0, accuracy_dataset="Speech Commands"),
        point("stray", 1.0, 99.0),
        point("silent", 1.0, accuracy_dataset="CIFAR-10"),
    ]
    assert {name: models_of(group) for name, group in by_dataset(points)} == {
        "CIFAR-10": ["ic"],
        "Speech Commands": ["kws"],
    }
