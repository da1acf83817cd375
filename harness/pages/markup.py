"""Text of unknown origin made safe for Markdown and HTML alike, and numbers as the site prints them.

Every value that a template prints passes through `plain`, so that a name cannot become markup; only what the
harness itself marks as `Markup` is printed as it stands. Pages mix Markdown with HTML blocks, in which a backslash is
text, so they need character references; `harness.schema.export.escape_markdown` is for files that people also read as
source.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

MISSING = "\N{EN DASH}"
"""Printed where a value is absent; absent is never zero."""

_BLANKS = re.compile(r"\s+")
_SPECIAL = re.compile(r"[^\w\s,%/.\-]|_|(?<![A-Za-z0-9])[.\-]|[.\-](?![A-Za-z0-9])", re.ASCII)


def plain(value: Any) -> Markup:
    """Text that neither Markdown nor HTML reads as markup; a line break becomes a space.

    >>> plain("a|b <i> *c*")
    Markup('a&#124;b &#60;i&#62; &#42;c&#42;')
    """
    if isinstance(value, Markup):
        return value
    words = _BLANKS.sub(" ", str(value))
    # Every character that could be markup has just been replaced.
    return Markup(_SPECIAL.sub(_entity, words))  # noqa: S704


def _entity(match: re.Match[str]) -> str:
    character = match.group()
    return character if ord(character) > 127 else f"&#{ord(character)};"


def code(value: Any) -> Markup:
    """Text as inline code."""
    return Markup("<code>{}</code>").format(plain(value))


def title(value: str) -> str:
    """Text for the front matter of a page, which the theme prints unescaped after taking tags away."""
    words = " ".join(value.split()).replace("<", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}")
    return words.replace(">", "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}").replace("&", "+")


def figure(value: float | None, digits: int = 6) -> str:
    """Number without exponent, to a count of significant digits; a dash where there is none.

    >>> figure(1498.60), figure(0.000203368), figure(None) == MISSING
    ('1498.6', '0.000203368', True)
    """
    if value is None or np.isnan(value):
        return MISSING
    return np.format_float_positional(value, precision=digits, unique=False, fractional=False, trim="-")


def fixed(value: float | None, decimals: int = 1) -> str:
    """Number to a count of decimals; a dash where there is none.

    >>> fixed(58.897), fixed(78.4, 0)
    ('58.9', '78')
    """
    return MISSING if value is None else f"{value:.{decimals}f}"


def environment(templates: Path) -> Environment:
    """Template environment in which every printed value is made safe."""
    env = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=plain,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters.update(figure=figure, fixed=fixed, code=code)
    return env
