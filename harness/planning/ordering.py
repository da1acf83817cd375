"""The order in which kernels are measured; which of them are, is not decided here."""

from collections.abc import Mapping


def measuring_order(sizes: Mapping[str, float], anchor: str, seed: int) -> list[str]:
    """Names of all that is measured, in an order in which no drift of the device falls on large or on small kernels.

    Their places by size are taken as the digits of a binary counter read backwards, so that any stretch of the order
    has kernels of all sizes. The anchor is measured first, in the middle and last, so that what the device drifts by in
    between shows.

    Args:
        sizes: how much each of them does, in any unit, by name.
        anchor: name of the anchor.
        seed: where in the sequence the order begins.

    Source:
        van der Corput (1935), sequence of least discrepancy in base 2.

    >>> measuring_order({"a": 1, "b": 2, "c": 3, "d": 4}, "c", 0)
    ['c', 'a', 'c', 'b', 'd', 'c']
    """
    by_size = sorted(sizes, key=lambda name: (sizes[name], name))
    n = len(by_size)
    n_bits = max(n - 1, 1).bit_length()
    reversed_places = (int(f"{place:0{n_bits}b}"[::-1], 2) for place in range(2**n_bits))
    places = [place for place in reversed_places if place < n]
    turned = [by_size[places[(index + seed) % n]] for index in range(n)]
    others = [name for name in turned if name != anchor]
    middle = len(others) // 2
    return [anchor, *others[:middle], anchor, *others[middle:], anchor]
