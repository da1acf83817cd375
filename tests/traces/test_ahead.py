import threading
import time

import pytest

from harness.traces.ahead import N_HELD, mapped_ahead


def test_results_come_in_order_though_later_ones_are_ready_first():
    def late(item):
        time.sleep(0.02 if item == 0 else 0)
        return item

    assert list(mapped_ahead(late, range(20))) == list(range(20))


def test_no_more_items_are_taken_than_are_held():
    taken = []

    def items():
        for item in range(50):
            taken.append(item)
            yield item

    for done, _ in enumerate(mapped_ahead(abs, items())):
        assert len(taken) - done <= N_HELD


def test_first_item_that_fails_ends_the_results_and_those_before_it_come():
    def inverse(item):
        return 1 / item

    results = mapped_ahead(inverse, [1, 2, 0, 4, 0])
    assert [next(results), next(results)] == [1, 0.5]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_error_of_the_source_is_raised():
    def items():
        yield 1
        raise ValueError("cut off")

    with pytest.raises(ValueError, match="cut off"):
        list(mapped_ahead(abs, items()))


def test_no_thread_is_left_when_results_are_left_off():
    before = threading.active_count()
    results = mapped_ahead(abs, range(1000))
    next(results)
    results.close()
    assert threading.active_count() == before
