"""Colours of the site, the label and the charts, declared once; it draws nothing.

Class colours run from green to red, as on energy labels. Colour never stands alone:
a class is always also a letter, and a delegate always also a shape.
"""

from typing import Final

INK: Final = "#10242c"
"""Text on paper and on every class colour."""
PAPER: Final = "#ffffff"

CLASS_COLOURS: Final[dict[str, str]] = {
    "A": "#19a45b",
    "B": "#63b947",
    "C": "#b9d23c",
    "D": "#f8dc1b",
    "E": "#f9b233",
    "F": "#f08537",
    "G": "#e75a4d",
}
_NEUTRAL = "#c3ccd0"

THEMES: Final[dict[str, dict[str, str]]] = {
    "light": {"text": INK, "muted": "#4d626b", "grid": "#d9e0e3", "mark_edge": INK},
    "dark": {"text": "#e8eef0", "muted": "#a9b8be", "grid": "#3a474d", "mark_edge": "#0d1518"},
}
"""Colours of a chart on a light and on a dark page."""

SERIES: Final[dict[str, tuple[str, ...]]] = {
    "light": ("#0072b2", "#d55e00", "#00805d", "#b4558c", "#6b4fa0", "#8a6d00", "#3f3f3f", "#007f99"),
    "dark": ("#56b4e9", "#ff9d4d", "#2fd3a2", "#e59ac6", "#b8a4ea", "#f0e442", "#d0d0d0", "#6fd6e8"),
}
"""Colours of delegates, distinguishable under the common colour vision deficiencies (after Okabe and Ito)."""


def class_colour(letter: str) -> str:
    """Colour of a class; grey for a letter that no edition has used yet."""
    return CLASS_COLOURS.get(letter, _NEUTRAL)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two `#rrggbb` colours, from 1 to 21.

    Source:
        W3C, Web Content Accessibility Guidelines 2.2, definition of contrast ratio.

    >>> contrast("#000000", "#ffffff")
    21.0
    """
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def class_styles() -> str:
    """Style sheet that gives every class its colour as a custom property."""
    rules = [f".class-{letter} {{ --class-colour: {colour}; }}" for letter, colour in CLASS_COLOURS.items()]
    return "\n".join([f":root {{ --class-ink: {INK}; --class-colour: {_NEUTRAL}; }}", *rules]) + "\n"
