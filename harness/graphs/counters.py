"""How often a loop runs whose condition compares counters: the first run at which the condition fails."""

from collections.abc import Callable

from harness.graphs.input_extents import MOST_EXTENT


def first_failing(holds: Callable[[int], bool | None]) -> int | None:
    """Smallest number from 0 at which a condition fails that fails from there on; None where there is none.

    Args:
        holds: the condition; None where its value is unknown.

    >>> first_failing(lambda number: number + 1 < 40)
    39
    """
    last = holds(MOST_EXTENT - 1)
    if last is None or last:
        return None
    low, high = 0, MOST_EXTENT - 1
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            low = middle + 1
        else:
            high = middle
    return low
