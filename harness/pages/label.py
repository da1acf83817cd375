"""The energy label of a rated device as a standalone SVG of A-series proportions; it rates nothing.

All that is drawn comes from `LabelFacts`, which the verification hash covers. The drawing uses generic fonts, no script
and no reference to any other file, so that it prints and mails as it is.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import Environment

from harness.pages.device_entries import DeviceEntry
from harness.pages.markup import fixed
from harness.pages.palette import INK, PAPER, class_colour
from harness.scoring.editions import Edition, SuiteNetwork
from harness.scoring.label_facts import LabelFacts, NetworkFact, label_facts
from harness.scoring.ratings import Rating

_WIDTH: Final = 1480
_MARGIN: Final = 70
_ARROW_TOP: Final = 455
_ARROWS_HEIGHT: Final = 610
_NETWORKS_TOP: Final = 1400
_NETWORKS_HEIGHT: Final = 470
_ONE_COLUMN: Final = 6
_FOOTER_TOP: Final = 1926
_FOOTER_HEIGHT: Final = 165
_FOOTER_LETTERS: Final = 122
_EM: Final = 0.56
_EM_BOLD: Final = 0.68
"""Mean width of a letter of a generic sans serif, and of a bold capital, as a share of the font size."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """One class of the scale, in the units of the drawing."""

    letter: str
    borders: str
    colour: str
    y: float
    height: float
    width: float
    is_own: bool

    @property
    def points(self) -> str:
        """Corners of the arrow."""
        right, tip, middle = _MARGIN + self.width, _MARGIN + self.width + self.height / 2, self.y + self.height / 2
        bottom = self.y + self.height
        return f"{_MARGIN},{self.y:g} {right:g},{self.y:g} {tip:g},{middle:g} {right:g},{bottom:g} {_MARGIN},{bottom:g}"


def label_path(subject: DeviceEntry, rating: Rating) -> str:
    """File of a label from the root of the site; the system's first rating has the short one."""
    first = next(each for each in subject.labelled if each.system_id == rating.system_id)
    if rating == first:
        return f"labels/{rating.system_id}.svg"
    return f"labels/{rating.edition}/{rating.tier}/{rating.boundary}/{rating.system_id}.svg"


def facts_of(subject: DeviceEntry, rating: Rating, dataset_version: str) -> LabelFacts:
    """Facts of the label of one of a device's ratings."""
    return label_facts(rating, subject.note_of(rating.system_id), subject.submissions, dataset_version)


def label_sentence(facts: LabelFacts) -> str:
    """The label in one sentence, for readers who do not see it."""
    interval = interval_text(facts)
    return (
        f"Energy label of {facts.name}, edition {facts.edition}: class {facts.label}, energy index "
        f"{fixed(facts.energy_index)}{f' ({interval})' if interval else ''}; lower is better."
    )


def interval_range(rating: Rating | LabelFacts) -> str:
    """Interval of the energy index; empty where none is known."""
    if rating.energy_index_low is None or rating.energy_index_high is None:
        return ""
    return f"{fixed(rating.energy_index_low, 2)} to {fixed(rating.energy_index_high, 2)}"


def interval_text(rating: Rating | LabelFacts) -> str:
    """Interval of the energy index with what it rests on; empty where none is known."""
    bounds = interval_range(rating)
    return f"{rating.interval_title} {bounds}" if bounds else ""


def boundary_text(facts: LabelFacts) -> str:
    """What the energies are of, with the rails."""
    rails = f": {', '.join(facts.rails)}" if facts.rails else ""
    return f"{facts.boundary_title}{rails}"


def method_text(facts: LabelFacts) -> str:
    """Method, tier and meter in words."""
    meter = f"; meter: {' and '.join(facts.meters)}" if facts.meters else ""
    return f"{' and '.join(facts.methods)}; tier: {facts.tier_title}{meter}"


def draw_label(env: Environment, facts: LabelFacts) -> str:
    """SVG text of one label.

    Args:
        env: template environment with `label.svg.j2`.
        facts: all that the label shows.
    """
    classes = facts.label.split("/")
    arrows = scale_arrows(facts, classes)
    own = [arrow for arrow in arrows if arrow.is_own]
    return env.get_template("label.svg.j2").render(
        facts=facts,
        sentence=label_sentence(facts),
        name_size=_font_size(facts.name, 96, _EM_BOLD),
        note_size=_font_size(facts.note, 40, _EM),
        class_size=120 if len(classes) < 3 else 80,
        arrows=arrows,
        pointer_y=(own[0].y + own[-1].y + own[-1].height) / 2,
        boxes=_boxes(facts),
        cells=_network_cells(facts),
        networks_top=_NETWORKS_TOP,
        footer=_footer(facts),
        ink=INK,
        paper=PAPER,
    )


