"""A picture of a trace with its inferences, because people look before they believe."""

import altair as alt
import numpy as np
import pandas as pd
import vl_convert

from harness.traces.inferences import Inferences
from harness.traces.reduction import timed
from harness.traces.trace import PowerTrace

_MOST_BINS = 2000
_MOST_WINDOWS = 400
_WIDTH, _HEIGHT = 1000, 320


def trace_svg(trace: PowerTrace, inferences: Inferences) -> str:
    """SVG of power over time: lowest and highest power of each bin as a band, the mean as a line, windows shaded.

    Args:
        trace: the trace.
        inferences: its windows, on the same time scale.
    """
    bins = _bins(trace)
    starts_s, ends_s = inferences.relative_to(trace.start_s)
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
    title = alt.TitleParams(trace.source, subtitle=note)
    chart = alt.layer(shade, band, line).properties(width=_WIDTH, height=_HEIGHT, title=title)
    return str(vl_convert.vegalite_to_svg(chart.to_dict()))


def _bins(trace: PowerTrace) -> pd.DataFrame:
    """Lowest, mean and highest power of consecutive samples, in at most twice `_MOST_BINS` rows."""
    put_right = timed(trace)
    rows: list[tuple[float, float, float, float]] = []
    each = 1
    for chunk in put_right.chunks():
        for start in range(0, len(chunk.stamps_s), each):
            power = chunk.power_mw[start : start + each]
            rows.append((float(chunk.stamps_s[start]), float(power.min()), float(power.mean()), float(power.max())))
            if len(rows) >= 2 * _MOST_BINS:
                rows = [_merged(one, other) for one, other in zip(rows[::2], rows[1::2], strict=True)]
                each *= 2
    return pd.DataFrame(rows, columns=["time", "low", "mean", "high"])


def _merged(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, float, float, float]:
    return one[0], min(one[1], other[1]), (one[2] + other[2]) / 2, max(one[3], other[3])
