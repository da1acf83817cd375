"""The energy label of a rated device as a standalone SVG of A-series proportions; it rates nothing.

The drawing uses generic fonts, no script and no reference to any other file, so that it prints and mails as it is.
"""

import textwrap
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import Environment

from harness.pages.device_entries import DeviceEntry
from harness.pages.markup import fixed
from harness.pages.palette import INK, PAPER, class_colour
from harness.schema.vocabulary import TIER_TITLES
from harness.scoring.editions import Edition, SuiteNetwork, edition_named
from harness.scoring.ratings import Rating

_WIDTH: Final = 1480
_MARGIN: Final = 70
_ARROW_TOP: Final = 455
_ARROWS_HEIGHT: Final = 610
_NETWORKS_TOP: Final = 1400
_NETWORKS_HEIGHT: Final = 470
_ONE_COLUMN: Final = 6
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
    """File of a label from the root of the site; the device's first rating has the short one."""
    if rating == subject.labelled[0]:
        return f"labels/{subject.device_id}.svg"
    return f"labels/{rating.edition}/{rating.tier}/{subject.device_id}.svg"


def label_sentence(rating: Rating, edition: Edition) -> str:
    """The label in one sentence, for whoever does not see it."""
    interval = interval_text(rating)
    return (
        f"Energy label of {rating.name}, edition {edition.edition}: class {rating.label_text}, energy index "
        f"{fixed(rating.energy_index)}{f' ({interval})' if interval else ''}; lower is better."
    )


def interval_text(rating: Rating) -> str:
    """Interval of the energy index in words; empty where no spread is known."""
    if rating.energy_index_low is None or rating.energy_index_high is None:
        return ""
    return f"lowest to highest run {fixed(rating.energy_index_low, 2)} to {fixed(rating.energy_index_high, 2)}"


def method_text(subject: DeviceEntry, rating: Rating) -> str:
    """Method and tier of a rating in words."""
    methods = sorted({entry["method"] for entry in subject.submissions if entry["tier"] == rating.tier})
    tier = TIER_TITLES[rating.tier] if rating.tier else ""
    return f"{' and '.join(methods)}; tier: {tier}"


def draw_label(env: Environment, subject: DeviceEntry, rating: Rating, dataset_version: str) -> str:
    """SVG text of one label.

    Args:
        env: template environment with `label.svg.j2`.
        rating: a rating with a class.
        dataset_version: version that the verification hash covers.
    """
    edition = edition_named(rating.edition or "")
    arrows = scale_arrows(edition, rating.label_range)
    own = [arrow for arrow in arrows if arrow.is_own]
    return env.get_template("label.svg.j2").render(
        rating=rating,
        edition=edition,
        sentence=label_sentence(rating, edition),
        name_size=_fitted(rating.name, 96, _EM_BOLD),
        note=subject.note,
        note_size=_fitted(subject.note, 40, _EM),
        arrows=arrows,
        pointer_y=(own[0].y + own[-1].y + own[-1].height) / 2,
        boxes=_boxes(rating, edition),
        cells=_network_cells(rating, edition),
        networks_top=_NETWORKS_TOP,
        footer=_footer(subject, rating, edition, dataset_version),
        ink=INK,
        paper=PAPER,
    )


def _fitted(line: str, size: float, em: float) -> float:
    """Font size at which a line stays inside the margins, at most `size`."""
    return min(size, round((_WIDTH - 2 * _MARGIN) / (em * max(len(line), 1)), 1))


def border_texts(edition: Edition) -> dict[str, str]:
    """Range of the energy index of every class, in words."""
    texts, lower = {}, None
    for letter, border in edition.borders.items():
        texts[letter] = f"up to {border:g}" if lower is None else f"{lower:g} to {border:g}"
        lower = border
    return texts | {edition.last_class: f"above {lower:g}"}


def scale_arrows(edition: Edition, own: tuple[str, ...] = ()) -> list[Arrow]:
    """Arrows of the scale, best class on top and shortest."""
    pitch = _ARROWS_HEIGHT / len(edition.classes)
    texts = border_texts(edition)
    return [
        Arrow(
            letter=letter,
            borders=texts[letter],
            colour=class_colour(letter),
            y=round(_ARROW_TOP + place * pitch, 2),
            height=round(pitch * 0.86, 2),
            width=round(330 + 450 * place / max(len(edition.classes) - 1, 1), 2),
            is_own=letter in own,
        )
        for place, letter in enumerate(edition.classes)
    ]


def _boxes(rating: Rating, edition: Edition) -> list[dict[str, str]]:
    """The three figures under the scale: name, value, small print."""
    index = {
        "name": "Energy index",
        "value": fixed(rating.energy_index),
        "note": interval_text(rating) or "reference 100; lower is better",
    }
    n_networks = {
        "name": "Networks",
        "value": f"{len(rating.networks)} of {len(edition.networks)}",
        "note": f"at least {edition.min_networks} needed",
    }
    if not edition.has_pcs_and_iecs:
        return [index, n_networks]
    published = [
        f"; published {value:g}" if value is not None else "" for value in (rating.pcs_published, rating.iecs_published)
    ]
    pcs = {"name": "PCS", "value": fixed(rating.pcs, 0), "note": f"power score, of 100{published[0]}"}
    iecs = {"name": "IECS", "value": fixed(rating.iecs), "note": f"inferences per J{published[1]}"}
    return [index, pcs, iecs]


def is_numbered(network: SuiteNetwork) -> bool:
    """Whether readers know the network by its number in the paper."""
    return network.id.startswith("DNN")


def network_title(network: SuiteNetwork) -> str:
    """Title of a network, with its number where readers know it by that."""
    return f"{network.id} \N{MIDDLE DOT} {network.title}" if is_numbered(network) else network.title


def _network_cells(rating: Rating, edition: Edition) -> list[dict[str, Any]]:
    figures = {entry.network: entry for entry in rating.networks}
    n_columns = 1 if len(edition.networks) <= _ONE_COLUMN else 2
    per_column = -(-len(edition.networks) // n_columns)
    pitch = min(_NETWORKS_HEIGHT / per_column, 96)
    width = (_WIDTH - 2 * _MARGIN - 60 * (n_columns - 1)) / n_columns
    longest = max(len(network_title(network)) for network in edition.networks)
    size = min(27.0, round(width / (_EM * longest), 1))
    cells = []
    for place, network in enumerate(edition.networks):
        found = figures.get(network.id)
        column, row = divmod(place, per_column)
        cells.append(
            {
                "x": _MARGIN + column * (width + 60),
                "right": _MARGIN + column * (width + 60) + width,
                "y": round(_NETWORKS_TOP + 30 + row * pitch, 2),
                "title": network_title(network),
                "size": size,
                "value": f"{_absolute(found.energy_mj)} mJ" if found else "not measured",
                "delegate": found.delegate if found else "",
            }
        )
    return cells


def _absolute(energy_mj: float) -> str:
    return f"{energy_mj:.1f}" if energy_mj >= 100 else f"{energy_mj:#.4g}".rstrip(".")


def _footer(subject: DeviceEntry, rating: Rating, edition: Edition, dataset_version: str) -> list[str]:
    attributions = textwrap.wrap(f"Scale: {edition.source}", 122)
    return [
        f"Method: {method_text(subject, rating)}.",
        f"Dataset version {dataset_version} \N{MIDDLE DOT} edition {edition.edition} \N{MIDDLE DOT} "
        f"verification {rating.verification_hash(dataset_version)}",
        *attributions,
    ]
