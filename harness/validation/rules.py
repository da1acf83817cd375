"""The rules of rows: what cells of one row, or rows of one file, must be to each other and to their device.

Bounds of single columns are in the schema, and their check in `cells`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.schema.cost import kernel_cost
from harness.schema.facts import Device, Manifest
from harness.schema.records import KEYS, SHARED_KEY
from harness.schema.vocabulary import (
    CONFIGURATION_FIELDS,
    KERNEL_ALLOWS,
    KERNEL_REQUIRES,
    DeviceClass,
    Kernel,
    Level,
)
from harness.validation.faults import Faults
from harness.validation.grouping import Codes, group_codes, repeated_groups
from harness.validation.rounding import half_units, resolution_of
from harness.validation.table import IDENTIFIER, RowTable

Numbers = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

ENERGY_TOLERANCE: Final = 0.02
"""Relative deviation of energy from power times latency; DeepEn2023 keeps 0.5 % above 0.1 mJ."""
SLIP: Final = 1000.0
SLIP_TOLERANCE: Final = 0.15
CONTRADICTED_SHARE: Final = 0.9
"""Share of slipped rows from which the header, not the row, is wrong."""
CONTRADICTED_ROWS: Final = 3
TDP_MARGIN: Final = 2.0
"""A burst may pass the TDP; twice the TDP over a whole inference may not."""
CLASS_CEILING_MW: Final[dict[DeviceClass, float]] = {
    "phone": 25_000,
    "tablet": 50_000,
    "single-board-computer": 50_000,
    "embedded-gpu": 150_000,
    "microcontroller": 10_000,
    "accelerator": 600_000,
}
REPEAT_LIMIT: Final = 0.10
"""Spread of repeats over their median; DeepEn2023's twelve repeats spread up to 7.3 %."""
ROUNDING_SHARE: Final = 0.1
MJ_PER_FLOP: Final = (1e-12, 1e-3)
"""1 fJ, a thousandth of what efficient int8 silicon needs, to 1 µJ, far above any interpreter."""
FEWEST_FLOPS: Final = 10_000
"""Below, fixed overhead hides the arithmetic and the upper bound says nothing."""


@dataclass(frozen=True, slots=True)
class RowContext:
    """Rows of one file with what they are measured against.

    Attributes:
        level: record level of the file.
        rows: typed rows.
        device: contents of device.yaml, None where it is broken.
        manifest: contents of submission.yaml, None where it is broken.
        faults: collects what is wrong.
    """

    level: Level
    rows: RowTable
    device: Device | None
    manifest: Manifest | None
    faults: Faults

    def numbers(self, name: str) -> Numbers:
        """Column as floats, NaN where empty or not finite."""
        values: Numbers = self.rows.table.column(name).to_numpy().astype(np.float64, copy=False)
        return values if np.isfinite(np.nansum(values)) else np.where(np.isfinite(values), values, np.nan)

    def report(self, rule: str, row: int, column: str, *, expected: str, fix: str, found: str | None = None) -> None:
        """Report a fault of one cell."""
        self.rows.report(self.faults, rule, row, column, expected=expected, fix=fix, found=found)


def rows_where(mask: Mask) -> Iterator[int]:
    """Rows at which a mask is true."""
    return map(int, np.flatnonzero(mask))


def check_energy_power_latency(context: RowContext) -> None:
    """energy-power-latency, unit-slip, header-unit-contradicted."""
    energy, power, latency = (context.numbers(name) for name in ("energy_mj", "power_mw", "latency_ms"))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = energy / (power * latency / 1000)
        # Two slips or none: only a ratio near 1000 or its inverse is a unit.
        thousands = np.round(np.log10(ratio) / 3)
        slipped = np.abs(ratio / SLIP**thousands - 1) <= SLIP_TOLERANCE
    is_positive = (energy > 0) & (power > 0) & (latency > 0)
    slipped &= is_positive & (thousands != 0) & (np.abs(thousands) <= 2)
    deviating = is_positive & ~slipped & (np.abs(ratio - 1) > ENERGY_TOLERANCE)
    for row in rows_where(deviating):
        _report_deviation(context, row, float(ratio[row]))
    n_slipped, n_triples = int(slipped.sum()), int(is_positive.sum())
    is_column = n_slipped >= CONTRADICTED_ROWS and n_slipped >= CONTRADICTED_SHARE * n_triples
    rows = list(rows_where(slipped))
    for row in rows[:1] if is_column else rows:
        column, unit, change = _slipped_column(context, row, float(thousands[row]))
        described = f"a ratio of {ratio[row]:.4g} between energy_mj and power_mw x latency_ms / 1000"
        if is_column:
            found = f"{n_slipped} of {n_triples} rows with {described} (first: {context.rows.text(row, column)})"
            rule, fix = "header-unit-contradicted", f"The column looks like {unit}; {change}."
        else:
            found = f"{context.rows.text(row, column)}, {described}"
            rule, fix = "unit-slip", f"The value looks like {unit}; {change}, after a look at the raw file."
        context.report(rule, row, column, found=found, expected="a ratio of 1", fix=fix)


