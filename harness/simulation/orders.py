"""Loop orders to evaluate where a layer has too many loops for every order; it does not choose the best."""

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations
from typing import Final

MOST_SEARCHED_LOOPS: Final = 5
"""Layers with at most this many loops are searched in full; six loops have 720 orders, seven 5,040."""

_TWIN: Final = str.maketrans("XY", "YX")

Order = tuple[str, ...]
"""Names of loops, innermost first."""


def first_orders(loops: Collection[str], pinned: Sequence[str]) -> Iterator[Order]:
    """Orders of a layer's loops to evaluate first, each once.

    Args:
        loops: names of the loops, out of G, K, C, OX, OY, FX and FY. Groups share no data, so their loop is outermost.
        pinned: orders of an accelerator; each stands for itself and for its twin with X and Y exchanged.

    >>> list(first_orders({"G", "K", "OX", "OY", "FX", "FY"}, ["C FX FY OX K OY"]))
    [('FX', 'FY', 'OX', 'K', 'OY', 'G'), ('FY', 'FX', 'OY', 'K', 'OX', 'G')]
    """
    orders = (tuple(text.split()) for line in pinned for text in (line, line.translate(_TWIN)))
    yield from dict.fromkeys(tuple(loop for loop in (*order, "G") if loop in loops) for order in orders)


def next_orders(order: Order) -> Iterator[Order]:
    """Orders that differ from one in the places of two loops.

    >>> list(next_orders(("K", "C", "OX")))
    [('C', 'K', 'OX'), ('OX', 'C', 'K'), ('K', 'OX', 'C')]
    """
    for one, other in combinations(range(len(order)), 2):
        exchanged = list(order)
        exchanged[one], exchanged[other] = order[other], order[one]
        yield tuple(exchanged)
