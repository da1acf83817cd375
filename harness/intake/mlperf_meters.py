"""Limits of error of the meters of MLPerf Inference with power, from their maker's specifications.

PTDaemon sets the range by the currents of the ranging run. Published figures do not state it, so the limits are those
of the smallest range that holds the highest power of a campaign at the power factor of a small supply.

Source:
    Yokogawa, WT310/WT310HC/WT332/WT333 Getting Started Guide, IM WT310-02EN, 7.3.2: active power at 45 to 66 Hz,
    0.1 % of reading and 0.1 % of range, crest factor 3; ranges in 7.1. A power factor below 1 adds tan(phi) times the
    influence at a power factor of 0 to the reading, and scales the share of the range (same section); the influence is
    0.2 % of the apparent power, twice that of the WT300E (bulletin WT300E-01EN). Logs of a Raspberry Pi 4, an Odroid
    N2+ and a Khadas VIM4 at 250 V show power factors of 0.43 to 0.49, and the ranges that this module finds.
"""

import math
from typing import Any, Final

POWER_FACTOR: Final = 0.45
"""Power factor of the supplies of small boards, which have no correction of it."""
_RANGE_V: Final = 300.0
_WIDE_RANGES_A: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
_RANGES_A: Final = {
    "WT310": (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, *_WIDE_RANGES_A),
    "WT330": _WIDE_RANGES_A,
}
"""Current ranges by model; of the WT330, those of its WT332 and WT333."""
_READING_PERCENT: Final = 0.1
_RANGE_PERCENT: Final = 0.1
_INFLUENCE_PERCENT: Final = 0.2


def accuracy_of(meter: str, highest_mw: float) -> dict[str, Any] | None:
    """Limits of error of a meter.

    Args:
        meter: its name, such as `Yokogawa WT310`.
        highest_mw: highest power that it recorded inside of a window, in mW.

    Returns:
        Fields of `MeterAccuracy`; None for a meter of another maker or model, or a power beyond its ranges.

    >>> accuracy_of("Yokogawa WT310", 6358.0)["offset_mw"]
    6.75
    """
    model = next((model for model in _RANGES_A if f"yokogawa {model}".lower() in meter.lower()), None)
    apparent_va = highest_mw / 1e3 / POWER_FACTOR
    ampere = next((each for each in _RANGES_A.get(model or "", ()) if _RANGE_V * each >= apparent_va), None)
    if ampere is None:
        return None
    tangent = math.tan(math.acos(POWER_FACTOR))
    return {
        "gain_percent": round(_READING_PERCENT + tangent * _INFLUENCE_PERCENT, 3),
        "offset_mw": round(POWER_FACTOR * _RANGE_PERCENT / 100 * _RANGE_V * ampere * 1e3, 3),
        "stated_by": f"Yokogawa IM WT310-02EN, 7.3.2, for {_RANGE_V:g} V x {ampere:g} A, the smallest range for the "
        f"powers, and a power factor of {POWER_FACTOR:g}; range and factor are assumed",
    }
