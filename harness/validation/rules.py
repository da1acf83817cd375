"""The rules of rows: how the cells of a row must agree with each other, with their kernel and with their device.

Bounds of single columns are in the schema, and their check in `cells`; rows against each other are in `repeats`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.schema.vocabulary import (
    CONFIGURATION_FIELDS,
    KERNEL_ALLOWS,
    KERNEL_FUNCTIONS,
    KERNEL_REQUIRES,
    Kernel,
)
from harness.validation.context import Numbers, RowContext, rows_by_kernel, rows_where, words_with_codes
from harness.validation.known import MJ_PER_FLOP, power_ceiling
from harness.validation.names import check_names, check_shapes
from harness.validation.plausibility import check_plausibility, drawn_mw
from harness.validation.repeats import check_identifiers, check_repeats
from harness.validation.rounding import half_units, resolution_of

ENERGY_TOLERANCE: Final = 0.02
"""Relative deviation of energy from power times latency; DeepEn2023 keeps 0.5 % above 0.1 mJ."""
MOST_PAUSE_MS: Final = 0.1
"""Time between two inferences that a benchmark spends; results of MLPerf Inference have up to 0.081 ms.

It is in the energy of a window over its inferences, and not in the latency of single ones, of which alone there is a
90th percentile.
"""
SLIP: Final = 1000.0
SLIP_TOLERANCE: Final = 0.15
SLIP_DECADES: Final = 0.5
"""Nearer to a thousand than to any other step between units, the decade counts, whatever else is wrong."""
CONTRADICTED_SHARE: Final = 0.9
"""Share of slipped rows from which the header, not the row, is wrong."""
CONTRADICTED_ROWS: Final = 3
FUNCTION_FIX: Final = "State what the kernel computes, or the type that computes it."
ROUNDING_SHARE: Final = 0.1
FEWEST_FLOPS: Final = 10_000
"""Below, fixed overhead exceeds the arithmetic, and no upper bound holds."""
_SLIPPED_UNITS: Final = {
    1: ("watts", "seconds", "microjoules"),
    2: ("kilowatts", "thousands of seconds", "nanojoules"),
    -1: ("microwatts", "microseconds", "joules"),
    -2: ("nanowatts", "nanoseconds", "kilojoules"),
}
"""Units of power, latency and energy, any one of which explains a ratio of a thousand to this power."""
_TRIPLE: Final = ("energy_mj", "power_mw", "latency_ms")


@dataclass(frozen=True, slots=True)
class Slip:
    """A quantity of one row that is thousands of times off against the other two.

    Attributes:
        row: number of the row.
        column: column that most likely slipped.
        unit: unit that the value seems to be in, in words.
        exponent: power of ten that brings it into the unit of the column.
        energy_unit: unit in which the energy would explain the ratio as well, by the inverse correction; empty where
            the power did.
        ratio: energy over the product of power and latency.
        is_whole: whether the correction makes the three agree; otherwise something else is wrong as well.
    """

    row: int
    column: str
    unit: str
    exponent: int
    energy_unit: str
    ratio: float
    is_whole: bool

    @property
    def change(self) -> str:
        """Correction in words."""
        return _change_by(self.exponent)

    @property
    def fix(self) -> str:
        """What to do, for each of the columns that may have slipped."""
        energy = (
            f"; or energy_mj like {self.energy_unit}: {_change_by(-self.exponent)} then" if self.energy_unit else ""
        )
        return f"looks like {self.unit}: {self.change} if so{energy}. Find the unit in the raw file."


def _change_by(exponent: int) -> str:
    return f"{'multiply' if exponent > 0 else 'divide'} by {10 ** abs(exponent)}"


def check_energy_power_latency(context: RowContext) -> None:
    """energy-power-latency, unit-slip, header-unit-contradicted."""
    ratio = _ratios(context)
    slips = find_slips(context)
    deviating = np.abs(ratio - 1) > ENERGY_TOLERANCE
    deviating[[slip.row for slip in slips if slip.is_whole]] = False
    products = context.numbers("power_mw"), context.numbers("latency_ms")
    for row in rows_where(deviating):
        _report_deviation(context, row, float(ratio[row]), *(float(numbers[row]) for numbers in products))
    n_triples = int(np.isfinite(ratio).sum())
    is_column = len(slips) >= CONTRADICTED_ROWS and len(slips) >= CONTRADICTED_SHARE * n_triples
    is_column &= not context.is_each_row
    for slip in slips[:1] if is_column else slips:
        described = f"a ratio of {slip.ratio:.4g} between energy_mj and power_mw x latency_ms / 1000"
        value = context.rows.text(slip.row, slip.column)
        if is_column:
            found = f"{len(slips)} of {n_triples} rows with {described} (first: {value})"
            rule, part = "header-unit-contradicted", "column"
        else:
            found = f"{value}, {described}"
            rule, part = "unit-slip", "value"
        context.report(
            rule,
            slip.row,
            slip.column,
            found=found,
            is_value=not is_column,
            expected="a ratio of 1",
            fix=f"The {part} {slip.fix}",
        )


def _ratios(context: RowContext) -> Numbers:
    """Energy over power times latency; NaN where one of the three is missing or not positive."""
    energy, power, latency = (context.numbers(name) for name in _TRIPLE)
    is_positive = (energy > 0) & (power > 0) & (latency > 0)
    with np.errstate(all="ignore"):
        ratio: Numbers = np.where(is_positive, energy / (power * latency / 1000), np.nan)
    return ratio


def find_slips(context: RowContext) -> list[Slip]:
    """Quantities whose unit slipped, in order of rows.

    A ratio is a slip where a thousand, a million or their inverse is the power of a thousand next to it. It is the
    whole explanation only within `SLIP_TOLERANCE` and rounding: 0.001 s is anything from half a millisecond to one
    and a half.
    """
    ratio = _ratios(context)
    with np.errstate(all="ignore"):
        decades = np.log10(ratio)
        thousands = np.round(decades / 3)
        is_slip = (thousands != 0) & (np.abs(thousands) <= 2) & (np.abs(decades - 3 * thousands) <= SLIP_DECADES)
        off = np.abs(ratio / SLIP**thousands - 1)
    power, ceiling = context.numbers("power_mw"), power_ceiling(context.device)[0]
    return [
        _slip(
            row,
            int(thousands[row]),
            float(ratio[row]),
            is_whole=bool(off[row] <= SLIP_TOLERANCE + _slack(context, row)),
            power=float(power[row]),
            ceiling=ceiling,
        )
        for row in rows_where(is_slip)
    ]


def _slack(context: RowContext, row: int) -> float:
    """Relative deviation of a ratio that the rounding of the three printed figures explains."""
    return sum(half / abs(value) for half, value in (half_units(context.rows.text(row, name)) for name in _TRIPLE))


def _report_deviation(context: RowContext, row: int, ratio: float, power: float, latency: float) -> None:
    is_of_single = context.level == "models" and bool(np.isfinite(context.numbers("latency_p90_ms")[row]))
    pause = MOST_PAUSE_MS / latency if is_of_single and ratio > 1 else 0.0
    if abs(ratio - 1) <= ENERGY_TOLERANCE + _slack(context, row) + pause:
        return
    product = f"power_mw {power:g} x latency_ms {latency:g} / 1000"
    context.report(
        "energy-power-latency",
        row,
        "energy_mj",
        found=f"{context.rows.text(row, 'energy_mj')}, {ratio:.3g} times {product}",
        expected=f"{power * latency / 1000:.4g} within {ENERGY_TOLERANCE:.0%} and rounding",
        fix="Find out which of the three belongs to another run.",
    )


def _slip(row: int, thousands: int, ratio: float, *, is_whole: bool, power: float, ceiling: float) -> Slip:
    """Slip of a row, with the column that most likely slipped and the unit it seems to be in.

    The power is judged by what the device can draw; where it is plausible, latency slips more often than energy.
    """
    is_power = power * SLIP <= ceiling and power < ceiling / SLIP if thousands > 0 else power > ceiling
    power_unit, latency_unit, energy_unit = _SLIPPED_UNITS[thousands]
    column, unit, other = ("power_mw", power_unit, "") if is_power else ("latency_ms", latency_unit, energy_unit)
    return Slip(row, column, unit, 3 * thousands, other, ratio, is_whole)


def check_power_limit(context: RowContext) -> None:
    """power-limit."""
    ceiling, origin = power_ceiling(context.device)
    stated, drawn = context.numbers("power_mw"), drawn_mw(context)
    for row in context.to_report("power-limit", drawn > ceiling):
        which = "unit the power is" if np.isfinite(stated[row]) else "units energy and latency are"
        fix = f"Find out in the raw file which {which} in, and whether the meter's channel has one device on it."
        if context.device is not None and context.device.tdp_w is None:
            fix += " If both are right, correct device_class (--device-class), or state tdp_w, in device.yaml."
        expected = f"<= {ceiling:g} mW, {origin}"
        if np.isfinite(stated[row]):
            context.report("power-limit", row, "power_mw", expected=expected, fix=fix)
        else:
            found = f"{context.rows.text(row, 'energy_mj')}, {drawn[row]:.4g} mW over the latency"
            context.report("power-limit", row, "energy_mj", found=found, expected=expected, fix=fix)


def check_rounding_floor(context: RowContext) -> None:
    """rounding-floor."""
    energy = context.numbers("energy_mj")
    resolution = resolution_of(energy, ROUNDING_SHARE)
    if resolution is None:
        return
    at_floor = (energy > 0) & (resolution / 2 >= ROUNDING_SHARE * energy * (1 - 1e-9))
    for row in context.to_report("rounding-floor", at_floor):
        share = resolution / 2 / energy[row]
        context.report(
            "rounding-floor",
            row,
            "energy_mj",
            found=f"{context.rows.text(row, 'energy_mj')}, rounded to {resolution:g} (±{share:.0%})",
            expected=f"digits for better than ±{ROUNDING_SHARE:.0%}",
            fix="Give more digits, or measure many inferences in one window.",
        )


def check_spread_order(context: RowContext) -> None:
    """spread-order."""
    energy = context.numbers("energy_mj")
    # One part in a million lets a median rounded like its neighbours pass.
    for name, outside, expected in (
        ("energy_min_mj", context.numbers("energy_min_mj") > energy * (1 + 1e-6), "at most energy_mj"),
        ("energy_max_mj", context.numbers("energy_max_mj") < energy * (1 - 1e-6), "at least energy_mj"),
    ):
        for row in rows_where(outside):
            expected_value = f"{expected} = {context.rows.text(row, 'energy_mj')}"
            context.report(
                "spread-order",
                row,
                name,
                expected=expected_value,
                fix="Look whether columns are swapped, or the spread is of another row.",
            )


def check_configuration(context: RowContext) -> None:
    """configuration-missing, configuration-surplus, configuration-function."""
    if context.level != "kernels":
        return
    table = context.rows.table
    is_empty = {name: np.asarray(table.column(name).is_null()) for name in CONFIGURATION_FIELDS}
    for kernel, of_kernel in rows_by_kernel(table):
        required = KERNEL_REQUIRES[kernel]
        allowed = (*required, *KERNEL_ALLOWS.get(kernel, ()))
        missing = np.logical_or.reduce([is_empty[name] for name in required]) & of_kernel
        for row in rows_where(missing):
            _report_missing(context, row, kernel, [name for name in required if is_empty[name][row]])
        for name in CONFIGURATION_FIELDS:
            if name not in allowed:
                for row in rows_where(~is_empty[name] & of_kernel):
                    expected = f"empty, because {kernel} has no {name}"
                    context.report("configuration-surplus", row, name, expected=expected, fix="Empty the cell.")
        if functions := KERNEL_FUNCTIONS.get(kernel):
            is_one = np.asarray(pc.is_in(table.column("function").cast(pa.string()), pa.array(functions)))
            is_other = ~is_one & ~is_empty["function"] & of_kernel
            for row in rows_where(is_other):
                expected = f"one of {', '.join(functions)} for {kernel}"
                context.report("configuration-function", row, "function", expected=expected, fix=FUNCTION_FIX)


def _report_missing(context: RowContext, row: int, kernel: Kernel, names: list[str]) -> None:
    names = [name for name in names if row not in context.rows.untyped.get(name, ())]
    if not names:
        return
    context.report(
        "configuration-missing",
        row,
        names[0],
        found="nothing" if len(names) == 1 else "nothing, as for " + ", ".join(names[1:]),
        expected=f"{', '.join(KERNEL_REQUIRES[kernel])} for {kernel}",
        fix="Fill in the configuration; a row without it is of no use to anyone.",
    )


def check_energy_per_flop(context: RowContext) -> None:
    """energy-per-flop."""
    flops = context.flops()
    if flops is None:
        return
    per_flop = context.numbers("energy_mj") / flops
    low, high = MJ_PER_FLOP
    outside = (flops > 0) & ((per_flop < low) | ((per_flop > high) & (flops >= FEWEST_FLOPS)))
    for row in context.to_report("energy-per-flop", outside & (context.numbers("energy_mj") > 0)):
        context.report(
            "energy-per-flop",
            row,
            "energy_mj",
            found=f"{context.rows.text(row, 'energy_mj')} for {flops[row]:.0f} FLOP, {per_flop[row]:.3g} mJ each",
            expected=f"{low:g} to {high:g} mJ for each FLOP",
            fix="Find out whether the energy is in mJ for one inference, and extents and FLOPs are those of the run.",
        )


def check_delegate(context: RowContext) -> None:
    """delegate-unknown."""
    if context.device is None:
        return
    known = context.device.delegates
    for code, delegate, codes in words_with_codes(context.rows.table.column("delegate")):
        if delegate not in known and (codes == code).any():
            expected = f"one of {', '.join(known)}, as declared in device.yaml"
            fix = "Correct the delegate, or declare it with its processor in device.yaml."
            context.report_first("delegate-unknown", codes == code, "delegate", expected=expected, fix=fix)


def check_idle_baseline(context: RowContext) -> None:
    """idle-baseline-missing."""
    if context.manifest is None or context.manifest.idle is not None:
        return
    is_subtracted = context.with_words("energy_kind", ("idle-subtracted",))
    if is_subtracted.any():
        expected = f"{'false' if context.rows.older else 'absolute'}, or an idle baseline in submission.yaml"
        fix = "Add idle with power_mw and how to submission.yaml, or submit absolute energies."
        context.report_first("idle-baseline-missing", is_subtracted, "energy_kind", expected=expected, fix=fix)


def check_energy_kind(context: RowContext) -> None:
    """energy-kind-measured, energy-kind-simulated."""
    method = None if context.manifest is None else context.manifest.method
    if method == "measured":
        rule, wrong, expected = "energy-kind-measured", {"dynamic-only"}, "absolute or idle-subtracted"
        fix = "State what the meter measured; of energies that a simulator gave, the method is simulated."
    elif method in ("simulated", "estimated"):
        rule, wrong = "energy-kind-simulated", {"absolute", "idle-subtracted"}
        expected = "dynamic-only, unless leakage, idle power and host are modelled"
        fix = "Write energy_kind dynamic-only, or say under notes how leakage, idle power and host are modelled."
    else:
        return
    rows = context.with_words("energy_kind", wrong)
    if rows.any():
        context.report_first(rule, rows, "energy_kind", expected=expected, fix=fix)


def check_accuracy_dataset(context: RowContext) -> None:
    """accuracy-dataset-missing."""
    if "accuracy_percent" not in context.rows.columns:
        return
    accuracy, dataset = (context.rows.table.column(name) for name in ("accuracy_percent", "accuracy_dataset"))
    rows = pc.and_(pc.is_valid(accuracy), pc.is_null(dataset)).to_numpy(zero_copy_only=False)
    if rows.any():
        expected = "the data set beside it in accuracy_dataset, such as ImageNet-1k"
        fix = "Name the data set that the accuracy is the share of right answers on."
        context.report_first("accuracy-dataset-missing", rows, "accuracy_percent", expected=expected, fix=fix)


CHECKS: Final[tuple[Callable[[RowContext], None], ...]] = (
    check_energy_power_latency,
    check_power_limit,
    check_rounding_floor,
    check_spread_order,
    check_configuration,
    check_energy_per_flop,
    check_plausibility,
    check_delegate,
    check_names,
    check_shapes,
    check_idle_baseline,
    check_energy_kind,
    check_accuracy_dataset,
    check_identifiers,
    check_repeats,
)
"""Every check of rows, in the order of the registry."""
