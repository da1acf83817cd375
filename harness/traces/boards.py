"""Which rails make up a board, and what a power is of: the rails that a log has decide.

It reads no files and measures nothing. A board whose rails are not here has no total, and a channel has to name rails.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from harness.issues import quoted
from harness.schema.vocabulary import Boundary
from harness.traces.channels import chosen_channels
from harness.traces.trace import TraceFault, TraceOptionError


@dataclass(frozen=True, slots=True)
class Board:
    """A board or module with power sensors of its own.

    Attributes:
        name: boards that have these rails.
        total: rails whose sum is the power of the board or module.
        boundary: what that sum is of.
        source: where this is stated.
    """

    name: str
    total: tuple[str, ...]
    boundary: Boundary
    source: str


_GUIDE: Final = "NVIDIA Jetson Linux Developer Guide, Platform Power and Performance"
BOARDS: Final = (
    Board(
        "Jetson AGX Thor",
        ("VIN",),
        "board",
        f"{_GUIDE}, Jetson Thor; NVIDIA developer forum, topic 366461: the sensor of VIN measures module and carrier",
    ),
    Board(
        "Jetson Orin NX, Orin Nano, Xavier NX, TX2 NX and TX2",
        ("VDD_IN",),
        "module",
        f"{_GUIDE}; NVIDIA developer forum, topic 200883: VDD_IN is the total power of the module",
    ),
    Board(
        "Jetson Nano",
        ("POM_5V_IN",),
        "module",
        "NVIDIA developer forum, topic 73608: POM_5V_IN is the whole 5 V input, which holds POM_5V_GPU and POM_5V_CPU",
    ),
    Board(
        "Jetson AGX Orin",
        ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"),
        "module",
        f"{_GUIDE}, Jetson AGX Orin; git.astron.nl, RD/pmt, merge request 114: what their sum lacks against a meter at "
        "the input of the developer kit is constant, and that of the carrier board",
    ),
    Board(
        "Jetson AGX Xavier",
        ("GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"),
        "module",
        "NVIDIA Jetson AGX Xavier Series Product Design Guide DG-09840-001 v2.5, figure 5-14: five supplies from the "
        "input SYS_VIN_HV, and the input SYS_VIN_MV; the module has no other",
    ),
    Board(
        "Jetson TX1 and TX2 without VDD_IN",
        ("VDD_SYS_GPU", "VDD_SYS_CPU", "VDD_SYS_SOC", "VDD_SYS_DDR", "VDD_4V0_WIFI"),
        "sum-of-rails",
        "NVIDIA Tegra Linux Driver Package Development Guide, Jetson TX2 power monitor",
    ),
)
"""Boards by what tegrastats and jtop call their rails; the first whose rails are all there is the board of a log."""

RASPBERRY_PI_5: Final = Board(
    "Raspberry Pi 5",
    (
        *("3V7_WL_SW", "3V3_SYS", "1V8_SYS", "DDR_VDD2", "DDR_VDDQ", "1V1_SYS", "0V8_SW"),
        *("VDD_CORE", "3V3_DAC", "3V3_ADC", "0V8_AON", "HDMI"),
    ),
    "sum-of-rails",
    "vcgencmd pmic_read_adc lists current and voltage of twelve outputs of the power management chip and only the "
    "voltage of the 5 V input: its own losses and what draws from 5 V, such as USB devices and the fan, are left out",
)

PROCESSOR_BOUNDARIES: Final[Mapping[str, Boundary]] = MappingProxyType(
    {"pkg": "package", "package": "package", "psys": "board", "sys": "board"}
)
"""Domains of RAPL that are more than a rail; psys is the platform as its maker wired it (powercap documentation)."""
_PARTS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "pkg": frozenset({"cores", "gpu", "pp0", "pp1", "core", "uncore", "cor", "gfx"}),
        "psys": frozenset({"pkg", "cores", "gpu", "pp0", "pp1", "ram", "dram"}),
        "sys": frozenset({"pkg", "cor", "gfx", "ram"}),
    }
)

_OF_TURBOSTAT: Final = re.compile(r"(Pkg|Cor|GFX|RAM|Sys)(Watt|_J)", re.ASCII)


def turbostat_domain(column: str) -> str | None:
    """Domain of RAPL that a column of turbostat is of; None where its name is that of none.

    >>> turbostat_domain("PkgWatt"), turbostat_domain("Busy%")
    ('pkg', None)
    """
    match = _OF_TURBOSTAT.fullmatch(column)
    return match[1].lower() if match else None


def turbostat_parts(columns: Collection[str]) -> list[tuple[str, str]]:
    """Columns of turbostat for a package, each with every column of the same unit for a part of it.

    >>> turbostat_parts(["CorWatt", "PkgWatt", "RAMWatt"])
    [('PkgWatt', 'CorWatt')]
    """
    held = [(f"Pkg{unit}", f"{part}{unit}") for unit in ("Watt", "_J") for part in ("Cor", "GFX")]
    return [(whole, part) for whole, part in held if whole in columns and part in columns]


def board_of(rails: Collection[str]) -> Board | None:
    """Board of a log with these rails; None where no board is known by them.

    >>> board_of(["VDD_IN", "VDD_SOC"]).boundary
    'module'
    """
    return next((board for board in BOARDS if set(board.total) <= set(rails)), None)


def read_rails(channel: str | None, known: Sequence[str], board: Board | None) -> tuple[list[str], Boundary]:
    """Rails to add up, and what their sum is of.

    Args:
        channel: what the options ask for; None takes the total of the board.
        known: rails of the log.
        board: the board, where it is known.

    Raises:
        TraceOptionError: a rail is not known or named twice, or none is named where there is no total.

    >>> rails = ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"]
    >>> read_rails(None, rails, board_of(rails))[1], read_rails("VIN_SYS_5V0", rails, board_of(rails))[1]
    ('module', 'rail')
    """
    rails = chosen_channels(channel, known, () if board is None else board.total)
    if board is not None and set(rails) == set(board.total):
        return rails, board.boundary
    return rails, "rail" if len(rails) == 1 else "sum-of-rails"


def read_domains(
    channel: str | None, known: Sequence[str], total: Sequence[str], domain_of: Callable[[str], str] = str
) -> tuple[list[str], Boundary]:
    """Domains of a processor's energy counters to add up, and what their sum is of.

    Args:
        channel: what the options ask for; None takes the total.
        known: columns or events of the log.
        total: those whose sum is the package; empty where the log has none.
        domain_of: domain of a column or an event.

    Raises:
        TraceOptionError: a domain is not known or named twice, or one holds another already.

    >>> read_domains(None, ["pkg", "dram"], ["pkg"]), read_domains("pkg+dram", ["pkg", "dram"], ["pkg"])[1]
    ((['pkg'], 'package'), 'sum-of-rails')
    """
    columns = chosen_channels(channel, known, total)
    domains = [domain_of(column) for column in columns]
    for whole, column in ((whole, column) for whole in domains for column in columns):
        if domain_of(column) in _PARTS.get(whole, frozenset()):
            found, expected = (
                f"{quoted(column)} added to {whole}, which holds it already",
                "domains that do not overlap",
            )
            fix = f"Leave {quoted(column)} out of the channel."
            raise TraceOptionError(TraceFault("trace-channel", found, expected, fix))
    kinds = {PROCESSOR_BOUNDARIES.get(domain, "rail") for domain in domains}
    if len(domains) == 1 or kinds == {"package"}:
        return columns, kinds.pop()
    return columns, "sum-of-rails"
