"""A picture of a trace with its inferences."""

import altair as alt
import numpy as np
import numpy.typing as npt
import pandas as pd
import vl_convert

from harness.traces.clocked import with_clock
from harness.traces.inferences import Inferences
from harness.traces.reduction import Reduction
from harness.traces.trace import PowerTrace, Reals

_MOST_BINS = 2000
_MOST_WINDOWS = 400
_WIDTH, _HEIGHT = 1000, 320


def trace_svg(trace: PowerTrace, inferences: Inferences, reduction: Reduction | None = None) -> str:
    """SVG of power over time: lowest and highest power of each bin as a band, the mean as a line, windows shaded.

    Args:
        trace: the trace.
        inferences: its windows, on the same time scale.
        reduction: what was reduced from both: its energy is printed, its offset moves the windows, and those that it
            left out at the beginning are not shaded.
    """
    bins = _bins(trace)
    n_skipped, offset_s = (0, 0.0) if reduction is None else (reduction.n_skipped, reduction.applied_offset_s)
    starts_s, ends_s = (edges[n_skipped:] + offset_s for edges in inferences.relative_to(trace.start_s))
    shown = np.unique(np.linspace(0, max(len(starts_s) - 1, 0), _MOST_WINDOWS).astype(int))[: len(starts_s)]
    windows = pd.DataFrame({"start": starts_s[shown], "end": ends_s[shown]})
    time = alt.X("time:Q", title="time (s)", scale=alt.Scale(nice=False))
    shade = alt.Chart(windows).mark_rect(color="#f2b134", opacity=0.35).encode(alt.X("start:Q"), alt.X2("end:Q"))
    band = (
        alt.Chart(bins)
        .mark_area(color="#2a6f97", opacity=0.3)
        .encode(time, alt.Y("low:Q", title="power (mW)"), alt.Y2("high:Q"))
    )
    line = alt.Chart(bins).mark_line(color="#013a63", strokeWidth=1).encode(time, alt.Y("mean:Q"))
    note = f"{len(starts_s)} windows" + (f", {len(shown)} of them shaded" if len(shown) < len(starts_s) else "")
    title = alt.TitleParams(trace.source, subtitle="; ".join([*_energy(reduction), note]))
    chart = alt.layer(shade, band, line).properties(width=_WIDTH, height=_HEIGHT, title=title)
    return str(vl_convert.vegalite_to_svg(chart.to_dict()))


def _energy(reduction: Reduction | None) -> list[str]:
    """Energy of one inference in words; nothing where there is no reduction."""
    if reduction is None:
        return []
    if reduction.energy_mj is None:
        return ["no energy"]
    expanded = "" if reduction.energy_u_mj is None else f" ± {reduction.energy_u_mj:.2g}"
    moved = [f"windows moved by {reduction.applied_offset_s:.6g} s"] if reduction.applied_offset_s else []
    skipped = [f"{reduction.n_skipped} left out at the beginning"] if reduction.n_skipped else []
    return [f"{reduction.energy_mj:.6g}{expanded} mJ (k = 2) per inference", *moved, *skipped]


def _bins(trace: PowerTrace) -> pd.DataFrame:
    """Lowest, mean and highest power of consecutive samples, in at most about twice `_MOST_BINS` rows."""
    # Columns: time, lowest, sum and highest power, and number of samples.
    bins = np.empty((0, 5))
    each = 1
    for chunk in with_clock(trace).chunks():
        n_samples = len(chunk.stamps_s)
        if not n_samples:
            continue
        while len(bins) > 1 and len(bins) + n_samples / each > 2 * _MOST_BINS:
            bins, each = _merged(bins, np.arange(0, len(bins), 2)), 2 * each
        samples = np.column_stack([chunk.stamps_s, *[chunk.power_mw] * 3, np.ones(n_samples)])
        each = max(each, -(-n_samples // (2 * _MOST_BINS)))
        bins = np.concatenate([bins, _merged(samples, np.arange(0, n_samples, each))])
    time, low, total, high, count = bins.T
    return pd.DataFrame({"time": time, "low": low, "mean": total / count, "high": high})


def _merged(rows: Reals, begins: npt.NDArray[np.int64]) -> Reals:
    """Rows of bins that each begin at one of the given rows and end before the next."""
    time, low, total, high, count = rows.T
    return np.column_stack(
        [
            time[begins],
            np.minimum.reduceat(low, begins),
            np.add.reduceat(total, begins),
            np.maximum.reduceat(high, begins),
            np.add.reduceat(count, begins),
        ]
    )
