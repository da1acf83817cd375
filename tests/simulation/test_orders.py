import pytest

from harness.simulation.accelerators import accelerators
from harness.simulation.orders import first_orders, next_orders

SIX = {"K", "C", "OX", "OY", "FX", "FY"}


@pytest.mark.parametrize("place", accelerators(), ids=lambda place: place.id)
def test_pinned_orders_hold_every_loop_once_and_differ_even_as_twins(place):
    orders = list(first_orders(SIX, place.orders))
    assert len(orders) == 2 * len(place.orders)
    assert all(sorted(order) == sorted(SIX) for order in orders)


def test_orders_of_fewer_loops_are_tried_once():
    orders = list(first_orders({"K", "OX", "OY"}, ["C FX OX OY K FY", "FX C OX OY K FY"]))
    assert orders == [("OX", "OY", "K"), ("OY", "OX", "K")]


def test_next_orders_exchange_every_pair_of_loops():
    order = ("K", "C", "OX", "OY", "FX", "FY")
    found = list(next_orders(order))
    assert len(set(found)) == 15
    assert all(sum(one != other for one, other in zip(order, each, strict=True)) == 2 for each in found)
