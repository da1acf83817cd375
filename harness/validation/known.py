"""Ranges of power, energy per FLOP and FLOPs per second over kinds of devices, each with its source; it checks no row.

A device beyond a range that is known is a reason to extend it.
"""

from dataclasses import dataclass
from typing import Final, Literal

from harness.schema.facts import Device
from harness.schema.vocabulary import DeviceClass, Dtype, Method, Processor

Quantity = Literal["power", "energy-per-flop", "flop-rate"]

FAR: Final = 100.0
"""Factor beyond what is known from which a figure is an error, where no nearer limit is known."""
MJ_PER_FLOP: Final = (1e-12, 1e-3)
"""On any device: 1 fJ, a thousandth of what efficient int8 silicon needs, to 1 µJ, far above any interpreter."""
TDP_MARGIN: Final = 2.0
"""A burst may pass the TDP; twice the TDP over a whole inference may not."""
CLASS_CEILING_MW: Final[dict[DeviceClass, float]] = {
    "phone": 25_000,
    "tablet": 50_000,
    "single-board-computer": 50_000,
    "embedded-gpu": 150_000,
    "microcontroller": 10_000,
    "accelerator": 1_500_000,
    "unstated": 1_500_000,
}
"""The last two: NVIDIA, GB200: up to 1,200 W for one GPU, twice what an H100 takes and the highest of the cards."""


@dataclass(frozen=True, slots=True)
class Known:
    """Range of a quantity over devices of one kind.

    Attributes:
        quantity: `power` in mW, `energy-per-flop` in pJ, or `flop-rate` in FLOP/s.
        device_classes: classes of devices that it is of; empty for all.
        processors: processors that it is of; empty for all.
        dtypes: data types that it is of; empty for all.
        methods: how figures that it is of were obtained; empty for all.
        lowest: lowest known value; None where there is no bound.
        highest: highest known value; None where there is no bound.
        source: where the values come from.
        floor: value below which none can lie; None for the lowest over `FAR`.
        why_floor: why none can.
    """

    quantity: Quantity
    device_classes: tuple[DeviceClass, ...] = ()
    processors: tuple[Processor, ...] = ()
    dtypes: tuple[Dtype, ...] = ()
    methods: tuple[Method, ...] = ()
    lowest: float | None = None
    highest: float | None = None
    source: str = ""
    floor: float | None = None
    why_floor: str = ""

    @property
    def kind(self) -> str:
        """What it is of, in words."""
        parts = (self.dtypes, self.processors, self.device_classes)
        return ", ".join("/".join(words) for words in parts if words) or "any device"

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """Values below the first and above the second of which none can lie; None where there is no bound.

        >>> Known("power", lowest=200, floor=20).limits, Known("flop-rate", highest=1e12).limits
        ((20, None), (None, 100000000000000.0))
        """
        floor = self.lowest / FAR if self.floor is None and self.lowest is not None else self.floor
        return floor, None if self.highest is None else self.highest * FAR


_FLOAT32: Final[tuple[Dtype, ...]] = ("fp32",)
_FLOAT16: Final[tuple[Dtype, ...]] = ("fp16", "bf16")
_NARROW: Final[tuple[Dtype, ...]] = ("int16", "int8", "int4", "mixed", "unstated")
"""The last two may be as thrifty as the others."""
_UNITS_OF_ARITHMETIC: Final[tuple[Processor, ...]] = ("gpu", "npu", "dsp", "heterogeneous")
_HOROWITZ = "Horowitz, Computing's energy problem, ISSCC 2014, figure 1.1.9, at 45 nm"
_JOUPPI = "Jouppi et al., Ten lessons from three generations, ISCA 2021, table 2, at 7 nm"
_INSTRUCTION = f"{_HOROWITZ}: 70 pJ for an instruction, a third of it at 7 nm, shared by the FLOPs of one vector"