def _report_deviation(context: RowContext, row: int, ratio: float) -> None:
    names = ("energy_mj", "power_mw", "latency_ms")
    slack = sum(half / abs(value) for half, value in (half_units(context.rows.text(row, name)) for name in names))
    if abs(ratio - 1) <= ENERGY_TOLERANCE + slack:
        return
    _, power, latency = (context.numbers(name)[row] for name in names)
    product = f"power_mw {power:g} x latency_ms {latency:g} / 1000"
    context.report(
        "energy-power-latency",
        row,
        "energy_mj",
        found=f"{context.rows.text(row, 'energy_mj')}, {ratio:.3g} times {product}",
        expected=f"{power * latency / 1000:.4g} within {ENERGY_TOLERANCE:.0%} and rounding",
        fix="Check which of the three belongs to another run.",
    )


def _slipped_column(context: RowContext, row: int, thousands: float) -> tuple[str, str, str]:
    """Column that most likely slipped, the unit it seems to be in, and the correction.

    The power is judged by what the device can draw; where it is plausible, latency slips more often than energy.
    """
    power, ceiling = context.numbers("power_mw")[row], _power_ceiling(context.device)[0]
    factor = f"{SLIP ** abs(thousands):.0f}"
    if thousands > 0:
        if power * SLIP <= ceiling and power < ceiling / SLIP:
            return "power_mw", "watts", f"multiply by {factor}"
        return "latency_ms", "seconds (or energy_mj like microjoules)", f"multiply by {factor}"
    if power > ceiling:
        return "power_mw", "microwatts", f"divide by {factor}"
    return "latency_ms", "microseconds (or energy_mj like joules)", f"divide by {factor}"


def _power_ceiling(device: Device | None) -> tuple[float, str]:
    """Highest credible mean power in mW, and where it comes from."""
    if device is None:
        return max(CLASS_CEILING_MW.values()), "any device"
    if device.tdp_w is not None:
        return TDP_MARGIN * device.tdp_w * 1000, f"twice the TDP of {device.tdp_w:g} W"
    return CLASS_CEILING_MW[device.device_class], f"the ceiling of a {device.device_class}"


def check_power_limit(context: RowContext) -> None:
    """power-limit."""
    ceiling, origin = _power_ceiling(context.device)
    for row in rows_where(context.numbers("power_mw") > ceiling):
        fix = "Check the unit and the channel of the meter; re-measure or drop the row."
        context.report("power-limit", row, "power_mw", expected=f"<= {ceiling:g} mW, {origin}", fix=fix)


def check_rounding_floor(context: RowContext) -> None:
    """rounding-floor."""
    energy = context.numbers("energy_mj")
    resolution = resolution_of(energy, ROUNDING_SHARE)
    if resolution is None:
        return
    with np.errstate(invalid="ignore"):
        at_floor = (energy > 0) & (resolution / 2 >= ROUNDING_SHARE * energy * (1 - 1e-9))
    for row in rows_where(at_floor):
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
                "spread-order", row, name, expected=expected_value, fix="Check that the columns are not swapped."
            )


def check_configuration(context: RowContext) -> None:
    """configuration-missing, configuration-surplus."""
    if context.level != "kernels":
        return
    table = context.rows.table
    is_empty = {name: np.asarray(table.column(name).is_null()) for name in CONFIGURATION_FIELDS}
    for kernel, of_kernel in _rows_by_kernel(table):
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


def _rows_by_kernel(table: pa.Table) -> Iterator[tuple[Kernel, Mask]]:
    for code, kernel, codes in _words_with_codes(table.column("kernel")):
        if kernel in KERNEL_REQUIRES:
            yield kernel, codes == code


def _words_with_codes(values: pa.ChunkedArray) -> Iterator[tuple[int, str, npt.NDArray[np.int64]]]:
    array = values.unify_dictionaries().combine_chunks()
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    codes = array.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    for code, word in enumerate(array.dictionary.to_pylist()):
        yield code, word, codes


def check_energy_per_flop(context: RowContext) -> None:
    """energy-per-flop."""
    if context.level == "kernels":
        flops = kernel_cost(context.rows.table).flops.astype(np.float64)
    elif context.level == "models":
        flops = context.numbers("flops")
    else:
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        per_flop = context.numbers("energy_mj") / flops
    low, high = MJ_PER_FLOP
    outside = (flops > 0) & ((per_flop < low) | ((per_flop > high) & (flops >= FEWEST_FLOPS)))
    for row in rows_where(outside & (context.numbers("energy_mj") > 0)):
        context.report(
            "energy-per-flop",
            row,
            "energy_mj",
            found=f"{context.rows.text(row, 'energy_mj')} for {flops[row]:.0f} FLOP, {per_flop[row]:.3g} mJ each",
            expected=f"{low:g} to {high:g} mJ for each FLOP",
            fix="Check the unit of the energy and the configuration.",
        )


