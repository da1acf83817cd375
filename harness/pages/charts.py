"""Charts of rankings and devices, declared in Altair and drawn as SVG; every figure is also in a table beside them.

Each chart is written as a Vega-Lite specification, which the page's script makes interactive, and as one SVG for
light and one for dark pages, which readers without the script see.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Final

import altair as alt
import vl_convert

from harness.pages.device_entries import DeviceEntry, Ranking
from harness.pages.label import network_title
from harness.pages.markup import fixed
from harness.pages.palette import SERIES, THEMES, class_colour
from harness.scoring.editions import Edition

VEGALITE: Final = "6.4"
"""Version that draws the SVG and that the page's bundle holds."""

_STATIC_WIDTH: Final = 600
_ROW: Final = 36
_FONT: Final = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
_LOGARITHMIC_FROM: Final = 20
"""Ratio of the outer borders from which a linear axis would crush the better classes."""

_MOST_SERIES: Final = min(map(len, SERIES.values()))
_LEGEND_WIDTH: Final = 310
"""Pixels that a legend may take, which a phone has."""
_CHARACTER_WIDTH: Final = 7
_SYMBOL_WIDTH: Final = 30
_MOST_LEGEND_COLUMNS: Final = 4
_BETWEEN: Final = " \N{MIDDLE DOT} "
"""Between the parts of the name of a system."""

Spec = dict[str, Any]


def theme(name: str) -> Spec:
    """Vega-Lite configuration of the light or the dark page."""
    colours = THEMES[name]
    return {
        "background": "transparent",
        "font": _FONT,
        "text": {"color": colours["text"], "fontSize": 12},
        "rule": {"color": colours["grid"]},
        "tick": {"color": colours["muted"]},
        "bar": {"stroke": colours["mark_edge"], "strokeWidth": 0.6},
        "point": {"strokeWidth": 1.2},
        "axis": {
            "labelColor": colours["muted"],
            "titleColor": colours["text"],
            "gridColor": colours["grid"],
            "domainColor": colours["grid"],
            "tickColor": colours["grid"],
            "labelFontSize": 11,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "titlePadding": 8,
        },
        "legend": {
            "labelColor": colours["text"],
            "titleColor": colours["text"],
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "symbolSize": 90,
        },
        "range": {"category": list(SERIES[name])},
        "view": {"stroke": None},
        "aria": False,
    }


def ranking_chart(ranking: Ranking) -> alt.LayerChart:
    """Energy index of every system of a ranking over the class bands of its edition."""
    edition = ranking.edition
    rows: list[Spec] = [
        {
            "device": rating.system,
            "class": rating.label_text,
            "index": round(rating.energy_index or 0, 2),
            "shown": f"{fixed(rating.energy_index)}  {rating.label_text}",
            "colour": class_colour(rating.label or ""),
        }
        for rating in ranking.ratings
    ]
    is_log = _is_logarithmic(edition)
    low, high = _domain(edition, [row["index"] for row in rows], is_log)
    x = alt.X(
        "index:Q",
        scale=alt.Scale(type="log" if is_log else "linear", domain=[low, high], nice=False),
        axis=alt.Axis(
            title="Energy index (lower is better)",
            values=list(edition.borders.values()),
            # The default rounds a label to the step between ticks, and the borders have no step.
            labelExpr="format(datum.value, ',')",
        ),
    )
    y = alt.Y("device:N", sort=[row["device"] for row in rows], axis=None)
    base = alt.Chart(alt.InlineData(rows)).encode(y=y)
    tooltip = [alt.Tooltip("device:N"), alt.Tooltip("index:Q", title="energy index"), alt.Tooltip("class:N")]
    own_colour = alt.Color("colour:N", scale=None)
    if is_log:
        # A bar on a logarithmic axis has no honest start.
        marks = base.mark_point(filled=True, size=120, opacity=1, yOffset=9).encode(
            x=x, color=own_colour, tooltip=tooltip, stroke=alt.value("#10242c")
        )
    else:
        marks = base.mark_bar(height=13, yOffset=9).encode(x=x, color=own_colour, tooltip=tooltip)
    values = base.mark_text(align="left", dx=9, dy=9).encode(x=x, text="shown:N")
    return _layered([*_bands(edition, low, high), marks, _system_names(base), values], len(rows))