def _font_size(line: str, size: float, em: float) -> float:
    """Font size at which a line stays inside the margins, at most `size`."""
    return min(size, round((_WIDTH - 2 * _MARGIN) / (em * max(len(line), 1)), 1))


def border_texts(scale: Edition | LabelFacts) -> dict[str, str]:
    """Range of the energy index of every class, in words."""
    texts, lower = {}, None
    for letter, border in scale.borders.items():
        texts[letter] = f"up to {border:g}" if lower is None else f"{lower:g} to {border:g}"
        lower = border
    return texts | {scale.last_class: f"above {lower:g}"}


def scale_arrows(scale: Edition | LabelFacts, own: Sequence[str] = ()) -> list[Arrow]:
    """Arrows of the scale, best class on top and shortest; those of the classes in `own` are marked."""
    texts = border_texts(scale)
    pitch = _ARROWS_HEIGHT / len(texts)
    return [
        Arrow(
            letter=letter,
            borders=text,
            colour=class_colour(letter),
            y=round(_ARROW_TOP + place * pitch, 2),
            height=round(pitch * 0.86, 2),
            width=round(330 + 450 * place / max(len(texts) - 1, 1), 2),
            is_own=letter in own,
        )
        for place, (letter, text) in enumerate(texts.items())
    ]


def _boxes(facts: LabelFacts) -> list[dict[str, str]]:
    """The three figures under the scale: name, value, small print."""
    n_measured = sum(network.energy_mj is not None for network in facts.networks)
    index = {
        "name": "Energy index",
        "value": fixed(facts.energy_index),
        "note": interval_text(facts) or "reference 100; lower is better",
    }
    n_networks = {
        "name": "Networks",
        "value": f"{n_measured} of {len(facts.networks)}",
        "note": f"at least {facts.min_networks} needed",
    }
    if not facts.has_pcs_and_iecs:
        return [index, n_networks]
    published = [
        f"; published {value:g}" if value is not None else "" for value in (facts.pcs_published, facts.iecs_published)
    ]
    pcs = {"name": "PCS", "value": fixed(facts.pcs, 0), "note": f"power score, of 100{published[0]}"}
    iecs = {"name": "IECS", "value": fixed(facts.iecs), "note": f"inferences per J{published[1]}"}
    return [index, pcs, iecs]


def is_numbered(network: SuiteNetwork | NetworkFact) -> bool:
    """Whether readers know the network by its number in the paper."""
    return network.id.startswith("DNN")


def network_title(network: SuiteNetwork | NetworkFact) -> str:
    """Title of a network, with its number where readers know it by that."""
    return f"{network.id} \N{MIDDLE DOT} {network.title}" if is_numbered(network) else network.title


def _network_cells(facts: LabelFacts) -> list[dict[str, Any]]:
    titles = [network_title(network) for network in facts.networks]
    n_columns = 1 if len(titles) <= _ONE_COLUMN else 2
    per_column = -(-len(titles) // n_columns)
    pitch = min(_NETWORKS_HEIGHT / per_column, 96)
    width = (_WIDTH - 2 * _MARGIN - 60 * (n_columns - 1)) / n_columns
    size = min(27.0, round(width / (_EM * max(map(len, titles))), 1))
    cells = []
    for place, (title, network) in enumerate(zip(titles, facts.networks, strict=True)):
        column, row = divmod(place, per_column)
        cells.append(
            {
                "x": _MARGIN + column * (width + 60),
                "right": _MARGIN + column * (width + 60) + width,
                "y": round(_NETWORKS_TOP + 30 + row * pitch, 2),
                "title": title,
                "size": size,
                "value": "not measured" if network.energy_mj is None else f"{_absolute(network.energy_mj)} mJ",
                "delegate": network.delegate or "",
            }
        )
    return cells


def _absolute(energy_mj: float) -> str:
    return f"{energy_mj:.1f}" if energy_mj >= 100 else f"{energy_mj:#.4g}".rstrip(".")


def _footer(facts: LabelFacts) -> list[dict[str, Any]]:
    """Lines of small print with their places, closer where there are many."""
    lines = [
        *textwrap.wrap(f"What was measured: {boundary_text(facts)}.", _FOOTER_LETTERS),
        *textwrap.wrap(f"Method: {method_text(facts)}.", _FOOTER_LETTERS),
        f"Dataset version {facts.dataset_version} \N{MIDDLE DOT} edition {facts.edition} \N{MIDDLE DOT} "
        f"verification {facts.verification_hash}",
        *textwrap.wrap(f"Scale: {facts.scale}", _FOOTER_LETTERS),
    ]
    pitch = min(33.0, round(_FOOTER_HEIGHT / len(lines), 1))
    return [
        {"text": line, "y": _FOOTER_TOP + place * pitch, "size": min(24.0, round(pitch * 0.73, 1))}
        for place, line in enumerate(lines)
    ]
