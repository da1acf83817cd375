"""How far the clock of the inferences is off the clock of the trace, found from the power itself.

While inferences run, a device draws more. The lag between the clocks is the one that puts the windows where the power
is high: a scan over all lags finds it roughly, and the edges of the windows finely. It moves no windows by itself.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from harness.traces.bursts import Bursts, Lag, bursts_of, lost_s
from harness.traces.lag_scan import best_lag
from harness.traces.statistics import mean_with_error, slope_with_error
from harness.traces.trace import Reals
from harness.traces.windows import EnergyCurve

FEWEST_OUTSIDE: Final = 4.0
"""Sampling periods of power outside the windows without which nothing can be compared."""
SIGNIFICANT: Final = 3.0
"""Standard errors from which a difference of power is one."""
_MOST_BURSTS: Final = 20_000
_REACHES: Final = (1.0, 0.3, 0.1, 0.03, 0.01)
"""Parts of the shortest window or gap within which an edge is looked for, in turn."""
_SHORTEST_REACH: Final = 4.0
_ROUNDS: Final = 3
_LEAST_CONTRAST: Final = 1e-6
"""Share of the power inside windows that rounding alone makes."""
_LEAST_STEP: Final = 0.25
"""Share of the contrast by which power must step at the edges of bursts."""
_PROFILE: Final = 81
_N_PIECES: Final = 64
_FEWEST_LAGS: Final = 4
_ONE_SIGMA: Final = (0.16, 0.84)
"""Quantiles of a normal distribution one standard deviation from its mean; a few outliers do not move them."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """What the power of a trace says about the clocks.

    Attributes:
        offset_s: seconds to add to the windows, in the middle of the run, to put them where the load is.
        offset_u_s: its standard uncertainty in seconds.
        drift: further seconds to add for each second after the middle of the run; 0 where it cannot be told from 0.
        middle_s: middle of the run on the clock of the windows.
        contrast_mw: mean power inside the windows less that outside, once they are moved.
        inside_mw: mean power inside the windows as they stand.
        outside_mw: mean power outside the windows as they stand.
        response_s: seconds in which power goes from a tenth to nine tenths of a step at the edges of windows.
        share_under_load: share of the bursts that show load where the windows stand.
        scatter_s: how much the lags of single bursts scatter, beyond what the step between samples makes.
        n_bursts: stretches of load.
        loss_share: share of the energy of the windows that the offset loses.
        drifted_s: seconds that the drift moves the first and the last burst by.
        drift_loss_share: share of the energy of the windows that the drift loses.
        is_above: whether power inside the windows, as they stand, is above that outside by more than its scatter.
        is_told: whether the trace shows power rise and fall at bursts, so that a lag is no slow beginning; where it
            does not, the offset is one that would fit.
    """

    offset_s: float
    offset_u_s: float
    drift: float
    middle_s: float
    contrast_mw: float
    inside_mw: float
    outside_mw: float
    response_s: float
    share_under_load: float
    scatter_s: float
    n_bursts: int
    loss_share: float
    drifted_s: float
    drift_loss_share: float
    is_above: bool
    is_told: bool


def align(curve: EnergyCurve, windows: Bursts, period_s: float) -> Alignment | None:
    """Lag between windows and load; None where the trace shows too little power outside the windows to tell.

    Args:
        curve: energy of the trace over time.
        windows: windows of the inferences, on their clock.
        period_s: seconds between samples.
    """
    bursts = bursts_of(windows.starts_s, windows.ends_s, period_s)
    if len(curve.times_s) < 2 or not len(bursts) or not np.isfinite(curve.energies_mj[-1]):
        return None
    if len(bursts) > _MOST_BURSTS:
        bursts = bursts.of(np.unique(np.linspace(0, len(bursts) - 1, _MOST_BURSTS).astype(np.int64)))
    step_s = max(period_s, curve.step_s)
    middle = float(bursts.starts_s[0] + bursts.ends_s[-1]) / 2
    span_s = float(curve.times_s[-1] - curve.times_s[0])
    if not span_s > 0 or span_s - _covered_s(curve, bursts) < FEWEST_OUTSIDE * step_s:
        return None
    found, is_told = _found(curve, bursts, middle, step_s)
    moved = bursts.moved(found)
    inside, outside = _levels(curve, moved)
    here = _levels(curve, bursts)
    drifted_s = abs(found.drift) * float(bursts.ends_s[-1] - bursts.starts_s[0]) / 2
    lost, drift_lost = (lost_s(windows, lag_s) / windows.mean_s for lag_s in (found.offset_s, drifted_s / 2))
    contrast_share = (inside - outside) / inside if inside > 0 else 0.0
    return Alignment(
        offset_s=found.offset_s,
        offset_u_s=found.error_s,
        drift=found.drift,
        middle_s=middle,
        contrast_mw=inside - outside,
        inside_mw=here[0],
        outside_mw=here[1],
        response_s=_response_s(curve, moved, inside - outside, step_s),
        share_under_load=_share_under_load(curve, bursts, (inside + outside) / 2),
        scatter_s=_scatter_s(curve, moved, step_s),
        n_bursts=len(bursts),
        loss_share=contrast_share * lost,
        drifted_s=drifted_s,
        drift_loss_share=contrast_share * drift_lost,
        is_above=_is_above(curve, bursts),
        is_told=is_told,
    )


def _found(curve: EnergyCurve, bursts: Bursts, middle_s: float, step_s: float) -> tuple[Lag, bool]:
    """Lag of bursts, and whether the trace tells it; where it does not, the lag that would fit best."""
    near = _refined(curve, bursts, Lag(0.0, 0.0, middle_s), step_s)
    far = best_lag(curve, bursts, middle_s)
    if far is None:
        return near, _rises_and_falls(curve, bursts.moved(near), step_s)
    there = _refined(curve, bursts, far, step_s)
    # Long windows with short gaps show load at any lag below their length, but steps at their edges at one alone.
    for lag in (there,) if _is_better(curve, bursts, far, near) else (near, there):
        if _rises_and_falls(curve, bursts.moved(lag), step_s):
            return lag, True
    return replace(far, error_s=abs(far.offset_s)), False


def _covered_s(curve: EnergyCurve, bursts: Bursts) -> float:
    """Seconds of the trace that bursts cover."""
    starts, ends = (np.clip(edges, curve.times_s[0], curve.times_s[-1]) for edges in (bursts.starts_s, bursts.ends_s))
    return float((ends - starts).sum())


def _levels(curve: EnergyCurve, bursts: Bursts) -> tuple[float, float]:
    """Mean power in mW of the trace inside bursts and outside; of a part that is empty, that of the other."""
    covered = _covered_s(curve, bursts)
    span = float(curve.times_s[-1] - curve.times_s[0])
    total = float(curve.energies_mj[-1] - curve.energies_mj[0])
    within = float((curve.at(bursts.ends_s) - curve.at(bursts.starts_s)).sum())
    inside = within / covered if covered > 0 else total / span
    return inside, (total - within) / (span - covered) if span > covered else inside


def _is_above(curve: EnergyCurve, bursts: Bursts) -> bool:
    """Whether pieces of the trace inside bursts have more power than pieces outside, beyond how much they scatter."""
    first, last = float(curve.times_s[0]), float(curve.times_s[-1])
    pauses = Bursts(np.append(first, bursts.ends_s), np.append(bursts.starts_s, last))
    (inside, inside_error), (outside, outside_error) = (_pieces(curve, part, first, last) for part in (bursts, pauses))
    least = max(SIGNIFICANT * float(np.hypot(inside_error, outside_error)), _LEAST_CONTRAST * abs(inside))
    return inside - outside > least


def _pieces(curve: EnergyCurve, parts: Bursts, first_s: float, last_s: float) -> tuple[float, float]:
    """Mean power in mW of pieces of equal length, and its standard error; NaN where there are none."""
    starts, ends = np.clip(parts.starts_s, first_s, last_s), np.clip(parts.ends_s, first_s, last_s)
    lengths = np.where(ends > starts, ends - starts, 0.0)
    total = float(lengths.sum())
    if not total > 0:
        return float("nan"), float("nan")
    # Time spent in the parts so far, to the time at which that is.
    spent = np.concatenate([[0.0], np.cumsum(lengths)])
    edges = np.linspace(0.0, total, max(_N_PIECES, len(lengths)) + 1)
    energies = np.concatenate([[0.0], np.cumsum(curve.at(ends) - curve.at(starts))])
    part = np.clip(np.searchsorted(spent, edges, side="right") - 1, 0, len(lengths) - 1)
    upto = energies[part] + curve.at(starts[part] + edges - spent[part]) - curve.at(starts[part])
    powers = np.diff(upto) / np.diff(edges)
    return float(powers.mean()), float(powers.std(ddof=1)) / len(powers) ** 0.5


def _share_under_load(curve: EnergyCurve, bursts: Bursts, limit_mw: float) -> float:
    """Share of the bursts whose mean power is above a limit; those outside the trace are not under load."""
    is_inside = bursts.inside(float(curve.times_s[0]), float(curve.times_s[-1]))
    powers = (curve.at(bursts.ends_s) - curve.at(bursts.starts_s)) / (bursts.ends_s - bursts.starts_s)
    return float(np.mean(is_inside & (powers > limit_mw)))


def _is_better(curve: EnergyCurve, bursts: Bursts, far: Lag, near: Lag) -> bool:
    """Whether bursts show load at a far lag that show none near zero.

    A pattern that repeats fits nearly as well one period further, and power while a model loads may fit even better;
    so zero is left only for a lag at which more bursts show load.
    """
    there = bursts.moved(far)
    inside, outside = _levels(curve, there)
    if inside <= outside:
        return False
    limit = (inside + outside) / 2
    share_there = _share_under_load(curve, there, limit)
    gained = (share_there - _share_under_load(curve, bursts.moved(near), limit)) * len(bursts)
    needed = max(1.0, SIGNIFICANT * float(len(bursts) * (1 - share_there)) ** 0.5)
    return bool(gained >= needed - 1e-9)


def _refined(curve: EnergyCurve, bursts: Bursts, lag: Lag, step_s: float) -> Lag:
    """Lag from the edges of bursts, starting at a rough one.

    Energy around the end of a burst less energy around its start is twice the lag times the step of power: a lag
    leaves load after the end and idle power after the start.
    """
    widest = _widest_reach(bursts)
    lag = replace(lag, error_s=widest)
    for reach in [share * widest for share in _REACHES]:
        if reach < _SHORTEST_REACH * step_s and reach < widest:
            break
        for _ in range(_ROUNDS):
            lags = _lags(curve, bursts.moved(lag), reach)
            if lags is None:
                # Where the trace ends near a burst, only a narrower reach has room.
                break
            times, values, apart = lags
            slope, slope_error = slope_with_error(times - lag.middle_s, values)
            step, error = mean_with_error(values)
            error = max(error if len(values) > 2 else 0.0, apart / len(values) ** 0.5)
            drift = lag.drift + (slope if abs(slope) > SIGNIFICANT * slope_error else 0.0)
            lag = Lag(lag.offset_s + float(np.clip(step, -reach, reach)), drift, lag.middle_s, error)
            if abs(step) < 0.02 * reach:
                break
    return lag


def _widest_reach(bursts: Bursts) -> float:
    """Half the shortest length or gap, but for a tenth of them."""
    lengths, gaps = bursts.ends_s - bursts.starts_s, bursts.starts_s[1:] - bursts.ends_s[:-1]
    return float(np.quantile(np.concatenate([lengths, gaps]), 0.1)) / 2


def _rises_and_falls(curve: EnergyCurve, bursts: Bursts, step_s: float) -> bool:
    """Whether mean power steps up at the starts of bursts and down at their ends, wherever the trace shows them."""
    inside, outside = _levels(curve, bursts)
    if not inside - outside > _LEAST_CONTRAST * abs(inside):
        return False
    widest = _widest_reach(bursts)
    # A slow meter shows a step only within a wide reach, and a short stretch of idle power only within a narrow one.
    return any(
        _steps_at_edges(curve, bursts, max(reach, step_s), _LEAST_STEP * (inside - outside))
        for reach in (widest, widest / 4, min(widest, _SHORTEST_REACH * step_s))
    )


def _steps_at_edges(curve: EnergyCurve, bursts: Bursts, reach: float, least_mw: float) -> bool:
    first, last = float(curve.times_s[0]), float(curve.times_s[-1])
    for edges, sign in ((bursts.starts_s, 1.0), (bursts.ends_s, -1.0)):
        shown = edges[(edges - reach >= first) & (edges + reach <= last)]
        if not len(shown):
            return False
        after, before = curve.at(shown + reach) - curve.at(shown), curve.at(shown) - curve.at(shown - reach)
        if sign * float((after - before).mean()) / reach < least_mw:
            return False
    return True


def _lags(curve: EnergyCurve, bursts: Bursts, reach: float) -> tuple[Reals, Reals, float] | None:
    """Middle of every usable burst in seconds, its lag in seconds, and how far its two edges disagree, typically."""
    first, last = float(curve.times_s[0]), float(curve.times_s[-1])
    before = np.concatenate([[first], bursts.ends_s[:-1]])
    after = np.concatenate([bursts.starts_s[1:], [last]])
    has_room = (bursts.starts_s - before >= reach) & (after - bursts.ends_s >= reach)
    usable = bursts.of(has_room & bursts.inside(first, last, reach))
    inside, outside = _levels(curve, bursts)
    contrast = inside - outside
    if not len(usable) or not contrast > 0:
        return None
    leading = curve.at(usable.starts_s + reach) - curve.at(usable.starts_s - reach)
    trailing = curve.at(usable.ends_s + reach) - curve.at(usable.ends_s - reach)
    expected = (inside + outside) * reach
    early, late = (expected - leading) / contrast, (trailing - expected) / contrast
    apart = float(np.median(np.abs(early - late))) / 2
    return (usable.starts_s + usable.ends_s) / 2, (early + late) / 2, apart


def _scatter_s(curve: EnergyCurve, bursts: Bursts, step_s: float) -> float:
    """Standard deviation of the lags of single bursts around their mean, which loses load in each of them."""
    widest = _widest_reach(bursts)
    for reach in [share * widest for share in _REACHES]:
        lags = _lags(curve, bursts, reach)
        if lags is not None and len(lags[1]) >= _FEWEST_LAGS:
            low, high = np.quantile(lags[1], _ONE_SIGMA)
            return float(np.sqrt(max(float(high - low) ** 2 / 4 - step_s**2 / 12, 0.0)))
    return 0.0


def _response_s(curve: EnergyCurve, bursts: Bursts, contrast_mw: float, step_s: float) -> float:
    """Seconds in which the mean power at the starts of bursts goes from a tenth to nine tenths of its step."""
    reach = _widest_reach(bursts)
    usable = bursts.of(bursts.inside(float(curve.times_s[0]), float(curve.times_s[-1]), reach))
    if not len(usable) or not contrast_mw > 0 or reach <= step_s:
        return step_s
    reach = min(reach, max(20 * step_s, reach / 5))
    at = np.linspace(-reach, reach, _PROFILE)
    energies = np.array([float(curve.at(usable.starts_s + place).mean()) for place in at])
    powers = np.diff(energies) / np.diff(at)
    middles = (at[1:] + at[:-1]) / 2
    low, high = powers[: _PROFILE // 8].mean(), powers[-_PROFILE // 8 :].mean()
    if not high > low:
        return step_s
    risen = np.maximum.accumulate((powers - low) / (high - low))
    tenth, most = (float(middles[np.argmax(risen >= share)]) for share in (0.1, 0.9))
    return max(most - tenth, step_s)