def _system_names(base: alt.Chart) -> alt.Chart:
    # A name that is wider than the chart would narrow the bands and be cut at the edge of the page.
    names = base.mark_text(align="left", dy=-8, dx=2, fontWeight="bold", limit=alt.ExprRef(expr="width"))
    named: alt.Chart = names.encode(x=alt.value(0), text="device:N")
    return named


def _bands(edition: Edition, low: float, high: float) -> list[alt.Chart]:
    borders = [low, *(border for border in edition.borders.values() if low < border < high), high]
    bands: list[Spec] = [
        {"from": start, "to": end, "class": (letter := edition.class_of(end)), "colour": class_colour(letter)}
        for start, end in pairwise(borders)
    ]
    middles = [
        band | {"middle": (band["from"] * band["to"]) ** 0.5 if _is_logarithmic(edition) else _mean(band)}
        for band in bands
    ]
    data = alt.Chart(alt.InlineData(middles))
    rects = data.mark_rect(opacity=0.17).encode(x="from:Q", x2="to:Q", color=alt.Color("colour:N", scale=None))
    letters = data.mark_text(baseline="bottom", fontWeight="bold", fontSize=13).encode(
        x="middle:Q", y=alt.value(-5), text="class:N"
    )
    return [rects, letters]


def _mean(band: Spec) -> float:
    return float(band["from"] + band["to"]) / 2


def _is_logarithmic(edition: Edition) -> bool:
    borders = list(edition.borders.values())
    return borders[-1] / borders[0] > _LOGARITHMIC_FROM


def _domain(edition: Edition, indices: Sequence[float], is_log: bool) -> tuple[float, float]:
    borders = list(edition.borders.values())
    if is_log:
        return min(borders[0], *indices) / 3, max(borders[-1], *indices) * 3
    return 0, max(borders[-1], *indices) * 1.15


def device_charts(device: DeviceEntry, edition: Edition) -> list[alt.LayerChart]:
    """Energy of every network by system and delegate, with the edition's reference, on a logarithmic axis.

    Returns:
        One chart for at most as many series as there are colours; all have the same networks and the same axis.
    """
    titles = {network.id: network_title(network) for network in edition.networks}
    places = device.places[edition.edition]
    names = series_names(device, places.to_dict("records"))
    rows: list[Spec] = [
        {
            "network": titles[place["network"]],
            "series": names[place["system_id"], place["delegate"]],
            "energy_mj": place["energy_mj"],
        }
        for place in places.to_dict("records")
    ]
    present = set(places["network"])
    references: list[Spec] = [
        {"network": titles[network.id], "reference_mj": network.reference_mj}
        for network in edition.networks
        if network.id in present
    ]
    energies = [row["energy_mj"] for row in rows] + [row["reference_mj"] for row in references]
    scale = alt.Scale(type="log", nice=False, padding=14, domain=[min(energies), max(energies)])
    title = "System" if len(device.systems) > 1 else "Delegate"
    series = list(names.values())
    parts = [series[start : start + _MOST_SERIES] for start in range(0, len(series), _MOST_SERIES)]
    return [
        _energy_chart([row for row in rows if row["series"] in part], references, part, scale=scale, title=title)
        for part in parts
    ]


def _energy_chart(
    rows: list[Spec], references: list[Spec], names: Sequence[str], *, scale: alt.Scale, title: str
) -> alt.LayerChart:
    order = [row["network"] for row in references]
    y = alt.Y("network:N", sort=order, axis=None)
    points = _energy_points(rows, y, names, scale=scale, title=title)
    reference = alt.Chart(alt.InlineData(references)).encode(y=y)
    ticks = reference.mark_tick(thickness=2, height=17, yOffset=9).encode(
        x=alt.X("reference_mj:Q"), tooltip=["network:N", alt.Tooltip("reference_mj:Q", title="reference in mJ")]
    )
    headings = reference.mark_text(align="left", dy=-8, dx=2).encode(x=alt.value(0), text="network:N")
    lines = reference.mark_rule(yOffset=9)
    return _layered([lines, ticks, points, headings], len(order))


