"""Runs, latency, power, spread and uncertainty of a row compared with what its trace gives.

The energy is compared in `harness.validation.trace_energy`.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from harness.schema.facts import Trace
from harness.traces.reduction import Reduction
from harness.traces.trace import TraceFault
from harness.validation.trace_energy import energies_of, rounding, selection_of

FIGURE_TOLERANCE: Final = 0.01
"""Relative deviation of a latency, a power or an extreme window that the way of averaging explains."""
SPREAD_TOLERANCE: Final = 0.10
"""Relative deviation of a spread beyond that between its two estimators."""
UNCERTAINTY_TOLERANCE: Final = 0.05
"""Relative deviation of an expanded uncertainty, which is rarely stated to more than two digits."""
NO_SPREAD: Final = 1e-4
"""Share of the energy below which a deviation is arithmetic and no spread."""


def figure_faults(trace: Trace, row: Mapping[str, Any], reduction: Reduction) -> list[TraceFault]:
    """Figures of a row besides its energy that do not follow from its trace; an empty cell states nothing.

    Args:
        trace: what binds the trace to the row.
        row: the row.
        reduction: what the trace gives; it has an energy.
    """
    return [fault for check in _CHECKS for fault in check(trace, row, reduction)]


def _fault(rule: str, trace: Trace, stated: str, expected: str, fix: str) -> TraceFault:
    return TraceFault(rule, f"{stated} in {selection_of(trace)}", f"{expected}, as {trace.power.file} gives", fix)


def _is_subtracted(row: Mapping[str, Any]) -> bool:
    return bool(row["energy_kind"] == "idle-subtracted")


def _stated(row: Mapping[str, Any], name: str) -> float | None:
    value = row[name]
    return value if value is not None and 0 <= value < math.inf else None


def _runs(trace: Trace, row: Mapping[str, Any], reduction: Reduction) -> Iterator[TraceFault]:
    stated = _stated(row, "n_runs")
    counts = sorted({len(reduction.energies_mj), reduction.n_used})
    if stated is None or stated in counts:
        return
    fix = "A run is one window or one inference that was used; those in gaps or left out do not count."
    yield _fault("trace-runs", trace, f"n_runs {stated:.10g}", " or ".join(map(str, counts)), fix)


def _latency(trace: Trace, row: Mapping[str, Any], reduction: Reduction) -> Iterator[TraceFault]:
    stated, known = _stated(row, "latency_ms"), reduction.latency_ms
    if stated is None or known is None or _is_near(stated, known):
        return
    fix = "Look whether it is the latency of another run, or of a window of several inferences."
    yield _fault("trace-latency", trace, f"latency_ms {stated:.10g}", f"{known:.6g} ms", fix)


def _power(trace: Trace, row: Mapping[str, Any], reduction: Reduction) -> Iterator[TraceFault]:
    stated, latency_ms = _stated(row, "power_mw"), reduction.latency_ms
    energies = energies_of(reduction, _is_subtracted(row))
    if stated is None or not latency_ms or not energies:
        return
    known = [1000 * energy / latency_ms for energy in energies]
    if not any(_is_near(stated, power) for power in known):
        shown = " or ".join(dict.fromkeys(f"{power:.6g}" for power in known))
        fix = "Look whether it is the power of another run, and whether idle power is in it as in the energy."
        yield _fault("trace-power", trace, f"power_mw {stated:.10g}", f"{shown} mW", fix)


def _is_near(stated: float, known: float) -> bool:
    return abs(stated - known) <= FIGURE_TOLERANCE * abs(known) + rounding(stated)


def _spread(trace: Trace, row: Mapping[str, Any], reduction: Reduction) -> Iterator[TraceFault]:
    if _is_subtracted(row) or not len(reduction.energies_mj):
        return
    yield from _deviation(trace, row, reduction)
    for name, known in (("energy_min_mj", reduction.energies_mj.min()), ("energy_max_mj", reduction.energies_mj.max())):
        stated = _stated(row, name)
        if stated is not None and not _is_near(stated, float(known)):
            fix = "Give the extreme of the windows that were used, or leave the cell empty."
            yield _fault("trace-spread", trace, f"{name} {stated:.10g}", f"{known:.6g} mJ", fix)


def _deviation(trace: Trace, row: Mapping[str, Any], reduction: Reduction) -> Iterator[TraceFault]:
    stated, known, n = _stated(row, "energy_std_mj"), reduction.energy_std_mj, len(reduction.energies_mj)
    if stated is None:
        return
    if known is None:
        fix = "Leave the cell empty, or bind a trace of several windows."
        yield _fault("trace-spread", trace, f"energy_std_mj {stated:.10g}", "no spread of a single window", fix)
        return
    slack = rounding(stated) + NO_SPREAD * float(reduction.energies_mj.mean())
    lowest = (1 - SPREAD_TOLERANCE) * known * math.sqrt((n - 1) / n) - slack
    highest = (1 + SPREAD_TOLERANCE) * known + slack
    if not lowest <= stated <= highest:
        fix = "Give the standard deviation of the energy over the windows that were used, or leave the cell empty."
        yield _fault(
            "trace-spread",
            trace,
            f"energy_std_mj {stated:.10g}",
            f"{max(lowest, 0):.3g} to {highest:.3g} mJ over {n} windows",
            fix,
        )


def _uncertainty(trace: Trace, row: Mapping[str, Any], reduction: Reduction) -> Iterator[TraceFault]:
    known = reduction.energy_idle_subtracted_u_mj if _is_subtracted(row) else reduction.energy_u_mj
    stated = _stated(row, "energy_u_mj")
    if stated is None or known is None or abs(stated - known) <= UNCERTAINTY_TOLERANCE * known + rounding(stated):
        return
    fix = "Give the expanded uncertainty that deepen reduce prints for this trace"
    fix += "; where yours covers the meter, state meter.accuracy in submission.yaml, which then enters."
    yield _fault("trace-uncertainty", trace, f"energy_u_mj {stated:.10g}", f"{known:.3g} mJ", fix)


_CHECKS: Final[tuple[Callable[[Trace, Mapping[str, Any], Reduction], Iterator[TraceFault]], ...]] = (
    _runs,
    _latency,
    _power,
    _spread,
    _uncertainty,
)
