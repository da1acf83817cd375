"""What devices of a kind draw, need per FLOP and compute per second, as far as it is known; figures far outside.

A figure outside of what is known is a warning, and one a hundred times outside an error. Neither says what is wrong:
messages ask for the unit. The table holds what is known; a device beyond it is a reason to extend the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from harness.schema.cost import kernel_cost
from harness.schema.vocabulary import Boundary, DeviceClass, Dtype, Processor
from harness.validation.context import Mask, Numbers, RowContext, words_with_codes

Quantity = Literal["power", "energy-per-flop", "flop-rate"]

FAR: Final = 100.0
"""Factor beyond what is known from which a figure is an error."""
PARTIAL_SHARE: Final = 0.1
"""Share of the power of a whole device that one of its rails, or its processor alone, draws at least."""
_PARTIAL: Final[frozenset[Boundary]] = frozenset({"rail", "sum-of-rails", "package"})
MJ_PER_FLOP: Final = (1e-12, 1e-3)
"""On any device: 1 fJ, a thousandth of what efficient int8 silicon needs, to 1 µJ, far above any interpreter."""
FEWEST_COUNTED: Final = 10_000_000
"""Below, starting a kernel costs more than its arithmetic, and no upper bound of energy per FLOP holds."""
MOST_DECADES: Final = 0.5
"""Decades by which energy, power and latency may contradict each other for any of them to be judged."""
LEAST_INTENSITY: Final = 10.0
"""FLOPs per byte below which memory, and not arithmetic, decides what a kernel costs."""


@dataclass(frozen=True, slots=True)
class Known:
    """Range of a quantity over devices of one kind.

    Attributes:
        quantity: `power` in mW, `energy-per-flop` in pJ, or `flop-rate` in FLOP/s.
        device_classes: classes of devices that it is of; empty for all.
        processors: processors that it is of; empty for all.
        dtypes: data types that it is of; empty for all.
        lowest: lowest known value; None where there is no bound.
        highest: highest known value; None where there is no bound.
        source: where the values come from.
    """

    quantity: Quantity
    device_classes: tuple[DeviceClass, ...] = ()
    processors: tuple[Processor, ...] = ()
    dtypes: tuple[Dtype, ...] = ()
    lowest: float | None = None
    highest: float | None = None
    source: str = ""

    @property
    def kind(self) -> str:
        """What it is of, in words."""
        parts = (self.dtypes, self.processors, self.device_classes)
        return ", ".join("/".join(words) for words in parts if words) or "any device"


_FLOAT32: Final[tuple[Dtype, ...]] = ("fp32",)
_FLOAT16: Final[tuple[Dtype, ...]] = ("fp16", "bf16")
_NARROW: Final[tuple[Dtype, ...]] = ("int16", "int8", "int4", "mixed", "unstated")
_HOROWITZ = "Horowitz, Computing's energy problem, ISSCC 2014, figure 1.1.9, at 45 nm"

KNOWN: Final = (
    Known("power", ("phone", "tablet"), lowest=200,
          source="Tu et al., SEC 2023, mean power of applications: 361 to 6860 mW over eight phones"),
    Known("power", ("single-board-computer",), lowest=500,
          source="Raspberry Pi documentation, power supply: a bare Zero takes 100 mA at 5 V, every later board more"),
    Known("power", ("embedded-gpu",), lowest=500,
          source="NVIDIA, Jetson Nano data sheet: 5 W in the lowest power mode, of which this is a tenth"),
    Known("power", ("microcontroller",), lowest=0.1,
          source="Syntiant NDP101 product brief: below 0.14 mW; MLPerf Tiny v0.7 to v1.3: 5 to 166 mW"),
    Known("energy-per-flop", dtypes=_FLOAT32, lowest=1.0,
          source=f"{_HOROWITZ}: 4.6 pJ for a multiplication and an addition, without any memory; products of today "
          "reach 10 pJ for one FLOP (NVIDIA H100 SXM data sheet: 67 TFLOP/s at 700 W), and 1.4 pJ in TF32"),
    Known("energy-per-flop", dtypes=_FLOAT16, lowest=0.2,
          source=f"{_HOROWITZ}: 1.5 pJ for a multiplication and an addition; NVIDIA H100 data sheet: "
          "989 TFLOP/s without sparsity at 700 W"),
    Known("energy-per-flop", dtypes=_NARROW, lowest=0.02,
          source=f"{_HOROWITZ}: 0.23 pJ for a multiplication and an addition of 8 bits; MLPerf Tiny v1.0: "
          "1.1 pJ for one FLOP (GAP9, ResNet8 of 25 MFLOP)"),
    Known("energy-per-flop", processors=("cpu", "heterogeneous"), highest=20_000,
          source="MLPerf Tiny v0.7 to v1.3: 35 to 1500 pJ for one FLOP, unoptimised code on a Cortex-M4 included"),
    Known("energy-per-flop", processors=("gpu", "npu", "dsp"), highest=2_000,
          source="Tu et al., SEC 2023: 70 to 145 pJ for one FLOP of DNN7 (MobileNetv1, 1.14 GFLOP) on GPUs of phones"),
    Known("flop-rate", ("phone", "tablet"), ("cpu",), highest=2e12,
          source="Arm Cortex-X4 and A720 guides: 8 cores of 4 vectors of 16 products at 3.3 GHz, in int8"),
    Known("flop-rate", ("phone", "tablet"), ("gpu",), highest=1e13,
          source="Apple M4: 3.8 TFLOP/s of its GPU, 10 cores of 128 products at 1.47 GHz, in fp32"),
    Known("flop-rate", ("phone", "tablet"), ("npu", "dsp", "heterogeneous"), highest=1e14,
          source="Apple M4: 38 TOP/s; Qualcomm Snapdragon X Elite: 45 TOP/s, both in int8"),
    Known("flop-rate", ("single-board-computer",), ("cpu",), highest=1e12,
          source="Raspberry Pi 5: 4 Cortex-A76 of 2 vectors of 16 products at 2.4 GHz, in int8"),
    Known("flop-rate", ("single-board-computer",), ("gpu",), highest=2e12,
          source="Arm Mali-G610 MP4 of the RK3588 by vkpeak: 0.50 TFLOP/s in fp32, 0.98 in fp16, 1.9 TOP/s in int8"),
    Known("flop-rate", ("single-board-computer",), ("npu", "dsp", "heterogeneous"), highest=1e14,
          source="Hailo-8 product brief: 26 TOP/s in int8; Hailo-10H: 40 TOP/s in int4"),
    Known("flop-rate", ("microcontroller",), ("cpu",), highest=2e10,
          source="Arm Cortex-M85 with Helium: 16 products in int8 for each of 480 million cycles a second"),
    Known("flop-rate", ("microcontroller",), ("npu", "dsp", "heterogeneous"), highest=2e12,
          source="STMicroelectronics STM32N6: 0.6 TOP/s in int8"),
    Known("flop-rate", ("embedded-gpu",), (), _FLOAT32, highest=2e13,
          source="NVIDIA, Jetson AGX Orin data sheet: 5.3 TFLOP/s in fp32; Jetson Thor: 7.8 TFLOP/s"),
    Known("flop-rate", ("embedded-gpu",), (), (*_FLOAT16, *_NARROW), highest=3e15,
          source="NVIDIA, Jetson Thor data sheet: 2070 TFLOP/s in FP4 with sparsity"),
)  # fmt: skip
"""What is known. A bound stands a little outside of what its source reports."""

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
        "Is the energy in mJ, the latency in ms, and both of one inference? If so, does the boundary say what was "
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
"""What to do where a figure far outside of what is known is right, and where one outside is."""


def check_plausibility(context: RowContext) -> None:
    """power-floor, energy-per-flop, flop-rate-implausible, and the three named unusual."""
    if context.device is None:
        return
    figures = _figures(context)
    agrees = _agrees(context)
    for known in KNOWN:
        values = figures.get(known.quantity)
        if values is None or (known.device_classes and context.device.device_class not in known.device_classes):
            continue
        rows = _rows_of(known, context) & agrees
        if known.lowest is not None:
            lowest = known.lowest * (_share(context) if known.quantity == "power" else 1.0)
            found = rows & (values < lowest), rows & (values < lowest / FAR)
            _report(context, known, found, values, f">= {lowest:g}")
        if known.highest is not None:
            counted = rows & _is_counted(context) if known.quantity == "energy-per-flop" else rows
            found = counted & (values > known.highest), counted & (values > known.highest * FAR)
            _report(context, known, found, values, f"<= {known.highest:g}")


def known_per_flop(dtype: Dtype, processor: Processor) -> tuple[float | None, float | None]:
    """Lowest and highest known energy of one FLOP in pJ; None where there is no bound.

    >>> known_per_flop("fp32", "gpu")
    (1.0, 2000)
    """
    found = [
        known
        for known in KNOWN
        if known.quantity == "energy-per-flop"
        and (not known.dtypes or dtype in known.dtypes)
        and (not known.processors or processor in known.processors)
    ]
    lows = [known.lowest for known in found if known.lowest is not None]
    highs = [known.highest for known in found if known.highest is not None]
    return max(lows, default=None), min(highs, default=None)


def _figures(context: RowContext) -> dict[Quantity, Numbers]:
    """The three quantities of every row, NaN where unknown; a level without FLOPs has only the power."""
    energy, latency, power = (context.numbers(name) for name in ("energy_mj", "latency_ms", "power_mw"))
    is_absolute = context.numbers("is_idle_subtracted") == 0
    with np.errstate(all="ignore"):
        drawn = np.where(np.isfinite(power), power, 1000 * energy / latency)
        figures: dict[Quantity, Numbers] = {"power": np.where(is_absolute, drawn, np.nan)}
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
        rows &= _with_words(context, "delegate", {name for name, on in delegates.items() if on in known.processors})
    if known.dtypes:
        rows &= _with_words(context, "dtype", set(known.dtypes))
    return rows


def _with_words(context: RowContext, column: str, wanted: set[str]) -> Mask:
    rows: Mask = np.zeros(context.rows.table.num_rows, dtype=np.bool_)
    for code, word, codes in words_with_codes(context.rows.table.column(column)):
        if word in wanted:
            rows |= codes == code
    return rows


def _report(context: RowContext, known: Known, found: tuple[Mask, Mask], values: Numbers, bound: str) -> None:
    """Report rows outside of what is known: those far outside, and the others."""
    column, question = _QUESTIONS[known.quantity]
    unit = _UNITS[known.quantity]
    outside, far = found
    for rule, rows, if_right in zip(_RULES[known.quantity], (far, outside & ~far), _IF_RIGHT, strict=True):
        if rows.any():
            note = f"{values[int(np.argmax(rows))]:.3g} {unit}"
            expected = f"{bound} {unit}, as is known of {known.kind}"
            context.report_first(rule, rows, column, expected=expected, fix=f"{question} {if_right}", note=note)