def series_names(device: DeviceEntry, places: Sequence[Mapping[Any, Any]]) -> dict[tuple[str, str], str]:
    """Name of every series, by system and delegate: the delegate, with what sets systems apart where there are several.

    Words that all systems share are left out; the table has them.
    """
    keys = sorted({(place["system_id"], place["delegate"]) for place in places})
    if len(device.systems) == 1:
        return {key: key[1] for key in keys}
    words = {}
    for system_id, delegate in keys:
        name = device.system(system_id).name.removeprefix(device.name).split(_BETWEEN)
        own = [word for word in name if word]
        words[system_id, delegate] = own if delegate in own else [*own, delegate]
    shared = set.intersection(*map(set, words.values())) if len(words) > 1 else set()
    names = {key: _BETWEEN.join(word for word in own if word not in shared) for key, own in words.items()}
    # Without the words that all share, a name may be empty or that of another.
    is_told_apart = all(names.values()) and len(set(names.values())) == len(names)
    return names if is_told_apart else {key: _BETWEEN.join(own) for key, own in words.items()}


def _energy_points(rows: list[Spec], y: alt.Y, names: Sequence[str], *, scale: alt.Scale, title: str) -> alt.Chart:
    """One point per network and series; a series has a colour and a shape of its own."""
    x = alt.X(
        "energy_mj:Q",
        scale=scale,
        axis=alt.Axis(title="mJ for one inference (logarithmic; bar: reference)", format=",~r", tickCount=6),
    )
    columns = _LEGEND_WIDTH // (max(map(len, names)) * _CHARACTER_WIDTH + _SYMBOL_WIDTH)
    legend = alt.Legend(
        orient="top",
        title=title,
        direction="horizontal",
        columns=min(max(columns, 1), _MOST_LEGEND_COLUMNS),
        labelLimit=_LEGEND_WIDTH - _SYMBOL_WIDTH,
    )
    points = alt.Chart(alt.InlineData(rows)).mark_point(filled=True, size=95, opacity=1, yOffset=9)
    own = alt.Scale(domain=list(names))
    encoded: alt.Chart = points.encode(
        x=x,
        y=y,
        color=alt.Color("series:N", legend=legend, scale=own),
        shape=alt.Shape("series:N", legend=legend, scale=own),
        tooltip=[
            "network:N",
            alt.Tooltip("series:N", title=title.lower()),
            alt.Tooltip("energy_mj:Q", title="energy in mJ"),
        ],
    )
    return encoded


def _layered(layers: Sequence[alt.Chart], n_rows: int) -> alt.LayerChart:
    return alt.LayerChart(layer=list(layers)).properties(
        width="container",
        height=_ROW * max(n_rows, 1),
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        padding=alt.Padding.from_dict({"left": 6, "right": 10, "top": 8, "bottom": 6}),
    )


def chart_files(chart: alt.LayerChart, title: str) -> dict[str, str]:
    """Files of one chart, by suffix: the specification, and an SVG for light and for dark pages.

    Args:
        title: text alternative of the chart.
    """
    spec = chart.to_dict(context={"pre_transform": False})
    spec.pop("config", None)
    spec["description"] = title
    # Vega-Lite keeps `usermeta` for its users; the page's script takes the colours of the reader's scheme from it.
    spec["usermeta"] = {"themes": {name: theme(name) for name in THEMES}}
    files = {".json": json.dumps(spec, indent=1, sort_keys=True, ensure_ascii=False) + "\n"}
    for name in THEMES:
        drawn = spec | {"width": _STATIC_WIDTH}
        files[f".{name}.svg"] = vl_convert.vegalite_to_svg(drawn, vl_version=VEGALITE, config=theme(name)) + "\n"
    return files


@cache
def chart_bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one local script."""
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGALITE))
