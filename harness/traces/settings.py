"""What a reduction is told besides its files: accuracy of the meter, offset between clocks, windows to leave out."""

from dataclasses import dataclass

from harness.schema.facts import MeterAccuracy


@dataclass(frozen=True, slots=True)
class ReductionSettings:
    """How a trace is reduced.

    Attributes:
        accuracy: limits of error of the meter; None where they are unknown, and then the budget lacks the meter.
        offset_s: seconds to add to the windows, found earlier and recorded.
        drift_ppm: millionths of the time since the middle of the run to add to the windows, found and recorded.
        is_aligned: whether to find the offset between the clocks and apply it.
        n_skipped: windows to leave out at the beginning.
        skips_warm_up: whether to find the windows of the warm-up and leave them out.
    """

    accuracy: MeterAccuracy | None = None
    offset_s: float = 0.0
    drift_ppm: float = 0.0
    is_aligned: bool = False
    n_skipped: int = 0
    skips_warm_up: bool = False
