"""Known defects of the results of MLPerf Inference, as notes of the campaigns that have them; nothing is corrected."""

from typing import Final

_TWICE: Final = (
    "The same runs, byte for byte, stand in both divisions of the round, closed and open; they are one measurement, "
    "to be counted once."
)
_NEGATIVE: Final = (
    "One sample inside the window of 3d-unet is -2 W, which no system draws; it is in the mean, and lowers it by 1 mW."
)
_BY_SYSTEM: Final = {
    ("v3.0", "nvidia_orin-nvidia_original-gpu-tensorrt-v8.5.2.2-default_config"): _TWICE,
    ("v2.0", "Xavier_NX_TRT_MaxQ"): _NEGATIVE,
}
"""Note by round and folder of the system."""
_COUNTS: Final = (
    "The logs of the round state a count of generated queries that is not that of the queries run, and it is not used."
)
_UNCOUNTED: Final = ("v1.0", "v1.1")
"""Rounds whose logs do not count the queries of a run."""


def defects_of(round_name: str | None, system: str) -> list[str]:
    """Notes on what is wrong with the source of a campaign.

    Args:
        round_name: round of the results; None where it is unknown.
        system: name of the system's folder.
    """
    notes = [_COUNTS] if round_name in _UNCOUNTED else []
    own = _BY_SYSTEM.get((round_name or "", system))
    return notes if own is None else [*notes, own]
