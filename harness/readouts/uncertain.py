"""Whether two energies differ by more than what is unknown about them."""

import math

from harness.readouts.points import Point


def are_tied(one: Point, other: Point) -> bool | None:
    """Whether the difference of two energies is within its expanded uncertainty; None where one states none.

    The errors are taken as independent. Two energies of one meter share some of its error, which is then counted in
    their difference though it cancels, so that rather too many pairs are tied than too few.

    Source:
        JCGM 100:2008, 5.1.2: variances of independent quantities add.
    """
    if one.energy_u_mj is None or other.energy_u_mj is None:
        return None
    return abs(one.energy_mj - other.energy_mj) <= math.hypot(one.energy_u_mj, other.energy_u_mj)
