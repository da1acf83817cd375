"""The energy of a row compared with the energy that its trace gives, within the row's own uncertainty.

It reads no files; where the figures suggest a cause of a mismatch, the message states it.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from harness.schema.facts import Idle, Trace
from harness.traces.reduction import Reduction
from harness.traces.trace import TraceFault

ENERGY_TOLERANCE: Final = 0.005
"""Relative deviation of a stated from a recomputed energy that rounding and summation order explain."""
_KIND: Final = {True: "less idle power", False: "with idle power"}
_UNIT_STEPS: Final = (1e-3, 1e3)


def energy_fault(
    trace: Trace, row: Mapping[str, Any], reduction: Reduction, idle: Idle | None = None
) -> TraceFault | None:
    """Fault of a row whose energy does not follow from its trace; None where it does, or is none to begin with.

    Args:
        trace: what binds the trace to the row.
        row: the row.
        reduction: what the trace gives.
        idle: idle power that the submission states, taken where no baseline is bound.
    """
    stated, is_subtracted = row["energy_mj"], row["is_idle_subtracted"]
    if stated is None or is_subtracted is None or not 0 < stated < math.inf:
        return None
    by_kind = {False: _absolute_mj(reduction), True: _idle_subtracted_mj(trace, reduction, idle)}
    known, slack = by_kind[is_subtracted], max(ENERGY_TOLERANCE * stated, _stated_uncertainty_mj(row))
    if _is_within(stated, known, slack):
        return None
    selection = ", ".join(f"{name} {cell}" for name, cell in trace.where.items())
    found = f"energy_mj {stated:.10g} in {trace.level}.csv, {selection}"
    if not known:
        return TraceFault("trace-energy", found, "a trace with idle power", "Bind the power of the idle device.")
    shown = " to ".join(dict.fromkeys(f"{energy:.6g}" for energy in (min(known), max(known))))
    expected = f"{shown} ± {slack:.2g} mJ, {_KIND[is_subtracted]}, as {trace.power.file} gives"
    fix = "Correct the row, or bind the trace it was measured with."
    if _is_within(stated, by_kind[not is_subtracted], slack):
        right = str(not is_subtracted).lower()
        fix = f"The energy {_KIND[not is_subtracted]} would fit: look whether is_idle_subtracted is {right}."
    elif any(_is_within(stated * step, known, slack * step) for step in _UNIT_STEPS):
        fix = "The two differ by a factor of 1000: look for a wrong unit in the row or in the trace."
    return TraceFault("trace-energy", found, expected, fix)


def _absolute_mj(reduction: Reduction) -> Sequence[float]:
    """Mean and median, since sources state either."""
    return [energy for energy in (reduction.energy_mj, reduction.energy_median_mj) if energy is not None]


def _idle_subtracted_mj(trace: Trace, reduction: Reduction, idle: Idle | None) -> Sequence[float]:
    """Energy less idle power: that of the baseline, as the submission states it, or as the trace begins."""
    if idle is None or trace.baseline is not None:
        energy = reduction.energy_idle_subtracted_mj
        return [] if energy is None else [energy]
    if reduction.energy_mj is None or reduction.latency_ms is None:
        return []
    return [reduction.energy_mj - idle.power_mw * reduction.latency_ms / 1000]


def _is_within(stated: float, known: Sequence[float], slack: float) -> bool:
    return bool(known) and min(known) - slack <= stated <= max(known) + slack


def _stated_uncertainty_mj(row: Mapping[str, Any]) -> float:
    """Two standard errors of the row's own spread, in mJ; 0 where it states none."""
    deviation, n_runs = row["energy_std_mj"], row["n_runs"]
    if deviation is None or n_runs is None or not 0 < deviation < math.inf or n_runs < 1:
        return 0.0
    return float(2 * deviation / math.sqrt(n_runs))
