"""The energy of a row compared with the energy that its trace gives, within the uncertainty of that reduction.

Nothing that a submission states widens the comparison: the same bytes are reduced here, so that what differs is
rounding and method, and the parts of the budget that every reduction shares are left out. It reads no files; where
the figures suggest a cause of a mismatch, the message asks for it.
"""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, get_args

from harness.schema.facts import Trace
from harness.schema.vocabulary import EnergyKind
from harness.traces.budget import Component, expanded_mj
from harness.traces.components import METER, MOST_UNCERTAIN, REPEATABILITY
from harness.traces.reduction import Reduction
from harness.traces.trace import TraceFault

SHARED: Final = (*METER, REPEATABILITY)
"""Components that are the same whoever reduces a trace."""
MOST_ROUNDED: Final = 0.005
"""Largest share of a figure that its rounding explains; a row of fewer digits cannot be compared."""
SAME: Final = 1e-6
"""Relative difference of one reduction on two machines, with room to spare."""
_KIND: Final = {True: "less idle power", False: "with idle power"}
_UNIT_STEPS: Final = (1e-3, 1e3)
_NO_IDLE: Final = (
    "Bind the power of the idle device as baseline, or submit the energy with idle power; a stated idle power is no "
    "evidence."
)


def energy_fault(trace: Trace, row: Mapping[str, Any], reduction: Reduction) -> TraceFault | None:
    """Fault of a row whose energy does not follow from its trace; None where it does, or is none to begin with.

    Args:
        trace: what binds the trace to the row.
        row: the row.
        reduction: what the trace gives.
    """
    stated, kind = row["energy_mj"], row["energy_kind"]
    if stated is None or kind not in get_args(EnergyKind) or not 0 < stated < math.inf:
        return None
    found = f"energy_mj {stated:.10g} in {selection_of(trace)}"
    if kind == "dynamic-only":
        fix = "State in the row which of the two it is."
        return TraceFault("trace-energy", f"{found}, dynamic-only", "an absolute or idle-subtracted energy", fix)
    is_subtracted = kind == "idle-subtracted"
    known, others = (energies_of(reduction, kind) for kind in (is_subtracted, not is_subtracted))
    uncertainty = evidence_mj(reduction, is_subtracted)
    is_other_kind = _is_near(stated, others, evidence_mj(reduction, not is_subtracted))
    if _is_near(stated, known, uncertainty):
        return None
    expected, fix = "a trace with idle power", _NO_IDLE
    if known:
        shown = " or ".join(dict.fromkeys(f"{energy:.6g}" for energy in known))
        slack = uncertainty + rounding(stated)
        expected = f"{shown} ± {slack:.2g} mJ, {_KIND[is_subtracted]}, as {trace.power.file} gives"
        fix = "Look whether the row or the trace belongs to another run, or was computed otherwise."
    if is_other_kind:
        right = "absolute" if is_subtracted else "idle-subtracted"
        fix = f"The energy {_KIND[not is_subtracted]} would fit: look whether the energy of the row is {right}."
    elif any(_is_near(stated * step, known, uncertainty) for step in _UNIT_STEPS):
        fix = "The two differ by a factor of 1000: look for a wrong unit in the row or in the trace."
    return TraceFault("trace-energy", found, expected, fix)


def selection_of(trace: Trace) -> str:
    """Table and cells by which a trace selects its row, in words."""
    return f"{trace.level}.csv, " + ", ".join(f"{name} {cell}" for name, cell in trace.where.items())


def energies_of(reduction: Reduction, is_subtracted: bool) -> Sequence[float]:
    """Energies of one kind that a row may state: mean and median, since sources state either; the mean less idle power.

    The idle power is that of the baseline, or of the trace itself.
    """
    if is_subtracted:
        energies: tuple[float | None, ...] = (reduction.energy_idle_subtracted_mj,)
    else:
        energies = (reduction.energy_mj, reduction.energy_median_mj)
    return [energy for energy in energies if energy is not None]


def evidence_mj(reduction: Reduction, is_subtracted: bool) -> float:
    """Expanded uncertainty in mJ that two reductions of the same bytes may differ by, at most a share of the energy.

    The accuracy of the meter and how well a device repeats itself are the same for both, and are left out.
    """
    parts = [each for each in reduction.uncertainty if each.component not in SHARED]
    if is_subtracted and reduction.latency_ms is not None:
        parts.append(Component("idle power", (reduction.idle_u_mw or 0.0) * reduction.latency_ms / 1000))
    return min(expanded_mj(parts), MOST_UNCERTAIN * abs(reduction.energy_mj or 0.0))


def rounding(value: float) -> float:
    """Half a unit of the last digit of a figure, at most a small share of it.

    A whole number counts as rounded to ones, since zeros at its end may be digits or not.

    >>> [round(rounding(value), 3) for value in (558.9, 559.0, 5.0)]
    [0.051, 0.501, 0.025]
    """
    exponent = 0 if value == int(value) else Decimal(repr(value)).as_tuple().exponent
    half = 5.0 * 10.0 ** (int(exponent) - 1)
    return min(half, MOST_ROUNDED * abs(value)) + SAME * abs(value)


def _is_near(stated: float, known: Sequence[float], uncertainty: float) -> bool:
    return any(abs(stated - energy) <= uncertainty + rounding(stated) for energy in known)
