"""The three formulas: PCS, IECS and the energy index; numbers in, number out."""

import math
from collections.abc import Iterable, Mapping


def pcs(power_mw: Iterable[float], tdp_w: float) -> float:
    """Power consumption score: how far the mean power stays below the thermal design power.

    Args:
        power_mw: mean power in mW (APC) of every network and delegate.
        tdp_w: thermal design power in W.

    Returns:
        100 times one minus the mean of APC / TDP; higher is better.

    Raises:
        ValueError: no power at all.

    Source:
        Tu et al., SEC 2023, section on scoring.

    Examples:
        >>> pcs([1000, 3000], tdp_w=4)
        50.0
    """
    shares = [power / 1000 / tdp_w for power in power_mw]
    if not shares:
        raise ValueError("PCS needs at least one power")
    return 100 * (1 - math.fsum(shares) / len(shares))


def iecs(energy_mj: Iterable[float]) -> float:
    """Inference energy consumption score: inferences per joule, summed over networks and delegates.

    Args:
        energy_mj: energy per inference in mJ (ECI) of every network and delegate.

    Source:
        Tu et al., SEC 2023, section on scoring.

    Examples:
        >>> iecs([500, 250])
        6.0
    """
    return math.fsum(1000 / energy for energy in energy_mj)


def energy_index(best_mj: Mapping[str, float], references_mj: Mapping[str, float]) -> float:
    """Energy index: 100 times the geometric mean of energy over reference; lower is better.

    Args:
        best_mj: lowest energy per inference in mJ over the delegates, by network.
        references_mj: frozen reference energy in mJ, by network; networks not in `best_mj` are left out.

    Raises:
        ValueError: no network at all.

    Examples:
        >>> round(energy_index({"a": 2.0, "b": 8.0}, {"a": 4.0, "b": 4.0}), 6)
        100.0
    """
    ratios = [math.log(energy / references_mj[network]) for network, energy in best_mj.items()]
    if not ratios:
        raise ValueError("the energy index needs at least one network")
    return 100 * math.exp(math.fsum(ratios) / len(ratios))
