"""A clock that is set within a run: the windows after it miss their load, which is refused; throttling is not."""

import numpy as np
import pytest

from harness.traces.reduction import reduce_trace
from harness.traces.settings import ReductionSettings
from tests.traces.synthetic import inferences_of, trace_of

GRID = np.arange(0, 40, 0.001)
N = 30
STARTS = 2 + 1.2 * np.arange(N)
LENGTH = 0.4
TRUE_MJ = 200 * LENGTH


def power(busy_mw, pause_mw=100.0):
    """Power of a device that is busy in some windows, with a slight noise."""
    levels = np.broadcast_to(busy_mw, N)
    place = np.clip(np.searchsorted(STARTS, GRID, side="right") - 1, 0, N - 1)
    is_busy = (STARTS[place] <= GRID) & (STARTS[place] + LENGTH > GRID)
    return np.where(is_busy, levels[place], pause_mw) + np.where(np.arange(len(GRID)) % 2, 1.0, -1.0)


def reduced(busy_mw, moved_s=0.0, number=N, kept=slice(None), settings=None, pause_mw=100.0):
    starts = (STARTS + np.where(np.arange(N) >= number, moved_s, 0.0))[kept]
    trace = trace_of(GRID, power(busy_mw, pause_mw))
    return reduce_trace(trace, inferences_of(starts, starts + LENGTH), None, settings or ReductionSettings())


@pytest.mark.parametrize("number", [15, 24, 27])
@pytest.mark.parametrize("moved_s", [0.3, 0.5, -0.3, -0.5])
def test_clock_that_is_set_within_a_run_is_refused_and_its_parts_are_right(number, moved_s):
    found = reduced(200.0, moved_s, number)
    assert found.energy_mj is None
    faults = [fault for fault in found.faults if fault.rule == "trace-alignment"]
    assert any(f"from window {number + 1} on" in fault.found and "as two runs" in fault.fix for fault in faults)
    for kept in (slice(None, number), slice(number, None)):
        part = reduced(200.0, moved_s, number, kept, ReductionSettings(is_aligned=True))
        assert abs(part.energy_mj - TRUE_MJ) <= part.energy_u_mj < 0.1 * TRUE_MJ


@pytest.mark.parametrize("pause_mw", [100.0, np.where(STARTS[20] - 0.1 > GRID, 100.0, 104.0)])
def test_throttling_is_named_and_its_mean_is_given(pause_mw):
    levels = np.where(np.arange(N) < 20, 200.0, 150.0)
    found = reduced(levels, pause_mw=pause_mw)
    assert found.energy_mj == pytest.approx(levels.mean() * LENGTH, rel=0.01)
    assert {fault.rule for fault in found.faults} == {"trace-unsteady"}
