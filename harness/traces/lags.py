"""Whether an offset between two clocks is one, and how well it is known."""

from typing import Final

import numpy as np

from harness.traces.alignment import Alignment
from harness.traces.budget import WIDTH
from harness.traces.clocked import ClockedTrace

COVERAGE: Final = 2.0
"""Standard uncertainties within which an offset is one of zero."""
LEAST_SHARE: Final = 0.5
"""Share of the bursts that must show load."""
LEAST_LOSS: Final = 0.005
"""Share of the energy that an offset has to lose to matter; the uncertainty covers less."""
_TIME_CONSTANT: Final = float(np.log(9))
"""Rise from a tenth to nine tenths over the time constant of a first-order response."""
USB_FRAME_S: Final = 0.001
"""Interval in which a host collects what a full-speed device sends (USB 2.0, section 5.3)."""


def arrival_u_s(clocked: ClockedTrace) -> float:
    """Standard uncertainty in seconds of when samples were taken that a host stamped as they arrived; else 0."""
    return float(np.hypot(clocked.clock.residual_s, USB_FRAME_S)) if clocked.clock else 0.0


def delay_s(alignment: Alignment) -> float:
    """Time constant in seconds with which power follows a change of load, as far as the trace shows it."""
    return alignment.response_s / _TIME_CONSTANT


def offset_u_s(alignment: Alignment, clocked: ClockedTrace, resolution_s: float) -> float:
    """Standard uncertainty in seconds with which an offset of the clocks can be told from zero.

    Beside the scatter over bursts it has the step between samples, the stamps, and the time in which the device and
    the meter follow a change of load, which delays the power without any fault of the clocks.

    Args:
        alignment: what the power says.
        clocked: the trace with its clock.
        resolution_s: seconds between changes of the value.
    """
    trace = clocked.trace
    shared = [
        resolution_s / WIDTH,
        trace.stamp_step_s / WIDTH,
        trace.stamp_u_s,
        trace.averaging_s / WIDTH,
        arrival_u_s(clocked),
    ]
    return float(np.hypot.reduce([alignment.offset_u_s, delay_s(alignment), *shared]))


def is_off(alignment: Alignment, clocked: ClockedTrace, resolution_s: float) -> bool:
    """Whether windows are not where the load is, or drift away from it, beyond the uncertainty and with an effect."""
    limit = COVERAGE * offset_u_s(alignment, clocked, resolution_s)
    is_far = abs(alignment.offset_s) > limit and alignment.loss_share > LEAST_LOSS
    is_drifting = alignment.drifted_s > resolution_s and alignment.drift_loss_share > LEAST_LOSS
    return alignment.is_told and (is_far or is_drifting or alignment.share_under_load < LEAST_SHARE)
