"""A function of many items in their order, computed by threads some items ahead of who takes the results.

It is for functions that spend their time outside the interpreter, in Arrow or NumPy.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

import pyarrow as pa

Item = TypeVar("Item")
Result = TypeVar("Result")

_N_THREADS: Final = min(pa.cpu_count(), 4)
"""More would wait for the thread that takes the results."""
N_HELD: Final = _N_THREADS + 1
"""Items that are held at once: those that are worked on, and the one that is taken from the source."""


def mapped_ahead(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Results of a function, one per item and in their order.

    Args:
        function: called by several threads at once.
        items: its arguments, taken by the thread that takes the results; at most `N_HELD` of them are needed at once.

    Raises:
        Exception: that of the source of the items, or of the first item that the function raises for.

    >>> list(mapped_ahead(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    pending: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(_N_THREADS) as threads:
        for item in items:
            pending.append(threads.submit(function, item))
            if len(pending) > _N_THREADS:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