def check_delegate(context: RowContext) -> None:
    """delegate-unknown."""
    if context.device is None:
        return
    known = context.device.delegates
    for code, delegate, codes in _words_with_codes(context.rows.table.column("delegate")):
        if delegate not in known:
            for row in rows_where(codes == code):
                expected = f"one of {', '.join(known)}, as declared in device.yaml"
                fix = "Correct the delegate, or declare it with its processor in device.yaml."
                context.report("delegate-unknown", row, "delegate", expected=expected, fix=fix)


def check_idle_baseline(context: RowContext) -> None:
    """idle-baseline-missing."""
    if context.manifest is None or context.manifest.idle is not None:
        return
    for row in rows_where(context.numbers("is_idle_subtracted") == 1):
        context.report(
            "idle-baseline-missing",
            row,
            "is_idle_subtracted",
            expected="false, or an idle baseline in submission.yaml",
            fix="Add idle: with power_mw and how, or submit absolute energies.",
        )


def check_identifiers(context: RowContext) -> None:
    """id-reused."""
    table = context.rows.table
    if IDENTIFIER not in context.rows.names:
        return
    has_identifier = np.asarray(table.column(IDENTIFIER).is_valid())
    groups = [members for members in repeated_groups(group_codes(table, (IDENTIFIER,))) if has_identifier[members[0]]]
    if not groups:
        return
    keys = _keys(context)
    for members in groups:
        _report_reuse(context, members, keys)


def check_repeats(context: RowContext) -> None:
    """record-duplicate, repeat, repeat-spread."""
    groups = repeated_groups(_keys(context))
    if not groups:
        return
    is_usable = np.isfinite(context.numbers("energy_mj"))
    if context.level == "kernels":
        is_usable &= _has_configuration(context.rows.table)
    for members in groups:
        usable = [row for row in members if is_usable[row]]
        if len(usable) > 1:
            _report_repeats(context, usable)


def _keys(context: RowContext) -> Codes:
    return group_codes(context.rows.table, (*KEYS[context.level], *SHARED_KEY))


def _has_configuration(table: pa.Table) -> Mask:
    """Rows that give every extent their kernel requires; the others cannot repeat each other."""
    has_all: Mask = np.zeros(table.num_rows, dtype=np.bool_)
    for kernel, of_kernel in _rows_by_kernel(table):
        given = [np.asarray(table.column(name).is_valid()) for name in KERNEL_REQUIRES[kernel]]
        has_all |= of_kernel & np.logical_and.reduce(given)
    return has_all


def _report_reuse(context: RowContext, members: list[int], keys: Codes) -> None:
    first = members[0]
    for row in members[1:]:
        if keys[row] != keys[first]:
            expected = f"one configuration an id; line {context.rows.line(first)} has another under it"
            context.report("id-reused", row, IDENTIFIER, expected=expected, fix="Give every configuration its own id.")


def _report_repeats(context: RowContext, members: list[int]) -> None:
    rows = context.rows
    seen: dict[str, int] = {}
    distinct = []
    for row in members:
        first = seen.setdefault(rows.text(row, IDENTIFIER), row)
        if first == row:
            distinct.append(row)
            continue
        expected = f"another source_id than in line {rows.line(first)}, which has the same key"
        found = rows.text(row, IDENTIFIER) or "nothing"
        fix = "Drop the row, or tell repeats apart by source_id."
        context.report("record-duplicate", row, IDENTIFIER, found=found, expected=expected, fix=fix)
    if len(distinct) < 2:
        return
    energies = context.numbers("energy_mj")[distinct]
    spread = float((energies.max() - energies.min()) / np.median(energies))
    rule = "repeat" if spread <= REPEAT_LIMIT else "repeat-spread"
    context.report(
        rule,
        distinct[-1],
        "energy_mj",
        found=f"{rows.text(distinct[-1], 'energy_mj')}, {spread:.1%} spread with line "
        + ", ".join(str(rows.line(row)) for row in distinct[:-1]),
        expected=f"repeats within {REPEAT_LIMIT:.0%}",
        fix="Nothing to do." if rule == "repeat" else "Find out what changed between the runs; drop the wrong one.",
    )


CHECKS: Final[tuple[Callable[[RowContext], None], ...]] = (
    check_energy_power_latency,
    check_power_limit,
    check_rounding_floor,
    check_spread_order,
    check_configuration,
    check_energy_per_flop,
    check_delegate,
    check_idle_baseline,
    check_identifiers,
    check_repeats,
)
"""Every check of rows, in the order of the registry."""
