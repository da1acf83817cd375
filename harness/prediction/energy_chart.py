"""A picture of where the energy of a network goes: one bar per kernel, or per kernel type of a deep one."""

from collections import defaultdict
from typing import Any, Final

import altair as alt
import vl_convert

from harness.issues import share_in_words
from harness.prediction.extents import extents_in_words
from harness.prediction.network_energy import NetworkEnergy, energy_by_type

MOST_BARS: Final = 40
"""Kernels that are drawn one by one; of a network with more, the kernel types are."""
_WIDTH: Final = 380
"""Width of a phone, so that nothing shrinks there."""
_ROW: Final = 34
_FONT: Final = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
_INK, _MUTED, _GRID, _BAR, _RULE = "#10242c", "#4d626b", "#d9e0e3", "#56b4e9", "#0b3c5d"

_Spec = dict[str, Any]


def energy_svg(network: NetworkEnergy, title: str) -> str:
    """SVG of the energy of kernels in order of execution, with their intervals, or of kernel types, most first.

    Unsupported kernels are listed without a bar.

    Args:
        network: prediction.
        title: what is drawn, such as model and device.
    """
    is_by_kernel = len(network.kernels) <= MOST_BARS
    rows = _kernel_rows(network) if is_by_kernel else _type_rows(network)
    y = alt.Y("place:O", axis=None)
    x = alt.X(
        "energy:Q",
        title="Energy of one inference in mJ",
        axis=alt.Axis(tickCount=5, grid=False),
        scale=alt.Scale(nice=True),
    )
    base = alt.Chart(alt.InlineData(rows)).encode(y=y)
    bars = base.transform_filter("isValid(datum.energy)").mark_bar(height=12, yOffset=8, color=_BAR).encode(x=x)
    names = base.mark_text(align="left", baseline="middle", dy=-8, fontSize=12, color=_INK)
    layers = [bars, names.encode(x=alt.value(0), text="name:N")]
    if any("low" in row for row in rows):
        rules = base.transform_filter("isValid(datum.low)").mark_rule(yOffset=8, color=_RULE, strokeWidth=2)
        layers.append(rules.encode(x=alt.X("low:Q"), x2=alt.X2("high:Q")))
    chart = alt.layer(*layers).properties(
        width=_WIDTH,
        height=_ROW * len(rows),
        title=alt.TitleParams(title, subtitle=_subtitle(network, is_by_kernel), anchor="start", limit=_WIDTH),
        padding=alt.Padding.from_dict({"left": 8, "right": 14, "top": 8, "bottom": 8}),
        description=f"{title}: {network.energy_mj:.3g} mJ by {'kernel' if is_by_kernel else 'kernel type'}",
    )
    return str(vl_convert.vegalite_to_svg(chart.to_dict(), config=_CONFIG)) + "\n"


_CONFIG: Final[_Spec] = {
    "background": "#ffffff",
    "font": _FONT,
    "axis": {
        "labelColor": _MUTED, "titleColor": _INK, "gridColor": _GRID, "domainColor": _GRID, "tickColor": _GRID,
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
    },
    "title": {"color": _INK, "fontSize": 14, "subtitleColor": _MUTED, "subtitleFontSize": 12},
    "view": {"stroke": None},
}  # fmt: skip


def _subtitle(network: NetworkEnergy, is_by_kernel: bool) -> list[str]:
    total = f"{'' if network.is_complete else 'at least '}{network.energy_mj:.3g} mJ"
    lines = [f"{total} in {'order of execution' if is_by_kernel else 'kernels by type'}"]
    if network.is_extrapolated:
        lines.append(f"extrapolated: {share_in_words(network.extrapolated_share)} of it outside the fit")
    if network.interval_mj is not None and is_by_kernel:
        lines.append(f"lines: {100 * network.interval_coverage:.3g} % intervals of the kernels")
    return lines


def _kernel_rows(network: NetworkEnergy) -> list[_Spec]:
    rows: list[_Spec] = []
    for number, each in enumerate(network.kernels, 1):
        name = f"{number} {each.kernel.kernel or each.kernel.operator} {extents_in_words(each.kernel)}".rstrip()
        row: _Spec = {"place": number, "name": name}
        if each.energy_mj is None:
            row["name"] = f"{name}: not covered"
        else:
            row |= {"energy": each.energy_mj, "name": f"{name}: {each.energy_mj:.3g} mJ"}
        if each.interval_mj is not None:
            row |= dict(zip(("low", "high"), each.interval_mj, strict=True))
        rows.append(row)
    return rows


def _type_rows(network: NetworkEnergy) -> list[_Spec]:
    counts: defaultdict[str, int] = defaultdict(int)
    for each in network.kernels:
        if each.energy_mj is not None and each.kernel.kernel is not None:
            counts[each.kernel.kernel] += 1
    named = [
        (
            f"{counts[kernel]} {kernel}: {energy:.3g} mJ, {share_in_words(energy / network.energy_mj)}",
            {"energy": energy},
        )
        for kernel, energy in energy_by_type(network).items()
    ]
    named += [(f"{item.n} {item.operator}: not covered", {}) for item in network.unsupported]
    return [{"place": place, "name": name, **energy} for place, (name, energy) in enumerate(named, 1)]