KNOWN: Final = (
    Known("power", ("phone", "tablet"), lowest=200,
          source="Tu et al., SEC 2023, mean power of applications: 361 to 6860 mW over eight phones",
          floor=20, why_floor="Carroll and Heiser, USENIX ATC 2010: 69 mW of a suspended phone, 269 mW of an idle one"),
    Known("power", ("single-board-computer",), lowest=500,
          source="Raspberry Pi documentation, power supply: a bare Zero takes 100 mA at 5 V, every later board more",
          floor=75, why_floor="raspberrypi/linux, issue 1281: a Raspberry Pi B held in reset takes 15 mA at 5 V"),
    Known("power", ("embedded-gpu",), lowest=500,
          source="NVIDIA, Jetson Nano data sheet: 5 W in the lowest power mode, of which this is a tenth",
          floor=200, why_floor="NVIDIA developer forum, topic 348662: 2.2 W of an idle Jetson Orin Nano at its lowest "
          "clocks with all that can be switched off, of which this is less than a tenth"),
    Known("power", ("microcontroller",), ("cpu",), lowest=0.5, highest=1000,
          source="Ambiq Apollo3 Blue data brief: 6 µA/MHz, 0.9 mW at 48 MHz and 3.3 V; MLPerf Tiny v0.7 to v1.3: 4 to "
          "166 mW; Espressif ESP32-S3 data sheet: 108 mA at 3.3 V with both cores at 240 MHz",
          floor=0.01, why_floor="the same core at half a megahertz"),
    Known("power", ("microcontroller",), _UNITS_OF_ARITHMETIC, lowest=0.1, highest=1000,
          source="Syntiant NDP101 product brief: below 0.14 mW; MLPerf Tiny v0.7 to v1.3: 0.5 to 65 mW",
          floor=0.01, why_floor="a tenth of what the NDP101 takes for the smallest network that is in use"),
    Known("power", ("unstated",), lowest=0.1,
          source="as of a microcontroller, of which no device takes less", floor=0.01, why_floor="the same"),
    Known("power", ("accelerator",), ("gpu",), methods=("measured",), lowest=3000,
          source="cards with a GPU, which nvidia-smi reports at several watts when idle and at 700 W (H100 SXM)",
          floor=800, why_floor="refresh of the memory of such a card, without its processor"),
    Known("power", ("accelerator",), ("cpu", "npu", "dsp", "heterogeneous"), methods=("measured",), lowest=200,
          highest=150_000,
          source="Google Coral, Edge TPU data sheet: 2 W at 4 TOP/s, and some 0.4 W when idle; Qualcomm Cloud AI 100 "
          "Ultra: 150 W",
          floor=20, why_floor="a link by USB or PCI Express, without any processor behind it"),
    Known("energy-per-flop", processors=("cpu",), dtypes=_FLOAT32, lowest=3.0,
          source=f"{_INSTRUCTION} of 8, and the arithmetic", floor=0.3,
          why_floor=f"{_JOUPPI}: 1.7 pJ for a multiplication and an addition, of which this is a third for each"),
    Known("energy-per-flop", processors=("cpu",), dtypes=_FLOAT16, lowest=1.0,
          source=f"{_INSTRUCTION} of 16, and the arithmetic", floor=0.1,
          why_floor=f"{_JOUPPI}: 0.5 pJ for a multiplication and an addition, of which this is two fifths for each"),
    Known("energy-per-flop", processors=("cpu",), dtypes=_NARROW, lowest=0.5,
          source=f"{_INSTRUCTION} of 64, and the arithmetic; MLPerf Tiny v0.7 to v1.3: from 35 pJ on", floor=0.03,
          why_floor=f"{_JOUPPI}: 0.08 pJ for a multiplication and an addition of 8 bits, without memory"),
    Known("energy-per-flop", processors=_UNITS_OF_ARITHMETIC, dtypes=_FLOAT32, lowest=1.0,
          source=f"{_HOROWITZ}: 4.6 pJ for a multiplication and an addition, without any memory; products of today "
          "reach 10 pJ for one FLOP (NVIDIA H100 SXM data sheet: 67 TFLOP/s at 700 W), and 1.4 pJ in TF32",
          floor=0.1, why_floor=f"{_JOUPPI}: 0.85 pJ for one FLOP, without any memory"),
    Known("energy-per-flop", processors=_UNITS_OF_ARITHMETIC, dtypes=_FLOAT16, lowest=0.2,
          source=f"{_HOROWITZ}: 1.5 pJ for a multiplication and an addition; NVIDIA H100 data sheet: "
          "989 TFLOP/s without sparsity at 700 W",
          floor=0.02, why_floor=f"{_JOUPPI}: 0.25 pJ for one FLOP, without any memory"),
    Known("energy-per-flop", processors=_UNITS_OF_ARITHMETIC, dtypes=_NARROW, lowest=0.02,
          source=f"{_HOROWITZ}: 0.23 pJ for a multiplication and an addition of 8 bits; MLPerf Tiny v1.0: "
          "1.1 pJ for one FLOP (GAP9, ResNet8 of 25 MFLOP)",
          floor=0.002, why_floor=f"{_JOUPPI}: 0.04 pJ for one FLOP of 8 bits, without any memory"),
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


@dataclass(frozen=True, slots=True)
class FlopEnergies:
    """Bounds of the energy of one FLOP in pJ; None where there is none.

    Attributes:
        lowest: lowest known.
        highest: highest known.
        floor: none can lie below.
        ceiling: none can lie above.
    """

    lowest: float | None
    highest: float | None
    floor: float | None
    ceiling: float | None


def known_per_flop(dtype: Dtype, processor: Processor) -> FlopEnergies:
    """Bounds of the energy of one FLOP.

    >>> known_per_flop("fp32", "gpu")
    FlopEnergies(lowest=1.0, highest=2000, floor=0.1, ceiling=200000.0)
    """
    found = [
        known
        for known in KNOWN
        if known.quantity == "energy-per-flop"
        and (not known.dtypes or dtype in known.dtypes)
        and (not known.processors or processor in known.processors)
    ]
    lows = [known for known in found if known.lowest is not None]
    highs = [known for known in found if known.highest is not None]
    return FlopEnergies(
        lowest=max((known.lowest for known in lows if known.lowest is not None), default=None),
        highest=min((known.highest for known in highs if known.highest is not None), default=None),
        floor=max((known.limits[0] for known in lows if known.limits[0] is not None), default=None),
        ceiling=min((known.limits[1] for known in highs if known.limits[1] is not None), default=None),
    )


def power_ceiling(device: Device | None) -> tuple[float, str]:
    """Highest credible mean power in mW, and where it comes from."""
    if device is None:
        return max(CLASS_CEILING_MW.values()), "any device"
    if device.tdp_w is not None:
        return TDP_MARGIN * device.tdp_w * 1000, f"twice the TDP of {device.tdp_w:g} W"
    known = f"the ceiling of the class {device.device_class}" if device.device_class != "unstated" else "any device"
    return CLASS_CEILING_MW[device.device_class], known
