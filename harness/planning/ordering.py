"""The order in which kernels are measured; which of them are, is not decided here."""

from collections.abc import Sequence


def measuring_order(names: Sequence[str], sizes: Sequence[float], seed: int) -> list[str]:
    """Names of the kernels, in an order in which no drift of the device falls on large or on small kernels.

    Kernels ordered by size are taken as the digits of a binary counter read backwards, so that any stretch of the
    order has kernels of all sizes. The kernel of middle size is the anchor: it is measured first, in the middle and
    last, so that what the device drifts by in between shows.

    Args:
        names: names of the kernels.
        sizes: how much each of them does, in any unit.
        seed: where in the sequence the order begins.

    Source:
        van der Corput (1935), sequence of least discrepancy in base 2.

    >>> measuring_order(["a", "b", "c", "d"], [1, 2, 3, 4], 0)
    ['c', 'a', 'c', 'b', 'd', 'c']
    """
    by_size = [name for _, name in sorted(zip(sizes, names, strict=True))]
    n = len(by_size)
    anchor = by_size[n // 2]
    n_bits = max(n - 1, 1).bit_length()
    reversed_places = (int(f"{place:0{n_bits}b}"[::-1], 2) for place in range(2**n_bits))
    places = [place for place in reversed_places if place < n]
    turned = [by_size[places[(index + seed) % n]] for index in range(n)]
    others = [name for name in turned if name != anchor]
    middle = len(others) // 2
    return [anchor, *others[:middle], anchor, *others[middle:], anchor]
