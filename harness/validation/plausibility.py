"""Figures outside of what is known of a kind of device: a warning, and an error where no such device can reach them.

Neither says what is wrong: messages ask for the unit.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from harness.schema.cost import kernel_cost
from harness.schema.vocabulary import Boundary
from harness.validation.context import Mask, Numbers, RowContext
from harness.validation.known import KNOWN, MJ_PER_FLOP, Known, Quantity, power_ceiling

PARTIAL_SHARE: Final = 0.1
"""Share of the power of a whole device that one of its rails, or its processor alone, draws at least."""
_PARTIAL: Final[frozenset[Boundary]] = frozenset({"rail", "sum-of-rails", "package"})
FEWEST_COUNTED: Final = 10_000_000
"""Below, starting a kernel costs more than its arithmetic, and no upper bound of energy per FLOP holds."""
MOST_DECADES: Final = 0.5
"""Decades by which energy, power and latency may contradict each other for any of them to be judged."""
LEAST_INTENSITY: Final = 10.0
"""FLOPs per byte below which memory, and not arithmetic, decides what a kernel costs."""


_RULES: Final[Mapping[Quantity, tuple[str, str]]] = {
    "power": ("power-floor", "power-unusual"),
    "energy-per-flop": ("energy-per-flop", "flop-energy-unusual"),
    "flop-rate": ("flop-rate-implausible", "flop-rate-unusual"),
}
"""Rule far outside of what is known, and rule outside of it."""
_UNITS: Final[Mapping[Quantity, str]] = {"power": "mW", "energy-per-flop": "pJ for one FLOP", "flop-rate": "FLOP/s"}
_QUESTIONS: Final[Mapping[Quantity, tuple[str, str]]] = {
    "power": (
        "energy_mj",
        "Find out in the raw file which units energy, latency and power are in, and whether all are of one inference; "
        "correct the header, mapping or layout that states another. If all is so, does the boundary say what was "
        "measured?",
    ),
    "energy-per-flop": (
        "energy_mj",
        "Is the energy in mJ and of one inference, and are data type, extents and FLOPs those of the run?",
    ),
    "flop-rate": (
        "latency_ms",
        "Is the latency in ms and of one inference, and are delegate, extents and FLOPs those of the run?",
    ),
}
"""Column that a finding is about, and what to ask."""
_IF_RIGHT: Final = (
    "Where the figure is right, open an issue that says how it was measured, so that it becomes known.",
    "Where the figure is right, keep it and say under notes how it was measured.",
)
"""What to do where a figure that no such device can have is right, and where one outside of what is known is."""


def check_plausibility(context: RowContext) -> None:
    """power-floor, energy-per-flop, flop-rate-implausible, and the three named unusual."""
    if context.device is None:
        return
    figures = _figures(context)
    agrees = _agrees(context)
    for known in KNOWN:
        values = figures.get(known.quantity)
        if values is None or not _is_about(known, context):
            continue
        rows = _rows_of(known, context) & agrees
        floor, ceiling = known.limits
        if known.lowest is not None and floor is not None:
            share = _share(context) if known.quantity == "power" else 1.0
            bounds = known.lowest * share, floor * share
            absolute = rows & _is_absolute(context) if known.quantity == "power" else rows
            _report(context, known, absolute, values, bounds, is_low=True)
        if known.highest is not None and ceiling is not None:
            counted = rows & _is_counted(context) if known.quantity == "energy-per-flop" else rows
            _report(context, known, counted, values, (known.highest, ceiling), is_low=False)


def drawn_mw(context: RowContext) -> Numbers:
    """Mean power of every row in mW, from energy and latency where none is given; NaN where it is unknown."""
    energy, latency, power = (context.numbers(name) for name in ("energy_mj", "latency_ms", "power_mw"))
    with np.errstate(all="ignore"):
        drawn: Numbers = np.where(np.isfinite(power), power, 1000 * energy / latency)
    return drawn


def _figures(context: RowContext) -> dict[Quantity, Numbers]:
    """The three quantities of every row, NaN where unknown; a level without FLOPs has only the power."""
    energy, latency = (context.numbers(name) for name in ("energy_mj", "latency_ms"))
    figures: dict[Quantity, Numbers] = {"power": drawn_mw(context)}
    with np.errstate(all="ignore"):
        flops = context.flops()
        if flops is not None:
            counted = np.where(flops > 0, flops, np.nan)
            per_flop = energy / counted
            is_known = (per_flop >= MJ_PER_FLOP[0]) & (per_flop <= MJ_PER_FLOP[1])
            figures["energy-per-flop"] = np.where(is_known, 1e9 * per_flop, np.nan)
            figures["flop-rate"] = 1000 * counted / latency
    return figures


def _agrees(context: RowContext) -> Mask:
    """Rows whose energy is power times latency or that lack one of them; the others are reported as what they are."""
    energy, power, latency = (context.numbers(name) for name in ("energy_mj", "power_mw", "latency_ms"))
    with np.errstate(all="ignore"):
        ratio = energy / (power * latency / 1000)
    agrees: Mask = ~(np.isfinite(ratio) & (np.abs(np.log10(np.where(ratio > 0, ratio, 1))) > MOST_DECADES))
    return agrees


def _is_about(known: Known, context: RowContext) -> bool:
    """Whether a range is about the device and method of a campaign."""
    is_of_class = not known.device_classes or (
        context.device is not None and context.device.device_class in known.device_classes
    )
    is_of_method = not known.methods or (context.manifest is not None and context.manifest.method in known.methods)
    return is_of_class and is_of_method


def _is_absolute(context: RowContext) -> Mask:
    """Rows whose energy has idle power in it; what is left without it may be as little as it likes."""
    return context.with_words("energy_kind", ("absolute",))


def _share(context: RowContext) -> float:
    is_partial = context.manifest is not None and context.manifest.boundary in _PARTIAL
    return PARTIAL_SHARE if is_partial else 1.0


def _is_counted(context: RowContext) -> Mask:
    """Rows whose energy is that of arithmetic, so that an upper bound per FLOP holds."""
    flops = context.flops()
    if flops is None:
        return np.zeros(context.rows.table.num_rows, dtype=np.bool_)
    is_large: Mask = flops >= FEWEST_COUNTED
    if context.level == "kernels" and is_large.any():
        with np.errstate(all="ignore"):
            is_large = is_large & (flops / kernel_cost(context.rows.table).bytes_moved >= LEAST_INTENSITY)
    return is_large


def _rows_of(known: Known, context: RowContext) -> Mask:
    rows: Mask = np.ones(context.rows.table.num_rows, dtype=np.bool_)
    delegates = context.device.delegates if context.device is not None else {}
    if known.processors:
        rows &= context.with_words("delegate", {name for name, on in delegates.items() if on in known.processors})
    if known.dtypes:
        rows &= context.with_words("dtype", known.dtypes)
    return rows


def _report(
    context: RowContext, known: Known, rows: Mask, values: Numbers, bounds: tuple[float, float], *, is_low: bool
) -> None:
    """Report rows outside of what is known: those that no such device can have, and the others.

    Args:
        context: where the rows are.
        known: what is known.
        rows: rows that it is about.
        values: figure of every row.
        bounds: the bound that is known, and the one beyond which none can lie.
        is_low: whether they are lower bounds.
    """
    column, question = _QUESTIONS[known.quantity]
    unit = _UNITS[known.quantity]
    if known.quantity == "power":
        # Above it, power-limit has said so.
        rows = rows & (values <= power_ceiling(context.device)[0])
    outside, far = (rows & (values < bound if is_low else values > bound) for bound in bounds)
    usual = _RULES[known.quantity][1], outside & ~far, bounds[0], "known", _IF_RIGHT[1]
    impossible = _RULES[known.quantity][0], far, bounds[1], "possible", _IF_RIGHT[0]
    for rule, found, bound, word, if_right in (impossible, usual):
        if found.any():
            expected = f"{'>=' if is_low else '<='} {bound:g} {unit}, as is {word} of {known.kind}"
            context.report_first(
                rule, found, column, expected=expected, fix=f"{question} {if_right}",
                note=lambda row: f"{values[row]:.3g} {unit}",
            )  # fmt: skip
