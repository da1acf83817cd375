import pytest

from harness.readouts.runtime_ratios import LEAST_COMMON, ratio, runtime_ratios
from tests.readouts.boards import board, point, release, row

A = [point(name, 10.0, latency_ms=10.0, u_mj=1.0) for name in "abcd"]


def series(*pairs, **fields):
    return [
        point(name, energy, latency_ms=latency, **fields) for name, (energy, latency) in zip("abcd", pairs, strict=True)
    ]


def test_a_ratio_is_of_the_networks_that_both_ran():
    b = series((5.0, 20.0), (8.0, 5.0), (12.0, 12.0), (30.0, 9.0), u_mj=1.0)
    found = ratio(A, [*b, point("e", 1.0, latency_ms=1.0, u_mj=1.0)])
    assert (found.n_networks, found.median, found.lowest, found.highest) == (4, 1.0, 0.5, 3.0)
    assert (found.lowest_model, found.highest_model) == ("a", "d")
    assert found.latency_median == pytest.approx(1.05)
    assert (found.share_b_better, found.share_disagreeing, found.share_tied) == (0.5, 0.5, 0.0)


def test_swapping_the_runtimes_inverts_the_extremes():
    b = series((5.0, 20.0), (8.0, 5.0), (12.0, 12.0), (30.0, 9.0))
    there, back = ratio(A, b), ratio(b, A)
    assert (there.lowest, there.highest) == (pytest.approx(1 / back.highest), pytest.approx(1 / back.lowest))
    assert there.share_b_better == 1 - back.share_b_better


def test_energies_within_their_uncertainty_are_tied_and_an_unknown_one_leaves_the_share_open():
    near = series((10.5, 1.0), (9.5, 1.0), (10.0, 1.0), (20.0, 1.0), u_mj=1.0)
    assert ratio(A, near).share_tied == 0.75
    assert ratio(A, [*near[:3], point("d", 20.0, latency_ms=1.0)]).share_tied is None


def test_a_latency_that_is_unknown_leaves_what_rests_on_latencies_open():
    found = ratio(A, [*series((5.0, 1.0), (5.0, 1.0), (5.0, 1.0), (5.0, 1.0))[:3], point("d", 5.0)])
    assert (found.n_networks, found.median) == (4, 0.5)
    assert (found.latency_median, found.share_disagreeing) == (None, None)


def test_fewer_networks_than_a_median_needs_give_no_ratio():
    assert LEAST_COMMON == 3
    assert ratio(A, A[:2]) is None
    assert ratio(A, A[:3]).n_networks == 3


def test_a_network_at_another_supply_voltage_is_not_the_same():
    low = [point(name, 5.0, supply_mv=1800.0) for name in "abcd"]
    high = [point(name, 9.0, supply_mv=3300.0) for name in "abcd"]
    assert ratio(low, high) is None
    assert ratio(low, low).n_networks == 4


def stack(name, factor, round_="v2.0", device_id="acme-board", dtype="int8", **system):
    rows = [row(each, factor * (1 + number), rounds=[round_], dtype=dtype) for number, each in enumerate("abcd")]
    settings = {"stack": name, "submitter": "Krai"} | system
    return board(rows, device_id, f"{name}-{round_}-{len(settings)}", runtime=name, system=settings)


def compared(*campaigns):
    return [(each.round, each.runtime_a, each.runtime_b, each.dtype) for each in runtime_ratios(release(*campaigns))]


def test_runtimes_on_one_board_in_one_round_are_compared_by_data_type():
    (found,) = runtime_ratios(release(stack("armnn", 1.0), stack("tflite", 2.0)))
    assert (found.system_id_a, found.system_id_b) == ("acme-board--armnn--krai", "acme-board--tflite--krai")
    assert (found.energy_ratio_median, found.energy_ratio_lowest, found.energy_ratio_highest) == (2.0, 2.0, 2.0)
    assert (found.n_networks, found.share_b_better, found.latency_ratio_median) == (4, 0.0, None)


@pytest.mark.parametrize(
    "other",
    [
        stack("tflite", 2.0, "v2.1"),
        stack("tflite", 2.0, device_id="other-board"),
        stack("tflite", 2.0, dtype="fp32"),
        stack("tflite", 2.0, fan="off"),
        stack("tflite", 2.0, power_mode="2"),
        stack("tflite", 2.0, clock_mhz=240),
        stack("tflite", 2.0, submitter="cTuning"),
    ],
    ids=["round", "board", "data type", "fan", "power mode", "clock", "submitter"],
)
def test_nothing_but_the_stack_may_differ(other):
    assert compared(stack("armnn", 1.0), other) == []


def test_every_pair_of_three_runtimes_is_compared_once():
    found = compared(stack("armnn-neon", 1.0), stack("armnn-opencl", 1.0), stack("tflite", 1.0))
    assert [(a, b) for _, a, b, _ in found] == [
        ("armnn-neon", "armnn-opencl"), ("armnn-neon", "tflite"), ("armnn-opencl", "tflite"),
    ]  # fmt: skip


def test_rows_without_a_round_are_in_no_ratio():
    rows = [row(each, 1.0, rounds=None) for each in "abcd"]
    campaigns = [board(rows, name=name, system={"stack": name}) for name in ("one", "two")]
    assert runtime_ratios(release(*campaigns)) == []
